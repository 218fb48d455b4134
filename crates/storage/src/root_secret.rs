//! The one secret that the provider's symmetric keys are derived from, sealed. It is made when the database is.

use diesel::dsl;
use diesel::prelude::*;
use grantor_core::key::Secrets;
use grantor_jose::mac::MacKey;

use crate::column::Place;
use crate::error::Failure;
use crate::schema::root_secret;
use crate::sealing::{Sealer, Slot};

const SLOT: Slot = Slot { table: "root_secret", column: "sealed", id: 1 };

#[dsl::auto_type(no_type_alias)]
pub(crate) fn find() -> _ {
    root_secret::table.select(root_secret::sealed).filter(root_secret::id.eq(1_i64))
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn insert(sealed: Vec<u8>, created_at: i64) -> _ {
    dsl::insert_into(root_secret::table).values((
        root_secret::id.eq(1_i64),
        root_secret::sealed.eq(sealed),
        root_secret::created_at.eq(created_at),
    ))
}

/// When the last epoch began; null where none ever did.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn epoch() -> _ {
    root_secret::table.select(root_secret::epoch_at).filter(root_secret::id.eq(1_i64))
}

/// Puts another one in its place, for the epoch that begins.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn replace(sealed: Vec<u8>, epoch_at: i64) -> _ {
    dsl::update(root_secret::table.filter(root_secret::id.eq(1_i64))).set((
        root_secret::sealed.eq(sealed),
        root_secret::created_at.eq(epoch_at),
        root_secret::epoch_at.eq(epoch_at),
    ))
}

/// A new one.
pub(crate) fn generate(sealer: &Sealer) -> Vec<u8> {
    sealer.seal_random(SLOT)
}

/// The keys that are derived from it.
pub(crate) fn open(bytes: &[u8], sealer: &Sealer) -> Result<Secrets, Failure> {
    let bytes = sealer.open(SLOT, bytes)?;
    let corrupt = || Place::new(SLOT.table, SLOT.id).corrupt(SLOT.column);
    let bytes: [u8; 32] = bytes.as_slice().try_into().map_err(|_| corrupt())?;
    Ok(Secrets::derive(&MacKey::new(bytes)))
}
