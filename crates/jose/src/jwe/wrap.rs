//! Wrapping the key of a content: AES Key Wrap (RFC 3394, RFC 7518 §4.4) and RSAES-OAEP (RFC 7518 §4.3), the latter to others only.

use aes_kw::{KeyInit, KwAes128, KwAes256};
use rsa::sha2::Sha256;
use rsa::{BigUint, Oaep, RsaPublicKey};
use zeroize::Zeroizing;

use crate::key::Source;
use crate::random::Random;

const KW_OVERHEAD: usize = 8;
/// The longest key that is wrapped, in bytes.
const MAX_KEY: usize = 64;
const MAX_RSA_BITS: usize = 8192;

/// `key` wrapped by a key of 16 or 32 bytes.
pub(super) fn wrap(by: &[u8], key: &[u8]) -> Option<Vec<u8>> {
    let mut wrapped = vec![0; key.len() + KW_OVERHEAD];
    match by.len() {
        16 => KwAes128::new_from_slice(by).ok()?.wrap_key(key, &mut wrapped).ok()?,
        _ => KwAes256::new_from_slice(by).ok()?.wrap_key(key, &mut wrapped).ok()?,
    };
    Some(wrapped)
}

/// The key that was wrapped by a key of 16 or 32 bytes. `None` for whatever is wrong.
pub(super) fn unwrap(by: &[u8], wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let length = wrapped.len().checked_sub(KW_OVERHEAD).filter(|length| *length > 0 && *length <= MAX_KEY)?;
    let mut key = Zeroizing::new(vec![0; length]);
    match by.len() {
        16 => KwAes128::new_from_slice(by).ok()?.unwrap_key(wrapped, &mut key).ok()?,
        _ => KwAes256::new_from_slice(by).ok()?.unwrap_key(wrapped, &mut key).ok()?,
    };
    Some(key)
}

/// `key` encrypted to the RSA key of these numbers. `None` for a key that is none.
pub(super) fn rsa_oaep_256(n: &[u8], e: &[u8], key: &[u8], random: &Random) -> Option<Vec<u8>> {
    let (n, e) = (BigUint::from_bytes_be(n), BigUint::from_bytes_be(e));
    let public = RsaPublicKey::new_with_max_size(n, e, MAX_RSA_BITS).ok()?;
    public.encrypt(&mut Source(random), Oaep::new::<Sha256>(), key).ok()
}
