//! The account's home: who you are here, and in short where you are signed in and what has access.

use askama::Template;

use super::{App, Frame, sessions::Device};
use crate::html::filters;

/// Signing out posts `csrf` to `/sign-out`.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/account.html")]
pub struct Account {
    /// How many apps have access.
    pub app_count: usize,
    /// The few that used it last.
    pub apps: Vec<App>,
    /// The e-mail address, where one is known.
    pub email: Option<String>,
    /// The frame; its account is the one shown.
    pub frame: Frame,
    /// How many sessions there are, this one included.
    pub session_count: usize,
    /// What this session runs on.
    pub this_device: Device,
}

impl Account {
    fn tab(&self) -> &'static str {
        "account"
    }
}

#[cfg(test)]
impl Account {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{HOSTILE, LONG, NAMES, app, signed_in};
        let page = |name: &str, app_count, names: &[&str]| Self {
            app_count,
            apps: names.iter().map(|name| app(name)).collect(),
            email: Some("ada@example.com".to_owned()),
            frame: signed_in(name),
            session_count: 1 + app_count,
            this_device: Device::sample(),
        };
        vec![
            ("empty", Self { email: None, ..page("ada", 0, &[]) }),
            ("one", page("Ada Lovelace", 1, &["Wiki"])),
            ("many", page("Ada Lovelace", 200, &["Wiki", "Mail", "Calendar"])),
            ("names", page(LONG, 5, &NAMES)),
            ("hostile", Self { email: Some(HOSTILE.to_owned()), this_device: Device::hostile(), ..page(HOSTILE, 1, &[HOSTILE]) }),
        ]
    }
}
