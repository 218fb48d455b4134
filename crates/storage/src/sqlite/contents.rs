//! What a database file holds that nobody works on, as a backup: looked at, not changed, and not brought up to date.

use std::path::Path;
use std::sync::Arc;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use grantor_core::time::Time;
use grantor_jose::id::Id;
use grantor_jose::random::Mint;
use grantor_jose::seal::KeyEncryptionKey;

use super::backup::BackupError;
use super::migrate::MIGRATIONS;
use super::{connection, examine, open};
use crate::error::Failure;
use crate::open_error::OpenError;
use crate::schema::TABLES;
use crate::sealing::Sealer;
use crate::{layout, root_secret};

/// What a database file holds.
#[derive(Clone, Debug)]
pub struct Contents {
    /// The number of its layout.
    pub layout: i64,
    /// How many rows each table has.
    pub counts: Vec<(&'static str, i64)>,
    /// When the newest thing in it was made.
    pub newest: Time,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

/// Looks at a file: whether it is a database of ours, sound, of a layout that is known, and sealed with this key.
pub(super) fn of(path: &Path, key: &KeyEncryptionKey) -> Result<Contents, BackupError> {
    let unsound = |reason: String| BackupError::Unsound { path: path.to_owned(), reason };
    let mut connection = connection::patient(path, open::PATIENCE).map_err(|error| unsound(error.to_string()))?;
    let connection = &mut connection;
    let there = tables(connection).map_err(|error| unsound(error.to_string()))?;
    if !["root_secret", "__diesel_schema_migrations"].iter().all(|ours| there.iter().any(|table| table == ours)) {
        return Err(BackupError::Foreign(path.to_owned()));
    }
    if let Some(complaint) = examine::complaint(connection).map_err(|error| unsound(error.to_string()))? {
        return Err(unsound(complaint));
    }
    let refused = |source| BackupError::Open { path: path.to_owned(), source };
    if let Some(version) = layout::newer(connection, &MIGRATIONS).map_err(refused)? {
        return Err(refused(OpenError::Newer { version }));
    }
    opens(connection, key).map_err(|failure| refused(failure.into()))?;
    count(connection, &there).map_err(|error| unsound(error.to_string()))
}

fn tables(connection: &mut SqliteConnection) -> QueryResult<Vec<String>> {
    let tables: Vec<Name> = sql_query("SELECT name FROM sqlite_schema WHERE type = 'table'").load(connection)?;
    Ok(tables.into_iter().map(|table| table.name).collect())
}

fn opens(connection: &mut SqliteConnection, key: &KeyEncryptionKey) -> Result<(), Failure> {
    let sealed: Vec<u8> = root_secret::find().first(connection)?;
    root_secret::open(&sealed, &Sealer::new(key.clone(), Arc::new(Mint::new(0)))).map(drop)
}

/// Tables that a later layout makes are not there yet.
fn count(connection: &mut SqliteConnection, there: &[String]) -> QueryResult<Contents> {
    let mut counts = Vec::new();
    for table in TABLES.iter().filter(|table| there.iter().any(|name| name == *table)) {
        counts.push((*table, rows(connection, table)?));
    }
    let newest = Time::from_millis(Id::from_i64(examine::newest_id(connection)?).created_ms());
    Ok(Contents { layout: layout::version(connection)?, counts, newest })
}

/// How many rows a table has.
pub(super) fn rows(connection: &mut SqliteConnection, table: &str) -> QueryResult<i64> {
    sql_query(format!("SELECT count(*) AS rows FROM {table}")).get_result(connection).map(|count: Count| count.rows)
}
