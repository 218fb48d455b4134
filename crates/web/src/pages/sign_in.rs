//! Sign in: the name and the password, and to which app.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::web::Payload;
use askama::Template;
use grantor_core::authorization::AuthorizationRequest;
use grantor_core::interaction::Interaction;
use grantor_core::params::Params;

use super::{App, Frame, enter};
use crate::html::filters;
use crate::oauth::authorize;
use crate::password_sign_in::{self, Outcome};
use crate::respond::{self, How, app_of};
use crate::visit::Visit;
use crate::{form, routes};

/// What is kept in the form of a name that was typed, in characters.
const MAX_TYPED: usize = 128;

/// Posts `username`, `password`, `request` and `csrf` to `/sign-in`.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/sign_in.html")]
pub struct SignIn {
    /// The app the person goes on to; none where the account itself is the aim.
    pub app: Option<App>,
    /// The frame.
    pub frame: Frame,
    /// What went wrong with the last try.
    pub problem: Option<Problem>,
    /// The signed authorization request to go on with; empty where there is none.
    pub request: String,
    /// What was typed before, or what the app suggests.
    pub username: String,
}

/// Why the last try did not work.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Problem {
    /// The server has too many sign-ins to check just now.
    Busy,
    /// The form was open for too long.
    Expired,
    /// A field was left empty.
    Incomplete,
    /// Name and password are right, and the person may not sign in from this network.
    Network,
    /// Too many tries; the next one counts after so many seconds.
    Throttled(i64),
    /// The two do not match. The same for a name that nobody has.
    Wrong,
}

impl SignIn {
    fn title(&self) -> String {
        let title = match &self.app {
            Some(app) => self.frame.say("sign-in-title-app", "app", &app.name),
            None => self.frame.t("sign-in-title"),
        };
        if self.problem.is_some() { self.frame.say("error-title", "title", title) } else { title }
    }

    fn problem_text(&self) -> Option<String> {
        Some(match self.problem? {
            Problem::Busy => self.frame.t("sign-in-busy"),
            Problem::Expired => self.frame.t("sign-in-expired"),
            Problem::Incomplete => self.frame.t("sign-in-incomplete"),
            Problem::Network => self.frame.t("sign-in-network"),
            Problem::Throttled(seconds) => self.frame.say("sign-in-throttled", "span", self.frame.duration(&seconds)),
            Problem::Wrong => self.frame.t("sign-in-wrong"),
        })
    }

    /// Whether the fields themselves are what is wrong.
    fn invalid(&self) -> bool {
        matches!(self.problem, Some(Problem::Incomplete | Problem::Wrong))
    }
}

/// Shows the form.
pub(crate) async fn get_sign_in(visit: Visit) -> HttpResponse {
    let query = Params::parse(visit.request.query_string().as_bytes());
    let carried = query.as_ref().ok().and_then(|query| query.get("request")).unwrap_or_default().to_owned();
    match Waiting::of(&visit, &carried).await {
        Ok(waiting) => waiting.show(&visit, None, None),
        Err(response) => response,
    }
}

/// Checks name and password, and goes on.
pub(crate) async fn post_sign_in(visit: Visit, payload: Payload) -> HttpResponse {
    let form = match form::read(&visit.request, payload).await {
        Ok(form) => form,
        Err(error) => return respond::failure(&visit, &error).await,
    };
    let waiting = match Waiting::of(&visit, form.get("request").unwrap_or_default()).await {
        Ok(waiting) => waiting,
        Err(response) => return response,
    };
    let (username, password) = (form.get("username").unwrap_or_default(), form.get("password").unwrap_or_default());
    let outcome = if !visit.is_own_sign_in_form(form.get("csrf")) {
        Ok(Outcome::Problem(Problem::Expired))
    } else if username.trim().is_empty() || password.is_empty() {
        Ok(Outcome::Problem(Problem::Incomplete))
    } else {
        password_sign_in::attempt(&visit, username, password).await
    };
    match outcome {
        Ok(Outcome::SignedIn(cookies)) => {
            let mut response = waiting.go_on(&visit).await;
            for cookie in cookies {
                // A cookie of ours is always a header that can be written.
                let _ = response.add_cookie(&cookie);
            }
            response
        }
        Ok(Outcome::Problem(problem)) => waiting.show(&visit, Some(problem), Some(username)),
        Err(error) => respond::failure(&visit, &error).await,
    }
}

/// What waits for the sign-in.
struct Waiting {
    aim: Aim,
    carried: String,
}

/// Where the person goes on to.
enum Aim {
    /// The account.
    Account,
    /// An app behind a proxy.
    Entry(enter::Waiting),
    /// An app's request.
    Request(Box<(Interaction, AuthorizationRequest)>),
}

impl Waiting {
    async fn of(visit: &Visit, carried: &str) -> Result<Self, HttpResponse> {
        let aim = if carried.is_empty() {
            Aim::Account
        } else if let Ok(entry) = enter::Waiting::read(visit, carried) {
            Aim::Entry(entry)
        } else {
            Aim::Request(Box::new(authorize::waiting(visit, carried).await?))
        };
        Ok(Self { aim, carried: carried.to_owned() })
    }

    async fn go_on(&self, visit: &Visit) -> HttpResponse {
        match &self.aim {
            Aim::Account => respond::redirect(routes::ACCOUNT),
            Aim::Entry(entry) => respond::redirect(&entry.address()),
            Aim::Request(waiting) => authorize::go_to(visit, routes::AUTHORIZE, &waiting.0).await,
        }
    }

    fn request(&self) -> Option<&AuthorizationRequest> {
        match &self.aim {
            Aim::Request(waiting) => Some(&waiting.1),
            Aim::Account | Aim::Entry(_) => None,
        }
    }

    /// The app, and where the form may lead.
    fn app(&self) -> Option<(App, String)> {
        match &self.aim {
            Aim::Account => None,
            Aim::Entry(entry) => Some((entry.app(), entry.form_action())),
            Aim::Request(waiting) => Some((app_of(&waiting.1.client), waiting.1.redirect_uri.form_action())),
        }
    }

    fn show(&self, visit: &Visit, problem: Option<Problem>, typed: Option<&str>) -> HttpResponse {
        let (request, (app, form_action)) = (self.request(), self.app().unzip());
        let hinted = request.and_then(|request| request.login_hint.as_deref());
        let known = visit.session().map(|(_, user)| user.username.as_str());
        let page = SignIn {
            app,
            frame: Frame {
                account: None,
                ..visit.frame(request.and_then(|request| request.ui_locales.as_deref()), None)
            },
            problem,
            request: self.carried.clone(),
            username: typed.or(hinted).or(known).unwrap_or_default().chars().take(MAX_TYPED).collect(),
        };
        let (status, wait) = match problem {
            None => (StatusCode::OK, None),
            Some(Problem::Busy) => (StatusCode::SERVICE_UNAVAILABLE, Some(1)),
            Some(Problem::Expired | Problem::Network) => (StatusCode::FORBIDDEN, None),
            Some(Problem::Incomplete | Problem::Wrong) => (StatusCode::UNPROCESSABLE_ENTITY, None),
            Some(Problem::Throttled(seconds)) => (StatusCode::TOO_MANY_REQUESTS, Some(seconds)),
        };
        let mut response = respond::page(visit, &page, &How { status: Some(status), form_action, script: true });
        if let Some(seconds) = wait {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

#[cfg(test)]
impl SignIn {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{HOSTILE, LONG, RIGHT_TO_LEFT, app, visitor};
        let page = |app, problem, username: &str| Self {
            app,
            frame: visitor(),
            problem,
            request: "eyJhIjoxfQ.c2ln".to_owned(),
            username: username.to_owned(),
        };
        vec![
            ("app", page(Some(app("Wiki")), None, "")),
            ("account", page(None, None, "")),
            ("wrong", page(Some(app("Wiki")), Some(Problem::Wrong), "ada")),
            ("incomplete", page(Some(app("Wiki")), Some(Problem::Incomplete), "")),
            ("throttled", page(Some(app("Wiki")), Some(Problem::Throttled(290)), "ada")),
            ("expired", page(None, Some(Problem::Expired), "ada@example.com")),
            ("network", page(Some(app("Wiki")), Some(Problem::Network), "ada")),
            ("busy", page(None, Some(Problem::Busy), "ada@example.com")),
            ("long", page(Some(app(LONG)), None, LONG)),
            ("rtl", page(Some(app(RIGHT_TO_LEFT)), Some(Problem::Wrong), RIGHT_TO_LEFT)),
            ("hostile", page(Some(app(HOSTILE)), Some(Problem::Wrong), HOSTILE)),
        ]
    }
}
