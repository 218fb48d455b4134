//! The commands. One file each: its arguments, and what it does.

pub mod app;
pub mod apply;
pub mod backup;
pub mod client;
pub mod config;
pub mod doctor;
pub mod events;
pub mod generate;
pub mod key;
pub mod logout;
pub mod mail;
pub mod migrate;
pub mod new_epoch;
pub mod registration;
pub mod restore;
pub mod serve;
pub mod token;
pub mod upstream;
pub mod usage;
pub mod user;
pub mod webhook;

use std::path::PathBuf;
use std::process::ExitCode;

use grantor_core::error::Error;
use grantor_core::store::StoreError;
use grantor_storage::{BackupError, CopyError, OpenError};

use crate::cli::{Cli, Command};
use crate::config::load::ConfigError;
use crate::declare::Faults;
use crate::declare::apply::ApplyError;
use crate::key_schedule::KeyScheduleError;
use crate::passwords::PasswordError;
use crate::settings::Settings;
use crate::tls::TlsError;

/// Why a command did not do its work; the text says what would help.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// An address is in use or cannot be had.
    #[error("{key}: cannot listen on {address}: {source}; set {key} to another port, or GRANTOR_{} in the environment", key.to_uppercase())]
    Address {
        /// The setting.
        key: &'static str,
        /// The address.
        address: std::net::SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A declaration could not be carried out.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// There is no backup, or none was put back.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The settings are wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Nothing was copied to another database.
    #[error("--to: {0}")]
    Copy(#[from] CopyError),
    /// The declaration is wrong.
    #[error(transparent)]
    Declaration(#[from] Faults),
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A signing key could not be made or kept.
    #[error(transparent)]
    Key(#[from] KeyScheduleError),
    /// What was asked for is not there, is there already, or breaks a rule.
    #[error("{0}")]
    Refused(String),
    /// The database cannot be opened.
    #[error("database_url: {0}")]
    Open(#[from] OpenError),
    /// A password could not be read or used.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// What an app would be breaks a rule.
    #[error("{}", describe(.0))]
    Protocol(#[from] Error),
    /// A socket failed.
    #[error("the server's socket failed: {0}")]
    Socket(std::io::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

fn describe(error: &Error) -> String {
    match error {
        Error::MetadataInvalid(member, why) => format!("{member}: {why}"),
        Error::RedirectUriUnsafe(why) => format!("redirect_uris: {why}"),
        other => other.reason().to_owned(),
    }
}

/// Does what the command line says.
///
/// # Errors
/// Why it could not be done.
pub async fn run(cli: Cli) -> Result<ExitCode, CommandError> {
    let settings = Settings { file: cli.config, dev: cli.dev };
    match cli.command {
        Command::App(command) => app::run(&settings, command).await,
        Command::Apply(arguments) => apply::run(&settings, arguments).await,
        Command::Backup(arguments) => backup::run(&settings, &arguments),
        Command::Client(command) => client::run(&settings, command).await,
        Command::Config(command) => config::run(&settings, &command),
        Command::Doctor(arguments) => doctor::run(&settings, arguments).await,
        Command::Events(arguments) => events::run(&settings, arguments).await,
        Command::Key(command) => key::run(&settings, command).await,
        Command::Logout(command) => logout::run(&settings, command).await,
        Command::Mail(command) => mail::run(&settings, command).await,
        Command::Migrate(arguments) => migrate::run(&settings, arguments).await,
        Command::NewEpoch(arguments) => new_epoch::run(&settings, arguments).await,
        Command::Registration(command) => registration::run(&settings, command).await,
        Command::Restore(arguments) => restore::run(&settings, &arguments).await,
        Command::Serve(arguments) => serve::run(&settings, arguments).await,
        Command::Token(command) => token::run(&settings, command).await,
        Command::Upstream(command) => upstream::run(&settings, command).await,
        Command::Usage(arguments) => usage::run(&settings, arguments).await,
        Command::User(command) => user::run(&settings, command).await,
        Command::Webhook(command) => webhook::run(&settings, command).await,
    }
}
