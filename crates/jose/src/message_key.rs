//! Signatures of whole messages by a shared key, in a form that others have agreed on: HMAC-SHA256 (RFC 2104) over the bytes as
//! they are. Keys that are ours alone sign by [`crate::mac::MacKey`], where no use can be taken for another.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use zeroize::Zeroizing;

/// Fewer bytes are guessed too easily, and more than a block of the hash add nothing.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// What such a secret begins with where it is written down.
const PREFIX: &str = "whsec_";

/// A key that signs messages to one receiver.
#[derive(Clone)]
pub struct MessageKey(hmac::Key);

impl MessageKey {
    /// The key of a secret as Standard Webhooks writes it: `whsec_` and 24 to 64 bytes in base64.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(STANDARD.decode(text.strip_prefix(PREFIX)?).ok()?);
        BYTES.contains(&bytes.len()).then(|| Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// The signature of the parts as one message, in base64.
    pub fn sign(&self, parts: &[&[u8]]) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(part);
        }
        STANDARD.encode(context.sign())
    }
}

impl fmt::Debug for MessageKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("MessageKey([redacted])")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_standard_webhooks_has_its_signature() {
        let key = MessageKey::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = r#"{"test": 2432232314}"#;
        let parts: [&[u8]; 5] = [b"msg_p5jXN8AQM9LWM0D4loKWxJek", b".", b"1614265330", b".", body.as_bytes()];
        assert_eq!(key.sign(&parts), "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_that_is_none_or_short_is_refused() {
        let of = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
        assert!(MessageKey::parse(&of(24)).is_some() && MessageKey::parse(&of(64)).is_some());
        for text in ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", &of(23), &of(65), "whsec_not base64"] {
            assert!(MessageKey::parse(text).is_none(), "{text}");
        }
        assert!(!format!("{:?}", MessageKey::parse(&of(32)).unwrap()).contains("BwcH"));
    }
}
