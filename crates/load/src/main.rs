//! Drives a server with the workloads of the budgets, and reads what each request costs it.
//!
//! The figure that counts is the server's CPU time for each answered request: user and system, from `/proc/PID/stat` before
//! and after. It survives a noisy machine; requests per second and percentiles stand beside it. The server is a release
//! build with a database of its own in a temporary folder; it is started here and ended here.

mod check;
mod crowd;
mod driver;
mod http;
mod process;
mod server;
mod workload;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::crowd::Crowd;
use crate::server::Server;
use crate::workload::{Load, Measured, Workload};

/// Measures the workloads of the budgets.
#[derive(Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
struct Arguments {
    /// The server's program, a release build.
    #[arg(long, default_value = "target/release/grantor")]
    program: PathBuf,
    /// Keep-alive connections.
    #[arg(long, default_value_t = 16)]
    connections: u32,
    /// How long each workload runs, in seconds.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Where the server keeps everything: `postgres://…`, or `sqlite:` and a path; by default a new file that is removed.
    #[arg(long)]
    database_url: Option<String>,
    /// Only these workloads.
    #[arg(long)]
    only: Vec<Workload>,
    /// Each workload a second time, half as hard, to see what requests wait when there is room.
    #[arg(long)]
    half_load: bool,
    /// Instead of the workloads: how long others wait while crowds come, each for `--seconds`.
    #[arg(long)]
    crowds: bool,
    /// Instead of the workloads: what it costs an API to check a JWT by itself.
    #[arg(long)]
    check: bool,
    /// Print JSON beside the table.
    #[arg(long)]
    json: bool,
}

/// Why nothing was measured.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = runtime.map_err(Failure::from).and_then(|runtime| runtime.block_on(run(&arguments)));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(&format!("grantor-load: {failure}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let server = Server::start(&arguments.program, arguments.database_url.as_deref()).await?;
    let (ready_ms, idle_rss_mib) = (server.ready_ms, server.rss_mib()?);
    say(&format!("ready after {ready_ms} ms; idle RSS {idle_rss_mib:.1} MiB"));
    if arguments.crowds {
        say(crowd::HEAD);
        for crowd in Crowd::ALL {
            say(&crowd::measure(&server, crowd, arguments.seconds).await?);
        }
        return server.stop().await;
    }
    if arguments.check {
        say(&check::measure(&server, arguments.seconds).await?);
        return server.stop().await;
    }
    say(Measured::HEADING);
    let chosen = if arguments.only.is_empty() { Workload::ALL.to_vec() } else { arguments.only.clone() };
    let Arguments { connections, seconds, half_load: and_half, .. } = *arguments;
    let load = Load { connections, seconds, and_half };
    let mut all: Vec<Measured> = Vec::new();
    for workload in chosen {
        let measured = workload::measure(&server, workload, load).await?;
        say(&measured.row());
        all.push(measured);
    }
    if arguments.json {
        let measured = serde_json::json!({
            "ready_ms": u64::try_from(ready_ms)?,
            "idle_rss_mib": idle_rss_mib,
            "connections": arguments.connections,
            "workloads": all,
        });
        say(&measured.to_string());
    }
    server.stop().await
}

fn say(line: &str) {
    use std::io::Write;
    // Nobody reads on: nothing to say it to.
    let _ = writeln!(std::io::stdout(), "{line}");
}
