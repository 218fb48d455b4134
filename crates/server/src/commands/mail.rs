//! `grantor mail`: the mails that could not be sent.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use grantor_core::outbox::{Message, Target};
use grantor_core::store::Store;
use grantor_core::time::Time;
use serde_json::{Value, json};

use super::CommandError;
use super::webhook::{queue, queued};
use crate::clock::{self, system_time};
use crate::output::{self, Table, print, printable};
use crate::settings::{Opened, Settings};

/// So many are looked at.
const MOST: u32 = 100_000;

/// What to do with mail.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the mails that could not be sent yet, and those that were given up, with the reason.
    List(List),
    /// Send the mails that were given up once more, as if they had never been tried.
    Replay,
}

/// How to list.
#[derive(Debug, Args)]
pub struct List {
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// Does it.
///
/// # Errors
/// What the store says.
pub async fn run(settings: &Settings, command: Command) -> Result<ExitCode, CommandError> {
    let opened = settings.open()?;
    let text = answer(&opened, command).await;
    opened.close().await;
    print(&text?);
    Ok(ExitCode::SUCCESS)
}

/// The text that a command prints.
///
/// # Errors
/// Those of [`run`].
pub async fn answer(opened: &Opened, command: Command) -> Result<String, CommandError> {
    match command {
        Command::List(format) => list(opened, format.json).await,
        Command::Replay => replay(opened).await,
    }
}

async fn list(opened: &Opened, json: bool) -> Result<String, CommandError> {
    let waiting = opened.database.outbox_due(&Target::Mail, Time::from_millis(i64::MAX), MOST).await?;
    let failed = waiting.into_iter().filter(|message| !message.error.is_empty());
    let mut rows = Vec::new();
    for message in opened.database.outbox_given_up(&Target::Mail, MOST).await?.iter().chain(&failed.collect::<Vec<_>>())
    {
        rows.push(members(opened, message).await?);
    }
    if json {
        return Ok(output::json(&rows.into()));
    }
    let mut table = Table::new(&["notice", "about", "person", "since", "attempts", "next", "last error"]);
    for row in &rows {
        let cell = |name: &str| match &row[name] {
            Value::Null => "-".to_owned(),
            Value::String(text) => printable(text),
            other => other.to_string(),
        };
        let next = if row["given_up"] == json!(true) { "given up".to_owned() } else { cell("next_at") };
        let [notice, about, person, since] = ["notice", "kind", "username", "waiting_since"].map(cell);
        table.row([notice, about, person, since, cell("attempts"), next, cell("last_error")]);
    }
    Ok(table.render())
}

/// A mail as JSON. Who is to get it is told by the name, not by the address.
async fn members(opened: &Opened, message: &Message) -> Result<Value, CommandError> {
    let notice = opened.database.notice_find(message.key.id).await?;
    let user = match &notice {
        Some(notice) => opened.database.user_find(notice.user_id).await?,
        None => None,
    };
    Ok(json!({
        "notice": message.key.id.to_string(),
        "kind": notice.map(|notice| notice.news.kind()),
        "username": user.map(|user| user.username),
        "waiting_since": clock::text(message.queued_at),
        "attempts": message.attempts,
        "next_at": message.due_at.map(clock::text),
        "given_up": message.due_at.is_none(),
        "last_error": message.error,
    }))
}

async fn replay(opened: &Opened) -> Result<String, CommandError> {
    let given_up = opened.database.outbox_given_up(&Target::Mail, MOST).await?;
    let keys = given_up.into_iter().map(|message| message.key).collect();
    Ok(queued(queue(opened, keys, system_time()).await?))
}
