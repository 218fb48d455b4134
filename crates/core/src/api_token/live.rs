//! What a presented API token turns out to be.

use std::net::IpAddr;

use super::rights::{self, Rights};
use super::{ApiToken, Owner};
use crate::admission::{Account, By};
use crate::directory::Directory;
use crate::error::Error;
use crate::provider::Provider;
use crate::reach::Reach;
use crate::store::{ApiTokenFacts, Store};
use crate::time::Time;
use crate::token::{API_KEY, ApiTokenKind, PERSONAL_ACCESS_TOKEN};
use crate::user::User;

/// An API token that counts now.
#[derive(Debug)]
pub struct LiveApiToken {
    /// The token.
    pub token: ApiToken,
    /// What it allows now: something, or it would not count.
    pub rights: Rights,
    /// Its person; none for an API key.
    pub user: Option<User>,
    /// Until when the secret that was shown counts.
    pub until: Time,
}

impl LiveApiToken {
    /// From where it may be used at these of its APIs.
    pub fn reach<'a>(&'a self, directory: &'a Directory, audience: &'a [String]) -> Reach<'a> {
        let client = match &self.token.owner {
            Owner::Client(client_id) => directory.client(client_id).map(AsRef::as_ref),
            Owner::User(_) => None,
        };
        Reach { directory, client, user: self.user.as_ref(), audience, own: Some(&self.token.networks) }
    }

    /// The account that a use of it counts for; none for an API key.
    pub(crate) fn account(&self) -> Option<Account<'static>> {
        self.user.as_ref().map(|user| Account { user_id: user.id, by: By::ApiToken })
    }
}

/// Who shows a token, and when.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// The address that uses it, where that is known.
    pub from: Option<IpAddr>,
    /// When.
    pub at: Time,
}

/// Whether a text is an API token by its form and its checksum.
pub fn is_api_token(presented: &str) -> bool {
    PERSONAL_ACCESS_TOKEN.parse(presented).or_else(|| API_KEY.parse(presented)).is_some()
}

/// Finds what a presented token is; `None` when it does not count, for whatever reason. The limits of APIs are for the caller,
/// who knows which of them it is about. A text with a slip in it costs no query.
///
/// # Errors
/// Those of the store.
pub async fn find<S: Store>(
    provider: &Provider<S>,
    presented: &str,
    shown: Shown,
) -> Result<Option<LiveApiToken>, Error> {
    let Some((found, until)) = find_genuine(provider, presented).await? else { return Ok(None) };
    let directory = provider.store.directory();
    let counts = |live: &LiveApiToken| shown.at < until && live.reach(&directory, &[]).check(shown.from).is_ok();
    Ok(judge(provider, found, shown.at).filter(counts).map(|live| LiveApiToken { until, ..live }))
}

/// The token with its facts, live or not, where the secret is one of its own; and until when that secret counts.
pub(crate) async fn find_genuine<S: Store>(
    provider: &Provider<S>,
    presented: &str,
) -> Result<Option<(ApiTokenFacts, Time)>, Error> {
    let read = |kind: ApiTokenKind| Some((kind, kind.parse(presented)?));
    let Some((kind, (id, secret))) = read(PERSONAL_ACCESS_TOKEN).or_else(|| read(API_KEY)) else { return Ok(None) };
    let found = provider.store.api_token_find(id).await?.filter(|found| found.token.owner.kind() == kind);
    Ok(found.and_then(|found| found.token.secret_until(&secret).map(|until| (found, until))))
}

/// The token with what it allows, if it counts wherever it is used from.
pub(crate) fn judge<S: Store>(provider: &Provider<S>, found: ApiTokenFacts, now: Time) -> Option<LiveApiToken> {
    judge_in(&provider.store.directory(), found, now)
}

/// The same by a directory.
pub(super) fn judge_in(directory: &Directory, found: ApiTokenFacts, now: Time) -> Option<LiveApiToken> {
    let ApiTokenFacts { token, user } = found;
    // Who switches a client off, or a person, ends what they hold for as long.
    let is_on = match &token.owner {
        Owner::Client(client_id) => directory.client(client_id).is_some(),
        Owner::User(_) => user.as_ref().is_some_and(|user| !user.disabled),
    };
    if !is_on || !token.is_live(now) {
        return None;
    }
    let rights = rights::of_token(directory, &token, user.as_ref());
    let until = token.expires_at;
    (!rights.scope.is_empty()).then_some(LiveApiToken { token, rights, user, until })
}
