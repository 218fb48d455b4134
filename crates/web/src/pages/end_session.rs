//! Asks before signing out, where the request to sign out is not proven.

use askama::Template;

use super::{App, Frame};
use crate::html::filters;

/// Posts `request` and `csrf` to `/sign-out`.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/end_session.html")]
pub struct EndSession {
    /// The app that asks, where it is known.
    pub app: Option<App>,
    /// The frame.
    pub frame: Frame,
    /// The signed request to go on with; empty where there is none.
    pub request: String,
}

#[cfg(test)]
impl EndSession {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{NAMES, app, signed_in};
        let page = |name: &str, app| Self { app, frame: signed_in(name), request: "eyJhIjoxfQ.c2ln".to_owned() };
        let mut all = vec![("plain", page("Ada Lovelace", None)), ("app", page("Ada Lovelace", Some(app("Wiki"))))];
        all.extend(["name", "long", "rtl", "emoji", "hostile"].into_iter().zip(NAMES).map(|(label, name)| (label, page(name, Some(app(name))))));
        all
    }
}
