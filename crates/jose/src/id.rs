//! 64-bit identifiers that sort by time, so that a new row stands beside the last one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base62;

/// 2024-01-01T00:00:00Z, in milliseconds since 1970: where the clock of identifiers begins.
pub const EPOCH_MS: i64 = 1_704_067_200_000;

pub(crate) const TIME_BITS: u32 = 42;
pub(crate) const NODE_BITS: u32 = 7;
pub(crate) const SEQUENCE_BITS: u32 = 14;

/// How many characters the text has.
pub(crate) const LENGTH: usize = 11;

/// The identifier of a row: 42 bits of milliseconds since 2024, 7 bits of node, 14 bits of sequence; never negative.
///
/// It says nothing secret but the time, and proves nothing: what must not be guessed carries a secret beside it. Its text is
/// 11 characters of base62, in the order of ASCII, so that texts sort as the numbers do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(i64);

/// A text that is no identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier: 11 characters of base62 are expected")]
pub struct IdInvalid;

impl Id {
    /// The identifier of a number, as rows keep it.
    pub const fn from_i64(number: i64) -> Self {
        Self(number)
    }

    /// The number, as rows keep it.
    pub const fn as_i64(self) -> i64 {
        self.0
    }

    /// When it was made, in milliseconds since 1970.
    pub const fn created_ms(self) -> i64 {
        (self.0 >> (NODE_BITS + SEQUENCE_BITS)) + EPOCH_MS
    }

    fn text(self) -> [u8; LENGTH] {
        let mut text = [b'0'; LENGTH];
        let mut rest = self.0.cast_unsigned();
        for place in text.iter_mut().rev() {
            *place = base62::sign(rest);
            rest /= 62;
        }
        text
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({self})")
    }
}

impl FromStr for Id {
    type Err = IdInvalid;

    /// Reads the one canonical text: exactly 11 characters, no number above `i64::MAX`.
    fn from_str(text: &str) -> Result<Self, IdInvalid> {
        if text.len() != LENGTH {
            return Err(IdInvalid);
        }
        let number = text
            .bytes()
            .try_fold(0_u64, |number, byte| number.checked_mul(62)?.checked_add(u64::from(base62::digit(byte)?)));
        number.and_then(|number| i64::try_from(number).ok()).map(Self).ok_or(IdInvalid)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_ends_of_the_range_have_texts_of_eleven_characters() {
        assert_eq!(Id::from_i64(0).to_string(), "00000000000");
        assert_eq!(Id::from_i64(i64::MAX).to_string(), "AzL8n0Y58m7");
        assert_eq!("AzL8n0Y58m8".parse::<Id>(), Err(IdInvalid));
        assert_eq!("zzzzzzzzzzz".parse::<Id>(), Err(IdInvalid));
        assert_eq!(TIME_BITS + NODE_BITS + SEQUENCE_BITS, 63);
    }

    proptest! {
        #[test]
        fn texts_come_back_and_sort_as_numbers_do(left in 0..=i64::MAX, right in 0..=i64::MAX) {
            let (left, right) = (Id::from_i64(left), Id::from_i64(right));
            prop_assert_eq!(left.to_string().parse(), Ok(left));
            prop_assert_eq!(left.to_string().cmp(&right.to_string()), left.cmp(&right));
            let json = serde_json::to_string(&left).unwrap();
            prop_assert_eq!(serde_json::from_str::<Id>(&json).unwrap(), left);
        }

        #[test]
        fn any_text_is_read_canonically_or_refused(text in "[0-9A-Za-z]{10,12}|.{0,12}") {
            if let Ok(id) = text.parse::<Id>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
