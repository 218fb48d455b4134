//! Leaks: what was found in public is ended at once, whatever kind of token it is, and its owner is told.

use serde::Serialize;

use crate::access_token;
use crate::api_token::ApiTokenEnd;
use crate::api_token::issue::event_of;
use crate::api_token::live::find_genuine;
use crate::audit::{Event, EventKind};
use crate::change::Change;
use crate::error::Error;
use crate::grant::GrantEnd;
use crate::grant_type::{MAX_RACES, refresh_token};
use crate::provider::{Call, Provider};
use crate::store::{Store, StoreError};
use crate::token;

/// A token that somebody found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its text.
    pub token: String,
    /// Where it was found; empty where that is not told.
    pub url: String,
    /// Who reports it.
    pub reporter: String,
}

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is none of our tokens.
    FalsePositive,
    /// It is, or was; it does not count any more.
    TruePositive,
}

/// Ends a token that was found in public.
///
/// # Errors
/// Those of the store.
pub async fn end<S: Store>(provider: &Provider<S>, found: &Found, call: Call<'_>) -> Result<Verdict, Error> {
    for _ in 0..MAX_RACES {
        let Some(changes) = changes(provider, found, call).await? else { return Ok(Verdict::FalsePositive) };
        if changes.is_empty() {
            return Ok(Verdict::TruePositive);
        }
        match provider.store.commit(changes).await {
            // Another request came first, most likely one that ended it: the next reading tells.
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
            Ok(()) => return Ok(Verdict::TruePositive),
        }
    }
    Err(StoreError::Busy.into())
}

/// What ends it: nothing where it has ended; none where it is no token of ours.
async fn changes<S: Store>(
    provider: &Provider<S>,
    found: &Found,
    call: Call<'_>,
) -> Result<Option<Vec<Change>>, Error> {
    let id = provider.mint.id(call.now.millis());
    let told = format!("found by {}: {}", found.reporter, found.url);
    let event = |kind, reason| Event::new(id, call.now, kind).reason(reason).address(call.address).detail(&told);
    if let Some(facts) = find_genuine(provider, &found.token, call.now).await? {
        let (token, end) = (facts.token, ApiTokenEnd::Leaked);
        if token.ended.is_some() {
            return Ok(Some(Vec::new()));
        }
        let event = event_of(event(EventKind::ApiTokenEnded, end.as_str()), &token.owner);
        let event = event.detail(&format!("{} {told}", token.hint()));
        let ended = Change::ApiTokenEnd { id: token.id, at: call.now, end };
        return Ok(Some(vec![ended, Change::EventInsert(Box::new(event))]));
    }
    if let Some((grant_id, secret)) = token::REFRESH.parse(&found.token) {
        let Some(facts) = provider.store.refresh_token_find(grant_id).await? else { return Ok(None) };
        let rotation = provider.store.directory().secrets.rotation.clone();
        if refresh_token::generation(&secret, &facts.token, &rotation).is_none() {
            return Ok(None);
        }
        let (grant, end) = (facts.grant, GrantEnd::Leaked);
        let event = event(EventKind::GrantEnded, end.as_str()).client(&grant.client_id).user(grant.user_id);
        let ended = Change::GrantEnd { id: grant_id, at: call.now, end };
        let changes = vec![ended, Change::EventInsert(Box::new(event))];
        return Ok(Some(if grant.ended.is_some() { Vec::new() } else { changes }));
    }
    // What does not count any more cannot be told from what never did.
    let Some(live) = access_token::find(provider, &found.token, call.now).await? else { return Ok(None) };
    let mut event = event(EventKind::TokenRevoked, GrantEnd::Leaked.as_str()).client(&live.client_id);
    event.user_id = live.approval.map(|approval| approval.grant.user_id);
    let note = Change::AccessTokenRevoke { id: live.id, expires_at: live.expires_at };
    Ok(Some(vec![note, Change::EventInsert(Box::new(event))]))
}
