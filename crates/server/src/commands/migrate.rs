//! `grantor migrate`: the database's layout.

use std::process::ExitCode;

use clap::Args;

use super::CommandError;
use crate::output::print;
use crate::settings::Settings;

/// No arguments.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Opens the database, which brings it to this version's layout under a lock.
///
/// # Errors
/// When the database cannot be opened or changed.
pub async fn run(settings: &Settings, _: Arguments) -> Result<ExitCode, CommandError> {
    let opened = settings.open()?;
    print(&format!("The database has layout {}.\n", opened.database.schema_version()?));
    opened.close().await;
    Ok(ExitCode::SUCCESS)
}
