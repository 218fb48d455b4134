//! Consent: who asks, as whom, for what exactly, and what happens then.

use askama::Template;

use super::{App, Frame};
use crate::html::{self, ToArgument, filters};

/// Posts `scope` (once for each one ticked or required), `decision` (`allow` or `deny`), `request` and `csrf` to `/consent`.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/consent.html")]
pub struct Consent {
    /// The host the answer goes to, where it is not the app's own.
    pub answer_host: Option<String>,
    /// The app that asks.
    pub app: App,
    /// The frame; its account is the one the access is to.
    pub frame: Frame,
    /// How the app is known.
    pub known: Known,
    /// How long the access lasts.
    pub lasts: Lasts,
    /// The signed authorization request to go on with.
    pub request: String,
    /// What is asked for, in any order; the page shows what is new first.
    pub scopes: Vec<Asked>,
}

/// How an app is known to this server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Known {
    /// An administrator declared it.
    AddedByAdministrator,
    /// It registered itself, and nobody has checked it.
    SelfRegistered,
    /// Its developer proved to own this host.
    VerifiedOwner(String),
}

/// How long access lasts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lasts {
    /// Until taken back, or until unused for so many seconds: access when the person is not here.
    UntilUnusedFor(i64),
    /// No longer than the person's sign-in here, at most so many seconds.
    WhileSignedIn(i64),
}

/// One scope that an app asks for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Whether the app did not have it before. Where it had nothing before, nothing is new.
    pub is_new: bool,
    /// The scope's name, as it is sent back.
    pub name: String,
    /// Whether the app cannot work without it.
    pub required: bool,
    /// What it lets the app do: "See your name and picture".
    pub sentence: String,
    /// Whether the tick is set to begin with.
    pub ticked: bool,
}

impl Consent {
    /// New ones first, then those that can be unticked.
    fn ordered(&self) -> Vec<&Asked> {
        let mut scopes: Vec<&Asked> = self.scopes.iter().collect();
        scopes.sort_by_key(|scope| (!scope.is_new, scope.required));
        scopes
    }

    fn known_text(&self) -> askama::filters::Safe<String> {
        let (key, host) = match &self.known {
            Known::AddedByAdministrator => ("consent-known-administrator", ""),
            Known::SelfRegistered => ("consent-known-nobody", ""),
            Known::VerifiedOwner(host) => ("consent-known-owner", host.as_str()),
        };
        html::message(self.frame.language, key, [("host", host.to_argument())], false)
    }

    fn lasts_text(&self) -> String {
        let (key, seconds) = match self.lasts {
            Lasts::UntilUnusedFor(seconds) => ("consent-lasts-unused", seconds),
            Lasts::WhileSignedIn(seconds) => ("consent-lasts-signed-in", seconds),
        };
        self.frame.say(key, "span", self.frame.duration(&seconds))
    }
}

#[cfg(test)]
impl Consent {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{DAY, EMOJI, HOSTILE, LONG, RIGHT_TO_LEFT, app, signed_in};
        let typical = [
            asked("openid", "See who you are", true, false),
            asked("profile", "See your name and picture", false, false),
            asked("email", "See your e-mail address", false, false),
            asked("offline_access", "Do this when you are not here", false, false),
        ];
        let page = |name: &str, scopes: &[Asked]| Self {
            answer_host: None,
            app: app(name),
            frame: signed_in("Ada Lovelace"),
            known: Known::AddedByAdministrator,
            lasts: Lasts::UntilUnusedFor(30 * DAY),
            request: "eyJhIjoxfQ.c2ln".to_owned(),
            scopes: scopes.to_vec(),
        };
        let again = [asked("openid", "See who you are", true, false), asked("notes", "Read and change your notes", true, true), asked("email", "See your e-mail address", false, true)];
        let many: Vec<Asked> = (0..60).map(|n| asked(&format!("scope{n}"), &format!("Do thing number {n} in your name"), n % 7 == 0, n % 9 == 0)).collect();
        let hostile = [asked(HOSTILE, HOSTILE, true, true), asked(HOSTILE, RIGHT_TO_LEFT, false, true), asked("a", LONG, false, false)];
        vec![
            ("typical", page("Wiki", &typical)),
            ("one", Self { lasts: Lasts::WhileSignedIn(43_200), ..page("Wiki", &typical[..1]) }),
            ("none", Self { lasts: Lasts::WhileSignedIn(43_200), ..page("Wiki", &[]) }),
            ("again", Self { known: Known::VerifiedOwner("wiki.example.com".to_owned()), ..page("Wiki", &again) }),
            ("nobody", Self { answer_host: Some("answers.example.net".to_owned()), known: Known::SelfRegistered, ..page("Wiki", &typical) }),
            ("many", page("Wiki", &many)),
            ("long", Self { frame: signed_in(LONG), ..page(LONG, &typical) }),
            ("rtl", Self { frame: signed_in(RIGHT_TO_LEFT), ..page(RIGHT_TO_LEFT, &typical) }),
            ("emoji", Self { frame: signed_in(EMOJI), ..page(EMOJI, &typical) }),
            ("hostile", Self { answer_host: Some(HOSTILE.to_owned()), frame: signed_in(HOSTILE), known: Known::VerifiedOwner(HOSTILE.to_owned()), ..page(HOSTILE, &hostile) }),
        ]
    }
}

#[cfg(test)]
fn asked(name: &str, sentence: &str, required: bool, is_new: bool) -> Asked {
    Asked { is_new, name: name.to_owned(), required, sentence: sentence.to_owned(), ticked: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_stands_first() {
        let (_, page) = Consent::samples().swap_remove(3);
        let names: Vec<&str> = page.ordered().iter().map(|scope| scope.name.as_str()).collect();
        assert_eq!(names, ["email", "notes", "openid"]);
    }
}
