//! What assertions of both kinds say, and that each counts once (RFC 7523 §3, OpenID Connect Core §9). Who signed it is checked
//! before: by the client's key (`private_key_jwt`) or by its secret (`client_secret_jwt`).

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_jose::algorithm::Algorithm;
use grantor_jose::hash;
use grantor_jose::verify::VerifyError;
use grantor_jose::verify::mac::MacAlgorithm;
use serde::{Deserialize, Serialize};

use crate::change::Change;
use crate::client::Client;
use crate::error::Error;
use crate::metadata::TOKEN_PATH;
use crate::policy::Lifetimes;
use crate::provider::{Issuer, Provider};
use crate::store::{Store, StoreError};
use crate::time::Time;

/// The algorithm of an assertion. Each family belongs to one method, so that no MAC is ever verified with a public key (RFC 8725
/// §2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum AssertionAlgorithm {
    /// By the client's secret: for `client_secret_jwt`.
    Mac(MacAlgorithm),
    /// By the client's key: for `private_key_jwt`.
    Signature(Algorithm),
}

/// A name that is none of an algorithm of assertions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown algorithm; known are ES256, ES384, EdDSA, RS256 and PS256, and for client_secret_jwt HS256, HS384 and HS512"
)]
pub struct AssertionAlgorithmUnknown;

impl AssertionAlgorithm {
    /// The names of all, the preferred ones first.
    // "The value "none" MUST NOT be used." (RFC 8414 §2)
    pub fn names() -> Vec<&'static str> {
        let signatures = Algorithm::ALL.iter().map(|algorithm| algorithm.as_str());
        signatures.chain(MacAlgorithm::ALL.iter().map(|algorithm| algorithm.as_str())).collect()
    }

    /// The registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mac(algorithm) => algorithm.as_str(),
            Self::Signature(algorithm) => algorithm.as_str(),
        }
    }
}

impl fmt::Display for AssertionAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<AssertionAlgorithm> for &'static str {
    fn from(algorithm: AssertionAlgorithm) -> Self {
        algorithm.as_str()
    }
}

impl FromStr for AssertionAlgorithm {
    type Err = AssertionAlgorithmUnknown;

    /// Reads a registered name, letter for letter.
    fn from_str(name: &str) -> Result<Self, AssertionAlgorithmUnknown> {
        let signature = name.parse().map(Self::Signature).ok();
        signature.or_else(|| name.parse().map(Self::Mac).ok()).ok_or(AssertionAlgorithmUnknown)
    }
}

impl TryFrom<String> for AssertionAlgorithm {
    type Error = AssertionAlgorithmUnknown;

    fn try_from(name: String) -> Result<Self, AssertionAlgorithmUnknown> {
        name.parse()
    }
}

// "The JWT MUST contain the following REQUIRED Claim Values and MAY contain the following OPTIONAL Claim Values:"
// (OIDC Core §9)
// "Any Claims used that are not understood MUST be ignored." (OIDC Core §9)
#[derive(Deserialize)]
pub(super) struct Assertion {
    // "iss REQUIRED. Issuer. This MUST contain the "client_id" of the OAuth Client." (OIDC Core §9)
    iss: String,
    // "sub REQUIRED. Subject. This MUST contain the "client_id" of the OAuth Client." (OIDC Core §9)
    sub: String,
    // "aud REQUIRED." (OIDC Core §9)
    aud: Audience,
    // "exp REQUIRED." (OIDC Core §9)
    exp: i64,
    iat: Option<i64>,
    nbf: Option<i64>,
    // "jti REQUIRED." (OIDC Core §9)
    jti: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
struct Subject {
    sub: String,
}

/// An assertion that is good, and the note that it is used now.
pub(super) struct Spent {
    digest: [u8; 32],
    expires_at: Time,
}

/// The subject that an assertion names, before anything is proved of it.
pub(super) fn subject(assertion: &str) -> Result<String, Error> {
    let payload = assertion.split('.').nth(1).ok_or(Error::AssertionMalformed)?;
    let bytes = URL_SAFE_NO_PAD.decode(payload).map_err(|_| Error::AssertionMalformed)?;
    serde_json::from_slice::<Subject>(&bytes).map(|claims| claims.sub).map_err(|_| Error::AssertionMalformed)
}

/// The reason for which an assertion whose signature is not good is refused.
pub(super) const fn unverified(error: VerifyError) -> Error {
    match error {
        VerifyError::AlgorithmNotAllowed => Error::AssertionAlgorithm,
        VerifyError::SignatureInvalid | VerifyError::KeyUnknown => Error::AssertionSignature,
        _ => Error::AssertionMalformed,
    }
}

/// Checks what a signed assertion says at `now`.
pub(super) fn accept<S: Store>(
    provider: &Provider<S>,
    client: &Client,
    claims: &Assertion,
    now: Time,
) -> Result<Spent, Error> {
    let us = Us { issuer: &provider.issuer, issuer_alone: provider.policy.clients.require_issuer_audience };
    check_claims(claims, &client.client_id, us, (&provider.policy.lifetimes, now))?;
    check_epoch(claims, provider.store.directory().epoch, (&provider.policy.lifetimes, now))?;
    Ok(Spent {
        digest: hash::sha256(format!("{}\0{}", client.client_id, claims.jti).as_bytes()),
        expires_at: Time::from_seconds(claims.exp).plus(provider.policy.lifetimes.clock_skew),
    })
}

/// By what names assertions may be for us.
#[derive(Clone, Copy)]
struct Us<'a> {
    issuer: &'a Issuer,
    /// Not by the address of the token endpoint.
    issuer_alone: bool,
}

impl Us<'_> {
    fn is(self, audience: &str) -> bool {
        // "The Audience SHOULD be the URL of the Authorization Server's Token Endpoint." (OIDC Core §9); the identifier is better,
        // since another server can give itself the address of our endpoint, but not our identifier.
        audience == self.issuer.as_str() || !self.issuer_alone && audience == self.issuer.at(TOKEN_PATH)
    }
}

/// Decides whether the claims of a signed assertion are good at `now`.
fn check_claims(
    claims: &Assertion,
    client_id: &str,
    us: Us<'_>,
    (lifetimes, now): (&Lifetimes, Time),
) -> Result<(), Error> {
    // "The JWT MUST contain an "iss" (issuer) claim that contains a unique identifier for the entity that issued the JWT."
    // (RFC 7523 §3)
    // "For client authentication, the subject MUST be the "client_id" of the OAuth client." (RFC 7523 §3)
    // "This MUST contain the "client_id" of the OAuth Client." (OIDC Core §9)
    if claims.iss != client_id || claims.sub != client_id {
        return Err(Error::AssertionSubject);
    }
    // "The JWT MUST contain an "aud" (audience) claim containing a value that identifies the authorization server as an
    // intended audience." (RFC 7523 §3)
    // Stricter than RFC 7523: because an assertion that other servers accept too can be replayed there, nobody else may be named
    // beside us.
    let ours = match &claims.aud {
        Audience::One(audience) => us.is(audience),
        Audience::Many(audiences) => !audiences.is_empty() && audiences.iter().all(|audience| us.is(audience)),
    };
    // "The Authorization Server MUST verify that it is an intended audience for the token." (OIDC Core §9)
    if !ours {
        return Err(Error::AssertionAudience);
    }
    // "The authorization server MUST reject any JWT with an expiration time that has passed, subject to allowable clock
    // skew between systems." (RFC 7523 §3)
    // "Expiration time on or after which the JWT MUST NOT be accepted for processing." (OIDC Core §9); clocks may differ.
    let exp = Time::from_seconds(claims.exp);
    if now >= exp.plus(lifetimes.clock_skew) {
        return Err(Error::AssertionExpired);
    }
    // "Note that the authorization server may reject JWTs with an "exp" claim value that is unreasonably far in the future."
    // (RFC 7523 §3)
    let longest = lifetimes.client_assertion + lifetimes.clock_skew;
    let too_old = claims.iat.is_some_and(|iat| now.since(Time::from_seconds(iat)) > longest + lifetimes.clock_skew);
    if exp > now.plus(longest) || too_old {
        return Err(Error::AssertionLifetime);
    }
    // "The JWT MAY contain an "nbf" (not before) claim that identifies the time before which the token MUST NOT be
    // accepted for processing." (RFC 7523 §3)
    let ahead =
        |moment: Option<i64>| moment.is_some_and(|moment| Time::from_seconds(moment) > now.plus(lifetimes.clock_skew));
    if ahead(claims.nbf) || ahead(claims.iat) {
        return Err(Error::AssertionLifetime);
    }
    if claims.jti.is_empty() { Err(Error::AssertionMalformed) } else { Ok(()) }
}

/// Decides whether an assertion may have been used before the epoch, in a time of which no notes are left.
///
/// One that was used before it said an `iat` at most `clock_skew` ahead of then, and expires before the longest life is over.
fn check_epoch(claims: &Assertion, epoch: Option<Time>, (lifetimes, now): (&Lifetimes, Time)) -> Result<(), Error> {
    let Some(epoch) = epoch else { return Ok(()) };
    // Stricter than RFC 7523: because notes of used assertions that a restore has lost would let each be used again.
    let from_before = claims.iat.is_none_or(|iat| Time::from_seconds(iat) < epoch.plus(lifetimes.clock_skew));
    let may_still_live = now < epoch.plus(lifetimes.client_assertion + 2 * lifetimes.clock_skew);
    if from_before && may_still_live { Err(Error::AssertionBeforeEpoch) } else { Ok(()) }
}

/// Notes that the assertion is used. The insertion is the lock: of two at once, one fails.
pub(super) async fn spend<S: Store>(provider: &Provider<S>, spent: Spent) -> Result<(), Error> {
    // "The authorization server MAY ensure that JWTs are not replayed by maintaining the set of used "jti" values for the
    // length of time for which the JWT would be considered valid" (RFC 7523 §3)
    // "These tokens MUST only be used once, unless conditions for reuse were negotiated between the parties" (OIDC Core §9)
    let note = Change::AssertionSpend { digest: spent.digest, expires_at: spent.expires_at };
    match provider.store.commit(vec![note]).await {
        Ok(()) => Ok(()),
        Err(StoreError::Conflict) => Err(Error::AssertionReplayed),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: i64 = 100_000;

    fn good() -> Assertion {
        Assertion {
            iss: "signed".into(),
            sub: "signed".into(),
            aud: Audience::One("https://id.example".into()),
            exp: NOW + 60,
            iat: Some(NOW),
            nbf: None,
            jti: "1".into(),
        }
    }

    fn checked_by(claims: &Assertion, issuer_alone: bool) -> Result<(), &'static str> {
        let issuer = Issuer::parse("https://id.example").unwrap();
        let at = (&Lifetimes::default(), Time::from_seconds(NOW));
        check_claims(claims, "signed", Us { issuer: &issuer, issuer_alone }, at).map_err(|error| error.reason())
    }

    fn checked(claims: &Assertion) -> Result<(), &'static str> {
        checked_by(claims, false)
    }

    #[test]
    fn an_assertion_is_for_this_issuer_alone() {
        let (issuer, endpoint, other) =
            ("https://id.example", "https://id.example/token", "https://other.example/token");
        let many = |names: &[&str]| Audience::Many(names.iter().map(|name| (*name).to_owned()).collect());
        let verdicts = |aud: fn(&[&str]) -> Audience, names: &[&str]| {
            [false, true].map(|alone| checked_by(&Assertion { aud: aud(names), ..good() }, alone).is_ok())
        };
        let one = |names: &[&str]| Audience::One(names[0].to_owned());
        assert_eq!(verdicts(one, &[issuer]), [true, true]);
        assert_eq!(verdicts(one, &[endpoint]), [true, false]);
        assert_eq!(verdicts(one, &[other]), [false, false]);
        assert_eq!(verdicts(many, &[issuer, endpoint]), [true, false]);
        for names in [&[issuer, other][..], &[endpoint, other], &[]] {
            assert_eq!(verdicts(many, names), [false, false], "{names:?}");
        }
    }

    #[test]
    fn iss_and_sub_are_the_client() {
        assert_eq!(checked(&Assertion { iss: "other".into(), ..good() }), Err("AssertionSubject"));
        assert_eq!(checked(&Assertion { sub: "other".into(), ..good() }), Err("AssertionSubject"));
    }

    proptest! {
        /// Whatever it says of its times: what was good before the epoch is good at no time after.
        #[test]
        fn no_assertion_counts_on_both_sides_of_an_epoch(
            exp in -400..400_i64,
            iat in prop::option::of(-400..400_i64),
            (before, after) in (0..400_000_i64, 0..800_000_i64),
        ) {
            let (issuer, lifetimes) = (Issuer::parse("https://id.example").unwrap(), Lifetimes::default());
            let epoch = Time::from_seconds(NOW);
            let claims = Assertion { exp: NOW + exp, iat: iat.map(|iat| NOW + iat), ..good() };
            let is_good = |at: Time, epoch| {
                check_claims(&claims, "signed", Us { issuer: &issuer, issuer_alone: false }, (&lifetimes, at))
                    .and_then(|()| check_epoch(&claims, epoch, (&lifetimes, at)))
                    .is_ok()
            };
            let before = is_good(Time::from_millis(epoch.millis() - 1 - before), None);
            prop_assert!(!(before && is_good(Time::from_millis(epoch.millis() + after), Some(epoch))));
        }

        /// Whatever times stand in it: a good assertion is neither over, nor of the future, nor long-lived.
        #[test]
        fn a_good_assertion_is_of_now(exp in any::<i64>(), iat in any::<Option<i64>>(), nbf in any::<Option<i64>>()) {
            let near = |time: Option<i64>| time.map(|time| if time % 2 == 0 { time } else { NOW + time % 1000 });
            let exp = if exp % 2 == 0 { exp } else { NOW + exp % 1000 };
            let (iat, nbf) = (near(iat), near(nbf));
            if checked(&Assertion { exp, iat, nbf, ..good() }).is_ok() {
                prop_assert!(exp > NOW - 30 && exp <= NOW + 330);
                prop_assert!(iat.is_none_or(|iat| (NOW - 361..=NOW + 30).contains(&iat)));
                prop_assert!(nbf.is_none_or(|nbf| nbf <= NOW + 30));
            }
        }
    }
}
