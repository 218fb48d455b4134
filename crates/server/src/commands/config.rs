//! `grantor config`: the example of all settings, and a check of those in use.

use std::process::ExitCode;

use clap::Subcommand;

use super::CommandError;
use crate::config::example;
use crate::output::print;
use crate::settings::{Settings, key_encryption_key};
use crate::tls::Certificate;

/// What to do with the settings.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print every setting with its default and its meaning, as a file to start from.
    Example,
    /// Check the settings without starting anything; fails when the server would not start.
    Check,
}

/// Does it.
///
/// # Errors
/// When the settings cannot be read or the server would not start with them.
pub fn run(settings: &Settings, command: &Command) -> Result<ExitCode, CommandError> {
    match command {
        Command::Example => print(example::TEXT),
        Command::Check => {
            let config = settings.load()?;
            config.check()?;
            key_encryption_key(&config)?;
            if let (Some(chain), Some(key)) = (&config.tls.certificate, &config.tls.key) {
                Certificate::read(chain, key)?;
            }
            print("The settings are sound.\n");
        }
    }
    Ok(ExitCode::SUCCESS)
}
