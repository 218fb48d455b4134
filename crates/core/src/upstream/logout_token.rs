//! The logout token by which an upstream says that a session there has ended (OpenID Connect Back-Channel Logout §2.6).

use std::time::Duration;

use grantor_jose::hash::sha256;
use grantor_jose::verify::KeySource;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::id_token::{Audience, refused, signed};
use crate::error::Error;
use crate::time::Time;

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// How long a logout token may live: its `jti` is kept for so long.
const MAX_LIFE: Duration = Duration::from_hours(24);

/// Which sessions have ended there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Whose.
    pub subject: Option<String>,
    /// Which one; all of the person's where it is absent.
    pub sid: Option<String>,
    /// What notes that the token was used.
    pub digest: [u8; 32],
    /// Until when the note is needed.
    pub expires_at: Time,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: Option<String>,
    aud: Audience,
    iat: i64,
    exp: i64,
    jti: String,
    events: Map<String, Value>,
    sid: Option<String>,
    nonce: Option<Value>,
}

/// Checks a logout token of an upstream.
///
/// # Errors
/// What is wrong with it.
pub fn check(
    token: &str,
    (issuer, client_id): (&str, &str),
    keys: &impl KeySource,
    (skew, now): (Duration, Time),
) -> Result<Ended, Error> {
    // "Additionally, an alg with the value none MUST NOT be used for Logout Tokens." (OIDC Back-Channel Logout §2.6)
    let claims: Claims = signed(token, keys).map_err(refused)?.claims().map_err(|_| Error::UpstreamLogoutToken)?;
    // "Validate the iss, aud, iat, and exp Claims in the same way they are validated in ID Tokens."
    // (OIDC Back-Channel Logout §2.6)
    if claims.iss != issuer || !claims.aud.is_only(client_id) {
        return Err(Error::UpstreamLogoutToken);
    }
    let (iat, exp) = (Time::from_seconds(claims.iat), Time::from_seconds(claims.exp));
    if now >= exp.plus(skew) || iat > now.plus(skew) || exp > now.plus(MAX_LIFE) {
        return Err(Error::UpstreamLogoutToken);
    }
    // "A Logout Token MUST contain either a sub or a sid Claim, and MAY contain both." (OIDC Back-Channel Logout §2.4)
    let names_nobody = claims.sub.is_none() && claims.sid.is_none();
    // "Verify that the Logout Token contains an events Claim whose value is JSON object containing the member name
    // http://schemas.openid.net/event/backchannel-logout." (OIDC Back-Channel Logout §2.6)
    let is_logout = claims.events.get(EVENT).is_some_and(Value::is_object);
    // "A nonce Claim MUST NOT be present." (OIDC Back-Channel Logout §2.4)
    if names_nobody || !is_logout || claims.nonce.is_some() || claims.jti.is_empty() {
        return Err(Error::UpstreamLogoutToken);
    }
    Ok(Ended {
        subject: claims.sub,
        sid: claims.sid,
        digest: sha256(format!("upstream logout\0{issuer}\0{}", claims.jti).as_bytes()),
        expires_at: exp.plus(skew),
    })
}
