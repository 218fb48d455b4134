//! What stands between a server and its database, and can fall silent: nothing is refused, nothing is closed, and nothing
//! comes back.

use std::net::SocketAddr;
use std::thread::JoinHandle;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use url::Url;

use crate::harness::server::runtime;

/// A proxy on a port of its own.
pub struct Proxy {
    /// The database's address by way of it.
    pub url: String,
    silent: Option<watch::Sender<bool>>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Stands before the database at `url`.
    pub fn before(url: &str) -> Self {
        let mut url: Url = url.parse().unwrap();
        let behind = url.socket_addrs(|| Some(5432)).unwrap()[0];
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap();
        url.set_host(Some(&own.ip().to_string())).unwrap();
        url.set_port(Some(own.port())).unwrap();
        let (silent, is_silent) = watch::channel(false);
        let thread = std::thread::spawn(move || runtime().block_on(run(listener, behind, is_silent)));
        Self { url: url.into(), silent: Some(silent), thread: Some(thread) }
    }

    /// Keeps back all bytes, or lets them go on.
    pub fn fall_silent(&self, silent: bool) {
        self.silent.as_ref().unwrap().send_replace(silent);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.silent.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Passes on what comes, until the proxy is dropped.
async fn run(listener: std::net::TcpListener, behind: SocketAddr, mut is_silent: watch::Receiver<bool>) {
    listener.set_nonblocking(true).unwrap();
    let listener = TcpListener::from_std(listener).unwrap();
    let ways = is_silent.clone();
    let accept = async {
        loop {
            let (from, _) = listener.accept().await.unwrap();
            let (read_from, write_from) = from.into_split();
            let (read_behind, write_behind) = TcpStream::connect(behind).await.unwrap().into_split();
            tokio::spawn(pass_on(read_from, write_behind, ways.clone()));
            tokio::spawn(pass_on(read_behind, write_from, ways.clone()));
        }
    };
    tokio::select! {
        () = accept => {}
        () = async { while is_silent.changed().await.is_ok() {} } => {}
    }
}

async fn pass_on(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut is_silent: watch::Receiver<bool>,
) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        if is_silent.wait_for(|silent| !silent).await.is_err() || to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
}
