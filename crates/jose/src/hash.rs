//! Digests, and comparison in constant time.

use std::fmt;

use ring::digest;
use subtle::ConstantTimeEq;

use crate::algorithm::Algorithm;
use crate::base64url;

/// SHA-256.
pub fn sha256(message: &[u8]) -> [u8; 32] {
    array(digest::digest(&digest::SHA256, message).as_ref())
}

/// SHA-256, in base64url without padding.
pub fn sha256_text(message: &[u8]) -> String {
    base64url::encode(&sha256(message))
}

/// SHA-256 of a message that comes in parts.
#[derive(Clone)]
pub struct Sha256(digest::Context);

impl Sha256 {
    /// Of the empty message.
    pub fn new() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }

    /// With one more part at the end.
    pub fn update(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    /// The digest.
    pub fn finish(self) -> [u8; 32] {
        array(self.0.finish().as_ref())
    }
}

impl Default for Sha256 {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sha256")
    }
}

/// SHA-384.
pub fn sha384(message: &[u8]) -> [u8; 48] {
    array(digest::digest(&digest::SHA384, message).as_ref())
}

/// SHA-512.
pub fn sha512(message: &[u8]) -> [u8; 64] {
    array(digest::digest(&digest::SHA512, message).as_ref())
}

/// The digest of `message` by the hash function that belongs to `algorithm`.
pub fn digest_of(algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
    match algorithm {
        Algorithm::Es256 | Algorithm::Rs256 | Algorithm::Ps256 => sha256(message).to_vec(),
        Algorithm::Es384 => sha384(message).to_vec(),
        // Ed25519 hashes with SHA-512 (RFC 8032 §5.1), and so does what speaks of its tokens.
        Algorithm::EdDsa => sha512(message).to_vec(),
    }
}

/// The value of `at_hash` and `c_hash` for a token or code in an ID token signed with `algorithm`.
pub fn left_half_hash(algorithm: Algorithm, text: &str) -> String {
    // "Its value is the base64url encoding of the left-most half of the hash of the octets of the ASCII representation of
    // the "access_token" value" (OIDC Core §3.1.3.6)
    let digest = digest_of(algorithm, text.as_bytes());
    base64url::encode(&digest[..digest.len() / 2])
}

/// Whether two byte strings are the same. The time tells their lengths and nothing else.
pub fn constant_time_eq(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

fn array<const N: usize>(digest: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(digest);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_fips_180() {
        assert_eq!(base64url::encode(&sha256(b"abc")), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
        assert_eq!(sha384(b"abc")[..4], [0xcb, 0x00, 0x75, 0x3f]);
        assert_eq!(sha512(b"abc")[..4], [0xdd, 0xaf, 0x35, 0xa1]);
    }

    #[test]
    fn a_message_in_parts_is_the_same_message() {
        let mut parts = Sha256::new();
        for part in [&b"a"[..], b"", b"bc"] {
            parts.update(part);
        }
        assert_eq!(parts.finish(), sha256(b"abc"));
    }

    #[test]
    fn the_left_half_is_that_of_the_openid_connect_example() {
        // OpenID Connect Core §A.3: the access token and the at_hash of its ID token, RS256.
        assert_eq!(
            left_half_hash(Algorithm::Rs256, "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"),
            "77QmUPtjPfzWtF2AnpK9RQ"
        );
        assert_eq!(left_half_hash(Algorithm::EdDsa, "x").len(), 43);
    }

    #[test]
    fn comparison_knows_prefixes_from_the_whole() {
        assert!(constant_time_eq(b"", b"") && constant_time_eq(b"ab", b"ab"));
        assert!(!constant_time_eq(b"ab", b"a") && !constant_time_eq(b"ab", b"ac"));
    }
}
