//! The store as one request sees it: beat by beat, with whatever others have done in between.
//!
//! A request in flight cannot be copied, but what it has seen can: each call to the store sees one state of the rows. To let a
//! request take one more beat, it is run from its beginning over the states that it saw before, and one more.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use grantor_jose::id::Id;

use super::rows::Rows;
use crate::change::Change;
use crate::consent::Consent;
use crate::directory::Directory;
use crate::fault::{Fault, seeded};
use crate::grant::{AccessToken, AuthorizationCode};
use crate::session::Session;
use crate::store::{AccessTokenFacts, ApiTokenFacts, CodeFacts, GrantFacts, RefreshTokenFacts, Store, StoreError};
use crate::user::User;

/// The states of the rows that a request's calls see, one after the other.
pub(super) struct Beats<'a> {
    seen: &'a [Arc<Rows>],
    /// What calls beyond those see, where nobody comes in between; else the request waits there.
    alone: Option<RefCell<Arc<Rows>>>,
    calls: Cell<usize>,
    /// Whether the newest call read facts, and what a commit made of the rows.
    loaded: Cell<bool>,
    written: RefCell<Option<Arc<Rows>>>,
}

impl<'a> Beats<'a> {
    /// A request to where it waits for its next call. There is at least one state.
    pub(super) fn seeing(seen: &'a [Arc<Rows>]) -> Self {
        let written = RefCell::default();
        Self { seen, alone: None, calls: Cell::new(0), loaded: Cell::new(false), written }
    }

    /// A request from its beginning to its end, with nothing in between.
    pub(super) fn alone(rows: &'a Arc<Rows>) -> Self {
        Self { alone: Some(RefCell::new(Arc::clone(rows))), ..Self::seeing(std::slice::from_ref(rows)) }
    }

    /// Whether the newest call read facts.
    pub(super) fn has_loaded(&self) -> bool {
        self.loaded.get()
    }

    /// The rows after the newest call, if it has changed them.
    pub(super) fn written(&self) -> Option<Arc<Rows>> {
        self.alone.as_ref().map(|rows| Arc::clone(&rows.borrow())).or_else(|| self.written.take())
    }

    /// The state that the next call sees.
    async fn next(&self) -> Arc<Rows> {
        let call = self.calls.get();
        let rows = match (&self.alone, self.seen.get(call)) {
            (Some(rows), _) => Arc::clone(&rows.borrow()),
            (None, Some(rows)) => Arc::clone(rows),
            (None, None) => std::future::pending().await,
        };
        self.calls.set(call + 1);
        self.loaded.set(true);
        self.written.take();
        rows
    }
}

/// Runs a request until it is done, or waits for a call to be answered.
pub(super) fn run<F: Future>(request: F) -> Option<F::Output> {
    match pin!(request).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => Some(outcome),
        Poll::Pending => None,
    }
}

impl Store for Beats<'_> {
    fn directory(&self) -> Arc<Directory> {
        let newest = self.calls.get().saturating_sub(1).min(self.seen.len() - 1);
        Arc::clone(&self.seen[newest].directory)
    }

    async fn access_token_find(&self, id: Id) -> Result<Option<(AccessToken, AccessTokenFacts)>, StoreError> {
        let rows = self.next().await;
        Ok(rows.access_tokens.get(&id).map(|token| ((**token).clone(), token_facts(&rows, id, token.grant_id))))
    }

    async fn access_token_facts(&self, id: Id, grant_id: Option<Id>) -> Result<AccessTokenFacts, StoreError> {
        Ok(token_facts(&*self.next().await, id, grant_id))
    }

    /// The model has none.
    async fn api_token_find(&self, _: Id) -> Result<Option<ApiTokenFacts>, StoreError> {
        Ok(None)
    }

    async fn code_find(&self, id: Id) -> Result<Option<CodeFacts>, StoreError> {
        let rows = self.next().await;
        let facts = |code: &Arc<AuthorizationCode>| {
            Some(CodeFacts {
                user: copy(rows.users.get(&code.user_id))?,
                session: copy(rows.sessions.get(&code.session_id)),
                consent: copy(rows.consents.get(&(code.user_id, code.client_id.clone()))),
                grant: copy(rows.grants.get(&id)),
                code: (**code).clone(),
            })
        };
        Ok(rows.codes.get(&id).and_then(facts))
    }

    async fn consent_find(&self, user_id: Id, client_id: &str) -> Result<Option<Consent>, StoreError> {
        Ok(copy(self.next().await.consents.get(&(user_id, client_id.to_owned()))))
    }

    async fn refresh_token_find(&self, grant_id: Id) -> Result<Option<RefreshTokenFacts>, StoreError> {
        let rows = self.next().await;
        let facts = || {
            let mut grant = copy(rows.grants.get(&grant_id))?;
            let consent = copy(rows.consents.get(&(grant.user_id, grant.client_id.clone())));
            grant.ended.take_if(|_| seeded(Fault::EndIsNotRead));
            if let Some(consent) = consent.as_ref().filter(|_| seeded(Fault::ScopeOfConsentIsRead)) {
                grant.scope = consent.granted.clone();
            }
            Some(RefreshTokenFacts {
                token: copy(rows.refresh_tokens.get(&grant_id))?,
                user: copy(rows.users.get(&grant.user_id))?,
                session: copy(rows.sessions.get(&grant.session_id)),
                consent,
                grant,
            })
        };
        Ok(facts())
    }

    async fn session_find(&self, id: Id) -> Result<Option<(Session, User)>, StoreError> {
        let rows = self.next().await;
        let session = copy(rows.sessions.get(&id));
        Ok(session.and_then(|session| copy(rows.users.get(&session.user_id)).map(|user| (session, user))))
    }

    async fn user_find(&self, id: Id) -> Result<Option<User>, StoreError> {
        Ok(copy(self.next().await.users.get(&id)))
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        let before = self.next().await;
        self.loaded.set(false);
        let rows = Arc::new(before.commit(&changes)?);
        if let Some(alone) = &self.alone {
            alone.replace(Arc::clone(&rows));
        }
        self.written.replace(Some(rows));
        Ok(())
    }
}

fn copy<T: Clone>(row: Option<&Arc<T>>) -> Option<T> {
    row.map(|row| (**row).clone())
}

fn token_facts(rows: &Rows, id: Id, grant_id: Option<Id>) -> AccessTokenFacts {
    let grant = grant_id.and_then(|grant_id| copy(rows.grants.get(&grant_id)));
    let approval = grant.and_then(|grant| Some(GrantFacts { user: copy(rows.users.get(&grant.user_id))?, grant }));
    AccessTokenFacts { revoked: rows.revoked.contains(&id), approval }
}
