//! The store as core sees it: facts to read, changes to commit.

use std::future::Future;
use std::sync::Arc;

use grantor_jose::id::Id;

use crate::api_token::ApiToken;
use crate::change::Change;
use crate::consent::Consent;
use crate::directory::Directory;
use crate::grant::{AccessToken, AuthorizationCode, Grant, RefreshToken};
use crate::session::Session;
use crate::user::User;

/// Why the store could not answer. Not found is an `Option`, never an error.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Too much is waiting; nothing was done; ask again in a moment.
    #[error("the store is busy")]
    Busy,
    /// An expectation did not hold; nothing was done; load again and decide again.
    #[error("another request came first")]
    Conflict,
    /// A row that cannot be.
    #[error("impossible value in {table}.{column} of row {id}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row.
        id: String,
    },
    /// The database failed.
    #[error("the database failed: {0}")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database cannot be reached. What was to be committed is done as a whole or not at all; ask again in a moment.
    #[error("the database cannot be reached")]
    Unavailable,
}

impl StoreError {
    /// Whether it passes by itself, so that asking again helps.
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Busy | Self::Unavailable)
    }
}

/// A grant and the person who gave it.
#[derive(Clone, Debug)]
pub struct GrantFacts {
    /// The grant.
    pub grant: Grant,
    /// The person who gave it.
    pub user: User,
}

/// What hangs on the identifier of an access token, as it was at one moment.
#[derive(Clone, Debug, Default)]
pub struct AccessTokenFacts {
    /// Whether the token was revoked before its time.
    pub revoked: bool,
    /// The grant that was asked for, ended or not.
    pub approval: Option<GrantFacts>,
}

/// An API token, live or not, and its person as they were at one moment.
#[derive(Clone, Debug)]
pub struct ApiTokenFacts {
    /// The token.
    pub token: ApiToken,
    /// The person it belongs to; none for a client's.
    pub user: Option<User>,
}

/// An authorization code, spent or not, and what its redemption is decided by, all as it was at one moment.
#[derive(Clone, Debug)]
pub struct CodeFacts {
    /// The code.
    pub code: AuthorizationCode,
    /// The person who approved.
    pub user: User,
    /// The session in which they did; none when it is gone.
    pub session: Option<Session>,
    /// What the person allows the app.
    pub consent: Option<Consent>,
    /// The grant that the code has become.
    pub grant: Option<Grant>,
}

/// A refresh token and what its use is decided by, all as it was at one moment.
#[derive(Clone, Debug)]
pub struct RefreshTokenFacts {
    /// The refresh token.
    pub token: RefreshToken,
    /// Its grant, ended or not.
    pub grant: Grant,
    /// The person who gave it.
    pub user: User,
    /// The session that the grant hangs on; none when it is gone.
    pub session: Option<Session>,
    /// What the person allows the app.
    pub consent: Option<Consent>,
}

/// The facts of a provider, and the one way to change them.
pub trait Store {
    /// The newest snapshot of clients, scopes, APIs and keys.
    fn directory(&self) -> Arc<Directory>;

    /// The opaque access token with this id, and its facts.
    fn access_token_find(
        &self,
        id: Id,
    ) -> impl Future<Output = Result<Option<(AccessToken, AccessTokenFacts)>, StoreError>>;

    /// What hangs on an access token that carries its own claims: the token's id, and that of its grant.
    fn access_token_facts(
        &self,
        id: Id,
        grant_id: Option<Id>,
    ) -> impl Future<Output = Result<AccessTokenFacts, StoreError>>;

    /// The API token with this id, live or not.
    fn api_token_find(&self, id: Id) -> impl Future<Output = Result<Option<ApiTokenFacts>, StoreError>>;

    /// The authorization code with this id, spent or not.
    fn code_find(&self, id: Id) -> impl Future<Output = Result<Option<CodeFacts>, StoreError>>;

    /// What a person answered about an app.
    fn consent_find(&self, user_id: Id, client_id: &str) -> impl Future<Output = Result<Option<Consent>, StoreError>>;

    /// The refresh token of a grant, ended or not.
    fn refresh_token_find(&self, grant_id: Id) -> impl Future<Output = Result<Option<RefreshTokenFacts>, StoreError>>;

    /// The session with this id, ended or not, and its person.
    fn session_find(&self, id: Id) -> impl Future<Output = Result<Option<(Session, User)>, StoreError>>;

    /// The person with this id.
    fn user_find(&self, id: Id) -> impl Future<Output = Result<Option<User>, StoreError>>;

    /// Applies all changes, or none. Durable when it returns.
    fn commit(&self, changes: Vec<Change>) -> impl Future<Output = Result<(), StoreError>>;
}
