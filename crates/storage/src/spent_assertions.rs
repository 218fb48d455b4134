//! Notes that a client assertion was used, or whatever else counts once.

use diesel::dsl;
use diesel::prelude::*;
use grantor_core::store::StoreError;
use grantor_core::time::Time;

use crate::schema::spent_assertions;
use crate::statement::Statement;
use crate::{Database, query};

/// Fails where the assertion was used before.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn insert<'a>(digest: &'a [u8], expires_at: i64) -> _ {
    dsl::insert_into(spent_assertions::table)
        .values((spent_assertions::digest.eq(digest), spent_assertions::expires_at.eq(expires_at)))
}

#[dsl::auto_type(no_type_alias)]
fn kept<'a>(digest: &'a [u8], now: i64) -> _ {
    let is_kept = spent_assertions::digest.eq(digest).and(spent_assertions::expires_at.gt(now));
    spent_assertions::table.filter(is_kept).select(spent_assertions::expires_at)
}

impl Database {
    /// Whether there is a note of this digest that is still needed.
    ///
    /// # Errors
    /// What the database says.
    pub async fn is_spent(&self, digest: &[u8; 32], now: Time) -> Result<bool, StoreError> {
        let until: Option<i64> = query!(self, first?, kept(digest, now.millis()))?;
        Ok(until.is_some())
    }
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
