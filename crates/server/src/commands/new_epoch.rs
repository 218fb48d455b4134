//! `grantor new-epoch`: the end of everything that was issued.

use std::process::ExitCode;

use clap::Args;

use super::CommandError;
use crate::clock::system_time;
use crate::config::Config;
use crate::epoch;
use crate::output::print;
use crate::settings::{self, Role, Settings};

/// No arguments.
#[derive(Debug, Args)]
pub struct Arguments {}

/// Begins a new epoch.
///
/// # Errors
/// Those of [`begin`].
pub async fn run(settings: &Settings, _: Arguments) -> Result<ExitCode, CommandError> {
    print(&begin(settings.load()?).await?);
    Ok(ExitCode::SUCCESS)
}

/// Begins a new epoch in the database of `config`; what there is to say of it.
///
/// # Errors
/// When the database cannot be opened, a key cannot be made, or the store fails.
pub async fn begin(config: Config) -> Result<String, CommandError> {
    let opened = settings::open(config, Role::Command)?;
    let begun = epoch::begin(&opened, Vec::new(), system_time()).await;
    opened.close().await;
    begun?;
    Ok(format!("{ENDED}{}", epoch::NOT_KNOWN))
}

/// What a new epoch has done.
pub(super) const ENDED: &str = "\
A new epoch has begun: codes, recovery codes, sessions, grants and tokens of before count no longer, and all keys are
new ones. People sign in again, and apps ask again. An API that checks signatures by itself takes older tokens until it fetches the key
set again, or they expire.
";
