//! What pages and commands read beside the protocol.

use grantor_core::api_token::{ApiToken, Owner};
use grantor_core::audit::Event;
use grantor_core::consent::Consent;
use grantor_core::grant::{Grant, RefreshToken};
use grantor_core::session::Session;
use grantor_core::store::{Store, StoreError};
use grantor_core::time::Time;
use grantor_core::usage::{Held, Usage};
use grantor_core::user::User;
use grantor_jose::id::Id;

use crate::events::EventFilter;
use crate::usages::UsagesOf;
use crate::{
    Database, api_tokens, attempts, consents, ended_keys, events, grants, query, refresh_tokens, retired_usernames,
    sessions, token_counts, usages, users,
};

impl Database {
    /// People in the order in which their accounts were made: at most `limit` of those after `after`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn users(&self, limit: u32, after: Option<Id>) -> Result<Vec<User>, StoreError> {
        let after = after.map_or(i64::MIN, Id::as_i64);
        let rows: Vec<users::Row> = query!(self, load, users::page(after, limit.into()))?;
        rows.into_iter().map(User::try_from).collect()
    }

    /// The person who signs in with a name, which is in its normal form.
    ///
    /// # Errors
    /// What the database says.
    pub async fn user_find_by_username(&self, username: &str) -> Result<Option<User>, StoreError> {
        let row: Option<users::Row> = query!(self, first?, users::find_by_username(username))?;
        row.map(User::try_from).transpose()
    }

    /// Whether a name was somebody's who was removed, by its keyed hash. Read when nobody was found by the name.
    ///
    /// # Errors
    /// What the database says.
    pub async fn username_is_retired(&self, digest: &[u8; 32]) -> Result<bool, StoreError> {
        let retired_at: Option<i64> = query!(self, first?, retired_usernames::find(digest))?;
        Ok(retired_at.is_some())
    }

    /// The API tokens of an owner, the newest first: all that were not ended, whether they have expired or not, and some that
    /// were, those that were ended last.
    ///
    /// # Errors
    /// What the database says.
    pub async fn api_tokens_of(&self, owner: &Owner) -> Result<Vec<ApiToken>, StoreError> {
        let most = api_tokens::MOST_ENDED;
        // In this order: one that is ended in between is seen twice, and never missed.
        let (kept, ended): (Vec<api_tokens::Row>, Vec<api_tokens::Row>) = match owner {
            Owner::Client(client_id) => (
                query!(self, load, api_tokens::of_client(client_id))?,
                query!(self, load, api_tokens::ended_of_client(client_id, most))?,
            ),
            Owner::User(id) => (
                query!(self, load, api_tokens::of_user(id.as_i64()))?,
                query!(self, load, api_tokens::ended_of_user(id.as_i64(), most))?,
            ),
        };
        let all = ended.into_iter().chain(kept).map(ApiToken::try_from);
        let mut tokens = all.collect::<Result<Vec<_>, _>>()?;
        tokens.sort_by_key(|token| std::cmp::Reverse(token.id));
        tokens.dedup_by_key(|token| token.id);
        Ok(tokens)
    }

    /// The API token with this identifier, live or not, if it is this owner's.
    ///
    /// # Errors
    /// What the database says.
    pub async fn api_token_of(&self, owner: &Owner, id: Id) -> Result<Option<ApiToken>, StoreError> {
        let found = self.api_token_find(id).await?.map(|found| found.token);
        Ok(found.filter(|token| token.owner == *owner))
    }

    /// Those of these keys that had ended when their app was removed.
    ///
    /// # Errors
    /// What the database says.
    pub async fn ended_keys(&self, ids: &[Id]) -> Result<Vec<Id>, StoreError> {
        let ids: Vec<i64> = ids.iter().map(|id| id.as_i64()).collect();
        let noted: Vec<i64> = query!(self, load, ended_keys::find(ids.clone()))?;
        Ok(noted.into_iter().map(Id::from_i64).collect())
    }

    /// The sessions of a person that were not ended, the newest first. Some of them may have been idle for too long.
    ///
    /// # Errors
    /// What the database says.
    pub async fn sessions_of(&self, user_id: Id) -> Result<Vec<Session>, StoreError> {
        let rows: Vec<sessions::Row> = query!(self, load, sessions::of_user(user_id.as_i64()))?;
        rows.into_iter().map(Session::try_from).collect()
    }

    /// The grants of a person that were not ended, the newest first, each with its refresh token.
    ///
    /// # Errors
    /// What the database says.
    pub async fn grants_of(&self, user_id: Id) -> Result<Vec<(Grant, Option<RefreshToken>)>, StoreError> {
        let rows: Vec<(grants::Row, Option<refresh_tokens::Row>)> =
            query!(self, load, grants::of_user(user_id.as_i64()))?;
        let read = |(grant, token): (grants::Row, Option<refresh_tokens::Row>)| {
            Ok((grant.try_into()?, token.map(RefreshToken::try_from).transpose()?))
        };
        rows.into_iter().map(read).collect()
    }

    /// How many tokens an app was issued from a day (since 1970) on: day, grant type and number.
    ///
    /// # Errors
    /// What the database says.
    pub async fn token_counts_of(&self, client_id: &str, since: i64) -> Result<Vec<(i64, String, i64)>, StoreError> {
        query!(self, load, token_counts::of_client(client_id, since))
    }

    /// What was used of these since a day, as far as rows tell: the newest days first, and as many rows as a command or a page can show.
    ///
    /// # Errors
    /// What the database says.
    pub async fn usages(&self, of: &UsagesOf, since: i64) -> Result<Vec<Usage>, StoreError> {
        let rows: Vec<usages::Row> = match of {
            UsagesOf::ApiToken(id) => query!(self, load, usages::of_origin(id.as_i64(), since, usages::MOST))?,
            UsagesOf::Client(client_id) => query!(self, load, usages::of_client(client_id, since, usages::MOST))?,
            UsagesOf::User(id) => query!(self, load, usages::of_user(id.as_i64(), since, usages::MOST))?,
            UsagesOf::AppsOf(id) => query!(self, load, usages::by_apps(id.as_i64(), since, usages::MOST_SHOWN))?,
            UsagesOf::TokensOf(id) => query!(self, load, usages::by_tokens(id.as_i64(), since, usages::MOST_SHOWN))?,
        };
        rows.into_iter().map(Usage::try_from).collect()
    }

    /// The oldest day that usages are known of.
    ///
    /// # Errors
    /// What the database says.
    pub async fn usages_oldest(&self) -> Result<Option<i64>, StoreError> {
        query!(self, first?, usages::oldest())
    }

    /// What is known of these origins since a day.
    ///
    /// # Errors
    /// What the database says.
    pub async fn usages_known(&self, held: &[Held], since: i64) -> Result<Vec<Usage>, StoreError> {
        let origins: Vec<i64> = held.iter().map(usages::origin).collect();
        let client_ids: Vec<&str> = held.iter().map(|held| held.client_id.as_str()).collect();
        let rows: Vec<usages::Row> = query!(self, load, usages::known(origins.clone(), client_ids.clone(), since))?;
        rows.into_iter().map(Usage::try_from).collect()
    }

    /// Those of these people who have an account.
    ///
    /// # Errors
    /// What the database says.
    pub async fn users_present(&self, ids: &[Id]) -> Result<Vec<Id>, StoreError> {
        let ids: Vec<i64> = ids.iter().map(|id| id.as_i64()).collect();
        let rows: Vec<i64> = query!(self, load, users::present(ids.clone()))?;
        Ok(rows.into_iter().map(Id::from_i64).collect())
    }

    /// What a person answered about apps.
    ///
    /// # Errors
    /// What the database says.
    pub async fn consents_of(&self, user_id: Id) -> Result<Vec<Consent>, StoreError> {
        let rows: Vec<consents::Row> = query!(self, load, consents::of_user(user_id.as_i64()))?;
        rows.into_iter().map(Consent::try_from).collect()
    }

    /// The failed sign-ins of a slot and since when they are counted.
    ///
    /// # Errors
    /// What the database says.
    pub async fn attempts_find(&self, slot: i64) -> Result<Option<(i64, Time)>, StoreError> {
        let row: Option<(i64, i64)> = query!(self, first?, attempts::find(slot))?;
        Ok(row.map(|(failures, window_started)| (failures, Time::from_millis(window_started))))
    }

    /// Security events, refusals among them, the oldest first: at most `limit` of those after `after`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn events_after(&self, filter: &EventFilter, after: Option<Id>) -> Result<Vec<Event>, StoreError> {
        let mut rows: Vec<events::Row> = query!(self, load, events::find_oldest(filter.wanted_after(after)))?;
        let refusals: Vec<events::Row> = query!(self, load, events::find_oldest_refusals(filter.wanted_after(after)))?;
        rows.extend(refusals);
        let mut events = rows.into_iter().map(Event::try_from).collect::<Result<Vec<_>, _>>()?;
        events.sort_unstable_by_key(|event| event.id);
        events.truncate(filter.limit.try_into().unwrap_or(usize::MAX));
        Ok(events)
    }

    /// Security events, refusals among them, the newest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn events(&self, filter: &EventFilter) -> Result<Vec<Event>, StoreError> {
        let mut rows: Vec<events::Row> = query!(self, load, events::find(filter.wanted()))?;
        let refusals: Vec<events::Row> = query!(self, load, events::find_refusals(filter.wanted()))?;
        rows.extend(refusals);
        let mut events = rows.into_iter().map(Event::try_from).collect::<Result<Vec<_>, _>>()?;
        events.sort_unstable_by_key(|event| std::cmp::Reverse(event.id));
        events.truncate(filter.limit.try_into().unwrap_or(usize::MAX));
        Ok(events)
    }
}
