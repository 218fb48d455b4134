//! base64url without padding, in its one canonical spelling (RFC 7515 §2).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The text of `bytes`.
pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Appends the text of `bytes` to `out`.
pub(crate) fn encode_onto(out: &mut String, bytes: &[u8]) {
    URL_SAFE_NO_PAD.encode_string(bytes, out);
}

/// How long the text of `length` bytes is.
pub(crate) const fn encoded_len(length: usize) -> usize {
    (length * 4).div_ceil(3)
}

/// The bytes of `text`; `None` for padding, foreign characters, white space and bits left over.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    // "Base64url Encoding ... with all trailing '=' characters omitted ... and without the inclusion of any line breaks,
    // whitespace, or other additional characters." (RFC 7515 §2)
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// The bytes of `text`, when they are exactly `N`.
pub(crate) fn decode_array<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != encoded_len(N) {
        return None;
    }
    let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
    (length == N).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bits_left_over_padding_and_white_space_are_refused() {
        assert_eq!(decode("AA"), Some(vec![0]));
        for bad in ["AB", "AA==", "AA=", "A A", "AA\n", "A", "A+", "A/"] {
            assert_eq!(decode(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn bytes_come_back(bytes in any::<Vec<u8>>()) {
            let text = encode(&bytes);
            prop_assert_eq!(text.len(), encoded_len(bytes.len()));
            prop_assert_eq!(decode(&text), Some(bytes));
        }

        #[test]
        fn a_text_that_decodes_is_the_text_of_what_it_decodes_to(text in "[A-Za-z0-9_-]{0,24}|.{0,24}") {
            if let Some(bytes) = decode(&text) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }
    }
}
