//! Refresh tokens: one row a family. Rotation finds the generation that was presented, or nothing: the update is the lock.

use diesel::dsl;
use diesel::prelude::*;
use grantor_core::grant::RefreshToken;
use grantor_core::store::StoreError;
use grantor_core::time::Time;
use grantor_jose::id::Id;
use grantor_jose::secret::SecretHash;

use crate::column::Place;
use crate::schema::{consents, grants, refresh_tokens, sessions, users};

#[derive(Insertable, Queryable)]
#[diesel(table_name = refresh_tokens)]
pub(crate) struct Row {
    grant_id: i64,
    generation: i64,
    secret: Vec<u8>,
    rotated_at: i64,
    idle_expires_at: i64,
    absolute_expires_at: i64,
}

impl Row {
    pub(crate) fn new(token: &RefreshToken) -> Self {
        Self {
            grant_id: token.grant_id.as_i64(),
            generation: token.generation.into(),
            secret: token.secret.as_bytes().to_vec(),
            rotated_at: token.rotated_at.millis(),
            idle_expires_at: token.idle_expires_at.millis(),
            absolute_expires_at: token.absolute_expires_at.millis(),
        }
    }
}

impl TryFrom<Row> for RefreshToken {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let place = Place::new("refresh_tokens", row.grant_id);
        Ok(Self {
            grant_id: Id::from_i64(row.grant_id),
            generation: row.generation.try_into().map_err(|_| place.corrupt("generation"))?,
            secret: place.hash("secret", &row.secret)?,
            rotated_at: Time::from_millis(row.rotated_at),
            idle_expires_at: Time::from_millis(row.idle_expires_at),
            absolute_expires_at: Time::from_millis(row.absolute_expires_at),
        })
    }
}

/// The token, its grant, person, session and consent.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn find(grant_id: i64) -> _ {
    let answered = consents::user_id.eq(grants::user_id).and(consents::client_id.eq(grants::client_id));
    refresh_tokens::table
        .inner_join(grants::table.on(grants::id.eq(refresh_tokens::grant_id)))
        .inner_join(users::table.on(users::id.eq(grants::user_id)))
        .left_join(sessions::table.on(sessions::id.eq(grants::session_id)))
        .left_join(consents::table.on(answered))
        .filter(refresh_tokens::grant_id.eq(grant_id))
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn insert(row: Row) -> _ {
    dsl::insert_into(refresh_tokens::table).values(row)
}

/// What a rotation changes.
#[derive(AsChangeset)]
#[diesel(table_name = refresh_tokens)]
pub(crate) struct Successor {
    generation: i64,
    secret: Vec<u8>,
    rotated_at: i64,
    idle_expires_at: i64,
}

impl Successor {
    /// What follows `generation`.
    pub(crate) fn new(generation: u32, secret: SecretHash, at: Time, idle_expires_at: Time) -> Self {
        Self {
            generation: i64::from(generation) + 1,
            secret: secret.as_bytes().to_vec(),
            rotated_at: at.millis(),
            idle_expires_at: idle_expires_at.millis(),
        }
    }
}

/// Changes one row, or none when another generation is current.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn rotate(grant_id: i64, generation: i64, successor: Successor) -> _ {
    dsl::update(
        refresh_tokens::table
            .filter(refresh_tokens::grant_id.eq(grant_id).and(refresh_tokens::generation.eq(generation))),
    )
    .set(successor)
}
