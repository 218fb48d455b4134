//! Commands as an operator types them, with the settings of a test.

use std::path::Path;

use clap::Parser;
use grantor_server::cli::{Cli, Command};
use grantor_server::commands::{CommandError, backup, migrate, new_epoch, restore};
use grantor_server::config::Config;

fn parsed(arguments: &[&str]) -> Command {
    Cli::try_parse_from([&["grantor"], arguments].concat()).expect("a command").command
}

/// `grantor backup FILE`.
pub fn back_up(config: &Config, file: &Path) -> Result<String, CommandError> {
    match parsed(&["backup", file.to_str().unwrap()]) {
        Command::Backup(arguments) => backup::make(config, &arguments),
        other => panic!("{other:?}"),
    }
}

/// `grantor restore FILE …`.
pub async fn restore(config: &Config, file: &Path, more: &[&str]) -> Result<String, CommandError> {
    match parsed(&[&["restore", file.to_str().unwrap()], more].concat()) {
        Command::Restore(arguments) => restore::put_back(config.clone(), &arguments).await,
        other => panic!("{other:?}"),
    }
}

/// `grantor new-epoch`.
pub async fn new_epoch(config: &Config) -> Result<String, CommandError> {
    match parsed(&["new-epoch"]) {
        Command::NewEpoch(_) => new_epoch::begin(config.clone()).await,
        other => panic!("{other:?}"),
    }
}

/// `grantor migrate …`, on a thread where it keeps nobody waiting.
pub async fn migrate(config: &Config, arguments: &[&str]) -> Result<String, CommandError> {
    let Command::Migrate(arguments) = parsed(&[&["migrate"], arguments].concat()) else { panic!("another command") };
    let config = config.clone();
    let work = move || super::server::runtime().block_on(migrate::work(config, arguments));
    tokio::task::spawn_blocking(work).await.unwrap()
}
