//! The ID token of an upstream (OpenID Connect Core §3.1.3.7), point by point.
//!
//! 2026-11-30: the verifier of `openidconnect` is not used here, although discovery is that crate's. It refuses a whole token for
//! one misshapen member, as `"email_verified": "true"` of some providers, where only that member must not count; it does not look at
//! `azp`; and a logout token needs the same checks without being an ID token. The signature is checked as that of any other token
//! of somebody else (`grantor_jose::verify`).

use std::time::Duration;

use grantor_jose::algorithm::Algorithm;
use grantor_jose::hash;
use grantor_jose::verify::{Expected, KeySource, TypRule, Verified, VerifyError, verify};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::MAX_SUBJECT;
use crate::error::Error;
use crate::time::Time;

/// The most methods of a sign-in that are taken over, and the longest.
const MAX_METHODS: (usize, usize) = (8, 32);
/// How long a token may have been made before it is shown.
const MAX_OLD: Duration = Duration::from_mins(10);

/// What an ID token must be.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The issuer, letter for letter.
    pub issuer: &'a str,
    /// Our identifier there.
    pub client_id: &'a str,
    /// What was sent with the request.
    pub nonce: &'a str,
    /// The access token beside it.
    pub access_token: &'a str,
    /// Since when the person must have signed in, where that was asked.
    pub earliest: Option<Time>,
}

/// What an ID token says that is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Who it is about.
    pub subject: String,
    /// The session there.
    pub sid: Option<String>,
    /// When the person signed in there.
    pub auth_time: Option<Time>,
    /// The authentication context there.
    pub acr: Option<String>,
    /// By which methods (RFC 8176).
    pub amr: Vec<String>,
    /// All members.
    pub members: Map<String, Value>,
}

/// Whom a token is for.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    /// "The aud (audience) Claim MAY contain an array with more than one element. The ID Token MUST be rejected if the ID Token
    /// does not list the Client as a valid audience, or if it contains additional audiences not trusted by the Client."
    /// (OIDC Core §3.1.3.7). None other is trusted.
    pub(super) fn is_only(&self, client_id: &str) -> bool {
        match self {
            Self::One(only) => only == client_id,
            Self::Many(all) => !all.is_empty() && all.iter().all(|audience| audience == client_id),
        }
    }
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: i64,
    iat: i64,
    azp: Option<Value>,
    nonce: Option<String>,
    at_hash: Option<String>,
    auth_time: Option<i64>,
    nbf: Option<i64>,
}

/// Whether a token names a key that is not among `keys`, so that it helps to ask for them again.
pub fn names_unknown_key(token: &str, keys: &impl KeySource) -> bool {
    matches!(signed(token, keys), Err(VerifyError::KeyUnknown | VerifyError::SignatureInvalid))
}

/// Checks an ID token that came from the token endpoint of an upstream.
///
/// # Errors
/// What is wrong with it.
pub fn check(
    token: &str,
    asked: &Asked<'_>,
    keys: &impl KeySource,
    (skew, now): (Duration, Time),
) -> Result<Told, Error> {
    let verified = signed(token, keys).map_err(refused)?;
    let claims: Claims = verified.claims().map_err(|_| Error::UpstreamIdTokenMalformed)?;
    let members: Map<String, Value> = verified.claims().map_err(|_| Error::UpstreamIdTokenMalformed)?;
    check_issuer_and_audience(&claims, asked)?;
    check_times(&claims, (skew, now))?;
    // "If a nonce value was sent in the Authentication Request, a nonce Claim MUST be present and its value checked to verify that
    // it is the same value as the one that was sent in the Authentication Request." (OIDC Core §3.1.3.7)
    if !claims.nonce.as_deref().is_some_and(|nonce| hash::constant_time_eq(nonce.as_bytes(), asked.nonce.as_bytes())) {
        return Err(Error::UpstreamIdTokenNonce);
    }
    // "Its value is the base64url encoding of the left-most half of the hash of the octets of the ASCII representation of the
    // access_token value" (OIDC Core §3.1.3.6)
    let at_hash = hash::left_half_hash(verified.algorithm, asked.access_token);
    if claims.at_hash.as_deref().is_some_and(|stated| stated != at_hash) {
        return Err(Error::UpstreamIdTokenAtHash);
    }
    let auth_time = claims.auth_time.map(Time::from_seconds);
    check_auth_time(auth_time, asked.earliest, skew)?;
    if claims.sub.is_empty() || claims.sub.len() > MAX_SUBJECT || claims.sub.chars().any(char::is_control) {
        return Err(Error::UpstreamIdTokenMalformed);
    }
    let sid = members.get("sid").and_then(Value::as_str).filter(|sid| sid.len() <= MAX_SUBJECT).map(str::to_owned);
    let acr = members.get("acr").and_then(Value::as_str).filter(|acr| acr.len() <= MAX_SUBJECT).map(str::to_owned);
    Ok(Told { subject: claims.sub, sid, auth_time, acr, amr: methods(&members), members })
}

/// Form, algorithm and signature.
///
/// "The Client MUST validate the signature of all other ID Tokens according to JWS [JWS] using the algorithm specified in the JWT alg
/// Header Parameter. The Client MUST use the keys provided by the Issuer." (OIDC Core §3.1.3.7). Those from the token endpoint are
/// no exception here. None of the algorithms is `none` or an HMAC with the client's secret.
pub(super) fn signed(token: &str, keys: &impl KeySource) -> Result<Verified, VerifyError> {
    verify(token, &Expected { typ: TypRule::Any, algorithms: Algorithm::ALL }, keys)
}

pub(super) fn refused(error: VerifyError) -> Error {
    match error {
        VerifyError::AlgorithmNotAllowed => Error::UpstreamTokenAlgorithm,
        VerifyError::KeyUnknown | VerifyError::KeysTooMany | VerifyError::SignatureInvalid => {
            Error::UpstreamTokenSignature
        }
        _ => Error::UpstreamIdTokenMalformed,
    }
}

fn check_issuer_and_audience(claims: &Claims, asked: &Asked<'_>) -> Result<(), Error> {
    // "The Issuer Identifier for the OpenID Provider (which is typically obtained during Discovery) MUST exactly match the value of
    // the iss (issuer) Claim." (OIDC Core §3.1.3.7)
    if claims.iss != asked.issuer {
        return Err(Error::UpstreamIdTokenIssuer);
    }
    // "The Client MUST validate that the aud (audience) Claim contains its client_id value registered at the Issuer identified by
    // the iss (issuer) Claim as an audience." (OIDC Core §3.1.3.7)
    if !claims.aud.is_only(asked.client_id) {
        return Err(Error::UpstreamIdTokenAudience);
    }
    // "when an azp (authorized party) Claim is present, the Client SHOULD verify that its client_id is the Claim Value."
    // (OIDC Core §3.1.3.7)
    match &claims.azp {
        Some(azp) if azp.as_str() != Some(asked.client_id) => Err(Error::UpstreamIdTokenAudience),
        _ => Ok(()),
    }
}

fn check_times(claims: &Claims, (skew, now): (Duration, Time)) -> Result<(), Error> {
    // "The current time MUST be before the time represented by the exp Claim." (OIDC Core §3.1.3.7)
    if now >= Time::from_seconds(claims.exp).plus(skew) {
        return Err(Error::UpstreamIdTokenExpired);
    }
    // "The iat Claim can be used to reject tokens that were issued too far away from the current time, limiting the amount of time
    // that nonces need to be stored to prevent attacks. The acceptable range is Client specific." (OIDC Core §3.1.3.7)
    let (iat, latest) = (Time::from_seconds(claims.iat), now.plus(skew));
    let early = iat > latest || claims.nbf.is_some_and(|nbf| Time::from_seconds(nbf) > latest);
    if early || now.since(iat) > MAX_OLD { Err(Error::UpstreamIdTokenExpired) } else { Ok(()) }
}

/// "If the auth_time Claim was requested, either through a specific request for this Claim or by using the max_age parameter, the
/// Client SHOULD check the auth_time Claim value and request re-authentication if it determines too much time has elapsed since the
/// last End-User authentication." (OIDC Core §3.1.3.7)
fn check_auth_time(auth_time: Option<Time>, earliest: Option<Time>, skew: Duration) -> Result<(), Error> {
    let Some(earliest) = earliest else { return Ok(()) };
    if auth_time.is_some_and(|at| at.plus(skew) >= earliest) { Ok(()) } else { Err(Error::UpstreamAuthTime) }
}

fn methods(members: &Map<String, Value>) -> Vec<String> {
    let (most, longest) = MAX_METHODS;
    let is_word =
        |word: &&str| word.len() <= longest && !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic());
    let all = members.get("amr").and_then(Value::as_array).into_iter().flatten();
    all.filter_map(Value::as_str).filter(is_word).take(most).map(str::to_owned).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use grantor_jose::jwk::JwkSet;
    use grantor_jose::key::{SigningKey, Typ};
    use grantor_jose::random::Random;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const NOW: Time = Time::from_seconds(2_000_000_000);
    const SKEW: Duration = Duration::from_secs(30);
    const ASKED: Asked<'static> = Asked {
        issuer: "https://idp.example",
        client_id: "grantor",
        nonce: "a nonce",
        access_token: "an access token",
        earliest: None,
    };

    fn right() -> Value {
        let now = NOW.seconds();
        json!({"iss": "https://idp.example", "sub": "ada", "aud": "grantor", "iat": now, "exp": now + 60, "nonce": "a nonce"})
    }

    fn check_claims(claims: &Value, asked: &Asked<'_>) -> Result<Told, Error> {
        let key = SigningKey::generate(Algorithm::Es256, &Random::seeded(1)).unwrap();
        let token = key.sign_compact(Typ::Jwt, claims).unwrap();
        check(&token, asked, &JwkSet { keys: vec![key.jwk().clone()] }, (SKEW, NOW))
    }

    #[test]
    fn what_is_right_is_told() {
        let told = check_claims(&right(), &ASKED).unwrap();
        assert_eq!((told.subject.as_str(), told.sid, told.auth_time, told.amr.len()), ("ada", None, None, 0));
    }

    #[test]
    fn who_had_to_sign_in_since_a_moment_did_by_what_the_token_says() {
        let asked = Asked { earliest: Some(NOW.minus(Duration::from_secs(100))), ..ASKED };
        for (ago, is_right) in [(Some(0), true), (Some(130), true), (Some(131), false), (None, false)] {
            let mut claims = right();
            claims["auth_time"] = json!(ago.map(|ago| NOW.seconds() - ago));
            assert_eq!(check_claims(&claims, &asked).is_ok(), is_right, "{ago:?}");
        }
    }

    proptest! {
        #[test]
        fn a_claim_of_any_other_value_is_refused_or_says_the_same(
            name in prop::sample::select(vec!["iss", "sub", "aud", "iat", "exp", "nonce", "azp", "at_hash"]),
            value in prop_oneof![
                Just(json!(null)), Just(json!({})), any::<bool>().prop_map(Value::from), any::<i64>().prop_map(Value::from),
                any::<String>().prop_map(Value::from), prop::collection::vec("[a-z]{0,8}", 0..3).prop_map(Value::from),
            ],
        ) {
            let mut claims = right();
            claims[name] = value;
            if let Ok(told) = check_claims(&claims, &ASKED) {
                prop_assert!(["sub", "iat", "exp", "azp", "at_hash"].contains(&name), "{} {}", name, claims);
                prop_assert!(!told.subject.is_empty());
            }
        }

        #[test]
        fn any_text_is_refused(token in ".{0,200}") {
            prop_assert!(check(&token, &ASKED, &JwkSet::default(), (SKEW, NOW)).is_err());
        }
    }
}
