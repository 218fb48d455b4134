//! `grantor registration`: what apps may register themselves with.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use grantor_core::audit::{Event, EventKind};
use grantor_core::change::Change;
use grantor_core::registration::{InitialToken, RegistrationChange};
use grantor_core::store::Store;
use grantor_core::time::Time;
use grantor_core::token::INITIAL;
use serde_json::{Value, json};

use super::CommandError;
use crate::clock::{self, system_time};
use crate::output::{self, Table, print, printable};
use crate::settings::{Opened, Settings};

const DAY: u64 = 24 * 60 * 60;
const DAYS_MOST: u64 = 366;
const NAME_LONGEST: usize = 80;

/// What to do with registrations.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make, list and revoke initial access tokens, with which apps register themselves.
    #[command(subcommand)]
    Token(TokenCommand),
}

/// What to do with initial access tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token and show it, this once.
    Add(Add),
    /// List all tokens, also those that are used up, expired or revoked.
    List(Format),
    /// Revoke a token; apps that were registered with it stay.
    Revoke(Named),
}

/// A new token.
#[derive(Debug, Args)]
pub struct Add {
    /// Whom or what it is for, so that it is recognised later.
    #[arg(long)]
    name: String,
    /// How many apps it may register.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    uses: u32,
    /// How many days it lives, 366 at most.
    #[arg(long, value_name = "NUMBER", default_value_t = 7)]
    days: u64,
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// How to print.
#[derive(Debug, Args)]
pub struct Format {
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// One token.
#[derive(Debug, Args)]
pub struct Named {
    /// What `grantor registration token list` shows in its first column.
    token: String,
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// Does it.
///
/// # Errors
/// When the token is not there or cannot be had, or the store fails.
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
        Command::Token(TokenCommand::Add(add)) => insert(opened, &add).await,
        Command::Token(TokenCommand::List(format)) => list(opened, format.json).await,
        Command::Token(TokenCommand::Revoke(named)) => revoke(opened, &named).await,
    }
}

async fn insert(opened: &Opened, asked: &Add) -> Result<String, CommandError> {
    let refused = |why: &str| Err(CommandError::Refused(why.to_owned()));
    if asked.name.trim().is_empty() || asked.name.chars().count() > NAME_LONGEST {
        return refused("--name: give it a name of at most 80 characters");
    }
    if asked.uses == 0 || asked.days == 0 || asked.days > DAYS_MOST {
        return refused("--uses and --days: a token is for one app at least, and lives a day at least and 366 at most");
    }
    let now = system_time();
    let (id, secret) = (opened.mint.id(now.millis()), opened.mint.secret());
    let token = InitialToken {
        id,
        name: asked.name.clone(),
        secret: secret.hash(),
        created_at: now,
        expires_at: now.plus(Duration::from_secs(asked.days * DAY)),
        uses: asked.uses,
        uses_left: asked.uses,
        ended_at: None,
    };
    let event = event(opened, &token, "made", now);
    let expires_at = token.expires_at;
    opened.database.commit(vec![RegistrationChange::TokenInsert(Box::new(token)).into(), event]).await?;
    let text = INITIAL.format(id, &secret);
    if asked.json {
        let shown = json!({"token": text, "uses": asked.uses, "expires_at": clock::text(expires_at)});
        return Ok(output::json(&shown));
    }
    Ok(format!("{text}\n\nIt is shown this once. The app sends it to /register as: Authorization: Bearer …\n"))
}

async fn list(opened: &Opened, json: bool) -> Result<String, CommandError> {
    let now = system_time();
    let tokens = opened.database.initial_tokens().await?;
    if json {
        return Ok(output::json(&tokens.iter().map(|token| members(token, now)).collect()));
    }
    let mut table = Table::new(&["token", "name", "uses left", "until", "state"]);
    for token in &tokens {
        let left = format!("{} of {}", token.uses_left, token.uses);
        let state = state(token, now).to_owned();
        table.row([token.hint(), printable(&token.name), left, clock::text(token.expires_at), state]);
    }
    Ok(table.render())
}

fn members(token: &InitialToken, now: Time) -> Value {
    json!({
        "token": token.hint(),
        "name": token.name,
        "uses": token.uses,
        "uses_left": token.uses_left,
        "created_at": clock::text(token.created_at),
        "expires_at": clock::text(token.expires_at),
        "state": state(token, now),
    })
}

fn state(token: &InitialToken, now: Time) -> &'static str {
    match token {
        token if token.ended_at.is_some() => "revoked",
        token if token.uses_left == 0 => "used up",
        token if now >= token.expires_at => "expired",
        _ => "good",
    }
}

async fn revoke(opened: &Opened, named: &Named) -> Result<String, CommandError> {
    let now = system_time();
    let tokens = opened.database.initial_tokens().await?;
    let found = tokens.iter().find(|token| token.hint() == named.token || token.id.to_string() == named.token);
    let Some(token) = found else {
        let shown = printable(&named.token);
        return Err(CommandError::Refused(format!(
            "there is no token \"{shown}\"; `grantor registration token list` shows all"
        )));
    };
    let event = event(opened, token, "revoked", now);
    opened.database.commit(vec![RegistrationChange::TokenEnd { id: token.id, at: now }.into(), event]).await?;
    Ok(if named.json {
        output::json(&json!({"revoked": token.hint()}))
    } else {
        format!("Revoked {}.\n", token.hint())
    })
}

fn event(opened: &Opened, token: &InitialToken, what: &str, now: Time) -> Change {
    let detail = format!("{} ({}), for {}", token.hint(), token.name, token.uses);
    let event = Event::new(opened.mint.id(now.millis()), now, EventKind::InitialTokenChanged);
    Change::EventInsert(Box::new(event.reason(what).detail(&detail)))
}
