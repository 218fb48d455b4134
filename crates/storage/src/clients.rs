//! Registered clients and their secrets.

use std::collections::HashMap;

use diesel::dsl;
use diesel::prelude::*;
use grantor_core::client::{Client, ClientSecret, Trust};
use grantor_core::store::StoreError;
use grantor_core::time::Time;
use grantor_jose::secret::SecretText;

use crate::column::{Place, json};
use crate::error::Failure;
use crate::schema::{client_secrets, clients, directory_revision};
use crate::sealing::{Sealer, Slot};
use crate::statement::Statement;

/// The word for clients that registered themselves.
pub(crate) const SELF_REGISTERED: &str = "self_registered";

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
    /// None, until [`stamp`] says with which one the row came.
    revision: i64,
}

#[derive(Insertable, Queryable)]
#[diesel(table_name = client_secrets, treat_none_as_default_value = false)]
pub(crate) struct SecretRow {
    client_id: String,
    place: i64,
    hash: Vec<u8>,
    created_at: i64,
    expires_at: Option<i64>,
    sealed: Option<Vec<u8>>,
}

/// Where the secret of a client stands itself. It is one row's by its hash, which stands beside it and is that of what opens.
const fn slot(client_id: &str) -> Slot<&str> {
    Slot { table: "client_secrets", column: "sealed", id: client_id }
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
            revision: 0,
        })
    }
}

impl Row {
    pub(crate) fn client_id(&self) -> &str {
        &self.client_id
    }
}

impl SecretRow {
    /// The secrets of a client, in their order: themselves only where its method needs them.
    pub(crate) fn all(client: &Client, sealer: &Sealer) -> Vec<Self> {
        let is_needed = client.metadata.token_endpoint_auth_method.needs_secret_text();
        let hidden = |text: &SecretText| sealer.seal(slot(&client.client_id), text.expose().as_bytes());
        let row = |(place, secret): (i64, &ClientSecret)| Self {
            client_id: client.client_id.clone(),
            place,
            hash: secret.hash.as_bytes().to_vec(),
            created_at: secret.created_at.millis(),
            expires_at: secret.expires_at.map(Time::millis),
            sealed: secret.text.as_ref().filter(|_| is_needed).map(hidden),
        };
        (0..).zip(&client.secrets).map(row).collect()
    }

    fn open(self, sealer: &Sealer) -> Result<ClientSecret, StoreError> {
        let place = Place::new("client_secrets", &self.client_id);
        let hash = place.hash("hash", &self.hash)?;
        let open = |sealed: Vec<u8>| {
            let plain = sealer.open(slot(&self.client_id), &sealed)?;
            let text = String::from_utf8(plain.to_vec()).map_err(|_| place.corrupt("sealed"))?;
            Ok::<_, StoreError>(SecretText::new(text))
        };
        let text = self.sealed.map(open).transpose()?;
        if text.as_ref().is_some_and(|text| text.hash() != hash) {
            return Err(place.corrupt("sealed"));
        }
        Ok(ClientSecret {
            hash,
            text,
            created_at: Time::from_millis(self.created_at),
            expires_at: self.expires_at.map(Time::from_millis),
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

const fn trust_word(trust: Trust) -> &'static str {
    match trust {
        Trust::Administrator => "administrator",
        Trust::VerifiedOwner => "verified_owner",
        Trust::SelfRegistered => SELF_REGISTERED,
    }
}

fn trust(word: &str) -> Option<Trust> {
    let all = [Trust::Administrator, Trust::VerifiedOwner, Trust::SelfRegistered];
    all.into_iter().find(|trust| trust_word(*trust) == word)
}

/// The clients of these rows, with their secrets.
pub(crate) fn collect(rows: Vec<Row>, secrets: Vec<SecretRow>, sealer: &Sealer) -> Result<Vec<Client>, StoreError> {
    let mut clients: Vec<Client> = rows.into_iter().map(Client::try_from).collect::<Result<_, _>>()?;
    let places: HashMap<String, usize> =
        (0..).zip(&clients).map(|(at, client)| (client.client_id.clone(), at)).collect();
    for row in secrets {
        if let Some(place) = places.get(&row.client_id) {
            clients[*place].secrets.push(row.open(sealer)?);
        }
    }
    Ok(clients)
}

/// Those that registered themselves since a revision, and all others.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn since<'a>(own: &'a str, revision: i64) -> _ {
    clients::table.filter(clients::trust.ne(own).or(clients::revision.gt(revision))).order(clients::client_id)
}

/// The identifiers of all.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn identifiers() -> _ {
    clients::table.select(clients::client_id)
}

/// How many there are.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn count() -> _ {
    clients::table.select(dsl::count_star())
}

/// Says of the rows that have come or changed with which revision they did.
pub(crate) fn stamp() -> impl Statement {
    let now = directory_revision::table.select(directory_revision::revision).single_value().assume_not_null();
    dsl::update(clients::table.filter(clients::revision.eq(0_i64))).set(clients::revision.eq(now))
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

/// The secrets of the same clients.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn secrets_since<'a>(own: &'a str, revision: i64) -> _ {
    client_secrets::table
        .inner_join(clients::table)
        .filter(clients::trust.ne(own).or(clients::revision.gt(revision)))
        .select((
            client_secrets::client_id,
            client_secrets::place,
            client_secrets::hash,
            client_secrets::created_at,
            client_secrets::expires_at,
            client_secrets::sealed,
        ))
        .order((client_secrets::client_id, client_secrets::place))
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
