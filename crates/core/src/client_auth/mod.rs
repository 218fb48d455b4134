//! Client authentication: the only place that makes an [`AuthenticatedClient`], the proof without which no token is made.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::error::Error;
use crate::params::Params;
use crate::provider::{Call, Provider};
use crate::reach;
use crate::store::Store;

mod api_key;
mod assertion;
mod client_secret;
mod client_secret_jwt;
mod none;
mod private_key_jwt;
mod published;

use assertion::Spent;
pub use assertion::{AssertionAlgorithm, AssertionAlgorithmUnknown};
pub use published::{Asserted, PublishedKeys};

/// How a client proves who it is (`token_endpoint_auth_method`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthMethod {
    /// A secret in the Authorization header.
    // "If unspecified or omitted, the default is "client_secret_basic"" (RFC 7591 §2)
    #[default]
    ClientSecretBasic,
    /// A JWT with a MAC by the client's secret.
    ClientSecretJwt,
    /// A secret in the form body.
    ClientSecretPost,
    /// Nothing: a public client.
    None,
    /// A JWT signed with the client's own key.
    PrivateKeyJwt,
}

impl ClientAuthMethod {
    /// Every method, as the metadata list them.
    pub const ALL: [Self; 5] =
        [Self::ClientSecretBasic, Self::ClientSecretPost, Self::ClientSecretJwt, Self::PrivateKeyJwt, Self::None];

    /// The method's registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretJwt => "client_secret_jwt",
            Self::ClientSecretPost => "client_secret_post",
            Self::None => "none",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }

    /// Whether a client of this method has a secret.
    pub const fn uses_secret(self) -> bool {
        match self {
            Self::ClientSecretBasic | Self::ClientSecretJwt | Self::ClientSecretPost => true,
            Self::None | Self::PrivateKeyJwt => false,
        }
    }

    /// Whether the secret itself must be known to check what a client of this method proves; of all others the hash is enough.
    pub const fn needs_secret_text(self) -> bool {
        matches!(self, Self::ClientSecretJwt)
    }
}

/// How long the secret of a client is at least, in bytes, for the method and the algorithm that are registered of it.
pub const fn least_secret(method: ClientAuthMethod, algorithm: Option<AssertionAlgorithm>) -> Option<usize> {
    match method {
        ClientAuthMethod::ClientSecretJwt => Some(client_secret_jwt::least_bytes(algorithm)),
        _ => None,
    }
}

/// A client that has proved who it is, by the method it is registered for.
#[derive(Clone, Debug)]
pub struct AuthenticatedClient {
    client: Arc<Client>,
}

impl AuthenticatedClient {
    /// The client.
    pub fn client(&self) -> &Arc<Client> {
        &self.client
    }
}

/// What a request offers as proof.
enum Offer<'a> {
    Assertion(&'a str),
    Basic { client_id: String, secret: String },
    Nothing,
    Post(&'a str),
}

/// Finds out who asks, and whether they are.
///
/// `authorization` is the request's Authorization header.
///
/// # Errors
/// `invalid_client` reasons, `AuthMethodsMixed`, `ClientIdMismatch`, `RateExceeded`, or those of the store.
pub async fn authenticate<S: Store>(
    provider: &Provider<S>,
    params: &Params,
    authorization: Option<&str>,
    call: Call<'_>,
) -> Result<AuthenticatedClient, Error> {
    let offer = read_offer(params, authorization)?;
    let directory = provider.store.directory();
    let named = match &offer {
        Offer::Basic { client_id, .. } => client_id.clone(),
        Offer::Assertion(assertion) => assertion::subject(assertion)?,
        Offer::Nothing | Offer::Post(_) => params.get("client_id").ok_or(Error::ClientMissing)?.to_owned(),
    };
    if params.get("client_id").is_some_and(|sent| sent != named) {
        return Err(Error::ClientIdMismatch);
    }
    let client = directory.client(&named).ok_or(Error::ClientUnknown)?;
    // First, so that a secret that was stolen cannot be tried from elsewhere.
    reach::check_client(client, call)?;
    let spent = prove(provider, client, &offer, call)?;
    // Counted before anything is written: who comes again when they may brings the same assertion.
    call.admit(client)?;
    if let Some(spent) = spent {
        assertion::spend(provider, spent).await?;
    }
    Ok(AuthenticatedClient { client: Arc::clone(client) })
}

/// The same for the token endpoint, where an API key that is exchanged proves its client. It does so nowhere else: what a key
/// allows are its scopes.
///
/// # Errors
/// Those of [`authenticate`], and `SubjectTokenInvalid`.
pub(crate) async fn authenticate_for_token<S: Store>(
    provider: &Provider<S>,
    params: &Params,
    authorization: Option<&str>,
    call: Call<'_>,
) -> Result<AuthenticatedClient, Error> {
    let key = api_key::offered(params).filter(|_| authorization.is_none());
    let (Some(key), Offer::Nothing) = (key, read_offer(params, authorization)?) else {
        return authenticate(provider, params, authorization, call).await;
    };
    let client_id = api_key::client_id(provider, key, call).await?;
    let client = Arc::clone(provider.store.directory().client(&client_id).ok_or(Error::ClientUnknown)?);
    reach::check_client(&client, call)?;
    call.admit(&client)?;
    Ok(AuthenticatedClient { client })
}

/// The client that a request says it comes from, proven or not: for the record of a refusal.
pub fn claimed(params: &Params, authorization: Option<&str>) -> Option<String> {
    let basic = authorization.and_then(|header| read_basic(header).ok()).map(|(client_id, _)| client_id);
    let subject = || assertion::subject(params.get("client_assertion")?).ok();
    basic.or_else(|| params.get("client_id").map(str::to_owned)).or_else(subject)
}

/// Checks the proof; an assertion is to be spent yet.
fn prove<S: Store>(
    provider: &Provider<S>,
    client: &Client,
    offer: &Offer<'_>,
    call: Call<'_>,
) -> Result<Option<Spent>, Error> {
    // "If the Client is a Confidential Client, then it MUST authenticate to the Token Endpoint using the authentication
    // method registered for its "client_id", as described in Section 9." (OIDC Core §3.1.3.1)
    // "To refresh an Access Token, the Client MUST authenticate to the Token Endpoint using the authentication method
    // registered for its "client_id", as documented in Section 9." (OIDC Core §12.1)
    match (client.metadata.token_endpoint_auth_method, offer) {
        (ClientAuthMethod::ClientSecretBasic, Offer::Basic { secret, .. }) => {
            client_secret::check(client, secret, call.now)?;
        }
        (ClientAuthMethod::ClientSecretPost, Offer::Post(secret)) => client_secret::check(client, secret, call.now)?,
        (ClientAuthMethod::None, Offer::Nothing) => none::check(client)?,
        // "each key MUST be used with exactly one algorithm, and this MUST be checked when the cryptographic operation is
        // performed." (RFC 8725 §3.1); the method that is registered decides, and never the assertion.
        (ClientAuthMethod::ClientSecretJwt, Offer::Assertion(assertion)) => {
            return client_secret_jwt::check(provider, client, assertion, call.now).map(Some);
        }
        (ClientAuthMethod::PrivateKeyJwt, Offer::Assertion(assertion)) => {
            return private_key_jwt::check(provider, client, assertion, call).map(Some);
        }
        // "Symmetric signatures MUST NOT be used by public (non-confidential) Clients because of their inability to keep
        // secrets." (OIDC Core §10.1)
        _ => return Err(Error::AuthMethodMismatch),
    }
    Ok(None)
}

fn read_offer<'a>(params: &'a Params, authorization: Option<&str>) -> Result<Offer<'a>, Error> {
    let basic = authorization.map(read_basic).transpose()?;
    let assertion = read_assertion(params)?;
    match (basic, params.get("client_secret"), assertion) {
        (None, None, None) => Ok(Offer::Nothing),
        (Some((client_id, secret)), None, None) => Ok(Offer::Basic { client_id, secret }),
        (None, Some(secret), None) => Ok(Offer::Post(secret)),
        (None, None, Some(assertion)) => Ok(Offer::Assertion(assertion)),
        // "The client MUST NOT use more than one authentication method in each request." (RFC 6749 §2.3)
        _ => Err(Error::AuthMethodsMixed),
    }
}

fn read_assertion(params: &Params) -> Result<Option<&str>, Error> {
    match (params.get("client_assertion_type"), params.get("client_assertion")) {
        (None, None) => Ok(None),
        // "The value of the "client_assertion_type" is "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"."
        // (RFC 7523 §2.2)
        // "The authentication token MUST be sent as the value of the [OAuth.Assertions] "client_assertion" parameter. The
        // value of the [OAuth.Assertions] "client_assertion_type" parameter MUST be
        // "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", per [OAuth.JWT]." (OIDC Core §9)
        (Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"), Some(assertion)) => Ok(Some(assertion)),
        _ => Err(Error::AssertionMalformed),
    }
}

/// Reads `Basic` credentials: "The client identifier is encoded using the "application/x-www-form-urlencoded" encoding
/// algorithm ... and the encoded value is used as the username" (RFC 6749 §2.3.1).
fn read_basic(header: &str) -> Result<(String, String), Error> {
    let (scheme, encoded) = header.split_once(' ').ok_or(Error::AuthorizationHeaderMalformed)?;
    // "invalid_client Client authentication failed (e.g., unknown client, no client authentication included, or unsupported
    // authentication method)." (RFC 6749 §5.2)
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(Error::AuthMethodMismatch);
    }
    let decoded = STANDARD.decode(encoded.trim_matches(' ')).map_err(|_| Error::AuthorizationHeaderMalformed)?;
    let text = String::from_utf8(decoded).map_err(|_| Error::AuthorizationHeaderMalformed)?;
    let (client_id, secret) = text.split_once(':').ok_or(Error::AuthorizationHeaderMalformed)?;
    let decode = |part: &str| Params::decode(part.as_bytes()).ok_or(Error::AuthorizationHeaderMalformed);
    let (client_id, secret) = (decode(client_id)?, decode(secret)?);
    if client_id.is_empty() { Err(Error::ClientMissing) } else { Ok((client_id, secret)) }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn basic_credentials_are_form_decoded() {
        let header = format!("Basic {}", STANDARD.encode("a%20b:c%3Ad+e"));
        assert_eq!(read_basic(&header).unwrap(), ("a b".into(), "c:d e".into()));
    }

    #[test]
    fn two_ways_at_once_are_refused() {
        let params = Params::from_pairs([("client_id", "a"), ("client_secret", "b")]).unwrap();
        let header = format!("Basic {}", STANDARD.encode("a:b"));
        assert!(matches!(read_offer(&params, Some(&header)), Err(Error::AuthMethodsMixed)));
    }

    proptest! {
        #[test]
        fn any_header_is_read_or_refused(header in any::<String>()) {
            let _ = read_basic(&header);
            let _ = read_basic(&format!("Basic {header}"));
        }
    }
}
