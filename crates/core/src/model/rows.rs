//! The rows of a store in memory. Each change has the expectation that its statement in `crates/storage` has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use grantor_jose::id::Id;

use crate::change::{Change, GrantsOf};
use crate::client::Client;
use crate::consent::Consent;
use crate::directory::Directory;
use crate::fault::{Fault, seeded};
use crate::grant::{AccessToken, AuthorizationCode, Grant, RefreshToken};
use crate::second_factor::SecondFactorChange;
use crate::session::Session;
use crate::store::StoreError;
use crate::time::Time;
use crate::user::User;

type Table<K, V> = BTreeMap<K, Arc<V>>;

/// What is kept. A copy shares every row until one of the two changes it.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    pub(super) access_tokens: Table<Id, AccessToken>,
    pub(super) codes: Table<Id, AuthorizationCode>,
    pub(super) consents: Table<(Id, String), Consent>,
    pub(super) directory: Arc<Directory>,
    pub(super) grants: Table<Id, Grant>,
    pub(super) refresh_tokens: Table<Id, RefreshToken>,
    pub(super) revoked: BTreeSet<Id>,
    pub(super) sessions: Table<Id, Session>,
    pub(super) users: Table<Id, User>,
}

impl Rows {
    /// The rows after all of the changes, or a conflict and none of them.
    pub(super) fn commit(&self, changes: &[Change]) -> Result<Self, StoreError> {
        let mut rows = self.clone();
        for change in changes {
            let held = rows.apply(change)? || seeded(Fault::EverythingFits);
            if !held {
                return Err(StoreError::Conflict);
            }
        }
        Ok(rows)
    }

    /// Makes a change; says whether what it expects was so.
    fn apply(&mut self, change: &Change) -> Result<bool, StoreError> {
        Ok(match change {
            Change::AccessTokenInsert(token) => insert(&mut self.access_tokens, token.id, token),
            Change::AccessTokenRevoke { id, .. } => {
                self.revoked.insert(*id);
                true
            }
            Change::CodeInsert(code) => insert(&mut self.codes, code.id, code),
            Change::CodeSpend { id, at } => {
                let unspent = |code: &AuthorizationCode| code.spent_at.is_none() || seeded(Fault::CodeSpendFitsAlways);
                update(&mut self.codes, id, unspent, |code| code.spent_at = Some(*at))
            }
            Change::ConsentExpect { user_id, client_id, updated_at } => {
                let known = self.consents.get(&(*user_id, client_id.clone()));
                let as_read = known.is_some_and(|consent| consent.updated_at == *updated_at);
                as_read || seeded(Fault::ConsentFitsAlways)
            }
            Change::ConsentPut { consent, expected } => self.put_consent(consent, *expected),
            Change::ConsentRemove { user_id, client_id } => {
                self.consents.remove(&(*user_id, client_id.clone()));
                true
            }
            // Its identifier is always a new one, and nothing is decided by it.
            Change::EventInsert(_) | Change::NoticeInsert(_) => true,
            Change::GrantEnd { id, at, end } => {
                let in_force = |grant: &Grant| grant.ended.is_none();
                seeded(Fault::GrantEndLost)
                    || update(&mut self.grants, id, in_force, |grant| grant.ended = Some((*at, *end)))
            }
            Change::GrantInsert(grant) => insert(&mut self.grants, grant.id, grant),
            Change::GrantsEnd { of, at, end } => {
                let consents = self.consents.clone();
                self.update_grants(|grant| is_of(grant, of, &consents), |grant| grant.ended = Some((*at, *end)))
            }
            Change::GrantsMove { from, to } => {
                let moves = |grant: &Grant| grant.session_id == *from && !seeded(Fault::GrantsMoveLost);
                self.update_grants(moves, |grant| grant.session_id = *to)
            }
            Change::RefreshTokenInsert(token) => insert(&mut self.refresh_tokens, token.grant_id, token),
            Change::RefreshTokenRotate { grant_id, generation, successor, at, idle_expires_at } => {
                let is_current =
                    |row: &RefreshToken| row.generation == *generation || seeded(Fault::RotationFitsAlways);
                update(&mut self.refresh_tokens, grant_id, is_current, |row| {
                    (row.generation, row.secret) = (generation + 1, *successor);
                    (row.rotated_at, row.idle_expires_at) = (*at, *idle_expires_at);
                })
            }
            _ => return self.apply_of_account(change),
        })
    }

    /// What concerns sign-ins and the accounts of people and apps.
    fn apply_of_account(&mut self, change: &Change) -> Result<bool, StoreError> {
        Ok(match change {
            Change::ClientPut(client) => self.put_client(client),
            Change::SessionEnd { id, at } => self.end_sessions(|session| session.id == *id, *at),
            Change::SessionExpect { id } => {
                let in_force = self.sessions.get(id).is_some_and(|session| session.ended_at.is_none());
                in_force || seeded(Fault::SessionFitsAlways)
            }
            Change::SessionInsert(session) => insert(&mut self.sessions, session.id, session),
            Change::SessionSeen { id, at } => {
                let earlier = |session: &Session| session.last_seen_at < *at;
                update(&mut self.sessions, id, earlier, |session| session.last_seen_at = *at);
                true
            }
            Change::SessionsEnd { user_id, except, at } => {
                self.end_sessions(|session| session.user_id == *user_id && Some(session.id) != *except, *at)
            }
            Change::SecondFactor(SecondFactorChange::ExpectNone(_)) => true,
            Change::UserExpect { id, password } => {
                let as_read = |user: &Arc<User>| !user.disabled && user.password.as_ref() == Some(password);
                self.users.get(id).is_some_and(as_read)
            }
            Change::UserPut(user) => {
                self.users.insert(user.id, Arc::new(User::clone(user)));
                true
            }
            other => return Err(StoreError::Failed(format!("the model has no statement for {other:?}").into())),
        })
    }

    fn put_client(&mut self, client: &Client) -> bool {
        let before = &self.directory;
        let mut clients = before.clients.clone();
        clients.insert(client.client_id.clone(), Arc::new(client.clone()));
        self.directory = Arc::new(Directory {
            revision: before.revision + 1,
            clients,
            upstreams: self.directory.upstreams.clone(),
            scopes: before.scopes.clone(),
            groups: before.groups.clone(),
            resources: before.resources.clone(),
            apps: before.apps.clone(),
            keys: before.keys.clone(),
            secrets: before.secrets.clone(),
            epoch: before.epoch,
        });
        true
    }

    fn put_consent(&mut self, consent: &Consent, expected: Option<Time>) -> bool {
        let key = (consent.user_id, consent.client_id.clone());
        let Some(read) = expected else { return insert(&mut self.consents, key, consent) };
        update(&mut self.consents, &key, |known| known.updated_at == read, |known| *known = consent.clone())
    }

    /// Changes those in force, as many as there are.
    fn update_grants(&mut self, which: impl Fn(&Grant) -> bool, change: impl Fn(&mut Grant)) -> bool {
        for grant in self.grants.values_mut().filter(|grant| grant.ended.is_none() && which(grant)) {
            change(Arc::make_mut(grant));
        }
        true
    }

    /// Ends those in force, as many as there are.
    fn end_sessions(&mut self, which: impl Fn(&Session) -> bool, at: Time) -> bool {
        for session in self.sessions.values_mut().filter(|session| session.ended_at.is_none() && which(session)) {
            Arc::make_mut(session).ended_at = Some(at);
        }
        true
    }
}

/// Keeps a row; says whether it is the first of its key.
fn insert<K: Ord, V: Clone>(rows: &mut Table<K, V>, key: K, row: &V) -> bool {
    rows.insert(key, Arc::new(row.clone())).is_none()
}

/// Changes the row of a key where it is as expected; says whether it was.
fn update<K: Ord, V: Clone>(
    rows: &mut Table<K, V>,
    key: &K,
    as_expected: impl Fn(&V) -> bool,
    change: impl FnOnce(&mut V),
) -> bool {
    let row = rows.get_mut(key).filter(|row| as_expected(row));
    row.map(|row| change(Arc::make_mut(row))).is_some()
}

fn is_of(grant: &Grant, of: &GrantsOf, consents: &Table<(Id, String), Consent>) -> bool {
    let consent = consents.get(&(grant.user_id, grant.client_id.clone()));
    let outlives = grant.outlives_session(consent.map(|consent| &**consent));
    match of {
        GrantsOf::Client(client_id) => grant.client_id == *client_id,
        GrantsOf::Session(id) => grant.session_id == *id && !outlives,
        GrantsOf::WholeSession(id) => grant.session_id == *id,
        GrantsOf::User(id) => grant.user_id == *id,
        GrantsOf::UserAndClient(id, client_id) => grant.user_id == *id && grant.client_id == *client_id,
        GrantsOf::UserExceptSession(id, session) => grant.user_id == *id && grant.session_id != *session && !outlives,
    }
}
