//! Signatures over a whole message that travel beside it: ECDSA on P-256 with SHA-256, in DER, as base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

/// What stands before the point in the DER of a P-256 public key (RFC 5480 §2).
const P256: &[u8] =
    b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";

/// The longest signature in base64; DER of two numbers of 32 bytes.
const MAX_SIGNATURE: usize = 100;

/// The key of somebody who signs whole messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetachedKey([u8; 65]);

/// A text that is no such key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the public key of a P-256 pair in PEM (a block \"PUBLIC KEY\")")]
pub struct DetachedKeyInvalid;

impl DetachedKey {
    /// Reads the one `PUBLIC KEY` block of a PEM text (RFC 7468 §13).
    ///
    /// # Errors
    /// When it is no public key on P-256.
    pub fn from_pem(pem: &str) -> Result<Self, DetachedKeyInvalid> {
        let block = || {
            let (_, after) = pem.split_once("-----BEGIN PUBLIC KEY-----")?;
            let (body, rest) = after.split_once("-----END PUBLIC KEY-----")?;
            let text: String = body.split_ascii_whitespace().collect();
            let document = STANDARD.decode(text).ok().filter(|_| !rest.contains("-----BEGIN "))?;
            // The first byte says whether the point is compressed: 4, it is not.
            document.strip_prefix(P256)?.try_into().ok().filter(|point: &[u8; 65]| point[0] == 4)
        };
        block().map(Self).ok_or(DetachedKeyInvalid)
    }

    /// Whether `signature` is one of this key over `message`.
    pub fn verify(&self, message: &[u8], signature: &str) -> bool {
        let signature = STANDARD.decode(signature).ok().filter(|_| signature.len() <= MAX_SIGNATURE);
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.0);
        signature.is_some_and(|signature| key.verify(message, &signature).is_ok())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};

    use super::*;

    fn pair() -> (EcdsaKeyPair, String) {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref(), &random).unwrap();
        let body = STANDARD.encode([P256, pair.public_key().as_ref()].concat());
        (pair, format!("-----BEGIN PUBLIC KEY-----\n{}\n{}\n-----END PUBLIC KEY-----\n", &body[..64], &body[64..]))
    }

    #[test]
    fn a_signature_counts_for_its_message_and_key_only() {
        let ((pair, pem), (_, other)) = (self::pair(), self::pair());
        let signature = STANDARD.encode(pair.sign(&SystemRandom::new(), b"[]").unwrap());
        let key = DetachedKey::from_pem(&pem).unwrap();
        assert!(key.verify(b"[]", &signature));
        assert!(!key.verify(b"[ ]", &signature) && !DetachedKey::from_pem(&other).unwrap().verify(b"[]", &signature));
        for bad in ["", "AAAA", &signature[1..], &format!("{signature}\n"), &"A".repeat(9999)] {
            assert!(!key.verify(b"[]", bad), "{bad}");
        }
    }

    #[test]
    fn other_blocks_and_other_curves_are_refused() {
        let (_, pem) = pair();
        for bad in [
            String::new(),
            pem.replace("PUBLIC KEY", "PRIVATE KEY"),
            pem.replace("MFkw", "MFkx"),
            format!("{pem}{pem}"),
            pem.replace("-----END PUBLIC KEY-----", ""),
        ] {
            assert_eq!(DetachedKey::from_pem(&bad), Err(DetachedKeyInvalid), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(-----BEGIN PUBLIC KEY-----|-----END PUBLIC KEY-----|[A-Za-z0-9=\n]{0,90}){0,5}") {
            let _ = DetachedKey::from_pem(&text);
        }
    }
}
