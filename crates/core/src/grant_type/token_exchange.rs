//! Token exchange (RFC 8693): a personal access token or an API key becomes a short-lived JWT for one API, with no more than the
//! request asks for. So APIs see JWTs only, and what people keep for long goes to nobody but us.

use super::{Redeemed, Request};
use crate::api_token::Owner;
use crate::api_token::live::{self, LiveApiToken, Shown};
use crate::audience;
use crate::client::AccessTokenFormat;
use crate::error::{Decision, Error, Refusal};
use crate::params::Params;
use crate::provider::{Call, Fresh, Provider};
use crate::scope::Scope;
use crate::store::Store;

/// "Indicates that the token is an OAuth 2.0 access token issued by the given authorization server." (RFC 8693 §3)
const ACCESS_TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT_TYPE: &str = "urn:ietf:params:oauth:token-type:jwt";

/// Finds the token that is exchanged, and decides.
pub(crate) async fn redeem<S: Store>(
    provider: &Provider<S>,
    request: &Request<'_>,
    call: Call<'_>,
) -> Result<Decision<Redeemed>, Refusal> {
    check_types(request.params)?;
    let presented = request.params.required("subject_token")?;
    let shown = Shown { from: call.address.parse().ok(), at: call.now };
    // "if either the "subject_token" or "actor_token" are invalid for any reason, or are unacceptable based on policy, the
    // authorization server MUST construct an error response, as specified in Section 5.2 of [RFC6749]. The value of the "error"
    // parameter MUST be the "invalid_request" error code." (RFC 8693 §2.2.2)
    let live = live::find(provider, presented, shown).await?.ok_or(Error::SubjectTokenInvalid)?;
    Ok(decide(request, live, provider.fresh(call.now))?)
}

/// Decides what a token is exchanged for.
pub(crate) fn decide(request: &Request<'_>, live: LiveApiToken, access: Fresh) -> Result<Decision<Redeemed>, Error> {
    // A key speaks for its own client.
    if matches!(&live.token.owner, Owner::Client(owner) if *owner != request.client.client_id) {
        return Err(Error::SubjectTokenInvalid);
    }
    let asked: Option<Scope> = request.params.get("scope").map(str::parse).transpose()?;
    if asked.as_ref().is_some_and(|asked| !asked.is_subset(&live.rights.scope)) {
        return Err(Error::TokenScopeNotHeld);
    }
    let scope = asked.unwrap_or_else(|| live.rights.scope.clone());
    let named = named(request)?;
    let mut target = audience::target(&request.about, &scope, &live.rights.audience, &named)?;
    if target.scope.is_empty() {
        return Err(Error::ScopeNotAllowed);
    }
    // Stricter than RFC 8693 §2.1: because a token that one API can use at another is one too many.
    if target.audience.len() != 1 {
        return Err(Error::ResourceAmbiguous);
    }
    target.format = AccessTokenFormat::Jwt;
    target.lifetime = target.lifetime.min(live.until.since(request.now));
    let reply = Redeemed { target, approval: None, api_token: Some(live), access, refresh_token: None, nonce: None };
    Ok(Decision { changes: Vec::new(), reply })
}

/// The APIs that the request names: by their addresses (`resource`) or by their names (`audience`), which are the same here.
fn named(request: &Request<'_>) -> Result<Vec<String>, Error> {
    let mut named = audience::requested(request.directory, request.about.issuer, request.params)?;
    if let Some(audience) = request.params.get("audience") {
        if !request.directory.resources.contains_key(audience) {
            return Err(Error::ResourceUnknown);
        }
        named.push(audience.to_owned());
        named.sort_unstable();
        named.dedup();
    }
    Ok(named)
}

fn check_types(params: &Params) -> Result<(), Error> {
    if params.required("subject_token_type")? != ACCESS_TOKEN_TYPE {
        return Err(Error::SubjectTokenTypeUnsupported);
    }
    // "This is REQUIRED when the "actor_token" parameter is present in the request but MUST NOT be included otherwise."
    // (RFC 8693 §2.1) Nobody acts for somebody else here yet.
    if params.get("actor_token").or_else(|| params.get("actor_token_type")).is_some() {
        return Err(Error::ActorTokenUnsupported);
    }
    match params.get("requested_token_type") {
        None | Some(ACCESS_TOKEN_TYPE | JWT_TYPE) => Ok(()),
        Some(_) => Err(Error::RequestedTokenTypeUnsupported),
    }
}

/// What is said to be issued: as which of the two the JWT was asked for.
pub(crate) fn issued_token_type(params: &Params) -> &'static str {
    if params.get("requested_token_type") == Some(JWT_TYPE) { JWT_TYPE } else { ACCESS_TOKEN_TYPE }
}

#[cfg(test)]
mod tests;
