//! HTTP/1.1 over one kept connection, as plain as it can be, so that the generator costs little.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Failure;

/// A kept connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Connection {
    pub(crate) async fn open(address: &str) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends a request and reads its answer. `headers` end each with `\r\n`; a body is a form.
    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> Result<Answer, Failure> {
        let form = if method == "POST" {
            format!("content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n", body.len())
        } else {
            String::new()
        };
        let request = format!("{method} {path} HTTP/1.1\r\nhost: load\r\n{headers}{form}\r\n{body}");
        self.stream.write_all(request.as_bytes()).await?;
        self.read().await
    }

    async fn read(&mut self) -> Result<Answer, Failure> {
        self.buffer.clear();
        let end = loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                break at + 4;
            }
            self.more().await?;
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        let length = header(&head, "content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        while self.buffer.len() < end + length {
            self.more().await?;
        }
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or("no status")?;
        let body = String::from_utf8_lossy(&self.buffer[end..end + length]).into_owned();
        Ok(Answer { status, head, body })
    }

    async fn more(&mut self) -> Result<(), Failure> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err("the server closed the connection".into());
        }
        Ok(())
    }
}

impl Answer {
    /// A header's text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    /// The names and values of all cookies set.
    pub(crate) fn cookies(&self) -> String {
        let set = self.head.lines().filter_map(|line| line.split_once(": "));
        let set = set.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
        set.flat_map(|(_, cookie)| [cookie.split(';').next().unwrap_or_default(), "; "]).collect()
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, text)| text)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
