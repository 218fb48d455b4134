//! A program of others, as a process that does not outlive its test.

use std::io::{PipeReader, Read, pipe};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long a program may take to its end.
const PATIENCE: Duration = Duration::from_mins(2);

/// A process. Dropping it ends it; what it said is shown when the test fails.
pub struct Running {
    process: Child,
    said: Receiver<String>,
}

/// How a program ended.
pub struct Ended {
    /// Whether it succeeded, and in time.
    pub success: bool,
    /// All that it wrote.
    pub said: String,
}

impl Running {
    /// Starts a program.
    pub fn start(mut command: Command) -> Self {
        let (reader, writer) = pipe().unwrap();
        command.stdout(writer.try_clone().unwrap()).stderr(writer);
        let process = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        // `command` goes away here, and with it the writing ends that are not the program's.
        Self { process, said: listen(reader) }
    }

    /// Waits until it ends by itself, or has had its time.
    pub fn end(mut self) -> Ended {
        if let Ok(said) = self.said.recv_timeout(PATIENCE) {
            return Ended { success: self.process.wait().unwrap().success(), said };
        }
        self.process.kill().unwrap();
        let said = self.said.recv().unwrap_or_default();
        Ended { success: false, said: format!("{said}\nstill running after {PATIENCE:?}") }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("{}", self.said.recv().unwrap_or_default());
        }
    }
}

/// All that is written into the pipe, once nobody can write into it any more.
fn listen(mut reader: PipeReader) -> Receiver<String> {
    let (sender, said) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = reader.read_to_end(&mut bytes);
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    said
}
