//! Readers: each thread that reads has a connection of its own, kept until the thread or the database ends.

use std::cell::RefCell;
use std::sync::{Arc, Weak};

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel::sqlite::SqliteConnection;
use grantor_core::store::StoreError;

use super::{Shared, connection, run};
use crate::directory_revision;
use crate::error::{Failure, failed};

/// A connection that only reads.
pub(super) struct Reader {
    database: Weak<Shared>,
    pub(super) connection: SqliteConnection,
    /// What SQLite said the last time when asked whether others had written.
    data_version: Option<i64>,
}

thread_local! {
    static READERS: RefCell<Vec<Reader>> = const { RefCell::new(Vec::new()) };
}

#[derive(QueryableByName)]
struct DataVersion {
    #[diesel(sql_type = BigInt)]
    data_version: i64,
}

/// Reads with this thread's connection. One that failed is not used again.
pub(super) fn with<T, E: Into<Failure>>(
    shared: &Arc<Shared>,
    read: impl FnOnce(&mut Reader) -> Result<T, E>,
) -> Result<T, StoreError> {
    let read = |readers: &RefCell<Vec<Reader>>| {
        let mut readers = readers.try_borrow_mut().map_err(|_| failed("a read inside a read"))?;
        let place = find(&mut readers, shared)?;
        let answer = read(&mut readers[place]).map_err(Into::into);
        if let Err(Failure::Database(_)) = answer {
            readers.swap_remove(place);
        }
        Ok(answer?)
    };
    READERS.try_with(read).map_err(|_| failed("the thread is ending"))?
}

/// Where this thread's reader of the database is; it is made where there is none.
fn find(readers: &mut Vec<Reader>, shared: &Arc<Shared>) -> Result<usize, StoreError> {
    let is_of = |reader: &Reader| std::ptr::eq(reader.database.as_ptr(), Arc::as_ptr(shared));
    if let Some(place) = readers.iter().position(is_of) {
        return Ok(place);
    }
    readers.retain(|reader| reader.database.strong_count() > 0);
    let connection = connection::reader(&shared.path).map_err(|error| StoreError::Failed(Box::new(error)))?;
    readers.push(Reader { database: Arc::downgrade(shared), connection, data_version: None });
    Ok(readers.len() - 1)
}

/// Closes this thread's reader.
pub(super) fn close(shared: &Arc<Shared>) {
    let others = |reader: &Reader| !std::ptr::eq(reader.database.as_ptr(), Arc::as_ptr(shared));
    // A thread that is ending has closed it already.
    let _ = READERS.try_with(|readers| readers.try_borrow_mut().map(|mut readers| readers.retain(others)));
}

impl Reader {
    /// Reads the directory again where its revision has changed, or where `anyway`.
    pub(super) fn refresh(&mut self, shared: &Shared, anyway: bool) -> Result<(), Failure> {
        let DataVersion { data_version } = diesel::sql_query("PRAGMA data_version").get_result(&mut self.connection)?;
        if self.data_version == Some(data_version) && !anyway {
            return Ok(());
        }
        let revision: i64 = directory_revision::find().first(&mut self.connection)?;
        if revision != shared.newest.revision() {
            let last = shared.newest.get();
            let rows = self.connection.transaction(|connection| run::read_directory(&last, connection))?;
            shared.newest.update(rows, &shared.context.sealer)?;
        }
        self.data_version = Some(data_version);
        Ok(())
    }
}
