//! Which account to go on with.

use askama::Template;

use super::{App, Frame, SignedIn};
use crate::html::filters;

/// Posts `choice` (`continue` or `another`), `request` and `csrf` to `/select-account`.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/select_account.html")]
pub struct SelectAccount {
    /// The account that is signed in here.
    pub account: SignedIn,
    /// The app the person goes on to.
    pub app: Option<App>,
    /// The frame.
    pub frame: Frame,
    /// The signed authorization request to go on with.
    pub request: String,
}

#[cfg(test)]
impl SelectAccount {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{HOSTILE, LONG, NAMES, app, visitor};
        let page = |name: &str, app| Self {
            account: SignedIn { change: None, name: name.to_owned(), username: "ada@example.com".to_owned() },
            app,
            frame: visitor(),
            request: "eyJhIjoxfQ.c2ln".to_owned(),
        };
        let mut all = vec![("plain", page("Ada Lovelace", Some(app("Wiki")))), ("no-app", page("Ada Lovelace", None))];
        all.extend(["name", "long", "rtl", "emoji", "hostile"].into_iter().zip(NAMES).map(|(label, name)| (label, page(name, Some(app(name))))));
        all.push(("long-hostile", page(LONG, Some(app(HOSTILE)))));
        all
    }
}
