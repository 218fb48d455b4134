//! `private_key_jwt`: the client signs a short statement about itself, once, with a key of its own (RFC 7523, OpenID Connect Core §9).

use grantor_jose::algorithm::Algorithm;
use grantor_jose::verify::{Expected, TypRule, verify};

use super::assertion::{self, AssertionAlgorithm, Spent};
use super::published;
use crate::client::Client;
use crate::error::Error;
use crate::provider::{Call, Provider};
use crate::store::Store;

/// Checks signature and claims.
pub(super) fn check<S: Store>(
    provider: &Provider<S>,
    client: &Client,
    assertion: &str,
    call: Call<'_>,
) -> Result<Spent, Error> {
    let keys = published::keys_of(client, call.client_keys)?;
    let registered = client.metadata.token_endpoint_auth_signing_alg;
    let algorithms = match registered.as_ref() {
        None => Algorithm::ALL,
        // "All Token Requests using these authentication methods from this Client MUST be rejected, if the JWT is not signed with
        // this algorithm." (OIDC Registration §2)
        // "JWS [JWS] "alg" algorithm [JWA] that MUST be used for signing the JWT [JWT] used to authenticate the Client at
        // the Token Endpoint for the "private_key_jwt" and "client_secret_jwt" authentication methods."
        // (OIDC Registration §2)
        Some(AssertionAlgorithm::Signature(only)) => std::slice::from_ref(only),
        Some(AssertionAlgorithm::Mac(_)) => &[],
    };
    // "Use explicit typing for different kinds of JWTs." (RFC 8725 §3.12): a request object, which the same key signs, is no assertion.
    let expected = Expected { typ: TypRule::JwtOr("client-authentication+jwt"), algorithms };
    // "The Server SHOULD validate the digital signature to verify that it was issued by a legitimate Client and its
    // integrity is intact." (OIDC Core §16.7)
    let claims = verify(assertion, &expected, keys).map_err(assertion::unverified)?.claims();
    assertion::accept(provider, client, &claims.map_err(assertion::unverified)?, call.now)
}
