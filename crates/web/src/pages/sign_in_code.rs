//! The second half of a sign-in: a code of the authenticator app, or a recovery code. The same for who is signed in already, where
//! an app asks for more than they have proved.

use actix_web::HttpResponse;
use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::web::Payload;
use askama::Template;
use grantor_core::authorization::Step;
use grantor_core::error::Error;
use grantor_core::level::{Level, Need};
use grantor_core::params::Params;
use grantor_core::reach;
use grantor_core::second_factor::HalfSignIn;
use grantor_core::session::Session;
use grantor_core::sign_in::{self, Browser};
use grantor_core::store::Store;
use grantor_core::user::User;
use grantor_identity::username::Username;

use super::sign_in::{self as password, Opened};
use super::{App, Frame, upstream_link};
use crate::accounts::{self, Holding};
use crate::html::filters;
use crate::known_browser::Remembered;
use crate::oauth::authorize;
use crate::respond::{self, How};
use crate::second_factor::{self, Problem};
use crate::visit::Visit;
use crate::waiting::Waiting;
use crate::{form, routes};

/// What tells that a code came twice.
const AGAIN: &str = "again";

/// Posts `code`, `request`, `half` and `csrf` to `/sign-in/code`, with `upstream` and `arrival` where an account is proven to link it;
/// and `decision` where the person can refuse (`deny`), or go on without (`decline`).
#[derive(Clone, Debug, Template)]
#[template(path = "pages/sign_in_code.html")]
pub struct SignInCode {
    /// The app the person goes on to; none where the account itself is the aim.
    pub app: Option<App>,
    /// What travels on, by the names of the fields.
    pub carried: Vec<(&'static str, String)>,
    /// Whether the person may go on without a code.
    pub declines: bool,
    /// The frame.
    pub frame: Frame,
    /// What went wrong with the last try.
    pub problem: Option<Problem>,
    /// Whether a session is raised that is there already, which the person may refuse.
    pub raises: bool,
    /// Whether a recovery code is asked for.
    pub recovery: bool,
}

impl SignInCode {
    fn title(&self) -> String {
        let title = self.frame.t(if self.recovery { "code-title-recovery" } else { "code-title" });
        if self.problem.is_some() { self.frame.say("error-title", "title", title) } else { title }
    }

    fn problem_text(&self) -> Option<String> {
        self.problem.map(|problem| text(&self.frame, problem))
    }
}

/// A problem in words.
pub(crate) fn text(frame: &Frame, problem: Problem) -> String {
    match problem {
        Problem::Expired => frame.t("code-expired"),
        Problem::Incomplete => frame.t("code-incomplete"),
        Problem::Throttled(seconds) => frame.say("sign-in-throttled", "span", frame.duration(&seconds)),
        Problem::Twice => frame.t("code-twice"),
        Problem::Wrong => frame.t("code-wrong"),
    }
}

/// The status of a page with a problem, and how long to wait.
pub(crate) fn status(problem: Option<Problem>) -> (StatusCode, Option<i64>) {
    match problem {
        None => (StatusCode::OK, None),
        Some(Problem::Expired) => (StatusCode::FORBIDDEN, None),
        Some(Problem::Incomplete | Problem::Twice | Problem::Wrong) => (StatusCode::UNPROCESSABLE_ENTITY, None),
        Some(Problem::Throttled(seconds)) => (StatusCode::TOO_MANY_REQUESTS, Some(seconds)),
    }
}

/// Whose code it is.
enum Who {
    /// Somebody who has proved their password.
    Half(HalfSignIn, User),
    /// Somebody who is signed in.
    Session(Session, User),
}

impl Who {
    /// Nobody, where the text is too old or its person is another one by now.
    async fn of(visit: &Visit, half: &str) -> Result<Option<Self>, Error> {
        if half.is_empty() {
            return Ok(visit.session().map(|(session, user)| Self::Session(session.clone(), user.clone())));
        }
        let directory = visit.app.directory();
        let (key, from) = (&directory.secrets.browser, visit.app.address(&visit.request));
        let Some(half) = HalfSignIn::open(half, (key, visit.mark()), visit.now) else { return Ok(None) };
        let user = visit.app.provider.store.user_find(half.user_id).await?;
        let user = user.filter(|user| half.is_of(user, key) && reach::may_enter(&directory, user, from));
        Ok(user.map(|user| Self::Half(half, user)))
    }

    const fn user(&self) -> &User {
        match self {
            Self::Half(_, user) | Self::Session(_, user) => user,
        }
    }

    const fn raises(&self) -> bool {
        matches!(self, Self::Session(..))
    }

    /// Whether it is they whom the form was for: one that raises a session names nobody but by that.
    fn owns_form(&self, visit: &Visit, csrf: Option<&str>) -> bool {
        if self.raises() { visit.is_own_form(csrf) } else { visit.is_own_sign_in_form(csrf) }
    }

    /// The cookies of the session that a code begins.
    async fn prove(
        &self,
        visit: &Visit,
        typed: &str,
        beside: bool,
    ) -> Result<Result<Vec<Cookie<'static>>, Problem>, Error> {
        let (provider, call, agent) = (&visit.app.provider, visit.call(), visit.user_agent());
        let others = accounts::others(visit).await?;
        let holding = Holding::of(visit, &others, beside);
        let browser = |is_known| Browser { user_agent: &agent, is_known, held: holding.held() };
        let (user, proved) = match self {
            Self::Half(half, user) => {
                let is_known = Remembered::of(visit).is_familiar(user);
                let begin = |_: &_, by: &_| {
                    sign_in::begin_with_factor((user, half), by, &provider.fresh(visit.now), browser(is_known), call)
                };
                (user, second_factor::prove(visit, (user, half.id), typed, begin).await?)
            }
            Self::Session(session, user) => {
                let origin = provider.store.upstream_of_session(session.id).await?;
                let raise = |_: &_, by: &_| {
                    let fresh = provider.fresh(visit.now);
                    sign_in::raise((session, user), origin.clone(), by, &fresh, (browser(true), call))
                };
                (user, second_factor::prove(visit, (user, session.id), typed, raise).await?)
            }
        };
        Ok(proved.map(|begun| second_factor::cookies(visit, user, &others, &begun)))
    }
}

/// Asks who is signed in already, for an app that asks for more.
pub(crate) async fn get_sign_in_code(visit: Visit) -> HttpResponse {
    let query = Params::parse(visit.request.query_string().as_bytes()).unwrap_or_default();
    let opened = match Opened::of(&visit, &query).await {
        Ok(opened) => opened,
        Err(response) => return response,
    };
    if query.get(AGAIN).is_some() {
        return go_on_again(&visit, &opened, query.get("half").unwrap_or_default()).await;
    }
    let Some(Raise { declines }) = raise(&visit, &opened).await else { return opened.go_on(&visit).await };
    show(&visit, &opened, Asking { raises: true, declines, ..Asking::default() })
}

/// Sends the browser here once more, where a code came twice: by then it has the session that the code began, unless that was lost on
/// the way.
fn come_again(visit: &Visit, opened: &Opened, half: &str) -> HttpResponse {
    let carried = opened.carried().into_iter().chain([("half", half.to_owned()), (AGAIN, "yes".to_owned())]);
    match Params::from_pairs(carried) {
        Ok(query) => respond::redirect_marked(visit, &format!("{}?{}", routes::SIGN_IN_CODE, query.to_query())),
        Err(_) => opened.show(visit, Some(password::Problem::CodeUsed), None),
    }
}

/// Goes on where the code that came twice began the session that is there. Without, its person signs in again.
async fn go_on_again(visit: &Visit, opened: &Opened, half: &str) -> HttpResponse {
    let key = &visit.app.directory().secrets.browser;
    let proved = HalfSignIn::open(half, (key, visit.mark()), visit.now).map(|half| half.user_id);
    match (visit.session().filter(|(session, _)| session.level() >= Level::TwoFactors), proved) {
        (Some((_, user)), Some(proved)) if user.id == proved => opened.go_on_as(visit, proved).await,
        (Some(_), None) => opened.go_on(visit).await,
        _ => opened.show(visit, Some(password::Problem::CodeUsed), None),
    }
}

/// What waits for a code of who is signed in.
#[derive(Clone, Copy)]
struct Raise {
    /// Whether they may go on without.
    declines: bool,
}

/// Whether an app's request waits for a code of who is signed in, or that a way in is linked or unlinked does.
async fn raise(visit: &Visit, opened: &Opened) -> Option<Raise> {
    if opened.links() || unlinks(opened) {
        let needs_code = upstream_link::needs_code(visit, visit.session()?).await.unwrap_or(false);
        return needs_code.then_some(Raise { declines: false });
    }
    if let Some(entry) = opened.entry() {
        // An app behind a proxy wishes for nothing: it needs it.
        return matches!(entry.need(visit).await, Ok(Need::Raise(_))).then_some(Raise { declines: false });
    }
    match authorize::next(visit, opened.request()?).await {
        Ok(Step::Prove { may_decline }) => Some(Raise { declines: may_decline }),
        _ => None,
    }
}

/// Whether it is an account at an upstream that the person is to unlink.
const fn unlinks(opened: &Opened) -> bool {
    matches!(opened.waiting, Waiting::Unlink(_))
}

/// Looks at the code, and goes on.
pub(crate) async fn post_sign_in_code(visit: Visit, payload: Payload) -> HttpResponse {
    let form = match form::read(&visit.request, payload).await {
        Ok(form) => form,
        Err(error) => return respond::failure(&visit, &error).await,
    };
    let opened = match Opened::of(&visit, &form).await {
        Ok(opened) => opened,
        Err(response) => return response,
    };
    let (half, code) = (form.get("half").unwrap_or_default(), form.get("code").unwrap_or_default());
    let who = match Who::of(&visit, half).await {
        Ok(who) => who,
        Err(error) => return respond::failure(&visit, &error).await,
    };
    let is_done = |session: &Session, user: &User| {
        let is_half = who.as_ref().is_some_and(|who| !who.raises() && who.user().id == user.id);
        is_half && session.level() >= Level::TwoFactors
    };
    if let Some(response) = opened.settled(&visit, form.get("csrf"), is_done).await {
        return response;
    }
    let raises = who.as_ref().is_some_and(Who::raises);
    let raise = if raises { raise(&visit, &opened).await } else { None };
    // Nothing is left to be proved, as after the first click of a double click.
    if raises && raise.is_none() {
        return opened.go_on(&visit).await;
    }
    // The first click of a double click may have taken the place of the session that the form is bound to.
    let is_second_click =
        |who: &Who| !who.raises() && opened.is_second_click(&visit, form.get("csrf"), &who.user().username);
    let who = match who {
        Some(who) if who.owns_form(&visit, form.get("csrf")) || is_second_click(&who) => who,
        _ => return expired(&visit, &opened, (half, code)).await,
    };
    // A sign-in takes the browser over by its code; who raises their session only takes their own place.
    let typed = Username::parse(&who.user().username).ok();
    if !raises && let Some(response) = opened.unnamed(&visit, typed.as_ref()) {
        return response;
    }
    if raises && form.get("decision") == Some("deny") {
        return refuse(&visit, &opened).await;
    }
    // Only who has a session already goes on without, and by that one.
    let declines = raise.is_some_and(|raise| raise.declines);
    if declines && form.get("decision") == Some("decline") {
        return opened.go_on_declined(&visit).await;
    }
    let recovery = form.get("way").or(form.get("kind")) == Some("recovery");
    let asking = Asking { declines, half, problem: None, raises, recovery };
    if form.get("way").is_some() {
        return show(&visit, &opened, asking);
    }
    match who.prove(&visit, code, opened.is_beside()).await {
        Ok(Ok(cookies)) => respond::with_cookies(opened.go_on_as(&visit, who.user().id).await, cookies),
        Ok(Err(Problem::Expired)) => opened.show(&visit, Some(password::Problem::Expired), None),
        Ok(Err(Problem::Twice)) => come_again(&visit, &opened, half),
        Ok(Err(problem)) => show(&visit, &opened, Asking { problem: Some(problem), ..asking }),
        Err(error) => respond::failure(&visit, &error).await,
    }
}

/// The password is asked for again; but not after the second click of a double click that raises a session.
async fn expired(visit: &Visit, opened: &Opened, (half, code): (&str, &str)) -> HttpResponse {
    match second_factor::has_raised(visit, code).await {
        Ok(true) if half.is_empty() => come_again(visit, opened, half),
        Ok(_) => opened.show(visit, Some(password::Problem::Expired), None),
        Err(error) => respond::failure(visit, &error).await,
    }
}

/// Tells the app that the person does not prove more. Whoever was about to link another way in, or to unlink one, goes on without.
pub(crate) async fn refuse(visit: &Visit, opened: &Opened) -> HttpResponse {
    if opened.links() {
        return opened.go_on_unlinked(visit).await;
    }
    if unlinks(opened) {
        return respond::redirect(routes::SIGN_IN_WAYS);
    }
    match opened.request() {
        Some(request) => authorize::send_error(visit, request, &Error::AcrUnmet).await,
        // An app behind a proxy is told nothing; it would ask again.
        None if opened.entry().is_some() => respond::redirect(routes::ACCOUNT),
        None => opened.go_on(visit).await,
    }
}

/// How the page is shown.
#[derive(Clone, Copy, Default)]
pub(crate) struct Asking<'a> {
    /// Whether the person may go on without.
    pub(crate) declines: bool,
    /// The half sign-in, sealed; none where a session is raised.
    pub(crate) half: &'a str,
    pub(crate) problem: Option<Problem>,
    pub(crate) raises: bool,
    pub(crate) recovery: bool,
}

/// Shows the form.
pub(crate) fn show(visit: &Visit, opened: &Opened, asking: Asking<'_>) -> HttpResponse {
    let ui_locales = opened.request().and_then(|request| request.ui_locales.as_deref());
    let (app, form_action) = opened.app(visit.language(ui_locales)).unzip();
    let mut carried = opened.carried();
    carried.push(("half", asking.half.to_owned()));
    if asking.recovery {
        carried.push(("kind", "recovery".to_owned()));
    }
    let change = opened.change(visit).filter(|_| asking.raises);
    let frame = visit.frame(ui_locales, change);
    let page = SignInCode {
        app,
        carried,
        declines: asking.declines,
        frame: Frame { account: frame.account.filter(|_| asking.raises), return_to: None, ..frame },
        problem: asking.problem,
        raises: asking.raises,
        recovery: asking.recovery,
    };
    let (status, wait) = status(asking.problem);
    let mut response = respond::page(visit, &page, &How { status: Some(status), form_action, ..How::default() });
    if let Some(seconds) = wait {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

#[cfg(test)]
impl SignInCode {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{HOSTILE, LONG, RIGHT_TO_LEFT, app, signed_in, visitor};
        let page = |app, problem| Self {
            app,
            carried: vec![("request", "eyJhIjoxfQ.c2ln".to_owned()), ("half", HOSTILE.to_owned())],
            declines: false,
            frame: Frame { return_to: None, ..visitor() },
            problem,
            raises: false,
            recovery: false,
        };
        let frame = || Frame { return_to: None, ..signed_in("Ada Lovelace") };
        vec![
            ("app", page(Some(app("Wiki")), None)),
            ("account", page(None, None)),
            ("recovery", Self { recovery: true, ..page(Some(app("Wiki")), None) }),
            ("raises", Self { raises: true, frame: frame(), ..page(Some(app("Wiki")), None) }),
            ("wish", Self { raises: true, declines: true, frame: frame(), ..page(Some(app("Wiki")), None) }),
            ("wrong", page(Some(app("Wiki")), Some(Problem::Wrong))),
            ("recovery-wrong", Self { recovery: true, ..page(None, Some(Problem::Wrong)) }),
            ("incomplete", page(None, Some(Problem::Incomplete))),
            ("throttled", page(None, Some(Problem::Throttled(290)))),
            ("expired", page(None, Some(Problem::Expired))),
            ("long", page(Some(app(LONG)), None)),
            ("rtl", page(Some(app(RIGHT_TO_LEFT)), None)),
            ("hostile", Self { raises: true, frame: frame(), ..page(Some(app(HOSTILE)), None) }),
        ]
    }
}
