//! Encrypting to the public key of somebody (RFC 7516 §5.1).

use serde::Serialize;

use super::agreement::{self, Curve, Parties};
use super::algorithm::{ContentEncryption, KeyAlgorithm};
use super::content::ContentKey;
use super::wrap;
use crate::base64url;
use crate::jwk::{Jwk, JwkSet, Material};
use crate::random::Random;

/// Whom to encrypt to, and how.
#[derive(Clone, Copy, Debug)]
pub struct Recipient<'k> {
    /// How the key of the content reaches them.
    pub algorithm: KeyAlgorithm,
    /// How the content is encrypted.
    pub encryption: ContentEncryption,
    /// Their public key.
    pub key: &'k Jwk,
}

/// What the content is (the `cty` of a JWE).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Claims, or anything else; `cty` is left out.
    Claims,
    /// A signed token.
    Token,
}

/// Why nothing was encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncryptError {
    /// The key is not one of the algorithm, or is no valid point of its curve.
    #[error("the key does not fit {0}")]
    KeyUnfit(KeyAlgorithm),
}

impl Jwk {
    /// Whether one can encrypt to it with `algorithm`: its type, its `alg` and its `use` allow that, and its point is on its
    /// curve.
    pub fn supports_encryption(&self, algorithm: KeyAlgorithm) -> bool {
        let is_point = || algorithm == KeyAlgorithm::RsaOaep256 || agreement::is_point(&self.material);
        self.is_for(algorithm) && is_point()
    }

    fn is_for(&self, algorithm: KeyAlgorithm) -> bool {
        let by_type = match algorithm {
            KeyAlgorithm::RsaOaep256 => matches!(self.material, Material::Rsa { .. }),
            _ => Curve::of(&self.material).is_some(),
        };
        // "The key usage of the respective keys MUST support encryption." (OIDC Core §10.2)
        // "The key usage of the respective keys MUST include encryption." (OIDC Core §10.2)
        by_type && self.allows_encryption(algorithm)
    }
}

impl JwkSet {
    /// The key of the set to encrypt to with `algorithm`: the first that says that it is for that, else the first that does not
    /// say otherwise.
    pub fn encryption_key(&self, algorithm: KeyAlgorithm) -> Option<&Jwk> {
        let fitting = || self.keys.iter().filter(|key| key.supports_encryption(algorithm));
        fitting().find(|key| key.is_for_encryption()).or_else(|| fitting().next())
    }
}

/// The protected header.
#[derive(Serialize)]
struct Header<'a> {
    alg: KeyAlgorithm,
    enc: ContentEncryption,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cty: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    epk: Option<Jwk>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
}

/// `plaintext` encrypted to `recipient`, in compact serialization.
///
/// # Panics
/// When the system's random source fails.
///
/// # Errors
/// `KeyUnfit`.
pub fn encrypt(
    plaintext: &[u8],
    content: Content,
    recipient: &Recipient<'_>,
    random: &Random,
) -> Result<String, EncryptError> {
    encrypt_of(plaintext, content, None, recipient, random)
}

/// The same, with the issuer of what is inside in the header, where everybody can read it.
///
/// # Panics
/// When the system's random source fails.
///
/// # Errors
/// `KeyUnfit`.
pub fn encrypt_of(
    plaintext: &[u8],
    content: Content,
    issuer: Option<&str>,
    recipient: &Recipient<'_>,
    random: &Random,
) -> Result<String, EncryptError> {
    let unfit = EncryptError::KeyUnfit(recipient.algorithm);
    // That the point is on its curve is seen when a key is agreed on.
    if !recipient.key.is_for(recipient.algorithm) {
        return Err(unfit);
    }
    let keys = Keys::new(recipient, random).ok_or(unfit)?;
    // "In the case that nested signing or encryption is employed, this Header Parameter MUST be present; in this case, the value
    // MUST be "JWT", to indicate that a Nested JWT is carried in this JWT." (RFC 7519 §5.2)
    let cty = (content == Content::Token).then_some("JWT");
    let header = Header {
        alg: recipient.algorithm,
        enc: recipient.encryption,
        // "If there are multiple keys in the referenced JWK Set document, a "kid" value MUST be provided in the JOSE Header." (OIDC
        // Core §10.2)
        kid: recipient.key.kid(),
        cty,
        epk: keys.ephemeral,
        // "This specification allows Claims present in the JWT Claims Set to be replicated as Header Parameters in a JWT that is a JWE,
        // as needed by the application." (RFC 7519 §5.3)
        iss: issuer,
    };
    let header = base64url::encode(&serde_json::to_vec(&header).map_err(|_| unfit)?);
    let sealed = keys.content.seal(plaintext, header.as_bytes(), random).ok_or(unfit)?;
    let mut token = header;
    for part in [&keys.wrapped, &sealed.iv, &sealed.ciphertext, &sealed.tag] {
        token.push('.');
        base64url::encode_onto(&mut token, part);
    }
    Ok(token)
}

/// The key of the content, and how it reaches its reader.
struct Keys {
    content: ContentKey,
    wrapped: Vec<u8>,
    ephemeral: Option<Jwk>,
}

impl Keys {
    fn new(recipient: &Recipient<'_>, random: &Random) -> Option<Self> {
        let Recipient { algorithm, encryption, key } = *recipient;
        if let Material::Rsa { n, e } = &key.material {
            let content = ContentKey::generate(encryption, random);
            let wrapped = wrap::rsa_oaep_256(n, e, content.as_bytes(), random)?;
            return Some(Self { content, wrapped, ephemeral: None });
        }
        let (ephemeral, secret) = agreement::agree_once(&key.material)?;
        let nobody = Parties { producer: &[], recipient: &[] };
        let agreed = agreement::derive(&secret, algorithm, encryption, nobody);
        let ephemeral = Some(Jwk::bare(ephemeral));
        if algorithm == KeyAlgorithm::EcdhEs {
            return Some(Self { content: ContentKey::new(encryption, agreed)?, wrapped: Vec::new(), ephemeral });
        }
        let content = ContentKey::generate(encryption, random);
        Some(Self { wrapped: wrap::wrap(&agreed, content.as_bytes())?, content, ephemeral })
    }
}
