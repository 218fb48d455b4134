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
use grantor_core::user::User;
use grantor_identity::recovery::RecoveryCode;
use grantor_identity::totp::{TotpCode, TotpKey};
use grantor_jose::secret::SecretText;

use super::Frame;
use super::sign_in_code::{status, text};
use super::status::Kind;
use crate::accounts::{self, Holding};
use crate::html::filters;
use crate::qr::Qr;
use crate::respond::{self, How};
use crate::second_factor::{self, Problem};
use crate::visit::Visit;
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
    let enrolment = Enrolment { started_at: visit.now, user_id: user.id, key: key.to_text().to_string() };
    Ok(show(visit, user, new(visit, user, &enrolment, &key), None, request))
}

/// Whether the person has proved lately who they are. Where they came from an upstream, it must have told when they did: else nobody
/// knows that it asked them anything.
async fn is_recent(visit: &Visit, session: &Session) -> Result<bool, Error> {
    let origin = visit.app.provider.store.upstream_of_session(session.id).await?;
    Ok(core::is_recent(session, visit.now) && origin.is_none_or(|origin| origin.tells_time))
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
    let request = form.get("request").unwrap_or_default();
    let Some((session, user)) = visit.session() else { return sign_in_first(request) };
    if !visit.is_own_form(form.get("csrf")) {
        return respond::status_page(&visit, Kind::FormRefused, None);
    }
    let done = match form.get("do") {
        Some("confirm") => confirm(&visit, (session, user), &form).await,
        Some("recovery") => renew(&visit, user, &form).await,
        Some("remove") => remove(&visit, user, &form).await,
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
    let place = (&visit.app.directory().secrets.browser, visit.mark());
    let enrolment = Enrolment::open(form.get("enrolment").unwrap_or_default(), place, user.id, visit.now);
    let Some((key, enrolment)) = enrolment.and_then(|enrolment| Some((TotpKey::parse(&enrolment.key)?, enrolment)))
    else {
        return Ok(respond::redirect(routes::SECOND_FACTOR));
    };
    if !is_recent(visit, session).await? {
        return Ok(sign_in_first(request));
    }
    let typed = TotpCode::parse(form.get("code").unwrap_or_default());
    let Some(last_step) = typed.and_then(|code| key.accepts(code, visit.now.seconds(), i64::MIN)) else {
        return Ok(show(visit, user, new(visit, user, &enrolment, &key), Some(Problem::Wrong), request));
    };
    let provider = &visit.app.provider;
    let (id, codes) = (visit.app.id(), RecoveryCode::generate(provider.mint.random()));
    let salt = id.to_string();
    let factor = Kept {
        id,
        user_id: user.id,
        key: SecretText::new(enrolment.key),
        last_step,
        recovery: codes.iter().map(|code| code.hash(&salt)).collect(),
        created_at: visit.now,
    };
    let origin = provider.store.upstream_of_session(session.id).await?;
    let (by, agent) = (Used::Code(last_step), visit.user_agent());
    let others = accounts::others(visit).await?;
    let holding = Holding::of(visit, &others, false);
    let browser = Browser { user_agent: &agent, is_known: true, held: holding.held() };
    let raised = sign_in::raise((session, user), origin, &by, &provider.fresh(visit.now), (browser, visit.call()));
    let changes = core::add(factor, visit.call()).into_iter().chain(raised.changes).collect();
    match provider.store.commit(changes).await {
        Ok(()) => {}
        // The second click of a double click, or one that was set up elsewhere: it is shown.
        Err(StoreError::Conflict) => return Ok(respond::redirect(routes::SECOND_FACTOR)),
        Err(error) => return Err(error.into()),
    }
    let page = shown_once(visit, user, &codes, request).await;
    Ok(respond::with_cookies(page, second_factor::cookies(visit, user, &others, &raised.reply)))
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
        frame: Frame { return_to: None, ..visit.frame(None, None) },
        next: waiting.address(visit),
    };
    respond::page(visit, &page, &How::default())
}

async fn renew(visit: &Visit, user: &User, form: &Params) -> Result<HttpResponse, Error> {
    let codes = RecoveryCode::generate(visit.app.provider.mint.random());
    let decide = |factor: &Kept, by: &Used| {
        let hashes = codes.iter().map(|code| code.hash(&factor.salt())).collect();
        let changes = core::renew_recovery(factor, by, hashes, visit.app.id(), visit.call());
        Decision { changes, reply: () }
    };
    match second_factor::prove(visit, user, form.get("code").unwrap_or_default(), decide).await? {
        Ok(()) => Ok(recovery_codes(visit, user, &codes, (false, &Waiting::SecondFactor(None)))),
        Err(problem) => again(visit, user, problem).await,
    }
}

async fn remove(visit: &Visit, user: &User, form: &Params) -> Result<HttpResponse, Error> {
    let decide = |factor: &Kept, _: &Used| {
        let changes = core::remove(factor, visit.app.id(), visit.call());
        Decision { changes, reply: () }
    };
    match second_factor::prove(visit, user, form.get("code").unwrap_or_default(), decide).await? {
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
