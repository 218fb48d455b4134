//! `grantor serve`: runs the server until it is told to stop.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use grantor_web::Clock;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::CommandError;
use crate::clock::system_time;
use crate::dev;
use crate::output::print;
use crate::running::{Running, listen};
use crate::settings::Settings;
use crate::telemetry;

/// No arguments of its own.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Runs the server.
///
/// # Errors
/// When a setting is wrong, an address is taken, or the database cannot be opened.
pub async fn run(settings: &Settings, _: Arguments) -> Result<ExitCode, CommandError> {
    let config = settings.load()?;
    config.check()?;
    telemetry::start(&config.log);
    let listener = listen("listen", config.listen)?;
    let demo = if settings.dev { Some(listen("demo_listen", config.demo_listen)?) } else { None };
    let (issuer, address) = (config.issuer.clone(), config.listen);
    let greeting = dev::greeting(&config);
    let mut signals = Signals::catch()?;
    let drain = Duration::from_secs(config.limits.drain_seconds);
    let running = Running::start(config, settings.dev, Clock::new(system_time)).await?;
    if settings.dev {
        print(&greeting);
    }
    tracing::info!(issuer, %address, "ready");
    let app = Arc::clone(&running.app);
    let asked_to_stop = async move {
        if signals.next().await == Ending::Soon {
            tracing::info!(seconds = drain.as_secs(), "about to stop: requests are sent elsewhere");
            app.drain();
            // A second signal says that nobody waits.
            let _ = tokio::time::timeout(drain, signals.next()).await;
        }
    };
    running.run(listener, demo, asked_to_stop).await?;
    Ok(ExitCode::SUCCESS)
}

/// How the process is asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// By Ctrl-C.
    Now,
    /// By whoever started it, who may have others that answer.
    Soon,
}

/// The signals that end the process.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn catch() -> Result<Self, CommandError> {
        let catch =
            |kind| signal(kind).map_err(|error| CommandError::Refused(format!("signals cannot be caught: {error}")));
        Ok(Self { interrupt: catch(SignalKind::interrupt())?, terminate: catch(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> Ending {
        tokio::select! {
            _ = self.interrupt.recv() => Ending::Now,
            _ = self.terminate.recv() => Ending::Soon,
        }
    }
}
