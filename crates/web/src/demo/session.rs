//! What the app keeps for each browser, in memory: the steps so far, a sign-in under way, the tokens.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use openidconnect::{
    AccessToken, CsrfToken, Nonce, PkceCodeVerifier, RefreshToken, SubjectIdentifier, core::CoreIdToken,
};
use tokio::sync::Mutex as AsyncMutex;

use super::{provider::Provider, step::Log};

/// The browser that was away longest is forgotten when one more comes.
const BROWSERS: usize = 200;

/// The browsers known, the last one seen at the end.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    browsers: Mutex<VecDeque<(String, Arc<AsyncMutex<Session>>)>>,
}

/// One browser's state. It is locked for a whole step, so that a double click is two steps in a row.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) csrf: String,
    pub(super) log: Log,
    pub(super) pending: Option<Pending>,
    pub(super) signed_in: Option<SignedIn>,
    pub(super) signing_out: Option<SigningOut>,
}

/// A sign-in whose browser is away at the server.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) provider: Arc<Provider>,
    pub(super) state: CsrfToken,
    pub(super) nonce: Nonce,
    pub(super) verifier: PkceCodeVerifier,
    pub(super) max_age: Option<u64>,
    /// The step that waits for the browser.
    pub(super) step: u32,
}

/// What a sign-in brought.
#[derive(Debug)]
pub(super) struct SignedIn {
    pub(super) provider: Arc<Provider>,
    pub(super) nonce: Nonce,
    pub(super) access_token: AccessToken,
    pub(super) refresh_token: Option<RefreshToken>,
    pub(super) id_token: Option<CoreIdToken>,
    /// Nothing where `openid` was not asked for or not allowed.
    pub(super) subject: Option<SubjectIdentifier>,
}

/// A sign-out whose browser is away at the server.
#[derive(Debug)]
pub(super) struct SigningOut {
    pub(super) state: CsrfToken,
    pub(super) step: u32,
}

impl Sessions {
    /// The session under this id.
    pub(super) fn find(&self, id: &str) -> Option<Arc<AsyncMutex<Session>>> {
        let mut browsers = self.lock();
        let at = browsers.iter().position(|(known, _)| known == id)?;
        let entry = browsers.remove(at)?;
        let session = Arc::clone(&entry.1);
        browsers.push_back(entry);
        Some(session)
    }

    /// A new session and its id.
    pub(super) fn start(&self) -> (String, Arc<AsyncMutex<Session>>) {
        let id = random();
        let session = Arc::new(AsyncMutex::new(Session::new()));
        let mut browsers = self.lock();
        if browsers.len() == BROWSERS {
            browsers.pop_front();
        }
        browsers.push_back((id.clone(), Arc::clone(&session)));
        (id, session)
    }

    /// Gives the session under this id a new one: whoever knew the old one before sign-in knows nothing after it.
    pub(super) fn rename(&self, id: &str) -> Option<String> {
        let mut browsers = self.lock();
        let entry = browsers.iter_mut().find(|(known, _)| known == id)?;
        entry.0 = random();
        Some(entry.0.clone())
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(String, Arc<AsyncMutex<Session>>)>> {
        self.browsers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    fn new() -> Self {
        Self { csrf: random(), log: Log::default(), pending: None, signed_in: None, signing_out: None }
    }
}

/// 32 random bytes, as text.
fn random() -> String {
    CsrfToken::new_random_len(32).into_secret()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browser_that_was_away_longest_is_forgotten() {
        let sessions = Sessions::default();
        let (first, _) = sessions.start();
        let (second, _) = sessions.start();
        for _ in 0..BROWSERS - 2 {
            sessions.start();
        }
        assert!(sessions.find(&first).is_some());
        sessions.start();
        assert!(sessions.find(&first).is_some());
        assert!(sessions.find(&second).is_none());
    }

    #[test]
    fn an_old_id_finds_nothing_after_sign_in() {
        let sessions = Sessions::default();
        let (old, _) = sessions.start();
        let new = sessions.rename(&old);
        assert!(sessions.find(&old).is_none());
        assert!(new.is_some_and(|id| sessions.find(&id).is_some()));
    }
}
