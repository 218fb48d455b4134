//! The second factor in the account: to set up an authenticator app, to take it away, and to get new recovery codes.

use actix_web::HttpResponse;
use actix_web::web::Payload;
use askama::Template;
use grantor_core::error::{Decision, Error};
use grantor_core::params::Params;
use grantor_core::second_factor::{self as core, Enrolment, SecondFactor as Kept, Used};
use grantor_core::session::Session;
use grantor_core::sign_in::{self, Browser};
use grantor_core::store::{Store, StoreError};
use grantor_core::time::Time;
use grantor_core::user::User;
use grantor_identity::recovery::RecoveryCode;
use grantor_identity::totp::{TotpCode, TotpKey};
use grantor_jose::id::Id;
use grantor_jose::secret::{SecretHash, SecretText};

use super::Frame;
use super::sign_in_code::{status, text};
use super::status::Kind;
use crate::accounts::{self, Holding};
use crate::html::filters;
use crate::qr::Qr;
use crate::respond::{self, How};
use crate::second_factor::{self, Problem};
use crate::visit::{Visit, signed_in};
use crate::waiting::{Waiting, for_second_factor};
use crate::{form, routes};

/// Posts `code`, `do` (`confirm`, `recovery` or `remove`), `enrolment`, `request` and `csrf` to `/account/second-factor`.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/second_factor.html")]
pub struct SecondFactor {
    /// The frame.
    pub frame: Frame,
    /// Whether the person signs in with a password.
    pub has_password: bool,
    /// What there is.
    pub state: State,
    /// What went wrong with the last try.
    pub problem: Option<Problem>,
    /// The signed authorization request to go on with; empty where there is none.
    pub request: String,
}

/// What there is of a second factor.
#[derive(Clone, Debug)]
pub enum State {
    /// One is set up.
    Kept {
        /// How many recovery codes are left.
        left: usize,
        /// Since when, in seconds.
        since: i64,
    },
    /// One is being set up.
    New {
        /// What travels on, signed.
        enrolment: String,
        /// The key in groups, for who types it.
        key: SecretText,
        /// The address that authenticator apps open.
        link: SecretText,
        /// The same as a picture, where it can be one.
        picture: Option<Qr>,
    },
}

/// Recovery codes, shown this once; posts nothing.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/recovery_codes.html")]
pub struct RecoveryCodes {
    /// Whether the app was set up just now.
    pub added: bool,
    /// The codes.
    pub codes: Vec<SecretText>,
    /// The frame.
    pub frame: Frame,
    /// Whether the person signs in with a password.
    pub has_password: bool,
    /// Where the person goes on to.
    pub next: String,
}

impl SecondFactor {
    fn problem_text(&self) -> Option<String> {
        self.problem.map(|problem| text(&self.frame, problem))
    }
}

/// Shows what there is, or a new key.
pub(crate) async fn get_second_factor(visit: Visit) -> HttpResponse {
    let query = Params::parse(visit.request.query_string().as_bytes()).unwrap_or_default();
    let request = query.get("request").unwrap_or_default();
    let Some((session, user)) = visit.session() else { return sign_in_first(request) };
    match shown(&visit, (session, user), request).await {
        Ok(response) => response,
        Err(error) => respond::failure(&visit, &error).await,
    }
}

async fn shown(visit: &Visit, (session, user): (&Session, &User), request: &str) -> Result<HttpResponse, Error> {
    if let Some(kept) = visit.app.provider.store.second_factor_of(user.id).await? {
        return Ok(show(visit, user, state_of(&kept), None, request));
    }
    if !is_recent(visit, session).await? {
        return Ok(sign_in_first(request));
    }
    let key = TotpKey::generate(visit.app.provider.mint.random());
    let (id, key_text) = (visit.app.id(), key.to_text().to_string());
    let enrolment = Enrolment { id, started_at: visit.now, user_id: user.id, key: key_text };
    Ok(show(visit, user, new(visit, user, &enrolment, &key), None, request))
}

/// Whether the person has proved lately who they are. Where they came from an upstream, it must have told when they did: else nobody
/// knows that it asked them anything.
pub(super) async fn is_recent(visit: &Visit, session: &Session) -> Result<bool, Error> {
    let origin = visit.app.provider.store.upstream_of_session(session.id).await?;
    Ok(core::is_recent(session, origin.as_ref(), visit.now))
}

/// Who has a session for long proves themselves anew: whoever finds a browser open shall not lock its person out.
fn sign_in_first(request: &str) -> HttpResponse {
    let query = Params::from_pairs([("request", for_second_factor(request))]).unwrap_or_default().to_query();
    respond::redirect(&format!("{}?{query}", routes::SIGN_IN))
}

fn state_of(kept: &Kept) -> State {
    State::Kept { left: kept.recovery.len(), since: kept.created_at.seconds() }
}

fn new(visit: &Visit, user: &User, enrolment: &Enrolment, key: &TotpKey) -> State {
    let groups = enrolment.key.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>();
    let link = key.to_link(&visit.app.settings.name, &user.username);
    State::New {
        enrolment: enrolment.seal(&visit.app.directory().secrets.browser, visit.mark()),
        key: SecretText::new(groups.join(" ")),
        picture: Qr::of(&link),
        link: SecretText::new(link),
    }
}

fn show(visit: &Visit, user: &User, state: State, problem: Option<Problem>, request: &str) -> HttpResponse {
    let frame = visit.frame(None, None);
    let frame = Frame { return_to: frame.return_to.filter(|_| problem.is_none()), ..frame };
    let has_password = user.password.is_some();
    let page = SecondFactor { frame, has_password, state, problem, request: request.to_owned() };
    respond::page(visit, &page, &How { status: Some(status(problem).0), ..How::default() })
}

/// Does what the person asks for, where a code proves that they may.
pub(crate) async fn post_second_factor(visit: Visit, payload: Payload) -> HttpResponse {
    let form = match form::read(&visit.request, payload).await {
        Ok(form) => form,
        Err(error) => return respond::failure(&visit, &error).await,
    };
    let Some((session, user)) = visit.session().filter(|_| visit.is_own_form(form.get("csrf"))) else {
        return match repeated(&visit, &form).await {
            Ok(response) => response,
            Err(error) => respond::failure(&visit, &error).await,
        };
    };
    let done = match form.get("do") {
        Some("confirm") => confirm(&visit, (session, user), &form).await,
        Some("recovery") => renew(&visit, (session, user), &form).await,
        Some("remove") => remove(&visit, (session, user), &form).await,
        _ => Ok(respond::redirect(routes::SECOND_FACTOR)),
    };
    match done {
        Ok(response) => response,
        Err(error) => respond::failure(&visit, &error).await,
    }
}

/// Sets the app up that the code is of, and raises the session: its person has proved both.
async fn confirm(visit: &Visit, (session, user): (&Session, &User), form: &Params) -> Result<HttpResponse, Error> {
    let request = form.get("request").unwrap_or_default();
    let Some((enrolment, key)) = opened(visit, user, form) else {
        return Ok(respond::redirect(routes::SECOND_FACTOR));
    };
    if !is_recent(visit, session).await? {
        return Ok(sign_in_first(request));
    }
    let typed = form.get("code").unwrap_or_default();
    let Some(last_step) = step_of(&key, typed, visit.now) else {
        return Ok(show(visit, user, new(visit, user, &enrolment, &key), Some(Problem::Wrong), request));
    };
    let provider = &visit.app.provider;
    let (id, codes) = (visit.app.id(), codes_by(visit, &enrolment.key, (enrolment.id, typed)));
    let (key, recovery) = (SecretText::new(enrolment.key.clone()), hashes(&codes, &id.to_string()));
    let factor = Kept { id, user_id: user.id, key, last_step, recovery, created_at: visit.now };
    let origin = provider.store.upstream_of_session(session.id).await?;
    let (by, agent) = (Used::Code(last_step), visit.user_agent());
    let others = accounts::others(visit).await?;
    let holding = Holding::of(visit, &others, false);
    let browser = Browser { user_agent: &agent, is_known: true, held: holding.held() };
    let raised = sign_in::raise((session, user), origin, &by, &provider.fresh(visit.now), (browser, visit.call()));
    let changes = core::add(factor, &enrolment, visit.call()).into_iter().chain(raised.changes).collect();
    match provider.store.commit(changes).await {
        Ok(()) => {}
        // The second click of a double click, or one that was set up elsewhere: it is shown.
        Err(StoreError::Conflict) => {
            let page = set_up_by(visit, (session, user), form).await?;
            return Ok(page.unwrap_or_else(|| respond::redirect(routes::SECOND_FACTOR)));
        }
        Err(error) => return Err(error.into()),
    }
    let page = shown_once(visit, user, &codes, request).await;
    Ok(respond::with_cookies(page, second_factor::cookies(visit, user, &others, &raised.reply)))
}

/// What a page carries of an app that this person is setting up, and the key of the app.
fn opened(visit: &Visit, user: &User, form: &Params) -> Option<(Enrolment, TotpKey)> {
    let place = (&visit.app.directory().secrets.browser, visit.mark());
    let enrolment = Enrolment::open(form.get("enrolment").unwrap_or_default(), place, user.id, visit.now)?;
    let key = TotpKey::parse(&enrolment.key)?;
    Some((enrolment, key))
}

/// The step of a code that was typed, used or not.
fn step_of(key: &TotpKey, typed: &str, now: Time) -> Option<i64> {
    key.accepts(TotpCode::parse(typed)?, now.seconds(), i64::MIN)
}

/// The recovery codes that somebody gets in one place by what they typed there; the same ones where it comes twice.
fn codes_by(visit: &Visit, key: &str, (place, typed): (Id, &str)) -> Vec<RecoveryCode> {
    let asked = [key.as_bytes(), &place.as_i64().to_be_bytes(), typed.as_bytes()];
    RecoveryCode::derive(&visit.app.directory().secrets.recovery, &asked)
}

fn hashes(codes: &[RecoveryCode], salt: &str) -> Vec<SecretHash> {
    codes.iter().map(|code| code.hash(salt)).collect()
}

/// The answer to a form of another session than the one in use. The second click of a double click ends where the first one did, also
/// where it comes with the session that this one ended, or with the one that this one began: nothing is done by it.
async fn repeated(visit: &Visit, form: &Params) -> Result<HttpResponse, Error> {
    let ended = visit.ended_session().await?;
    let person = visit.session().or(ended.as_ref().map(|(session, user)| (session, user)));
    if let Some(person) = person.filter(|_| visit.is_from_here() && form.get("do") == Some("confirm"))
        && let Some(page) = set_up_by(visit, person, form).await?
    {
        return Ok(page);
    }
    match visit.session() {
        Some(_) => Ok(respond::status_page(visit, Kind::FormRefused, None)),
        None => Ok(sign_in_first(form.get("request").unwrap_or_default())),
    }
}

/// The page after an app was set up, where that was by this very form, with its code, while the code is a present one, and where none of
/// the recovery codes was used or replaced since. A session that has ended shows it only where it was that which ended it.
async fn set_up_by(
    visit: &Visit,
    (session, user): (&Session, &User),
    form: &Params,
) -> Result<Option<HttpResponse>, Error> {
    let Some((enrolment, key)) = opened(visit, user, form) else { return Ok(None) };
    let Some(kept) = visit.app.provider.store.second_factor_of(user.id).await? else { return Ok(None) };
    let typed = form.get("code").unwrap_or_default();
    let codes = codes_by(visit, &enrolment.key, (enrolment.id, typed));
    let is_there = session.ended_at.is_none_or(|ended_at| ended_at == kept.created_at);
    if !is_there || step_of(&key, typed, visit.now).is_none() || hashes(&codes, &kept.salt()) != kept.recovery {
        return Ok(None);
    }
    Ok(Some(shown_once(visit, user, &codes, form.get("request").unwrap_or_default()).await))
}

/// The page that shows recovery codes once, and then goes on with the request that asked for them.
async fn shown_once(visit: &Visit, user: &User, codes: &[RecoveryCode], request: &str) -> HttpResponse {
    let carried = if request.is_empty() { for_second_factor("") } else { request.to_owned() };
    let waiting = Waiting::read(visit, &carried).await.unwrap_or_default();
    recovery_codes(visit, user, codes, (true, &waiting))
}

fn recovery_codes(
    visit: &Visit,
    user: &User,
    codes: &[RecoveryCode],
    (added, waiting): (bool, &Waiting),
) -> HttpResponse {
    let page = RecoveryCodes {
        added,
        has_password: user.password.is_some(),
        codes: codes.iter().map(|code| SecretText::new(code.to_text())).collect(),
        // Also for who comes with the session that ended by this.
        frame: Frame { account: Some(signed_in(user, None)), return_to: None, ..visit.frame(None, None) },
        next: waiting.address(visit),
    };
    respond::page(visit, &page, &How::default())
}

async fn renew(visit: &Visit, (session, user): (&Session, &User), form: &Params) -> Result<HttpResponse, Error> {
    let typed = form.get("code").unwrap_or_default();
    let codes_of = |factor: &Kept| codes_by(visit, factor.key.expose(), (session.id, typed));
    let decide = |factor: &Kept, by: &Used| {
        let codes = codes_of(factor);
        let hashes = hashes(&codes, &factor.salt());
        Decision { changes: core::renew_recovery(factor, by, hashes, visit.app.id(), visit.call()), reply: codes }
    };
    let problem = match second_factor::prove(visit, (user, session.id), typed, decide).await? {
        Ok(codes) => return Ok(renewed(visit, user, &codes)),
        Err(problem) => problem,
    };
    // The second click of a double click ends where the first one did, unless a code was used since or others were made.
    let is_of = |kept: &Kept| problem == Problem::Twice && hashes(&codes_of(kept), &kept.salt()) == kept.recovery;
    match visit.app.provider.store.second_factor_of(user.id).await? {
        Some(kept) if is_of(&kept) => Ok(renewed(visit, user, &codes_of(&kept))),
        _ => again(visit, user, problem).await,
    }
}

fn renewed(visit: &Visit, user: &User, codes: &[RecoveryCode]) -> HttpResponse {
    recovery_codes(visit, user, codes, (false, &Waiting::SecondFactor(None)))
}

async fn remove(visit: &Visit, (session, user): (&Session, &User), form: &Params) -> Result<HttpResponse, Error> {
    let decide = |factor: &Kept, _: &Used| {
        let changes = core::remove(factor, visit.app.id(), visit.call());
        Decision { changes, reply: () }
    };
    match second_factor::prove(visit, (user, session.id), form.get("code").unwrap_or_default(), decide).await? {
        Ok(()) => Ok(respond::redirect(routes::SIGN_IN_WAYS)),
        Err(problem) => again(visit, user, problem).await,
    }
}

/// What there is, with what went wrong. What is gone needs no end: the second click of a double click ends here, too.
async fn again(visit: &Visit, user: &User, problem: Problem) -> Result<HttpResponse, Error> {
    match visit.app.provider.store.second_factor_of(user.id).await? {
        Some(kept) => Ok(show(visit, user, state_of(&kept), Some(problem), "")),
        None => Ok(respond::redirect(routes::SIGN_IN_WAYS)),
    }
}

#[cfg(test)]
impl SecondFactor {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{DAY, NOW, signed_in};
        let page = |state, problem| Self {
            frame: signed_in("Ada Lovelace"),
            has_password: true,
            state,
            problem,
            request: "eyJhIjoxfQ.c2ln".to_owned(),
        };
        let new = || State::New {
            enrolment: "eyJhIjoxfQ.c2ln".to_owned(),
            key: SecretText::new("GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ".to_owned()),
            link: SecretText::new("otpauth://totp/Grantor:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".to_owned()),
            picture: Qr::of("otpauth://totp/Grantor:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"),
        };
        let kept = |left| State::Kept { left, since: NOW - 30 * DAY };
        vec![
            ("new", page(new(), None)),
            ("new-no-password", Self { has_password: false, ..page(new(), None) }),
            ("new-wrong", page(new(), Some(Problem::Wrong))),
            ("kept", page(kept(10), None)),
            ("kept-last", page(kept(1), None)),
            ("kept-none", page(kept(0), None)),
            ("kept-wrong", page(kept(9), Some(Problem::Wrong))),
            ("kept-twice", page(kept(9), Some(Problem::Twice))),
            ("kept-throttled", page(kept(9), Some(Problem::Throttled(290)))),
        ]
    }
}

#[cfg(test)]
impl RecoveryCodes {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::signed_in;
        let page = |added, next: &str| Self {
            added,
            codes: (0..10).map(|number| SecretText::new(format!("abcd-efgh-ijkl-mn{number:02}"))).collect(),
            frame: Frame { return_to: None, ..signed_in("Ada Lovelace") },
            has_password: true,
            next: next.to_owned(),
        };
        vec![
            ("added", page(true, "/authorize?resume=eyJhIjoxfQ.c2ln")),
            ("added-no-password", Self { has_password: false, ..page(true, "/account/second-factor") }),
            ("renewed", page(false, "/account/second-factor")),
        ]
    }
}
