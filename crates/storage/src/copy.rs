//! From SQLite to PostgreSQL: all rows, in one transaction on each side, and verified before they count.
//!
//! No table has a statement of its own here, so none can be forgotten by one. Both databases keep whole numbers, text and bytes
//! only, and rows refer to one another by numbers that stay the same; so a row is copied as it is, what is sealed in it stays
//! sealed for its place, and every token, session and key goes on working under the same key-encryption key.
//!
//! A row travels in PostgreSQL's binary form of COPY, made from SQLite's values. The same form of all rows of a table, in the
//! order of the primary key, is what is hashed: here while it is sent, and there as PostgreSQL gives it back.
//!
//! While it is copied, the source takes no writes, so a running server answers those with 503 and goes on reading; and from then
//! on it never does (`sqlite/moved`): what was written there later would be lost, and a code, a refresh token or a session that
//! was ended there would still be good here. A rehearsal takes everything back instead and keeps nobody waiting.

use std::path::Path;

use grantor_core::store::StoreError;
use grantor_jose::hash::Sha256;
use tokio::runtime::Runtime;

use crate::Progress;
use crate::database::{Database, DatabaseSettings};
use crate::open_error::OpenError;
use crate::postgres::aside;
use crate::postgres::receiver::Receiver;
use crate::schema::TABLES;
use crate::sqlite::source::Source;

/// What a copy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copying {
    /// PostgreSQL has the rows from then on, and SQLite takes no more writes.
    ForGood,
    /// Both are as before in the end.
    Rehearsal,
}

/// A table that was copied and verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// The table.
    pub table: &'static str,
    /// How many rows it has.
    pub rows: u64,
    /// SHA-256 over all of them.
    pub hash: [u8; 32],
}

/// Why nothing was copied; and what mends it.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// PostgreSQL gave back something else.
    #[error(
        "{0}: PostgreSQL gave back other rows than it was sent; nothing was kept there, and nothing has changed here"
    )]
    Differs(&'static str),
    /// PostgreSQL holds rows already.
    #[error(
        "{0} has rows there already, and nothing is overwritten; name an empty database, as `CREATE DATABASE` makes it"
    )]
    Filled(&'static str),
    /// SQLite goes on taking writes.
    #[error("this database cannot be closed: {0}; nothing was kept in PostgreSQL, and nothing has changed here")]
    NotClosed(String),
    /// What is to be copied is not in SQLite.
    #[error("database_url names no SQLite database; there is nothing to move")]
    NotSqlite,
    /// PostgreSQL cannot be opened.
    #[error("{0}")]
    Open(#[from] OpenError),
    /// SQLite does not give its rows.
    #[error("{0}: {1}; nothing has changed")]
    Source(&'static str, #[source] StoreError),
    /// PostgreSQL does not take the rows.
    #[error("{0}: PostgreSQL says: {1}; nothing was kept there, and nothing has changed here")]
    Target(&'static str, String),
    /// PostgreSQL takes the rows, and then it cannot be told whether they are kept.
    #[error(
        "PostgreSQL did not say whether it kept the rows: {0}; this database takes no more writes: where PostgreSQL has them, switch to it; where it has none, `grantor migrate --reopen` goes back"
    )]
    Unknown(String),
}

/// A table as both databases know it: the columns in their order, and those of the primary key.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: Vec<String>,
    pub(crate) key: Vec<String>,
}

impl Table {
    /// All rows, in an order that is the same on both sides.
    pub(crate) fn select(&self) -> String {
        format!("SELECT {} FROM {} ORDER BY {}", list(&self.columns), self.name, list(&self.key))
    }

    pub(crate) fn copy_in(&self) -> String {
        format!("COPY {} ({}) FROM STDIN (FORMAT binary)", self.name, list(&self.columns))
    }

    pub(crate) fn copy_out(&self) -> String {
        format!("COPY ({}) TO STDOUT (FORMAT binary)", self.select())
    }
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

impl Database {
    /// Copies all rows to the empty PostgreSQL database that `target` names, and verifies them.
    ///
    /// # Errors
    /// Why it was not done. Where it was not, both databases are as before, but for the layout that PostgreSQL has then.
    pub fn copy_to(
        &self,
        target: &DatabaseSettings,
        copying: Copying,
        progress: &mut Progress<'_>,
    ) -> Result<Vec<Copied>, CopyError> {
        let Self::Sqlite(sqlite) = self else { return Err(CopyError::NotSqlite) };
        aside(|runtime| Ok(copy(sqlite.path(), (runtime, target), copying, progress)))?
    }
}

fn copy(
    path: &Path,
    (runtime, target): (&Runtime, &DatabaseSettings),
    copying: Copying,
    progress: &mut Progress<'_>,
) -> Result<Vec<Copied>, CopyError> {
    let mut receiver = Receiver::open(runtime, target)?;
    let mut source = Source::open(path, copying)?;
    let mut sent = Vec::new();
    for name in TABLES {
        let table = source.table(name)?;
        let copied = send(&table, &mut source, &mut receiver, progress)?;
        sent.push((table, copied));
    }
    receiver.settle()?;
    for (table, copied) in &sent {
        progress(&format!("{}, read back", table.name), copied.rows, copied.rows);
        if receiver.read_back(table)? != (copied.rows, copied.hash) {
            return Err(CopyError::Differs(table.name));
        }
    }
    if copying == Copying::ForGood {
        // In this order: whoever is ended in between leaves a database that says where its rows may be, and never two that
        // take writes.
        source.close()?;
        source.keep_closed()?;
        receiver.keep()?;
    }
    Ok(sent.into_iter().map(|(_, copied)| copied).collect())
}

/// Sends all rows of one table.
fn send(
    table: &Table,
    source: &mut Source,
    receiver: &mut Receiver<'_>,
    progress: &mut Progress<'_>,
) -> Result<Copied, CopyError> {
    let (of, mut hash) = (source.count(table)?, Sha256::new());
    let mut receiving = receiver.receive(table)?;
    let rows = source.read(table, &mut |rows, piece| {
        hash.update(&piece);
        progress(table.name, rows, of);
        receiving.take(piece)
    })?;
    receiving.finish()?;
    Ok(Copied { table: table.name, rows, hash: hash.finish() })
}
