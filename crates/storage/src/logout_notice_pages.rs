//! What is read of notices of ended sessions: by those who deliver them, by people and by commands.

use grantor_core::backchannel_logout::LogoutNotice;
use grantor_core::frontchannel_logout::TookPart;
use grantor_core::store::StoreError;
use grantor_core::time::Time;
use grantor_jose::id::Id;

use crate::{Database, grants, logout_notices, query};

impl Database {
    /// At most `most` apps that something is due for at `now`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn logout_notices_due_for(&self, now: Time, most: u32) -> Result<Vec<String>, StoreError> {
        query!(self, load, logout_notices::clients_due(now.millis(), most.into()))
    }

    /// At most `most` notices that an app is to be given at `now`, the longest due first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn logout_notices_due(
        &self,
        client_id: &str,
        now: Time,
        most: u32,
    ) -> Result<Vec<LogoutNotice>, StoreError> {
        let rows: Vec<logout_notices::Row> =
            query!(self, load, logout_notices::due(client_id, now.millis(), most.into()))?;
        rows.into_iter().map(LogoutNotice::try_from).collect()
    }

    /// At most `most` notices of a person's sessions, those that ended last first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn logout_notices_of(&self, user_id: Id, most: u32) -> Result<Vec<LogoutNotice>, StoreError> {
        let rows: Vec<logout_notices::Row> =
            query!(self, load, logout_notices::of_user(user_id.as_i64(), most.into()))?;
        rows.into_iter().map(LogoutNotice::try_from).collect()
    }

    /// At most `most` notices, of one app or of any, with or without those that were delivered; the sessions that ended last first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn logout_notices(
        &self,
        client_id: Option<&str>,
        also_delivered: bool,
        most: u32,
    ) -> Result<Vec<LogoutNotice>, StoreError> {
        let client = (client_id.is_none(), client_id.unwrap_or_default());
        let rows: Vec<logout_notices::Row> =
            query!(self, load, logout_notices::listed(client, also_delivered, most.into()))?;
        rows.into_iter().map(LogoutNotice::try_from).collect()
    }

    /// The apps that took part in a session, whether their access has ended or not, each with the session as it knows it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn took_part(&self, session_id: Id) -> Result<Vec<TookPart>, StoreError> {
        let rows: Vec<(String, i64)> = query!(self, load, grants::took_part(session_id.as_i64()))?;
        let known = |sid: i64| if sid == 0 { session_id } else { Id::from_i64(sid) };
        let mut all: Vec<TookPart> = rows.into_iter().map(|(client_id, sid)| (client_id, known(sid))).collect();
        all.sort_unstable();
        all.dedup();
        Ok(all)
    }

    /// How many notices wait to be delivered.
    ///
    /// # Errors
    /// What the database says.
    pub async fn logout_notices_waiting(&self) -> Result<i64, StoreError> {
        let count: Option<i64> = query!(self, first?, logout_notices::count_waiting())?;
        Ok(count.unwrap_or_default())
    }
}
