//! Sign in: the name and the password, and to which app.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::web::Payload;
use askama::Template;
use grantor_core::authorization::AuthorizationRequest;
use grantor_core::params::Params;
use grantor_core::upstream::Upstream;
use grantor_core::upstream::flow::Arrival;
use grantor_core::user::User;
use grantor_identity::username::Username;

use super::app_links::AppLinks;
use super::{App, Frame, enter, sign_in_code, upstream_link};
use crate::accounts::Company;
use crate::html::filters;
use crate::locale::Language;
use crate::password_sign_in::{self, Outcome};
use crate::respond::{self, How};
use crate::visit::Visit;
use crate::waiting::Waiting;
use crate::{form, routes};

mod again;
mod going_on;
mod settled;
mod ways;

/// What is kept in the form of a name that was typed, in characters.
const MAX_TYPED: usize = 128;

/// Posts `username`, `password`, `request`, `beside`, `over` and `csrf` to `/sign-in`, with `upstream` and `arrival` where an account is proven
/// to link it. The forms of other ways post `csrf`, `request`, `beside` and `over` to `/upstreams/{name}/start`.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/sign_in.html")]
pub struct SignIn {
    /// The app the person goes on to; none where the account itself is the aim.
    pub app: Option<App>,
    /// Proof that the person chose to sign in beside whoever is signed in; empty where they did not.
    pub beside: String,
    /// The frame.
    pub frame: Frame,
    /// What the app says of itself.
    pub links: AppLinks,
    /// Whom an account is proven for, to link it.
    pub link: Option<Asked>,
    /// The names of those whom somebody else signs out by signing in.
    pub over: Vec<String>,
    /// Their sessions: nobody else is signed out by this form.
    pub over_sessions: String,
    /// What went wrong with the last try.
    pub problem: Option<Problem>,
    /// The signed authorization request to go on with; empty where there is none.
    pub request: String,
    /// Whether the person is to set up a second factor.
    pub sets_up: bool,
    /// Whether people may make accounts for themselves.
    pub sign_up: bool,
    /// Ways that cannot be used for what waits, since they do not tell when the person signs in: what they are called.
    pub untimed: Vec<String>,
    /// Whether the person is to unlink an account.
    pub unlinks: bool,
    /// What was typed before, or what the app suggests.
    pub username: String,
    /// Other ways to sign in.
    pub ways: Vec<Way>,
}

/// Somebody who came from an upstream.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Who came, sealed.
    pub arrival: String,
    /// What the account there is known by.
    pub label: String,
    /// What addresses call the upstream.
    pub name: String,
    /// What the upstream is called.
    pub title: String,
}

/// An upstream that people can sign in through.
#[derive(Clone, Debug)]
pub struct Way {
    /// What addresses call it.
    pub name: String,
    /// What it is called.
    pub title: String,
}

impl Way {
    /// An upstream as pages name it.
    pub(crate) fn of(upstream: &Upstream) -> Self {
        Self { name: upstream.definition.name.clone(), title: upstream.definition.title().to_owned() }
    }
}

/// Why the last try did not work.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Problem {
    /// The server has too many sign-ins to check just now.
    Busy,
    /// The code of the second factor was used before, and so is the password that was given with it.
    CodeUsed,
    /// The browser came without the cookie that it was given with the form.
    Cookieless,
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
            Problem::CodeUsed => self.frame.t("sign-in-code-used"),
            Problem::Cookieless => self.frame.t("sign-in-cookieless"),
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
    let opened = match Opened::of(&visit, &query.unwrap_or_default()).await {
        Ok(opened) => opened,
        Err(response) => return response,
    };
    // Nobody comes into use by themselves: the person says whether it is one of those who are signed in.
    if opened.company.is_open(&visit) && (opened.link.is_none() || opened.company.is_lost()) {
        return opened.choose(&visit);
    }
    match opened.needless(&visit).await {
        Some(response) => response,
        None => opened.show(&visit, None, None),
    }
}

/// Checks name and password, and goes on.
pub(crate) async fn post_sign_in(visit: Visit, payload: Payload) -> HttpResponse {
    let form = match form::read(&visit.request, payload).await {
        Ok(form) => form,
        Err(error) => return respond::failure(&visit, &error).await,
    };
    let waiting = match Opened::of(&visit, &form).await {
        Ok(waiting) => waiting,
        Err(response) => return response,
    };
    let (username, password) = (form.get("username").unwrap_or_default(), form.get("password").unwrap_or_default());
    if let Some(response) = waiting.settled(&visit, form.get("csrf"), |_, user| is_named(user, username)).await {
        return response;
    }
    let is_own =
        visit.is_own_sign_in_form(form.get("csrf")) || waiting.is_second_click(&visit, form.get("csrf"), username);
    if is_own && let Some(response) = waiting.unnamed(&visit, Username::parse(username).ok().as_ref()) {
        return response;
    }
    let outcome = if !is_own {
        Ok(Outcome::Problem(if visit.new_mark().is_some() { Problem::Cookieless } else { Problem::Expired }))
    } else if username.trim().is_empty() || password.is_empty() {
        Ok(Outcome::Problem(Problem::Incomplete))
    } else {
        password_sign_in::attempt(&visit, username, password, waiting.is_beside()).await
    };
    match outcome {
        Ok(Outcome::Half(half)) => {
            sign_in_code::show(&visit, &waiting, sign_in_code::Asking { half: &half, ..Default::default() })
        }
        Ok(Outcome::SignedIn(cookies, user_id)) => {
            respond::with_cookies(waiting.go_on_as(&visit, user_id).await, cookies)
        }
        Ok(Outcome::Problem(problem)) => waiting.show(&visit, Some(problem), Some(username)),
        Err(error) => respond::failure(&visit, &error).await,
    }
}

/// What the page is opened for: what waits for the sign-in, or first a link with an upstream.
#[derive(Default)]
pub(crate) struct Opened {
    pub(super) waiting: Waiting,
    carried: String,
    link: Option<Asked>,
    company: Company,
    /// The sessions that the page of a posted form named as those that it ends, as it was sent.
    over: String,
}

/// Whether this is the name of a person, as it was typed.
pub(super) fn is_named(user: &User, typed: &str) -> bool {
    Username::parse(typed).is_ok_and(|typed| typed.as_str() == user.username)
}

impl Opened {
    pub(super) async fn of(visit: &Visit, params: &Params) -> Result<Self, HttpResponse> {
        if let Some((asked, arrival)) = asked(visit, params) {
            // What waits has travelled with whoever came.
            let waiting = Waiting::of_aim(visit, &arrival.aim).await?;
            let company = company(visit, arrival.beside.as_deref()).await?;
            return Ok(Self { waiting, carried: String::new(), link: Some(asked), company, over: over(params) });
        }
        Self::without_link(visit, params).await
    }

    /// The same where no account is proven to link it.
    pub(super) async fn without_link(visit: &Visit, params: &Params) -> Result<Self, HttpResponse> {
        let carried = params.get("request").unwrap_or_default();
        let waiting = Waiting::read(visit, carried).await?;
        let company = company(visit, params.get("beside")).await?;
        Ok(Self { waiting, carried: carried.to_owned(), link: None, company, over: over(params) })
    }

    /// The name of the person in use, where it may be they who are asked for.
    fn known<'v>(&self, visit: &'v Visit) -> Option<&'v str> {
        let (_, user) = visit.session().filter(|_| !self.is_beside())?;
        let subjects = &visit.app.directory().secrets.subjects;
        let is_meant =
            self.waiting.request().is_none_or(|request| !request.names_somebody() || request.names(subjects, user));
        is_meant.then_some(user.username.as_str())
    }

    /// The app's request, where it is one.
    pub(super) fn request(&self) -> Option<&AuthorizationRequest> {
        self.waiting.request()
    }

    /// The app behind a proxy, where it is one.
    pub(super) fn entry(&self) -> Option<&enter::Waiting> {
        self.waiting.entry()
    }

    /// The app, and where a form may lead that goes on with it.
    pub(super) fn app(&self, language: Language) -> Option<(App, String)> {
        self.waiting.app(language)
    }

    /// What travels on in the fields of a form.
    pub(super) fn carried(&self) -> Vec<(&'static str, String)> {
        let mut carried = vec![("request", self.carried.clone())];
        if let Some(link) = &self.link {
            carried.extend([("upstream", link.name.clone()), ("arrival", link.arrival.clone())]);
        }
        if self.is_beside() {
            carried.push(("beside", self.company.beside.clone()));
        }
        if !self.over.is_empty() {
            carried.push(("over", self.over.clone()));
        }
        carried
    }

    /// Whether an account is proven to link it.
    pub(super) fn links(&self) -> bool {
        self.link.is_some()
    }

    /// Whether the person chose to sign in beside whoever is signed in.
    pub(super) fn is_beside(&self) -> bool {
        !self.company.beside.is_empty()
    }

    /// The proof that they did; empty where they did not.
    pub(super) fn beside(&self) -> String {
        self.company.beside.clone()
    }

    /// The names of those who are signed out where somebody else signs in.
    pub(super) fn over(&self) -> Vec<String> {
        self.company.over()
    }

    /// Their sessions.
    pub(super) fn over_sessions(&self) -> String {
        self.company.over_sessions()
    }

    /// The signed request as it came; empty where there is none.
    pub(super) fn request_text(&self) -> String {
        self.carried.clone()
    }

    /// The address at which the person goes on as somebody else, where an app waits.
    pub(super) fn change(&self, visit: &Visit) -> Option<String> {
        self.waiting.change(visit)
    }

    pub(super) fn show(&self, visit: &Visit, problem: Option<Problem>, typed: Option<&str>) -> HttpResponse {
        let ui_locales = self.waiting.request().and_then(|request| request.ui_locales.as_deref());
        let language = visit.language(ui_locales);
        let (request, (app, form_action)) = (self.waiting.request(), self.waiting.app(language).unzip());
        let hinted = request.and_then(|request| request.login_hint.as_deref());
        let (known, (ways, untimed)) = (self.known(visit), self.ways(visit));
        let page = SignIn {
            app,
            beside: self.company.beside.clone(),
            frame: self.frame(visit, routes::SIGN_IN),
            links: request.map(|request| AppLinks::of(request, language)).unwrap_or_default(),
            link: self.link.clone(),
            over: self.company.over(),
            over_sessions: self.company.over_sessions(),
            problem,
            request: self.carried.clone(),
            sets_up: matches!(self.waiting, Waiting::SecondFactor(_) | Waiting::SecondFactorForEntry(_)),
            sign_up: visit.app.provider.policy.self_registration && self.link.is_none(),
            untimed: untimed.into_iter().map(|way| way.title).collect(),
            unlinks: matches!(self.waiting, Waiting::Unlink(_)),
            ways,
            username: typed.or(hinted).or(known).unwrap_or_default().chars().take(MAX_TYPED).collect(),
        };
        let (status, wait) = match problem {
            None => (StatusCode::OK, None),
            Some(Problem::Busy) => (StatusCode::SERVICE_UNAVAILABLE, Some(1)),
            Some(Problem::CodeUsed | Problem::Cookieless | Problem::Expired | Problem::Network) => {
                (StatusCode::FORBIDDEN, None)
            }
            Some(Problem::Incomplete | Problem::Wrong) => (StatusCode::UNPROCESSABLE_ENTITY, None),
            Some(Problem::Throttled(seconds)) => (StatusCode::TOO_MANY_REQUESTS, Some(seconds)),
        };
        let mut response =
            respond::page(visit, &page, &How { status: Some(status), form_action, script: true, ..How::default() });
        if let Some(seconds) = wait {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

fn over(params: &Params) -> String {
    params.get("over").unwrap_or_default().to_owned()
}

async fn company(visit: &Visit, sent: Option<&str>) -> Result<Company, HttpResponse> {
    match Company::of(visit, sent).await {
        Ok(company) => Ok(company),
        Err(error) => Err(respond::failure(visit, &error).await),
    }
}

/// Whom an account is proven for, where the page was opened for that.
fn asked(visit: &Visit, params: &Params) -> Option<(Asked, Arrival)> {
    let (name, text) = (params.get("upstream")?, params.get("arrival")?);
    let directory = visit.app.directory();
    let upstream = directory.upstream(name)?;
    let arrival = upstream_link::opened(visit, upstream, text)?;
    let asked = Asked {
        arrival: text.to_owned(),
        label: arrival.label.clone(),
        name: name.to_owned(),
        title: upstream.definition.title().to_owned(),
    };
    Some((asked, arrival))
}

#[cfg(test)]
impl SignIn {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{HOSTILE, LONG, NAMES, RIGHT_TO_LEFT, app, visitor};
        let page = |app, problem, username: &str| Self {
            app,
            beside: String::new(),
            frame: visitor(),
            links: AppLinks::default(),
            link: None,
            over: Vec::new(),
            over_sessions: String::new(),
            problem,
            request: "eyJhIjoxfQ.c2ln".to_owned(),
            sets_up: false,
            sign_up: false,
            unlinks: false,
            untimed: Vec::new(),
            username: username.to_owned(),
            ways: Vec::new(),
        };
        let ways = |titles: &[&str]| {
            let way =
                |(number, title): (usize, &&str)| Way { name: format!("corp-{number}"), title: (*title).to_owned() };
            titles.iter().enumerate().map(way).collect::<Vec<_>>()
        };
        let link = |label: &str, title: &str| {
            let (arrival, name) = ("c2VhbGVk".to_owned(), "corp".to_owned());
            Some(Asked { arrival, label: label.to_owned(), name, title: title.to_owned() })
        };
        vec![
            ("upstreams", Self { ways: ways(&["Corp", "Code"]), ..page(Some(app("Wiki")), None, "") }),
            ("upstreams-many", Self { ways: ways(&NAMES), ..page(Some(app("Wiki")), None, "") }),
            ("link", Self { link: link("ada@corp.example", "Corp"), ..page(Some(app("Wiki")), None, "") }),
            ("link-hostile", Self { link: link(HOSTILE, HOSTILE), ..page(None, Some(Problem::Wrong), "ada") }),
            ("app", page(Some(app("Wiki")), None, "")),
            (
                "beside",
                Self { beside: "YmVzaWRl".to_owned(), ways: ways(&["Corp"]), ..page(Some(app("Wiki")), None, "") },
            ),
            ("over", Self { over: NAMES.map(str::to_owned).to_vec(), ..page(Some(app("Wiki")), None, "") }),
            ("sign-up", Self { sign_up: true, ..page(Some(app("Wiki")), None, "") }),
            ("sign-up-and-upstreams", Self { sign_up: true, ways: ways(&["Corp"]), ..page(None, None, "") }),
            ("unlink", Self { unlinks: true, ways: ways(&["Corp"]), ..page(None, None, "ada") }),
            ("untimed", Self { untimed: NAMES.map(str::to_owned).to_vec(), ..page(Some(app("Wiki")), None, "") }),
            ("unchecked", Self { links: super::samples::links(true), ..page(Some(app("Wiki")), None, "") }),
            ("account", page(None, None, "")),
            ("wrong", page(Some(app("Wiki")), Some(Problem::Wrong), "ada")),
            ("incomplete", page(Some(app("Wiki")), Some(Problem::Incomplete), "")),
            ("throttled", page(Some(app("Wiki")), Some(Problem::Throttled(290)), "ada")),
            ("code-used", page(None, Some(Problem::CodeUsed), "ada@example.com")),
            ("expired", page(None, Some(Problem::Expired), "ada@example.com")),
            ("cookieless", page(None, Some(Problem::Cookieless), "ada@example.com")),
            ("network", page(Some(app("Wiki")), Some(Problem::Network), "ada")),
            ("busy", page(None, Some(Problem::Busy), "ada@example.com")),
            ("long", page(Some(app(LONG)), None, LONG)),
            ("rtl", page(Some(app(RIGHT_TO_LEFT)), Some(Problem::Wrong), RIGHT_TO_LEFT)),
            ("hostile", page(Some(app(HOSTILE)), Some(Problem::Wrong), HOSTILE)),
        ]
    }
}
