//! Sign up: a new account, where people may make one for themselves.
//!
//! Nothing that is typed here is proven. So a name must not look like an e-mail address, which would be somebody's, and an account
//! begins without groups, claims and rights.

use actix_web::HttpResponse;
use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::web::Payload;
use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::error::Error;
use grantor_core::params::Params;
use grantor_core::sign_in::Browser;
use grantor_core::store::{Store, StoreError};
use grantor_core::{retired_username, sign_up};
use grantor_identity::password::Password;
use grantor_identity::password_policy::{Context, PasswordPolicy, RECOMMENDED_LENGTH, WeakPassword};
use grantor_identity::queue::QueueError;
use grantor_identity::throttle::Slots;
use grantor_identity::username::{Username, UsernameError};
use grantor_jose::id::Id;

use super::app_links::AppLinks;
use super::sign_in::{Opened, is_named};
use super::status::Kind;
use super::{App, Frame};
use crate::accounts::{self, Holding};
use crate::form;
use crate::html::filters;
use crate::known_browser::Remembered;
use crate::respond::{self, How};
use crate::tries::Tries;
use crate::visit::Visit;

/// What is kept in the form of a name that was typed, in characters.
const MAX_TYPED: usize = 128;

/// Posts `username`, `password`, `request`, `beside`, `over` and `csrf` to `/sign-up`.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/sign_up.html")]
pub struct SignUp {
    /// The app the person goes on to; none where the account itself is the aim.
    pub app: Option<App>,
    /// Proof that the person chose to sign in beside whoever is signed in; empty where they did not.
    pub beside: String,
    /// The frame.
    pub frame: Frame,
    /// What the app says of itself, and whether anybody has checked it.
    pub links: AppLinks,
    /// The names of those who are signed out by that.
    pub over: Vec<String>,
    /// Their sessions: nobody else is signed out by this form.
    pub over_sessions: String,
    /// The address of this page for a new account beside them.
    pub beside_them: String,
    /// What was wrong with the last try.
    pub problem: Option<Problem>,
    /// The signed request to go on with; empty where there is none.
    pub request: String,
    /// What was typed before, or what the app suggests.
    pub username: String,
}

/// Why no account was made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Problem {
    /// The server has too many passwords to work on just now.
    Busy,
    /// The browser came without the cookie that it was given with the form.
    Cookieless,
    /// The form was open for too long.
    Expired,
    /// A field was left empty.
    Incomplete,
    /// The name has characters that cannot be seen, or is too long.
    Name,
    /// The name looks like an e-mail address.
    NameIsAddress,
    /// Somebody has the name, had it, or is meant by it.
    NameTaken,
    /// Too many tries; the next one counts after so many seconds.
    Throttled(i64),
    /// The password is longer than passwords may be, or has characters that passwords cannot have.
    Unusable,
    /// The password is too weak.
    Weak(WeakPassword),
}

impl Problem {
    fn text(self, frame: &Frame) -> String {
        match self {
            Self::Busy => frame.t("sign-in-busy"),
            Self::Cookieless => frame.t("sign-in-cookieless"),
            Self::Expired => frame.t("sign-in-expired"),
            Self::Incomplete => frame.t("sign-up-incomplete"),
            Self::Name => frame.t("sign-up-name"),
            Self::NameIsAddress => frame.t("sign-up-name-is-address"),
            Self::NameTaken => frame.t("sign-up-name-taken"),
            Self::Throttled(seconds) => frame.say("sign-in-throttled", "span", frame.duration(&seconds)),
            Self::Unusable => frame.t("sign-up-password"),
            Self::Weak(WeakPassword::TooShort { minimum }) => frame.say("password-too-short", "count", minimum),
            Self::Weak(weak) => frame.t(weak.key()),
        }
    }

    const fn is_of_name(self) -> bool {
        matches!(self, Self::Incomplete | Self::Name | Self::NameIsAddress | Self::NameTaken)
    }

    const fn is_of_password(self) -> bool {
        matches!(self, Self::Incomplete | Self::Unusable | Self::Weak(_))
    }

    /// The status, and after how many seconds to come again.
    const fn status(self) -> (StatusCode, Option<i64>) {
        match self {
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, Some(1)),
            Self::Cookieless | Self::Expired => (StatusCode::FORBIDDEN, None),
            Self::Throttled(seconds) => (StatusCode::TOO_MANY_REQUESTS, Some(seconds)),
            _ => (StatusCode::UNPROCESSABLE_ENTITY, None),
        }
    }
}

impl SignUp {
    fn title(&self) -> String {
        let title = self.frame.t("sign-up-title");
        if self.problem.is_some() { self.frame.say("error-title", "title", title) } else { title }
    }

    fn hint(&self) -> String {
        self.frame.say("sign-up-password-hint", "count", RECOMMENDED_LENGTH)
    }

    fn is_wrong_name(&self) -> bool {
        self.problem.is_some_and(Problem::is_of_name)
    }

    fn is_wrong_password(&self) -> bool {
        self.problem.is_some_and(Problem::is_of_password)
    }
}

/// Shows the form.
pub(crate) async fn get_sign_up(visit: Visit) -> HttpResponse {
    if !visit.app.provider.policy.self_registration {
        return respond::status_page(&visit, Kind::NotFound, None);
    }
    let query = Params::parse(visit.request.query_string().as_bytes()).unwrap_or_default();
    match Opened::without_link(&visit, &query).await {
        // As at a sign-in: the person says first whether they are one of those who are signed in, where nobody is in use.
        Ok(opened) if opened.is_open(&visit) => opened.choose(&visit),
        Ok(opened) => show(&visit, &opened, None, None),
        Err(response) => response,
    }
}

/// Makes the account, and goes on as its person.
pub(crate) async fn post_sign_up(visit: Visit, payload: Payload) -> HttpResponse {
    if !visit.app.provider.policy.self_registration {
        return respond::status_page(&visit, Kind::NotFound, None);
    }
    let form = match form::read(&visit.request, payload).await {
        Ok(form) => form,
        Err(error) => return respond::failure(&visit, &error).await,
    };
    let opened = match Opened::without_link(&visit, &form).await {
        Ok(opened) => opened,
        Err(response) => return response,
    };
    let typed = form.get("username").unwrap_or_default();
    if let Some(response) = opened.settled(&visit, form.get("csrf"), |_, user| is_named(user, typed)).await {
        return response;
    }
    // The account is made, and its person is in use.
    if let Some((_, user)) = visit.session()
        && opened.is_second_click(&visit, form.get("csrf"), typed)
    {
        return opened.go_on_as(&visit, user.id).await;
    }
    let is_own = visit.is_own_sign_in_form(form.get("csrf"));
    if is_own && let Some(response) = opened.unnamed(&visit, None) {
        return response;
    }
    let outcome = if is_own {
        attempt(&visit, typed, form.get("password").unwrap_or_default(), opened.is_beside()).await
    } else {
        Ok(Err(if visit.new_mark().is_some() { Problem::Cookieless } else { Problem::Expired }))
    };
    match outcome {
        Ok(Ok((cookies, user_id))) => respond::with_cookies(opened.go_on_as(&visit, user_id).await, cookies),
        Ok(Err(problem)) => show(&visit, &opened, Some(problem), Some(typed)),
        Err(error) => respond::failure(&visit, &error).await,
    }
}

/// The cookies of a new account's session, and whose it is.
type Made = (Vec<Cookie<'static>>, Id);

/// What was made, or why there is nothing.
async fn attempt(visit: &Visit, username: &str, password: &str, beside: bool) -> Result<Result<Made, Problem>, Error> {
    let (username, password) = match read(username, password) {
        Ok(read) => read,
        Err(problem) => return Ok(Err(problem)),
    };
    // Each is counted before it is looked at: to estimate and to hash a password costs much, and whether a name is taken is
    // asked here as well.
    let key = visit.app.directory().secrets.throttle.clone();
    let tries = Tries::new(visit, Slots::stranger(None, visit.app.address(&visit.request), &key));
    if let Some(seconds) = tries.charge().await? {
        return Ok(Err(Problem::Throttled(seconds)));
    }
    if let Err(weak) = judge(visit, &username, &password) {
        return Ok(Err(Problem::Weak(weak)));
    }
    if is_taken(visit, &username).await? {
        return Ok(Err(Problem::NameTaken));
    }
    let app = &visit.app;
    match app.passwords.hash(password, app.provider.mint.random()).await {
        Ok(hash) => begin(visit, &username, hash.expose().to_owned(), beside).await,
        Err(QueueError::Busy | QueueError::Failed) => {
            tries.not_counted().await;
            Ok(Err(Problem::Busy))
        }
    }
}

/// Whether the name is somebody's, or means somebody: an app lets somebody in by it, or keeps by it what was somebody's.
async fn is_taken(visit: &Visit, username: &Username) -> Result<bool, Error> {
    let (store, directory, name) = (&visit.app.provider.store, visit.app.directory(), username.as_str());
    // In this order: the name of a person who is removed in between is retired by then.
    Ok(directory.apps.name_user(name)
        || store.user_find_by_username(name).await?.is_some()
        || store.username_is_retired(&retired_username::digest(&directory.secrets, name)).await?)
}

fn read(username: &str, password: &str) -> Result<(Username, Password), Problem> {
    if username.trim().is_empty() || password.is_empty() {
        return Err(Problem::Incomplete);
    }
    let username = Username::parse(username).map_err(|error| match error {
        UsernameError::BadEmail => Problem::NameIsAddress,
        UsernameError::Empty => Problem::Incomplete,
        UsernameError::Invisible | UsernameError::TooLong => Problem::Name,
    })?;
    if username.is_email() {
        return Err(Problem::NameIsAddress);
    }
    Ok((username, Password::parse(password).map_err(|_| Problem::Unusable)?))
}

fn judge(visit: &Visit, username: &Username, password: &Password) -> Result<(), WeakPassword> {
    let host = url::Url::parse(visit.app.provider.issuer.as_str()).ok();
    let issuer_host = host.as_ref().and_then(url::Url::host_str).unwrap_or_default();
    let context = Context { username, product: &visit.app.settings.name, issuer_host };
    PasswordPolicy::default().check(password, &context)
}

async fn begin(
    visit: &Visit,
    username: &Username,
    password: String,
    beside: bool,
) -> Result<Result<Made, Problem>, Error> {
    let provider = &visit.app.provider;
    let subject = URL_SAFE_NO_PAD.encode(provider.mint.bytes::<16>());
    let user = sign_up::account(username.as_str().to_owned(), password, (visit.app.id(), subject), visit.now);
    let user_agent = visit.user_agent();
    let others = accounts::others(visit).await?;
    let holding = Holding::of(visit, &others, beside);
    let browser = Browser { user_agent: &user_agent, is_known: true, held: holding.held() };
    let begun = sign_up::begin(&user, &provider.fresh(visit.now), visit.app.id(), browser, visit.call());
    match provider.store.commit(begun.changes).await {
        Ok(()) => {}
        Err(StoreError::Conflict) => return Ok(Err(Problem::NameTaken)),
        Err(error) => return Err(error.into()),
    }
    let mut cookies = accounts::begun(visit, &others, &begun.reply);
    cookies.push(Remembered::of(visit).with(username, user.id, user.password.as_deref()));
    Ok(Ok((cookies, user.id)))
}

fn show(visit: &Visit, opened: &Opened, problem: Option<Problem>, typed: Option<&str>) -> HttpResponse {
    let request = opened.request();
    let ui_locales = request.and_then(|request| request.ui_locales.as_deref());
    let language = visit.language(ui_locales);
    let (app, form_action) = opened.app(language).unzip();
    // What an app suggests may be an address, which is no name here.
    let hinted = request.and_then(|request| request.login_hint.as_deref()).filter(|hint| !hint.contains('@'));
    let page = SignUp {
        app,
        beside: opened.beside(),
        frame: opened.frame(visit, crate::routes::SIGN_UP),
        links: request.map(|request| AppLinks::of(request, language)).unwrap_or_default(),
        over: opened.over(),
        over_sessions: opened.over_sessions(),
        beside_them: accounts::sign_up_beside(visit, &opened.request_text()),
        problem,
        request: opened.request_text(),
        username: typed.or(hinted).unwrap_or_default().chars().take(MAX_TYPED).collect(),
    };
    let (status, wait) = problem.map_or((StatusCode::OK, None), Problem::status);
    let mut response =
        respond::page(visit, &page, &How { status: Some(status), form_action, script: true, ..How::default() });
    if let Some(seconds) = wait {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

#[cfg(test)]
impl SignUp {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{HOSTILE, LONG, RIGHT_TO_LEFT, app, visitor};
        let page = |app, problem, username: &str| Self {
            app,
            beside: String::new(),
            frame: visitor(),
            links: AppLinks::default(),
            over: Vec::new(),
            over_sessions: String::new(),
            beside_them: "/sign-up?request=eyJhIjoxfQ.c2ln&beside=YQ".to_owned(),
            problem,
            request: "eyJhIjoxfQ.c2ln".to_owned(),
            username: username.to_owned(),
        };
        let weak = |weak| Some(Problem::Weak(weak));
        vec![
            ("app", page(Some(app("Wiki")), None, "")),
            ("account", page(None, None, "")),
            ("over", Self { over: vec![HOSTILE.to_owned(), LONG.to_owned()], ..page(None, None, "") }),
            ("unchecked", Self { links: super::samples::links(true), ..page(Some(app("Wiki")), None, "") }),
            ("incomplete", page(Some(app("Wiki")), Some(Problem::Incomplete), "")),
            ("name", page(None, Some(Problem::Name), LONG)),
            ("address", page(None, Some(Problem::NameIsAddress), "ada@example.com")),
            ("taken", page(Some(app("Wiki")), Some(Problem::NameTaken), "ada")),
            ("throttled", page(None, Some(Problem::Throttled(290)), "ada")),
            ("expired", page(None, Some(Problem::Expired), "ada")),
            ("busy", page(None, Some(Problem::Busy), "ada")),
            ("unusable", page(None, Some(Problem::Unusable), "ada")),
            ("short", page(None, weak(WeakPassword::TooShort { minimum: 8 }), "ada")),
            ("common", page(None, weak(WeakPassword::Common), "ada")),
            ("guessable", page(None, weak(WeakPassword::Guessable), "ada")),
            ("is-host", page(None, weak(WeakPassword::IsIssuerHost), "ada")),
            ("is-product", page(None, weak(WeakPassword::IsProductName), "ada")),
            ("is-username", page(None, weak(WeakPassword::IsUsername), "ada")),
            ("rtl", page(Some(app(RIGHT_TO_LEFT)), Some(Problem::NameTaken), RIGHT_TO_LEFT)),
            ("hostile", page(Some(app(HOSTILE)), Some(Problem::NameTaken), HOSTILE)),
        ]
    }
}
