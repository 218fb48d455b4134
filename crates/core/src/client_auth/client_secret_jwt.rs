//! `client_secret_jwt`: the client makes a short statement about itself, once, with a MAC by the secret that we gave it, so that the
//! secret itself is never sent (RFC 7523, OpenID Connect Core §9).

use grantor_jose::secret::SecretText;
use grantor_jose::verify::TypRule;
use grantor_jose::verify::mac::{ExpectedMac, MacAlgorithm, verify_mac};

use super::assertion::{self, AssertionAlgorithm, Spent};
use crate::client::Client;
use crate::error::Error;
use crate::provider::Provider;
use crate::store::Store;
use crate::time::Time;

/// Checks MAC and claims.
pub(super) fn check<S: Store>(
    provider: &Provider<S>,
    client: &Client,
    assertion: &str,
    now: Time,
) -> Result<Spent, Error> {
    let registered = client.metadata.token_endpoint_auth_signing_alg;
    let algorithms = match registered.as_ref() {
        None => MacAlgorithm::ALL,
        // "All Token Requests using these authentication methods from this Client MUST be rejected, if the JWT is not signed with
        // this algorithm." (OIDC Registration §2)
        Some(AssertionAlgorithm::Mac(only)) => std::slice::from_ref(only),
        Some(AssertionAlgorithm::Signature(_)) => &[],
    };
    // "When using MAC-based signatures, the "alg" Header Parameter value of the JOSE Header MUST be set to a MAC algorithm,
    // as defined in JSON Web Algorithms [JWA]." (OIDC Core §10.1)
    let expected = ExpectedMac { typ: TypRule::Any, algorithms };
    let claims = verify_mac(assertion, &expected, living(client, now)).map_err(assertion::unverified)?.claims();
    assertion::accept(provider, client, &claims.map_err(assertion::unverified)?, now)
}

/// The secrets that count at `now`, as far as they are known themselves.
// "The HMAC (Hash-based Message Authentication Code) is calculated using the octets of the UTF-8 representation of the
// "client_secret" as the shared key." (OIDC Core §9)
fn living(client: &Client, now: Time) -> impl Iterator<Item = &SecretText> {
    let living = client.secrets.iter().filter(move |secret| secret.expires_at.is_none_or(|end| now < end));
    living.filter_map(|secret| secret.text.as_ref())
}

/// How long a secret is at least that makes assertions by this algorithm, in bytes; by any where none is registered.
// ""client_secret" values MUST also contain at least the minimum of number of octets required for MAC keys for the particular
// algorithm used." (OIDC Core §16.19)
// "Thus, when used with symmetric signing or encryption operations, "client_secret" values MUST contain sufficient entropy
// to generate cryptographically strong keys. So for instance, for "HS256", the "client_secret" value MUST contain at least
// 32 octets (and almost certainly SHOULD contain more, since "client_secret" values are likely to use a restricted
// alphabet)." (OIDC Core §16.19)
pub(super) const fn least_bytes(registered: Option<AssertionAlgorithm>) -> usize {
    match registered {
        Some(AssertionAlgorithm::Mac(algorithm)) => algorithm.key_bytes(),
        Some(AssertionAlgorithm::Signature(_)) | None => MacAlgorithm::Hs256.key_bytes(),
    }
}
