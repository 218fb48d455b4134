//! JWT access tokens, checked without asking anybody (RFC 9068 §4).

use grantor_jose::jwk::JwkSet;
use grantor_jose::key::Typ;
use grantor_jose::verify::{Expected, TypRule, verify};

use crate::access::Access;
use crate::claims::{Rules, Told};
use crate::denied::Fault;
use crate::issuer::ALGORITHMS;

/// Whether a token has the form of a JWT: three parts with dots between. Everything else is opaque.
pub(crate) fn has_form(token: &str) -> bool {
    token.bytes().filter(|byte| *byte == b'.').count() == 2
}

/// What the token allows, if one of the keys has signed it and it counts here at `now`.
pub(crate) fn check(token: &str, keys: &JwkSet, rules: &Rules, now: i64) -> Result<Access, Fault> {
    // "The resource server MUST verify that the "typ" header value is "at+jwt" or "application/at+jwt" and reject tokens carrying
    // any other value." (RFC 9068 §4)
    // "The resource server MUST reject any JWT in which the value of "alg" is "none". The resource server MUST use the keys
    // provided by the authorization server." (RFC 9068 §4)
    let algorithms = rules.algorithms.as_deref().unwrap_or(ALGORITHMS);
    let expected = Expected { typ: TypRule::Is(Typ::AtJwt), algorithms };
    let told: Told = verify(token, &expected, keys).and_then(|token| token.claims()).map_err(Fault::Unverified)?;
    // RFC 9068 §2.2: "REQUIRED", each of them.
    let required = [
        ("iss", told.iss.is_some()),
        ("exp", told.exp.is_some()),
        ("sub", told.sub.is_some()),
        ("client_id", told.client_id.is_some()),
        ("iat", told.iat.is_some()),
        ("jti", told.jti.is_some()),
    ];
    match required.into_iter().find(|(_, is_there)| !is_there) {
        Some((name, _)) => Err(Fault::ClaimMissing(name)),
        None => told.admitted(rules, now),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
