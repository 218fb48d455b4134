//! One-time codes that two who share a key can both compute.

use ring::hmac;

/// How many codes there are: those of six digits.
const CODES: u32 = 1_000_000;

/// The code of six digits that belongs to a counter.
// "R3: The algorithm MUST use HOTP [RFC4226] as a key building block." (RFC 6238 §3)
pub fn code(key: &[u8], counter: u64) -> u32 {
    // "a construction based on HMAC [RFC2104] using SHA-1 as the hash function." (RFC 6238 §5.1)
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let tag = hmac::sign(&key, &counter.to_be_bytes());
    truncated(tag.as_ref()) % CODES
}

/// Four bytes from where the last one says, without the sign.
fn truncated(tag: &[u8]) -> u32 {
    let place = usize::from(tag.last().copied().unwrap_or_default() & 0x0f);
    let bytes = tag.get(place..place + 4).and_then(|bytes| bytes.try_into().ok()).unwrap_or_default();
    u32::from_be_bytes(bytes) & 0x7fff_ffff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_6238_are_met() {
        let vectors = [
            (59, 94_287_082),
            (1_111_111_109, 7_081_804),
            (1_111_111_111, 14_050_471),
            (1_234_567_890, 89_005_924),
            (2_000_000_000, 69_279_037),
            (20_000_000_000, 65_353_130),
        ];
        for (seconds, eight_digits) in vectors {
            assert_eq!(code(b"12345678901234567890", seconds / 30), eight_digits % CODES, "{seconds}");
        }
    }
}
