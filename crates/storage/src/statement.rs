//! Statements are values: one definition runs on each database.

use diesel::query_dsl::methods::ExecuteDsl;
use diesel::sqlite::SqliteConnection;

/// A writing statement that each database can run; the one place that lists them. For statements whose type has no name
/// (`ON CONFLICT`); those with a name are `auto_type` functions.
pub(crate) trait Statement: ExecuteDsl<SqliteConnection> {}

impl<T: ExecuteDsl<SqliteConnection>> Statement for T {}
