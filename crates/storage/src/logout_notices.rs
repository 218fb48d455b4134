//! What apps are told of ends of sessions, or were.

use diesel::dsl;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};
use grantor_core::backchannel_logout::{LogoutNotice, NoticeKey, Standing};
use grantor_core::store::StoreError;
use grantor_core::time::Time;
use grantor_jose::id::Id;

use crate::column::Place;
use crate::schema::{clients, grants, logout_notices, sessions, upstream_sessions, users};
use crate::statement::Statement;

#[derive(Queryable)]
pub(crate) struct Row {
    sid: i64,
    client_id: String,
    user_id: i64,
    subject: String,
    ended_at: i64,
    queued_at: i64,
    attempts: i64,
    due_at: Option<i64>,
    over_at: Option<i64>,
    outcome: Option<String>,
    error: String,
}

impl TryFrom<Row> for LogoutNotice {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let place = Place::new("logout_notices", row.sid);
        let standing = match (row.due_at, row.over_at, row.outcome) {
            (Some(due_at), None, None) => Standing::Waiting(Time::from_millis(due_at)),
            (None, Some(over_at), Some(outcome)) => {
                Standing::Over(Time::from_millis(over_at), outcome.parse().map_err(|()| place.corrupt("outcome"))?)
            }
            _ => return Err(place.corrupt("due_at")),
        };
        Ok(Self {
            key: NoticeKey { sid: Id::from_i64(row.sid), client_id: row.client_id },
            user_id: Id::from_i64(row.user_id),
            subject: row.subject,
            ended_at: Time::from_millis(row.ended_at),
            queued_at: Time::from_millis(row.queued_at),
            attempts: row.attempts.try_into().map_err(|_| place.corrupt("attempts"))?,
            standing,
            error: row.error,
        })
    }
}

/// Queues a notice for each app that has a grant given in a session that ended at `at` and can be told. The grants are read when the
/// sessions have ended: whoever redeems a code meanwhile expects that they have not. Whether a grant is still in force does not
/// matter: the app may have signed the person in all the same.
macro_rules! queue {
    ($at:expr, $whose:expr) => {{
        let sid = dsl::case_when(grants::sid.eq(0_i64), grants::session_id).otherwise(grants::sid);
        let at: i64 = $at;
        let took_part = grants::table
            .inner_join(users::table)
            .inner_join(sessions::table.on(sessions::id.eq(grants::session_id)))
            .inner_join(clients::table.on(clients::client_id.eq(grants::client_id)))
            .filter(sessions::ended_at.eq(at).and(clients::backchannel_logout.eq(1_i64)).and($whose))
            .select((
                sid,
                grants::client_id,
                grants::user_id,
                users::subject,
                at.into_sql::<BigInt>(),
                at.into_sql::<BigInt>(),
                at.into_sql::<Nullable<BigInt>>(),
            ))
            .distinct();
        dsl::insert_into(logout_notices::table)
            .values(took_part)
            .into_columns((
                logout_notices::sid,
                logout_notices::client_id,
                logout_notices::user_id,
                logout_notices::subject,
                logout_notices::ended_at,
                logout_notices::queued_at,
                logout_notices::due_at,
            ))
            .on_conflict_do_nothing()
    }};
}

pub(crate) fn queue_of_session(id: i64, at: i64) -> impl Statement {
    queue!(at, sessions::id.eq(id).assume_not_null())
}

pub(crate) fn queue_of_user(user_id: i64, at: i64) -> impl Statement {
    queue!(at, sessions::user_id.eq(user_id).assume_not_null())
}

pub(crate) fn queue_of_upstream(upstream_id: i64, at: i64) -> impl Statement {
    let began_there = upstream_sessions::table
        .filter(upstream_sessions::upstream_id.eq(upstream_id))
        .select(upstream_sessions::session_id);
    queue!(at, sessions::id.eq_any(began_there))
}

pub(crate) fn queue_of_everybody(at: i64) -> impl Statement {
    queue!(at, sessions::ended_at.is_not_null())
}

/// No row where it is due at another moment by now, or is over.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn claim<'a>(client_id: &'a str, sid: i64, due_at: i64, until: i64) -> _ {
    let as_read =
        logout_notices::client_id.eq(client_id).and(logout_notices::sid.eq(sid)).and(logout_notices::due_at.eq(due_at));
    dsl::update(logout_notices::table.filter(as_read)).set(logout_notices::due_at.eq(until))
}

/// No row where somebody else has claimed it since.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn failed<'a>(client_id: &'a str, sid: i64, until: i64, next: i64, error: &'a str) -> _ {
    let ours =
        logout_notices::client_id.eq(client_id).and(logout_notices::sid.eq(sid)).and(logout_notices::due_at.eq(until));
    dsl::update(logout_notices::table.filter(ours)).set((
        logout_notices::due_at.eq(next),
        logout_notices::error.eq(error),
        logout_notices::attempts.eq(logout_notices::attempts + 1_i64),
    ))
}

/// How something ended.
#[derive(Clone, Copy)]
pub(crate) struct End<'a> {
    pub(crate) at: i64,
    pub(crate) outcome: &'a str,
    pub(crate) error: &'a str,
}

/// One row where it is not over.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn over<'a>(client_id: &'a str, sid: i64, end: End<'a>) -> _ {
    let at: i64 = end.at;
    let outcome: &'a str = end.outcome;
    let error: &'a str = end.error;
    let nothing: Option<i64> = None;
    let this = logout_notices::client_id
        .eq(client_id)
        .and(logout_notices::sid.eq(sid))
        .and(logout_notices::due_at.is_not_null());
    dsl::update(logout_notices::table.filter(this)).set((
        logout_notices::due_at.eq(nothing),
        logout_notices::over_at.eq(at),
        logout_notices::outcome.eq(outcome),
        logout_notices::error.eq(error),
        logout_notices::attempts.eq(logout_notices::attempts + 1_i64),
    ))
}

/// Those that were not delivered, of one app or of any, are as they were in the beginning.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn replay<'a>(client_id: (bool, &'a str), at: i64) -> _ {
    let (of_any, client_id): (bool, &'a str) = client_id;
    let nothing: Option<i64> = None;
    let no_outcome: Option<&'a str> = None;
    let failed = logout_notices::outcome.ne("delivered");
    let of_this = of_any.into_sql::<diesel::sql_types::Bool>().or(logout_notices::client_id.eq(client_id));
    dsl::update(logout_notices::table.filter(failed).filter(of_this)).set((
        logout_notices::due_at.eq(at),
        logout_notices::queued_at.eq(at),
        logout_notices::over_at.eq(nothing),
        logout_notices::outcome.eq(no_outcome),
        logout_notices::attempts.eq(0_i64),
        logout_notices::error.eq(""),
    ))
}

/// What an app is to be told by now, the longest due first.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn due<'a>(client_id: &'a str, now: i64, most: i64) -> _ {
    logout_notices::table
        .filter(logout_notices::client_id.eq(client_id).and(logout_notices::due_at.le(now)))
        .order((logout_notices::due_at.asc(), logout_notices::sid.asc()))
        .limit(most)
}

/// The apps that something is due for.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn clients_due(now: i64, most: i64) -> _ {
    logout_notices::table
        .select(logout_notices::client_id)
        .filter(logout_notices::due_at.le(now))
        .distinct()
        .limit(most)
}

/// Those of a person's sessions, the last ended first.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn of_user(user_id: i64, most: i64) -> _ {
    logout_notices::table
        .filter(logout_notices::user_id.eq(user_id))
        .order((logout_notices::ended_at.desc(), logout_notices::client_id.asc()))
        .limit(most)
}

/// All, or those of one app, or those that are not delivered, the last ended first.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn listed<'a>(client_id: (bool, &'a str), also_delivered: bool, most: i64) -> _ {
    let (of_any, client_id): (bool, &'a str) = client_id;
    let of_this = of_any.into_sql::<diesel::sql_types::Bool>().or(logout_notices::client_id.eq(client_id));
    let open = logout_notices::outcome.is_null().or(logout_notices::outcome.ne("delivered").assume_not_null());
    logout_notices::table
        .filter(of_this)
        .filter(also_delivered.into_sql::<diesel::sql_types::Bool>().or(open))
        .order((logout_notices::ended_at.desc(), logout_notices::client_id.asc(), logout_notices::sid.asc()))
        .limit(most)
}

/// How many wait, and how many were refused or given up.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn count_waiting() -> _ {
    logout_notices::table.filter(logout_notices::due_at.is_not_null()).select(dsl::count_star())
}

/// Removes some `limit` receipts of sessions that ended by a moment, and what was in vain tried for as long.
pub(crate) fn sweep(ended_by: i64, limit: i64) -> impl Statement {
    let old = diesel::alias!(logout_notices as old);
    let is_over = old.field(logout_notices::ended_at).le(ended_by).and(old.field(logout_notices::due_at).is_null());
    let over = old.select(old.field(logout_notices::sid)).filter(is_over).limit(limit);
    let this = logout_notices::ended_at.le(ended_by).and(logout_notices::due_at.is_null());
    dsl::delete(logout_notices::table.filter(this.and(logout_notices::sid.eq_any(over))))
}
