//! The one secret that the provider's symmetric keys are derived from, sealed. It is made when the database is.
//!
//! A new epoch makes another one. The key of subjects outlives it, since apps keep the accounts of people by these subjects: from then
//! on it is kept behind the secret, in the same value.

use diesel::dsl;
use diesel::prelude::*;
use grantor_core::key::Secrets;
use grantor_jose::mac::MacKey;

use crate::column::Place;
use crate::error::Failure;
use crate::schema::root_secret;
use crate::sealing::{Sealer, Slot};

const SECRET: usize = 32;

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

/// Another one for a new epoch, with the key of subjects of the one before.
pub(crate) fn renew(before: &[u8], sealer: &Sealer) -> Result<Vec<u8>, Failure> {
    let (_, subjects) = parts(before, sealer)?;
    Ok(sealer.seal_random_before(SLOT, &subjects))
}

/// The keys that are derived from it.
pub(crate) fn open(bytes: &[u8], sealer: &Sealer) -> Result<Secrets, Failure> {
    let (root, subjects) = parts(bytes, sealer)?;
    Ok(Secrets::derive_with(&root, subjects))
}

/// The secret, and the key of subjects.
fn parts(bytes: &[u8], sealer: &Sealer) -> Result<(MacKey, [u8; SECRET]), Failure> {
    let bytes = sealer.open(SLOT, bytes)?;
    let corrupt = || Place::new(SLOT.table, SLOT.id).corrupt(SLOT.column);
    let (root, subjects) = bytes.split_first_chunk::<SECRET>().ok_or_else(corrupt)?;
    let root = MacKey::new(*root);
    let subjects = match subjects {
        [] => Secrets::first_subjects(&root),
        subjects => subjects.try_into().map_err(|_| corrupt())?,
    };
    Ok((root, subjects))
}
