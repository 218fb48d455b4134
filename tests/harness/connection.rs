//! One kept connection, written and read byte by byte, so that nothing of a request is made better on its way.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than the server waits for a head, for a body, or for one who must close.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to the server.
pub struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

/// An answer.
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its head, as it came.
    pub head: String,
    /// Its body.
    pub body: String,
}

impl Connection {
    /// Opens one.
    pub async fn open(host: &str) -> Self {
        let stream = TcpStream::connect(host).await.expect("the server takes connections");
        stream.set_nodelay(true).unwrap();
        Self { stream, read: Vec::new() }
    }

    /// Writes bytes; the server may have closed, and not read them all.
    pub async fn write(&mut self, bytes: &[u8]) {
        let _ = timeout(PATIENCE, self.stream.write_all(bytes)).await.expect("the server reads, or closes");
    }

    /// Says that nothing more will come.
    pub async fn end(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// The next answer; none where the server has closed instead. `bodiless` for the answer to HEAD.
    pub async fn answer(&mut self, bodiless: bool) -> Option<Answer> {
        loop {
            let head = self.head().await?;
            let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
            let status = status.unwrap_or_else(|| panic!("a status line in {head:?}"));
            if status == 100 {
                continue;
            }
            let body = if bodiless || [204, 304].contains(&status) { Vec::new() } else { self.body(&head).await? };
            return Some(Answer { status, head, body: String::from_utf8_lossy(&body).into_owned() });
        }
    }

    /// All that comes until the server closes, which it must.
    pub async fn rest(&mut self) -> Vec<u8> {
        while self.more().await {}
        std::mem::take(&mut self.read)
    }

    async fn head(&mut self) -> Option<String> {
        let end = loop {
            match self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                Some(at) => break at + 4,
                None if self.more().await => {}
                None => return None,
            }
        };
        Some(self.read.drain(..end).map(char::from).collect())
    }

    async fn body(&mut self, head: &str) -> Option<Vec<u8>> {
        if header(head, "transfer-encoding").is_none() {
            let length = header(head, "content-length").map_or(0, |length| length.parse().unwrap());
            return self.exactly(length).await;
        }
        let mut body = Vec::new();
        loop {
            let size = self.line().await?;
            let size = usize::from_str_radix(&size, 16).expect("the size of a chunk");
            let chunk = self.exactly(size + 2).await?;
            body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                return Some(body);
            }
        }
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(at) = self.read.windows(2).position(|window| window == b"\r\n") {
                let line: String = self.read.drain(..at + 2).take(at).map(char::from).collect();
                return Some(line);
            }
            if !self.more().await {
                return None;
            }
        }
    }

    async fn exactly(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.read.len() < length {
            if !self.more().await {
                return None;
            }
        }
        Some(self.read.drain(..length).collect())
    }

    /// Whether more came; not so where the connection is closed.
    async fn more(&mut self) -> bool {
        let came: io::Result<usize> =
            timeout(PATIENCE, self.stream.read_buf(&mut self.read)).await.unwrap_or_else(|_| {
                panic!("the server neither answers nor closes after {:?}", self.read.escape_ascii().to_string())
            });
        came.is_ok_and(|length| length > 0)
    }
}

impl Answer {
    /// A header's text.
    pub fn header(&self, name: &'static str) -> Option<&str> {
        header(&self.head, name)
    }

    /// The texts of all headers of a name.
    pub fn headers(&self, name: &'static str) -> impl Iterator<Item = &str> {
        headers(&self.head, name)
    }

    /// Whether the connection ends with it. It also does, and does not say so, after what is no HTTP: such an answer has none of
    /// the headers that the server gives to all.
    pub fn is_last(&self) -> bool {
        let closes = self.header("connection").is_some_and(|text| text.eq_ignore_ascii_case("close"));
        closes || self.header("x-content-type-options").is_none()
    }
}

fn header<'a>(head: &'a str, name: &'static str) -> Option<&'a str> {
    headers(head, name).next()
}

fn headers<'a>(head: &'a str, name: &'static str) -> impl Iterator<Item = &'a str> {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, text)| text)
}
