//! The layout of the database, brought up to date under SQLite's own lock.

use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::layout;
use crate::open_error::OpenError;

pub(super) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");

/// Applies what is missing. Another process that does the same is waited for; then nothing is missing.
pub(super) fn migrate(connection: &mut SqliteConnection) -> Result<(), OpenError> {
    // Outside of a transaction; stays in the file.
    connection.batch_execute("PRAGMA journal_mode = WAL;").map_err(OpenError::from)?;
    connection.immediate_transaction(|connection| {
        if let Some(version) = layout::newer(connection, &MIGRATIONS)? {
            return Err(OpenError::Newer { version });
        }
        connection.run_pending_migrations(MIGRATIONS).map_err(|error| OpenError::Migration(error.to_string()))?;
        Ok(())
    })
}
