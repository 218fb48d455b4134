//! Signing keys, sealed for the row they stand in.

use std::collections::HashMap;
use std::sync::Arc;

use diesel::dsl;
use diesel::prelude::*;
use grantor_core::key::{KeyRecord, KeyRing};
use grantor_core::store::StoreError;
use grantor_core::time::Time;
use grantor_jose::id::Id;
use grantor_jose::key::SigningKey;

use crate::column::Place;
use crate::error::Failure;
use crate::schema::signing_keys;
use crate::sealing::{Sealer, Slot};
use crate::statement::Statement;

#[derive(Insertable, Queryable)]
#[diesel(table_name = signing_keys, treat_none_as_default_value = false)]
pub(crate) struct Row {
    id: i64,
    algorithm: String,
    sealed: Vec<u8>,
    created_at: i64,
    active_from: i64,
    retired_at: Option<i64>,
    remove_at: Option<i64>,
}

const fn slot(id: i64) -> Slot {
    Slot { table: "signing_keys", column: "sealed", id }
}

impl Row {
    pub(crate) fn new(record: &KeyRecord, sealer: &Sealer) -> Self {
        let id = record.id.as_i64();
        Self {
            id,
            algorithm: record.key.algorithm().as_str().to_owned(),
            sealed: sealer.seal(slot(id), &record.key.to_pkcs8()),
            created_at: record.created_at.millis(),
            active_from: record.active_from.millis(),
            retired_at: record.retired_at.map(Time::millis),
            remove_at: record.remove_at.map(Time::millis),
        }
    }

    fn open(&self, sealer: &Sealer) -> Result<SigningKey, Failure> {
        let place = Place::new("signing_keys", self.id);
        let algorithm = self.algorithm.parse().map_err(|_| place.corrupt("algorithm"))?;
        let document = sealer.open(slot(self.id), &self.sealed)?;
        SigningKey::from_pkcs8(algorithm, &document).map_err(|_| place.corrupt("sealed").into())
    }
}

/// The keys of all rows. A key that `known` holds already is not opened again, since reading an RSA key is costly.
pub(crate) fn collect(rows: Vec<Row>, sealer: &Sealer, known: &KeyRing) -> Result<KeyRing, StoreError> {
    let known: HashMap<Id, &Arc<SigningKey>> = known.keys.iter().map(|record| (record.id, &record.key)).collect();
    let open = |row: Row| {
        let id = Id::from_i64(row.id);
        let key = match known.get(&id) {
            Some(key) => Arc::clone(key),
            None => Arc::new(row.open(sealer)?),
        };
        Ok(KeyRecord {
            id,
            key,
            created_at: Time::from_millis(row.created_at),
            active_from: Time::from_millis(row.active_from),
            retired_at: row.retired_at.map(Time::from_millis),
            remove_at: row.remove_at.map(Time::from_millis),
        })
    };
    Ok(KeyRing { keys: rows.into_iter().map(open).collect::<Result<_, Failure>>()? })
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn all() -> _ {
    signing_keys::table.order(signing_keys::id)
}

/// Where the key is there already, only its dates change.
pub(crate) fn put(row: &Row) -> impl Statement {
    dsl::insert_into(signing_keys::table).values(row).on_conflict(signing_keys::id).do_update().set((
        signing_keys::active_from.eq(row.active_from),
        signing_keys::retired_at.eq(row.retired_at),
        signing_keys::remove_at.eq(row.remove_at),
    ))
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn remove(id: i64) -> _ {
    dsl::delete(signing_keys::table.filter(signing_keys::id.eq(id)))
}

/// Removes all.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn clear() -> _ {
    dsl::delete(signing_keys::table)
}
