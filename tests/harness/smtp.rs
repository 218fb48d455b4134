//! A mail server for stories: takes what it is given, in the clear, and keeps it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use grantor_server::config::Config;
use grantor_server::config::outgoing::{Mail, Security};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A mail as it arrived.
#[derive(Clone, Debug, Default)]
pub struct Received {
    /// The sender of the envelope.
    pub from: String,
    /// To whom.
    pub to: Vec<String>,
    /// The whole mail.
    pub data: String,
}

/// What the server does beside taking mail.
#[derive(Debug, Default)]
struct Behaviour {
    mails: Mutex<Vec<Received>>,
    /// How many of the next mails are refused, and how.
    refusals: Mutex<(usize, &'static str)>,
    heard: Mutex<Vec<String>>,
}

/// A mail server, until it is dropped.
pub struct Smtp {
    /// Where it listens.
    pub address: SocketAddr,
    behaviour: Arc<Behaviour>,
    accepting: JoinHandle<()>,
}

impl Smtp {
    /// One on a free port.
    pub async fn start() -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap()).await
    }

    /// One at an address, as after a restart.
    pub async fn start_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let behaviour = Arc::<Behaviour>::default();
        let shared = Arc::clone(&behaviour);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, Arc::clone(&shared)));
            }
        });
        Self { address, behaviour, accepting }
    }

    /// The settings of a server that writes through this one.
    pub fn settings(&self) -> Mail {
        settings(self.address)
    }

    /// Settles that in a configuration.
    pub fn configure(&self) -> impl FnOnce(&mut Config) + use<> {
        let mail = self.settings();
        move |config| config.mail = mail
    }

    /// Refuses the next mails with an answer, as `451 try again`.
    pub fn refuse(&self, how_many: usize, answer: &'static str) {
        *self.behaviour.refusals.lock().unwrap() = (how_many, answer);
    }

    /// What has arrived so far.
    pub fn mails(&self) -> Vec<Received> {
        self.behaviour.mails.lock().unwrap().clone()
    }

    /// Every command that it was given.
    pub fn heard(&self) -> Vec<String> {
        self.behaviour.heard.lock().unwrap().clone()
    }

    /// Waits for so many mails in all; they come from the background.
    pub async fn wait_for(&self, how_many: usize) -> Vec<Received> {
        let waiting = async {
            while self.mails().len() < how_many {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let arrived = tokio::time::timeout(Duration::from_secs(20), waiting).await;
        assert!(arrived.is_ok(), "{how_many} mails arrive: {:?}", self.mails());
        self.mails()
    }
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The settings of a server that writes through a mail server here.
pub fn settings(address: SocketAddr) -> Mail {
    Mail {
        server: Some(address.ip().to_string()),
        port: Some(address.port()),
        security: Security::NoneOnATrustedNetwork,
        from: Some("Grantor <no-reply@grantor.example>".to_owned()),
        ..Mail::default()
    }
}

async fn converse(stream: TcpStream, behaviour: Arc<Behaviour>) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let mut mail = Received::default();
    if write.write_all(b"220 sink.example ESMTP\r\n").await.is_err() {
        return;
    }
    while let Ok(Some(line)) = lines.next_line().await {
        behaviour.heard.lock().unwrap().push(line.clone());
        let answer = match line.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" => "250-sink.example\r\n250 8BITMIME",
            "MAIL" => {
                mail = Received { from: address(&line), ..Received::default() };
                "250 ok"
            }
            "RCPT" => {
                mail.to.push(address(&line));
                "250 ok"
            }
            "DATA" => {
                if write.write_all(b"354 go on\r\n").await.is_err() {
                    return;
                }
                while let Ok(Some(line)) = lines.next_line().await {
                    if line == "." {
                        break;
                    }
                    mail.data += line.strip_prefix('.').unwrap_or(&line);
                    mail.data += "\r\n";
                }
                behaviour.take(&mail)
            }
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        if write.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
            return;
        }
    }
}

impl Behaviour {
    fn take(&self, mail: &Received) -> &'static str {
        let mut refusals = self.refusals.lock().unwrap();
        if refusals.0 > 0 {
            refusals.0 -= 1;
            return refusals.1;
        }
        self.mails.lock().unwrap().push(mail.clone());
        "250 taken"
    }
}

fn address(line: &str) -> String {
    line.split(['<', '>']).nth(1).unwrap_or_default().to_owned()
}

impl Received {
    /// A header, unfolded.
    pub fn header(&self, name: &str) -> String {
        let head = self.data.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
        let found = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        found.unwrap_or_else(|| panic!("{name} in {head}")).to_owned()
    }

    /// The part of a kind, as `text/plain`, decoded.
    pub fn part(&self, kind: &str) -> String {
        let boundary = self.data.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap();
        let delimiter = format!("--{boundary}");
        let mut parts = self.data.split(&delimiter);
        let part = parts.find(|part| part.contains(&format!("Content-Type: {kind}"))).expect("such a part");
        let (head, body) = part.trim_start().split_once("\r\n\r\n").unwrap();
        match head.split("Content-Transfer-Encoding: ").nth(1).and_then(|rest| rest.lines().next()) {
            Some("base64") => String::from_utf8(STANDARD.decode(body.replace("\r\n", "")).unwrap()).unwrap(),
            Some("quoted-printable") => unquoted(body),
            _ => body.to_owned(),
        }
    }
}

/// Quoted-printable (RFC 2045 §6.7).
fn unquoted(text: &str) -> String {
    let joined = text.replace("=\r\n", "");
    let mut parts = joined.split('=');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap()
}
