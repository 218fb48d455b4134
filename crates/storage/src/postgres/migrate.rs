//! The layout of the database, brought up to date by one node at a time.

use diesel::RunQueryDsl;
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::layout;
use crate::open_error::OpenError;

pub(super) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// The lock of whoever changes the layout. Another node that does the same is waited for; then nothing is missing.
const LAYOUT: i64 = 0x6772_616e_746f_7202;

/// Applies what is missing. To be called inside a runtime of several threads.
pub(super) fn migrate(connection: AsyncPgConnection) -> Result<(), OpenError> {
    let mut connection = AsyncConnectionWrapper::<AsyncPgConnection>::from(connection);
    let mut run =
        |statement: String| diesel::sql_query(statement).execute(&mut connection).map_err(|error| refused(&error));
    run("SET statement_timeout = 0".to_owned())?;
    run("SET lock_timeout = '60s'".to_owned())?;
    run(format!("SELECT pg_advisory_lock({LAYOUT})"))?;
    if let Some(version) = layout::newer(&mut connection, &MIGRATIONS)? {
        return Err(OpenError::Newer { version });
    }
    let applied = connection.run_pending_migrations(MIGRATIONS).map(|_| ());
    // Closing the connection lets go of the lock.
    applied.map_err(|error| OpenError::Migration(error.to_string()))
}

fn refused(error: &diesel::result::Error) -> OpenError {
    OpenError::Migration(error.to_string())
}
