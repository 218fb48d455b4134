//! SQLite: one thread owns the only writing connection and commits what waits together; each thread that reads has a
//! connection of its own and reads at once, since a point read is cheaper than a hop to another thread.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;

use diesel::QueryResult;
use diesel::sqlite::SqliteConnection;
use grantor_core::change::Change;
use grantor_core::directory::Directory;
use grantor_core::outbox::Subscriptions;
use grantor_core::store::StoreError;
use tokio::sync::mpsc;

use crate::apply::Context;
use crate::directory::Newest;
use crate::error::Failure;
use crate::meters::Meters;
use crate::sealing::Sealer;
use crate::sweep::{Patrols, Step};

mod backup;
mod connection;
mod contents;
mod examine;
mod files;
mod migrate;
mod moved;
mod open;
mod partial;
mod readers;
mod run;
pub(crate) mod source;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
mod writer;

pub use backup::{BackupError, Restoration, back_up};
pub use contents::Contents;
pub(crate) use open::reopen;

/// What the writer, the readers and their owner share.
struct Shared {
    path: PathBuf,
    newest: Newest,
    context: Context,
    meters: Meters,
    /// Whether the last snapshot could not be read after a commit of ours.
    stale: AtomicBool,
}

impl Shared {
    /// Puts the snapshot of what is committed now in place.
    fn read_directory(&self, connection: &mut SqliteConnection) -> Result<(), Failure> {
        let last = self.newest.get();
        let read = |connection: &mut SqliteConnection| run::read_directory(&last, connection);
        let rows = diesel::Connection::transaction(connection, read)?;
        Ok(self.newest.update(rows, &self.context.sealer)?)
    }
}

/// One SQLite file that is open.
pub struct Sqlite {
    shared: Arc<Shared>,
    pub(crate) patrols: Patrols,
    pub(crate) subscriptions: OnceLock<Subscriptions>,
    queue: Option<mpsc::Sender<writer::Request>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Sqlite {
    pub(crate) fn path(&self) -> &Path {
        &self.shared.path
    }

    pub(crate) fn directory(&self) -> Arc<Directory> {
        self.shared.newest.get()
    }

    pub(crate) fn sealer(&self) -> &Sealer {
        &self.shared.context.sealer
    }

    pub(crate) fn read<T>(&self, query: impl FnOnce(&mut SqliteConnection) -> QueryResult<T>) -> Result<T, StoreError> {
        readers::with(&self.shared, |reader| query(&mut reader.connection))
    }

    pub(crate) async fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        writer::ask(self.queue.as_ref(), writer::Work::Commit(changes)).await.map(drop)
    }

    pub(crate) async fn sweep_step(&self, step: Step) -> Result<usize, StoreError> {
        writer::ask(self.queue.as_ref(), writer::Work::Sweep(step)).await
    }

    pub(crate) fn refresh_directory(&self) -> Result<(), StoreError> {
        let stale = self.shared.stale.swap(false, Ordering::Relaxed);
        let refreshed = readers::with(&self.shared, |reader| reader.refresh(&self.shared, stale));
        if refreshed.is_err() {
            self.shared.stale.store(true, Ordering::Relaxed);
        }
        refreshed
    }

    pub(crate) async fn shut_down(&self) {
        // An error says that it is shut down already.
        let _ = writer::ask(self.queue.as_ref(), writer::Work::ShutDown).await;
        readers::close(&self.shared);
        self.join();
    }

    fn join(&self) {
        let thread = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the writing thread had broken off");
        }
    }
}

impl Drop for Sqlite {
    /// Waits for the writer, so that nobody finds the file half closed.
    fn drop(&mut self) {
        self.queue = None;
        self.join();
    }
}
