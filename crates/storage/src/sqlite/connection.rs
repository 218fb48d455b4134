//! Connections and their settings.

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;
use diesel::{Connection, ConnectionResult, QueryResult};

/// What holds for each connection. Another process that writes, as `grantor apply`, is waited for.
const COMMON: &str = "
    PRAGMA busy_timeout = 5000;
    PRAGMA foreign_keys = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA temp_store = MEMORY;
    PRAGMA mmap_size = 268435456;";

/// `synchronous = FULL`: what is committed has reached the disk before anybody is told. The cache has at most 64 MiB, the
/// write-ahead log between checkpoints about 16 MiB.
const WRITER: &str = "
    PRAGMA synchronous = FULL;
    PRAGMA cache_size = -65536;
    PRAGMA wal_autocheckpoint = 4000;
    PRAGMA journal_size_limit = 67108864;";

/// A reader takes pages from the map of the file; its cache has at most 512 KiB.
const READER: &str = "
    PRAGMA query_only = ON;
    PRAGMA cache_size = -512;";

/// A connection that waits for others for so long, and is not set up otherwise.
pub(super) fn patient(path: &Path, milliseconds: u32) -> ConnectionResult<SqliteConnection> {
    let mut connection = SqliteConnection::establish(&name(path))?;
    let wait = format!("PRAGMA busy_timeout = {milliseconds};");
    connection.batch_execute(&wait).map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

pub(super) fn writer(path: &Path) -> ConnectionResult<SqliteConnection> {
    connect(path, WRITER)
}

pub(super) fn reader(path: &Path) -> ConnectionResult<SqliteConnection> {
    connect(path, READER)
}

fn connect(path: &Path, own: &str) -> ConnectionResult<SqliteConnection> {
    let mut connection = SqliteConnection::establish(&name(path))?;
    set_up(&mut connection, own).map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

fn set_up(connection: &mut SqliteConnection, own: &str) -> QueryResult<()> {
    connection.batch_execute(COMMON)?;
    connection.batch_execute(own)
}

/// A name that SQLite takes for a path whatever its first letters are.
pub(super) fn name(path: &Path) -> String {
    if path.is_absolute() { path.display().to_string() } else { Path::new(".").join(path).display().to_string() }
}
