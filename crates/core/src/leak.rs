//! Leaks: what was found in public is ended at once, whatever kind of token it is, and its owner is told.

use serde::Serialize;

use crate::access_token;
use crate::api_token::ApiTokenEnd;
use crate::api_token::issue::event_of;
use crate::api_token::live::find_genuine;
use crate::audit::{Event, EventKind, printable};
use crate::change::{Change, GrantsOf};
use crate::error::Error;
use crate::grant::GrantEnd;
use crate::grant_type::{MAX_RACES, refresh_token};
use crate::notice::{News, Notice};
use crate::provider::{Call, Provider};
use crate::store::{AccessTokenFacts, Store, StoreError};
use crate::token::{self, Origin};

/// A token that somebody found.
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
    if let Some(changes) = of_api_token(provider, found, call).await? {
        return Ok(Some(changes));
    }
    if let Some(changes) = of_session(provider, found, call).await? {
        return Ok(Some(changes));
    }
    match of_refresh_token(provider, found, call).await? {
        Some(changes) => Ok(Some(changes)),
        None => of_access_token(provider, found, call).await,
    }
}

/// The event that tells of it.
fn event<S>(provider: &Provider<S>, (found, what): (&Found, &str), kind: EventKind, call: Call<'_>) -> Event {
    let told = format!("{what}found by {}: {}", found.reporter, found.url);
    let id = provider.mint.id(call.now.millis());
    Event::new(id, call.now, kind).reason(GrantEnd::Leaked.as_str()).address(call.address).detail(&told)
}

async fn of_api_token<S: Store>(
    provider: &Provider<S>,
    found: &Found,
    call: Call<'_>,
) -> Result<Option<Vec<Change>>, Error> {
    let Some((facts, until)) = find_genuine(provider, &found.token).await? else { return Ok(None) };
    let token = facts.token;
    // A secret that a rotation has replaced long ago opens nothing any more, and costs nobody the one that replaced it.
    if token.ended.is_some() || call.now >= until {
        return Ok(Some(Vec::new()));
    }
    let event = event(provider, (found, &format!("{} ", token.hint())), EventKind::ApiTokenEnded, call);
    let ended = Change::ApiTokenEnd { id: token.id, at: call.now, end: ApiTokenEnd::Leaked };
    let news = News::TokenLeaked { token: token.named(), place: printable(&found.url) };
    let event = event_of(event, &token.owner);
    let notice = notice(&event, news);
    Ok(Some([ended, Change::EventInsert(Box::new(event))].into_iter().chain(notice).collect()))
}

/// The cookie of a session: it ends, with all that was given in it, since whoever found it may have given that. Tokens that were
/// made in it do not say so, and stay.
async fn of_session<S: Store>(
    provider: &Provider<S>,
    found: &Found,
    call: Call<'_>,
) -> Result<Option<Vec<Change>>, Error> {
    let Some((id, secret)) = token::SESSION.parse(&found.token) else { return Ok(None) };
    let session = provider.store.session_find(id).await?.map(|(session, _)| session);
    let Some(session) = session.filter(|session| session.secret.matches(&secret)) else { return Ok(None) };
    if session.ended_at.is_some() {
        return Ok(Some(Vec::new()));
    }
    let event = event(provider, (found, "the cookie was "), EventKind::SignedOut, call).user(session.user_id);
    let notice = notice(&event, News::CookieLeaked { place: printable(&found.url) });
    let ended = [
        Change::SessionEnd { id, at: call.now },
        Change::GrantsEnd { of: GrantsOf::WholeSession(id), at: call.now, end: GrantEnd::Leaked },
        Change::EventInsert(Box::new(event)),
    ];
    Ok(Some(ended.into_iter().chain(notice).collect()))
}

/// A refresh token, also one that was replaced: its family ends.
async fn of_refresh_token<S: Store>(
    provider: &Provider<S>,
    found: &Found,
    call: Call<'_>,
) -> Result<Option<Vec<Change>>, Error> {
    let Some((grant_id, secret)) = token::REFRESH.parse(&found.token) else { return Ok(None) };
    let Some(facts) = provider.store.refresh_token_find(grant_id).await? else { return Ok(None) };
    let rotation = provider.store.directory().secrets.rotation.clone();
    if refresh_token::generation(&secret, &facts.token, &rotation).is_none() {
        return Ok(None);
    }
    if facts.grant.ended.is_some() {
        return Ok(Some(Vec::new()));
    }
    let event = event(provider, (found, ""), EventKind::GrantEnded, call);
    let event = event.client(&facts.grant.client_id).user(facts.grant.user_id);
    let ended = Change::GrantEnd { id: grant_id, at: call.now, end: GrantEnd::Leaked };
    let notice = app_notice(&event, found);
    Ok(Some([ended, Change::EventInsert(Box::new(event))].into_iter().chain(notice).collect()))
}

/// An access token, whether it counts just now or not: who is switched off may be switched on again.
async fn of_access_token<S: Store>(
    provider: &Provider<S>,
    found: &Found,
    call: Call<'_>,
) -> Result<Option<Vec<Change>>, Error> {
    let genuine = access_token::find_genuine(provider, &found.token, call.now).await?;
    let Some((token, AccessTokenFacts { revoked, approval })) = genuine else { return Ok(None) };
    if revoked || call.now >= token.expires_at {
        return Ok(Some(Vec::new()));
    }
    let mut event = event(provider, (found, ""), EventKind::TokenRevoked, call).client(&token.client_id);
    event.user_id = approval.map(|approval| approval.grant.user_id);
    if let Origin::ApiToken(id) = token.jti.origin
        && let Some(exchanged) = provider.store.api_token_find(id).await?
    {
        event = event_of(event, &exchanged.token.owner);
    }
    let note = Change::AccessTokenRevoke { id: token.id, expires_at: token.expires_at };
    let notice = app_notice(&event, found);
    Ok(Some([note, Change::EventInsert(Box::new(event))].into_iter().chain(notice).collect()))
}

/// Tells the person that an event concerns, where it concerns one.
fn notice(event: &Event, news: News) -> Option<Change> {
    let user_id = event.user_id?;
    Some(Change::NoticeInsert(Box::new(Notice { id: event.id, user_id, at: event.at, news })))
}

/// The same, of a token that an app was given.
fn app_notice(event: &Event, found: &Found) -> Option<Change> {
    let client_id = event.client_id.clone()?;
    notice(event, News::AppTokenLeaked { client_id, place: printable(&found.url) })
}
