//! Statements are values: one definition runs on each database.

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sqlite::Sqlite;

/// A writing statement that each database can run; the one place that lists them. For statements whose type has no name
/// (`ON CONFLICT`); those with a name are `auto_type` functions.
pub(crate) trait Statement: QueryFragment<Sqlite> + QueryFragment<Pg> + QueryId + Send {}

impl<T: QueryFragment<Sqlite> + QueryFragment<Pg> + QueryId + Send> Statement for T {}

/// A statement that each connection prepares once. Diesel would prepare each `UPDATE` and some others anew, because it cannot
/// know that their texts are few; ours are.
pub(crate) struct Prepared<S>(pub(crate) S);

impl<S: QueryFragment<DB>, DB: Backend> QueryFragment<DB> for Prepared<S> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, _backend: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}

/// Found by its text.
impl<S> QueryId for Prepared<S> {
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}
