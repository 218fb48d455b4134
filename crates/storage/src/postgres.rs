//! PostgreSQL: each thread has connections of its own, so that no answer waits for another thread. All reads of a thread share
//! one connection, on which they follow one another without waiting in between; each set of changes has a connection to
//! itself while it is applied.
//!
//! Nodes have no leader. What must happen once is decided by the database: an expectation finds its row or does not, a node's
//! number is a lock that it holds, and the others hear of changed clients and keys by LISTEN and NOTIFY, or by asking.

use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use diesel::result::Error as DieselError;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use futures_util::future::{Either, join, join_all, select};
use grantor_core::change::Change;
use grantor_core::directory::Directory;
use grantor_core::outbox::Subscriptions;
use grantor_core::store::StoreError;
use grantor_jose::random::Mint;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::error::Elapsed;
use tokio::time::{sleep, timeout};

use crate::apply::{Context, is_one_statement};
use crate::directory::Newest;
use crate::directory_revision;
use crate::error::{Failure, failed};
use crate::meters::Meters;
use crate::sealing::Sealer;
use crate::sweep::{Patrols, Step};

pub(crate) mod address;
mod examine;
mod link;
mod links;
mod migrate;
mod node;
mod open;
pub(crate) mod receiver;
mod run;

use address::Address;
use link::Link;
pub(crate) use open::aside;

/// How long an answer of the database is waited for, or a connection. A database that is gone may refuse at once, or never
/// say a word.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a set of changes waits for its turn and for a connection. With [`PATIENCE`] it is clearly less than the grace of a
/// refresh token, which counts from the moment that the request came.
const TURN: Duration = Duration::from_secs(2);

/// How long the statements of a set may take together; a little longer than each alone may (see [`link`]), so that the database
/// says what one of them waited for. What has taken so long is taken back, and not committed while its answer is given up.
const WORK: Duration = Duration::from_millis(2750);

/// Within how long a set that failed is tried once more: so that also the second has time for its statements and its commit.
const AGAIN: Duration = Duration::from_millis(1500);

/// A set of more changes than this, as of a large declaration, may take its time.
const LONG: usize = 40;

/// How long it may take.
const AT_LENGTH: Duration = Duration::from_mins(10);

/// How many connections of one node apply sets of changes at one time.
const WRITERS: usize = 16;

/// What the threads, the node's own thread and their owner share.
struct Shared {
    address: Address,
    newest: Newest,
    context: Context,
    mint: Arc<Mint>,
    meters: Meters,
    writers: Semaphore,
    /// How many connections may be kept that nobody uses at the moment.
    idle: Arc<Semaphore>,
    /// Held while clients and keys are read and put in place, so that what was read first never replaces what was read later.
    reading: tokio::sync::Mutex<()>,
    /// How many nodes there were when it was last asked, this one among them.
    nodes: AtomicU32,
}

/// A PostgreSQL database.
pub struct Postgres {
    shared: Arc<Shared>,
    pub(crate) patrols: Patrols,
    pub(crate) subscriptions: OnceLock<Subscriptions>,
    node: node::Node,
}

/// What became of an exchange with the database.
enum Outcome<T> {
    /// An answer, or an error that the database reported and that leaves the connection usable.
    Told(Result<T, Failure>),
    /// The connection is none any more.
    Gone,
}

impl Postgres {
    pub(crate) fn directory(&self) -> Arc<Directory> {
        self.shared.newest.get()
    }

    pub(crate) fn sealer(&self) -> &Sealer {
        &self.shared.context.sealer
    }

    /// Reads with this thread's connection; once more with a new one where that one is gone, since reading twice harms nobody.
    pub(crate) async fn read<T>(
        &self,
        query: impl AsyncFn(&AsyncPgConnection) -> diesel::QueryResult<T>,
    ) -> Result<T, StoreError> {
        for _ in 0..2 {
            let link = links::reader(&self.shared).await?;
            let asked = timeout(PATIENCE, query(&link.connection)).await;
            let in_time = asked.is_ok();
            match link.outcome(asked.map(|answer| answer.map_err(Failure::from))).await {
                Outcome::Told(answer) => return answer.map_err(refused),
                Outcome::Gone => links::forget_reader(&self.shared, &link),
            }
            // Whoever has waited in vain shall not wait twice.
            if !in_time {
                break;
            }
        }
        Err(StoreError::Unavailable)
    }

    pub(crate) async fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        let is_long = changes.len() > LONG || changes.iter().any(|change| matches!(change, Change::EpochBegin { .. }));
        let touched = if is_long {
            self.commit_at_length(&changes).await?
        } else {
            self.write(async |link| apply_set(&changes, &self.shared.context, (link, WORK)).await).await?
        };
        // Who changed clients, scopes, resources or keys shall find them changed when told that it is done.
        if touched && let Err(error) = self.read_directory().await {
            tracing::error!(%error, "clients and keys could not be read again; the last known ones stay in use");
        }
        Ok(())
    }

    /// Applies a set that changes very many rows, however long that takes, on a connection of its own.
    async fn commit_at_length(&self, changes: &[Change]) -> Result<bool, StoreError> {
        let link = Link::connect(&self.shared.address, Arc::default()).await.map_err(|error| {
            tracing::warn!(%error, "the database cannot be reached");
            StoreError::Unavailable
        })?;
        let apply = async {
            let mut connection = &link.connection;
            connection.batch_execute("SET statement_timeout = 0").await?;
            apply_set(changes, &self.shared.context, (&link, AT_LENGTH)).await
        };
        Ok(timeout(AT_LENGTH + PATIENCE, apply).await.map_err(|_| StoreError::Unavailable)??)
    }

    /// Takes a step of the sweep, unless another node is at it.
    pub(crate) async fn sweep_step(&self, step: Step) -> Result<usize, StoreError> {
        self.write(async |link| {
            transaction((&link.connection, WORK), async |connection| {
                if run::may_sweep(connection).await? { run::sweep(&step, &mut { connection }).await } else { Ok(0) }
            })
            .await
        })
        .await
    }

    pub(crate) async fn refresh_directory(&self) -> Result<(), StoreError> {
        let read = async |mut connection: &AsyncPgConnection| {
            diesel_async::RunQueryDsl::first(directory_revision::find(), &mut connection).await
        };
        let revision: i64 = self.read(read).await?;
        if revision == self.shared.newest.revision() { Ok(()) } else { self.read_directory().await }
    }

    pub(crate) fn nodes(&self) -> u32 {
        self.shared.nodes.load(Ordering::Relaxed)
    }

    pub(crate) fn shut_down(&self) {
        links::close(&self.shared);
        self.node.stop();
    }

    async fn read_directory(&self) -> Result<(), StoreError> {
        let _reading = self.shared.reading.lock().await;
        let link = links::take_writer(&self.shared).await?;
        let last = self.shared.newest.get();
        match link.outcome(timeout(PATIENCE, run::snapshot(&last, &link.connection)).await).await {
            Outcome::Told(Ok(rows)) => {
                links::give_back(&self.shared, link);
                self.shared.newest.replace(rows, &self.shared.context.sealer)
            }
            Outcome::Told(Err(failure)) => Err(refused(failure)),
            Outcome::Gone => Err(StoreError::Unavailable),
        }
    }

    /// Works on a connection that nobody else has meanwhile. What fails in the middle is tried again only after an error of
    /// the database that took everything back and came soon, as when two sets wait for each other.
    async fn write<T>(&self, work: impl AsyncFn(&Link) -> Result<T, Failure>) -> Result<T, StoreError> {
        let (_permit, link) = timeout(TURN, self.turn()).await.unwrap_or(Err(StoreError::Busy))?;
        // A connection on which the time runs out goes away with the work.
        timeout(PATIENCE, self.write_on(link, work)).await.unwrap_or(Err(StoreError::Unavailable))
    }

    /// Leave to write, and a connection for it.
    async fn turn(&self) -> Result<(SemaphorePermit<'_>, Link), StoreError> {
        let waiting = self.shared.meters.wait();
        let permit = self.shared.writers.acquire().await.map_err(|_| failed("the database is shut down"))?;
        drop(waiting);
        Ok((permit, links::take_writer(&self.shared).await?))
    }

    async fn write_on<T>(&self, link: Link, work: impl AsyncFn(&Link) -> Result<T, Failure>) -> Result<T, StoreError> {
        let meters = &self.shared.meters;
        let begun = meters.stopwatch.read();
        let attempt = async || link.outcome(Ok(work(&link).await)).await;
        let outcome = match select(pin!(sleep(AGAIN)), pin!(attempt())).await {
            Either::Left(((), attempt)) => attempt.await,
            Either::Right((Outcome::Told(Err(Failure::Database(error))), _)) => {
                tracing::debug!(%error, "a set of changes is tried again");
                attempt().await
            }
            Either::Right((outcome, _)) => outcome,
        };
        match outcome {
            Outcome::Told(Err(failure @ Failure::Database(_))) => Err(refused(failure)),
            Outcome::Told(answer) => {
                meters.committed(begun, 1);
                links::give_back(&self.shared, link);
                Ok(answer?)
            }
            Outcome::Gone => Err(StoreError::Unavailable),
        }
    }
}

/// What a failure is to whoever asked. A database that answers and yet refuses is short of something, as of room on its disk,
/// or only to be read for a while: that passes.
fn refused(failure: Failure) -> StoreError {
    match failure {
        Failure::Database(error @ DieselError::DatabaseError(..)) => {
            tracing::error!(%error, "the database refused");
            StoreError::Unavailable
        }
        other => other.into(),
    }
}

/// Applies a set, all or nothing, within so long but for the commit; says whether it touched the directory.
async fn apply_set(changes: &[Change], context: &Context, (link, limit): (&Link, Duration)) -> Result<bool, Failure> {
    let connection = &link.connection;
    if is_one_statement(changes) {
        return run::apply_all(changes, context, &mut { connection }).await;
    }
    if link.has_prepared(changes) {
        return pipeline(changes, context, connection).await.map(|()| false);
    }
    let apply = async |connection: &AsyncPgConnection| run::apply_all(changes, context, &mut { connection }).await;
    let touched = transaction((connection, limit), apply).await?;
    link.remember(changes);
    Ok(touched)
}

/// Applies a set whose statements this connection knows: all of them are sent at once, in their order, and answered together;
/// so a set takes two exchanges with the database, however many changes it holds.
async fn pipeline(changes: &[Change], context: &Context, mut connection: &AsyncPgConnection) -> Result<(), Failure> {
    let statements = changes.iter().map(async |change| run::apply(change, context, &mut { connection }).await);
    let sent = join(begin(connection), join_all(statements));
    let (begun, applied) = timeout(WORK, sent).await.map_err(too_long)?;
    // Without a transaction each of them stood alone: nothing is known of what became of them.
    begun.map_err(|_| Failure::Gone)?;
    // What follows the first failure only says that there was one.
    let applied: Result<Vec<()>, Failure> = applied.into_iter().collect();
    connection.batch_execute(if applied.is_ok() { "COMMIT" } else { "ROLLBACK" }).await?;
    applied.map(drop)
}

async fn begin(mut connection: &AsyncPgConnection) -> diesel::QueryResult<()> {
    connection.batch_execute("BEGIN").await
}

async fn transaction<T>(
    (mut connection, limit): (&AsyncPgConnection, Duration),
    work: impl AsyncFn(&AsyncPgConnection) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let begun = async {
        begin(connection).await?;
        work(connection).await
    };
    match timeout(limit, begun).await.map_err(too_long)? {
        Ok(done) => {
            connection.batch_execute("COMMIT").await?;
            Ok(done)
        }
        Err(failure) => {
            connection.batch_execute("ROLLBACK").await?;
            Err(failure)
        }
    }
}

/// The connection goes away with what it has not committed.
fn too_long(_: Elapsed) -> Failure {
    tracing::warn!("a set of changes took too long and was taken back");
    Failure::Gone
}
