//! What the registration endpoints and commands read.

use std::collections::HashMap;

use grantor_core::registration::{InitialToken, Registration};
use grantor_core::store::StoreError;
use grantor_core::time::Time;
use grantor_jose::id::Id;

use crate::{Database, initial_access_tokens, query, registrations, token_counts};

impl Database {
    /// What is known of a client that registered itself.
    ///
    /// # Errors
    /// What the database says.
    pub async fn registration_find(&self, client_id: &str) -> Result<Option<Registration>, StoreError> {
        let row: Option<registrations::Row> = query!(self, first?, registrations::find(client_id))?;
        row.map(Registration::try_from).transpose()
    }

    /// All clients that registered themselves, the first one first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn registrations(&self) -> Result<Vec<Registration>, StoreError> {
        let rows: Vec<registrations::Row> = query!(self, load, registrations::all())?;
        rows.into_iter().map(Registration::try_from).collect()
    }

    /// How many clients have registered themselves, `most` where there are more.
    ///
    /// # Errors
    /// What the database says.
    pub async fn registrations_count(&self, most: usize) -> Result<usize, StoreError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let found: Vec<i64> = query!(self, load, registrations::some(most))?;
        Ok(found.len())
    }

    /// How many clients were registered from an address, `most` where there are more.
    ///
    /// # Errors
    /// What the database says.
    pub async fn registrations_of_address(&self, address: &str, most: usize) -> Result<usize, StoreError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let found: Vec<i64> = query!(self, load, registrations::some_of_address(address, most))?;
        Ok(found.len())
    }

    /// The clients that registered themselves by a moment and were never used, at most so many.
    ///
    /// # Errors
    /// What the database says.
    pub async fn registrations_unused(&self, registered_by: Time, most: i64) -> Result<Vec<String>, StoreError> {
        query!(self, load, registrations::unused(registered_by.millis(), most))
    }

    /// The initial access token with this identifier, good or not.
    ///
    /// # Errors
    /// What the database says.
    pub async fn initial_token_find(&self, id: Id) -> Result<Option<InitialToken>, StoreError> {
        let row: Option<initial_access_tokens::Row> = query!(self, first?, initial_access_tokens::find(id.as_i64()))?;
        row.map(InitialToken::try_from).transpose()
    }

    /// All initial access tokens, the newest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn initial_tokens(&self) -> Result<Vec<InitialToken>, StoreError> {
        let rows: Vec<initial_access_tokens::Row> = query!(self, load, initial_access_tokens::all())?;
        rows.into_iter().map(InitialToken::try_from).collect()
    }

    /// The last day (since 1970) on which each app was issued a token, of those since a day.
    ///
    /// # Errors
    /// What the database says.
    pub async fn token_days(&self, since: i64) -> Result<HashMap<String, i64>, StoreError> {
        let mut rows: Vec<(String, i64)> = query!(self, load, token_counts::days(since))?;
        rows.sort_by_key(|(_, day)| *day);
        Ok(rows.into_iter().collect())
    }
}
