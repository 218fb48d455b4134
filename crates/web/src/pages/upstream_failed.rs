//! A sign-in through an upstream that did not go on: what happened, and what can be done.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use askama::Template;
use grantor_core::error::Error;
use grantor_core::upstream::Upstream;
use grantor_core::upstream::flow::Aim;

use super::Frame;
use crate::html::filters;
use crate::respond::{self, How};
use crate::upstream::{self, Refused};
use crate::visit::Visit;

/// Has no form of its own.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/upstream_failed.html")]
pub struct UpstreamFailed {
    /// Where it is begun again.
    pub again: String,
    /// The number under which the reason stands in the event log.
    pub case: String,
    /// What is wrong, for whoever runs this server; never a value of the answer.
    pub description: &'static str,
    /// The frame.
    pub frame: Frame,
    /// What happened.
    pub kind: Kind,
    /// What the upstream is called; empty where there is none.
    pub title: String,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The account there was refused by what is declared of the upstream.
    AccountNotAllowed,
    /// The person, or the upstream, said no.
    Denied,
    /// The account here is switched off.
    Disabled,
    /// The upstream is not there, or switched off.
    Gone,
    /// The account there is linked with another account here.
    LinkTaken,
    /// The account here may not be used from this network.
    Network,
    /// It took too long, was used before, or was begun elsewhere.
    Old,
    /// The upstream does not answer.
    Unreachable,
    /// The upstream's answer cannot be believed.
    Untrusted,
}

impl Kind {
    fn of(error: &Error) -> Self {
        match error {
            Error::UpstreamAddressNotAllowed | Error::UpstreamGroupNotAllowed => Self::AccountNotAllowed,
            Error::UpstreamDenied => Self::Denied,
            Error::UserDisabled => Self::Disabled,
            Error::UpstreamDisabled => Self::Gone,
            Error::UpstreamLinkTaken => Self::LinkTaken,
            Error::UpstreamStateInvalid | Error::UpstreamStateSpent => Self::Old,
            Error::UpstreamUnreachable => Self::Unreachable,
            Error::UserNetwork => Self::Network,
            _ => Self::Untrusted,
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::AccountNotAllowed | Self::Denied | Self::Disabled | Self::LinkTaken | Self::Network => {
                StatusCode::FORBIDDEN
            }
            Self::Gone => StatusCode::NOT_FOUND,
            Self::Old | Self::Untrusted => StatusCode::BAD_REQUEST,
            Self::Unreachable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn key(self) -> &'static str {
        match self {
            Self::AccountNotAllowed => "not-allowed",
            Self::Denied => "denied",
            Self::Disabled => "disabled",
            Self::Gone => "gone",
            Self::LinkTaken => "link-taken",
            Self::Network => "network",
            Self::Old => "old",
            Self::Unreachable => "unreachable",
            Self::Untrusted => "untrusted",
        }
    }
}

impl UpstreamFailed {
    fn message(&self, part: &str) -> String {
        let key = format!("upstream-{}-{part}", self.kind.key());
        self.frame.say(&key, "upstream", &self.title)
    }
}

/// Notes the refusal, and shows it.
pub(crate) async fn show(visit: &Visit, upstream: Option<&Upstream>, refused: Refused, aim: &Aim) -> HttpResponse {
    if let Error::Store(_) | Error::ParameterTooLarge = refused.error {
        return respond::failure(visit, &refused.error).await;
    }
    let case = upstream::record(visit, upstream, &refused, None).await;
    let kind = Kind::of(&refused.error);
    let page = UpstreamFailed {
        again: upstream::again(visit, aim),
        case: case.to_string(),
        description: refused.error.told().description,
        frame: Frame { return_to: None, ..visit.frame(None, None) },
        kind,
        title: upstream.map(|upstream| upstream.definition.title().to_owned()).unwrap_or_default(),
    };
    let mut response = respond::page(visit, &page, &How { status: Some(kind.status()), ..How::default() });
    if kind == Kind::Unreachable {
        response.headers_mut().insert(RETRY_AFTER, 5.into());
    }
    response
}

#[cfg(test)]
impl UpstreamFailed {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{HOSTILE, LONG, visitor};
        let page = |kind: Kind, title: &str| Self {
            again: "/sign-in?request=a&b".to_owned(),
            case: "0BxVq7aY2Lk".to_owned(),
            description: "The upstream's ID token is of another issuer.",
            frame: Frame { return_to: None, ..visitor() },
            kind,
            title: title.to_owned(),
        };
        let kinds = [
            ("not-allowed", Kind::AccountNotAllowed),
            ("denied", Kind::Denied),
            ("disabled", Kind::Disabled),
            ("link-taken", Kind::LinkTaken),
            ("network", Kind::Network),
            ("old", Kind::Old),
            ("unreachable", Kind::Unreachable),
            ("untrusted", Kind::Untrusted),
        ];
        let mut samples: Vec<_> = kinds.map(|(name, kind)| (name, page(kind, "Corp"))).into();
        samples.extend([
            ("gone", page(Kind::Gone, "")),
            ("long", page(Kind::Denied, LONG)),
            ("hostile", page(Kind::Untrusted, HOSTILE)),
        ]);
        samples
    }
}
