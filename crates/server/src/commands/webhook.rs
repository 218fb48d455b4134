//! `grantor webhook`: the other systems that are told of events.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use grantor_core::audit::Event;
use grantor_core::change::Change;
use grantor_core::outbox::{MessageKey, OutboxChange, Target};
use grantor_core::policy::lifetime;
use grantor_core::store::Store;
use grantor_jose::id::Id;
use grantor_storage::EventFilter;
use grantor_web::webhooks::taken;
use serde_json::{Value, json};

use super::CommandError;
use crate::clock::{self, system_time};
use crate::config::outgoing::Webhook;
use crate::output::{self, Table, print, printable};
use crate::settings::{Opened, Settings};
use crate::{outgoing, running};

/// So many messages are queued in one commit, and so many events are read at most.
const AT_ONCE: usize = 30;
const MOST: u32 = 100_000;

/// What to do with webhooks.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the webhooks, with what waits for each and what was given up.
    List(List),
    /// Tell a webhook again of what happened, whether it was told, or given up. It knows a message that it has seen by its
    /// identifier.
    Replay(Replay),
    /// Send a message that says nothing, and say what the webhook answers.
    Test(Named),
}

/// How to list.
#[derive(Debug, Args)]
pub struct List {
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// One webhook.
#[derive(Debug, Args)]
pub struct Named {
    /// Its name in the settings.
    name: String,
}

/// What to tell again.
#[derive(Debug, Args)]
pub struct Replay {
    /// The webhook's name in the settings.
    name: String,
    /// Events of the last 15m, 1h, 7d …
    #[arg(long, value_name = "TIME", value_parser = since, required_unless_present = "id", conflicts_with = "id")]
    since: Option<Duration>,
    /// The event with this case number.
    #[arg(long, value_name = "NUMBER")]
    id: Option<Id>,
}

fn since(text: &str) -> Result<Duration, String> {
    lifetime::parse(text).ok_or_else(|| "write it as \"15m\", \"1h\" or \"7d\"".into())
}

/// Does it.
///
/// # Errors
/// When there is no such webhook or event, the webhook does not take the message, or the store fails.
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
        Command::Replay(what) => replay(opened, &what).await,
        Command::Test(named) => test(opened, find(opened, &named.name)?).await,
    }
}

fn find<'a>(opened: &'a Opened, name: &str) -> Result<&'a Webhook, CommandError> {
    let found = opened.config.webhooks.iter().find(|webhook| webhook.name == name);
    found.ok_or_else(|| {
        let name = printable(name);
        CommandError::Refused(format!(
            "there is no webhook \"{name}\" in the settings; `grantor webhook list` shows all"
        ))
    })
}

async fn list(opened: &Opened, json: bool) -> Result<String, CommandError> {
    let mut rows = Vec::new();
    for webhook in &opened.config.webhooks {
        rows.push(members(opened, webhook).await?);
    }
    if json {
        return Ok(output::json(&rows.into()));
    }
    let mut table = Table::new(&["name", "address", "events", "waiting", "since", "given up", "last error"]);
    for row in &rows {
        let cell = |name: &str| match &row[name] {
            Value::Null => "-".to_owned(),
            Value::String(text) => printable(text),
            Value::Array(words) => words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
            other => other.to_string(),
        };
        table.row(["name", "url", "events", "waiting", "waiting_since", "given_up", "last_error"].map(cell));
    }
    Ok(table.render())
}

/// A webhook as JSON, without its secret.
async fn members(opened: &Opened, webhook: &Webhook) -> Result<Value, CommandError> {
    let target = Target::Webhook(webhook.name.clone());
    let waiting = opened.database.outbox_waiting(Some(&target)).await?;
    let given_up = opened.database.outbox_given_up(&target, MOST).await?;
    // The one that is due the latest has failed the latest, where one has.
    let due = opened.database.outbox_due(&target, grantor_core::time::Time::from_millis(i64::MAX), MOST).await?;
    let failed = due.iter().rev().chain(&given_up).find(|message| !message.error.is_empty());
    Ok(json!({
        "name": webhook.name,
        "url": webhook.url,
        "events": webhook.events,
        "waiting": waiting.messages,
        "waiting_since": waiting.since.map(clock::text),
        "given_up": given_up.len(),
        "last_error": failed.map(|message| &message.error),
    }))
}

async fn replay(opened: &Opened, what: &Replay) -> Result<String, CommandError> {
    let webhook = find(opened, &what.name)?;
    let (now, kinds) = (system_time(), webhook.kinds());
    let filter = EventFilter {
        id: what.id,
        since: what.since.map(|span| now.minus(span)),
        limit: MOST,
        ..EventFilter::default()
    };
    let events = opened.database.events(&filter).await?;
    let told: Vec<&Event> = events.iter().filter(|event| kinds.contains(&event.kind)).collect();
    if let (Some(id), true) = (what.id, told.is_empty()) {
        let why = format!("there is no event {id} of a kind that \"{}\" is told of", webhook.name);
        return Err(CommandError::Refused(why));
    }
    for some in told.chunks(AT_ONCE) {
        let queue = |event: &&Event| {
            let key = MessageKey { id: event.id, target: Target::Webhook(webhook.name.clone()) };
            Change::Outbox(OutboxChange::Queue { key, due_at: now })
        };
        opened.database.commit(some.iter().map(queue).collect()).await?;
    }
    let messages = if told.len() == 1 { "message is" } else { "messages are" };
    Ok(format!("{} {messages} queued; a running server delivers them.\n", told.len()))
}

async fn test(opened: &Opened, webhook: &Webhook) -> Result<String, CommandError> {
    let (hook, now) = (outgoing::webhook(webhook)?, system_time());
    let refused = |why: String| CommandError::Refused(format!("\"{}\": {why}", webhook.name));
    let id = opened.mint.id(now.millis());
    let body = json!({ "case": id.to_string(), "at": clock::text(now), "kind": "webhook_test" });
    let request = hook.request(&format!("evt_{id}"), now, &body).map_err(|error| refused(error.to_string()))?;
    let answer = running::outbound(&opened.config)?
        .send(request, "command")
        .await
        .map_err(|error| refused(error.to_string()))?;
    taken(&answer).map_err(refused)?;
    Ok(format!("{} took the message.\n", webhook.url))
}
