//! The short pages for when something does not go on: not found, too many, busy, broken.

use askama::Template;

use super::Frame;
use crate::html::filters;

/// Has no form of its own.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/status.html")]
pub struct Status {
    /// The number under which the reason stands in the event log, where there is one.
    pub case: Option<String>,
    /// The frame.
    pub frame: Frame,
    /// Where an app's request goes on, where one waited.
    pub go_on: Option<GoOn>,
    /// What happened.
    pub kind: Kind,
}

/// A request of an app that goes on.
#[derive(Clone, Debug)]
pub struct GoOn {
    /// What the app calls itself.
    pub app: String,
    /// The address that goes on with it, on our own origin.
    pub url: String,
}

/// What happened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// 400: we cannot read what was sent.
    BadRequest,
    /// 503: too much to do just now.
    Busy,
    /// 403: the form did not come from our page, or from an earlier sign-in.
    FormRefused,
    /// 404.
    NotFound,
    /// 500: our fault.
    ServerError,
    /// 413: more was sent than we read.
    TooLarge,
    /// 429: again after so many seconds.
    TooMany(i64),
}

impl Status {
    /// The key of the messages, and the value of `data-page`.
    fn key(&self) -> &'static str {
        match self.kind {
            Kind::BadRequest => "bad-request",
            Kind::Busy => "busy",
            Kind::FormRefused => "form-refused",
            Kind::NotFound => "not-found",
            Kind::ServerError => "server-error",
            Kind::TooLarge => "too-large",
            Kind::TooMany(_) => "too-many",
        }
    }

    fn title(&self) -> String {
        self.frame.t(&format!("{}-title", self.key()))
    }

    fn happened(&self) -> String {
        self.frame.t(&format!("{}-happened", self.key()))
    }

    fn todo(&self) -> String {
        match self.kind {
            Kind::TooMany(seconds) => self.frame.say("too-many-todo", "span", self.frame.duration(&seconds)),
            Kind::FormRefused if self.go_on.is_some() => self.frame.t("form-refused-todo-go-on"),
            _ => self.frame.t(&format!("{}-todo", self.key())),
        }
    }
}

#[cfg(test)]
impl Status {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{HOSTILE, visitor};
        let page = |kind| Self { case: None, frame: Frame { return_to: None, ..visitor() }, go_on: None, kind };
        let go_on = |app: &str| Some(GoOn { app: app.to_owned(), url: "/authorize?resume=eyJhIjoxfQ.c2ln".to_owned() });
        vec![
            ("bad-request", Self { case: Some("0BxVq7aY2Lk".to_owned()), ..page(Kind::BadRequest) }),
            ("busy", page(Kind::Busy)),
            ("form-refused", page(Kind::FormRefused)),
            ("form-refused-go-on", Self { go_on: go_on("Wiki"), ..page(Kind::FormRefused) }),
            ("form-refused-hostile", Self { go_on: go_on(HOSTILE), ..page(Kind::FormRefused) }),
            ("not-found", page(Kind::NotFound)),
            ("server-error", Self { case: Some("0BxVq7aY2Lk".to_owned()), ..page(Kind::ServerError) }),
            ("too-large", page(Kind::TooLarge)),
            ("too-many", page(Kind::TooMany(240))),
            ("hostile", Self { case: Some(HOSTILE.to_owned()), ..page(Kind::ServerError) }),
        ]
    }
}
