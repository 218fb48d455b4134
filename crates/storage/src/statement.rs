//! Statements are values: one definition runs on each database.

use diesel::pg::Pg;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::sqlite::Sqlite;

/// A writing statement that each database can run; the one place that lists them. For statements whose type has no name
/// (`ON CONFLICT`); those with a name are `auto_type` functions.
pub(crate) trait Statement: QueryFragment<Sqlite> + QueryFragment<Pg> + QueryId + Send {}

impl<T: QueryFragment<Sqlite> + QueryFragment<Pg> + QueryId + Send> Statement for T {}
