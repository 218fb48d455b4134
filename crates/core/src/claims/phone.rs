//! Phone numbers (OIDC Core §5.1): how they are written for all the world, and what is told of one that is not.

use serde_json::{Map, Value};

use crate::user::User;

/// The most digits that a number has by E.164.
const MAX_DIGITS: usize = 15;

/// Whether `text` is a number in E.164 format, with or without signs between its digits, and an extension by RFC 3966.
// "E.164 [E.164] is RECOMMENDED as the format of this Claim, for example, "+1 (425) 555-1212" or "+56 (2) 687 2400". If the phone
// number contains an extension, it is RECOMMENDED that the extension be represented using the RFC 3966 [RFC3966] extension syntax,
// for example, "+1 (604) 555-1234;ext=5678"." (OIDC Core §5.1)
pub fn is_phone_number(text: &str) -> bool {
    let (number, extension) = text.split_once(";ext=").map_or((text, None), |(number, ext)| (number, Some(ext)));
    let digits = |text: &str, between: &str| {
        let is_written = text.chars().all(|letter| letter.is_ascii_digit() || between.contains(letter));
        if is_written { text.bytes().filter(u8::is_ascii_digit).count() } else { 0 }
    };
    let in_number = number.strip_prefix('+').map_or(0, |number| digits(number, " ()-."));
    (1..=MAX_DIGITS).contains(&in_number) && extension.is_none_or(|extension| digits(extension, "()-.") > 0)
}

/// Tells of a number that is in no known format that nobody has verified it, whatever is kept.
// "When true, the "phone_number" Claim MUST be in E.164 format and any extensions MUST be represented in RFC 3966 format."
// (OIDC Core §5.1)
pub(super) fn settle(released: &mut Map<String, Value>, user: &User) {
    let number = user.claims.get("phone_number").and_then(Value::as_str);
    if let Some(verified) = released.get_mut("phone_number_verified")
        && !number.is_some_and(is_phone_number)
    {
        *verified = false.into();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::user::tests::ada;

    // "E.164 [E.164] is RECOMMENDED as the format of this Claim, for example, "+1 (425) 555-1212" or "+56 (2) 687 2400". If the
    // phone number contains an extension, it is RECOMMENDED that the extension be represented using the RFC 3966 [RFC3966]
    // extension syntax, for example, "+1 (604) 555-1234;ext=5678"." (OIDC Core §5.1)
    #[test]
    fn a_number_is_written_as_all_the_world_reads_it() {
        for good in
            ["+1 (425) 555-1212", "+56 (2) 687 2400", "+1 (604) 555-1234;ext=5678", "+442079460018", "+44.20.7946.0018"]
        {
            assert!(is_phone_number(good), "{good}");
        }
        for bad in [
            "",
            "+",
            "425 555 1212",
            "0044 20 7946",
            "+1234567890123456",
            "+44 20 x",
            "+1 604;ext=",
            "+1 604 ext 5",
            "+1;ext=a",
            "++1",
        ] {
            assert!(!is_phone_number(bad), "{bad}");
        }
    }

    // "When true, the "phone_number" Claim MUST be in E.164 format and any extensions MUST be represented in RFC 3966 format."
    // (OIDC Core §5.1)
    #[test]
    fn a_number_in_no_known_format_is_told_as_not_verified() {
        for (number, told) in [(json!("+44 20 7946 0018"), true), (json!("020 7946 0018"), false), (json!(1), false)] {
            let mut user = ada();
            user.claims.insert("phone_number".into(), number.clone());
            let mut released = Map::from_iter([("phone_number_verified".to_owned(), json!(true))]);
            settle(&mut released, &user);
            assert_eq!(released["phone_number_verified"], told, "{number}");
        }
    }
}
