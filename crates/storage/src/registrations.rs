//! Clients that registered themselves: from where, and the hash of what each manages itself with.

use diesel::dsl;
use diesel::prelude::*;
use grantor_core::registration::{Registration, Replaced};
use grantor_core::store::StoreError;
use grantor_core::time::Time;
use grantor_jose::id::Id;
use grantor_jose::secret::SecretHash;

use crate::column::Place;
use crate::schema::{consents, grants, registrations, token_counts};

#[derive(Insertable, Queryable)]
#[diesel(table_name = registrations, treat_none_as_default_value = false)]
pub(crate) struct Row {
    id: i64,
    client_id: String,
    secret: Vec<u8>,
    replaced_secret: Option<Vec<u8>>,
    address: String,
    initial_access_token_id: Option<i64>,
    created_at: i64,
    replaced_until: Option<i64>,
}

impl Row {
    pub(crate) fn new(registration: &Registration) -> Self {
        Self {
            id: registration.id.as_i64(),
            client_id: registration.client_id.clone(),
            secret: registration.secret.as_bytes().to_vec(),
            replaced_secret: registration.replaced.map(|replaced| bytes(replaced.secret)),
            address: registration.address.clone(),
            initial_access_token_id: registration.initial_token.map(Id::as_i64),
            created_at: registration.created_at.millis(),
            replaced_until: registration.replaced.map(|replaced| replaced.until.millis()),
        }
    }
}

impl TryFrom<Row> for Registration {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let place = Place::new("registrations", row.id);
        // A node of an earlier version writes no end; what has none does not count.
        let replaced = row.replaced_secret.zip(row.replaced_until).map(|(secret, until)| {
            Ok::<_, StoreError>(Replaced {
                secret: place.hash("replaced_secret", &secret)?,
                until: Time::from_millis(until),
            })
        });
        let replaced = replaced.transpose()?;
        Ok(Self {
            id: Id::from_i64(row.id),
            client_id: row.client_id,
            secret: place.hash("secret", &row.secret)?,
            replaced,
            address: row.address,
            initial_token: row.initial_access_token_id.map(Id::from_i64),
            created_at: Time::from_millis(row.created_at),
        })
    }
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn find<'a>(client_id: &'a str) -> _ {
    registrations::table.filter(registrations::client_id.eq(client_id))
}

/// That of a client, to be held.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn hold_of_client<'a>(client_id: &'a str) -> _ {
    registrations::table.select(registrations::id).filter(registrations::client_id.eq(client_id))
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn all() -> _ {
    registrations::table.order(registrations::id)
}

/// So many of them, to be counted.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn some(most: i64) -> _ {
    registrations::table.select(registrations::id).limit(most)
}

/// So many of those that came from one address.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn some_of_address<'a>(address: &'a str, most: i64) -> _ {
    registrations::table.select(registrations::id).filter(registrations::address.eq(address)).limit(most)
}

/// Those registered by a moment that nobody has ever let in: no token was issued to them, and no person has answered about them.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn unused(registered_by: i64, most: i64) -> _ {
    let counted = token_counts::table.filter(token_counts::client_id.eq(registrations::client_id));
    let answered = consents::table.filter(consents::client_id.eq(registrations::client_id));
    let approved = grants::table.filter(grants::client_id.eq(registrations::client_id));
    let never =
        dsl::not(dsl::exists(counted)).and(dsl::not(dsl::exists(answered))).and(dsl::not(dsl::exists(approved)));
    registrations::table
        .select(registrations::client_id)
        .filter(registrations::created_at.le(registered_by).and(never))
        .order(registrations::id)
        .limit(most)
}

/// That of a client, where it is one of those.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn unused_of_client<'a>(client_id: &'a str, registered_by: i64) -> _ {
    let counted = token_counts::table.filter(token_counts::client_id.eq(registrations::client_id));
    let answered = consents::table.filter(consents::client_id.eq(registrations::client_id));
    let approved = grants::table.filter(grants::client_id.eq(registrations::client_id));
    let never =
        dsl::not(dsl::exists(counted)).and(dsl::not(dsl::exists(answered))).and(dsl::not(dsl::exists(approved)));
    registrations::table
        .select(registrations::id)
        .filter(registrations::client_id.eq(client_id).and(registrations::created_at.le(registered_by)).and(never))
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn insert(row: Row) -> _ {
    dsl::insert_into(registrations::table).values(row)
}

/// Another secret in place of the one that was read.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn replace(id: i64, read: Vec<u8>, secret: Vec<u8>, replaced: Option<Vec<u8>>, until: Option<i64>) -> _ {
    dsl::update(registrations::table.filter(registrations::id.eq(id).and(registrations::secret.eq(read)))).set((
        registrations::secret.eq(secret),
        registrations::replaced_secret.eq(replaced),
        registrations::replaced_until.eq(until),
    ))
}

/// The bytes of a hash, as rows keep them.
pub(crate) fn bytes(hash: SecretHash) -> Vec<u8> {
    hash.as_bytes().to_vec()
}
