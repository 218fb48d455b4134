//! On the way to an upstream: goes on by itself, and has a link for browsers that do not.

use askama::Template;

use super::Frame;
use crate::html::filters;

/// Has no form of its own.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/upstream_go.html")]
pub struct UpstreamGo {
    /// Where to.
    pub address: String,
    /// The frame.
    pub frame: Frame,
    /// What the upstream is called.
    pub title: String,
}

impl UpstreamGo {
    /// The host that the person is sent to, so that they can tell.
    fn host(&self) -> String {
        let address = url::Url::parse(&self.address).ok();
        address.and_then(|address| address.host_str().map(str::to_owned)).unwrap_or_default()
    }
}

#[cfg(test)]
impl UpstreamGo {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{HOSTILE, LONG, visitor};
        let page = |title: &str| Self {
            address: "https://idp.example.com/authorize?client_id=grantor&state=\"'<>".to_owned(),
            frame: Frame { return_to: None, ..visitor() },
            title: title.to_owned(),
        };
        vec![("corp", page("Corp")), ("long", page(LONG)), ("hostile", page(HOSTILE))]
    }
}
