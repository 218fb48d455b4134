//! A sign-in with a password, step by step, so that neither text nor time tells whether a name is known.

use actix_web::cookie::Cookie;
use grantor_core::audit::{Event, EventKind};
use grantor_core::change::Change;
use grantor_core::error::Error;
use grantor_core::reach;
use grantor_core::sign_in;
use grantor_core::store::{Store, StoreError};
use grantor_core::time::Time;
use grantor_core::user::User;
use grantor_identity::password::{Password, PasswordHash, Verdict};
use grantor_identity::queue::QueueError;
use grantor_identity::throttle::{self, Attempts, Decision, Limit, SlotKey, Slots};
use grantor_identity::username::Username;

use crate::cookie::{self, Name};
use crate::known_browser::Remembered;
use crate::pages::sign_in::Problem;
use crate::session_state;
use crate::visit::Visit;

/// How often a count that another node changed is read again.
const MAX_RACES: usize = 16;
/// How often an account that is changed while its password is compared is looked at again.
const MAX_CHANGES: usize = 4;

/// How a try ended.
pub(crate) enum Outcome {
    /// The cookies of the new session.
    SignedIn(Vec<Cookie<'static>>),
    /// What the form says.
    Problem(Problem),
}

/// One try.
struct Try<'a> {
    visit: &'a Visit,
    username: Option<Username>,
    browser: Remembered,
    slots: Slots,
}

/// Tries a name and a password.
///
/// # Errors
/// Those of the store.
pub(crate) async fn attempt(visit: &Visit, username: &str, password: &str) -> Result<Outcome, Error> {
    let this = Try::of(visit, username);
    // A password that cannot be one is the same for every name.
    let Ok(password) = Password::parse(password) else { return Ok(Outcome::Problem(Problem::Wrong)) };
    // Each try is counted before it is looked at: of many at once, each one counts.
    if let Some(seconds) = this.charge().await? {
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
    fn of(visit: &'a Visit, username: &str) -> Self {
        let key = visit.app.directory().secrets.throttle.clone();
        let username = Username::parse(username).ok();
        let browser = Remembered::of(visit);
        let known = username.as_ref().and_then(|username| browser.known(username));
        let slots = match known {
            Some(known) => Slots::known_browser(known, &key),
            None => Slots::stranger(username.as_ref(), visit.app.address(&visit.request), &key),
        };
        Self { visit, username, browser, slots }
    }

    /// Counts the try, or says how long it has to wait.
    async fn charge(&self) -> Result<Option<i64>, Error> {
        let store = &self.visit.app.provider.store;
        let policy = &self.visit.app.settings.throttle;
        let now = self.visit.now.millis();
        let _counting = self.visit.app.counting.lock().await;
        for _ in 0..MAX_RACES {
            let account = self.read(self.slots.account.as_ref()).await?;
            let address = self.read(self.slots.address.as_ref()).await?;
            if let Decision::Wait { seconds } = throttle::decide(account, address, policy, now) {
                let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
                return Ok(Some(seconds));
            }
            let charge = |slot: Option<&SlotKey>, read, limit: &Limit| {
                slot.map(|slot| (*slot, read, throttle::after_failure(read, limit, now)))
            };
            let charged = [
                charge(self.slots.account.as_ref(), account, &policy.account),
                charge(self.slots.address.as_ref(), address, &policy.address),
            ];
            let changes = charged.iter().flatten().map(|(slot, read, after)| put(*slot, *read, *after)).collect();
            match store.commit(changes).await {
                Ok(()) => return Ok(None),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Busy.into())
    }

    async fn read(&self, slot: Option<&SlotKey>) -> Result<Option<Attempts>, StoreError> {
        let Some(slot) = slot else { return Ok(None) };
        let row = self.visit.app.provider.store.attempts_find(slot.number()).await?;
        Ok(row.map(|(failures, window_started)| Attempts { failures, window_started: window_started.millis() }))
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
                self.not_counted().await;
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
        let header = self.visit.request.headers().get("user-agent");
        let user_agent = header.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).unwrap_or_default();
        let replaced = self.visit.presented().map(|(session, _)| session);
        let browser = sign_in::Browser { user_agent: &user_agent, is_known: self.browser.is_familiar(user), replaced };
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
            Ok(()) => self.give_back().await,
            Err(StoreError::Conflict) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let https = app.provider.issuer.is_https();
        let mut cookies: Vec<_> = session_state::begun(app, &decision.reply).into_iter().collect();
        cookies.push(cookie::set(Name::Session, decision.reply, https, None));
        if let Some(username) = &self.username {
            cookies.push(self.browser.with(username, user.id, kept.as_deref()));
        }
        Ok(Some(Outcome::SignedIn(cookies)))
    }

    /// Clears the account's counter and takes the address's charge back, as they stand now.
    async fn give_back(&self) {
        let now = self.visit.now.millis();
        self.put_back(|_| throttle::after_success(now)).await;
    }

    /// Takes the charge of a try back that was not looked at.
    async fn not_counted(&self) {
        self.put_back(throttle::taken_back).await;
    }

    async fn put_back(&self, account: impl Fn(Attempts) -> Attempts) {
        let _counting = self.visit.app.counting.lock().await;
        for _ in 0..MAX_RACES {
            match self.try_put_back(&account).await {
                Err(StoreError::Conflict) => {}
                Ok(()) => return,
                Err(error) => return tracing::warn!(%error, "a sign-in's charge was not given back"),
            }
        }
    }

    async fn try_put_back(&self, account: &impl Fn(Attempts) -> Attempts) -> Result<(), StoreError> {
        let mut changes = Vec::new();
        if let Some(slot) = &self.slots.account
            && let Some(read) = self.read(Some(slot)).await?
        {
            changes.push(put(*slot, Some(read), account(read)));
        }
        if let Some(slot) = &self.slots.address
            && let Some(read) = self.read(Some(slot)).await?
        {
            changes.push(put(*slot, Some(read), throttle::taken_back(read)));
        }
        self.visit.app.provider.store.commit(changes).await
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

fn put(slot: SlotKey, read: Option<Attempts>, after: Attempts) -> Change {
    Change::AttemptsPut {
        expected: read.map(|read| (read.failures, Time::from_millis(read.window_started))),
        slot: slot.number(),
        failures: after.failures,
        window_started: Time::from_millis(after.window_started),
    }
}
