//! Names, frames and apps that the samples of the pages are made of.

use super::app_links::{AppLinks, Link};
use super::{App, Frame, SignedIn};

/// 12 March 2026, 09:40 UTC.
pub(super) const NOW: i64 = 1_773_308_400;
pub(super) const DAY: i64 = 86_400;
/// 80 characters without a space.
pub(super) const LONG: &str = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft";
pub(super) const RIGHT_TO_LEFT: &str = "ويكي المعرفة \u{202E}(עברית)";
pub(super) const EMOJI: &str = "👩‍💻 Team 🦊🏳️‍🌈 Notes";
pub(super) const HOSTILE: &str = "Wiki\"'><script>alert(1)</script><img src=x onerror=alert(1)>&amp;{{7*7}}";

/// Names of every kind an app or a person may have.
pub(super) const NAMES: [&str; 5] = ["Wiki", LONG, RIGHT_TO_LEFT, EMOJI, HOSTILE];

pub(super) fn app(name: &str) -> App {
    App { host: "wiki.example.com".to_owned(), name: name.to_owned(), unchecked: false }
}

/// One that nobody has checked.
pub(super) fn unchecked(name: &str) -> App {
    App { unchecked: true, ..app(name) }
}

/// What an app says of itself.
pub(super) fn links(unchecked: bool) -> AppLinks {
    let link = |key| Link { href: "https://wiki.example.com/?a=1&b=%22".to_owned(), key };
    let elsewhere = if unchecked { vec![link("app-link-policy")] } else { Vec::new() };
    AppLinks { links: ["app-link-page", "app-link-policy", "app-link-terms"].map(link).into(), elsewhere, unchecked }
}

/// The frame for somebody who has not signed in.
pub(super) fn visitor() -> Frame {
    Frame {
        csrf: "Y3NyZg".to_owned(),
        now: NOW,
        return_to: Some("/sign-in?request=a&b".to_owned()),
        ..Frame::default()
    }
}

/// The frame for somebody who has.
pub(super) fn signed_in(name: &str) -> Frame {
    let account = SignedIn {
        change: Some("/select-account?request=eyJhIjoxfQ.c2ln".to_owned()),
        name: name.to_owned(),
        username: "ada".to_owned(),
    };
    Frame { account: Some(account), return_to: Some("/account".to_owned()), ..visitor() }
}
