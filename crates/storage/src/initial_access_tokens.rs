//! What clients may be registered with: kept as hashes, each good for so many registrations.

use diesel::dsl;
use diesel::prelude::*;
use grantor_core::registration::InitialToken;
use grantor_core::store::StoreError;
use grantor_core::time::Time;
use grantor_jose::id::Id;

use crate::column::Place;
use crate::schema::initial_access_tokens;

#[derive(Insertable, Queryable)]
#[diesel(table_name = initial_access_tokens, treat_none_as_default_value = false)]
pub(crate) struct Row {
    id: i64,
    name: String,
    secret: Vec<u8>,
    created_at: i64,
    expires_at: i64,
    uses: i64,
    uses_left: i64,
    ended_at: Option<i64>,
}

impl Row {
    pub(crate) fn new(token: &InitialToken) -> Self {
        Self {
            id: token.id.as_i64(),
            name: token.name.clone(),
            secret: token.secret.as_bytes().to_vec(),
            created_at: token.created_at.millis(),
            expires_at: token.expires_at.millis(),
            uses: token.uses.into(),
            uses_left: token.uses_left.into(),
            ended_at: token.ended_at.map(Time::millis),
        }
    }
}

impl TryFrom<Row> for InitialToken {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let place = Place::new("initial_access_tokens", row.id);
        Ok(Self {
            id: Id::from_i64(row.id),
            name: row.name,
            secret: place.hash("secret", &row.secret)?,
            created_at: Time::from_millis(row.created_at),
            expires_at: Time::from_millis(row.expires_at),
            uses: row.uses.try_into().map_err(|_| place.corrupt("uses"))?,
            uses_left: row.uses_left.try_into().map_err(|_| place.corrupt("uses_left"))?,
            ended_at: row.ended_at.map(Time::from_millis),
        })
    }
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn find(id: i64) -> _ {
    initial_access_tokens::table.filter(initial_access_tokens::id.eq(id))
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn all() -> _ {
    initial_access_tokens::table.order(initial_access_tokens::id.desc())
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn insert(row: Row) -> _ {
    dsl::insert_into(initial_access_tokens::table).values(row)
}

/// Takes one use, of one row where there is one left.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn spend(id: i64, at: i64) -> _ {
    let good = initial_access_tokens::id
        .eq(id)
        .and(initial_access_tokens::uses_left.gt(0_i64))
        .and(initial_access_tokens::ended_at.is_null())
        .and(initial_access_tokens::expires_at.gt(at));
    dsl::update(initial_access_tokens::table.filter(good))
        .set(initial_access_tokens::uses_left.eq(initial_access_tokens::uses_left - 1_i64))
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn end(id: i64, at: i64) -> _ {
    let live = initial_access_tokens::id.eq(id).and(initial_access_tokens::ended_at.is_null());
    dsl::update(initial_access_tokens::table.filter(live)).set(initial_access_tokens::ended_at.eq(at))
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn end_all(at: i64) -> _ {
    dsl::update(initial_access_tokens::table.filter(initial_access_tokens::ended_at.is_null()))
        .set(initial_access_tokens::ended_at.eq(at))
}

/// Those that came to their end by a moment, whether they were used or not.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn sweep(over_by: i64) -> _ {
    dsl::delete(initial_access_tokens::table.filter(initial_access_tokens::expires_at.lt(over_by)))
}
