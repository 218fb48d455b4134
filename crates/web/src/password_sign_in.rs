//! A sign-in with a password, step by step, so that neither text nor time tells whether a name is known.

use actix_web::cookie::Cookie;
use grantor_core::audit::{Event, EventKind};
use grantor_core::change::Change;
use grantor_core::error::Error;
use grantor_core::reach;
use grantor_core::second_factor::HalfSignIn;
use grantor_core::sign_in;
use grantor_core::store::{Store, StoreError};
use grantor_core::user::User;
use grantor_identity::password::{Password, PasswordHash, Verdict};
use grantor_identity::queue::QueueError;
use grantor_identity::throttle::Slots;
use grantor_identity::username::Username;
use grantor_jose::id::Id;

use crate::accounts::{self, Holding};
use crate::known_browser::Remembered;
use crate::pages::sign_in::Problem;
use crate::tries::Tries;
use crate::visit::Visit;

/// How often an account that is changed while its password is compared is looked at again.
const MAX_CHANGES: usize = 4;

/// How a try ended.
pub(crate) enum Outcome {
    /// The password is proved, and the person has a second factor: that it is, sealed.
    Half(String),
    /// The cookies of the new session, and whose it is.
    SignedIn(Vec<Cookie<'static>>, Id),
    /// What the form says.
    Problem(Problem),
}

/// One try.
struct Try<'a> {
    visit: &'a Visit,
    username: Option<Username>,
    browser: Remembered,
    beside: bool,
    tries: Tries<'a>,
}

/// Tries a name and a password; `beside` where the person chose to sign in beside whoever is signed in.
///
/// # Errors
/// Those of the store.
pub(crate) async fn attempt(visit: &Visit, username: &str, password: &str, beside: bool) -> Result<Outcome, Error> {
    let this = Try::of(visit, username, beside);
    // A password that cannot be one is the same for every name.
    let Ok(password) = Password::parse(password) else { return Ok(Outcome::Problem(Problem::Wrong)) };
    // Each try is counted before it is looked at: of many at once, each one counts.
    if let Some(seconds) = this.tries.charge().await? {
        return this.throttled(seconds).await;
    }
    for _ in 0..MAX_CHANGES {
        if let Some(outcome) = this.compare(&password).await? {
            return Ok(outcome);
        }
    }
    Err(StoreError::Busy.into())
}

impl<'a> Try<'a> {
    fn of(visit: &'a Visit, username: &str, beside: bool) -> Self {
        let key = visit.app.directory().secrets.throttle.clone();
        let username = Username::parse(username).ok();
        let browser = Remembered::of(visit);
        let known = username.as_ref().and_then(|username| browser.known(username));
        let slots = match known {
            Some(known) => Slots::known_browser(known, &key),
            None => Slots::stranger(username.as_ref(), visit.app.address(&visit.request), &key),
        };
        Self { visit, username, browser, beside, tries: Tries::new(visit, slots) }
    }

    /// Compares the password with the one that is kept; none when that was changed meanwhile.
    async fn compare(&self, password: &Password) -> Result<Option<Outcome>, Error> {
        let app = &self.visit.app;
        let user = match &self.username {
            Some(username) => app.provider.store.user_find_by_username(username.as_str()).await?,
            None => None,
        };
        let kept = user.as_ref().and_then(|user| PasswordHash::parse(user.password.as_deref()?).ok());
        match (app.passwords.verify(password.clone(), kept).await, user) {
            (Err(QueueError::Busy), _) => {
                self.tries.not_counted().await;
                Ok(Some(Outcome::Problem(Problem::Busy)))
            }
            // Told only to who knows the password.
            (Ok(Verdict::Match | Verdict::MatchRehash), Some(user)) if !user.disabled && !self.may_enter(&user) => {
                self.note(EventKind::SignInFailed, Some(&user), Some(&Error::UserNetwork)).await?;
                Ok(Some(Outcome::Problem(Problem::Network)))
            }
            (Ok(verdict @ (Verdict::Match | Verdict::MatchRehash)), Some(user)) if !user.disabled => {
                self.succeeded(&user, (verdict == Verdict::MatchRehash).then(|| password.clone())).await
            }
            (_, user) => self.failed(user.as_ref()).await.map(Some),
        }
    }

    fn may_enter(&self, user: &User) -> bool {
        let app = &self.visit.app;
        reach::may_enter(&app.directory(), user, app.address(&self.visit.request))
    }

    async fn succeeded(&self, user: &User, rehash: Option<Password>) -> Result<Option<Outcome>, Error> {
        let app = &self.visit.app;
        // Whoever has a second factor has no session yet, and nothing else.
        if app.provider.store.has_second_factor(user.id).await? {
            return self.half(user, rehash).await;
        }
        let user_agent = self.visit.user_agent();
        let others = accounts::others(self.visit).await?;
        let holding = Holding::of(self.visit, &others, self.beside);
        let (is_known, held) = (self.browser.is_familiar(user), holding.held());
        let browser = sign_in::Browser { user_agent: &user_agent, is_known, held };
        let mut decision = sign_in::begin(user, &app.provider.fresh(self.visit.now), browser, self.visit.call());
        let mut kept = user.password.clone();
        if let Some(password) = rehash
            && let Ok(hash) = app.passwords.hash(password, app.provider.mint.random()).await
        {
            let password = hash.expose().to_owned();
            kept = Some(password.clone());
            decision.changes.push(Change::UserPassword { id: user.id, password });
        }
        match app.provider.store.commit(decision.changes).await {
            Ok(()) => self.tries.give_back().await,
            Err(StoreError::Conflict) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let mut cookies = accounts::begun(self.visit, &others, &decision.reply);
        if let Some(username) = &self.username {
            cookies.push(self.browser.with(username, user.id, kept.as_deref()));
        }
        Ok(Some(Outcome::SignedIn(cookies, user.id)))
    }

    /// Says that the password is proved, to the next page alone.
    async fn half(&self, user: &User, rehash: Option<Password>) -> Result<Option<Outcome>, Error> {
        let app = &self.visit.app;
        let Some(mut kept) = user.password.clone() else { return Ok(None) };
        if let Some(password) = rehash
            && let Ok(hash) = app.passwords.hash(password, app.provider.mint.random()).await
        {
            let before = std::mem::replace(&mut kept, hash.expose().to_owned());
            let expected = Change::UserExpect { id: user.id, password: before };
            let changes = vec![expected, Change::UserPassword { id: user.id, password: kept.clone() }];
            match app.provider.store.commit(changes).await {
                Ok(()) => {}
                Err(StoreError::Conflict) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
        self.tries.give_back().await;
        let key = &app.directory().secrets.browser;
        let half = HalfSignIn::new(app.id(), user.id, &kept, key, self.visit.now);
        Ok(Some(Outcome::Half(half.seal(key, self.visit.mark()))))
    }

    async fn failed(&self, user: Option<&User>) -> Result<Outcome, Error> {
        self.note(EventKind::SignInFailed, user, None).await?;
        Ok(Outcome::Problem(Problem::Wrong))
    }

    async fn throttled(&self, seconds: i64) -> Result<Outcome, Error> {
        self.note(EventKind::SignInThrottled, None, None).await?;
        Ok(Outcome::Problem(Problem::Throttled(seconds)))
    }

    /// Tries of strangers go to the ring of fixed size, for a known and an unknown name alike.
    async fn note(&self, kind: EventKind, user: Option<&User>, reason: Option<&Error>) -> Result<(), Error> {
        let mut event = Event::new(self.visit.app.id(), self.visit.now, kind).address(&self.visit.address);
        event.user_id = user.map(|user| user.id);
        event.reason = reason.map(|reason| reason.reason().to_owned());
        Ok(self.visit.app.provider.store.commit(vec![Change::RefusalInsert(Box::new(event))]).await?)
    }
}
