//! Base32 without padding, as authenticator apps and people read it.

use zeroize::Zeroizing;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The text of some bytes, five of them in eight characters.
pub(crate) fn encode(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() * 8 / 5 + 1));
    let (mut bits, mut waiting) = (0_u32, 0_u32);
    for byte in bytes {
        bits = (bits << 8) | u32::from(*byte);
        waiting += 8;
        while waiting >= 5 {
            waiting -= 5;
            text.push(letter(bits >> waiting));
        }
        bits &= (1 << waiting) - 1;
    }
    if waiting > 0 {
        text.push(letter(bits << (5 - waiting)));
    }
    text
}

fn letter(bits: u32) -> char {
    usize::try_from(bits & 31).ok().and_then(|place| ALPHABET.get(place)).copied().map_or('A', char::from)
}

/// The bytes of a text of this alphabet; none where it is not one, or not as [`encode`] writes it.
pub(crate) fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() * 5 / 8));
    let (mut bits, mut waiting) = (0_u32, 0_u32);
    for character in text.bytes() {
        let place = ALPHABET.iter().position(|letter| *letter == character)?;
        bits = (bits << 5) | u32::try_from(place).ok()?;
        waiting += 5;
        if waiting >= 8 {
            waiting -= 8;
            bytes.push(u8::try_from((bits >> waiting) & 0xff).ok()?);
        }
        bits &= (1 << waiting) - 1;
    }
    (bits == 0 && waiting < 5).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_vectors_of_rfc_4648_are_met() {
        for (plain, text) in
            [("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("foobar", "MZXW6YTBOI")]
        {
            assert_eq!(encode(plain.as_bytes()).as_str(), text);
            assert_eq!(decode(text).as_deref().map(Vec::as_slice), Some(plain.as_bytes()));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_come_back_and_any_text_is_read_canonically_or_refused(bytes in any::<Vec<u8>>(), text in "[A-Z2-7]{0,40}|.{0,20}") {
            let back = decode(&encode(&bytes));
            prop_assert_eq!(back.as_deref(), Some(&bytes));
            if let Some(read) = decode(&text) {
                let written = encode(&read);
                prop_assert_eq!(written.as_str(), text);
            }
        }
    }
}
