//! `/upstreams/{name}/backchannel-logout`: an upstream says that a session there has ended (OpenID Connect Back-Channel Logout).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Payload;
use grantor_core::change::Change;
use grantor_core::error::Error;
use grantor_core::store::{Store, StoreError};
use grantor_core::upstream::logout_token::{self, Ended};
use grantor_core::upstream::{Upstream, UpstreamKind, sign_in};

use super::discovery::keys_for;
use super::{Refused, named, record};
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
    // A token that comes again ends nothing that began since. Its note is kept with what it ends first: nothing else can be in the way.
    let mut first = Some(Change::AssertionSpend { digest: ended.digest, expires_at: ended.expires_at });
    for _ in 0..MAX_SETS {
        let (some, changes) = changes(visit, upstream, &ended).await?;
        match visit.app.provider.store.commit(first.take().into_iter().chain(changes).collect()).await {
            Ok(()) if some => {}
            Ok(()) | Err(StoreError::Conflict) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Busy.into())
}

/// What ends some of the sessions that are meant; whether there are any.
async fn changes(visit: &Visit, upstream: &Upstream, ended: &Ended) -> Result<(bool, Vec<Change>), StoreError> {
    let store = &visit.app.provider.store;
    let sessions = store.sessions_of_upstream(upstream.id, ended.subject.as_deref(), ended.sid.as_deref()).await?;
    let end = |session| sign_in::sign_out(session, upstream, visit.app.id(), visit.call());
    Ok((!sessions.is_empty(), sessions.iter().flat_map(end).collect()))
}
