//! The account's home: who you are here, and in short where you are signed in and what has access.

use actix_web::HttpResponse;
use askama::Template;
use grantor_core::api_token::{ApiToken, Owner};
use grantor_core::error::Error;
use grantor_core::user::User;

use super::apps::Access;
use super::notice::Notice;
use super::sessions::{self, Device};
use super::{App, Frame};
use crate::html::filters;
use crate::respond::{self, How};
use crate::visit::Visit;
use crate::{access, accounts, routes};

/// Signing out posts `csrf` to `/sign-out`; a notice is taken away by posting `notice` and `csrf` to `/account/notices`.
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
    /// What the person shall know, the newest first.
    pub notices: Vec<Notice>,
    /// How many others are signed in in this browser.
    pub other_count: usize,
    /// How many sessions there are, this one included.
    pub session_count: usize,
    /// What this session runs on.
    pub this_device: Device,
    /// How many tokens of the person's own count.
    pub token_count: usize,
}

/// How many apps the page names.
const APPS_NAMED: usize = 3;

/// Shows the account.
pub(crate) async fn get_account(visit: Visit) -> HttpResponse {
    let Some((session, user)) = visit.session() else { return respond::redirect(routes::SIGN_IN) };
    let Facts { accesses, others, sessions, tokens, notices } = match load(&visit, user).await {
        Ok(facts) => facts,
        Err(error) => return respond::failure(&visit, &error).await,
    };
    let page = Account {
        app_count: accesses.len(),
        apps: accesses.into_iter().take(APPS_NAMED).map(|access| access.app).collect(),
        email: user.claim("email").and_then(|email| email.as_str().map(str::to_owned)),
        frame: visit.frame(None, None),
        notices: notices.iter().map(|notice| Notice::of(notice, &visit.app.directory())).collect(),
        other_count: others,
        session_count: sessions,
        this_device: Device::from_user_agent(&session.user_agent),
        token_count: tokens.iter().filter(|token| token.is_live(visit.now)).count(),
    };
    respond::page(&visit, &page, &How::default())
}

/// What the page is made of.
struct Facts {
    accesses: Vec<Access>,
    others: usize,
    sessions: usize,
    tokens: Vec<ApiToken>,
    notices: Vec<grantor_core::notice::Notice>,
}

async fn load(visit: &Visit, user: &User) -> Result<Facts, Error> {
    let accesses = access::of(visit, user).await?;
    let (sessions, _) = sessions::in_use(visit, user).await?;
    let tokens = visit.app.provider.store.api_tokens_of(&Owner::User(user.id)).await?;
    let notices = visit.app.provider.store.notices_of(user.id).await?;
    let others = accounts::others(visit).await?;
    let is_there = |other: &&accounts::Account| !other.is_again && visit.is_signed_in(&other.session, &other.user);
    let others = others.iter().filter(is_there).count();
    Ok(Facts { accesses, others, sessions: sessions.len(), tokens, notices })
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
            notices: Vec::new(),
            other_count: 0,
            session_count: 1 + app_count,
            this_device: Device::sample(),
            token_count: app_count,
        };
        vec![
            ("empty", Self { email: None, ..page("ada", 0, &[]) }),
            ("one", page("Ada Lovelace", 1, &["Wiki"])),
            ("several", Self { other_count: 3, ..page("Ada Lovelace", 1, &["Wiki"]) }),
            ("many", page("Ada Lovelace", 200, &["Wiki", "Mail", "Calendar"])),
            ("names", page(LONG, 5, &NAMES)),
            ("notices", Self { notices: Notice::samples("Backup"), ..page("Ada Lovelace", 1, &["Wiki"]) }),
            ("long", Self { notices: Notice::samples(LONG), ..page(LONG, 1, &[LONG]) }),
            (
                "hostile",
                Self {
                    email: Some(HOSTILE.to_owned()),
                    notices: Notice::samples(HOSTILE),
                    this_device: Device::hostile(),
                    ..page(HOSTILE, 1, &[HOSTILE])
                },
            ),
        ]
    }
}
