//! Decrypting what somebody encrypted to us, strictly (RFC 7516 §5.2, RFC 8725 §3).

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::agreement::{self, Parties};
use super::algorithm::{ContentEncryption, KeyAlgorithm};
use super::content::{ContentKey, Sealed};
use super::decryption_key::DecryptionKey;
use super::wrap;
use crate::base64url;
use crate::json;
use crate::jwk::Jwk;
use crate::verify::MAX_HEADER;

/// How long an encrypted token may be, in bytes: one that holds a signed token of the longest kind fits.
pub const MAX_ENCRYPTED: usize = 32 * 1024;
/// How many of our keys are tried for one token that does not name one.
const MAX_TRIED: usize = 8;
/// How long `apu` and `apv` may be, decoded, in bytes.
const MAX_PARTY: usize = 256;

/// Why an encrypted token is refused, in alphabetical order. All but the last can be seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum DecryptError {
    /// An `alg` or `enc` that we do not know or do not take.
    #[error("the token's encryption is not allowed")]
    AlgorithmNotAllowed,
    /// The content is said to be compressed, and would be of any size.
    #[error("the token's content is compressed")]
    Compressed,
    /// The header has `crit`, and no extension is known here.
    #[error("the token requires an extension that is not understood")]
    CriticalExtension,
    /// The header is too long, not base64url, not JSON, repeats a name, or lacks something.
    #[error("the encrypted token's header is invalid")]
    HeaderInvalid,
    /// Not five parts.
    #[error("the encrypted token does not have five parts")]
    PartCount,
    /// The token is longer than [`MAX_ENCRYPTED`].
    #[error("the encrypted token is too long")]
    TokenTooLong,
    /// Anything else: the key, its wrapping, the point, the tag, the content. They are one, so that nobody learns which.
    #[error("the token cannot be decrypted")]
    Undecryptable,
}

/// A content that was encrypted to us.
#[derive(Debug)]
pub struct Decrypted {
    /// How its key reached us.
    pub algorithm: KeyAlgorithm,
    /// How it was encrypted.
    pub encryption: ContentEncryption,
    /// What it is said to be: `JWT` for a signed token.
    pub cty: Option<String>,
    /// The content.
    pub plaintext: Zeroizing<Vec<u8>>,
}

/// The protected header. Members that we do not know are ignored, as they must be.
#[derive(Deserialize)]
struct Header {
    alg: String,
    enc: String,
    kid: Option<String>,
    cty: Option<String>,
    epk: Option<Jwk>,
    apu: Option<String>,
    apv: Option<String>,
    #[serde(default, deserialize_with = "present")]
    crit: bool,
    #[serde(default, deserialize_with = "present")]
    zip: bool,
}

/// Whether a text has the form of an encrypted token, which are five parts.
// "JWSs have three segments separated by two period ('.') characters. JWEs have five segments separated by four period ('.')
// characters." (RFC 7516 §9)
pub fn is_encrypted(compact: &str) -> bool {
    compact.bytes().filter(|byte| *byte == b'.').count() == 4
}

/// Decrypts a token in compact serialization with the one of `keys` that it names, or with each where it names none. What it
/// holds is for the caller to check: anybody can encrypt to a public key.
pub fn decrypt(compact: &str, keys: &[&DecryptionKey]) -> Result<Decrypted, DecryptError> {
    let parts = Parts::split(compact)?;
    let header = read_header(parts.header)?;
    // "Libraries MUST enable the caller to specify a supported set of algorithms and MUST NOT use any other algorithms when
    // performing cryptographic operations." (RFC 8725 §3.1)
    let algorithm: KeyAlgorithm = header.alg.parse().map_err(|_| DecryptError::AlgorithmNotAllowed)?;
    let encryption: ContentEncryption = header.enc.parse().map_err(|_| DecryptError::AlgorithmNotAllowed)?;
    if !KeyAlgorithm::TO_US.contains(&algorithm) {
        return Err(DecryptError::AlgorithmNotAllowed);
    }
    let named = |key: &&&DecryptionKey| header.kid.as_deref().is_none_or(|kid| kid == key.kid());
    let mut fitting = keys.iter().filter(named).take(MAX_TRIED);
    // "To mitigate the attacks described in RFC 3218 [RFC3218], the recipient MUST NOT distinguish between format, padding, and
    // length errors of encrypted keys." (RFC 7516 §11.5)
    fitting
        .find_map(|key| open(key, &header, &parts, (algorithm, encryption)))
        .map(|plaintext| Decrypted { algorithm, encryption, cty: header.cty.clone(), plaintext })
        .ok_or(DecryptError::Undecryptable)
}

fn open(
    key: &DecryptionKey,
    header: &Header,
    parts: &Parts<'_>,
    (algorithm, encryption): (KeyAlgorithm, ContentEncryption),
) -> Option<Zeroizing<Vec<u8>>> {
    // "This Header Parameter MUST be present and MUST be understood and processed by implementations when these algorithms are
    // used." (RFC 7518 §4.6.1.1)
    let secret = key.agree(&header.epk.as_ref()?.material)?;
    let (producer, recipient) = header.parties()?;
    let parties = Parties { producer: &producer, recipient: &recipient };
    let agreed = agreement::derive(&secret, algorithm, encryption, parties);
    let wrapped = base64url::decode(parts.key)?;
    let content = match algorithm {
        // "When Direct Key Agreement or Direct Encryption are employed, verify that the JWE Encrypted Key value is an empty octet
        // sequence." (RFC 7516 §5.2)
        KeyAlgorithm::EcdhEs => wrapped.is_empty().then_some(agreed)?,
        _ => wrap::unwrap(&agreed, &wrapped)?,
    };
    let sealed = Sealed {
        iv: base64url::decode(parts.iv)?,
        ciphertext: base64url::decode(parts.ciphertext)?,
        tag: base64url::decode(parts.tag)?,
    };
    ContentKey::new(encryption, content)?.open(sealed, parts.header.as_bytes())
}

impl Header {
    /// `apu` and `apv`, decoded. `None` where they are too long, misspelt, or the same.
    fn parties(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let read = |text: &Option<String>| match text {
            None => Some(Vec::new()),
            Some(text) => base64url::decode(text).filter(|party| party.len() <= MAX_PARTY),
        };
        // "The "apu" and "apv" values MUST be distinct, when used." (RFC 7518 §4.6.2)
        if self.apu.is_some() && self.apu == self.apv {
            return None;
        }
        Some((read(&self.apu)?, read(&self.apv)?))
    }
}

struct Parts<'a> {
    header: &'a str,
    key: &'a str,
    iv: &'a str,
    ciphertext: &'a str,
    tag: &'a str,
}

impl<'a> Parts<'a> {
    /// Measures, then splits: nothing is decoded before it is known to be small.
    fn split(compact: &'a str) -> Result<Self, DecryptError> {
        if compact.len() > MAX_ENCRYPTED {
            return Err(DecryptError::TokenTooLong);
        }
        let mut parts = compact.split('.');
        let mut next = || parts.next().ok_or(DecryptError::PartCount);
        let split = Self { header: next()?, key: next()?, iv: next()?, ciphertext: next()?, tag: next()? };
        match parts.next() {
            Some(_) => Err(DecryptError::PartCount),
            None if split.header.len() > MAX_HEADER => Err(DecryptError::HeaderInvalid),
            None => Ok(split),
        }
    }
}

fn read_header(encoded: &str) -> Result<Header, DecryptError> {
    let bytes = base64url::decode(encoded).ok_or(DecryptError::HeaderInvalid)?;
    // "During this step, verify that the resulting JOSE Header does not contain duplicate Header Parameter names." (RFC 7516 §5.2)
    let header: Header = json::read(&bytes).map_err(|_| DecryptError::HeaderInvalid)?;
    if header.crit {
        return Err(DecryptError::CriticalExtension);
    }
    // Stricter than RFC 7516: because a small token could hold a content of any size.
    if header.zip { Err(DecryptError::Compressed) } else { Ok(header) }
}

/// Whether a member stands there, whatever it says: also `null`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}
