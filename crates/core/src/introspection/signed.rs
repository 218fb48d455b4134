//! The answer as a signed JWT, for an API that has to prove later what it was told, or by whom (RFC 9701).
//!
//! It is for APIs alone: it tells of tokens whose audience the asking client's APIs are, and of nothing else.

use grantor_jose::key::Typ;
use serde::Serialize;

use super::{Asks, Introspection, of_token, own_apis};
use crate::client_auth::AuthenticatedClient;
use crate::directory::{Directory, Resource};
use crate::error::Error;
use crate::params::Params;
use crate::provider::{Call, Provider};
use crate::scope::Scope;
use crate::store::Store;
use crate::time::Time;
use crate::usage::Use;

/// An answer that is signed.
#[derive(Debug)]
pub struct SignedIntrospection {
    /// The JWT.
    pub jwt: String,
    /// The use that this is, to be noted.
    pub used: Option<Use>,
    /// How long the API may keep the answer, in seconds.
    pub max_age: u64,
}

/// The claims of the JWT. There is neither `sub` nor `exp` among them, so that nobody takes it for an access token
/// (RFC 9701 §5).
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    iat: i64,
    token_introspection: &'a Introspection,
}

/// Answers an introspection request with a JWT, signed with the algorithm that the client is registered with.
///
/// # Errors
/// Those of client authentication and of the store, and `SigningKeyMissing`; a token that does not count is no error.
pub async fn introspect_signed<S: Store>(
    provider: &Provider<S>,
    params: &Params,
    authorization: Option<&str>,
    call: Call<'_>,
) -> Result<SignedIntrospection, Error> {
    let asks = Asks::read(provider, params, authorization, call).await?;
    let told = of_token(provider, &asks, params.get("token").ok_or(Error::TokenMissing)?).await?;
    let told = as_meant_for(&provider.store.directory(), &asks.client, told);
    sign(provider, &asks.client, told, call.now)
}

/// What is told of a token that is for APIs of `client`; of any other, that it does not count, and nothing more (RFC 9701 §5).
/// The scopes and the audience are those of these APIs.
fn as_meant_for(directory: &Directory, client: &AuthenticatedClient, told: Introspection) -> Introspection {
    let apis: Vec<&Resource> = own_apis(directory, client, &told.aud).collect();
    let aud: Vec<String> = apis.iter().map(|api| api.identifier.clone()).collect();
    let is_theirs = |scope: &&str| apis.iter().any(|api| api.scopes.contains(scope));
    let scope = told.scope.as_deref().map(|scope| scope.split(' ').filter(is_theirs).collect::<Scope>().into());
    if aud.is_empty() { Introspection::default() } else { Introspection { scope, aud, ..told } }
}

fn sign<S: Store>(
    provider: &Provider<S>,
    client: &AuthenticatedClient,
    mut told: Introspection,
    now: Time,
) -> Result<SignedIntrospection, Error> {
    let used = told.used.take();
    let client = client.client();
    let claims = Claims {
        iss: provider.issuer.as_str(),
        aud: &client.client_id,
        iat: now.seconds(),
        token_introspection: &told,
    };
    let directory = provider.store.directory();
    let key = directory.keys.signer(client.introspection_algorithm(), now).ok_or(Error::SigningKeyMissing)?;
    // The type tells the answer from every other JWT that this key signs (RFC 9701 §5).
    let jwt = key.sign_compact(Typ::IntrospectionJwt, &claims).map_err(|_| Error::SigningKeyMissing)?;
    Ok(SignedIntrospection { jwt, used, max_age: told.max_age })
}
