//! `grantor webhook`: the other systems that are told of events.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use grantor_core::change::Change;
use grantor_core::outbox::{MessageKey, OutboxChange, Target};
use grantor_core::policy::lifetime;
use grantor_core::store::{Store, StoreError};
use grantor_core::time::Time;
use grantor_jose::id::Id;
use grantor_storage::{EventFilter, Held};
use grantor_web::webhooks::{taken, test_members};
use serde_json::{Value, json};

use super::CommandError;
use crate::clock::{self, system_time};
use crate::config::outgoing::Webhook;
use crate::output::{self, Table, print, printable};
use crate::settings::{Opened, Settings};
use crate::{outgoing, running};

/// So many messages are queued in one commit, and so many are looked at to count them.
pub(super) const AT_ONCE: usize = 30;
const MOST: u32 = 100_000;

/// So many events are read at a time.
const PAGE: u32 = 1000;

/// What to do with webhooks.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Forget all messages to a webhook, those that wait and those that were given up: for a name that the settings do not have
    /// any more, before another receiver gets it.
    Forget(Named),
    /// List the webhooks, with what waits for each and what was given up; also those that the settings do not name any more.
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
    /// Its name in the settings, or what it was.
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
        Command::Forget(named) => forget(opened, &named.name).await,
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
        rows.push(members(opened, (&webhook.name, Some(webhook))).await?);
    }
    for name in unnamed(opened).await? {
        rows.push(members(opened, (&name, None)).await?);
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

/// Those that messages are kept for, and that the settings do not name.
///
/// # Errors
/// What the store says.
pub async fn unnamed(opened: &Opened) -> Result<Vec<String>, StoreError> {
    let is_named = |name: &String| opened.config.webhooks.iter().any(|webhook| webhook.name == *name);
    let name = |held: Held| match held.target {
        Target::Webhook(name) => Some(name).filter(|name| !is_named(name)),
        Target::Mail => None,
    };
    Ok(opened.database.outbox_targets().await?.into_iter().filter_map(name).collect())
}

/// A webhook as JSON, without its secret; of one that the settings do not name, what is kept for it.
async fn members(opened: &Opened, (name, webhook): (&str, Option<&Webhook>)) -> Result<Value, CommandError> {
    let target = Target::Webhook(name.to_owned());
    let waiting = opened.database.outbox_waiting(Some(&target)).await?;
    let given_up = opened.database.outbox_given_up(&target, MOST).await?;
    // The one that is due the latest has failed the latest, where one has.
    let due = opened.database.outbox_due(&target, Time::from_millis(i64::MAX), MOST).await?;
    let failed = due.iter().rev().chain(&given_up).find(|message| !message.error.is_empty());
    Ok(json!({
        "name": name,
        "url": webhook.map(|webhook| &webhook.url),
        "events": webhook.map(|webhook| &webhook.events),
        "waiting": waiting.messages,
        "waiting_since": waiting.since.map(clock::text),
        "given_up": given_up.len(),
        "last_error": failed.map(|message| &message.error),
    }))
}

async fn replay(opened: &Opened, what: &Replay) -> Result<String, CommandError> {
    let webhook = find(opened, &what.name)?;
    let (now, kinds) = (system_time(), webhook.kinds());
    let since = what.since.map(|span| now.minus(span));
    let filter = EventFilter { id: what.id, since, limit: PAGE, ..EventFilter::default() };
    let (mut told, mut after) = (0, None);
    loop {
        let page = opened.database.events_after(&filter, after).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        let of_kind = page.iter().filter(|event| kinds.contains(&event.kind));
        let keys = of_kind.map(|event| MessageKey { id: event.id, target: Target::Webhook(webhook.name.clone()) });
        told += queue(opened, keys.collect(), now).await?;
    }
    if let (Some(id), 0) = (what.id, told) {
        let why = format!("there is no event {id} of a kind that \"{}\" is told of", webhook.name);
        return Err(CommandError::Refused(why));
    }
    Ok(queued(told))
}

/// Queues messages; says how many.
pub(super) async fn queue(opened: &Opened, keys: Vec<MessageKey>, now: Time) -> Result<usize, CommandError> {
    for some in keys.chunks(AT_ONCE) {
        let queue = |key: &MessageKey| Change::Outbox(OutboxChange::Queue { key: key.clone(), due_at: now });
        opened.database.commit(some.iter().map(queue).collect()).await?;
    }
    Ok(keys.len())
}

/// What was queued, in words.
pub(super) fn queued(messages: usize) -> String {
    let are = if messages == 1 { "message is" } else { "messages are" };
    format!("{messages} {are} queued; a running server delivers them.\n")
}

async fn forget(opened: &Opened, name: &str) -> Result<String, CommandError> {
    let target = Target::Webhook(name.to_owned());
    let held = opened.database.outbox_targets().await?.into_iter().find(|held| held.target == target);
    let Some(Held { waiting, given_up, .. }) = held else {
        let why = format!("there is no message to \"{}\"; `grantor webhook list` shows all", printable(name));
        return Err(CommandError::Refused(why));
    };
    opened.database.commit(vec![Change::Outbox(OutboxChange::Forget(target))]).await?;
    Ok(format!("Forgot {waiting} that waited and {given_up} that were given up.\n"))
}

async fn test(opened: &Opened, webhook: &Webhook) -> Result<String, CommandError> {
    let (hook, now) = (outgoing::webhook(webhook)?, system_time());
    let refused = |why: String| CommandError::Refused(format!("\"{}\": {why}", webhook.name));
    let id = opened.mint.id(now.millis());
    let request = hook.request(&format!("evt_{id}"), now, &test_members(id, now));
    let request = request.map_err(|error| refused(error.to_string()))?;
    let told = running::outbound(&opened.config)?.tell(request, "command").await;
    taken(told.map_err(|error| refused(error.to_string()))?).map_err(refused)?;
    Ok(format!("{} took the message.\n", webhook.url))
}
