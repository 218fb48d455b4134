//! The names of people who were removed, as keyed hashes.

use diesel::dsl;
use diesel::prelude::*;

use crate::schema::retired_usernames;
use crate::statement::Statement;

#[dsl::auto_type(no_type_alias)]
pub(crate) fn find<'a>(digest: &'a [u8]) -> _ {
    retired_usernames::table.select(retired_usernames::retired_at).filter(retired_usernames::digest.eq(digest))
}

/// One that is there already stays as it is.
pub(crate) fn insert(digest: &[u8], retired_at: i64) -> impl Statement {
    dsl::insert_into(retired_usernames::table)
        .values((retired_usernames::digest.eq(digest.to_vec()), retired_usernames::retired_at.eq(retired_at)))
        .on_conflict(retired_usernames::digest)
        .do_nothing()
}
