//! Registered clients and their secrets.

use std::collections::HashMap;
use std::sync::Arc;

use diesel::dsl;
use diesel::prelude::*;
use grantor_core::client::{Client, ClientSecret, Trust};
use grantor_core::store::StoreError;
use grantor_core::time::Time;

use crate::column::{Place, json};
use crate::error::Failure;
use crate::schema::{client_secrets, clients};
use crate::statement::Statement;

#[derive(AsChangeset, Insertable, Queryable)]
#[diesel(table_name = clients, primary_key(client_id), treat_none_as_default_value = false)]
pub(crate) struct Row {
    client_id: String,
    metadata: String,
    trust: String,
    disabled: i64,
    created_at: i64,
    updated_at: i64,
    /// Whether it is told of ends of sessions, for `logout_notices`, and for the sweep of `grants`.
    backchannel_logout: i64,
    /// Whether it is framed then.
    frontchannel_logout: i64,
}

#[derive(Insertable, Queryable)]
#[diesel(table_name = client_secrets, treat_none_as_default_value = false)]
pub(crate) struct SecretRow {
    client_id: String,
    place: i64,
    hash: Vec<u8>,
    created_at: i64,
    expires_at: Option<i64>,
}

impl Row {
    pub(crate) fn new(client: &Client) -> Result<Self, Failure> {
        Ok(Self {
            client_id: client.client_id.clone(),
            metadata: json(&client.metadata)?,
            trust: trust_word(client.trust).to_owned(),
            disabled: client.disabled.into(),
            created_at: client.created_at.millis(),
            updated_at: client.updated_at.millis(),
            backchannel_logout: client.metadata.backchannel_logout_uri.is_some().into(),
            frontchannel_logout: client.metadata.frontchannel_logout_uri.is_some().into(),
        })
    }
}

impl SecretRow {
    /// The secrets of a client, in their order.
    pub(crate) fn all(client: &Client) -> impl Iterator<Item = Self> {
        (0..).zip(&client.secrets).map(|(place, secret)| Self {
            client_id: client.client_id.clone(),
            place,
            hash: secret.hash.as_bytes().to_vec(),
            created_at: secret.created_at.millis(),
            expires_at: secret.expires_at.map(Time::millis),
        })
    }
}

impl TryFrom<Row> for Client {
    type Error = StoreError;

    /// The client without its secrets, which [`collect`] adds.
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let place = Place::new("clients", &row.client_id);
        Ok(Self {
            metadata: place.json("metadata", &row.metadata)?,
            secrets: Vec::new(),
            trust: trust(&row.trust).ok_or_else(|| place.corrupt("trust"))?,
            disabled: place.flag("disabled", row.disabled)?,
            created_at: Time::from_millis(row.created_at),
            updated_at: Time::from_millis(row.updated_at),
            client_id: row.client_id,
        })
    }
}

impl TryFrom<SecretRow> for ClientSecret {
    type Error = StoreError;

    fn try_from(row: SecretRow) -> Result<Self, StoreError> {
        Ok(Self {
            hash: Place::new("client_secrets", row.client_id).hash("hash", &row.hash)?,
            created_at: Time::from_millis(row.created_at),
            expires_at: row.expires_at.map(Time::from_millis),
        })
    }
}

const fn trust_word(trust: Trust) -> &'static str {
    match trust {
        Trust::Administrator => "administrator",
        Trust::VerifiedOwner => "verified_owner",
        Trust::SelfRegistered => "self_registered",
    }
}

fn trust(word: &str) -> Option<Trust> {
    let all = [Trust::Administrator, Trust::VerifiedOwner, Trust::SelfRegistered];
    all.into_iter().find(|trust| trust_word(*trust) == word)
}

/// The clients by identifier, from all rows of both tables.
pub(crate) fn collect(rows: Vec<Row>, secrets: Vec<SecretRow>) -> Result<HashMap<String, Arc<Client>>, StoreError> {
    let mut clients = HashMap::with_capacity(rows.len());
    for row in rows {
        let client = Client::try_from(row)?;
        clients.insert(client.client_id.clone(), client);
    }
    for row in secrets {
        if let Some(client) = clients.get_mut(&row.client_id) {
            client.secrets.push(row.try_into()?);
        }
    }
    Ok(clients.into_iter().map(|(client_id, client)| (client_id, Arc::new(client))).collect())
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn all() -> _ {
    clients::table.order(clients::client_id)
}

/// The client, to be held.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn hold<'a>(client_id: &'a str) -> _ {
    clients::table.select(clients::updated_at).filter(clients::client_id.eq(client_id))
}

/// One row where the client is still the one that was read, and is not switched off.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn expect<'a>(client_id: &'a str, read: i64) -> _ {
    let as_read = clients::client_id.eq(client_id).and(clients::updated_at.eq(read)).and(clients::disabled.eq(0_i64));
    clients::table.select(clients::updated_at).filter(as_read)
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn all_secrets() -> _ {
    client_secrets::table.order((client_secrets::client_id, client_secrets::place))
}

pub(crate) fn put(row: &Row) -> impl Statement {
    dsl::insert_into(clients::table).values(row).on_conflict(clients::client_id).do_update().set(row)
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn insert_secret(row: SecretRow) -> _ {
    dsl::insert_into(client_secrets::table).values(row)
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn remove_secrets<'a>(client_id: &'a str) -> _ {
    dsl::delete(client_secrets::table.filter(client_secrets::client_id.eq(client_id)))
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn remove<'a>(client_id: &'a str) -> _ {
    dsl::delete(clients::table.filter(clients::client_id.eq(client_id)))
}
