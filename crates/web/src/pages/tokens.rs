//! The person's own tokens for scripts and tools: what each may do, until when, when it was last used.

use actix_web::HttpResponse;
use askama::Template;
use grantor_core::api_token::rights;
use grantor_core::api_token::{ApiToken, ApiTokenEnd, Owner};
use grantor_core::params::Params;
use grantor_core::store::StoreError;
use grantor_core::time::Time;
use grantor_core::token::Origin;
use grantor_core::usage::{self, Usage};
use grantor_core::user::User;
use grantor_storage::UsagesOf;

use super::Frame;
use super::used::{Granted, Used};
use crate::api_tokens::DAY;
use crate::html::filters;
use crate::respond::{self, How, scope_sentence};
use crate::routes;
use crate::usage::lately;
use crate::visit::Visit;
use crate::waiting::sign_in_for;

/// Making one begins at `/account/tokens/new`; each is rotated and revoked at `/account/tokens/rotate?token=…` and
/// `/account/tokens/revoke?token=…`.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/tokens.html")]
pub struct Tokens {
    /// Whether any API takes tokens that people make.
    pub can_make: bool,
    /// The frame.
    pub frame: Frame,
    /// The token that has just been revoked.
    pub revoked: Option<String>,
    /// Those that count first, then those that expired or ended lately.
    pub tokens: Vec<Token>,
}

/// A token as its owner sees it.
#[derive(Clone, Debug)]
pub struct Token {
    /// The only API that it is for, by name.
    pub api: Option<String>,
    /// The beginning of its text.
    pub hint: String,
    /// What names it in `?token=…`.
    pub id: String,
    /// When it was last used, in seconds.
    pub last_used: Option<i64>,
    /// What the person calls it.
    pub name: String,
    /// The networks it is limited to, as text; empty where it is not.
    pub networks: String,
    /// From where it was last used.
    pub place: Option<String>,
    /// What it may do now.
    pub scopes: Vec<Granted>,
    /// What has become of it.
    pub state: State,
    /// Until when it counts, or when it ended, in seconds.
    pub until: i64,
    /// What it was used for lately.
    pub used: Used,
    /// For how many days it is known what it was used for; none where too few are.
    pub watched: Option<usize>,
}

/// What has become of a token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// It ended because it was found where it should not be.
    Leaked,
    /// It counts.
    Live,
    /// It came to its end.
    Expired,
    /// It was ended.
    Revoked,
}

impl Token {
    fn is_live(&self) -> bool {
        self.state == State::Live
    }

    /// What it may do, in one line.
    fn summary(&self) -> String {
        self.scopes.iter().map(|scope| scope.sentence.as_str()).collect::<Vec<_>>().join(" · ")
    }

    fn state_key(&self) -> Option<&'static str> {
        match self.state {
            State::Live => None,
            State::Leaked => Some("tokens-leaked"),
            State::Expired => Some("tokens-expired"),
            State::Revoked => Some("tokens-ended"),
        }
    }

    fn until_key(&self) -> &'static str {
        match self.state {
            State::Live => "tokens-until",
            State::Expired => "tokens-expired-on",
            State::Leaked | State::Revoked => "tokens-ended-on",
        }
    }

    /// A token as it is now.
    pub(crate) fn of(visit: &Visit, user: &User, token: &ApiToken, known: &Known) -> Self {
        let (directory, language) = (visit.app.directory(), visit.language(None));
        let rights = rights::of_token(&directory, token, Some(user));
        let last_use = token.last_use.as_ref();
        let is_its = |usage: &&Usage| usage.held.origin == Origin::ApiToken(token.id);
        let usages: Vec<&Usage> = known.usages.iter().filter(is_its).collect();
        let of_scopes = usage::by_scope(usages.iter().copied());
        let granted = |scope: &str| Granted {
            last_used: of_scopes.get(scope).map(|summary| summary.last_at.seconds()),
            sentence: scope_sentence(&directory, language, scope),
        };
        let api = token.resource.as_ref();
        Self {
            api: api.map(|api| directory.resources.get(api).map_or_else(|| api.clone(), |api| api.name.clone())),
            hint: token.hint(),
            id: token.id.to_string(),
            last_used: last_use.map(|last_use| last_use.at.seconds()),
            name: token.name.clone(),
            networks: token.networks.to_texts().join(", "),
            place: last_use.map(|last_use| last_use.address.clone()).filter(|address| !address.is_empty()),
            scopes: rights.scope.iter().map(granted).collect(),
            state: State::of(token, visit.now),
            until: token.ended.map_or(token.expires_at, |(at, _)| at).seconds(),
            used: lately(&visit.app, &usages),
            watched: known.since.filter(|_| token.is_live(visit.now)).and_then(|since| watched(visit, token, since)),
        }
    }
}

impl State {
    fn of(token: &ApiToken, now: Time) -> Self {
        match token.ended {
            Some((_, ApiTokenEnd::Leaked)) => Self::Leaked,
            Some(_) => Self::Revoked,
            None if token.is_live(now) => Self::Live,
            None => Self::Expired,
        }
    }
}

/// What is known of a person's tokens, and since which day.
#[derive(Debug)]
pub(crate) struct Known {
    usages: Vec<Usage>,
    since: Option<i64>,
}

/// For how many whole days it is known what a token was used for: one that is new, or of days that nothing is known of, is not
/// called unused.
fn watched(visit: &Visit, token: &ApiToken, since: i64) -> Option<usize> {
    let kept = visit.app.provider.policy.lifetimes.usage_kept;
    let days = visit.now.since(token.created_at).min(kept).as_secs() / DAY.as_secs();
    let days = i64::try_from(days).ok()?.min(visit.now.day() - since);
    usize::try_from(days).ok().filter(|days| *days > 0)
}

/// Shows the person's tokens.
pub(crate) async fn get_tokens(visit: Visit) -> HttpResponse {
    let Some((_, user)) = visit.session() else { return sign_in_for(routes::TOKENS) };
    let query = Params::parse(visit.request.query_string().as_bytes()).unwrap_or_default();
    let owner = Owner::User(user.id);
    let mut tokens = match read(&visit, user).await {
        Ok(tokens) => tokens,
        Err(error) => return respond::failure(&visit, &error.into()).await,
    };
    tokens.sort_by_key(|token| !token.is_live());
    let named = |id: &str| tokens.iter().find(|token| token.id == id).map(|token| token.name.clone());
    let page = Tokens {
        can_make: !rights::of_owner(&visit.app.directory(), &owner, Some(user)).is_empty(),
        frame: visit.frame(None, None),
        revoked: query.get("revoked").and_then(named),
        tokens,
    };
    respond::page(&visit, &page, &How::default())
}

async fn read(visit: &Visit, user: &User) -> Result<Vec<Token>, StoreError> {
    let tokens = visit.app.provider.store.api_tokens_of(&Owner::User(user.id)).await?;
    let usages = visit.app.usages_of(UsagesOf::TokensOf(user.id)).await?;
    let known = Known { since: visit.app.watched_since(&usages).await?, usages };
    Ok(tokens.iter().map(|token| Token::of(visit, user, token, &known)).collect())
}

#[cfg(test)]
impl Tokens {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{HOSTILE, NAMES, signed_in};
        let page =
            |tokens: Vec<Token>| Self { can_make: true, frame: signed_in("Ada Lovelace"), revoked: None, tokens };
        let ended = |state| Token { state, ..token("Old script", 3) };
        vec![
            ("empty", page(vec![])),
            ("closed", Self { can_make: false, ..page(vec![]) }),
            ("one", page(vec![token("Backup script", 1)])),
            ("revoked", Self { revoked: Some("Backup script".to_owned()), ..page(vec![ended(State::Revoked)]) }),
            ("ended", page(vec![ended(State::Leaked), ended(State::Expired), ended(State::Revoked)])),
            ("unused", page(vec![Token { last_used: None, scopes: vec![], ..token("New", 0) }])),
            ("many", page((0..100).map(|n| token(&format!("Script {n}"), n)).collect())),
            ("names", page(NAMES.iter().map(|name| token(name, 2)).collect())),
            ("hostile", Self { revoked: Some(HOSTILE.to_owned()), ..page(vec![hostile()]) }),
        ]
    }
}

#[cfg(test)]
fn token(name: &str, days: i64) -> Token {
    use super::samples::{DAY, NOW};
    Token {
        api: (days % 4 == 1).then(|| name.to_owned()),
        hint: "gtr_pat_0BxVq7aY2Lk".to_owned(),
        id: "0BxVq7aY2Lk".to_owned(),
        last_used: Some(NOW - days * DAY),
        name: name.to_owned(),
        networks: if days % 2 == 1 { "192.0.2.0/24, 2001:db8::/32".to_owned() } else { String::new() },
        place: (days % 3 == 0).then(|| "192.0.2.7".to_owned()),
        scopes: vec![
            Granted { last_used: Some(NOW - days * DAY), sentence: "Read your notes".to_owned() },
            Granted { last_used: None, sentence: "Change your notes".to_owned() },
        ],
        state: State::Live,
        until: NOW + 30 * DAY,
        used: Used::sample(name, usize::try_from(days).unwrap_or(0)),
        watched: Some(90),
    }
}

#[cfg(test)]
fn hostile() -> Token {
    use super::samples::HOSTILE;
    let text = || HOSTILE.to_owned();
    Token {
        networks: text(),
        place: Some(text()),
        scopes: vec![Granted { last_used: None, sentence: text() }],
        ..token(HOSTILE, 1)
    }
}
