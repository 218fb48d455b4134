//! What people and operators shall know of tokens without asking, seen beside requests: that one was used in a network that is new, and
//! that one expires soon.

use std::collections::HashMap;

use grantor_core::api_token::watch;
use grantor_core::change::Change;
use grantor_core::store::{Store, StoreError};
use grantor_jose::id::Id;

use crate::app::App;
use crate::uses::Noted;

/// So many tokens are looked at at a time that expire soon.
const AT_ONCE: u32 = 100;

/// How often a token that another node has looked at meanwhile is looked at again.
const MAX_RACES: usize = 4;

impl App {
    /// Notes the networks in which tokens were used, and tells their owners of new ones.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn learn_networks(&self, used: &[(Id, Noted)]) -> Result<(), StoreError> {
        let mut left: HashMap<Id, &Noted> =
            used.iter().filter(|(_, noted)| !noted.from.is_empty()).map(|(id, noted)| (*id, noted)).collect();
        for _ in 0..MAX_RACES {
            if left.is_empty() {
                return Ok(());
            }
            let ids: Vec<Id> = left.keys().copied().collect();
            let mut again = HashMap::new();
            for watched in self.provider.store.api_tokens_watched(&ids).await? {
                let Some(noted) = left.get(&watched.token_id) else { continue };
                let changes = watch::used_from(&watched, &noted.from, self.id());
                if !self.told(changes).await? {
                    again.insert(watched.token_id, *noted);
                }
            }
            left = again;
        }
        Ok(())
    }

    /// Tells of tokens that expire soon, each once, whichever node does it.
    ///
    /// # Errors
    /// Those of the store; who was told stays so.
    pub async fn tell_of_expiries(&self) -> Result<(), StoreError> {
        let (now, notice) = (self.clock.now(), self.settings.expiry_notice);
        if notice.is_zero() {
            return Ok(());
        }
        let mut after = now;
        loop {
            let soon = self.provider.store.api_tokens_expiring(after, now.plus(notice), AT_ONCE).await?;
            for (token, watch) in &soon {
                // Where another node came first, it has told.
                self.told(watch::expires(token, watch.clone(), (self.id(), now))).await?;
            }
            match soon.last() {
                Some((last, _)) if u32::try_from(soon.len()).is_ok_and(|found| found >= AT_ONCE) => {
                    after = last.expires_at;
                }
                _ => return Ok(()),
            }
        }
    }

    /// Commits; says whether nobody came first.
    async fn told(&self, changes: Vec<Change>) -> Result<bool, StoreError> {
        match self.provider.store.commit(changes).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
