//! Codes of an authenticator app (TOTP, RFC 6238): six digits, a new one each 30 seconds.

use std::fmt::{self, Write};

use grantor_jose::hash::constant_time_eq;
use grantor_jose::otp;
use grantor_jose::random::Random;
use zeroize::Zeroizing;

use crate::base32;

/// How long a code is shown, in seconds.
// "We RECOMMEND a default time-step size of 30 seconds." (RFC 6238 §5.2)
const STEP: i64 = 30;
/// How many steps around the present one count: clocks differ, and a person needs time to type.
// "We RECOMMEND that at most one time step is allowed as the network delay." (RFC 6238 §5.2)
const AROUND: i64 = 1;
/// How many bytes a key has.
// "Keys SHOULD be of the length of the HMAC output to facilitate interoperability." (RFC 6238 §5.1)
const KEY: usize = 20;
/// The longest text that is looked at for a code, in bytes.
const LONGEST: usize = 64;

/// What the server and an authenticator app share.
#[derive(Clone)]
pub struct TotpKey(Zeroizing<[u8; KEY]>);

impl TotpKey {
    /// A new key.
    ///
    /// # Panics
    /// When the system's random source fails.
    // "keys SHOULD be chosen at random or using a cryptographically strong pseudorandom generator properly seeded with a random
    // value." (RFC 6238 §5.1)
    // "R5: There MUST be a unique secret (key) for each prover." (RFC 6238 §3)
    pub fn generate(random: &Random) -> Self {
        Self(Zeroizing::new(random.bytes()))
    }

    /// The key of this text, as [`to_text`](Self::to_text) writes it.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = base32::decode(text)?;
        Some(Self(Zeroizing::new(bytes.as_slice().try_into().ok()?)))
    }

    /// The text that people type into their app: 32 characters of Base32.
    pub fn to_text(&self) -> Zeroizing<String> {
        base32::encode(&*self.0)
    }

    /// The address that authenticator apps read, as from a picture: whose account it is, by their name and the server's.
    pub fn to_link(&self, issuer: &str, account: &str) -> String {
        let (issuer, account) = (encoded(issuer), encoded(account));
        format!(
            "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period=30",
            *self.to_text()
        )
    }

    /// The code that is shown at a moment.
    pub fn code_at(&self, seconds: i64) -> TotpCode {
        self.code_of(step_of(seconds))
    }

    fn code_of(&self, step: i64) -> TotpCode {
        TotpCode(otp::code(&*self.0, u64::try_from(step).unwrap_or_default()))
    }

    /// The step whose code this is, of those that count at a moment and come after the last one that was used.
    ///
    /// "The verifier MUST NOT accept the second attempt of the OTP after the successful validation has been issued for the first
    /// OTP, which ensures one-time only use of an OTP." (RFC 6238 §5.2)
    pub fn accepts(&self, code: TotpCode, seconds: i64, last_used: i64) -> Option<i64> {
        let now = step_of(seconds);
        let fits = |step: &i64| constant_time_eq(&self.code_of(*step).0.to_be_bytes(), &code.0.to_be_bytes());
        (now - AROUND..=now + AROUND).filter(fits).find(|step| *step > last_used)
    }
}

impl fmt::Debug for TotpKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpKey([redacted])")
    }
}

const fn step_of(seconds: i64) -> i64 {
    seconds.div_euclid(STEP)
}

/// A code as somebody typed it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TotpCode(u32);

impl TotpCode {
    /// Reads six digits, with spaces where people or apps put them.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let digits: Zeroizing<String> = Zeroizing::new(text.chars().filter(|c| !c.is_whitespace()).collect());
        let is_code = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_code.then(|| digits.parse().ok()).flatten().map(Self)
    }
}

impl fmt::Display for TotpCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

impl fmt::Debug for TotpCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpCode([redacted])")
    }
}

/// Percent-encoded but for letters, digits and what RFC 3986 leaves as it is.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a text does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> TotpKey {
        TotpKey(Zeroizing::new(*b"12345678901234567890"))
    }

    #[test]
    fn a_code_counts_in_its_own_step_and_one_beside_it() {
        let code = key().code_at(1_111_111_109);
        assert_eq!(code.to_string(), "081804");
        let step = 1_111_111_109 / 30;
        for (ago, counts) in [(-60, false), (-30, true), (0, true), (30, true), (60, false), (90, false)] {
            assert_eq!(key().accepts(code, 1_111_111_109 + ago, 0), counts.then_some(step), "{ago}");
        }
    }

    #[test]
    fn a_code_counts_once_and_none_before_it_counts_after_it() {
        let (now, key) = (1_111_111_109, key());
        let step = key.accepts(key.code_at(now), now, 0).unwrap();
        assert_eq!(key.accepts(key.code_at(now), now, step), None);
        assert_eq!(key.accepts(key.code_at(now - 30), now, step), None);
        assert_eq!(key.accepts(key.code_at(now + 30), now, step), Some(step + 1));
    }

    #[test]
    fn the_link_names_the_account_and_nothing_breaks_out_of_it() {
        let link = key().to_link("Ada & Söhne", "ada:x/?&\"@example.com");
        assert_eq!(
            link,
            "otpauth://totp/Ada%20%26%20S%C3%B6hne:ada%3Ax%2F%3F%26%22%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=Ada%20%26%20S%C3%B6hne&algorithm=SHA1&digits=6&period=30"
        );
        assert_eq!(TotpKey::parse(&key().to_text()).unwrap().0, key().0);
        assert!(TotpKey::parse("").is_none() && TotpKey::parse("GEZDGNBVGY3TQOJQ").is_none());
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?} {:?}", key(), key().code_at(0)), "TotpKey([redacted]) TotpCode([redacted])");
    }

    proptest! {
        #[test]
        fn any_text_is_a_code_of_six_digits_or_none(text in "[0-9 ]{0,12}|.{0,80}|[\\p{Nd}]{6}") {
            if let Some(code) = TotpCode::parse(&text) {
                let typed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
                prop_assert_eq!(code.to_string(), typed);
            }
        }

        #[test]
        fn no_moment_and_no_code_is_too_large(seconds in any::<i64>(), digits in 0_u32..1_000_000, last in any::<i64>()) {
            let seconds = seconds / 2;
            if let Some(step) = key().accepts(TotpCode(digits), seconds, last) {
                prop_assert!(step > last && (step - seconds.div_euclid(30)).abs() <= 1);
            }
        }
    }
}
