//! Encrypting the content (RFC 7518 §5): AES in GCM by `ring`, AES in CBC mode with an HMAC by `aes`, `cbc` and `ring`.

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use zeroize::Zeroizing;

use super::algorithm::ContentEncryption;
use crate::hash;
use crate::random::Random;

/// How long the tag of AES-GCM is, in bytes.
// "The requested size of the Authentication Tag output MUST be 128 bits, regardless of the key size." (RFC 7518 §5.3)
const GCM_TAG: usize = 16;
const CBC_IV: usize = 16;

/// The key of one content; wiped when dropped.
pub(super) struct ContentKey {
    algorithm: ContentEncryption,
    bytes: Zeroizing<Vec<u8>>,
}

/// What became of a content.
pub(super) struct Sealed {
    pub(super) iv: Vec<u8>,
    pub(super) ciphertext: Vec<u8>,
    pub(super) tag: Vec<u8>,
}

impl ContentKey {
    /// The key of these bytes. `None` when their number is not that of the algorithm.
    // "The CEK MUST have a length equal to that required for the content encryption algorithm." (RFC 7516 §5.2)
    pub(super) fn new(algorithm: ContentEncryption, bytes: Zeroizing<Vec<u8>>) -> Option<Self> {
        (bytes.len() == algorithm.key_len()).then_some(Self { algorithm, bytes })
    }

    /// A new random key.
    pub(super) fn generate(algorithm: ContentEncryption, random: &Random) -> Self {
        let mut bytes = Zeroizing::new(vec![0; algorithm.key_len()]);
        random.fill(&mut bytes);
        Self { algorithm, bytes }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Encrypts, and authenticates `aad` with it. `None` never comes: lengths are right by construction.
    pub(super) fn seal(&self, plaintext: &[u8], aad: &[u8], random: &Random) -> Option<Sealed> {
        match self.algorithm {
            ContentEncryption::A128Gcm | ContentEncryption::A256Gcm => {
                self.seal_gcm(random.bytes(), plaintext.to_vec(), aad)
            }
            ContentEncryption::A128CbcHs256 | ContentEncryption::A256CbcHs512 => {
                self.seal_cbc(&random.bytes(), plaintext, aad)
            }
        }
    }

    /// Decrypts what is authentic, `aad` included. `None` for whatever is wrong.
    pub(super) fn open(&self, sealed: Sealed, aad: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        match self.algorithm {
            ContentEncryption::A128Gcm | ContentEncryption::A256Gcm => self.open_gcm(sealed, aad),
            ContentEncryption::A128CbcHs256 | ContentEncryption::A256CbcHs512 => self.open_cbc(&sealed, aad),
        }
    }

    fn gcm(&self) -> Option<LessSafeKey> {
        let algorithm = if self.algorithm == ContentEncryption::A128Gcm { &AES_128_GCM } else { &AES_256_GCM };
        UnboundKey::new(algorithm, &self.bytes).ok().map(LessSafeKey::new)
    }

    pub(super) fn seal_gcm(&self, iv: [u8; NONCE_LEN], mut text: Vec<u8>, aad: &[u8]) -> Option<Sealed> {
        let nonce = Nonce::assume_unique_for_key(iv);
        let tag = self.gcm()?.seal_in_place_separate_tag(nonce, Aad::from(aad), &mut text).ok()?;
        Some(Sealed { iv: iv.to_vec(), ciphertext: text, tag: tag.as_ref().to_vec() })
    }

    fn open_gcm(&self, sealed: Sealed, aad: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        // "Use of an IV of size 96 bits is REQUIRED with this algorithm." (RFC 7518 §5.3)
        let nonce = Nonce::try_assume_unique_for_key(&sealed.iv).ok()?;
        if sealed.tag.len() != GCM_TAG {
            return None;
        }
        let mut text = Zeroizing::new(sealed.ciphertext);
        text.extend_from_slice(&sealed.tag);
        let length = self.gcm()?.open_in_place(nonce, Aad::from(aad), &mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }

    /// The first half authenticates, the second encrypts.
    // "MAC_KEY consists of the initial MAC_KEY_LEN octets of K, in order." (RFC 7518 §5.2.2.1)
    fn halves(&self) -> (&[u8], &[u8]) {
        self.bytes.split_at(self.bytes.len() / 2)
    }

    pub(super) fn seal_cbc(&self, iv: &[u8; CBC_IV], plaintext: &[u8], aad: &[u8]) -> Option<Sealed> {
        let (_, key) = self.halves();
        let ciphertext = match self.algorithm {
            ContentEncryption::A256CbcHs512 => {
                cbc::Encryptor::<aes::Aes256>::new_from_slices(key, iv).ok()?.encrypt_padded_vec::<Pkcs7>(plaintext)
            }
            _ => cbc::Encryptor::<aes::Aes128>::new_from_slices(key, iv).ok()?.encrypt_padded_vec::<Pkcs7>(plaintext),
        };
        let tag = self.mac(iv, &ciphertext, aad);
        Some(Sealed { iv: iv.to_vec(), ciphertext, tag })
    }

    /// The tag first: the padding of what is not authentic is never looked at.
    fn open_cbc(&self, sealed: &Sealed, aad: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        // "The value T, from the previous step, is compared to the first MAC_KEY length bits of the HMAC output. If those
        // values are identical, then A and E are considered valid, and processing is continued." (RFC 7518 §5.2.2.2)
        if !hash::constant_time_eq(&self.mac(&sealed.iv, &sealed.ciphertext, aad), &sealed.tag) {
            return None;
        }
        let (_, key) = self.halves();
        let text = match self.algorithm {
            ContentEncryption::A256CbcHs512 => cbc::Decryptor::<aes::Aes256>::new_from_slices(key, &sealed.iv)
                .ok()?
                .decrypt_padded_vec::<Pkcs7>(&sealed.ciphertext),
            _ => cbc::Decryptor::<aes::Aes128>::new_from_slices(key, &sealed.iv)
                .ok()?
                .decrypt_padded_vec::<Pkcs7>(&sealed.ciphertext),
        };
        text.ok().map(Zeroizing::new)
    }

    /// HMAC over additional data, initialization vector, ciphertext and the length of the first in bits; its first half.
    fn mac(&self, iv: &[u8], ciphertext: &[u8], aad: &[u8]) -> Vec<u8> {
        let (key, _) = self.halves();
        let digest = match self.algorithm {
            ContentEncryption::A256CbcHs512 => hmac::HMAC_SHA512,
            _ => hmac::HMAC_SHA256,
        };
        let mut context = hmac::Context::with_key(&hmac::Key::new(digest, key));
        for part in [aad, iv, ciphertext, &(aad.len() as u64 * 8).to_be_bytes()] {
            context.update(part);
        }
        context.sign().as_ref()[..key.len()].to_vec()
    }
}
