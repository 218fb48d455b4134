//! What approvals, API tokens and clients were used for, by day.

use diesel::dsl;
use diesel::prelude::*;
use diesel::upsert::excluded;
use grantor_core::store::StoreError;
use grantor_core::time::Time;
use grantor_core::token::Origin;
use grantor_core::usage::{Held, Usage};
use grantor_jose::id::Id;

use crate::column::Place;
use crate::schema::usages;
use crate::statement::Statement;

/// So many rows are read of a person, a client or a token, the newest.
pub(crate) const MOST: i64 = 20_000;

/// So many for a page, which many people open.
pub const MOST_SHOWN: i64 = 5000;

/// Whose usages.
#[derive(Clone, Debug)]
pub enum UsagesOf {
    /// Those of an API token.
    ApiToken(Id),
    /// Those of a person by apps, for a page.
    AppsOf(Id),
    /// Those of a client: by itself, by its keys, and in the name of people.
    Client(String),
    /// Those of a person by tokens of their own, for a page.
    TokensOf(Id),
    /// Those of a person: by apps, and by tokens of their own.
    User(Id),
}

#[derive(Insertable, Queryable)]
#[diesel(table_name = usages, treat_none_as_default_value = false)]
pub(crate) struct Row {
    origin: i64,
    client_id: String,
    day: i64,
    scope: String,
    audience: String,
    network: String,
    user_id: Option<i64>,
    uses: i64,
    last_at: i64,
}

/// The grant or the API token; 0 for a client by itself.
pub(crate) fn origin(held: &Held) -> i64 {
    match held.origin {
        Origin::ApiToken(id) | Origin::Grant(id) => id.as_i64(),
        Origin::Client => 0,
    }
}

impl Row {
    pub(crate) fn new(usage: &Usage) -> Self {
        Self {
            origin: origin(&usage.held),
            client_id: usage.held.client_id.clone(),
            day: usage.day,
            scope: usage.scope.to_string(),
            audience: usage.audience.join(" "),
            network: usage.network.clone(),
            user_id: usage.held.user_id.map(Id::as_i64),
            uses: usage.uses,
            last_at: usage.last_at.millis(),
        }
    }
}

impl TryFrom<Row> for Usage {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let place = Place::new("usages", row.origin);
        let id = Id::from_i64(row.origin);
        let origin = match (row.origin, row.client_id.is_empty(), row.user_id) {
            (0, false, None) => Origin::Client,
            (0, ..) => return Err(place.corrupt("user_id")),
            (_, false, Some(_)) => Origin::Grant(id),
            (_, false, None) | (_, true, Some(_)) => Origin::ApiToken(id),
            (_, true, None) => return Err(place.corrupt("client_id")),
        };
        Ok(Self {
            scope: place.scope("scope", &row.scope)?,
            held: Held { origin, client_id: row.client_id, user_id: row.user_id.map(Id::from_i64) },
            day: row.day,
            audience: row.audience.split_whitespace().map(str::to_owned).collect(),
            network: row.network,
            uses: row.uses,
            last_at: Time::from_millis(row.last_at),
        })
    }
}

/// Adds to what is known. Fails where the person is gone.
pub(crate) fn add(row: Row) -> impl Statement {
    dsl::insert_into(usages::table)
        .values(row)
        .on_conflict((usages::origin, usages::client_id, usages::day, usages::scope, usages::audience, usages::network))
        .do_update()
        .set((
            usages::uses.eq(usages::uses + excluded(usages::uses)),
            usages::last_at.eq(dsl::case_when(
                excluded(usages::last_at).gt(usages::last_at),
                excluded(usages::last_at),
            )
            .otherwise(usages::last_at)),
        ))
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn of_origin(origin: i64, since: i64, most: i64) -> _ {
    usages::table.filter(usages::origin.eq(origin).and(usages::day.ge(since))).order(usages::day.desc()).limit(most)
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn of_client<'a>(client_id: &'a str, since: i64, most: i64) -> _ {
    usages::table
        .filter(usages::client_id.eq(client_id).and(usages::day.ge(since)))
        .order(usages::day.desc())
        .limit(most)
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn of_user(user_id: i64, since: i64, most: i64) -> _ {
    usages::table.filter(usages::user_id.eq(user_id).and(usages::day.ge(since))).order(usages::day.desc()).limit(most)
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn by_apps(user_id: i64, since: i64, most: i64) -> _ {
    usages::table
        .filter(usages::user_id.eq(user_id).and(usages::day.ge(since)).and(usages::client_id.ne("")))
        .order(usages::day.desc())
        .limit(most)
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn by_tokens(user_id: i64, since: i64, most: i64) -> _ {
    usages::table
        .filter(usages::user_id.eq(user_id).and(usages::day.ge(since)).and(usages::client_id.eq("")))
        .order(usages::day.desc())
        .limit(most)
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn known<'a>(origins: Vec<i64>, client_ids: Vec<&'a str>, since: i64) -> _ {
    usages::table
        .filter(usages::origin.eq_any(origins).and(usages::client_id.eq_any(client_ids)).and(usages::day.ge(since)))
}

/// The oldest day that something is known of.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn oldest() -> _ {
    usages::table.order(usages::day.asc()).select(usages::day).limit(1_i64)
}

/// Removes what some origins were used for on a day: at most `limit` of them, and all clients by themselves as one.
pub(crate) fn sweep(day: i64, limit: i64) -> impl Statement {
    let old = diesel::alias!(usages as old);
    let over = old.select(old.field(usages::origin)).filter(old.field(usages::day).eq(day)).limit(limit);
    dsl::delete(usages::table.filter(usages::day.eq(day).and(usages::origin.eq_any(over))))
}
