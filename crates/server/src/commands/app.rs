//! `grantor app`: apps behind proxies, as they are declared.

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use grantor_core::audit::{Event, EventKind};
use grantor_core::change::Change;
use grantor_core::forward_auth::ProxiedApp;
use grantor_core::store::Store;
use serde_json::json;

use super::CommandError;
use crate::clock::system_time;
use crate::output::{self, Table, print, printable, sheet};
use crate::settings::{Opened, Settings};

/// What to do with apps behind proxies.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List all.
    List(Format),
    /// Show one.
    Show(Named),
    /// Remove one: its proxy is answered 403 from then on.
    Remove(Named),
}

/// How to print.
#[derive(Debug, Args)]
pub struct Format {
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// One app.
#[derive(Debug, Args)]
pub struct Named {
    /// The app's name.
    name: String,
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// Does it.
///
/// # Errors
/// When the app is not there, or the store fails.
pub async fn run(settings: &Settings, command: Command) -> Result<ExitCode, CommandError> {
    let opened = settings.open()?;
    let text = answer(&opened, command).await;
    opened.close().await;
    print(&text?);
    Ok(ExitCode::SUCCESS)
}

/// What it answers.
///
/// # Errors
/// As for [`run`].
pub async fn answer(opened: &Opened, command: Command) -> Result<String, CommandError> {
    match command {
        Command::List(format) => Ok(list(opened, format.json)),
        Command::Show(named) => show(opened, &named),
        Command::Remove(named) => remove(opened, &named).await,
    }
}

fn list(opened: &Opened, json: bool) -> String {
    let directory = opened.database.directory();
    if json {
        return output::json(
            &directory.apps.iter().map(|app| serde_json::to_value(&**app).unwrap_or_default()).collect(),
        );
    }
    let mut table = Table::new(&["name", "at", "paths", "open to", "tokens for"]);
    for app in directory.apps.iter() {
        let tokens = app.resource.clone().unwrap_or_default();
        table.row([app.name.clone(), app.origins.join(" "), app.paths.join(" "), people(app), tokens]);
    }
    table.render()
}

/// Whom an app is open to, in words.
fn people(app: &ProxiedApp) -> String {
    if app.everybody {
        return "everybody".to_owned();
    }
    let groups = app.groups.iter().map(|group| format!("group {group}"));
    let all: Vec<String> = app.users.iter().cloned().chain(groups).collect();
    if all.is_empty() { "nobody".to_owned() } else { all.join(", ") }
}

fn show(opened: &Opened, named: &Named) -> Result<String, CommandError> {
    let app = find(opened, &named.name)?;
    let members = serde_json::to_value(&*app).unwrap_or_default();
    Ok(if named.json { output::json(&members) } else { sheet(&members) })
}

async fn remove(opened: &Opened, named: &Named) -> Result<String, CommandError> {
    let app = find(opened, &named.name)?;
    let now = system_time();
    let event = Event::new(opened.mint.id(now.millis()), now, EventKind::ProxiedAppChanged);
    let event = event.detail(&format!("{} removed", app.name));
    let changes = vec![Change::ProxiedAppRemove(app.name.clone()), Change::EventInsert(Box::new(event))];
    opened.database.commit(changes).await?;
    let done = json!({"removed": app.name});
    Ok(if named.json { output::json(&done) } else { format!("Removed {}.\n", printable(&app.name)) })
}

fn find(opened: &Opened, name: &str) -> Result<Arc<ProxiedApp>, CommandError> {
    let found = opened.database.directory().apps.get(name).cloned();
    found.ok_or_else(|| {
        CommandError::Refused(format!(
            "there is no app \"{}\" behind a proxy; `grantor app list` shows all",
            printable(name)
        ))
    })
}
