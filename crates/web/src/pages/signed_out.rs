//! Signed out: what was ended, which apps are told of it and which cannot be, and the way back where it is proven.

use askama::Template;

use super::{Frame, SignedIn};
use crate::html::filters;

/// Has no form of its own.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/signed_out.html")]
pub struct SignedOut {
    /// The way back to the app, where its address is registered.
    pub back: Option<Back>,
    /// The frame.
    pub frame: Frame,
    /// The addresses of apps that are shown in frames, so that they sign the person out.
    pub frames: Vec<String>,
    /// Whether it goes back to the app by itself when the frames have loaded.
    pub goes_on: bool,
    /// Who is still signed in in this browser.
    pub left: Vec<SignedIn>,
    /// Whether the app asked for a way back that is not its own.
    pub not_followed: bool,
    /// The address of what became of telling the apps, for who signs in again; none where there is nothing.
    pub receipts: Option<&'static str>,
    /// Whether more than one account was signed out.
    pub several: bool,
    /// The apps that are being told.
    pub told: Vec<String>,
    /// The apps that could not be told.
    pub unreached: Vec<String>,
    /// The apps that say of no address to be told at.
    pub untold: Vec<String>,
    /// Who has been signed out, where somebody is left.
    pub who: Vec<SignedIn>,
}

/// A proven way back.
#[derive(Clone, Debug)]
pub struct Back {
    /// The app's name.
    pub name: String,
    /// Its origin, where it registered itself and nothing shows that anybody was signed in there.
    pub unchecked: Option<String>,
    /// The registered address.
    pub url: String,
}

#[cfg(test)]
fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[cfg(test)]
impl SignedOut {
    fn sample(told: &[&str], unreached: &[&str]) -> Self {
        Self {
            back: None,
            frame: super::samples::visitor(),
            frames: Vec::new(),
            goes_on: false,
            left: Vec::new(),
            not_followed: false,
            receipts: None,
            several: false,
            told: owned(told),
            unreached: owned(unreached),
            untold: Vec::new(),
            who: Vec::new(),
        }
    }

    fn unchecked() -> Back {
        let (name, url) = ("Wiki".to_owned(), "https://wiki.example.com/bye".to_owned());
        Back { name, unchecked: Some("https://wiki.example.com".to_owned()), url }
    }

    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{HOSTILE, NAMES};
        let page = Self::sample;
        let back = |name: &str, url: &str| Some(Back { name: name.to_owned(), unchecked: None, url: url.to_owned() });
        let person = |name: &str| SignedIn { change: None, name: name.to_owned(), username: "ada".to_owned() };
        let many: Vec<String> = (0..200).map(|n| format!("App {n}")).collect();
        vec![
            ("plain", page(&[], &[])),
            ("back", Self { back: back("Wiki", "https://wiki.example.com/bye?a=1&b=2"), ..page(&["Wiki"], &[]) }),
            ("unchecked", Self { back: Some(Self::unchecked()), ..page(&[], &[]) }),
            ("unreached", page(&["Wiki"], &["Mail"])),
            (
                "frames",
                Self {
                    back: back("Wiki", "https://wiki.example.com/bye"),
                    goes_on: true,
                    frames: owned(&[
                        "https://wiki.example.com/logout?iss=a&sid=b",
                        "https://wiki.example.com/\"><script>alert(1)</script>",
                    ]),
                    ..page(&["Wiki"], &[])
                },
            ),
            (
                "left",
                Self {
                    left: NAMES.iter().map(|name| person(name)).collect(),
                    who: vec![person(HOSTILE)],
                    ..page(&["Wiki"], &[])
                },
            ),
            (
                "left-back",
                Self {
                    back: back("Wiki", "https://wiki.example.com/bye"),
                    left: vec![person("Ada Lovelace")],
                    who: vec![person("Charles Babbage")],
                    ..page(&["Wiki"], &[])
                },
            ),
            ("not-followed", Self { not_followed: true, ..page(&["Wiki"], &[]) }),
            ("several", Self { several: true, ..page(&["Wiki"], &[]) }),
            ("receipts", Self { receipts: Some("/account/sessions"), ..page(&["Wiki", "Mail"], &[]) }),
            ("untold", Self { untold: owned(&NAMES), ..page(&[], &[]) }),
            (
                "all-kinds",
                Self { receipts: Some("/account/sessions"), untold: owned(&["Chat"]), ..page(&["Wiki"], &["Mail"]) },
            ),
            ("many", Self { told: many, receipts: Some("/account/sessions"), ..page(&[], &[]) }),
            ("names", page(&NAMES, &NAMES)),
            (
                "hostile",
                Self {
                    back: back(HOSTILE, "https://wiki.example.com/\"><script>alert(1)</script>"),
                    ..page(&[HOSTILE], &[HOSTILE])
                },
            ),
        ]
    }
}
