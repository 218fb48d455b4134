//! The account's home: who you are here, and in short where you are signed in and what has access.

use actix_web::HttpResponse;
use askama::Template;
use grantor_core::store::StoreError;
use grantor_core::user::User;

use super::apps::Access;
use super::sessions::{self, Device};
use super::{App, Frame};
use crate::html::filters;
use crate::respond::{self, How};
use crate::visit::Visit;
use crate::{access, routes};

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

/// How many apps the page names.
const APPS_NAMED: usize = 3;

/// Shows the account.
pub(crate) async fn get_account(visit: Visit) -> HttpResponse {
    let Some((session, user)) = visit.session() else { return respond::redirect(routes::SIGN_IN) };
    let (accesses, sessions) = match load(&visit, user).await {
        Ok(facts) => facts,
        Err(error) => return respond::failure(&visit, &error.into()).await,
    };
    let page = Account {
        app_count: accesses.len(),
        apps: accesses.into_iter().take(APPS_NAMED).map(|access| access.app).collect(),
        email: user.claim("email").and_then(|email| email.as_str().map(str::to_owned)),
        frame: visit.frame(None, None),
        session_count: sessions,
        this_device: Device::from_user_agent(&session.user_agent),
    };
    respond::page(&visit, &page, &How::default())
}

async fn load(visit: &Visit, user: &User) -> Result<(Vec<Access>, usize), StoreError> {
    let accesses = access::of(visit, user).await?;
    let (sessions, _) = sessions::in_use(visit, user).await?;
    Ok((accesses, sessions.len()))
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
            (
                "hostile",
                Self {
                    email: Some(HOSTILE.to_owned()),
                    this_device: Device::hostile(),
                    ..page(HOSTILE, 1, &[HOSTILE])
                },
            ),
        ]
    }
}
