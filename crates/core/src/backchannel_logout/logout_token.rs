//! The logout token: what an app is sent when a session has ended (OpenID Connect Back-Channel Logout §2.4).

use std::time::Duration;

use grantor_jose::key::Typ;
use serde::Serialize;

use super::LogoutNotice;
use crate::client::Client;
use crate::client_auth::PublishedKeys;
use crate::error::Error;
use crate::provider::Provider;
use crate::store::Store;
use crate::subject;
use crate::time::Time;

/// How long a logout token counts. It is made when it is sent, and each attempt has one of its own.
const LIFE: Duration = Duration::from_mins(2);

/// There is no `nonce` among them.
///
/// "A nonce Claim MUST NOT be present." (OIDC Back-Channel Logout §2.4)
// "The following Claim MUST NOT be used within the Logout Token: ... A "nonce" Claim MUST NOT be present."
// (OIDC Back-Channel Logout §2.4)
#[derive(Serialize)]
struct Claims<'a> {
    // "iss REQUIRED. Issuer Identifier, as specified in Section 2 of [OpenID.Core]." (OIDC Back-Channel Logout §2.4)
    iss: &'a str,
    sub: String,
    // "aud REQUIRED. Audience(s), as specified in Section 2 of [OpenID.Core]." (OIDC Back-Channel Logout §2.4)
    aud: &'a str,
    // "iat REQUIRED. Issued at time, as specified in Section 2 of [OpenID.Core]." (OIDC Back-Channel Logout §2.4)
    iat: i64,
    // "exp REQUIRED. Expiration time, as specified in Section 2 of [OpenID.Core]." (OIDC Back-Channel Logout §2.4)
    exp: i64,
    // "jti REQUIRED. Unique identifier for the token, as specified in Section 9 of [OpenID.Core]."
    // (OIDC Back-Channel Logout §2.4)
    jti: String,
    // "events REQUIRED." (OIDC Back-Channel Logout §2.4)
    events: Events,
    sid: String,
}

#[derive(Serialize)]
struct Events {
    #[serde(rename = "http://schemas.openid.net/event/backchannel-logout")]
    logout: Empty,
}

#[derive(Serialize)]
struct Empty {}

/// Makes the token that tells `client` of an end.
///
/// # Errors
/// `SigningKeyMissing`.
pub fn sign<S: Store>(
    provider: &Provider<S>,
    client: &Client,
    notice: &LogoutNotice,
    now: Time,
) -> Result<String, Error> {
    let directory = provider.store.directory();
    let subjects = &directory.secrets.subjects;
    let claims = Claims {
        iss: provider.issuer.as_str(),
        // "A Logout Token MUST contain either a sub or a sid Claim, and MAY contain both." (OIDC Back-Channel Logout §2.4)
        sub: subject::of_public(subjects, client, &notice.subject),
        sid: subject::session(subjects, client, notice.key.sid),
        aud: &client.client_id,
        iat: now.seconds(),
        exp: now.plus(LIFE).seconds(),
        // Another one in each attempt: an app that was told, and whose answer was lost, would take the same one for a replay, and
        // refuse what it has done.
        jti: provider.mint.id(now.millis()).to_string(),
        // "The corresponding member value MUST be a JSON object and SHOULD be the empty JSON object {}."
        // (OIDC Back-Channel Logout §2.4)
        events: Events { logout: Empty {} },
    };
    // "A Logout Token MUST be signed and MAY also be encrypted. The same keys are used to sign and encrypt Logout Tokens as are
    // used for ID Tokens." (OIDC Back-Channel Logout §2.4)
    // "Like ID Tokens, selection of the algorithm used is governed by the "id_token_signing_alg_values_supported" Discovery
    // parameter and the "id_token_signed_response_alg" Registration parameter when they are used; otherwise, the value
    // SHOULD be the default of "RS256"." (OIDC Back-Channel Logout §2.6)
    let key = directory.keys.signer(client.id_token_algorithm(), now).ok_or(Error::SigningKeyMissing)?;
    // "It is RECOMMENDED that Logout Tokens be explicitly typed." (OIDC Back-Channel Logout §2.4)
    key.sign_compact(Typ::LogoutJwt, &claims).map_err(|_| Error::SigningKeyMissing)
}

/// A signed logout token as the client gets it: encrypted where its ID tokens are, to the same key.
///
/// # Errors
/// `EncryptionKeyMissing`: what shall be encrypted is never sent otherwise.
pub fn encrypt<S: Store>(
    provider: &Provider<S>,
    client: &Client,
    token: String,
    published: Option<&PublishedKeys>,
) -> Result<String, Error> {
    let Some(encryption) = client.id_token_encryption() else { return Ok(token) };
    // "If the Logout Token is encrypted, it SHOULD replicate the "iss" (issuer) claim in the JWT Header Parameters, as specified in
    // Section 5.3 of [JWT]." (OIDC Back-Channel Logout §2.4)
    let keys = client.public_keys(published);
    encryption.encrypt_of(provider.issuer.as_str(), &token, keys, provider.mint.random())
}
