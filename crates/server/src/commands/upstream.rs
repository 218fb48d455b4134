//! `grantor upstream`: the providers that people sign in through. `grantor apply` declares them.

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use grantor_core::audit::{Event, EventKind};
use grantor_core::change::Change;
use grantor_core::store::Store;
use grantor_core::upstream::{Upstream, UpstreamChange};
use serde_json::{Value, json};

use super::CommandError;
use crate::clock::system_time;
use crate::output::{self, Table, print, printable};
use crate::settings::{Opened, Settings};

/// What to do with upstreams.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List all upstreams. `grantor apply` declares and changes them.
    List(Format),
    /// Remove an upstream; links with it are forgotten, and sessions that began there end.
    Remove(Named),
}

/// How to print.
#[derive(Debug, Args)]
pub struct Format {
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// One upstream.
#[derive(Debug, Args)]
pub struct Named {
    /// The upstream's name.
    name: String,
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// Does what the command says.
///
/// # Errors
/// Why it could not be done.
pub async fn run(settings: &Settings, command: Command) -> Result<ExitCode, CommandError> {
    let opened = settings.open()?;
    let told = answer(&opened, &command).await;
    opened.close().await;
    print(&told?);
    Ok(ExitCode::SUCCESS)
}

/// What the command answers.
///
/// # Errors
/// Why it could not be done.
pub async fn answer(opened: &Opened, command: &Command) -> Result<String, CommandError> {
    match command {
        Command::List(format) => Ok(list(opened, format.json)),
        Command::Remove(named) => remove(opened, named).await,
    }
}

fn list(opened: &Opened, json: bool) -> String {
    let directory = opened.database.directory();
    if json {
        return output::json(&directory.upstreams.values().map(|upstream| members(upstream)).collect());
    }
    let mut table = Table::new(&["name", "title", "authority", "accounts are made"]);
    for upstream in directory.upstreams.values() {
        let declared = &upstream.definition;
        let off = if declared.disabled { " (off)" } else { "" };
        let made = if declared.create_accounts { "yes" } else { "no" };
        let name = format!("{}{off}", declared.name);
        table.row([name, declared.title().to_owned(), declared.authority().to_owned(), made.to_owned()]);
    }
    table.render()
}

/// All that is declared; never the secret.
fn members(upstream: &Upstream) -> Value {
    let mut members = serde_json::to_value(&upstream.definition).unwrap_or_default();
    members["has_secret"] = json!(upstream.client_secret.is_some());
    members
}

async fn remove(opened: &Opened, named: &Named) -> Result<String, CommandError> {
    let upstream = find(opened, &named.name)?;
    let now = system_time();
    let event = Event::new(opened.mint.id(now.millis()), now, EventKind::UpstreamChanged)
        .detail(&format!("{} removed", upstream.definition.name));
    let changes = vec![
        UpstreamChange::SessionsEnd { id: upstream.id, at: now }.into(),
        UpstreamChange::Remove(upstream.id).into(),
        Change::EventInsert(Box::new(event)),
    ];
    opened.database.commit(changes).await?;
    let done = json!({"removed": upstream.definition.name});
    Ok(if named.json { output::json(&done) } else { format!("Removed {}.\n", printable(&named.name)) })
}

fn find(opened: &Opened, name: &str) -> Result<Arc<Upstream>, CommandError> {
    let found = opened.database.directory().upstreams.get(name).cloned();
    found.ok_or_else(|| {
        CommandError::Refused(format!(
            "there is no upstream \"{}\"; `grantor upstream list` shows all",
            printable(name)
        ))
    })
}
