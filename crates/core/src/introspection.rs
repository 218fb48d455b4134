//! Introspection: an API asks whether a token counts and what it allows (RFC 7662).

use std::net::IpAddr;

use serde::Serialize;

use crate::access_token::{self, LiveAccessToken};
use crate::api_token::Owner;
use crate::api_token::live::{self as api_token, LiveApiToken, Shown};
use crate::api_token::rights::Rights;
use crate::audience::{self, About, Target};
use crate::client_auth::{self, AuthenticatedClient};
use crate::directory::{Directory, Resource};
use crate::error::Error;
use crate::grant_type::GrantType;
use crate::grant_type::refresh_token::{self, Family, Generation, InForce, in_force};
use crate::params::Params;
use crate::policy::Policy;
use crate::provider::{Call, Provider};
use crate::reach::Reach;
use crate::scope::Scope;
use crate::store::{RefreshTokenFacts, Store};
use crate::subject;
use crate::time::Time;
use crate::token;
use crate::usage::{Held, Use};

pub mod signed;

/// What is told of a token (RFC 7662 §2.2).
#[derive(Debug, Default, Serialize)]
pub struct Introspection {
    /// Whether the token counts now.
    pub active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aud: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<String>,
    /// What kind of token it is; not of RFC 7662.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_kind: Option<&'static str>,
    /// Where the token may be used from, where that is limited by itself, its person, their groups, its client or its APIs;
    /// not of RFC 7662.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    networks: Vec<String>,
    /// The use that this is, to be noted; not told.
    #[serde(skip)]
    pub used: Option<Use>,
    /// How long the API may keep the answer, in seconds.
    #[serde(skip)]
    pub max_age: u64,
}

impl Introspection {
    /// With the time for which the answer may be kept: never beyond the end of the token.
    fn kept(self, policy: &Policy, now: Time) -> Self {
        // "If the response contains the "exp" parameter (expiration), the response MUST NOT be cached beyond the time indicated
        // therein." (RFC 7662 §4)
        let left = self.exp.map_or(0, |exp| exp.saturating_sub(now.seconds()));
        let most = policy.tokens.introspection_cache.as_secs();
        Self { max_age: most.min(u64::try_from(left).unwrap_or(0)), ..self }
    }
}

/// Answers an introspection request.
///
/// # Errors
/// Those of client authentication and of the store; a token that does not count is no error.
pub async fn introspect<S: Store>(
    provider: &Provider<S>,
    params: &Params,
    authorization: Option<&str>,
    call: Call<'_>,
) -> Result<Introspection, Error> {
    let asks = Asks::read(provider, params, authorization, call).await?;
    of_token(provider, &asks, params.get("token").ok_or(Error::TokenMissing)?).await
}

/// The same for several tokens at once: an answer for each, in their order. Not of RFC 7662.
///
/// # Errors
/// Those of [`introspect`].
pub async fn introspect_all<S: Store>(
    provider: &Provider<S>,
    (params, tokens): (&Params, &[String]),
    authorization: Option<&str>,
    call: Call<'_>,
) -> Result<Vec<Introspection>, Error> {
    let asks = Asks::read(provider, params, authorization, call).await?;
    if tokens.is_empty() {
        return Err(Error::TokenMissing);
    }
    let mut told = Vec::with_capacity(tokens.len());
    for presented in tokens {
        told.push(of_token(provider, &asks, presented).await?);
    }
    Ok(told)
}

/// Who asks, and about whose use of a token.
struct Asks {
    client: AuthenticatedClient,
    /// The address that uses the token, where that is told.
    from: Option<IpAddr>,
    now: Time,
}

impl Asks {
    async fn read<S: Store>(
        provider: &Provider<S>,
        params: &Params,
        authorization: Option<&str>,
        call: Call<'_>,
    ) -> Result<Self, Error> {
        let client = client_auth::authenticate(provider, params, authorization, call).await?;
        // "To prevent token scanning attacks, the endpoint MUST also require some form of authorization to access this
        // endpoint" (RFC 7662 §2.1): a public client's name is none.
        if client.client().is_public() {
            return Err(Error::AuthMethodMismatch);
        }
        let from = params.get("client_address").map(str::parse).transpose();
        Ok(Self { client, from: from.map_err(|_| Error::ClientAddressMalformed)?, now: call.now })
    }
}

async fn of_token<S: Store>(provider: &Provider<S>, asks: &Asks, presented: &str) -> Result<Introspection, Error> {
    let Asks { client, from, now } = asks;
    let (from, now, directory) = (*from, *now, provider.store.directory());
    if api_token::is_api_token(presented) {
        let found = api_token::find(provider, presented, Shown { from, at: now }).await?;
        let told = found.and_then(|live| {
            let (held, rights) = (Held::of_api_token(&live), &live.rights);
            let apis = own_identifiers(&directory, client, &rights.audience);
            let used = use_at(&directory, (held, &rights.scope), &apis, (from, now));
            let live = as_known_to(&directory, client, live)?;
            let networks = within(live.reach(&directory, &live.rights.audience), from)?;
            Some(Introspection { networks, used, ..of_api_token(provider.issuer.as_str(), live) })
        });
        return Ok(told.map(|told| told.kept(&provider.policy, now)).unwrap_or_default());
    }
    if let Some(live) = access_token::find(provider, presented, now).await? {
        let apis = own_identifiers(&directory, client, &live.audience);
        let is_own = live.client_id == client.client().client_id;
        let told = (is_own || !apis.is_empty()).then_some(live).and_then(|live| {
            let about = if apis.is_empty() { &live.audience } else { &apis };
            let networks = within(live.reach(&directory, about), from)?;
            let used = use_at(&directory, (Held::of_access_token(&live), &live.scope), &apis, (from, now));
            let live = if is_own { live } else { as_used(live, used.as_ref())? };
            Some(Introspection { networks, used, ..of_access_token((provider.issuer.as_str(), &directory), live) })
        });
        return Ok(told.map(|told| told.kept(&provider.policy, now)).unwrap_or_default());
    }
    // "If the introspection call is properly authorized but the token is not active, does not exist on this server, or the
    // protected resource is not allowed to introspect this particular token, then the authorization server MUST return an
    // introspection response with the "active" field set to "false". Note that to avoid disclosing too much of the
    // authorization server's state to a third party, the authorization server SHOULD NOT include any additional information
    // about an inactive token, including why the token is inactive." (RFC 7662 §2.2)
    Ok(of_refresh_token(provider, asks, presented).await?.unwrap_or_default())
}

/// The networks that a use from `from` is limited to, none where it is not; `None` where it is not within them. So who does not
/// tell where a token is used from learns of those only that may be used from anywhere.
fn within(reach: Reach<'_>, from: Option<IpAddr>) -> Option<Vec<String>> {
    reach.check(from).ok()?;
    Some(reach.common()?.to_texts())
}

/// What `client` may know of an API token: all of its own, else what it allows at the APIs whose credentials these are.
fn as_known_to(directory: &Directory, client: &AuthenticatedClient, live: LiveApiToken) -> Option<LiveApiToken> {
    let client_id = &client.client().client_id;
    if matches!(&live.token.owner, Owner::Client(owner) if owner == client_id) {
        return Some(live);
    }
    // "an authorization server MAY limit which scopes from a given token are returned for each protected resource to prevent a
    // protected resource from learning more about the larger network than is necessary for its operation." (RFC 7662 §2.2)
    let apis: Vec<&Resource> = own_apis(directory, client, &live.rights.audience).collect();
    let audience: Vec<String> = apis.iter().map(|api| api.identifier.clone()).collect();
    let scope = live.rights.scope.filter(|scope| apis.iter().any(|api| api.scopes.contains(scope)));
    (!audience.is_empty()).then_some(LiveApiToken { rights: Rights { scope, audience }, ..live })
}

/// The identifiers of those APIs of an audience whose credentials a client's are.
fn own_identifiers(directory: &Directory, client: &AuthenticatedClient, audience: &[String]) -> Vec<String> {
    own_apis(directory, client, audience).map(|api| api.identifier.clone()).collect()
}

/// Those APIs of an audience whose credentials a client's are.
fn own_apis<'a>(
    directory: &'a Directory,
    client: &'a AuthenticatedClient,
    audience: &'a [String],
) -> impl Iterator<Item = &'a Resource> {
    let client_id = &client.client().client_id;
    let apis = audience.iter().filter_map(|identifier| directory.resources.get(identifier));
    apis.filter(move |api| api.introspection_clients.contains(client_id))
}

/// The use of a token at these APIs: with what it allows there. None where whoever asks is no API of it, as its own client.
fn use_at(
    directory: &Directory,
    (held, scope): (Held, &Scope),
    apis: &[String],
    (from, at): (Option<IpAddr>, Time),
) -> Option<Use> {
    let is_theirs = |scope: &str| {
        let mut apis = apis.iter().filter_map(|identifier| directory.resources.get(identifier));
        apis.any(|api| api.scopes.contains(scope))
    };
    (!apis.is_empty()).then(|| Use { held, scope: scope.filter(is_theirs), audience: apis.to_vec(), at, from })
}

/// What an API may know of an access token that is none of its own: what it allows there. Nothing where all that it allowed is gone.
fn as_used(live: LiveAccessToken, used: Option<&Use>) -> Option<LiveAccessToken> {
    // "an authorization server MAY limit which scopes from a given token are returned for each protected resource to prevent a
    // protected resource from learning more about the larger network than is necessary for its operation." (RFC 7662 §2.2)
    let Use { scope, audience, .. } = used.filter(|used| !used.scope.is_empty())?;
    Some(LiveAccessToken { scope: scope.clone(), audience: audience.clone(), ..live })
}

fn of_api_token(issuer: &str, live: LiveApiToken) -> Introspection {
    let LiveApiToken { token, rights, user, until } = live;
    let client_id = match &token.owner {
        Owner::Client(client_id) => Some(client_id.clone()),
        Owner::User(_) => None,
    };
    Introspection {
        active: true,
        scope: Some(rights.scope.into()),
        // A key speaks for its client, as the client's own access tokens do (RFC 9068 §2.2).
        sub: user.as_ref().map(|user| user.subject.clone()).or_else(|| client_id.clone()),
        username: user.map(|user| user.username),
        client_id,
        token_type: Some("Bearer"),
        token_kind: Some(token.owner.kind().name()),
        exp: Some(until.seconds()),
        iat: Some(token.created_at.seconds()),
        aud: rights.audience,
        iss: Some(issuer.to_owned()),
        jti: Some(token.id.to_string()),
        ..Introspection::default()
    }
}

fn of_access_token((issuer, directory): (&str, &Directory), live: LiveAccessToken) -> Introspection {
    // A name that other apps know would undo a subject that they do not.
    let is_named = subject::may_know_names(directory, &live.client_id);
    let context = live.approval.as_ref().map(|approval| &approval.grant.context);
    Introspection {
        active: true,
        scope: Some(live.scope.as_str().to_owned()),
        username: live.person().filter(|_| is_named).map(|user| user.username.clone()),
        token_type: Some("Bearer"),
        token_kind: Some("access_token"),
        exp: Some(live.expires_at.seconds()),
        iat: Some(live.issued_at.seconds()),
        auth_time: context.map(|context| context.auth_time.seconds()),
        acr: context.map(|context| context.acr.clone()),
        sub: Some(live.subject),
        aud: live.audience,
        iss: Some(issuer.to_owned()),
        jti: Some(live.jti.to_string()),
        client_id: Some(live.client_id),
        ..Introspection::default()
    }
}

/// The owner of a refresh token may ask for it; nobody else. A token that would be refused at the token endpoint does not count.
async fn of_refresh_token<S: Store>(
    provider: &Provider<S>,
    asks: &Asks,
    presented: &str,
) -> Result<Option<Introspection>, Error> {
    let (client, now) = (asks.client.client(), asks.now);
    let Some((grant_id, secret)) = token::REFRESH.parse(presented) else { return Ok(None) };
    let found = provider.store.refresh_token_find(grant_id).await?;
    let is_its = |facts: &RefreshTokenFacts| {
        let is_own = facts.grant.client_id == client.client_id && client.allows(GrantType::RefreshToken);
        is_own && facts.grant.ended.is_none()
    };
    let Some(RefreshTokenFacts { token: row, grant, user, session, consent }) = found.filter(is_its) else {
        return Ok(None);
    };
    let directory = provider.store.directory();
    let lifetimes = &provider.policy.lifetimes;
    let generation = refresh_token::generation(&secret, &row, &directory.secrets.rotation);
    let Some(generation) = generation.filter(|generation| generation.is_good(&row, lifetimes, now)) else {
        return Ok(None);
    };
    let about = About { directory: &directory, policy: &provider.policy, issuer: &provider.issuer, client };
    let family = Family { row: &row, grant: &grant, user: &user, session, consent };
    let Ok(InForce { scope: allowed, until }) = in_force(&about, family, now) else { return Ok(None) };
    let target = audience::target(&about, &allowed, &grant.context.resources, &[]);
    let Some(Target { scope, audience, .. }) = target.ok().filter(|target| !target.scope.is_empty()) else {
        return Ok(None);
    };
    let reach =
        Reach { directory: &directory, client: Some(client), user: Some(&user), audience: &audience, own: None };
    let Some(networks) = within(reach, asks.from) else { return Ok(None) };
    let expires_at = match generation {
        Generation::Current => until,
        _ => until.min(row.rotated_at.plus(lifetimes.refresh_token_grace)),
    };
    Ok(Some(Introspection {
        active: true,
        scope: Some(scope.as_str().to_owned()),
        client_id: Some(grant.client_id),
        username: Some(user.username.clone()).filter(|_| subject::may_know_names(&directory, &client.client_id)),
        token_kind: Some("refresh_token"),
        networks,
        exp: Some(expires_at.seconds()),
        sub: Some(subject::of(&directory.secrets.subjects, client, &user)),
        iss: Some(provider.issuer.as_str().to_owned()),
        ..Introspection::default()
    }))
}
