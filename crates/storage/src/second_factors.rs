//! Second factors. The key of a person's authenticator app is sealed for the row that it stands in.

use diesel::dsl;
use diesel::prelude::*;
use grantor_core::second_factor::SecondFactor;
use grantor_core::store::StoreError;
use grantor_core::time::Time;
use grantor_core::upstream::UpstreamSession;
use grantor_jose::id::Id;
use grantor_jose::secret::{SecretHash, SecretText};

use crate::column::Place;
use crate::schema::second_factors;
use crate::sealing::{Sealer, Slot};
use crate::{Database, query, upstream_sessions};

/// How many bytes each hash of a recovery code has.
const HASH: usize = 32;

#[derive(Insertable, Queryable)]
#[diesel(table_name = second_factors, treat_none_as_default_value = false)]
pub(crate) struct Row {
    id: i64,
    user_id: i64,
    sealed: Vec<u8>,
    last_step: i64,
    recovery: Vec<u8>,
    created_at: i64,
}

const fn slot(id: i64) -> Slot {
    Slot { table: "second_factors", column: "sealed", id }
}

/// The hashes of recovery codes as a row keeps them.
pub(crate) fn column(codes: &[SecretHash]) -> Vec<u8> {
    codes.iter().flat_map(|code| *code.as_bytes()).collect()
}

impl Row {
    pub(crate) fn new(factor: &SecondFactor, sealer: &Sealer) -> Self {
        let id = factor.id.as_i64();
        Self {
            id,
            user_id: factor.user_id.as_i64(),
            sealed: sealer.seal(slot(id), factor.key.expose().as_bytes()),
            last_step: factor.last_step,
            recovery: column(&factor.recovery),
            created_at: factor.created_at.millis(),
        }
    }

    fn open(self, sealer: &Sealer) -> Result<SecondFactor, StoreError> {
        let place = Place::new("second_factors", self.id);
        let plain = sealer.open(slot(self.id), &self.sealed)?;
        let key = String::from_utf8(plain.to_vec()).map_err(|_| place.corrupt("sealed"))?;
        let codes = self.recovery.chunks(HASH).map(|bytes| place.hash("recovery", bytes));
        Ok(SecondFactor {
            id: Id::from_i64(self.id),
            user_id: Id::from_i64(self.user_id),
            key: SecretText::new(key),
            last_step: self.last_step,
            recovery: codes.collect::<Result<_, _>>()?,
            created_at: Time::from_millis(self.created_at),
        })
    }
}

#[dsl::auto_type(no_type_alias)]
fn of_user(user_id: i64) -> _ {
    second_factors::table.filter(second_factors::user_id.eq(user_id))
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn id_of_user(user_id: i64) -> _ {
    second_factors::table.filter(second_factors::user_id.eq(user_id)).select(second_factors::id)
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn insert(row: Row) -> _ {
    dsl::insert_into(second_factors::table).values(row)
}

/// No row where this code, or a later one, was used.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn spend(id: i64, step: i64) -> _ {
    let unspent = second_factors::id.eq(id).and(second_factors::last_step.lt(step));
    dsl::update(second_factors::table.filter(unspent)).set(second_factors::last_step.eq(step))
}

/// No row where the codes are others than those that were read.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn put_recovery(id: i64, read: Vec<u8>, kept: Vec<u8>) -> _ {
    let unchanged = second_factors::id.eq(id).and(second_factors::recovery.eq(read));
    dsl::update(second_factors::table.filter(unchanged)).set(second_factors::recovery.eq(kept))
}

/// Puts these in the place of everybody's.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn put_all_recovery(kept: Vec<u8>) -> _ {
    dsl::update(second_factors::table).set(second_factors::recovery.eq(kept))
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn remove(id: i64) -> _ {
    dsl::delete(second_factors::table.filter(second_factors::id.eq(id)))
}

impl Database {
    /// The second factor of a person.
    ///
    /// # Errors
    /// What the database says.
    pub async fn second_factor_of(&self, user_id: Id) -> Result<Option<SecondFactor>, StoreError> {
        let row: Option<Row> = query!(self, first?, of_user(user_id.as_i64()))?;
        row.map(|row| row.open(self.sealer())).transpose()
    }

    /// Whether a person has a second factor.
    ///
    /// # Errors
    /// What the database says.
    pub async fn has_second_factor(&self, user_id: Id) -> Result<bool, StoreError> {
        let id: Option<i64> = query!(self, first?, id_of_user(user_id.as_i64()))?;
        Ok(id.is_some())
    }

    /// Where a session began, if at an upstream.
    ///
    /// # Errors
    /// What the database says.
    pub async fn upstream_of_session(&self, id: Id) -> Result<Option<UpstreamSession>, StoreError> {
        let row: Option<upstream_sessions::Row> = query!(self, first?, upstream_sessions::of_session(id.as_i64()))?;
        Ok(row.map(UpstreamSession::from))
    }
}
