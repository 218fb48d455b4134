//! `grantor key`: signing keys, and the key that seals them.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use grantor_core::audit::{Event, EventKind};
use grantor_core::change::Change;
use grantor_core::key::{KeyRecord, KeyRing};
use grantor_core::store::Store;
use grantor_core::time::Time;
use grantor_jose::algorithm::Algorithm;
use grantor_jose::key::SigningKey;
use grantor_jose::random::Random;
use grantor_jose::seal::KeyEncryptionKey;
use serde_json::{Value, json};

use super::CommandError;
use crate::clock::{self, system_time};
use crate::key_schedule;
use crate::keys::{self, OFFERED};
use crate::output::{self, Table, print, printable, sheet};
use crate::settings::{Opened, Settings};

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add a signing key, made now or read from a file; it signs once every cached key set holds it.
    Add(Add),
    /// Make the key that seals the signing keys in the database, and print it: 32 random bytes in base64url.
    GenerateEncryptionKey,
    /// List the signing keys.
    List(Format),
    /// Remove a signing key at once: whatever it signed counts no longer.
    Remove(Remove),
    /// Put new signing keys in the place of those that sign now.
    Rotate(Rotate),
    /// Show the public part of a signing key.
    Show(Named),
}

/// How to print.
#[derive(Debug, Args)]
pub struct Format {
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// One key.
#[derive(Debug, Args)]
pub struct Named {
    /// The key's `kid`.
    kid: String,
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// The key to remove.
#[derive(Debug, Args)]
pub struct Remove {
    /// The key's `kid`.
    kid: String,
    /// Remove it even if no other key signs with its algorithm; one is made at once when the server runs.
    #[arg(long)]
    force: bool,
}

/// A key to add.
#[derive(Debug, Args)]
pub struct Add {
    /// ES256, ES384, EdDSA, RS256 or PS256.
    #[arg(long, default_value = "ES256")]
    algorithm: Algorithm,
    /// A private key in PKCS#8 PEM to take instead of a new one.
    #[arg(long, value_name = "FILE")]
    pem: Option<PathBuf>,
}

/// Which keys to replace.
#[derive(Debug, Args)]
pub struct Rotate {
    /// One algorithm only: ES256, ES384, EdDSA, RS256 or PS256.
    #[arg(long)]
    algorithm: Option<Algorithm>,
    /// Let the new keys sign at once, without waiting until every cached key set holds them.
    #[arg(long)]
    now: bool,
}

/// Does it.
///
/// # Errors
/// When the key is not there or cannot be used, or the store fails.
pub async fn run(settings: &Settings, command: Command) -> Result<ExitCode, CommandError> {
    if let Command::GenerateEncryptionKey = command {
        print(&format!("{}\n", *KeyEncryptionKey::generate(&Random::new()).to_text()));
        return Ok(ExitCode::SUCCESS);
    }
    let opened = settings.open()?;
    let text = answer(&opened, command).await;
    opened.close().await;
    print(&text?);
    Ok(ExitCode::SUCCESS)
}

async fn answer(opened: &Opened, command: Command) -> Result<String, CommandError> {
    let now = system_time();
    match command {
        Command::Add(add) => insert(opened, add, now).await,
        Command::GenerateEncryptionKey => Ok(String::new()),
        Command::List(format) => Ok(list(&opened.database.directory().keys, format.json, now)),
        Command::Remove(arguments) => remove(opened, &arguments, now).await,
        Command::Rotate(rotate) => succeed(opened, &rotate, now).await,
        Command::Show(named) => {
            let record = find(opened, &named.kid)?;
            let members = members(&record, &opened.database.directory().keys, now);
            Ok(if named.json { output::json(&members) } else { sheet(&members) })
        }
    }
}

async fn insert(opened: &Opened, add: Add, now: Time) -> Result<String, CommandError> {
    let unusable =
        |error: grantor_jose::key::KeyError| CommandError::Refused(format!("the key cannot be used: {error}"));
    let key = match &add.pem {
        None => SigningKey::generate(add.algorithm, &Random::new()),
        Some(path) => {
            let pem =
                std::fs::read_to_string(path).map_err(|source| CommandError::File { path: path.clone(), source })?;
            SigningKey::from_pem(add.algorithm, &pem)
        }
    };
    let key = Arc::new(key.map_err(unusable)?);
    let directory = opened.database.directory();
    let lifetimes = &opened.config.lifetimes;
    let first = directory.keys.signer(add.algorithm, now).is_none();
    let active_from = if first { now } else { now.plus(lifetimes.key_publication) };
    let record = KeyRecord::fresh(opened.mint.id(now.millis()), Arc::clone(&key), now, active_from);
    commit(opened, Change::KeyPut(Box::new(record)), &key, "created", now).await?;
    Ok(format!("Added {} {}; it signs from {} on.\n", key.algorithm(), key.kid(), clock::text(active_from)))
}

async fn succeed(opened: &Opened, rotate: &Rotate, now: Time) -> Result<String, CommandError> {
    let directory = opened.database.directory();
    let used = directory.keys.algorithms(now);
    let algorithms: Vec<Algorithm> = match rotate.algorithm {
        Some(algorithm) => vec![algorithm],
        None if used.is_empty() => OFFERED.to_vec(),
        None => used,
    };
    let lifetimes = keys::longest(&opened.config.lifetimes, &directory);
    let steps: Vec<_> = algorithms
        .iter()
        .flat_map(|algorithm| {
            let first = directory.keys.signer(*algorithm, now).is_none();
            keys::plan_succession(&directory.keys, *algorithm, rotate.now || first, &lifetimes, now)
        })
        .collect();
    key_schedule::carry_out(&opened.database, &opened.mint, &lifetimes, now, &steps).await?;
    opened.database.refresh_directory().await?;
    Ok(list(&opened.database.directory().keys, false, now))
}

async fn remove(opened: &Opened, arguments: &Remove, now: Time) -> Result<String, CommandError> {
    let record = find(opened, &arguments.kid)?;
    let directory = opened.database.directory();
    let only = directory.keys.record(record.key.algorithm(), now).is_some_and(|signer| signer.id == record.id);
    if only && !arguments.force {
        return Err(CommandError::Refused(format!(
            "{} signs now; put another in its place with `grantor key rotate --now --algorithm {}`, or remove it with --force",
            arguments.kid,
            record.key.algorithm()
        )));
    }
    commit(opened, Change::KeyRemove(record.id), &record.key, "removed", now).await?;
    Ok(format!("Removed {}.\n", printable(&arguments.kid)))
}

async fn commit(opened: &Opened, change: Change, key: &SigningKey, what: &str, now: Time) -> Result<(), CommandError> {
    let event = Event::new(opened.mint.id(now.millis()), now, EventKind::KeyChanged).reason(what);
    let event = event.detail(&format!("{} {}", key.algorithm(), key.kid()));
    Ok(opened.database.commit(vec![change, Change::EventInsert(Box::new(event))]).await?)
}

fn list(ring: &KeyRing, json: bool, now: Time) -> String {
    let mut records: Vec<_> = ring.keys.iter().collect();
    records.sort_by_key(|record| (record.key.algorithm(), record.active_from));
    if json {
        return output::json(&records.iter().map(|record| members(record, ring, now)).collect());
    }
    let mut table = Table::new(&["kid", "algorithm", "state", "signs from", "signs until", "published until"]);
    let or_open = |time: Option<Time>| time.map_or_else(|| "-".into(), clock::text);
    for record in records {
        table.row([
            record.key.kid().to_owned(),
            record.key.algorithm().to_string(),
            state(record, ring, now).to_owned(),
            clock::text(record.active_from),
            or_open(record.retired_at),
            or_open(record.remove_at),
        ]);
    }
    table.render()
}

fn state(record: &KeyRecord, ring: &KeyRing, now: Time) -> &'static str {
    let signs = ring.record(record.key.algorithm(), now).is_some_and(|signer| signer.id == record.id);
    match (signs, record.active_from > now, record.is_published(now)) {
        (true, _, _) => "signs",
        (_, true, true) => "follows",
        (_, _, true) => "verifies",
        (_, _, false) => "remembered",
    }
}

fn members(record: &KeyRecord, ring: &KeyRing, now: Time) -> Value {
    json!({
        "kid": record.key.kid(),
        "algorithm": record.key.algorithm(),
        "state": state(record, ring, now),
        "created_at": clock::text(record.created_at),
        "active_from": clock::text(record.active_from),
        "retired_at": record.retired_at.map(clock::text),
        "remove_at": record.remove_at.map(clock::text),
        "jwk": record.key.jwk(),
    })
}

fn find(opened: &Opened, kid: &str) -> Result<KeyRecord, CommandError> {
    let directory = opened.database.directory();
    let found = directory.keys.keys.iter().find(|record| record.key.kid() == kid).cloned();
    found.ok_or_else(|| {
        CommandError::Refused(format!("there is no key \"{}\"; `grantor key list` shows all", printable(kid)))
    })
}
