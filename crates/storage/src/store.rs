//! The store that core asks for.

use std::sync::Arc;

use grantor_core::backchannel_logout::with_notices;
use grantor_core::change::Change;
use grantor_core::consent::Consent;
use grantor_core::directory::Directory;
use grantor_core::grant::{AccessToken, Grant};
use grantor_core::session::Session;
use grantor_core::store::{
    AccessTokenFacts, ApiTokenFacts, CodeFacts, GrantFacts, RefreshTokenFacts, Store, StoreError,
};
use grantor_core::user::User;
use grantor_jose::id::Id;

use crate::{
    Database, access_tokens, api_tokens, authorization_codes, consents, grants, query, refresh_tokens,
    revoked_access_tokens, sessions, users,
};

/// A note that an access token was revoked: its identifier, and until when the note is needed.
type Revoked = (i64, i64);

type AccessTokenRow = (access_tokens::Row, Option<Revoked>, Option<grants::Row>, Option<users::Row>);
type CodeRow =
    (authorization_codes::Row, users::Row, Option<sessions::Row>, Option<consents::Row>, Option<grants::Row>);
type RefreshTokenRow = (refresh_tokens::Row, grants::Row, users::Row, Option<sessions::Row>, Option<consents::Row>);

fn approval((grant, user): (grants::Row, users::Row)) -> Result<GrantFacts, StoreError> {
    Ok(GrantFacts { grant: grant.try_into()?, user: user.try_into()? })
}

impl Store for Database {
    fn directory(&self) -> Arc<Directory> {
        match self {
            Self::Postgres(postgres) => postgres.directory(),
            Self::Sqlite(sqlite) => sqlite.directory(),
        }
    }

    async fn access_token_find(&self, id: Id) -> Result<Option<(AccessToken, AccessTokenFacts)>, StoreError> {
        let row: Option<AccessTokenRow> = query!(self, first?, access_tokens::find(id.as_i64()))?;
        row.map(|(token, revoked, grant, user)| {
            let approval = grant.zip(user).map(approval).transpose()?;
            Ok((token.try_into()?, AccessTokenFacts { revoked: revoked.is_some(), approval }))
        })
        .transpose()
    }

    async fn access_token_facts(&self, id: Id, grant_id: Option<Id>) -> Result<AccessTokenFacts, StoreError> {
        let Some(grant_id) = grant_id else {
            let row: Option<i64> = query!(self, first?, revoked_access_tokens::find(id.as_i64()))?;
            return Ok(AccessTokenFacts { revoked: row.is_some(), approval: None });
        };
        let row: Option<(grants::Row, users::Row, Option<Revoked>)> =
            query!(self, first?, grants::find_with_token(grant_id.as_i64(), id.as_i64()))?;
        let Some((grant, user, revoked)) = row else { return Ok(AccessTokenFacts::default()) };
        Ok(AccessTokenFacts { revoked: revoked.is_some(), approval: Some(approval((grant, user))?) })
    }

    async fn api_token_find(&self, id: Id) -> Result<Option<ApiTokenFacts>, StoreError> {
        let row: Option<(api_tokens::Row, Option<users::Row>)> = query!(self, first?, api_tokens::find(id.as_i64()))?;
        row.map(|(token, user)| {
            Ok(ApiTokenFacts { token: token.try_into()?, user: user.map(User::try_from).transpose()? })
        })
        .transpose()
    }

    async fn code_find(&self, id: Id) -> Result<Option<CodeFacts>, StoreError> {
        let row: Option<CodeRow> = query!(self, first?, authorization_codes::find(id.as_i64()))?;
        row.map(|(code, user, session, consent, grant)| {
            Ok(CodeFacts {
                code: code.try_into()?,
                user: user.try_into()?,
                session: session.map(Session::try_from).transpose()?,
                consent: consent.map(Consent::try_from).transpose()?,
                grant: grant.map(Grant::try_from).transpose()?,
            })
        })
        .transpose()
    }

    async fn consent_find(&self, user_id: Id, client_id: &str) -> Result<Option<Consent>, StoreError> {
        let row: Option<consents::Row> = query!(self, first?, consents::find(user_id.as_i64(), client_id))?;
        row.map(Consent::try_from).transpose()
    }

    async fn refresh_token_find(&self, grant_id: Id) -> Result<Option<RefreshTokenFacts>, StoreError> {
        let row: Option<RefreshTokenRow> = query!(self, first?, refresh_tokens::find(grant_id.as_i64()))?;
        row.map(|(token, grant, user, session, consent)| {
            Ok(RefreshTokenFacts {
                token: token.try_into()?,
                grant: grant.try_into()?,
                user: user.try_into()?,
                session: session.map(Session::try_from).transpose()?,
                consent: consent.map(Consent::try_from).transpose()?,
            })
        })
        .transpose()
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
        let is_anybody_told =
            || self.directory().clients.values().any(|client| client.metadata.backchannel_logout_uri.is_some());
        let changes = with_notices(changes, is_anybody_told);
        let changes = match self.subscriptions().get() {
            Some(subscriptions) => subscriptions.with_messages(changes),
            None => changes,
        };
        match self {
            Self::Postgres(postgres) => postgres.commit(changes).await,
            Self::Sqlite(sqlite) => sqlite.commit(changes).await,
        }
    }
}
