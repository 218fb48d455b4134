//! Opaque access tokens. Those that are signed have no row.

use diesel::dsl;
use diesel::prelude::*;
use grantor_core::grant::AccessToken;
use grantor_core::store::StoreError;
use grantor_core::time::Time;
use grantor_jose::id::Id;

use crate::column::{Place, json};
use crate::error::Failure;
use crate::schema::{access_tokens, grants, revoked_access_tokens, users};
use crate::statement::Statement;

#[derive(Insertable, Queryable)]
#[diesel(table_name = access_tokens, treat_none_as_default_value = false)]
pub(crate) struct Row {
    id: i64,
    secret: Vec<u8>,
    grant_id: Option<i64>,
    client_id: String,
    scope: String,
    audience: String,
    issued_at: i64,
    expires_at: i64,
}

impl Row {
    pub(crate) fn new(token: &AccessToken) -> Result<Self, Failure> {
        Ok(Self {
            id: token.id.as_i64(),
            secret: token.secret.as_bytes().to_vec(),
            grant_id: token.grant_id.map(Id::as_i64),
            client_id: token.client_id.clone(),
            scope: token.scope.to_string(),
            audience: json(&token.audience)?,
            issued_at: token.issued_at.millis(),
            expires_at: token.expires_at.millis(),
        })
    }
}

impl TryFrom<Row> for AccessToken {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let place = Place::new("access_tokens", row.id);
        Ok(Self {
            id: Id::from_i64(row.id),
            secret: place.hash("secret", &row.secret)?,
            grant_id: row.grant_id.map(Id::from_i64),
            client_id: row.client_id,
            scope: place.scope("scope", &row.scope)?,
            audience: place.json("audience", &row.audience)?,
            issued_at: Time::from_millis(row.issued_at),
            expires_at: Time::from_millis(row.expires_at),
        })
    }
}

/// The token, the note that it was revoked, its grant and its person.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn find(id: i64) -> _ {
    access_tokens::table
        .left_join(revoked_access_tokens::table.on(revoked_access_tokens::id.eq(access_tokens::id)))
        .left_join(grants::table.on(grants::id.nullable().eq(access_tokens::grant_id)))
        .left_join(users::table.on(users::id.eq(grants::user_id)))
        .filter(access_tokens::id.eq(id))
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn insert(row: Row) -> _ {
    dsl::insert_into(access_tokens::table).values(row)
}

/// Removes at most `limit` that have expired.
pub(crate) fn sweep(expired_by: i64, limit: i64) -> impl Statement {
    let old = diesel::alias!(access_tokens as old);
    let expired = old
        .select(old.field(access_tokens::id))
        .filter(old.field(access_tokens::expires_at).le(expired_by))
        .order(old.field(access_tokens::expires_at))
        .limit(limit);
    dsl::delete(access_tokens::table.filter(access_tokens::id.eq_any(expired)))
}

/// Removes all.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn clear() -> _ {
    dsl::delete(access_tokens::table)
}
