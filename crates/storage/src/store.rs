//! The store that core asks for.

use std::sync::Arc;

use grantor_core::change::Change;
use grantor_core::consent::Consent;
use grantor_core::directory::Directory;
use grantor_core::grant::{AccessToken, AuthorizationCode, RefreshToken};
use grantor_core::session::Session;
use grantor_core::store::{GrantFacts, Store, StoreError};
use grantor_core::user::User;
use grantor_jose::id::Id;

use crate::{
    Database, access_tokens, authorization_codes, consents, grants, query, refresh_tokens, revoked_access_tokens,
    sessions, users,
};

impl Store for Database {
    fn directory(&self) -> Arc<Directory> {
        match self {
            Self::Sqlite(sqlite) => sqlite.directory(),
        }
    }

    async fn access_token_find(&self, id: Id) -> Result<Option<AccessToken>, StoreError> {
        let row: Option<access_tokens::Row> = query!(self, first?, access_tokens::find(id.as_i64()))?;
        row.map(AccessToken::try_from).transpose()
    }

    async fn access_token_is_revoked(&self, id: Id) -> Result<bool, StoreError> {
        let row: Option<i64> = query!(self, first?, revoked_access_tokens::find(id.as_i64()))?;
        Ok(row.is_some())
    }

    async fn code_find(&self, id: Id) -> Result<Option<AuthorizationCode>, StoreError> {
        let row: Option<authorization_codes::Row> = query!(self, first?, authorization_codes::find(id.as_i64()))?;
        row.map(AuthorizationCode::try_from).transpose()
    }

    async fn consent_find(&self, user_id: Id, client_id: &str) -> Result<Option<Consent>, StoreError> {
        let row: Option<consents::Row> = query!(self, first?, consents::find(user_id.as_i64(), client_id))?;
        row.map(Consent::try_from).transpose()
    }

    async fn grant_find(&self, id: Id) -> Result<Option<GrantFacts>, StoreError> {
        let row: Option<(grants::Row, users::Row)> = query!(self, first?, grants::find(id.as_i64()))?;
        row.map(|(grant, user)| Ok(GrantFacts { grant: grant.try_into()?, user: user.try_into()? })).transpose()
    }

    async fn refresh_token_find(&self, grant_id: Id) -> Result<Option<RefreshToken>, StoreError> {
        let row: Option<refresh_tokens::Row> = query!(self, first?, refresh_tokens::find(grant_id.as_i64()))?;
        row.map(RefreshToken::try_from).transpose()
    }

    async fn session_find(&self, id: Id) -> Result<Option<(Session, User)>, StoreError> {
        let row: Option<(sessions::Row, users::Row)> = query!(self, first?, sessions::find(id.as_i64()))?;
        row.map(|(session, user)| Ok((session.try_into()?, user.try_into()?))).transpose()
    }

    async fn user_find(&self, id: Id) -> Result<Option<User>, StoreError> {
        let row: Option<users::Row> = query!(self, first?, users::find(id.as_i64()))?;
        row.map(User::try_from).transpose()
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        match self {
            Self::Sqlite(sqlite) => sqlite.commit(changes).await,
        }
    }
}
