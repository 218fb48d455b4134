//! Reading a signed token of somebody, strictly (RFC 7515 §5.2, RFC 8725 §3).

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};

use crate::algorithm::Algorithm;
use crate::base64url;
use crate::json;
use crate::jwk::{Jwk, JwkSet};
use crate::key::Typ;

pub mod mac;

/// How long a token may be, in bytes.
pub const MAX_TOKEN: usize = 16 * 1024;
/// How long its encoded header may be, in bytes.
pub const MAX_HEADER: usize = 8 * 1024;
/// How many keys are tried for one token.
pub const MAX_TRIED: usize = 8;

/// What a token must be, before anything that it says counts.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// What kind it must be.
    pub typ: TypRule,
    /// The algorithms that its signer may use.
    pub algorithms: &'a [Algorithm],
}

/// What the `typ` of a token must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypRule {
    /// Anything or nothing: only where no token of another kind is signed with the same keys.
    Any,
    /// This kind. For [`Typ::Jwt`], a token without `typ` counts too.
    Is(Typ),
    /// The kind of this name, or [`Typ::Jwt`], or no `typ`: for what others sign, and need not say what it is.
    JwtOr(&'static str),
}

/// Keys that a token may be signed with.
pub trait KeySource {
    /// All of them.
    fn keys(&self) -> impl Iterator<Item = &Jwk>;
}

impl KeySource for Jwk {
    fn keys(&self) -> impl Iterator<Item = &Jwk> {
        std::iter::once(self)
    }
}

impl KeySource for JwkSet {
    fn keys(&self) -> impl Iterator<Item = &Jwk> {
        self.keys.iter()
    }
}

/// The header of a token. Members that we do not know are ignored, as they must be.
#[derive(Clone, Debug, Deserialize)]
pub struct Header {
    /// The algorithm, as it was named.
    alg: String,
    /// The key's name.
    pub kid: Option<String>,
    /// The kind, as it was named.
    pub typ: Option<String>,
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

/// A token whose signature is good.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The algorithm it is signed with.
    pub algorithm: Algorithm,
    /// Its header.
    pub header: Header,
    /// Its payload, decoded.
    pub payload: Vec<u8>,
}

/// Why a token is refused, in alphabetical order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum VerifyError {
    /// `none`, an HMAC, an unknown algorithm, or one that is not expected here.
    #[error("the token's algorithm is not allowed")]
    AlgorithmNotAllowed,
    /// A part is not base64url without padding.
    #[error("a part of the token is not base64url")]
    Base64Invalid,
    /// The claims are not JSON, repeat a name, or lack something.
    #[error("the token's claims are not what they should be")]
    ClaimsInvalid,
    /// The header has `crit`, and no extension is known here.
    #[error("the token requires an extension that is not understood")]
    CriticalExtension,
    /// The header is not JSON, repeats a name, or lacks `alg`.
    #[error("the token's header is invalid")]
    HeaderInvalid,
    /// The header is longer than [`MAX_HEADER`].
    #[error("the token's header is too long")]
    HeaderTooLong,
    /// No key has the token's `kid` and fits its algorithm.
    #[error("no key fits the token")]
    KeyUnknown,
    /// More than [`MAX_TRIED`] keys fit.
    #[error("too many keys fit the token; it must name its key")]
    KeysTooMany,
    /// Not three parts.
    #[error("the token does not have three parts")]
    PartCount,
    /// The signature is none of the keys'.
    #[error("the token's signature is invalid")]
    SignatureInvalid,
    /// The token is longer than [`MAX_TOKEN`].
    #[error("the token is too long")]
    TokenTooLong,
    /// A token of another kind.
    #[error("the token is of another kind")]
    TypMismatch,
}

/// Checks form, kind, algorithm and signature of a token in compact serialization. What it claims is for the caller to check.
pub fn verify(compact: &str, expected: &Expected<'_>, keys: &impl KeySource) -> Result<Verified, VerifyError> {
    let parts = Parts::split(compact)?;
    let header = read_header(parts.header)?;
    // "Libraries MUST enable the caller to specify a supported set of algorithms and MUST NOT use any other algorithms when
    // performing cryptographic operations." (RFC 8725 §3.1)
    let algorithm = header.alg.parse().map_err(|_| VerifyError::AlgorithmNotAllowed)?;
    if !expected.algorithms.contains(&algorithm) {
        return Err(VerifyError::AlgorithmNotAllowed);
    }
    expected.typ.check(header.typ.as_deref())?;
    let signature = base64url::decode(parts.signature).ok_or(VerifyError::Base64Invalid)?;
    let payload = base64url::decode(parts.payload).ok_or(VerifyError::Base64Invalid)?;
    // "All cryptographic operations used in the JWT MUST be validated and the entire JWT MUST be rejected if any of them fail
    // to validate." (RFC 8725 §3.3)
    let candidates = candidates(keys, header.kid.as_deref(), algorithm)?;
    if candidates.iter().any(|key| key.verify(algorithm, parts.signed.as_bytes(), &signature)) {
        Ok(Verified { algorithm, header, payload })
    } else {
        Err(VerifyError::SignatureInvalid)
    }
}

/// Whether a token may be by one of these keys: one has the name that it gives, or it gives none that is theirs, and is by one of them
/// all the same. Where it is not, its signer may have other keys by now. What cannot be read needs none.
pub fn may_be_by(compact: &str, keys: &impl KeySource) -> bool {
    let header = Parts::split(compact).and_then(|parts| read_header(parts.header));
    let Ok(header) = header else { return true };
    let Ok(algorithm) = header.alg.parse::<Algorithm>() else { return true };
    let is_named = |key: &Jwk| header.kid.is_some() && key.kid() == header.kid.as_deref() && key.supports(algorithm);
    let expected = Expected { typ: TypRule::Any, algorithms: Algorithm::ALL };
    let verified = || verify(compact, &expected, keys);
    keys.keys().any(is_named) || !matches!(verified(), Err(VerifyError::KeyUnknown | VerifyError::SignatureInvalid))
}

/// The claims of a token that nobody signed, and that says so: anybody can have made it. Any other token is refused.
///
/// # Errors
/// What is wrong with it.
pub fn read_unsecured<T: DeserializeOwned>(compact: &str, typ: TypRule) -> Result<T, VerifyError> {
    let parts = Parts::split(compact)?;
    let header = read_header(parts.header)?;
    // "JWT libraries SHOULD NOT consume JWTs using "none" unless explicitly requested by the caller." (RFC 8725 §3.2)
    if header.alg != "none" {
        return Err(VerifyError::AlgorithmNotAllowed);
    }
    typ.check(header.typ.as_deref())?;
    // "Recipients MUST verify that the JWS Signature value is the empty octet sequence." (RFC 7518 §3.6)
    if !parts.signature.is_empty() {
        return Err(VerifyError::SignatureInvalid);
    }
    let payload = base64url::decode(parts.payload).ok_or(VerifyError::Base64Invalid)?;
    json::read(&payload).map_err(|_| VerifyError::ClaimsInvalid)
}

impl Verified {
    /// The claims. A name that stands twice refuses them, at any depth.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, VerifyError> {
        json::read(&self.payload).map_err(|_| VerifyError::ClaimsInvalid)
    }
}

struct Parts<'a> {
    signed: &'a str,
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    /// Measures, then splits: nothing is decoded before it is known to be small.
    fn split(compact: &'a str) -> Result<Self, VerifyError> {
        if compact.len() > MAX_TOKEN {
            return Err(VerifyError::TokenTooLong);
        }
        let (signed, signature) = compact.rsplit_once('.').ok_or(VerifyError::PartCount)?;
        let (header, payload) = signed.split_once('.').ok_or(VerifyError::PartCount)?;
        if payload.contains('.') {
            return Err(VerifyError::PartCount);
        }
        if header.len() > MAX_HEADER {
            return Err(VerifyError::HeaderTooLong);
        }
        Ok(Self { signed, header, payload, signature })
    }
}

fn read_header(encoded: &str) -> Result<Header, VerifyError> {
    let bytes = base64url::decode(encoded).ok_or(VerifyError::Base64Invalid)?;
    // "The Header Parameter names within the JOSE Header MUST be unique" (RFC 7515 §4)
    let header: Header = json::read(&bytes).map_err(|_| VerifyError::HeaderInvalid)?;
    // "If any of the listed extension Header Parameters are not understood and supported by the recipient, then the JWS is
    // invalid." (RFC 7515 §4.1.11) None is understood here.
    if header.crit { Err(VerifyError::CriticalExtension) } else { Ok(header) }
}

/// Whether a member stands there, whatever it says: also `null`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

impl TypRule {
    /// "the validation rules for those JWTs MUST be written such that they are mutually exclusive, rejecting JWTs of the wrong
    /// kind" (RFC 8725 §3.12)
    fn check(self, typ: Option<&str>) -> Result<(), VerifyError> {
        let fits = match (self, typ) {
            (Self::Any | Self::Is(Typ::Jwt) | Self::JwtOr(_), None) | (Self::Any, Some(_)) => true,
            (Self::Is(_), None) => false,
            (Self::Is(expected), Some(typ)) => is_kind(typ, expected.as_str()),
            (Self::JwtOr(name), Some(typ)) => is_kind(typ, name) || is_kind(typ, Typ::Jwt.as_str()),
        };
        if fits { Ok(()) } else { Err(VerifyError::TypMismatch) }
    }
}

/// Whether a `typ` names this kind.
fn is_kind(typ: &str, expected: &str) -> bool {
    // "A recipient using the media type value MUST treat it as if "application/" were prepended to any "typ" value not containing
    // a '/'." (RFC 7515 §4.1.9)
    let prefix = "application/";
    let bare = match typ.split_at_checked(prefix.len()) {
        Some((before, after)) if before.eq_ignore_ascii_case(prefix) => after,
        _ => typ,
    };
    bare.eq_ignore_ascii_case(expected)
}

/// The keys to try: those that fit the algorithm and have the name, or no name.
fn candidates<'k>(
    keys: &'k impl KeySource,
    kid: Option<&str>,
    algorithm: Algorithm,
) -> Result<Vec<&'k Jwk>, VerifyError> {
    // "The library MUST ensure that the "alg" or "enc" header specifies the same algorithm that is used for the cryptographic
    // operation. Moreover, each key MUST be used with exactly one algorithm, and this MUST be checked when the cryptographic
    // operation is performed." (RFC 8725 §3.1)
    let fitting = keys.keys().filter(|key| key.supports(algorithm));
    let named = |key: &&Jwk| kid.is_none() || key.kid().is_none() || key.kid() == kid;
    let candidates: Vec<&Jwk> = fitting.filter(named).take(MAX_TRIED + 1).collect();
    match candidates.len() {
        0 => Err(VerifyError::KeyUnknown),
        1..=MAX_TRIED => Ok(candidates),
        _ => Err(VerifyError::KeysTooMany),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;
