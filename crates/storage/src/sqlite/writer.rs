//! The writer: takes what waits, writes all of it in one transaction, and answers when it is on the disk.
//!
//! Hundreds of requests share one fsync. Each set of several statements stands in a savepoint, so that a lost race takes back
//! its own set only.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use diesel::Connection;
use diesel::connection::SimpleConnection;
use diesel::result::Error as DieselError;
use diesel::sqlite::SqliteConnection;
use grantor_core::change::Change;
use grantor_core::store::StoreError;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use super::{Shared, connection, run};
use crate::apply::is_one_statement;
use crate::error::{Failure, failed, has_moved, is_locked};
use crate::sweep::Step;

/// How much may wait. What comes on top is told that the store is busy.
pub(super) const QUEUE: usize = 4096;

/// How many sets share one transaction at most.
const BATCH: usize = 512;

pub(super) enum Work {
    Commit(Vec<Change>),
    Sweep(Step),
    ShutDown,
}

/// Work, and whom to tell how many rows it removed or why it failed.
pub(super) struct Request {
    work: Work,
    reply: oneshot::Sender<Result<usize, StoreError>>,
}

/// Hands work to the writer and waits for it.
pub(super) async fn ask(queue: Option<&mpsc::Sender<Request>>, work: Work) -> Result<usize, StoreError> {
    let shut_down = || failed("the database is shut down");
    let (reply, answer) = oneshot::channel();
    match queue.ok_or_else(shut_down)?.try_send(Request { work, reply }) {
        Ok(()) => answer.await.unwrap_or_else(|_| Err(shut_down())),
        Err(TrySendError::Full(_)) => Err(StoreError::Busy),
        Err(TrySendError::Closed(_)) => Err(shut_down()),
    }
}

/// What became of one set.
#[derive(Clone, Copy, Default)]
struct Done {
    rows: usize,
    of_directory: bool,
}

/// Why a whole transaction failed.
enum Broken {
    /// A statement failed for another reason than a lost race. All is taken back.
    Statement(Failure),
    /// It could not begin, or not be committed.
    Transaction(DieselError),
}

impl From<DieselError> for Broken {
    fn from(error: DieselError) -> Self {
        Self::Transaction(error)
    }
}

pub(super) struct Writer {
    connection: SqliteConnection,
    shared: Arc<Shared>,
}

impl Writer {
    pub(super) const fn new(connection: SqliteConnection, shared: Arc<Shared>) -> Self {
        Self { connection, shared }
    }

    /// Works until all senders are gone or one says to shut down, and what waits is done.
    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Request>) {
        let mut waiting = Vec::with_capacity(BATCH);
        let mut closers = Vec::new();
        while queue.blocking_recv_many(&mut waiting, BATCH) > 0 {
            let (sets, replies): (Vec<_>, Vec<_>) = waiting.drain(..).map(|it| (it.work, it.reply)).unzip();
            let meters = &self.shared.meters;
            meters.waiting.set(i64::try_from(queue.len()).unwrap_or(i64::MAX));
            let begun = meters.stopwatch.read();
            let answers = self.write(&sets);
            self.shared.meters.committed(begun, sets.len());
            for ((work, reply), answer) in sets.into_iter().zip(replies).zip(answers) {
                if matches!(work, Work::ShutDown) {
                    queue.close();
                    closers.push(reply);
                } else {
                    // Who asked may have gone away; what was done stays done.
                    let _ = reply.send(answer);
                }
            }
        }
        if let Err(error) = self.connection.batch_execute("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);") {
            tracing::warn!(%error, "the write-ahead log stays as it is until the database is opened again");
        }
        drop(self);
        for closer in closers {
            let _ = closer.send(Ok(0));
        }
    }

    /// Writes all sets in one transaction; answers in their order.
    fn write(&mut self, sets: &[Work]) -> Vec<Result<usize, StoreError>> {
        match self.transact(sets) {
            Ok(answers) => answers,
            Err(Broken::Statement(Failure::Database(error))) if has_moved(&error) => {
                tracing::error!(%error, "nothing can be written until this server is started with its new database_url");
                sets.iter().map(|_| Err(StoreError::Unavailable)).collect()
            }
            // Nothing is kept. Whichever set it was must not harm the others: each is tried alone.
            Err(Broken::Statement(_)) if sets.len() > 1 => {
                self.reconnect();
                sets.chunks(1).flat_map(|alone| self.write(alone)).collect()
            }
            Err(Broken::Statement(failure)) => {
                tracing::error!(error = %failure, "a set of changes could not be written");
                self.reconnect();
                vec![Err(failure.into())]
            }
            Err(Broken::Transaction(error)) if is_locked(&error) => {
                sets.iter().map(|_| Err(StoreError::Busy)).collect()
            }
            Err(Broken::Transaction(error)) => {
                tracing::error!(%error, sets = sets.len(), "a transaction could not be committed");
                self.reconnect();
                sets.iter().map(|_| Err(failed(error.to_string()))).collect()
            }
        }
    }

    fn transact(&mut self, sets: &[Work]) -> Result<Vec<Result<usize, StoreError>>, Broken> {
        let context = &self.shared.context;
        let done = self.connection.immediate_transaction(|connection| {
            let one = |set| match write_one(set, context, connection) {
                Ok(done) => Ok(Ok(done)),
                Err(Failure::Conflict) => Ok(Err(StoreError::Conflict)),
                Err(failure) => Err(Broken::Statement(failure)),
            };
            sets.iter().map(one).collect::<Result<Vec<_>, _>>()
        })?;
        if done.iter().flatten().any(|done| done.of_directory) {
            self.read_directory();
        }
        Ok(done.into_iter().map(|done| done.map(|done| done.rows)).collect())
    }

    /// Who changed clients, scopes, resources or keys shall find them changed when told that it is done. Where that fails,
    /// the change is committed nevertheless, and the next refresh tries again.
    fn read_directory(&mut self) {
        if let Err(error) = self.shared.read_directory(&mut self.connection) {
            tracing::error!(%error, "clients and keys could not be read again; the last known ones stay in use");
            self.shared.stale.store(true, Ordering::Relaxed);
        }
    }

    /// A connection that failed is not trusted again.
    fn reconnect(&mut self) {
        match connection::writer(&self.shared.path) {
            Ok(connection) => self.connection = connection,
            Err(error) => tracing::error!(%error, "the database could not be opened again"),
        }
    }
}

fn write_one(work: &Work, context: &crate::apply::Context, connection: &mut SqliteConnection) -> Result<Done, Failure> {
    match work {
        Work::Commit(changes) if is_one_statement(changes) => {
            run::apply_all(changes, context, connection).map(|_| Done::default())
        }
        Work::Commit(changes) => connection
            .transaction(|connection| run::apply_all(changes, context, connection))
            .map(|of_directory| Done { of_directory, rows: 0 }),
        Work::Sweep(step) => run::sweep(step, connection).map(|rows| Done { rows, of_directory: false }),
        Work::ShutDown => Ok(Done::default()),
    }
}
