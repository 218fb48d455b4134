//! `/upstreams/{name}/callback`: an upstream has sent the person back.

use std::time::Duration;

use actix_web::HttpResponse;
use grantor_core::change::Change;
use grantor_core::error::Error;
use grantor_core::params::Params;
use grantor_core::store::{Store, StoreError};
use grantor_core::upstream::flow::{self, Aim, Flow, LIVES};
use grantor_core::upstream::{Upstream, UpstreamKind};
use grantor_identity::address::counted_as;
use grantor_jose::id::Id;

use super::arrive::{self, Arrived};
use super::discovery::{Endpoints, endpoints};
use super::exchange::{self, Proved};
use super::{Refused, holder, named};
use crate::oauth::authorize;
use crate::pages::{enter, upstream_failed, upstream_unlinked};
use crate::respond;
use crate::routes;
use crate::upstream;
use crate::visit::Visit;
use crate::waiting::{page_named, unlink_address};

/// How long a person waits for others of the same address.
const PATIENCE: Duration = Duration::from_secs(5);

/// Reads the answer, and goes on.
pub(crate) async fn get_upstream_callback(visit: Visit) -> HttpResponse {
    let Some(upstream) = named(&visit) else {
        return upstream_failed::show(&visit, None, Error::UpstreamDisabled.into(), &Aim::Account).await;
    };
    let params = Params::parse(visit.request.query_string().as_bytes()).unwrap_or_default();
    // Without the state nothing is known of who came, nor what for.
    let Some(flow) = opened(&visit, &upstream, &params) else {
        return upstream_failed::show(&visit, Some(&upstream), Error::UpstreamStateInvalid.into(), &Aim::Account).await;
    };
    let arrived = match answered(&visit, &upstream, &flow, &params).await {
        Ok(proved) => arrive::arrive(&visit, &upstream, &flow, proved).await,
        Err(refused) => Err(refused),
    };
    match arrived {
        Ok(Arrived::Choice) => respond::redirect_marked(&visit, &upstream::choice(&visit, &flow.aim)),
        Ok(Arrived::SignedIn(cookies, user_id)) => {
            respond::with_cookies(go_on_as(&visit, &flow.aim, user_id).await, cookies)
        }
        Ok(Arrived::LinkedBefore) => respond::redirect(routes::SIGN_IN_WAYS),
        Ok(Arrived::Unlinked(arrival)) => upstream_unlinked::show(&visit, &upstream, &arrival).await,
        Err(refused) => upstream_failed::show(&visit, Some(&upstream), refused, &flow.aim).await,
    }
}

/// Sends the person on to where they were: the request that waits, or the account. Both are our own.
pub(crate) async fn go_on(visit: &Visit, aim: &Aim) -> HttpResponse {
    match aim {
        Aim::Account => respond::redirect(routes::ACCOUNT),
        Aim::Authorize(interaction) => authorize::go_to(visit, routes::AUTHORIZE, interaction).await,
        Aim::Enter(entry) => respond::redirect(&enter::address(visit, entry)),
        Aim::Link => respond::redirect(routes::SIGN_IN_WAYS),
        Aim::Page(name) => respond::redirect(page_named(name).unwrap_or(routes::ACCOUNT)),
        Aim::SecondFactor(None) => respond::redirect(routes::SECOND_FACTOR),
        Aim::SecondFactor(Some(interaction)) => authorize::go_to(visit, routes::SECOND_FACTOR, interaction).await,
        Aim::Unlink(link) => respond::redirect(&unlink_address(*link)),
    }
}

/// The same as somebody who has just signed in for it.
pub(crate) async fn go_on_as(visit: &Visit, aim: &Aim, user_id: Id) -> HttpResponse {
    let Aim::Authorize(interaction) = aim else { return go_on(visit, aim).await };
    authorize::go_to(visit, routes::AUTHORIZE, &interaction.clone().by(user_id)).await
}

/// "The client MUST implement CSRF protection for its redirection URI." (RFC 6749 §10.12): the state opens for the browser and the
/// upstream that it was made for.
fn opened(visit: &Visit, upstream: &Upstream, params: &Params) -> Option<Flow> {
    flow::open(params.get("state")?, &visit.app.directory().secrets, holder(visit, upstream), visit.now)
}

/// What the upstream has proved, by an answer that counts once.
async fn answered(visit: &Visit, upstream: &Upstream, flow: &Flow, params: &Params) -> Result<Proved, Refused> {
    let endpoints = endpoints(visit, upstream).await?;
    check_issuer(upstream, &endpoints, params.get("iss"))?;
    let address = counted_as(visit.app.address(&visit.request)).to_string();
    let turn = visit.app.arriving.take(&address, PATIENCE).await;
    let _turn = turn.map_err(|error| Refused::with(Error::UpstreamUnreachable, &error))?;
    spend(visit, flow).await?;
    if let Some(error) = params.get("error") {
        let reason = if error == "access_denied" { Error::UpstreamDenied } else { Error::UpstreamRefused };
        return Err(Refused::with(reason, &error));
    }
    let code = params.get("code").ok_or(Error::UpstreamAnswerMalformed)?;
    exchange::redeem(visit, upstream, flow, (code, &endpoints)).await
}

/// Whether the answer is of the issuer that was asked.
fn check_issuer(upstream: &Upstream, endpoints: &Endpoints, iss: Option<&str>) -> Result<(), Refused> {
    let issuer = match upstream.definition.kind {
        UpstreamKind::Oidc => Some(upstream.definition.authority()),
        UpstreamKind::OAuth2 => upstream.definition.issuer.as_deref(),
    };
    match (issuer, iss) {
        // "If the value does not match the expected issuer identifier, clients MUST reject the authorization response"
        // (RFC 9207 §2.4)
        (Some(issuer), Some(iss)) if issuer != iss => Err(Refused::with(Error::UpstreamIssuerMismatch, iss)),
        // "Clients MUST reject authorization responses without the iss parameter from authorization servers that do support the
        // parameter according to the client's configuration." (RFC 9207 §2.4)
        (_, None) if endpoints.names_issuer => Err(Error::UpstreamIssuerMismatch.into()),
        _ => Ok(()),
    }
}

/// Notes that the state was used: of two answers with one state, one counts.
async fn spend(visit: &Visit, flow: &Flow) -> Result<(), Refused> {
    let note = Change::AssertionSpend { digest: flow.digest(), expires_at: flow.started_at.plus(LIVES) };
    match visit.app.provider.store.commit(vec![note]).await {
        Ok(()) => Ok(()),
        Err(StoreError::Conflict) => Err(Error::UpstreamStateSpent.into()),
        Err(error) => Err(error.into()),
    }
}
