//! `grantor usage`: what apps and tokens were really used for.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Args;
use grantor_core::time::Time;
use grantor_core::token::Origin;
use grantor_core::usage::{Summary, Usage};
use grantor_jose::id::Id;
use grantor_storage::UsagesOf;
use serde_json::{Value, json};

use super::{CommandError, user};
use crate::clock::{self, system_time};
use crate::output::{self, Table, print, printable};
use crate::settings::{Opened, Settings};

const DAY: i64 = 24 * 60 * 60;
/// So many networks and APIs stand in a cell of the table.
const NAMED: usize = 3;

/// Whose usage, and of which days.
#[derive(Debug, Args)]
pub struct Arguments {
    /// That of an app: by itself, by its keys, and in the name of people.
    #[arg(long, value_name = "CLIENT_ID", group = "whose", required_unless_present_any = ["user", "token"])]
    client: Option<String>,
    /// That of a person: by apps, and by tokens of their own.
    #[arg(long, value_name = "USERNAME", group = "whose")]
    user: Option<String>,
    /// That of a personal access token or an API key, by what `grantor token list` shows in its first column.
    #[arg(long, value_name = "TOKEN", group = "whose")]
    token: Option<String>,
    /// Of so many days, the last of which is today; at most as many as `lifetimes.usage_kept`.
    #[arg(long, value_name = "NUMBER", default_value_t = 30, value_parser = clap::value_parser!(i64).range(1..=4000))]
    days: i64,
    /// Print JSON for machines, with the numbers of each day and all networks and APIs.
    #[arg(long)]
    json: bool,
}

/// What one row speaks of: a kind, the app, the token, and the scope.
type Row = (&'static str, String, Option<Id>, String);

/// Does it.
///
/// # Errors
/// When whose usage it shall be is not there, or the store fails.
pub async fn run(settings: &Settings, arguments: Arguments) -> Result<ExitCode, CommandError> {
    let opened = settings.open()?;
    let text = answer(&opened, arguments).await;
    opened.close().await;
    print(&text?);
    Ok(ExitCode::SUCCESS)
}

/// The text that the command prints.
///
/// # Errors
/// Those of [`run`].
pub async fn answer(opened: &Opened, arguments: Arguments) -> Result<String, CommandError> {
    let of = whose(opened, &arguments).await?;
    let since = system_time().day() - arguments.days + 1;
    let rows = summed(&opened.database.usages(&of, since).await?);
    if arguments.json {
        let rows: Vec<Value> = rows.iter().map(|(row, summary)| members(row, summary)).collect();
        return Ok(output::json(&rows.into()));
    }
    Ok(table(&rows))
}

async fn whose(opened: &Opened, arguments: &Arguments) -> Result<UsagesOf, CommandError> {
    if let Some(name) = &arguments.user {
        return Ok(UsagesOf::User(user::find(opened, name).await?.id));
    }
    if let Some(token) = &arguments.token {
        // Also that of one that is gone by now.
        let unknown = || {
            let token = printable(token);
            CommandError::Refused(format!("\"{token}\" is no token; `grantor token list` shows those of an owner"))
        };
        return Ok(UsagesOf::ApiToken(token.parse().map_err(|_| unknown())?));
    }
    Ok(UsagesOf::Client(arguments.client.clone().unwrap_or_default()))
}

/// By kind, app, token and scope; the last used first.
fn summed(usages: &[Usage]) -> Vec<(Row, Summary)> {
    let mut rows: BTreeMap<Row, Summary> = BTreeMap::new();
    for usage in usages {
        let token = match usage.held.origin {
            Origin::ApiToken(id) => Some(id),
            Origin::Client | Origin::Grant(_) => None,
        };
        let none = usage.scope.is_empty().then_some("-");
        for scope in usage.scope.iter().chain(none) {
            let row = (usage.held.kind(), usage.held.client_id.clone(), token, scope.to_owned());
            rows.entry(row).or_default().add(usage);
        }
    }
    let mut rows: Vec<(Row, Summary)> = rows.into_iter().collect();
    rows.sort_by_key(|(_, summary)| std::cmp::Reverse(summary.last_at));
    rows
}

fn table(rows: &[(Row, Summary)]) -> String {
    let headings = &["kind", "app", "token", "scope", "last used", "uses", "days", "people", "from", "at"];
    let mut table = Table::new(headings);
    for ((kind, client_id, token, scope), summary) in rows {
        let client_id = if client_id.is_empty() { "-".to_owned() } else { client_id.clone() };
        let networks: Vec<&str> = summary.newest_networks().into_iter().map(|(network, _)| network).collect();
        let audience: Vec<&str> = summary.audience.iter().map(String::as_str).collect();
        table.row([
            (*kind).to_owned(),
            client_id,
            token.map_or_else(|| "-".to_owned(), |id| id.to_string()),
            scope.clone(),
            clock::text(summary.last_at),
            summary.uses.to_string(),
            summary.days.len().to_string(),
            summary.people.len().to_string(),
            some(&networks),
            some(&audience),
        ]);
    }
    table.render()
}

/// The first of them, and how many more there are.
fn some(all: &[&str]) -> String {
    let named = all.iter().take(NAMED).copied().collect::<Vec<_>>().join(" ");
    match all.len() {
        0 => "-".to_owned(),
        count if count > NAMED => format!("{named} +{}", count - NAMED),
        _ => named,
    }
}

fn members((kind, client_id, token, scope): &Row, summary: &Summary) -> Value {
    let day = |day: i64| clock::text(Time::from_seconds(day * DAY)).chars().take(10).collect::<String>();
    let days: serde_json::Map<String, Value> =
        summary.days.iter().map(|(number, uses)| (day(*number), (*uses).into())).collect();
    let network = |(network, at): (&str, Time)| json!({"network": network, "last_used_at": clock::text(at)});
    json!({
        "kind": kind,
        "client_id": (!client_id.is_empty()).then_some(client_id),
        "token": token.map(|id| id.to_string()),
        "scope": scope,
        "last_used_at": clock::text(summary.last_at),
        "uses": summary.uses,
        "days": days,
        "people": summary.people.len(),
        "networks": summary.newest_networks().into_iter().map(network).collect::<Vec<_>>(),
        "audience": summary.audience,
    })
}
