//! Carrying out what `keys` decides: making keys, and committing their new dates with their events.

use std::sync::Arc;
use std::thread;

use grantor_core::audit::{Event, EventKind};
use grantor_core::change::Change;
use grantor_core::directory::Directory;
use grantor_core::key::{KeyRecord, KeyRing};
use grantor_core::policy::Lifetimes;
use grantor_core::store::{Store, StoreError};
use grantor_core::time::Time;
use grantor_jose::algorithm::Algorithm;
use grantor_jose::key::{KeyError, SigningKey};
use grantor_jose::random::{Mint, Random};
use grantor_storage::Database;

use crate::keys::{self, Step};

/// How often what is due is looked at again because another node was at it, too.
const MAX_RACES: usize = 4;

/// Why keys could not be made or kept.
#[derive(Debug, thiserror::Error)]
pub enum KeyScheduleError {
    /// A key could not be made.
    #[error("a signing key could not be made: {0}")]
    Key(#[from] KeyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Does all that is due at `now`, save what `later` names; says how many steps were taken.
///
/// # Errors
/// When a key cannot be made or the store fails.
pub async fn keep(
    database: &Database,
    mint: &Mint,
    lifetimes: &Lifetimes,
    now: Time,
    later: &[Algorithm],
) -> Result<usize, KeyScheduleError> {
    for _ in 0..MAX_RACES {
        let directory = database.directory();
        let due = keys::plan_rotation(&directory.keys, &keys::longest(lifetimes, &directory), now);
        let is_later = |step: &Step| matches!(step, Step::Generate { algorithm, .. } if later.contains(algorithm));
        let steps: Vec<Step> = due.into_iter().filter(|step| !is_later(step)).collect();
        match carry_out(database, mint, lifetimes, now, &steps).await {
            // Another node did what was due, or part of it.
            Err(KeyScheduleError::Store(StoreError::Conflict)) => database.refresh_directory().await?,
            kept => return kept,
        }
    }
    Err(StoreError::Conflict.into())
}

/// Carries out steps, all or none, and none where another node changed keys meanwhile.
///
/// # Errors
/// `Conflict` then, and those of [`keep`].
pub async fn carry_out(
    database: &Database,
    mint: &Mint,
    lifetimes: &Lifetimes,
    now: Time,
    steps: &[Step],
) -> Result<usize, KeyScheduleError> {
    if steps.is_empty() {
        return Ok(0);
    }
    let revision = database.directory().revision;
    let mut changes = vec![Change::DirectoryExpect { revision }];
    changes.extend(prepare(database, mint, lifetimes, now, steps).await?);
    database.commit(changes).await?;
    Ok(steps.len())
}

/// Makes the keys that steps need; what is to be committed then.
///
/// # Errors
/// When a key cannot be made.
pub async fn prepare(
    database: &Database,
    mint: &Mint,
    lifetimes: &Lifetimes,
    now: Time,
    steps: &[Step],
) -> Result<Vec<Change>, KeyScheduleError> {
    let directory = database.directory();
    let wanted: Vec<Algorithm> = steps.iter().filter_map(algorithm_to_make).collect();
    let random = mint.random().clone();
    let made =
        tokio::task::spawn_blocking(move || generate(&wanted, &random)).await.map_err(|_| KeyError::Generate)??;
    Ok(decide(steps, made, &directory, &Moment { mint, lifetimes, now }))
}

fn algorithm_to_make(step: &Step) -> Option<Algorithm> {
    match step {
        Step::Generate { algorithm, .. } => Some(*algorithm),
        Step::Retire { .. } | Step::Remove { .. } => None,
    }
}

/// Makes a key for each algorithm, each in a thread of its own, since an RSA key takes long.
fn generate(wanted: &[Algorithm], random: &Random) -> Result<Vec<Arc<SigningKey>>, KeyError> {
    thread::scope(|scope| {
        let make = |algorithm: &Algorithm| {
            let algorithm = *algorithm;
            scope.spawn(move || SigningKey::generate(algorithm, random))
        };
        let started: Vec<_> = wanted.iter().map(make).collect();
        started.into_iter().map(|thread| thread.join().unwrap_or(Err(KeyError::Generate)).map(Arc::new)).collect()
    })
}

struct Moment<'a> {
    mint: &'a Mint,
    lifetimes: &'a Lifetimes,
    now: Time,
}

fn decide(steps: &[Step], made: Vec<Arc<SigningKey>>, directory: &Directory, moment: &Moment) -> Vec<Change> {
    let mut made = made.into_iter();
    let lifetimes = keys::longest(moment.lifetimes, directory);
    steps.iter().filter_map(|step| change(*step, &mut made, &directory.keys, &lifetimes, moment)).flatten().collect()
}

/// The change of one step and its event; nothing where its key is gone.
fn change(
    step: Step,
    made: &mut impl Iterator<Item = Arc<SigningKey>>,
    ring: &KeyRing,
    lifetimes: &Lifetimes,
    moment: &Moment,
) -> Option<[Change; 2]> {
    let find = |id| ring.keys.iter().find(|record| record.id == id);
    let (change, what, key) = match step {
        Step::Generate { active_from, .. } => {
            let record = KeyRecord::fresh(moment.mint.id(moment.now.millis()), made.next()?, moment.now, active_from);
            let key = Arc::clone(&record.key);
            (Change::KeyPut(Box::new(record)), "created", key)
        }
        Step::Retire { id, successor_from } => {
            let record = find(id)?;
            (Change::KeyPut(Box::new(record.retired(successor_from, lifetimes))), "retired", Arc::clone(&record.key))
        }
        Step::Remove { id } => (Change::KeyRemove(id), "removed", Arc::clone(&find(id)?.key)),
    };
    Some([change, Change::EventInsert(Box::new(event(&key, what, moment)))])
}

fn event(key: &SigningKey, what: &str, moment: &Moment) -> Event {
    let event = Event::new(moment.mint.id(moment.now.millis()), moment.now, EventKind::KeyChanged);
    event.reason(what).detail(&format!("{} {}", key.algorithm(), key.kid()))
}
