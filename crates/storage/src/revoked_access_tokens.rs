//! Notes that an access token, signed or opaque, ended before its time.

use diesel::dsl;
use diesel::prelude::*;

use crate::schema::revoked_access_tokens;
use crate::statement::Statement;

#[dsl::auto_type(no_type_alias)]
pub(crate) fn find(id: i64) -> _ {
    revoked_access_tokens::table.select(revoked_access_tokens::id).filter(revoked_access_tokens::id.eq(id))
}

/// A second revocation adds nothing.
pub(crate) fn insert(id: i64, expires_at: i64) -> impl Statement {
    dsl::insert_into(revoked_access_tokens::table)
        .values((revoked_access_tokens::id.eq(id), revoked_access_tokens::expires_at.eq(expires_at)))
        .on_conflict(revoked_access_tokens::id)
        .do_nothing()
}

/// Removes at most `limit` that are needed no more.
pub(crate) fn sweep(expired_by: i64, limit: i64) -> impl Statement {
    let old = diesel::alias!(revoked_access_tokens as old);
    let expired = old
        .select(old.field(revoked_access_tokens::id))
        .filter(old.field(revoked_access_tokens::expires_at).le(expired_by))
        .order(old.field(revoked_access_tokens::expires_at))
        .limit(limit);
    dsl::delete(revoked_access_tokens::table.filter(revoked_access_tokens::id.eq_any(expired)))
}
