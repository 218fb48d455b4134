//! What people answered about apps.

use diesel::dsl;
use diesel::prelude::*;
use grantor_core::consent::Consent;
use grantor_core::store::StoreError;
use grantor_core::time::Time;
use grantor_jose::id::Id;

use crate::column::Place;
use crate::schema::consents;
use crate::statement::Statement;

#[derive(AsChangeset, Insertable, Queryable)]
#[diesel(table_name = consents, primary_key(user_id, client_id))]
pub(crate) struct Row {
    user_id: i64,
    client_id: String,
    granted: String,
    declined: String,
    created_at: i64,
    updated_at: i64,
}

impl Row {
    pub(crate) fn new(consent: &Consent) -> Self {
        Self {
            user_id: consent.user_id.as_i64(),
            client_id: consent.client_id.clone(),
            granted: consent.granted.to_string(),
            declined: consent.declined.to_string(),
            created_at: consent.created_at.millis(),
            updated_at: consent.updated_at.millis(),
        }
    }
}

impl TryFrom<Row> for Consent {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let user_id = Id::from_i64(row.user_id);
        let place = Place::new("consents", format!("{user_id}, {}", row.client_id));
        Ok(Self {
            user_id,
            granted: place.scope("granted", &row.granted)?,
            declined: place.scope("declined", &row.declined)?,
            client_id: row.client_id,
            created_at: Time::from_millis(row.created_at),
            updated_at: Time::from_millis(row.updated_at),
        })
    }
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn find<'a>(user_id: i64, client_id: &'a str) -> _ {
    consents::table.filter(consents::user_id.eq(user_id).and(consents::client_id.eq(client_id)))
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn of_user(user_id: i64) -> _ {
    consents::table.filter(consents::user_id.eq(user_id)).order(consents::client_id)
}

/// Fails where the person has answered already.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn insert(row: Row) -> _ {
    dsl::insert_into(consents::table).values(row)
}

/// Replaces the answer that was read; no row where there is another one by now.
pub(crate) fn replace(row: Row, read: i64) -> impl Statement {
    let as_read = consents::user_id
        .eq(row.user_id)
        .and(consents::client_id.eq(row.client_id.clone()))
        .and(consents::updated_at.eq(read));
    dsl::update(consents::table.filter(as_read)).set(row)
}

/// One row where the answer is still the one that was read.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn expect<'a>(user_id: i64, client_id: &'a str, read: i64) -> _ {
    let as_read =
        consents::user_id.eq(user_id).and(consents::client_id.eq(client_id)).and(consents::updated_at.eq(read));
    consents::table.select(consents::updated_at).filter(as_read)
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn remove<'a>(user_id: i64, client_id: &'a str) -> _ {
    dsl::delete(consents::table.filter(consents::user_id.eq(user_id).and(consents::client_id.eq(client_id))))
}

/// What everybody has answered about a client.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn remove_of_client<'a>(client_id: &'a str) -> _ {
    dsl::delete(consents::table.filter(consents::client_id.eq(client_id)))
}
