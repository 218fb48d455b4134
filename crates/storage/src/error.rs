//! What can go wrong, and what the rest of the house is told of it.

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use grantor_core::store::StoreError;
use grantor_jose::seal::SealError;

/// Why a change or a read failed, before it becomes the [`StoreError`] that core knows.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The expected rows were not there, or a row was there already.
    #[error("an expectation did not hold")]
    Conflict,
    /// The database failed.
    #[error(transparent)]
    Database(DieselError),
    /// The connection is in a state that it cannot be in, and is to be left.
    #[error("the connection is of no use any more")]
    Gone,
    /// A value has no JSON text.
    #[error("a value cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A sealed value does not open.
    #[error("{table}.{column} of row {id}: {source}")]
    Sealed {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row.
        id: String,
        /// Why.
        source: SealError,
    },
    /// A row that cannot be, or what else core has a word for.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DieselError> for Failure {
    /// A row that must not be there twice, or that refers to one that is gone, tells of a lost race; so does it where PostgreSQL has
    /// let one go of several that waited for each other.
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::DatabaseError(
                DatabaseErrorKind::UniqueViolation
                | DatabaseErrorKind::ForeignKeyViolation
                | DatabaseErrorKind::SerializationFailure,
                _,
            ) => Self::Conflict,
            DieselError::DatabaseError(_, about) if about.message() == "deadlock detected" => Self::Conflict,
            other => Self::Database(other),
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Conflict => Self::Conflict,
            Failure::Gone => Self::Unavailable,
            Failure::Database(error) if is_locked(&error) => Self::Busy,
            Failure::Database(error) if has_moved(&error) => Self::Unavailable,
            Failure::Sealed { table, column, id, .. } => Self::Corrupt { table, column, id },
            Failure::Store(error) => error,
            other => Self::Failed(Box::new(other)),
        }
    }
}

/// A failure that is told in words, once for each of many who wait for the same thing.
pub(crate) fn failed(what: impl Into<String>) -> StoreError {
    StoreError::Failed(what.into().into())
}

/// Whether another process held the database longer than we wait.
pub(crate) fn is_locked(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(_, about) if about.message().contains("database is locked"))
}

/// What a database says that takes no more writes, since its rows are somewhere else.
pub(crate) const MOVED: &str = "this database has moved to PostgreSQL";

/// Whether the database takes no more writes.
pub(crate) fn has_moved(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(_, about) if about.message() == MOVED)
}
