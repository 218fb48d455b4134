//! Authorization codes. Spending one is an update that finds it unspent, or finds nothing: the update is the lock.

use diesel::dsl;
use diesel::prelude::*;
use grantor_core::grant::AuthorizationCode;
use grantor_core::pkce::CodeChallenge;
use grantor_core::store::StoreError;
use grantor_core::time::Time;
use grantor_jose::id::Id;

use crate::column::{Place, json};
use crate::error::Failure;
use crate::schema::{authorization_codes, consents, grants, sessions, users};
use crate::statement::Statement;

#[derive(Insertable, Queryable)]
#[diesel(table_name = authorization_codes, treat_none_as_default_value = false)]
pub(crate) struct Row {
    id: i64,
    secret: Vec<u8>,
    client_id: String,
    user_id: i64,
    session_id: i64,
    redirect_uri: String,
    redirect_uri_sent: i64,
    code_challenge: Option<String>,
    scope: String,
    context: String,
    expires_at: i64,
    spent_at: Option<i64>,
}

impl Row {
    pub(crate) fn new(code: &AuthorizationCode) -> Result<Self, Failure> {
        Ok(Self {
            id: code.id.as_i64(),
            secret: code.secret.as_bytes().to_vec(),
            client_id: code.client_id.clone(),
            user_id: code.user_id.as_i64(),
            session_id: code.session_id.as_i64(),
            redirect_uri: code.redirect_uri.clone(),
            redirect_uri_sent: code.redirect_uri_sent.into(),
            code_challenge: code.code_challenge.as_ref().map(|challenge| challenge.as_stored().to_owned()),
            scope: code.scope.to_string(),
            context: json(&code.context)?,
            expires_at: code.expires_at.millis(),
            spent_at: code.spent_at.map(Time::millis),
        })
    }
}

impl TryFrom<Row> for AuthorizationCode {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let place = Place::new("authorization_codes", row.id);
        Ok(Self {
            id: Id::from_i64(row.id),
            secret: place.hash("secret", &row.secret)?,
            client_id: row.client_id,
            user_id: Id::from_i64(row.user_id),
            session_id: Id::from_i64(row.session_id),
            redirect_uri: row.redirect_uri,
            redirect_uri_sent: place.flag("redirect_uri_sent", row.redirect_uri_sent)?,
            code_challenge: row.code_challenge.map(CodeChallenge::from_stored),
            scope: place.scope("scope", &row.scope)?,
            context: place.json("context", &row.context)?,
            expires_at: Time::from_millis(row.expires_at),
            spent_at: row.spent_at.map(Time::from_millis),
        })
    }
}

/// The code, its person, session and consent, and the grant that it has become.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn find(id: i64) -> _ {
    let answered =
        consents::user_id.eq(authorization_codes::user_id).and(consents::client_id.eq(authorization_codes::client_id));
    authorization_codes::table
        .inner_join(users::table.on(users::id.eq(authorization_codes::user_id)))
        .left_join(sessions::table.on(sessions::id.eq(authorization_codes::session_id)))
        .left_join(consents::table.on(answered))
        .left_join(grants::table.on(grants::id.eq(authorization_codes::id)))
        .filter(authorization_codes::id.eq(id))
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn insert(row: Row) -> _ {
    dsl::insert_into(authorization_codes::table).values(row)
}

/// Changes one row, or none when the code is spent already.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn spend(id: i64, at: i64) -> _ {
    dsl::update(
        authorization_codes::table.filter(authorization_codes::id.eq(id).and(authorization_codes::spent_at.is_null())),
    )
    .set(authorization_codes::spent_at.eq(at))
}

/// Removes at most `limit` that expired long ago, spent or not. `before` is an identifier of that time, so that only the
/// oldest rows are looked at.
pub(crate) fn sweep(before: i64, expired_by: i64, limit: i64) -> impl Statement {
    let old = diesel::alias!(authorization_codes as old);
    let expired = old
        .select(old.field(authorization_codes::id))
        .filter(old.field(authorization_codes::id).lt(before))
        .filter(old.field(authorization_codes::expires_at).le(expired_by))
        .order(old.field(authorization_codes::id))
        .limit(limit);
    dsl::delete(authorization_codes::table.filter(authorization_codes::id.eq_any(expired)))
}

/// Removes all.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn clear() -> _ {
    dsl::delete(authorization_codes::table)
}
