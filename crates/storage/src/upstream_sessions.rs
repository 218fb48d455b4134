//! Where sessions began that began at an upstream.

use diesel::dsl;
use diesel::prelude::*;
use grantor_core::session::Session;
use grantor_core::store::StoreError;
use grantor_core::upstream::{UpstreamLink, UpstreamSession};
use grantor_jose::id::Id;

use crate::grants::is_bound;
use crate::schema::{grants, sessions, upstream_sessions};
use crate::statement::Statement;
use crate::{Database, query};

/// The most sessions that are ended by one set of changes.
const MOST: usize = 100;

#[derive(Insertable, Queryable)]
#[diesel(table_name = upstream_sessions, treat_none_as_default_value = false)]
pub(crate) struct Row {
    session_id: i64,
    upstream_id: i64,
    subject: String,
    sid: Option<String>,
    tells_time: i64,
}

impl From<&UpstreamSession> for Row {
    fn from(began: &UpstreamSession) -> Self {
        Self {
            session_id: began.session_id.as_i64(),
            upstream_id: began.upstream_id.as_i64(),
            subject: began.subject.clone(),
            sid: began.sid.clone(),
            tells_time: began.tells_time.into(),
        }
    }
}

impl From<Row> for UpstreamSession {
    fn from(row: Row) -> Self {
        Self {
            session_id: Id::from_i64(row.session_id),
            upstream_id: Id::from_i64(row.upstream_id),
            subject: row.subject,
            sid: row.sid,
            tells_time: row.tells_time != 0,
        }
    }
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn of_session(id: i64) -> _ {
    upstream_sessions::table.filter(upstream_sessions::session_id.eq(id))
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn insert(row: Row) -> _ {
    dsl::insert_into(upstream_sessions::table).values(row)
}

/// Ends those of an upstream.
pub(crate) fn end_sessions(upstream_id: i64, at: i64) -> impl Statement {
    let began_there = upstream_sessions::table
        .filter(upstream_sessions::upstream_id.eq(upstream_id))
        .select(upstream_sessions::session_id);
    let live = sessions::table.filter(sessions::id.eq_any(began_there).and(sessions::ended_at.is_null()));
    dsl::update(live).set(sessions::ended_at.eq(at))
}

/// Ends what was given in them and does not outlive them.
pub(crate) fn end_grants(upstream_id: i64, at: i64, reason: &str) -> impl Statement {
    let began_there = upstream_sessions::table
        .filter(upstream_sessions::upstream_id.eq(upstream_id))
        .select(upstream_sessions::session_id);
    let bound =
        grants::table.filter(grants::session_id.eq_any(began_there).and(is_bound()).and(grants::ended_at.is_null()));
    dsl::update(bound).set((grants::ended_at.eq(at), grants::ended_reason.eq(reason.to_owned())))
}

/// Those that began by a link, its person's or whoever's.
#[dsl::auto_type(no_type_alias)]
fn by_link(upstream_id: i64, subject: String) -> _ {
    upstream_sessions::table
        .filter(upstream_sessions::upstream_id.eq(upstream_id).and(upstream_sessions::subject.eq(subject)))
        .select(upstream_sessions::session_id)
}

/// Ends those of a link's person that began by it, but for one.
pub(crate) fn end_sessions_of_link(link: &UpstreamLink, except: i64, at: i64) -> impl Statement + use<> {
    let by_it = sessions::id.eq_any(by_link(link.upstream_id.as_i64(), link.subject.clone()));
    let theirs = sessions::user_id.eq(link.user_id.as_i64()).and(sessions::id.ne(except));
    dsl::update(sessions::table.filter(by_it.and(theirs).and(sessions::ended_at.is_null())))
        .set(sessions::ended_at.eq(at))
}

/// Ends what was given in them and does not outlive them.
pub(crate) fn end_grants_of_link(link: &UpstreamLink, except: i64, at: i64, reason: &str) -> impl Statement + use<> {
    let by_it = grants::session_id.eq_any(by_link(link.upstream_id.as_i64(), link.subject.clone()));
    let theirs = grants::user_id.eq(link.user_id.as_i64()).and(grants::session_id.ne(except));
    let bound = by_it.and(theirs).and(is_bound()).and(grants::ended_at.is_null());
    dsl::update(grants::table.filter(bound)).set((grants::ended_at.eq(at), grants::ended_reason.eq(reason.to_owned())))
}

/// Those that have not ended, of one person there, of one session there, or of one session of that person.
#[dsl::auto_type(no_type_alias)]
fn live<'a>(upstream_id: i64, subject: (bool, &'a str), sid: (bool, &'a str), most: i64) -> _ {
    let (any_subject, subject): (bool, &'a str) = subject;
    let (any_sid, sid): (bool, &'a str) = sid;
    sessions::table
        .inner_join(upstream_sessions::table)
        .filter(upstream_sessions::upstream_id.eq(upstream_id).and(sessions::ended_at.is_null()))
        .filter(any_subject.into_sql::<diesel::sql_types::Bool>().or(upstream_sessions::subject.eq(subject)))
        .filter(any_sid.into_sql::<diesel::sql_types::Bool>().nullable().or(upstream_sessions::sid.eq(sid)))
        .limit(most)
}

impl Database {
    /// The most sessions that [`Self::sessions_of_upstream`] gives at once: where it gives fewer, these are all.
    pub const MOST_SESSIONS: usize = MOST;

    /// Sessions that began at an upstream and have not ended, some of them where they are many: those of a subject, of a session
    /// there, or of both; all of the upstream's where neither is named.
    ///
    /// # Errors
    /// What the database says.
    pub async fn sessions_of_upstream(
        &self,
        upstream_id: Id,
        subject: Option<&str>,
        sid: Option<&str>,
    ) -> Result<Vec<Session>, StoreError> {
        let subject = (subject.is_none(), subject.unwrap_or_default());
        let sid = (sid.is_none(), sid.unwrap_or_default());
        let (upstream_id, most) = (upstream_id.as_i64(), i64::try_from(MOST).unwrap_or(i64::MAX));
        let rows: Vec<(crate::sessions::Row, Row)> = query!(self, load, live(upstream_id, subject, sid, most))?;
        rows.into_iter().map(|(session, _)| session.try_into()).collect()
    }
}
