//! What is kept encrypted: AES-256-GCM under the one key that the operator keeps outside the database.
//!
//! A sealed value is `version(1) ‖ key id(4) ‖ nonce(12) ‖ ciphertext ‖ tag(16)`. All but the ciphertext is authenticated, and so
//! is what the caller says of its place (table, column, row): a value that was moved to another row does not open there.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::base64url;
use crate::hash;
use crate::random::Random;

const VERSION: u8 = 1;
const KEY_ID: usize = 4;
const HEAD: usize = 1 + KEY_ID;
const TAG: usize = 16;

/// How many bytes sealing adds.
pub const OVERHEAD: usize = HEAD + NONCE_LEN + TAG;

/// The key-encryption key: 32 bytes that open everything sealed in the database.
#[derive(Clone)]
pub struct KeyEncryptionKey {
    bytes: Zeroizing<[u8; 32]>,
    aead: LessSafeKey,
    id: [u8; KEY_ID],
}

/// Why a text is no key-encryption key, in alphabetical order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyTextError {
    /// Nothing there.
    #[error("the key-encryption key is empty")]
    Empty,
    /// Neither 64 hexadecimal digits nor 43 or 44 characters of base64.
    #[error(
        "a key-encryption key is 32 bytes: 64 hexadecimal digits, or 43 characters of base64 or base64url (44 with padding); this text has {0} characters"
    )]
    Length(usize),
    /// The right length, with characters that do not belong there.
    #[error("the key-encryption key has the right length, but is neither hexadecimal nor base64")]
    Spelling,
    /// The same byte 32 times.
    #[error("the key-encryption key is one byte repeated; generate a random one")]
    Weak,
}

/// Why a sealed value does not open, in alphabetical order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It was altered, or belongs to another place.
    #[error("the sealed value was altered, or belongs to another place")]
    Altered,
    /// It is too short to be one.
    #[error("the sealed value is cut short")]
    TooShort,
    /// It is of a version that we do not know.
    #[error("the sealed value is of an unknown version; a newer release may have written it")]
    VersionUnknown,
    /// It was sealed with another key-encryption key.
    #[error("the value was sealed with another key-encryption key")]
    WrongKey,
}

impl KeyEncryptionKey {
    /// The key of 32 bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let bytes = Zeroizing::new(bytes);
        let key = aes_256(&bytes);
        let digest = hash::sha256(&*bytes);
        Self { aead: LessSafeKey::new(key), id: [digest[0], digest[1], digest[2], digest[3]], bytes }
    }

    /// A new random key.
    ///
    /// # Panics
    /// When the system's random source fails.
    pub fn generate(random: &Random) -> Self {
        Self::from_bytes(random.bytes())
    }

    /// The key's text, for the operator to keep: 43 characters of base64url.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(base64url::encode(&*self.bytes))
    }

    /// Seals `plaintext` for the place that `aad` names (table, column, row). At most 2³² values a key.
    ///
    /// # Panics
    /// When the system's random source fails.
    pub fn seal(&self, plaintext: &[u8], aad: &[u8], random: &Random) -> Vec<u8> {
        let nonce: [u8; NONCE_LEN] = random.bytes();
        let head = self.head();
        let mut sealed = Vec::with_capacity(OVERHEAD + plaintext.len());
        sealed.extend_from_slice(&head);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plaintext);
        let (_, body) = sealed.split_at_mut(HEAD + NONCE_LEN);
        let place = Aad::from(bind(&head, aad));
        #[expect(
            clippy::expect_used,
            reason = "AES-GCM fails for texts above 64 GiB only, and so much does not fit a row"
        )]
        let tag = self
            .aead
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), place, body)
            .expect("the plaintext is below 64 GiB");
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    /// Opens what was sealed for the same place.
    pub fn open(&self, sealed: &[u8], aad: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (head, rest) = sealed.split_at_checked(HEAD).ok_or(SealError::TooShort)?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or(SealError::TooShort)?;
        match head {
            [VERSION, id @ ..] if *id == self.id => {}
            [VERSION, ..] => return Err(SealError::WrongKey),
            _ => return Err(SealError::VersionUnknown),
        }
        if body.len() < TAG {
            return Err(SealError::TooShort);
        }
        let mut plaintext = Zeroizing::new(body.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = self
            .aead
            .open_in_place(nonce, Aad::from(bind(head, aad)), &mut plaintext)
            .map_err(|_| SealError::Altered)?
            .len();
        plaintext.truncate(length);
        Ok(plaintext)
    }

    fn head(&self) -> [u8; HEAD] {
        let mut head = [VERSION; HEAD];
        head[1..].copy_from_slice(&self.id);
        head
    }
}

#[expect(clippy::expect_used, reason = "the length is the only thing that is checked, and the type has the right one")]
fn aes_256(bytes: &[u8; 32]) -> UnboundKey {
    UnboundKey::new(&AES_256_GCM, bytes).expect("an AES-256 key has 32 bytes")
}

fn bind(head: &[u8], aad: &[u8]) -> Vec<u8> {
    [head, aad].concat()
}

impl FromStr for KeyEncryptionKey {
    type Err = KeyTextError;

    /// Reads 64 hexadecimal digits, or base64 or base64url with or without padding. White space around is ignored.
    fn from_str(text: &str) -> Result<Self, KeyTextError> {
        let text = text.trim();
        let bytes = match text.len() {
            0 => return Err(KeyTextError::Empty),
            64 => hexadecimal(text),
            43 | 44 => base64(text),
            _ => return Err(KeyTextError::Length(text.chars().count())),
        };
        let bytes = bytes.ok_or(KeyTextError::Spelling)?;
        if bytes.iter().all(|byte| *byte == bytes[0]) { Err(KeyTextError::Weak) } else { Ok(Self::from_bytes(*bytes)) }
    }
}

fn hexadecimal(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut bytes = Zeroizing::new([0; 32]);
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digit = |place: usize| pair.get(place).and_then(|digit| char::from(*digit).to_digit(16));
        *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
    }
    Some(bytes)
}

fn base64(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let text = text.strip_suffix('=').unwrap_or(text);
    let mut bytes = Zeroizing::new([0; 32]);
    let engine = if text.contains(['+', '/']) { STANDARD_NO_PAD } else { URL_SAFE_NO_PAD };
    (engine.decode_slice(text, &mut *bytes) == Ok(32)).then_some(bytes)
}

impl fmt::Debug for KeyEncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyEncryptionKey([redacted])")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> KeyEncryptionKey {
        KeyEncryptionKey::generate(&Random::seeded(1))
    }

    #[test]
    fn a_sealed_value_opens_in_its_place_only() {
        let random = Random::new();
        let sealed = key().seal(b"a private key", b"signing_keys/pkcs8/1", &random);
        assert_eq!(sealed.len(), 13 + OVERHEAD);
        assert_eq!(key().open(&sealed, b"signing_keys/pkcs8/1").unwrap().as_slice(), b"a private key");
        assert_eq!(key().open(&sealed, b"signing_keys/pkcs8/2").unwrap_err(), SealError::Altered);
        assert_ne!(sealed, key().seal(b"a private key", b"signing_keys/pkcs8/1", &random));
    }

    #[test]
    fn another_key_and_another_version_are_named() {
        let mut sealed = key().seal(b"x", b"", &Random::new());
        let other = KeyEncryptionKey::generate(&Random::seeded(2));
        assert_eq!(other.open(&sealed, b"").unwrap_err(), SealError::WrongKey);
        sealed[0] = 2;
        assert_eq!(key().open(&sealed, b"").unwrap_err(), SealError::VersionUnknown);
    }

    #[test]
    fn each_usual_spelling_of_a_key_is_read() {
        let key = key();
        let text = key.to_text();
        let digit = |byte: u8| char::from_digit(byte.into(), 16).unwrap();
        let hex: String = key.bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
        for spelling in
            [text.to_string(), format!("{}=\n", *text), STANDARD_NO_PAD.encode(*key.bytes), hex.to_uppercase(), hex]
        {
            assert_eq!(*spelling.parse::<KeyEncryptionKey>().unwrap().bytes, *key.bytes, "{spelling}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_key_is_said() {
        let refusal = |text: &str| text.parse::<KeyEncryptionKey>().unwrap_err();
        assert_eq!(refusal(" \n"), KeyTextError::Empty);
        assert_eq!(refusal("changeme"), KeyTextError::Length(8));
        assert_eq!(refusal(&"g".repeat(64)), KeyTextError::Spelling);
        assert_eq!(refusal(&"00".repeat(32)), KeyTextError::Weak);
        assert_eq!(format!("{:?}", key()), "KeyEncryptionKey([redacted])");
    }

    proptest! {
        #[test]
        fn an_altered_or_cut_value_does_not_open(text in any::<Vec<u8>>(), place in any::<prop::sample::Index>(), bit in 0..8_u32) {
            let mut sealed = key().seal(&text, b"place", &Random::new());
            prop_assert_eq!(&*key().open(&sealed, b"place").unwrap(), &text);
            prop_assert!(key().open(&sealed[..place.index(sealed.len())], b"place").is_err());
            let place = place.index(sealed.len());
            sealed[place] ^= 1 << bit;
            prop_assert!(key().open(&sealed, b"place").is_err());
        }

        #[test]
        fn any_text_is_a_key_or_refused(text in "[0-9a-f]{64}|[A-Za-z0-9+/_-]{43}=?|.{0,70}") {
            let _ = text.parse::<KeyEncryptionKey>();
        }
    }
}
