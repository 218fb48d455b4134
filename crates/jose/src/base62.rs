//! Base62: digits, capitals and small letters, in the order of ASCII. No sign in it ends a word, so a double click selects all
//! of it.

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE: u64 = 62;

/// The sign of a digit below 62.
pub(crate) fn sign(digit: u64) -> u8 {
    ALPHABET[usize::try_from(digit % BASE).unwrap_or(0)]
}

/// The digit of a sign.
pub(crate) fn digit(sign: u8) -> Option<u8> {
    match sign {
        b'0'..=b'9' => Some(sign - b'0'),
        b'A'..=b'Z' => Some(sign - b'A' + 10),
        b'a'..=b'z' => Some(sign - b'a' + 36),
        _ => None,
    }
}

/// Writes a number, given in pieces of 32 bits with the highest first, as exactly as many signs as `text` has room for. The
/// number is divided down in its place.
pub(crate) fn write(number: &mut [u32], text: &mut [u8]) {
    for place in text.iter_mut().rev() {
        let mut rest = 0;
        for piece in number.iter_mut() {
            let whole = (rest << 32) | u64::from(*piece);
            *piece = low(whole / BASE);
            rest = whole % BASE;
        }
        *place = sign(rest);
    }
}

/// Reads a number into pieces of 32 bits with the highest first; `None` for another sign, or where it does not fit.
pub(crate) fn read<const PIECES: usize>(text: &[u8]) -> Option<[u32; PIECES]> {
    let mut number = [0; PIECES];
    for &sign in text {
        let mut carry = u64::from(digit(sign)?);
        for piece in number.iter_mut().rev() {
            let whole = u64::from(*piece) * BASE + carry;
            *piece = low(whole);
            carry = whole >> 32;
        }
        if carry != 0 {
            return None;
        }
    }
    Some(number)
}

fn low(whole: u64) -> u32 {
    u32::try_from(whole & u64::from(u32::MAX)).unwrap_or(0)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_largest_numbers_fit_and_no_larger_ones() {
        let mut text = [0; 43];
        write(&mut [u32::MAX; 8], &mut text);
        assert_eq!(read::<8>(&text), Some([u32::MAX; 8]));
        assert_eq!(read::<8>(&[b'z'; 43]), None);
        assert_eq!(read::<1>(b"4gfFC3"), Some([u32::MAX]));
        assert_eq!(read::<1>(b"4gfFC4"), None);
    }

    proptest! {
        #[test]
        fn a_number_comes_back(number in any::<[u32; 8]>()) {
            let mut text = [0; 43];
            write(&mut number.clone(), &mut text);
            prop_assert_eq!(read::<8>(&text).unwrap(), number);
        }

        #[test]
        fn any_text_is_read_canonically_or_refused(text in "[0-9A-Za-z]{43}|.{43}") {
            if let Some(mut number) = read::<8>(text.as_bytes()) {
                let mut again = [0; 43];
                write(&mut number, &mut again);
                prop_assert_eq!(again.as_slice(), text.as_bytes());
            }
        }
    }
}
