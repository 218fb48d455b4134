//! The store as core sees it: facts to read, changes to commit.

use std::future::Future;
use std::sync::Arc;

use grantor_jose::id::Id;

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
}

/// What an introspecting or userinfo request needs to know of a grant in one read.
#[derive(Clone, Debug)]
pub struct GrantFacts {
    /// The grant.
    pub grant: Grant,
    /// The person who gave it.
    pub user: User,
}

/// The facts of a provider, and the one way to change them.
pub trait Store {
    /// The newest snapshot of clients, scopes, APIs and keys.
    fn directory(&self) -> Arc<Directory>;

    /// The opaque access token with this id.
    fn access_token_find(&self, id: Id) -> impl Future<Output = Result<Option<AccessToken>, StoreError>>;

    /// Whether the token with this id was revoked before its time.
    fn access_token_is_revoked(&self, id: Id) -> impl Future<Output = Result<bool, StoreError>>;

    /// The authorization code with this id, spent or not.
    fn code_find(&self, id: Id) -> impl Future<Output = Result<Option<AuthorizationCode>, StoreError>>;

    /// What a person answered about an app.
    fn consent_find(&self, user_id: Id, client_id: &str) -> impl Future<Output = Result<Option<Consent>, StoreError>>;

    /// The grant with this id, ended or not, and its person.
    fn grant_find(&self, id: Id) -> impl Future<Output = Result<Option<GrantFacts>, StoreError>>;

    /// The refresh token of a grant.
    fn refresh_token_find(&self, grant_id: Id) -> impl Future<Output = Result<Option<RefreshToken>, StoreError>>;

    /// The session with this id, ended or not, and its person.
    fn session_find(&self, id: Id) -> impl Future<Output = Result<Option<(Session, User)>, StoreError>>;

    /// The person with this id.
    fn user_find(&self, id: Id) -> impl Future<Output = Result<Option<User>, StoreError>>;

    /// Applies all changes, or none. Durable when it returns.
    fn commit(&self, changes: Vec<Change>) -> impl Future<Output = Result<(), StoreError>>;
}
