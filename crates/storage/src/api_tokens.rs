//! Personal access tokens and API keys.

use diesel::dsl;
use diesel::prelude::*;
use grantor_core::api_token::{ApiToken, LastUse, Owner, Replaced, Rotation};
use grantor_core::store::StoreError;
use grantor_core::time::Time;
use grantor_jose::id::Id;

use crate::column::{Place, json};
use crate::error::Failure;
use crate::schema::{api_tokens, users};
use crate::statement::Statement;

/// So many tokens of one owner are read that were ended, those that were ended last. Of others all are: each may count.
pub(crate) const MOST_ENDED: i64 = 200;

#[derive(Insertable, Queryable)]
#[diesel(table_name = api_tokens, treat_none_as_default_value = false)]
pub(crate) struct Row {
    id: i64,
    user_id: Option<i64>,
    client_id: Option<String>,
    name: String,
    secret: Vec<u8>,
    replaced_secret: Option<Vec<u8>>,
    replaced_until: Option<i64>,
    scope: String,
    resource: Option<String>,
    networks: String,
    created_at: i64,
    rotated_at: i64,
    expires_at: i64,
    ended_at: Option<i64>,
    ended_reason: Option<String>,
    last_used_at: Option<i64>,
    last_used_from: Option<String>,
}

impl Row {
    pub(crate) fn new(token: &ApiToken) -> Result<Self, Failure> {
        let (user_id, client_id) = match &token.owner {
            Owner::Client(client_id) => (None, Some(client_id.clone())),
            Owner::User(id) => (Some(id.as_i64()), None),
        };
        let replaced = token.replaced.as_ref();
        Ok(Self {
            id: token.id.as_i64(),
            user_id,
            client_id,
            name: token.name.clone(),
            secret: token.secret.as_bytes().to_vec(),
            replaced_secret: replaced.map(|replaced| replaced.secret.as_bytes().to_vec()),
            replaced_until: replaced.map(|replaced| replaced.until.millis()),
            scope: token.scope.to_string(),
            resource: token.resource.clone(),
            networks: json(&token.networks)?,
            created_at: token.created_at.millis(),
            rotated_at: token.rotated_at.millis(),
            expires_at: token.expires_at.millis(),
            ended_at: token.ended.map(|(at, _)| at.millis()),
            ended_reason: token.ended.map(|(_, end)| end.as_str().to_owned()),
            last_used_at: token.last_use.as_ref().map(|last_use| last_use.at.millis()),
            last_used_from: token.last_use.as_ref().map(|last_use| last_use.address.clone()),
        })
    }
}

impl TryFrom<Row> for ApiToken {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let place = Place::new("api_tokens", row.id);
        let owner = match (row.user_id, row.client_id) {
            (Some(id), None) => Owner::User(Id::from_i64(id)),
            (None, Some(client_id)) => Owner::Client(client_id),
            _ => return Err(place.corrupt("user_id")),
        };
        let replaced = match (row.replaced_secret, row.replaced_until) {
            (Some(secret), Some(until)) => {
                Some(Replaced { secret: place.hash("replaced_secret", &secret)?, until: Time::from_millis(until) })
            }
            (None, None) => None,
            _ => return Err(place.corrupt("replaced_until")),
        };
        let ended = match (row.ended_at, row.ended_reason) {
            (Some(at), Some(reason)) => {
                Some((Time::from_millis(at), reason.parse().map_err(|()| place.corrupt("ended_reason"))?))
            }
            (None, None) => None,
            _ => return Err(place.corrupt("ended_at")),
        };
        let last_use = match (row.last_used_at, row.last_used_from) {
            (Some(at), Some(address)) => Some(LastUse { at: Time::from_millis(at), address }),
            (None, None) => None,
            _ => return Err(place.corrupt("last_used_at")),
        };
        Ok(Self {
            id: Id::from_i64(row.id),
            owner,
            name: row.name,
            secret: place.hash("secret", &row.secret)?,
            replaced,
            scope: place.scope("scope", &row.scope)?,
            resource: row.resource,
            networks: place.json("networks", &row.networks)?,
            created_at: Time::from_millis(row.created_at),
            rotated_at: Time::from_millis(row.rotated_at),
            expires_at: Time::from_millis(row.expires_at),
            ended,
            last_use,
        })
    }
}

/// What a rotation changes.
#[derive(AsChangeset)]
#[diesel(table_name = api_tokens)]
struct NewSecret {
    secret: Vec<u8>,
    replaced_secret: Vec<u8>,
    replaced_until: i64,
    rotated_at: i64,
    expires_at: i64,
}

impl From<&Rotation> for NewSecret {
    fn from(rotation: &Rotation) -> Self {
        Self {
            secret: rotation.successor.as_bytes().to_vec(),
            replaced_secret: rotation.expected.as_bytes().to_vec(),
            replaced_until: rotation.replaced_until.millis(),
            rotated_at: rotation.at.millis(),
            expires_at: rotation.expires_at.millis(),
        }
    }
}

/// The token and its person.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn find(id: i64) -> _ {
    api_tokens::table.left_join(users::table).filter(api_tokens::id.eq(id))
}

/// Those that were not ended, also where they have expired.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn of_user(user_id: i64) -> _ {
    api_tokens::table.filter(api_tokens::user_id.eq(user_id).and(api_tokens::ended_at.is_null()))
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn of_client<'a>(client_id: &'a str) -> _ {
    api_tokens::table.filter(api_tokens::client_id.eq(client_id).and(api_tokens::ended_at.is_null()))
}

/// At most `most` that count.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn live_of_user(user_id: i64, at: i64, most: i64) -> _ {
    let counts = api_tokens::ended_at.is_null().and(api_tokens::expires_at.gt(at));
    api_tokens::table.select(api_tokens::id).filter(api_tokens::user_id.eq(user_id)).filter(counts).limit(most)
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn live_of_client<'a>(client_id: &'a str, at: i64, most: i64) -> _ {
    let counts = api_tokens::ended_at.is_null().and(api_tokens::expires_at.gt(at));
    api_tokens::table.select(api_tokens::id).filter(api_tokens::client_id.eq(client_id)).filter(counts).limit(most)
}

/// All of a client, to be held.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn hold_of_client<'a>(client_id: &'a str) -> _ {
    api_tokens::table.select(api_tokens::id).filter(api_tokens::client_id.eq(client_id))
}

/// Those that were ended last.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn ended_of_user(user_id: i64, most: i64) -> _ {
    api_tokens::table
        .filter(api_tokens::user_id.eq(user_id).and(api_tokens::ended_at.is_not_null()))
        .order((api_tokens::ended_at.desc(), api_tokens::id.desc()))
        .limit(most)
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn ended_of_client<'a>(client_id: &'a str, most: i64) -> _ {
    api_tokens::table
        .filter(api_tokens::client_id.eq(client_id).and(api_tokens::ended_at.is_not_null()))
        .order((api_tokens::ended_at.desc(), api_tokens::id.desc()))
        .limit(most)
}

/// Fails where there is one with this identifier.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn insert(row: Row) -> _ {
    dsl::insert_into(api_tokens::table).values(row)
}

/// No row where the token has another secret by now, or has ended.
pub(crate) fn rotate(id: i64, rotation: &Rotation) -> impl Statement {
    let expected = rotation.expected.as_bytes().to_vec();
    let as_read = api_tokens::id.eq(id).and(api_tokens::secret.eq(expected)).and(api_tokens::ended_at.is_null());
    dsl::update(api_tokens::table.filter(as_read)).set(NewSecret::from(rotation))
}

/// No row where the token has another secret by now.
pub(crate) fn amend(token: &ApiToken) -> Result<impl Statement, Failure> {
    let row = Row::new(token)?;
    let as_read = api_tokens::id.eq(row.id).and(api_tokens::secret.eq(row.secret));
    Ok(dsl::update(api_tokens::table.filter(as_read)).set((
        api_tokens::name.eq(row.name),
        api_tokens::scope.eq(row.scope),
        api_tokens::resource.eq(row.resource),
        api_tokens::networks.eq(row.networks),
        api_tokens::expires_at.eq(row.expires_at),
    )))
}

/// No row where the token has ended.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn end<'a>(id: i64, at: i64, reason: &'a str) -> _ {
    dsl::update(api_tokens::table.filter(api_tokens::id.eq(id).and(api_tokens::ended_at.is_null())))
        .set((api_tokens::ended_at.eq(at), api_tokens::ended_reason.eq(reason)))
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn end_all<'a>(at: i64, reason: &'a str) -> _ {
    dsl::update(api_tokens::table.filter(api_tokens::ended_at.is_null()))
        .set((api_tokens::ended_at.eq(at), api_tokens::ended_reason.eq(reason)))
}

/// No row where a later use is known.
pub(crate) fn used(id: i64, last_use: &LastUse) -> impl Statement {
    let at = last_use.at.millis();
    let is_later = api_tokens::last_used_at.is_null().or(api_tokens::last_used_at.lt(at));
    dsl::update(api_tokens::table.filter(api_tokens::id.eq(id).and(is_later)))
        .set((api_tokens::last_used_at.eq(at), api_tokens::last_used_from.eq(last_use.address.clone())))
}

/// Removes at most `limit` that expired or ended long ago. Keys of apps that were ended stay: a declaration that still names one
/// would bring it back, whenever that is applied.
pub(crate) fn sweep(over_by: i64, limit: i64) -> impl Statement {
    let old = diesel::alias!(api_tokens as old);
    let is_ended_key =
        old.field(api_tokens::ended_at).is_not_null().and(old.field(api_tokens::client_id).is_not_null());
    let by_then = old.field(api_tokens::expires_at).le(over_by).or(old.field(api_tokens::ended_at).le(over_by));
    let is_over = by_then.and(dsl::not(is_ended_key));
    let over = old.select(old.field(api_tokens::id)).filter(is_over).limit(limit);
    dsl::delete(api_tokens::table.filter(api_tokens::id.eq_any(over)))
}
