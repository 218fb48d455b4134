//! The way to the mail server is kept from others: by TLS that is checked, or nothing is sent.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use grantor_server::config::Hidden;
use grantor_server::config::outgoing::{Mail, Security};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::alice;
use super::delivery::{until_empty, until_failed};
use crate::harness::folder::Folder;
use crate::harness::server::Server;
use crate::harness::smtp::{Smtp, settings};

/// A mail server with a certificate of its own, and what it was told.
struct Secured {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
    folder: Folder,
}

impl Secured {
    fn start(starttls: bool) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let folder = Folder::new();
        std::fs::write(folder.join("ca.pem"), made.cert.pem()).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let tls = ServerConfig::builder().with_no_client_auth();
        let tls = Arc::new(tls.with_single_cert(vec![made.cert.der().clone()], key).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, heard) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<String>>>::default());
        let listening = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Whoever breaks off is not this server's concern.
                let _ = greet(stream, starttls.then_some(()), &tls, &listening);
            }
        });
        Self { address, heard, folder }
    }

    fn settings(&self, security: Security) -> Mail {
        Mail {
            server: Some("localhost".to_owned()),
            security,
            username: Some("grantor".to_owned()),
            password: Some(Hidden::new("mail-password")),
            ca_file: Some(self.folder.join("ca.pem")),
            ..settings(self.address)
        }
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

fn greet(
    mut plain: TcpStream,
    starttls: Option<()>,
    tls: &Arc<ServerConfig>,
    heard: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    plain.set_read_timeout(Some(Duration::from_secs(5)))?;
    if starttls.is_some() {
        plain.write_all(b"220 sink ESMTP\r\n")?;
        for answer in ["250-sink\r\n250 STARTTLS\r\n", "220 go on\r\n"] {
            // Byte by byte, so that nothing of the handshake is taken away.
            let (mut line, mut byte) = (Vec::new(), [0]);
            while byte[0] != b'\n' {
                plain.read_exact(&mut byte)?;
                line.push(byte[0]);
            }
            heard.lock().unwrap().push(format!("in the clear: {}", String::from_utf8_lossy(&line).trim()));
            plain.write_all(answer.as_bytes())?;
        }
    }
    let connection = ServerConnection::new(Arc::clone(tls)).map_err(std::io::Error::other)?;
    let mut stream = BufReader::new(StreamOwned::new(connection, plain));
    if starttls.is_none() {
        stream.get_mut().write_all(b"220 sink ESMTP\r\n")?;
    }
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let word = line.split([' ', ':', '\r']).next().unwrap_or_default().to_owned();
        heard.lock().unwrap().push(line.trim().to_owned());
        if word == "DATA" {
            stream.get_mut().write_all(b"354 go on\r\n")?;
            while line != ".\r\n" {
                line.clear();
                stream.read_line(&mut line)?;
            }
        }
        let answer = match word.as_str() {
            "EHLO" => "250-sink\r\n250 AUTH PLAIN\r\n",
            "AUTH" => "235 welcome\r\n",
            _ => "250 ok\r\n",
        };
        stream.get_mut().write_all(answer.as_bytes())?;
    }
}

#[tokio::test]
async fn mail_goes_by_tls_to_a_server_whose_certificate_is_right() {
    for (security, starttls) in [(Security::Tls, false), (Security::Starttls, true)] {
        let secured = Secured::start(starttls);
        let mail = secured.settings(security);
        let server = Server::start_with(|config| config.mail = mail).await;
        alice(&server).await;
        until_empty(&server).await;
        let heard = secured.heard();
        assert!(heard.iter().any(|line| line.starts_with("AUTH PLAIN")), "{heard:?}");
        assert!(heard.iter().any(|line| line == "RCPT TO:<alice@example.com>"), "{heard:?}");
        let in_the_clear: Vec<_> = heard.iter().filter(|line| line.starts_with("in the clear")).collect();
        assert_eq!(in_the_clear.len(), if starttls { 2 } else { 0 }, "{in_the_clear:?}");
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_sent_nothing() {
    let secured = Secured::start(false);
    let mail = Mail { ca_file: None, ..secured.settings(Security::Tls) };
    let server = Server::start_with(|config| config.mail = mail).await;
    alice(&server).await;
    until_failed(&server).await;
    assert!(secured.heard().is_empty(), "{:?}", secured.heard());
}

#[tokio::test]
async fn a_server_without_tls_is_sent_nothing_unless_the_settings_say_so_bluntly() {
    for security in [Security::Tls, Security::Starttls] {
        let smtp = Smtp::start().await;
        let mail = Mail {
            security,
            username: Some("grantor".to_owned()),
            password: Some(Hidden::new("mail-password")),
            ..smtp.settings()
        };
        let server = Server::start_with(|config| config.mail = mail).await;
        alice(&server).await;
        until_failed(&server).await;
        assert!(smtp.mails().is_empty());
        assert!(!smtp.heard().iter().any(|line| line.starts_with("AUTH")), "{:?}", smtp.heard());
    }
}
