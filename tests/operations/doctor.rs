//! The doctor asks the issuer, and reads no more than it needs.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use grantor_server::checkup::{self, Level, issuer};
use grantor_server::config::Config;

use crate::harness::front_channel;
use crate::harness::server::Server;

/// Something at the issuer's address, and its settings.
fn instead(answer: impl Fn(&mut TcpStream) -> std::io::Result<()> + Send + 'static) -> Config {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // The other side breaks off where it has read enough.
            let _ = stream.read(&mut [0; 2048]).and_then(|_| answer(&mut stream));
        }
    });
    Config { issuer, ..Config::default() }
}

#[tokio::test]
async fn the_doctor_says_whether_the_issuer_answers_by_its_name() {
    let server = Server::start().await;
    let found = issuer::answers(server.config()).await;
    assert_eq!((found.level, found.message), (Level::Sound, format!("{} answers", server.url)));
    let other = Config { issuer: server.url.replace("127.0.0.1", "localhost"), ..Config::default() };
    let found = issuer::answers(&other).await;
    assert!(found.level == Level::Broken && found.message.contains("names another issuer"), "{}", found.message);
}

#[tokio::test]
async fn the_doctor_reads_no_endless_answer_and_follows_nobody() {
    let endless = instead(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")?;
        let chunk = [b"10000\r\n".as_slice(), &vec![b' '; 0x1_0000], b"\r\n"].concat();
        loop {
            stream.write_all(&chunk)?;
        }
    });
    let begun = Instant::now();
    let found = issuer::answers(&endless).await;
    assert!(found.message.ends_with("the answer is too long"), "{}", found.message);
    assert!(begun.elapsed() < Duration::from_secs(5));
    let long =
        instead(|stream| write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n{}", " ".repeat(300_000)));
    assert!(issuer::answers(&long).await.message.ends_with("the answer is too long"));
    let elsewhere =
        instead(|stream| stream.write_all(b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n"));
    assert!(issuer::answers(&elsewhere).await.message.contains("it answers 302"));
    let no_json = instead(|stream| stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n<p"));
    assert!(issuer::answers(&no_json).await.message.contains("no JSON"));
}

#[tokio::test]
async fn the_doctor_names_apps_that_cannot_get_what_they_are_declared_for() {
    let (closed, open) = (front_channel::closed_server().await, front_channel::server().await);
    let apps = async |server: &Server| {
        let found = checkup::database(server.config(), server.clock.read()).await;
        found.into_iter().find(|finding| finding.area == "apps").map(|finding| finding.message)
    };
    let found = apps(&closed).await.expect("apps are named");
    assert!(found.starts_with("hybrid, implicit, quiet: "), "{found}");
    assert_eq!(apps(&open).await, None);
}
