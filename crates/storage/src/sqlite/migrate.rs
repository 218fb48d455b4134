//! The layout of the database, brought up to date under SQLite's own lock.

use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::sqlite::{Sqlite as Backend, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::open::OpenError;
use crate::error::is_locked;

pub(super) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// Applies what is missing. Another process that does the same is waited for; then nothing is missing.
pub(super) fn migrate(connection: &mut SqliteConnection) -> Result<(), OpenError> {
    // Outside of a transaction; stays in the file.
    connection.batch_execute("PRAGMA journal_mode = WAL;").map_err(|error| refused(&error))?;
    connection.immediate_transaction(|connection| {
        if let Some(version) = newer(connection)? {
            return Err(OpenError::Newer { version });
        }
        connection.run_pending_migrations(MIGRATIONS).map_err(|error| OpenError::Migration(error.to_string()))?;
        Ok(())
    })
}

/// A layout in the database that this version does not know.
fn newer(connection: &mut SqliteConnection) -> Result<Option<String>, OpenError> {
    let unreadable = |error: Box<dyn std::error::Error + Send + Sync>| OpenError::Migration(error.to_string());
    let known = known().map_err(unreadable)?;
    let applied = connection.applied_migrations().map_err(unreadable)?;
    Ok(applied.iter().map(ToString::to_string).find(|version| !known.contains(version)))
}

fn known() -> diesel::migration::Result<Vec<String>> {
    let all: Vec<Box<dyn Migration<Backend>>> = MIGRATIONS.migrations()?;
    Ok(all.iter().map(|migration| migration.name().version().to_string()).collect())
}

/// The version of the last migration.
pub(super) fn version(connection: &mut SqliteConnection) -> diesel::QueryResult<i64> {
    let applied = connection.applied_migrations().map_err(diesel::result::Error::QueryBuilderError)?;
    Ok(applied.first().and_then(|version| version.to_string().parse().ok()).unwrap_or_default())
}

pub(super) fn refused(error: &diesel::result::Error) -> OpenError {
    if is_locked(error) { OpenError::Locked } else { OpenError::Migration(error.to_string()) }
}
