//! The front door at `/`: what this is, and the way to the account.

use actix_web::HttpResponse;
use askama::Template;

use super::Frame;
use crate::html::filters;
use crate::respond::{self, How};
use crate::visit::Visit;

/// Has no form of its own.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/home.html")]
pub struct Home {
    /// The frame.
    pub frame: Frame,
}

/// Shows the front door.
pub(crate) async fn get_home(visit: Visit) -> HttpResponse {
    respond::page(&visit, &Home { frame: visit.frame(None, None) }, &How::default())
}

#[cfg(test)]
impl Home {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{HOSTILE, LONG, signed_in, visitor};
        use super::{Issuer, SignedIn};
        let issuer = |name: &str| Issuer {
            logo: Some("/logo".to_owned()),
            name: name.to_owned(),
            theme: Some("/theme.css?v=1".to_owned()),
        };
        let plain = signed_in("Ada Lovelace").account.map(|account| SignedIn { change: None, ..account });
        vec![
            ("visitor", Self { frame: visitor() }),
            ("signed-in", Self { frame: Frame { account: plain, ..visitor() } }),
            ("long", Self { frame: Frame { issuer: issuer(LONG), ..signed_in(LONG) } }),
            (
                "hostile",
                Self {
                    frame: Frame {
                        issuer: issuer(HOSTILE),
                        csrf: HOSTILE.to_owned(),
                        return_to: Some(HOSTILE.to_owned()),
                        ..signed_in(HOSTILE)
                    },
                },
            ),
        ]
    }
}
