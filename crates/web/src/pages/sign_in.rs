//! Sign in: the name and the password, and to which app.

use askama::Template;

use super::{App, Frame};
use crate::html::filters;

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
            Problem::Throttled(seconds) => self.frame.say("sign-in-throttled", "span", self.frame.duration(&seconds)),
            Problem::Wrong => self.frame.t("sign-in-wrong"),
        })
    }

    /// Whether the fields themselves are what is wrong.
    fn invalid(&self) -> bool {
        matches!(self.problem, Some(Problem::Incomplete | Problem::Wrong))
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
            ("busy", page(None, Some(Problem::Busy), "ada@example.com")),
            ("long", page(Some(app(LONG)), None, LONG)),
            ("rtl", page(Some(app(RIGHT_TO_LEFT)), Some(Problem::Wrong), RIGHT_TO_LEFT)),
            ("hostile", page(Some(app(HOSTILE)), Some(Problem::Wrong), HOSTILE)),
        ]
    }
}
