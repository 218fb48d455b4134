//! The number of a database's layout, whichever kind it is.

use diesel::backend::Backend;
use diesel::migration::{Migration, MigrationSource};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness};

use crate::open_error::OpenError;

/// A layout in the database that this version does not know.
pub(crate) fn newer<DB: Backend>(
    connection: &mut impl MigrationHarness<DB>,
    known: &EmbeddedMigrations,
) -> Result<Option<String>, OpenError> {
    let unreadable = |error: Box<dyn std::error::Error + Send + Sync>| OpenError::Migration(error.to_string());
    let known: Vec<Box<dyn Migration<DB>>> = known.migrations().map_err(unreadable)?;
    let known: Vec<String> = known.iter().map(|migration| migration.name().version().to_string()).collect();
    let applied = connection.applied_migrations().map_err(unreadable)?;
    Ok(applied.iter().map(ToString::to_string).find(|version| !known.contains(version)))
}

/// The version of the last migration.
pub(crate) fn version<DB: Backend>(connection: &mut impl MigrationHarness<DB>) -> diesel::QueryResult<i64> {
    let applied = connection.applied_migrations().map_err(diesel::result::Error::QueryBuilderError)?;
    Ok(applied.first().and_then(|version| version.to_string().parse().ok()).unwrap_or_default())
}
