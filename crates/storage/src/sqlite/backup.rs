//! A backup: the database as it is at one moment in one file, made while others go on reading and writing; and the way back.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::{QueryResult, sql_query};
use grantor_jose::seal::KeyEncryptionKey;

use super::contents::{self, Contents};
use super::files::beside;
use super::partial::Partial;
use super::{connection, open};
use crate::Progress;
use crate::open_error::OpenError;

/// How often it is told how far a backup has come.
const MOMENT: Duration = Duration::from_millis(200);

/// How much of a backup is copied in one go, in bytes.
const PIECE: usize = 1024 * 1024;

/// Why there is no backup, or none was put back; and what mends it.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// It cannot be read, or the copy not be written.
    #[error("{path} cannot be copied: {reason}")]
    Database {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// The file of the backup is there already.
    #[error("{0} is there already, and nothing is overwritten; name a file that is not there yet")]
    Exists(PathBuf),
    /// The system refuses a file.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is a database, but not one of ours.
    #[error("{0} is no database of Grantor's; name a file that `grantor backup` made")]
    Foreign(PathBuf),
    /// There is nothing to back up.
    #[error("{0} is not there; nothing was kept yet, or database_url names another file than the server's")]
    Missing(PathBuf),
    /// A database is where one should be put back.
    #[error(
        "{0} is there already, or its -wal or -shm, and nothing is overwritten; stop the server and move away what is there"
    )]
    Occupied(PathBuf),
    /// The database in the file cannot be used.
    #[error("{path}: {source}")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: OpenError,
    },
    /// Another backup or restore of the same name is under way, or broke off.
    #[error("{0} is there: another run is making it, or broke off; wait for it, or remove the file")]
    UnderWay(PathBuf),
    /// The file is a copy of a database in use, without what its write-ahead log holds.
    #[error("{0}-wal lies beside it, so {0} is not whole by itself; name a file that `grantor backup` made")]
    Unfinished(PathBuf),
    /// The file is damaged.
    #[error("{path} is damaged: {reason}; take another backup")]
    Unsound {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The database has no such address.
    #[error(transparent)]
    Url(OpenError),
}

/// Copies the database that `database_url` names into a new file, and checks the copy. Whatever has the name is whole.
///
/// # Errors
/// Why there is no backup; then there is no file either.
pub fn back_up(
    database_url: &str,
    file: &Path,
    key: &KeyEncryptionKey,
    progress: &mut Progress<'_>,
) -> Result<Contents, BackupError> {
    let database = open::path(database_url).map_err(BackupError::Url)?;
    if !database.exists() {
        return Err(BackupError::Missing(database));
    }
    if file.exists() {
        return Err(BackupError::Exists(file.to_owned()));
    }
    let (partial, _) = begin(beside(file, ".partial"))?;
    let refused = |reason: String| BackupError::Database { path: database.clone(), reason };
    let mut source = connection::patient(&database, open::PATIENCE).map_err(|error| refused(error.to_string()))?;
    vacuum(&mut source, partial.path(), progress).map_err(|error| refused(error.to_string()))?;
    let contents = contents::of(partial.path(), key)?;
    partial.keep_as(file).map_err(|source| BackupError::File { path: file.to_owned(), source })?;
    Ok(contents)
}

fn begin(path: PathBuf) -> Result<(Partial, File), BackupError> {
    Partial::create(path.clone()).map_err(|source| match source.kind() {
        std::io::ErrorKind::AlreadyExists => BackupError::UnderWay(path),
        _ => BackupError::File { path, source },
    })
}

/// Reads in one transaction, so that all of it is of one moment; writers do not wait.
fn vacuum(source: &mut SqliteConnection, into: &Path, progress: &mut Progress<'_>) -> QueryResult<()> {
    #[derive(QueryableByName)]
    struct Size {
        #[diesel(sql_type = BigInt)]
        bytes: i64,
    }
    let size = "SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size";
    let Size { bytes } = sql_query(size).get_result(source)?;
    let statement = sql_query("VACUUM INTO ?").bind::<Text, _>(connection::name(into));
    std::thread::scope(|scope| {
        let (ended, waiting) = channel::<()>();
        let work = scope.spawn(move || {
            let _ended = ended;
            statement.execute(source)
        });
        while waiting.recv_timeout(MOMENT) == Err(RecvTimeoutError::Timeout) {
            let copied = into.metadata().map_or(0, |file| file.len());
            progress("bytes copied", copied, bytes.unsigned_abs());
        }
        let broken = |_| Err(diesel::result::Error::QueryBuilderError("the thread broke off".into()));
        work.join().unwrap_or_else(broken).map(drop)
    })
}

/// A backup on its way back: a checked copy beside the place of the database, gone with the value unless it is put there.
pub struct Restoration {
    partial: Partial,
    database: PathBuf,
    contents: Contents,
}

impl Restoration {
    /// Copies the backup beside the place that `database_url` names, where no database may be, and checks the copy.
    ///
    /// # Errors
    /// Why it cannot be put back; then nothing is changed.
    pub fn begin(
        file: &Path,
        database_url: &str,
        key: &KeyEncryptionKey,
        progress: &mut Progress<'_>,
    ) -> Result<Self, BackupError> {
        let database = open::path(database_url).map_err(BackupError::Url)?;
        if ["", "-wal", "-shm"].iter().any(|ending| beside(&database, ending).exists()) {
            return Err(BackupError::Occupied(database));
        }
        if beside(file, "-wal").exists() {
            return Err(BackupError::Unfinished(file.to_owned()));
        }
        let refused = |source| BackupError::File { path: file.to_owned(), source };
        let mut from = File::open(file).map_err(refused)?;
        let (partial, mut to) = begin(beside(&database, ".restoring"))?;
        let of = from.metadata().map_err(refused)?.len();
        copy(&mut from, &mut to, &mut |copied| progress("bytes copied", copied, of)).map_err(refused)?;
        let contents = contents::of(partial.path(), key).map_err(|error| named(error, file))?;
        Ok(Self { partial, database, contents })
    }

    /// Where the copy is now, to be opened and changed before it is put in place.
    pub fn url(&self) -> String {
        format!("sqlite:{}", self.partial.path().display())
    }

    /// What the backup holds.
    pub const fn contents(&self) -> &Contents {
        &self.contents
    }

    /// Puts it in place. Nobody may have it open any more.
    ///
    /// # Errors
    /// What the system says; then nothing is in place.
    pub fn put_in_place(self) -> Result<(), BackupError> {
        let Self { partial, database, .. } = self;
        partial.keep_as(&database).map_err(|source| BackupError::File { path: database, source })
    }
}

fn copy(from: &mut File, to: &mut File, told: &mut dyn FnMut(u64)) -> std::io::Result<()> {
    let (mut piece, mut copied) = (vec![0; PIECE], 0);
    loop {
        let read = from.read(&mut piece)?;
        if read == 0 {
            return Ok(());
        }
        to.write_all(&piece[..read])?;
        copied += u64::try_from(read).unwrap_or_default();
        told(copied);
    }
}

/// What was found in the copy is told of the file that it is a copy of.
fn named(error: BackupError, file: &Path) -> BackupError {
    let path = file.to_owned();
    match error {
        BackupError::Foreign(_) => BackupError::Foreign(path),
        BackupError::Open { source, .. } => BackupError::Open { path, source },
        BackupError::Unsound { reason, .. } => BackupError::Unsound { path, reason },
        other => other,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
