//! The server as a process of its own, that can be killed: this program once more, where all it does is `grantor serve`.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use grantor_server::commands::serve;
use grantor_server::config::Config;
use grantor_server::settings::Settings;

use super::caller::Caller;
use crate::harness::server::{Place, runtime};

/// The test that is the process.
const MAIN: &str = "crash::child::this_is_the_server";

#[test]
#[ignore = "it is the server that other tests start, and kill"]
fn this_is_the_server() {
    if std::env::var_os("GRANTOR_ISSUER").is_some() {
        runtime().block_on(serve::run(&Settings::default(), serve::Arguments {})).unwrap();
    }
}

/// A server in a process. Dropping it kills it; what it wrote is shown when the test fails.
pub struct Child {
    process: std::process::Child,
    log: PathBuf,
}

impl Child {
    /// Starts one and waits until it is ready; says how long that took.
    pub async fn start(place: &Place, port: u16) -> (Self, Duration) {
        Self::start_behind(&place.config(port), place, port).await
    }

    /// Starts one with a port of its own that others reach by way of the issuer's.
    pub async fn start_behind(config: &Config, place: &Place, port: u16) -> (Self, Duration) {
        let (log, own) = (place.folder().join("server.log"), format!("127.0.0.1:{port}"));
        let begun = Instant::now();
        let mut child = Self { process: command(config, place, port, &log).spawn().unwrap(), log };
        loop {
            if Caller::new(&own, "").get("/readyz", "").is_ok_and(|told| told.status == 200) {
                return (child, begun.elapsed());
            }
            assert!(child.process.try_wait().unwrap().is_none(), "the server ended by itself");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Tells it to stop, and waits until it has.
    pub async fn stop(mut self) {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let status = loop {
            match self.process.try_wait().unwrap() {
                Some(status) => break status,
                None => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        };
        assert!(status.success(), "{status}");
    }

    /// Ends it as a power failure would: no signal that it could catch.
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        assert!(!self.process.wait().unwrap().success());
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("{}", fs::read_to_string(&self.log).unwrap_or_default());
        }
    }
}

fn command(config: &Config, place: &Place, port: u16, log: &PathBuf) -> Command {
    let log = File::options().create(true).append(true).open(log).unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", MAIN, "--ignored", "--nocapture"]).current_dir(place.folder());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    command.env_clear().envs([
        ("GRANTOR_ISSUER", config.issuer.as_str()),
        ("GRANTOR_LISTEN", &format!("127.0.0.1:{port}")),
        ("GRANTOR_DATABASE_URL", config.database_url.expose()),
        ("GRANTOR_KEY_ENCRYPTION_KEY", config.key_encryption_key.as_ref().unwrap().expose()),
        ("GRANTOR_LIMITS__WORKERS", "2"),
        ("GRANTOR_LOG__LEVEL", "warn"),
    ]);
    if let Some(authority) = &config.outbound.ca_file {
        command.env("GRANTOR_OUTBOUND__ALLOW_HOSTS", r#"["localhost"]"#).env("GRANTOR_OUTBOUND__CA_FILE", authority);
    }
    if let Some(server) = &config.mail.server {
        command.envs([
            ("GRANTOR_MAIL__SERVER", server.as_str()),
            ("GRANTOR_MAIL__PORT", &config.mail.port.unwrap().to_string()),
            ("GRANTOR_MAIL__SECURITY", "none_on_a_trusted_network"),
            ("GRANTOR_MAIL__FROM", config.mail.from.as_deref().unwrap()),
        ]);
    }
    command
}

/// A port that the system gives to nobody by itself, so that it is free again after each end.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 10_000).unwrap();
    loop {
        let port = 20_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
