//! Proof Key for Code Exchange (RFC 7636), S256 only; oxide-auth's `Pkce` keeps and compares the challenge.

use std::borrow::Cow;

use oxide_auth::code_grant::extensions::Pkce;
use oxide_auth::primitives::grant::Value;

use crate::error::Error;
use crate::params::Params;

/// The challenge of an authorization request, as it is kept with the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeChallenge(String);

impl CodeChallenge {
    /// Reads `code_challenge` and `code_challenge_method`.
    ///
    /// # Errors
    /// `ChallengeMissing`, `ChallengeMalformed` or `ChallengeMethodUnsupported`.
    pub fn read(params: &Params, required: bool) -> Result<Option<Self>, Error> {
        let Some(challenge) = params.get("code_challenge") else {
            return match (required, params.get("code_challenge_method")) {
                (false, None) => Ok(None),
                _ => Err(Error::ChallengeMissing),
            };
        };
        // "Clients are permitted to use "plain" only if they cannot support "S256" for some technical reason" (RFC 7636 §4.2)
        // Stricter than RFC 7636 §4.3: an absent method means "plain", which is never offered here.
        if params.get("code_challenge_method") != Some("S256") {
            return Err(Error::ChallengeMethodUnsupported);
        }
        // A SHA-256 hash in base64url without padding is 43 characters, and the last one carries only four bits.
        if challenge.len() != 43 || !challenge.bytes().all(is_base64url) {
            return Err(Error::ChallengeMalformed);
        }
        let value = Pkce::required().challenge(Some(Cow::Borrowed("S256")), Some(Cow::Borrowed(challenge)));
        match value {
            Ok(Some(Value::Private(Some(encoded)))) => Ok(Some(Self(encoded))),
            _ => Err(Error::ChallengeMalformed),
        }
    }

    /// The text a row keeps.
    pub fn as_stored(&self) -> &str {
        &self.0
    }

    /// A challenge read back from a row.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }
}

/// Compares the verifier of a token request with the challenge of its code.
///
/// # Errors
/// `VerifierMismatch`, `VerifierMissing`, `VerifierMalformed`, or `VerifierUnexpected` for a code without challenge.
pub(crate) fn verify(challenge: Option<&CodeChallenge>, verifier: Option<&str>) -> Result<(), Error> {
    let (challenge, verifier) = match (challenge, verifier) {
        (None, None) => return Ok(()),
        // "authorization servers MUST mitigate PKCE Downgrade Attacks by ensuring that a token request containing a
        // code_verifier parameter is accepted only if a code_challenge parameter was present in the authorization
        // request" (RFC 9700 §2.1.1)
        (None, Some(_)) => return Err(Error::VerifierUnexpected),
        (Some(_), None) => return Err(Error::VerifierMissing),
        (Some(challenge), Some(verifier)) => (challenge, verifier),
    };
    // "code_verifier = high-entropy cryptographic random STRING using the unreserved characters [A-Z] / [a-z] / [0-9] /
    // "-" / "." / "_" / "~" from Section 2.3 of [RFC3986], with a minimum length of 43 characters and a maximum length of
    // 128 characters." (RFC 7636 §4.1)
    if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(is_unreserved) {
        return Err(Error::VerifierMalformed);
    }
    let kept = Value::Private(Some(challenge.0.clone()));
    // "If the values are not equal, an error response indicating "invalid_grant" as described in Section 5.2 of [RFC6749]
    // MUST be returned." (RFC 7636 §4.6)
    Pkce::required().verify(Some(kept), Some(Cow::Borrowed(verifier))).map_err(|()| Error::VerifierMismatch)
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn is_unreserved(byte: u8) -> bool {
    is_base64url(byte) || matches!(byte, b'.' | b'~')
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // The pair of RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn challenge(method: &str, text: &str) -> Result<Option<CodeChallenge>, Error> {
        let params = Params::from_pairs([("code_challenge", text), ("code_challenge_method", method)]).unwrap();
        CodeChallenge::read(&params, true)
    }

    #[test]
    fn the_pair_of_the_rfc_fits() {
        let kept = challenge("S256", CHALLENGE).unwrap();
        assert!(verify(kept.as_ref(), Some(VERIFIER)).is_ok());
    }

    #[test]
    fn plain_is_never_taken() {
        for method in ["plain", "", "s256", "S512", "none"] {
            assert!(matches!(challenge(method, CHALLENGE), Err(Error::ChallengeMethodUnsupported)), "{method}");
        }
    }

    #[test]
    fn the_challenge_is_no_verifier() {
        let kept = challenge("S256", CHALLENGE).unwrap();
        assert!(matches!(verify(kept.as_ref(), Some(CHALLENGE)), Err(Error::VerifierMismatch)));
        assert!(matches!(verify(kept.as_ref(), None), Err(Error::VerifierMissing)));
        assert!(matches!(verify(kept.as_ref(), Some("short")), Err(Error::VerifierMalformed)));
        assert!(matches!(verify(None, Some(VERIFIER)), Err(Error::VerifierUnexpected)));
    }

    #[test]
    fn malformed_challenges_are_refused() {
        for text in
            ["short", &format!("{CHALLENGE}="), &CHALLENGE[1..], &CHALLENGE.replace('-', "+"), &format!("{CHALLENGE}a")]
        {
            assert!(matches!(challenge("S256", text), Err(Error::ChallengeMalformed)), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_other_verifier_fits(verifier in "[A-Za-z0-9._~-]{43,128}") {
            let kept = challenge("S256", CHALLENGE).unwrap();
            prop_assert_eq!(verify(kept.as_ref(), Some(&verifier)).is_ok(), verifier == VERIFIER);
        }
    }
}
