//! Somebody came from an upstream whom no account here is linked with: they can prove theirs, and link it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use grantor_core::error::Error;
use grantor_core::upstream::Upstream;
use grantor_core::upstream::flow::{Aim, Arrival};

use super::Frame;
use super::upstream_link;
use crate::html::filters;
use crate::respond::{self, How};
use crate::upstream::{self, Refused};
use crate::visit::Visit;

/// Has no form of its own.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/upstream_unlinked.html")]
pub struct UpstreamUnlinked {
    /// Where it is begun again, with another account.
    pub again: String,
    /// The number under which it stands in the event log.
    pub case: String,
    /// The frame.
    pub frame: Frame,
    /// Whether it is somebody signed in who links, by a way that does not tell when they signed in, and so proves nothing.
    pub is_untimed: bool,
    /// What the account there is known by.
    pub label: String,
    /// Where the person signs in to link it.
    pub prove: String,
    /// What the upstream is called.
    pub title: String,
}

/// Shows it; whoever has just proved an account is asked to link it at once.
pub(crate) async fn show(visit: &Visit, upstream: &Upstream, arrival: &Arrival) -> HttpResponse {
    let origin = match upstream_link::origin(visit).await {
        Ok(origin) => origin,
        Err(error) => return respond::failure(visit, &error).await,
    };
    if visit.session().is_some_and(|(session, _)| arrival.is_proven_by(session, origin.as_ref())) {
        return respond::redirect_marked(visit, &upstream_link::address(visit, upstream, arrival));
    }
    let case = upstream::record(visit, Some(upstream), &Refused::from(Error::UpstreamAccountMissing), None).await;
    let page = UpstreamUnlinked {
        again: upstream::again(visit, &arrival.aim),
        case: case.to_string(),
        frame: Frame { return_to: None, account: None, ..visit.frame(None, None) },
        is_untimed: arrival.aim == Aim::Link && origin.is_some_and(|origin| !origin.tells_time),
        label: arrival.label.clone(),
        prove: upstream_link::prove_address(visit, upstream, arrival),
        title: upstream.definition.title().to_owned(),
    };
    respond::page(visit, &page, &How { status: Some(StatusCode::FORBIDDEN), ..How::default() })
}

#[cfg(test)]
impl UpstreamUnlinked {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{HOSTILE, LONG, visitor};
        let page = |label: &str, title: &str| Self {
            again: "/sign-in".to_owned(),
            case: "0BxVq7aY2Lk".to_owned(),
            frame: Frame { return_to: None, ..visitor() },
            is_untimed: false,
            label: label.to_owned(),
            prove: "/sign-in?upstream=corp&arrival=c2VhbGVk".to_owned(),
            title: title.to_owned(),
        };
        vec![
            ("corp", page("ada@corp.example", "Corp")),
            ("untimed", Self { is_untimed: true, ..page("ada@corp.example", "Corp") }),
            ("long", page(LONG, LONG)),
            ("hostile", page(HOSTILE, HOSTILE)),
        ]
    }
}
