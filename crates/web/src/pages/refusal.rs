//! Why a request was refused that cannot be answered to the app: for the person in one sentence, for its developer in full.

use askama::Template;

use super::{
    App, Frame,
    difference::{self, Cut},
};
use crate::html::filters;

/// Has no form of its own.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/refusal.html")]
pub struct Refusal {
    /// The app that sent the person here, where it is known.
    pub app: Option<App>,
    /// The number under which the reason stands in the event log.
    pub case: String,
    /// The frame.
    pub frame: Frame,
    /// Which rule was broken.
    pub reason: Reason,
}

/// Which rule was broken. Nothing in here may be secret or another app's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reason {
    /// `client_id` is missing.
    AppMissing,
    /// The app is switched off.
    AppOff,
    /// No app has this `client_id`.
    AppUnknown(String),
    /// The browser came without the cookie that it was given when the request began.
    CookieMissing,
    /// The `post_logout_redirect_uri` is not registered.
    LogoutUriMismatch(Addresses),
    /// The same parameter stands in the request twice.
    ParameterRepeated(String),
    /// The `redirect_uri` is not registered.
    RedirectUriMismatch(Addresses),
    /// There is no `redirect_uri`.
    RedirectUriMissing,
    /// It has no `redirect_uri`, and is for `openid`.
    RedirectUriRequired,
    /// The request was begun too long ago.
    RequestExpired,
    /// The request cannot be read; the name of the parameter, where one is to blame.
    RequestMalformed(String),
}

/// An address that was sent, and those it could have been.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Addresses {
    /// What was sent.
    pub received: String,
    /// What this app has registered.
    pub registered: Vec<String>,
}

impl Addresses {
    fn nearest(&self) -> Option<&str> {
        difference::nearest(&self.received, &self.registered)
    }

    /// What was received and what it was likely meant to be, cut where they part.
    fn cut(&self) -> Option<(Cut<'_>, Cut<'_>)> {
        self.nearest().map(|registered| difference::cut(&self.received, registered))
    }

    /// The registered ones that are not compared.
    fn others(&self) -> Vec<&str> {
        let nearest = self.nearest();
        self.registered.iter().map(String::as_str).filter(|uri| Some(*uri) != nearest).take(20).collect()
    }

    /// The key of the message that names the difference.
    fn named(&self) -> Option<&'static str> {
        self.nearest().and_then(|registered| difference::named(&self.received, registered))
    }
}

/// A rule in its own words, and where it stands.
struct Rule {
    clause: &'static str,
    sentence: &'static str,
}

impl Reason {
    fn key(&self) -> &'static str {
        match self {
            Self::AppMissing => "refusal-app-missing",
            Self::AppOff => "refusal-app-off",
            Self::AppUnknown(_) => "refusal-app-unknown",
            Self::CookieMissing => "refusal-cookie",
            Self::LogoutUriMismatch(_) => "refusal-logout-uri",
            Self::ParameterRepeated(_) => "refusal-repeated",
            Self::RedirectUriMismatch(_) => "refusal-redirect-uri",
            Self::RedirectUriMissing | Self::RedirectUriRequired => "refusal-redirect-uri-missing",
            Self::RequestExpired => "refusal-expired",
            Self::RequestMalformed(_) => "refusal-malformed",
        }
    }

    /// What the fix names: a `client_id` or a parameter.
    fn subject(&self) -> &str {
        match self {
            Self::AppUnknown(name) | Self::ParameterRepeated(name) | Self::RequestMalformed(name) => name,
            _ => "",
        }
    }

    fn addresses(&self) -> Option<&Addresses> {
        match self {
            Self::LogoutUriMismatch(addresses) | Self::RedirectUriMismatch(addresses) => Some(addresses),
            _ => None,
        }
    }

    fn rule(&self) -> Option<Rule> {
        let (sentence, clause) = match self {
            Self::AppMissing => {
                ("client_id REQUIRED. The client identifier as described in Section 2.2.", "RFC 6749 §4.1.1")
            }
            Self::AppUnknown(_) => (
                "… if the client identifier is missing or invalid, the authorization server SHOULD inform the resource owner of the error and MUST NOT automatically redirect the user-agent to the invalid redirection URI.",
                "RFC 6749 §4.1.2.1",
            ),
            Self::LogoutUriMismatch(_) => (
                "The OP also MUST NOT perform post-logout redirection if the \"post_logout_redirect_uri\" value supplied does not exactly match one of the previously registered \"post_logout_redirect_uris\" values.",
                "OpenID Connect RP-Initiated Logout 1.0 §3",
            ),
            Self::ParameterRepeated(_) => {
                ("Request and response parameters MUST NOT be included more than once.", "RFC 6749 §3.1")
            }
            Self::RedirectUriMismatch(_) => (
                "If the client registration included the full redirection URI, the authorization server MUST compare the two URIs using simple string comparison as defined in [RFC3986] Section 6.2.1.",
                "RFC 6749 §3.1.2.3",
            ),
            Self::RedirectUriMissing => (
                "If multiple redirection URIs have been registered, … the client MUST include a redirection URI with the authorization request using the \"redirect_uri\" request parameter.",
                "RFC 6749 §3.1.2.3",
            ),
            Self::RedirectUriRequired => (
                "redirect_uri REQUIRED. Redirection URI to which the response will be sent.",
                "OpenID Connect Core 1.0 §3.1.2.1",
            ),
            Self::RequestMalformed(_) => (
                "The request is missing a required parameter, includes an invalid parameter value, includes a parameter more than once, or is otherwise malformed.",
                "RFC 6749 §4.1.2.1",
            ),
            Self::AppOff | Self::CookieMissing | Self::RequestExpired => return None,
        };
        Some(Rule { clause, sentence })
    }
}

impl Refusal {
    fn message(&self, part: &str) -> String {
        self.frame.t(&format!("{}-{part}", self.reason.key()))
    }

    fn fix(&self) -> askama::filters::Safe<String> {
        self.frame.strong(&format!("{}-fix", self.reason.key()), "name", self.reason.subject())
    }
}

#[cfg(test)]
impl Refusal {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{HOSTILE, LONG, app, visitor};
        let page = |reason| Self {
            app: Some(app("Wiki")),
            case: "0BxVq7aY2Lk".to_owned(),
            frame: Frame { return_to: None, ..visitor() },
            reason,
        };
        let addresses = |received: &str, registered: &[&str]| Addresses {
            received: received.to_owned(),
            registered: registered.iter().map(|&uri| uri.to_owned()).collect(),
        };
        let slash = addresses(
            "https://wiki.example.com/callback/",
            &["https://wiki.example.com/callback", "http://localhost:3000/callback"],
        );
        let many = Addresses {
            received: format!("https://wiki.example.com/{LONG}/{LONG}"),
            registered: (0..200).map(|n| format!("https://wiki.example.com/{LONG}/{n}")).collect(),
        };
        vec![
            ("slash", page(Reason::RedirectUriMismatch(slash))),
            ("many", page(Reason::RedirectUriMismatch(many))),
            ("none", page(Reason::RedirectUriMismatch(addresses("https://evil.example/", &[])))),
            (
                "logout",
                page(Reason::LogoutUriMismatch(addresses(
                    "http://wiki.example.com/bye",
                    &["https://wiki.example.com/bye"],
                ))),
            ),
            (
                "unchecked",
                Self { app: Some(super::samples::unchecked("Notebook")), ..page(Reason::RedirectUriMissing) },
            ),
            ("unknown", Self { app: None, ..page(Reason::AppUnknown("no-such-app".to_owned())) }),
            ("missing", Self { app: None, ..page(Reason::AppMissing) }),
            ("off", page(Reason::AppOff)),
            ("repeated", Self { app: None, ..page(Reason::ParameterRepeated("state".to_owned())) }),
            ("no-uri", page(Reason::RedirectUriMissing)),
            ("no-uri-openid", page(Reason::RedirectUriRequired)),
            ("expired", page(Reason::RequestExpired)),
            ("cookie", Self { app: None, ..page(Reason::CookieMissing) }),
            ("malformed", page(Reason::RequestMalformed("scope".to_owned()))),
            (
                "hostile",
                Self {
                    app: Some(app(HOSTILE)),
                    ..page(Reason::RedirectUriMismatch(addresses(HOSTILE, &[HOSTILE, LONG])))
                },
            ),
            ("hostile-name", Self { app: None, ..page(Reason::AppUnknown(HOSTILE.to_owned())) }),
        ]
    }
}
