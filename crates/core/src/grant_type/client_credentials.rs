//! `client_credentials`: the app asks for itself. A JWT for it costs its signature and no write.

use oxide_auth::code_grant::client_credentials::{ClientCredentials, Input, Output};
use oxide_auth::primitives::grant::Extensions;

use super::{Redeemed, Request};
use crate::claims::is_standard_scope;
use crate::error::{Decision, Error, Refusal};
use crate::kernel;
use crate::provider::{Fresh, Provider};
use crate::scope::Scope;

/// Decides; there are no facts to load beside the directory.
pub(crate) fn redeem<S>(provider: &Provider<S>, request: &Request<'_>) -> Result<Decision<Redeemed>, Refusal> {
    decide(request, provider.fresh(request.now))
}

/// Decides what the client gets for itself.
pub(crate) fn decide(request: &Request<'_>, access: Fresh) -> Result<Decision<Redeemed>, Refusal> {
    let scope = negotiate(request)?;
    let scope = run_kernel(request, &scope)?;
    let target = request.target(&scope, &[])?;
    let changes = request.access_token_row(&target, &access, None).into_iter().collect();
    // "A refresh token SHOULD NOT be included." (RFC 6749 §4.4.3)
    Ok(Decision {
        changes,
        reply: Redeemed { target, approval: None, api_token: None, access, refresh_token: None, nonce: None },
    })
}

/// The scopes of the request that the client may have; all of them when it names none. Those that speak of a person mean
/// nothing here.
fn negotiate(request: &Request<'_>) -> Result<Scope, Error> {
    let registered =
        request.client.metadata.scope.filter(|scope| !is_standard_scope(scope) && request.directory.knows_scope(scope));
    // "If the client omits the scope parameter when requesting authorization, the authorization server MUST either process
    // the request using a pre-defined default value or fail the request" (RFC 6749 §3.3)
    let Some(asked) = request.params.get("scope") else { return Ok(registered) };
    let asked: Scope = asked.parse()?;
    let allowed = asked.intersection(&registered);
    if allowed.is_empty() { Err(Error::ScopeNotAllowed) } else { Ok(allowed) }
}

fn run_kernel(request: &Request<'_>, scope: &Scope) -> Result<Scope, Error> {
    let client_id = &request.client.client_id;
    let view = kernel::Request { params: request.params, client_id, redirect_uri: None, scope: Some(scope.as_str()) };
    let mut machine = ClientCredentials::new(&view);
    let mut input = Input::None;
    loop {
        input = match machine.advance(input) {
            Output::Authenticate { .. } => Input::Authenticated,
            Output::Binding { client_id } => Input::Bound { bound_client: kernel::bound(client_id, None)? },
            Output::Extend => Input::Extended { extensions: Extensions::new() },
            Output::Negotiate { bound_client, .. } => {
                Input::Negotiated { pre_grant: kernel::negotiated(&bound_client.client_id, None, scope)? }
            }
            Output::Ok { pre_grant, .. } => return Ok(kernel::own_scope(&pre_grant.scope)),
            Output::Err(_) => return Err(Error::ScopeNotAllowed),
        };
    }
}

#[cfg(test)]
mod tests;
