//! `/upstreams/{name}/backchannel-logout`: an upstream says that a session there has ended (OpenID Connect Back-Channel Logout).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Payload;
use grantor_core::change::Change;
use grantor_core::error::Error;
use grantor_core::session::Session;
use grantor_core::store::{Store, StoreError};
use grantor_core::upstream::logout_token::{self, Ended};
use grantor_core::upstream::{Upstream, UpstreamKind, sign_in};
use grantor_storage::Database;

use super::discovery::keys_for;
use super::{MAX_RACES, Refused, named, record};
use crate::visit::Visit;
use crate::{error, form};

/// Sets of sessions that are ended by one request, each of a hundred.
const MAX_SETS: usize = 100;

/// Ends the sessions here that began there.
pub(crate) async fn post_backchannel_logout(visit: Visit, payload: Payload) -> HttpResponse {
    let upstream = named(&visit).filter(|upstream| upstream.definition.kind == UpstreamKind::Oidc);
    let ended = match &upstream {
        Some(upstream) => logged_out(&visit, upstream, payload).await,
        None => Err(Error::UpstreamDisabled.into()),
    };
    match ended {
        // "If the logout succeeded, the RP MUST respond with HTTP 200 OK." (OIDC Back-Channel Logout §2.8)
        Ok(()) => error::uncached(StatusCode::OK).finish(),
        Err(refused) => {
            record(&visit, upstream.as_deref(), &refused, None).await;
            match &refused.error {
                Error::Store(_) => error::json(&refused.error),
                // "If the logout request was invalid or the logout failed, the RP MUST respond with HTTP 400 Bad Request."
                // (OIDC Back-Channel Logout §2.8)
                _ => error::json(&Error::UpstreamLogoutToken),
            }
        }
    }
}

async fn logged_out(visit: &Visit, upstream: &Upstream, payload: Payload) -> Result<(), Refused> {
    let form = form::read(&visit.request, payload).await?;
    let token = form.get("logout_token").ok_or(Error::UpstreamLogoutToken)?;
    let keys = keys_for(visit, upstream, token).await?;
    let skew = visit.app.provider.policy.lifetimes.clock_skew;
    let about = (upstream.definition.authority(), upstream.definition.client_id.as_str());
    let ended = logout_token::check(token, about, &*keys, (skew, visit.now))?;
    end_all(visit, upstream, &ended).await
}

/// Ends all the sessions that are meant. A token that comes again ends nothing that began since: its note is kept with the last set, so
/// that it goes on where it was left, and no set is read after the note was there.
async fn end_all(visit: &Visit, upstream: &Upstream, ended: &Ended) -> Result<(), Refused> {
    let store = &visit.app.provider.store;
    let mut races = 0;
    for _ in 0..MAX_SETS {
        let sessions = store.sessions_of_upstream(upstream.id, ended.subject.as_deref(), ended.sid.as_deref()).await?;
        let is_last = sessions.len() < Database::MOST_SESSIONS;
        if !is_last && store.is_spent(&ended.digest, visit.now).await? {
            return Ok(());
        }
        match store.commit(changes(visit, upstream, (ended, &sessions, is_last))).await {
            Ok(()) if is_last => return Ok(()),
            Ok(()) => races = 0,
            Err(StoreError::Conflict) if store.is_spent(&ended.digest, visit.now).await? => return Ok(()),
            // Somebody else ended one of them meanwhile, or waited for the same rows.
            Err(StoreError::Conflict) if races < MAX_RACES => races += 1,
            Err(StoreError::Conflict) => break,
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Busy.into())
}

/// What ends some of the sessions that are meant, each once: as the note tells that goes with the last of them, else the sessions.
fn changes(visit: &Visit, upstream: &Upstream, (ended, sessions, is_last): (&Ended, &[Session], bool)) -> Vec<Change> {
    let note = Change::AssertionSpend { digest: ended.digest, expires_at: ended.expires_at };
    let expected = sessions.iter().filter(|_| !is_last).map(|session| Change::SessionExpect { id: session.id });
    let ends = sessions.iter().flat_map(|session| sign_in::sign_out(session, upstream, visit.app.id(), visit.call()));
    Some(note).filter(|_| is_last).into_iter().chain(expected).chain(ends).collect()
}
