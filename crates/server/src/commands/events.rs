//! `grantor events`: what happened, and why something was refused.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::process::ExitCode;

use clap::Args;
use grantor_core::audit::{Event, EventKind};
use grantor_core::policy::lifetime;
use grantor_core::store::Store;
use grantor_core::time::Time;
use grantor_jose::id::Id;
use grantor_storage::EventFilter;
use grantor_web::webhooks::event_members;
use serde_json::Value;

use super::CommandError;
use crate::clock::{self, system_time};
use crate::output::{self, Table, print, printable};
use crate::settings::{Opened, Settings};

/// Which events.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The event with the case number of an error page.
    #[arg(long, value_name = "NUMBER")]
    case: Option<Id>,
    /// Events of one kind, as refused, sign_in_failed, consent_given or client_changed.
    #[arg(long, value_parser = kind)]
    kind: Option<EventKind>,
    /// Events about one app.
    #[arg(long, value_name = "CLIENT_ID")]
    client: Option<String>,
    /// Events about one person.
    #[arg(long, value_name = "USERNAME")]
    user: Option<String>,
    /// Events of the last 15m, 1h, 7d …
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<std::time::Duration>,
    /// How many, the newest of them.
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

fn kind(word: &str) -> Result<EventKind, String> {
    let known = EventKind::ALL.iter().find(|kind| kind.as_str() == word);
    known.copied().ok_or_else(|| {
        format!("known are {}", EventKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", "))
    })
}

fn since(text: &str) -> Result<std::time::Duration, String> {
    lifetime::parse(text).ok_or_else(|| "write it as \"15m\", \"1h\" or \"7d\"".into())
}

/// The names of the people in a listing, those who still have an account.
type People = HashMap<Id, String>;

/// Prints the events, oldest first.
///
/// # Errors
/// When the person is not there, or the store fails.
pub async fn run(settings: &Settings, arguments: Arguments) -> Result<ExitCode, CommandError> {
    let opened = settings.open()?;
    let found = find(&opened, &arguments, system_time()).await;
    opened.close().await;
    let (mut events, people) = found?;
    if events.is_empty() && !arguments.json {
        print("No such events.\n");
        return Ok(if arguments.case.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS });
    }
    events.sort_by_key(|event| event.id);
    print(&if arguments.json {
        output::json(&events.iter().map(|event| members(event, &people)).collect())
    } else {
        table(&events, &people)
    });
    Ok(ExitCode::SUCCESS)
}

async fn find(opened: &Opened, arguments: &Arguments, now: Time) -> Result<(Vec<Event>, People), CommandError> {
    let user_id = match &arguments.user {
        Some(name) => Some(super::user::find(opened, name).await?.id),
        None => None,
    };
    let filter = EventFilter {
        id: arguments.case,
        kind: arguments.kind,
        client_id: arguments.client.clone(),
        user_id,
        since: arguments.since.map(|lifetime| now.minus(lifetime)),
        limit: arguments.limit,
    };
    let events = opened.database.events(&filter).await?;
    let mut people = People::new();
    for id in events.iter().filter_map(|event| event.user_id) {
        if let Entry::Vacant(unknown) = people.entry(id)
            && let Some(user) = opened.database.user_find(id).await?
        {
            unknown.insert(user.username);
        }
    }
    Ok((events, people))
}

fn table(events: &[Event], people: &People) -> String {
    let mut table = Table::new(&["when", "case", "what", "why", "app", "person", "from", "detail"]);
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    for event in events {
        let person = event.user_id.map(|id| people.get(&id).cloned().unwrap_or_else(|| id.to_string()));
        table.row([
            clock::text(event.at),
            event.id.to_string(),
            event.kind.as_str().to_owned(),
            or_none(&event.reason),
            or_none(&event.client_id),
            or_none(&person),
            or_none(&event.address),
            printable(&or_none(&event.detail)),
        ]);
    }
    table.render()
}

fn members(event: &Event, people: &People) -> Value {
    let username = event.user_id.and_then(|id| people.get(&id));
    event_members(event, username.map(String::as_str))
}
