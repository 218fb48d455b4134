//! Chromedriver: the process through which WebDriver reaches Chromium.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

/// Where Debian's package `chromium-driver` puts it.
pub const PROGRAM: &str = "/usr/bin/chromedriver";

/// How often it is started at most. It takes a port that is free for IPv6 and needs the same one for IPv4; where somebody has
/// that, it ends without a word.
const ATTEMPTS: usize = 5;

/// A running chromedriver on a free port of the loopback interface. Dropping it ends its browsers, then itself.
pub struct Driver {
    process: Child,
    port: u16,
    /// Kept open, so that the driver can go on writing.
    _output: BufReader<ChildStdout>,
}

impl Driver {
    /// Starts one, and returns when it says on which port it listens.
    pub fn start() -> Self {
        (0..ATTEMPTS).find_map(|_| Self::try_start()).expect("chromedriver says its port")
    }

    /// None where it ends before it listens.
    fn try_start() -> Option<Self> {
        let mut process = Command::new(PROGRAM)
            .args(["--port=0", "--log-level=SEVERE"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let mut output = BufReader::new(process.stdout.take().expect("its output is a pipe"));
        let Some(port) = port_said(&mut output) else {
            process.wait().expect("chromedriver has ended");
            return None;
        };
        Some(Self { process, port, _output: output })
    }

    /// The address for WebDriver's commands.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Asks it to end its browsers and itself. The answer has come when the connection is closed.
    fn shut_down(&self) -> std::io::Result<()> {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port))?;
        connection.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(connection, "GET /shutdown HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n", self.port)?;
        connection.read_to_end(&mut Vec::new()).map(|_| ())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if self.shut_down().is_err() {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

/// Reads lines up to "ChromeDriver was started successfully on port 41234."
fn port_said(output: &mut impl BufRead) -> Option<u16> {
    output.lines().map_while(Result::ok).find_map(|line| {
        let (_, port) = line.split_once("successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    })
}
