//! An app that keeps its connection, and lives with answers that do not come.

use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::net::TcpStream;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_jose::hash::sha256;
use serde_json::Value;
use url::Url;
use url::form_urlencoded::Serializer;

use crate::harness::app::{VERIFIER, basic};
use crate::harness::seeds::SECRET;

/// How long an answer is waited for: longer than any server takes, also without its database.
const PATIENCE: Duration = Duration::from_secs(7);

/// An app.
pub struct Caller {
    /// Host and port.
    host: String,
    client_id: &'static str,
    connection: Option<BufReader<TcpStream>>,
}

/// An answer.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Its status.
    pub status: u16,
    /// When to come again.
    pub retry_after: Option<String>,
    /// Where the browser is sent.
    pub location: Option<String>,
    /// Whether the connection ends with it.
    pub is_last: bool,
    /// Its body; null where that is no JSON.
    pub body: Value,
}

impl Caller {
    /// An app of the seeds, and the server that it asks, `http://HOST:PORT`.
    pub fn new(address: &str, client_id: &'static str) -> Self {
        Self { host: address.trim_start_matches("http://").to_owned(), client_id, connection: None }
    }

    /// Posts a form, authenticated as the app is registered.
    pub fn post(&mut self, path: &str, form: &[(&str, &str)]) -> io::Result<Told> {
        let mut body = Serializer::new(String::new());
        body.extend_pairs(form);
        let mut lines = "Content-Type: application/x-www-form-urlencoded\r\n".to_owned();
        match self.client_id {
            "signed" => {}
            "spa" => drop(body.append_pair("client_id", self.client_id)),
            "chat" => drop(body.extend_pairs([("client_id", self.client_id), ("client_secret", SECRET)])),
            _ => lines.extend(["Authorization: ", &basic(self.client_id, SECRET), "\r\n"]),
        }
        self.send(&format!("POST {path}"), &lines, &body.finish())
    }

    /// Opens a path with cookies, as the person's browser does for the app.
    pub fn get(&mut self, path: &str, cookies: &str) -> io::Result<Told> {
        self.send(&format!("GET {path}"), &format!("Cookie: {cookies}\r\n"), "")
    }

    /// Redeems a code, of a flow that began with [`Self::code`].
    pub fn redeem(&mut self, code: &str) -> io::Result<Told> {
        let redirect_uri = self.redirect_uri();
        let code = [("grant_type", "authorization_code"), ("code", code), ("code_verifier", VERIFIER)];
        self.post("/token", &[&code[..], &[("redirect_uri", &redirect_uri)]].concat())
    }

    /// Refreshes.
    pub fn refresh(&mut self, refresh_token: &str) -> io::Result<Told> {
        self.post("/token", &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)])
    }

    /// The path of an authorization request.
    pub fn authorize_path(&self) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(sha256(VERIFIER.as_bytes()));
        let request = [
            ("client_id", self.client_id),
            ("response_type", "code"),
            ("redirect_uri", &self.redirect_uri()),
            ("scope", "openid offline_access"),
            ("state", "the-state"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        format!("/authorize?{}", Serializer::new(String::new()).extend_pairs(request).finish())
    }

    /// Asks for a code, in the browser of a person who has allowed the app before.
    pub fn code(&mut self, cookies: &str) -> io::Result<Told> {
        self.get(&self.authorize_path(), cookies)
    }

    fn redirect_uri(&self) -> String {
        format!("https://{}.example/cb", if self.client_id == "spa" { "board" } else { self.client_id })
    }

    fn send(&mut self, request: &str, lines: &str, body: &str) -> io::Result<Told> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(&self.host)?,
        };
        let (host, length) = (&self.host, body.len());
        let request = format!("{request} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n{lines}\r\n{body}");
        connection.get_mut().write_all(request.as_bytes())?;
        let told = Told::read(&mut connection)?;
        self.connection = Some(connection).filter(|_| !told.is_last);
        Ok(told)
    }
}

fn connect(host: &str) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
}

impl Told {
    fn read(connection: &mut impl BufRead) -> io::Result<Self> {
        let (mut told, mut length) = (Self::default(), 0);
        told.status = line(connection)?.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or(broken())?;
        loop {
            let line = line(connection)?;
            let Some((name, value)) = line.split_once(": ") else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().map_err(|_| broken())?,
                "connection" => told.is_last = value.eq_ignore_ascii_case("close"),
                "location" => told.location = Some(value.to_owned()),
                "retry-after" => told.retry_after = Some(value.to_owned()),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        connection.read_exact(&mut body)?;
        told.body = serde_json::from_slice(&body).unwrap_or_default();
        Ok(told)
    }

    /// The status and the error's code: `400 invalid_grant`.
    pub fn brief(&self) -> String {
        format!("{} {}", self.status, self.body["error"].as_str().unwrap_or_default()).trim_end().to_owned()
    }

    /// Whether the server cannot do it now, and says so in the way that is right for the endpoint.
    pub fn is_to_come_again(&self) -> bool {
        if self.status == 503 {
            assert_eq!(self.retry_after.as_deref(), Some("1"), "{self:?}");
        }
        self.status == 503 || self.location.as_ref().is_some_and(|to| to.contains("error=temporarily_unavailable"))
    }

    /// The code of an answer to an authorization request.
    pub fn code(&self) -> String {
        let location: Url = self.location.as_ref().unwrap_or_else(|| panic!("{self:?}")).parse().unwrap();
        let code = location.query_pairs().find(|(name, _)| name == "code");
        code.unwrap_or_else(|| panic!("{self:?}")).1.into_owned()
    }

    /// A token of the answer.
    pub fn token(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_else(|| panic!("{name} in {self:?}")).to_owned()
    }
}

/// A line of the header, without its end.
fn line(connection: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    connection.read_line(&mut line)?;
    line.strip_suffix("\r\n").map(str::to_owned).ok_or(broken())
}

/// The answer broke off.
fn broken() -> io::Error {
    ErrorKind::UnexpectedEof.into()
}
