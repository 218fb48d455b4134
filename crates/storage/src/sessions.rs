//! Sign-ins of people in browsers.

use diesel::dsl;
use diesel::prelude::*;
use grantor_core::session::Session;
use grantor_core::store::StoreError;
use grantor_core::time::Time;
use grantor_jose::id::Id;

use crate::column::{Place, json};
use crate::error::Failure;
use crate::schema::{sessions, users};

#[derive(Insertable, Queryable)]
#[diesel(table_name = sessions, treat_none_as_default_value = false)]
pub(crate) struct Row {
    id: i64,
    secret: Vec<u8>,
    user_id: i64,
    auth_time: i64,
    last_seen_at: i64,
    acr: String,
    amr: String,
    address: String,
    user_agent: String,
    ended_at: Option<i64>,
}

impl Row {
    pub(crate) fn new(session: &Session) -> Result<Self, Failure> {
        Ok(Self {
            id: session.id.as_i64(),
            secret: session.secret.as_bytes().to_vec(),
            user_id: session.user_id.as_i64(),
            auth_time: session.auth_time.millis(),
            last_seen_at: session.last_seen_at.millis(),
            acr: session.acr.clone(),
            amr: json(&session.amr)?,
            address: session.address.clone(),
            user_agent: session.user_agent.clone(),
            ended_at: session.ended_at.map(Time::millis),
        })
    }
}

impl TryFrom<Row> for Session {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let place = Place::new("sessions", row.id);
        Ok(Self {
            id: Id::from_i64(row.id),
            secret: place.hash("secret", &row.secret)?,
            user_id: Id::from_i64(row.user_id),
            auth_time: Time::from_millis(row.auth_time),
            last_seen_at: Time::from_millis(row.last_seen_at),
            acr: row.acr,
            amr: place.json("amr", &row.amr)?,
            address: row.address,
            user_agent: row.user_agent,
            ended_at: row.ended_at.map(Time::from_millis),
        })
    }
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn find(id: i64) -> _ {
    sessions::table.inner_join(users::table).filter(sessions::id.eq(id))
}

/// Those that have not ended, the newest first.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn of_user(user_id: i64) -> _ {
    sessions::table.filter(sessions::user_id.eq(user_id).and(sessions::ended_at.is_null())).order(sessions::id.desc())
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn insert(row: Row) -> _ {
    dsl::insert_into(sessions::table).values(row)
}

/// One row where the session has not ended.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn expect(id: i64) -> _ {
    sessions::table.select(sessions::id).filter(sessions::id.eq(id).and(sessions::ended_at.is_null()))
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn end(id: i64, at: i64) -> _ {
    dsl::update(sessions::table.filter(sessions::id.eq(id).and(sessions::ended_at.is_null())))
        .set(sessions::ended_at.eq(at))
}

/// Ends those of a person, `except` one; no session has the identifier 0.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn end_of_user(user_id: i64, except: i64, at: i64) -> _ {
    let others = sessions::user_id.eq(user_id).and(sessions::id.ne(except)).and(sessions::ended_at.is_null());
    dsl::update(sessions::table.filter(others)).set(sessions::ended_at.eq(at))
}

/// Ends all.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn end_all(at: i64) -> _ {
    dsl::update(sessions::table.filter(sessions::ended_at.is_null())).set(sessions::ended_at.eq(at))
}

/// Never moves the moment back.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn seen(id: i64, at: i64) -> _ {
    dsl::update(sessions::table.filter(sessions::id.eq(id).and(sessions::last_seen_at.lt(at))))
        .set(sessions::last_seen_at.eq(at))
}

/// The next identifiers that a patrol looks at.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn window(after: i64, before: i64, limit: i64) -> _ {
    sessions::table
        .select(sessions::id)
        .filter(sessions::id.gt(after).and(sessions::id.lt(before)))
        .order(sessions::id)
        .limit(limit)
}

/// When a session counts as long dead. Not when nobody was seen in it: apps may go on with what they were allowed there.
#[derive(Clone, Copy)]
pub(crate) struct Dead {
    /// Ended by then.
    pub(crate) ended: i64,
    /// Begun by then.
    pub(crate) begun: i64,
}

/// Removes the dead between two identifiers.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn sweep(after: i64, through: i64, dead: Dead) -> _ {
    let ended: i64 = dead.ended;
    let begun: i64 = dead.begun;
    let is_dead = sessions::ended_at.le(ended).or(sessions::auth_time.le(begun).nullable());
    dsl::delete(sessions::table.filter(sessions::id.gt(after).and(sessions::id.le(through))).filter(is_dead))
}
