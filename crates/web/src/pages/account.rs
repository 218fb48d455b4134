//! The account's home: who you are here, and in short where you are signed in and what has access.

use actix_web::HttpResponse;
use askama::Template;
use grantor_core::api_token::{ApiToken, ApiTokenEnd, Owner};
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
    /// The person's tokens that were found in a public place lately.
    pub leaked: Vec<String>,
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
    let (accesses, sessions, tokens) = match load(&visit, user).await {
        Ok(facts) => facts,
        Err(error) => return respond::failure(&visit, &error.into()).await,
    };
    let page = Account {
        app_count: accesses.len(),
        apps: accesses.into_iter().take(APPS_NAMED).map(|access| access.app).collect(),
        email: user.claim("email").and_then(|email| email.as_str().map(str::to_owned)),
        frame: visit.frame(None, None),
        leaked: leaked(&tokens),
        session_count: sessions,
        this_device: Device::from_user_agent(&session.user_agent),
        token_count: tokens.iter().filter(|token| token.is_live(visit.now)).count(),
    };
    respond::page(&visit, &page, &How::default())
}

async fn load(visit: &Visit, user: &User) -> Result<(Vec<Access>, usize, Vec<ApiToken>), StoreError> {
    let accesses = access::of(visit, user).await?;
    let (sessions, _) = sessions::in_use(visit, user).await?;
    let tokens = visit.app.provider.store.api_tokens_of(&Owner::User(user.id)).await?;
    Ok((accesses, sessions.len(), tokens))
}

fn leaked(tokens: &[ApiToken]) -> Vec<String> {
    let is_leaked = |token: &&ApiToken| matches!(token.ended, Some((_, ApiTokenEnd::Leaked)));
    tokens.iter().filter(is_leaked).map(|token| token.name.clone()).collect()
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
            leaked: Vec::new(),
            session_count: 1 + app_count,
            this_device: Device::sample(),
            token_count: app_count,
        };
        vec![
            ("empty", Self { email: None, ..page("ada", 0, &[]) }),
            ("one", page("Ada Lovelace", 1, &["Wiki"])),
            ("many", page("Ada Lovelace", 200, &["Wiki", "Mail", "Calendar"])),
            ("names", page(LONG, 5, &NAMES)),
            ("leaked", Self { leaked: NAMES.map(str::to_owned).into(), ..page("Ada Lovelace", 1, &["Wiki"]) }),
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
