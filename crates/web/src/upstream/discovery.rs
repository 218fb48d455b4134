//! What upstreams say of themselves (OpenID Connect Discovery), kept for an hour; their keys are asked for again when a token names
//! one that is not there, at most now and then.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use grantor_core::error::Error;
use grantor_core::time::Time;
use grantor_core::upstream::id_token::names_unknown_key;
use grantor_core::upstream::{Upstream, UpstreamKind};
use grantor_jose::id::Id;
use grantor_jose::jwk::{Jwk, JwkSet};
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
    CoreSubjectIdentifierType,
};
use openidconnect::{AdditionalProviderMetadata, IssuerUrl, JsonWebKeySet, JsonWebKeySetUrl, ProviderMetadata};
use serde::{Deserialize, Serialize};

use super::{Refused, door};
use crate::visit::Visit;

/// How long what was discovered counts.
const COUNTS_FOR: Duration = Duration::from_hours(1);
/// How often keys are asked for again because of tokens that name another one.
const KEYS_AGAIN: Duration = Duration::from_mins(1);
/// How long an upstream that did not answer is not asked for its metadata again.
const FAILURE_COUNTS_FOR: Duration = Duration::from_secs(5);

/// The members of the metadata that the crate does not read.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct More {
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for More {}

/// What an upstream says of itself, with keys that are ours to verify with.
pub(crate) type Metadata = ProviderMetadata<
    More,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    Jwk,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// Where an upstream is asked.
#[derive(Clone, Debug)]
pub(super) struct Endpoints {
    pub(super) authorization: String,
    pub(super) token: String,
    /// Userinfo, or the profile.
    pub(super) profile: Option<String>,
    /// Whether its answers name their issuer (RFC 9207).
    pub(super) names_issuer: bool,
}

#[derive(Clone, Debug)]
struct Known {
    /// What it was discovered from: a declaration that names another issuer has nothing to do with it.
    issuer: String,
    at: Time,
    keys_at: Time,
    endpoints: Endpoints,
    keys: Arc<JwkSet>,
    jwks_uri: JsonWebKeySetUrl,
}

/// What is known of upstreams: one entry for each, and none for others.
#[derive(Debug, Default)]
pub(crate) struct Discoveries {
    known: Mutex<HashMap<Id, Known>>,
    failed: Mutex<HashMap<Id, Time>>,
}

impl Discoveries {
    fn get(&self, upstream: &Upstream, now: Time) -> Option<Known> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.get(&upstream.id).filter(|known| known.issuer == upstream.definition.authority());
        found.filter(|known| known.at <= now && now.since(known.at) < COUNTS_FOR).cloned()
    }

    fn put(&self, upstream: &Upstream, known: Known) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(upstream.id, known);
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).remove(&upstream.id);
    }

    fn has_just_failed(&self, upstream: &Upstream, now: Time) -> bool {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.get(&upstream.id).is_some_and(|at| *at <= now && now.since(*at) < FAILURE_COUNTS_FOR)
    }

    fn note_failure(&self, upstream: &Upstream, now: Time) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).insert(upstream.id, now);
    }

    /// Notes that keys are asked for, unless they were lately.
    fn may_ask_keys(&self, upstream: &Upstream, now: Time) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = known.get_mut(&upstream.id) else { return false };
        let is_time = now < known.keys_at || now.since(known.keys_at) >= KEYS_AGAIN;
        if is_time {
            known.keys_at = now;
        }
        is_time
    }

    fn put_keys(&self, upstream: &Upstream, keys: &Arc<JwkSet>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get_mut(&upstream.id) {
            known.keys = Arc::clone(keys);
        }
    }

    /// Forgets upstreams that are declared no more.
    fn retain(&self, visit: &Visit) {
        let directory = visit.app.directory();
        let is_there = |id: &Id| directory.upstream_by_id(*id).is_some();
        self.known.lock().unwrap_or_else(PoisonError::into_inner).retain(|id, _| is_there(id));
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).retain(|id, _| is_there(id));
    }
}

/// Where an upstream is asked: as declared, or as it says itself.
pub(super) async fn endpoints(visit: &Visit, upstream: &Upstream) -> Result<Endpoints, Refused> {
    let declared = &upstream.definition;
    match declared.kind {
        UpstreamKind::Oidc => Ok(known(visit, upstream).await?.endpoints),
        UpstreamKind::OAuth2 => Ok(Endpoints {
            authorization: declared.authorization_endpoint.clone().unwrap_or_default(),
            token: declared.token_endpoint.clone().unwrap_or_default(),
            profile: declared.profile_endpoint.clone(),
            names_issuer: false,
        }),
    }
}

/// The keys of an upstream; asked for again where `token` names another one, as after a rotation.
pub(super) async fn keys_for(visit: &Visit, upstream: &Upstream, token: &str) -> Result<Arc<JwkSet>, Refused> {
    let known = known(visit, upstream).await?;
    let discoveries = &visit.app.upstreams;
    if !names_unknown_key(token, &*known.keys) || !discoveries.may_ask_keys(upstream, visit.now) {
        return Ok(known.keys);
    }
    let fetched = JsonWebKeySet::<Jwk>::fetch_async(&known.jwks_uri, &door(visit, upstream)).await;
    let fetched = fetched.map_err(|error| Refused::with(Error::UpstreamUnreachable, &error))?;
    let keys = Arc::new(JwkSet { keys: fetched.keys().clone() });
    discoveries.put_keys(upstream, &keys);
    Ok(keys)
}

async fn known(visit: &Visit, upstream: &Upstream) -> Result<Known, Refused> {
    let discoveries = &visit.app.upstreams;
    if let Some(known) = discoveries.get(upstream, visit.now) {
        return Ok(known);
    }
    if discoveries.has_just_failed(upstream, visit.now) {
        return Err(Refused::with(Error::UpstreamUnreachable, "it did not answer a moment ago"));
    }
    discoveries.retain(visit);
    let known = discover(visit, upstream).await;
    match &known {
        Ok(known) => discoveries.put(upstream, known.clone()),
        Err(_) => discoveries.note_failure(upstream, visit.now),
    }
    known
}

async fn discover(visit: &Visit, upstream: &Upstream) -> Result<Known, Refused> {
    let unreachable = |why: String| Refused::with(Error::UpstreamUnreachable, &why);
    let issuer = upstream.definition.authority().to_owned();
    let url = IssuerUrl::new(issuer.clone()).map_err(|error| unreachable(error.to_string()))?;
    // "The issuer value returned MUST be identical to the Issuer URL that was used as the prefix to
    // /.well-known/openid-configuration to retrieve the configuration information." (OIDC Discovery §4.3)
    let discovered = Metadata::discover_async(url, &door(visit, upstream)).await;
    let metadata = discovered.map_err(|error| unreachable(causes(&error)))?;
    let token = metadata.token_endpoint().ok_or_else(|| unreachable("it names no token_endpoint".to_owned()))?;
    Ok(Known {
        endpoints: Endpoints {
            authorization: metadata.authorization_endpoint().to_string(),
            token: token.to_string(),
            profile: metadata.userinfo_endpoint().map(ToString::to_string),
            names_issuer: metadata.additional_metadata().authorization_response_iss_parameter_supported,
        },
        keys: Arc::new(JwkSet { keys: metadata.jwks().keys().clone() }),
        jwks_uri: metadata.jwks_uri().clone(),
        issuer,
        at: visit.now,
        keys_at: visit.now,
    })
}

/// An error and what it comes from.
fn causes(error: &dyn std::error::Error) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
