//! `grantor logout`: what apps were told of ends of sessions.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use grantor_core::backchannel_logout::{LogoutNotice, NoticeChange, Standing};
use grantor_core::change::Change;
use grantor_core::store::Store;
use serde_json::{Value, json};

use super::CommandError;
use crate::clock::{self, system_time};
use crate::output::{self, Table, print, printable};
use crate::settings::{Opened, Settings};

/// So many are shown.
const MOST: u32 = 10_000;

/// What to do with notices of ended sessions.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List what apps are told of ended sessions: what waits, what was refused or given up, with the reason; receipts are kept for 30
    /// days.
    List(List),
    /// Tell apps again what they refused, or what was given up.
    Replay(Replay),
}

/// What to list.
#[derive(Debug, Args)]
pub struct List {
    /// Those of one app only.
    #[arg(long, value_name = "CLIENT_ID")]
    client: Option<String>,
    /// Also what was delivered.
    #[arg(long)]
    all: bool,
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// What to tell again.
#[derive(Debug, Args)]
pub struct Replay {
    /// To one app only.
    #[arg(long, value_name = "CLIENT_ID")]
    client: Option<String>,
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
        Command::List(what) => list(opened, &what).await,
        Command::Replay(what) => replay(opened, what.client).await,
    }
}

async fn list(opened: &Opened, what: &List) -> Result<String, CommandError> {
    let mut rows = Vec::new();
    for notice in opened.database.logout_notices(what.client.as_deref(), what.all, MOST).await? {
        rows.push(members(opened, &notice).await?);
    }
    if what.json {
        return Ok(output::json(&rows.into()));
    }
    let mut table = Table::new(&["app", "person", "ended", "standing", "when", "attempts", "last error"]);
    for row in &rows {
        let cell = |name: &str| match &row[name] {
            Value::Null => "-".to_owned(),
            Value::String(text) => printable(text),
            other => other.to_string(),
        };
        table.row(["client_id", "username", "ended_at", "standing", "at", "attempts", "last_error"].map(cell));
    }
    Ok(table.render())
}

/// A receipt as JSON.
async fn members(opened: &Opened, notice: &LogoutNotice) -> Result<Value, CommandError> {
    let user = opened.database.user_find(notice.user_id).await?;
    let (standing, at) = match notice.standing {
        Standing::Waiting(due_at) => ("waiting", due_at),
        Standing::Over(at, outcome) => (outcome.as_str(), at),
    };
    Ok(json!({
        "client_id": notice.key.client_id,
        "sid": notice.key.sid.to_string(),
        "username": user.map(|user| user.username),
        "user_id": notice.user_id.to_string(),
        "ended_at": clock::text(notice.ended_at),
        "standing": standing,
        "at": clock::text(at),
        "attempts": notice.attempts,
        "last_error": notice.error,
    }))
}

async fn replay(opened: &Opened, client_id: Option<String>) -> Result<String, CommandError> {
    let failed = opened.database.logout_notices(client_id.as_deref(), false, MOST).await?;
    let over = failed.iter().filter(|notice| matches!(notice.standing, Standing::Over(..))).count();
    let replay = NoticeChange::Replay { client_id, at: system_time() };
    opened.database.commit(vec![Change::LogoutNotice(replay)]).await?;
    let are = if over == 1 { "notice is" } else { "notices are" };
    Ok(format!("{over} {are} queued; a running server delivers them.\n"))
}
