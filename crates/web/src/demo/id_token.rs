//! What an app must verify before it believes an ID token, each point shown with what was found.

use openidconnect::{
    AccessToken, AccessTokenHash, Nonce, SubjectIdentifier,
    core::{CoreIdToken, CoreIdTokenClaims, CoreIdTokenVerifier},
};

use super::{
    decode,
    provider::Provider,
    step::{Step, Subject, reason},
};

/// Seconds that the server's own clock may jump between a sign-in and the token that tells of it.
const LEEWAY: i64 = 10;

/// What the app remembers of its request.
pub(super) struct Expected<'a> {
    pub(super) provider: &'a Provider,
    pub(super) nonce: &'a Nonce,
    /// Whether the token may come without the nonce, as one from a refresh may.
    pub(super) nonce_may_be_absent: bool,
    pub(super) max_age: Option<u64>,
    /// Who it must be about, once this is known.
    pub(super) subject: Option<&'a SubjectIdentifier>,
}

/// Verifies an ID token, notes each check, and says whom it is about.
pub(super) fn verify(
    step: &mut Step,
    expected: &Expected<'_>,
    id_token: &CoreIdToken,
    access_token: &AccessToken,
) -> Option<SubjectIdentifier> {
    let verifier = expected.provider.client.id_token_verifier();
    match id_token.claims(&verifier, |nonce: Option<&Nonce>| nonce_matches(expected, nonce)) {
        Ok(claims) => {
            note_verified(step, expected, id_token, claims);
            note_binding(step, expected, claims, at_hash_matches(claims, id_token, access_token, &verifier));
            step.checks.iter().all(|check| check.passed).then(|| claims.subject().clone())
        }
        Err(error) => {
            step.check(Subject::Acceptable, false, reason(&error));
            None
        }
    }
}

/// The points that the crate verified before it gave out the claims.
fn note_verified(step: &mut Step, expected: &Expected<'_>, id_token: &CoreIdToken, claims: &CoreIdTokenClaims) {
    let decoded = decode::jwt(&id_token.to_string());
    let member = |name: &str, of_header: bool| {
        let members = decoded.iter().flat_map(|decoded| if of_header { &decoded.header } else { &decoded.claims });
        members.into_iter().find(|member| member.name == name).map(|member| member.value.clone()).unwrap_or_default()
    };
    step.check(Subject::Signature, true, format!("{} · {}", member("alg", true), member("kid", true)));
    step.check(Subject::Issuer, true, claims.issuer().as_str());
    step.check(Subject::Audience, true, member("aud", false));
    step.check(Subject::Expiry, true, member("exp", false));
    let nonce = claims.nonce().map_or("—", |_| expected.nonce.secret());
    step.check(Subject::Nonce, true, nonce);
}

/// The points that tie the token to this sign-in and to the access token beside it.
fn note_binding(
    step: &mut Step,
    expected: &Expected<'_>,
    claims: &CoreIdTokenClaims,
    at_hash: Result<Option<String>, String>,
) {
    match at_hash {
        Ok(Some(hash)) => step.check(Subject::AtHash, true, hash),
        Ok(None) => {}
        Err(reason) => step.check(Subject::AtHash, false, reason),
    }
    if let Some(max_age) = expected.max_age {
        let age = claims.auth_time().map(|at| (claims.issue_time() - at).num_seconds());
        // "When max_age is used, the ID Token returned MUST include an auth_time Claim Value." (OIDC Core §3.1.2.1)
        let fresh = age.is_some_and(|age| age <= i64::try_from(max_age).unwrap_or(i64::MAX).saturating_add(LEEWAY));
        step.check(
            Subject::AuthTime,
            fresh,
            age.map_or_else(|| "auth_time: —".to_owned(), |age| format!("{age} s ≤ {max_age} s")),
        );
    }
    if let Some(subject) = expected.subject {
        // "its sub Claim Value MUST be the same as in the ID Token issued when the original authentication occurred" (OIDC Core §12.2)
        step.check(Subject::SamePerson, claims.subject() == subject, claims.subject().as_str());
    }
}

fn nonce_matches(expected: &Expected<'_>, nonce: Option<&Nonce>) -> Result<(), String> {
    // "If a nonce value was sent in the Authentication Request, a nonce Claim MUST be present and its value checked to
    // verify that it is the same value as the one that was sent in the Authentication Request." (OIDC Core §3.1.3.7)
    match nonce {
        Some(nonce) if nonce.secret() == expected.nonce.secret() => Ok(()),
        None if expected.nonce_may_be_absent => Ok(()),
        Some(_) => Err("the nonce is not the one that was sent".to_owned()),
        None => Err("the nonce is missing".to_owned()),
    }
}

/// The hash where it is there and right, nothing where it is not there.
fn at_hash_matches(
    claims: &CoreIdTokenClaims,
    id_token: &CoreIdToken,
    access_token: &AccessToken,
    verifier: &CoreIdTokenVerifier<'_>,
) -> Result<Option<String>, String> {
    let Some(stated) = claims.access_token_hash() else { return Ok(None) };
    let algorithm = id_token.signing_alg().map_err(|error| error.to_string())?;
    let key = id_token.signing_key(verifier).map_err(|error| error.to_string())?;
    let computed = AccessTokenHash::from_token(access_token, algorithm, key).map_err(|error| error.to_string())?;
    if computed == *stated {
        Ok(Some(stated.as_str().to_owned()))
    } else {
        Err("at_hash is of another access token".to_owned())
    }
}
