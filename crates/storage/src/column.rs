//! What stands in columns: flags as 0 and 1, sets as text, lists and maps as JSON, hashes as bytes; read strictly.

use std::fmt::Display;

use grantor_core::scope::Scope;
use grantor_core::store::StoreError;
use grantor_jose::secret::SecretHash;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Failure;

/// What a column keeps of a list, a map or a record.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Result<String, Failure> {
    Ok(serde_json::to_string(value)?)
}

/// A row that is being read: knows what to call it when a value in it cannot be.
#[derive(Clone, Copy)]
pub(crate) struct Place<I> {
    table: &'static str,
    id: I,
}

impl<I: Display> Place<I> {
    pub(crate) const fn new(table: &'static str, id: I) -> Self {
        Self { table, id }
    }

    pub(crate) fn corrupt(&self, column: &'static str) -> StoreError {
        StoreError::Corrupt { table: self.table, column, id: self.id.to_string() }
    }

    pub(crate) fn flag(&self, column: &'static str, number: i64) -> Result<bool, StoreError> {
        match number {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.corrupt(column)),
        }
    }

    pub(crate) fn hash(&self, column: &'static str, bytes: &[u8]) -> Result<SecretHash, StoreError> {
        SecretHash::from_slice(bytes).ok_or_else(|| self.corrupt(column))
    }

    pub(crate) fn scope(&self, column: &'static str, text: &str) -> Result<Scope, StoreError> {
        text.parse().map_err(|_| self.corrupt(column))
    }

    pub(crate) fn json<T: DeserializeOwned>(&self, column: &'static str, text: &str) -> Result<T, StoreError> {
        serde_json::from_str(text).map_err(|_| self.corrupt(column))
    }
}
