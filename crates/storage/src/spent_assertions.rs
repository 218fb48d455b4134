//! Notes that a client assertion was used.

use diesel::dsl;
use diesel::prelude::*;

use crate::schema::spent_assertions;
use crate::statement::Statement;

/// Fails where the assertion was used before.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn insert<'a>(digest: &'a [u8], expires_at: i64) -> _ {
    dsl::insert_into(spent_assertions::table)
        .values((spent_assertions::digest.eq(digest), spent_assertions::expires_at.eq(expires_at)))
}

/// Removes at most `limit` that are needed no more.
pub(crate) fn sweep(expired_by: i64, limit: i64) -> impl Statement {
    let old = diesel::alias!(spent_assertions as old);
    let expired = old
        .select(old.field(spent_assertions::digest))
        .filter(old.field(spent_assertions::expires_at).le(expired_by))
        .order(old.field(spent_assertions::expires_at))
        .limit(limit);
    dsl::delete(spent_assertions::table.filter(spent_assertions::digest.eq_any(expired)))
}
