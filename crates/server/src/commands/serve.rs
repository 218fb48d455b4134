//! `grantor serve`: runs the server until it is told to stop.

use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;

use clap::Args;
use grantor_web::Clock;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::CommandError;
use crate::clock::system_time;
use crate::dev;
use crate::output::print;
use crate::running::Running;
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
    let ends = ends()?;
    let running = Running::start(config, settings.dev, Clock::new(system_time)).await?;
    if settings.dev {
        print(&greeting);
    }
    tracing::info!(issuer, %address, "ready");
    running.run(listener, demo, ends).await?;
    Ok(ExitCode::SUCCESS)
}

/// Takes an address, or says which setting to change.
fn listen(key: &'static str, address: SocketAddr) -> Result<TcpListener, CommandError> {
    TcpListener::bind(address).map_err(|source| CommandError::Address { key, address, source })
}

/// Ends when the process is asked to: by Ctrl-C, or by whoever started it.
fn ends() -> Result<impl Future<Output = ()>, CommandError> {
    let catch =
        |kind| signal(kind).map_err(|error| CommandError::Refused(format!("signals cannot be caught: {error}")));
    let (mut interrupt, mut terminate): (Signal, Signal) =
        (catch(SignalKind::interrupt())?, catch(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
