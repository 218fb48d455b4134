//! Requests as no browser would send them.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Method};

use crate::harness::page::Page;
use crate::harness::server::Server;

/// Sends a request with just these headers, and follows nothing.
pub async fn send(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Page {
    let http = Client::builder().redirect(Policy::none()).build().unwrap();
    let request = http.request(Method::from_bytes(method.as_bytes()).unwrap(), url).body(body.to_owned());
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    Page::of(request.send().await.unwrap()).await
}

/// A page, with just these cookies.
pub async fn get(url: &str, cookies: &[String]) -> Page {
    send("GET", url, &[("cookie", &cookies.join("; "))], "").await
}

/// Writes bytes, and returns all that comes back until the server closes.
pub fn bytes(server: &Server, request: &[u8]) -> String {
    let mut connection = TcpStream::connect(host(server)).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    // The server may answer, and close, before it has read everything.
    let _ = connection.write_all(request);
    let mut answer = Vec::new();
    let _ = connection.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// A GET with these lines of header, and what comes back.
pub fn get_raw(server: &Server, path: &str, lines: &str) -> String {
    bytes(server, format!("GET {path} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n").as_bytes())
}

/// Host and port.
pub fn host(server: &Server) -> String {
    server.url.trim_start_matches("http://").to_owned()
}

/// The status of a raw answer; none where the server just closed.
pub fn status(answer: &str) -> Option<u16> {
    answer.split(' ').nth(1)?.parse().ok()
}
