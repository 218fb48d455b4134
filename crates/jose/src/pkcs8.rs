//! PKCS#8: the DER around a private key, and the PEM around that (RFC 5958, RFC 7468).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::key::KeyError;

// What stands before the private key and between it and the public key, for keys of fixed lengths (RFC 5915, RFC 8410).
const P256: (&[u8], &[u8]) = (
    b"\x30\x81\x87\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\
      \x04\x6d\x30\x6b\x02\x01\x01\x04\x20",
    b"\xa1\x44\x03\x42\x00",
);
const P384: (&[u8], &[u8]) = (
    b"\x30\x81\xb6\x02\x01\x00\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\
      \x04\x81\x9e\x30\x81\x9b\x02\x01\x01\x04\x30",
    b"\xa1\x64\x03\x62\x00",
);
const ED25519: (&[u8], &[u8]) = (b"\x30\x51\x02\x01\x01\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20", b"\x81\x21\x00");

/// The document of a P-256 key: 32 bytes of private key, 65 of public point.
pub(crate) fn p256(private: &[u8; 32], public: &[u8; 65]) -> Zeroizing<Vec<u8>> {
    wrap(P256, private, public)
}

/// The document of a P-384 key: 48 bytes of private key, 97 of public point.
pub(crate) fn p384(private: &[u8; 48], public: &[u8; 97]) -> Zeroizing<Vec<u8>> {
    wrap(P384, private, public)
}

/// The document of an Ed25519 key: 32 bytes of seed, 32 of public key.
pub(crate) fn ed25519(seed: &[u8; 32], public: &[u8; 32]) -> Zeroizing<Vec<u8>> {
    wrap(ED25519, seed, public)
}

fn wrap((before, between): (&[u8], &[u8]), private: &[u8], public: &[u8]) -> Zeroizing<Vec<u8>> {
    // One allocation of the final size: a growing vector would leave copies of the key behind.
    let mut document = Zeroizing::new(Vec::with_capacity(before.len() + private.len() + between.len() + public.len()));
    for part in [before, private, between, public] {
        document.extend_from_slice(part);
    }
    document
}

/// The document in the one `PRIVATE KEY` block of a PEM text.
pub(crate) fn from_pem(pem: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let (_, after) = pem.split_once("-----BEGIN ").ok_or(KeyError::PemInvalid)?;
    let (label, after) = after.split_once("-----").ok_or(KeyError::PemInvalid)?;
    match label {
        "PRIVATE KEY" => {}
        "ENCRYPTED PRIVATE KEY" => return Err(KeyError::PemEncrypted),
        "RSA PRIVATE KEY" | "EC PRIVATE KEY" => return Err(KeyError::PemOldFormat),
        _ => return Err(KeyError::PemInvalid),
    }
    let (body, rest) = after.split_once("-----END PRIVATE KEY-----").ok_or(KeyError::PemInvalid)?;
    if rest.contains("-----BEGIN ") {
        return Err(KeyError::PemInvalid);
    }
    let mut text = Zeroizing::new(String::with_capacity(body.len()));
    text.extend(body.split_ascii_whitespace());
    STANDARD.decode(text.as_bytes()).map(Zeroizing::new).map_err(|_| KeyError::PemInvalid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn blocks_of_other_kinds_are_named() {
        let block = |label: &str| from_pem(&format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n"));
        assert!(matches!(block("PRIVATE KEY").as_deref().map(Vec::as_slice), Ok([0, 0, 0])));
        assert!(matches!(block("ENCRYPTED PRIVATE KEY"), Err(KeyError::PemEncrypted)));
        assert!(matches!(block("EC PRIVATE KEY"), Err(KeyError::PemOldFormat)));
        assert!(matches!(block("CERTIFICATE"), Err(KeyError::PemInvalid)));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(-----BEGIN |PRIVATE KEY|-----|-----END PRIVATE KEY-----|[A-Z=\n]{0,9}){0,9}") {
            let _ = from_pem(&text);
        }
    }
}
