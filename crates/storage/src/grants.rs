//! Approvals in force.

use diesel::dsl;
use diesel::prelude::*;
use diesel::sql_types::Text;
use grantor_core::grant::Grant;
use grantor_core::store::StoreError;
use grantor_core::time::Time;
use grantor_jose::id::Id;

use crate::column::{Place, json};
use crate::error::Failure;
use crate::schema::{clients, consents, grants, refresh_tokens, revoked_access_tokens, sessions, users};

#[derive(Insertable, Queryable)]
#[diesel(table_name = grants, treat_none_as_default_value = false)]
pub(crate) struct Row {
    id: i64,
    client_id: String,
    user_id: i64,
    session_id: i64,
    scope: String,
    /// Whether the scope holds `offline_access`, for [`end_of_session`].
    offline: i64,
    context: String,
    created_at: i64,
    ended_at: Option<i64>,
    ended_reason: Option<String>,
    /// The session as the app knows it; 0 where it is `session_id`.
    sid: i64,
}

impl Row {
    pub(crate) fn new(grant: &Grant) -> Result<Self, Failure> {
        Ok(Self {
            id: grant.id.as_i64(),
            client_id: grant.client_id.clone(),
            user_id: grant.user_id.as_i64(),
            session_id: grant.session_id.as_i64(),
            scope: grant.scope.to_string(),
            offline: grant.is_offline().into(),
            context: json(&grant.context)?,
            created_at: grant.created_at.millis(),
            ended_at: grant.ended.map(|(at, _)| at.millis()),
            ended_reason: grant.ended.map(|(_, end)| end.as_str().to_owned()),
            sid: grant.sid().as_i64(),
        })
    }
}

impl TryFrom<Row> for Grant {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let place = Place::new("grants", row.id);
        let ended = match (row.ended_at, row.ended_reason) {
            (None, None) => None,
            (Some(at), Some(reason)) => {
                Some((Time::from_millis(at), reason.parse().map_err(|()| place.corrupt("ended_reason"))?))
            }
            (Some(_), None) => return Err(place.corrupt("ended_reason")),
            (None, Some(_)) => return Err(place.corrupt("ended_at")),
        };
        let grant = Self {
            id: Id::from_i64(row.id),
            client_id: row.client_id,
            user_id: Id::from_i64(row.user_id),
            session_id: Id::from_i64(row.session_id),
            scope: place.scope("scope", &row.scope)?,
            context: place.json("context", &row.context)?,
            created_at: Time::from_millis(row.created_at),
            ended,
        };
        let offline = place.flag("offline", row.offline)?;
        if offline == grant.is_offline() { Ok(grant) } else { Err(place.corrupt("offline")) }
    }
}

/// The grant, its person, and the note that the access token `token_id` was revoked.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn find_with_token(id: i64, token_id: i64) -> _ {
    grants::table
        .inner_join(users::table)
        .left_join(revoked_access_tokens::table.on(revoked_access_tokens::id.eq(token_id)))
        .filter(grants::id.eq(id))
}

/// Those that have not ended, the newest first.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn of_user(user_id: i64) -> _ {
    grants::table
        .left_join(refresh_tokens::table)
        .filter(grants::user_id.eq(user_id).and(grants::ended_at.is_null()))
        .order(grants::id.desc())
}

/// The apps that have, or had, grants in a session, each with the session as it knows it, if that is another one.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn took_part(session_id: i64) -> _ {
    grants::table.filter(grants::session_id.eq(session_id)).select((grants::client_id, grants::sid)).distinct()
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn insert(row: Row) -> _ {
    dsl::insert_into(grants::table).values(row)
}

/// One row where the grant has not ended.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn expect(id: i64) -> _ {
    grants::table.select(grants::id).filter(grants::id.eq(id).and(grants::ended_at.is_null()))
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn end<'a>(id: i64, at: i64, reason: &'a str) -> _ {
    dsl::update(grants::table.filter(grants::id.eq(id).and(grants::ended_at.is_null())))
        .set((grants::ended_at.eq(at), grants::ended_reason.eq(reason)))
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn end_all<'a>(at: i64, reason: &'a str) -> _ {
    dsl::update(grants::table.filter(grants::ended_at.is_null()))
        .set((grants::ended_at.eq(at), grants::ended_reason.eq(reason)))
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn end_of_client<'a>(client_id: &'a str, at: i64, reason: &'a str) -> _ {
    dsl::update(grants::table.filter(grants::client_id.eq(client_id).and(grants::ended_at.is_null())))
        .set((grants::ended_at.eq(at), grants::ended_reason.eq(reason)))
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// The text with each `part` replaced; unlike LIKE, it knows no wildcards and tells capitals from small letters everywhere.
    fn replace(text: Text, part: Text, by: Text) -> Text;
}

/// Whether a grant does not outlive its session, as [`Grant::outlives_session`] has it.
#[dsl::auto_type]
pub(crate) fn is_bound() -> _ {
    let answer = consents::user_id.eq(grants::user_id).and(consents::client_id.eq(grants::client_id));
    let declined = " ".into_sql::<Text>().concat(consents::declined).concat(" ");
    let others = replace(declined, " offline_access ", "");
    let unticked = consents::table.filter(answer.and(others.ne(declined)));
    grants::offline.eq(0_i64).or(dsl::exists(unticked))
}

/// Those that do not outlive their session.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn end_of_session<'a>(session_id: i64, at: i64, reason: &'a str) -> _ {
    let its_own = grants::session_id.eq(session_id).and(is_bound()).and(grants::ended_at.is_null());
    dsl::update(grants::table.filter(its_own)).set((grants::ended_at.eq(at), grants::ended_reason.eq(reason)))
}

/// Those of a session, whether they outlive it or not.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn end_of_whole_session<'a>(session_id: i64, at: i64, reason: &'a str) -> _ {
    dsl::update(grants::table.filter(grants::session_id.eq(session_id).and(grants::ended_at.is_null())))
        .set((grants::ended_at.eq(at), grants::ended_reason.eq(reason)))
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn end_of_user<'a>(user_id: i64, at: i64, reason: &'a str) -> _ {
    dsl::update(grants::table.filter(grants::user_id.eq(user_id).and(grants::ended_at.is_null())))
        .set((grants::ended_at.eq(at), grants::ended_reason.eq(reason)))
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn end_of_user_and_client<'a>(user_id: i64, client_id: &'a str, at: i64, reason: &'a str) -> _ {
    let theirs = grants::user_id.eq(user_id).and(grants::client_id.eq(client_id)).and(grants::ended_at.is_null());
    dsl::update(grants::table.filter(theirs)).set((grants::ended_at.eq(at), grants::ended_reason.eq(reason)))
}

/// Those of a person that were given in other sessions and do not outlive them.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn end_of_user_except_session<'a>(user_id: i64, session_id: i64, at: i64, reason: &'a str) -> _ {
    let elsewhere = grants::user_id
        .eq(user_id)
        .and(grants::session_id.ne(session_id))
        .and(is_bound())
        .and(grants::ended_at.is_null());
    dsl::update(grants::table.filter(elsewhere)).set((grants::ended_at.eq(at), grants::ended_reason.eq(reason)))
}

/// Those of one session hang on another from now on; also those that have ended, for their apps took part in it, and are told when it
/// ends.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn move_to_session(from: i64, to: i64) -> _ {
    dsl::update(grants::table.filter(grants::session_id.eq(from))).set(grants::session_id.eq(to))
}

/// The next identifiers that a patrol looks at.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn window(after: i64, before: i64, limit: i64) -> _ {
    grants::table
        .select(grants::id)
        .filter(grants::id.gt(after).and(grants::id.lt(before)))
        .order(grants::id)
        .limit(limit)
}

/// When a grant counts as long over.
#[derive(Clone, Copy)]
pub(crate) struct Over {
    /// It ended by then.
    pub(crate) ended_by: i64,
    /// Neither its refresh token nor an access token from it could be used after then.
    pub(crate) finished_by: i64,
}

/// Removes, with their tokens, those between two identifiers that are over; not those by which it is known that an app is to be told
/// when a session ends.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn sweep(after: i64, through: i64, over: Over) -> _ {
    let ended_by: i64 = over.ended_by;
    let finished_by: i64 = over.finished_by;
    let refreshable = refresh_tokens::table.filter(
        refresh_tokens::grant_id
            .eq(grants::id)
            .and(refresh_tokens::idle_expires_at.gt(finished_by))
            .and(refresh_tokens::absolute_expires_at.gt(finished_by)),
    );
    let finished = grants::created_at.le(finished_by).and(dsl::not(dsl::exists(refreshable)));
    let is_over = grants::ended_at.le(ended_by).or(finished.nullable());
    let is_told = clients::backchannel_logout.eq(1_i64).or(clients::frontchannel_logout.eq(1_i64));
    let told = clients::table.filter(clients::client_id.eq(grants::client_id).and(is_told));
    let live = sessions::table.filter(sessions::id.eq(grants::session_id).and(sessions::ended_at.is_null()));
    let is_needed = dsl::exists(told).and(dsl::exists(live));
    dsl::delete(grants::table.filter(grants::id.gt(after).and(grants::id.le(through))).filter(is_over))
        .filter(dsl::not(is_needed))
}
