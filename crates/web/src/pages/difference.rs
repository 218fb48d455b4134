//! Where two addresses part: for the page that says why an address was refused.

/// A text cut where it differs from another: the same, then what differs, then the same again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Cut<'a> {
    pub(super) head: &'a str,
    pub(super) middle: &'a str,
    pub(super) tail: &'a str,
}

/// Both texts, cut at the same places.
pub(super) fn cut<'a>(one: &'a str, other: &'a str) -> (Cut<'a>, Cut<'a>) {
    let head = common(one.chars(), other.chars());
    let (one_rest, other_rest) = (&one[head..], &other[head..]);
    let tail = common(one_rest.chars().rev(), other_rest.chars().rev());
    let parts = |whole: &'a str| Cut {
        head: &whole[..head],
        middle: &whole[head..whole.len() - tail],
        tail: &whole[whole.len() - tail..],
    };
    (parts(one), parts(other))
}

/// The one of `known` that `received` was most likely meant to be.
pub(super) fn nearest<'a>(received: &str, known: &'a [String]) -> Option<&'a str> {
    let shared = |candidate: &&str| {
        let (cut, _) = cut(received, candidate);
        cut.head.len() + cut.tail.len()
    };
    // The first of the best: `max_by_key` would take the last.
    known.iter().map(String::as_str).rev().max_by_key(shared)
}

/// The key of the message that names the difference, where it is one of those that people search for at night.
pub(super) fn named(received: &str, registered: &str) -> Option<&'static str> {
    let scheme = |text: &str| text.split_once("://").map(|(scheme, rest)| (scheme.to_owned(), rest.to_owned()));
    let without_query = |text: &str| text.split(['?', '#']).next().unwrap_or_default().to_owned();
    let without_port = |text: &str| text.chars().filter(|c| !c.is_ascii_digit()).collect::<String>().replace(":/", "/");
    match (scheme(received), scheme(registered)) {
        _ if received == registered => None,
        _ if received.trim_end_matches('/') == registered.trim_end_matches('/') => Some("difference-slash"),
        (Some((a, one)), Some((b, other))) if a != b && one == other => Some("difference-scheme"),
        _ if received.eq_ignore_ascii_case(registered) => Some("difference-case"),
        _ if without_query(received) == without_query(registered) => Some("difference-query"),
        (Some((_, one)), Some((_, other))) if without_port(&one) == without_port(&other) => Some("difference-port"),
        _ => None,
    }
}

fn common(one: impl Iterator<Item = char>, other: impl Iterator<Item = char>) -> usize {
    one.zip(other).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_addresses_are_cut_where_they_part() {
        let (one, other) = cut("https://a.example/cb", "https://b.example/cb");
        assert_eq!((one.head, one.middle, one.tail), ("https://", "a", ".example/cb"));
        assert_eq!(other.middle, "b");
    }

    #[test]
    fn nothing_is_lost_and_no_letter_is_split() {
        for (one, other) in [("", ""), ("a", ""), ("aa", "aaa"), ("äb", "öb"), ("x🦊y", "x🦉y")] {
            for (part, whole) in [(cut(one, other).0, one), (cut(one, other).1, other)] {
                assert_eq!(format!("{}{}{}", part.head, part.middle, part.tail), whole);
            }
        }
    }

    #[test]
    fn the_usual_differences_have_names() {
        assert_eq!(named("https://a.example/cb/", "https://a.example/cb"), Some("difference-slash"));
        assert_eq!(named("http://a.example/cb", "https://a.example/cb"), Some("difference-scheme"));
        assert_eq!(named("https://A.example/cb", "https://a.example/cb"), Some("difference-case"));
        assert_eq!(named("https://a.example/cb?x=1", "https://a.example/cb"), Some("difference-query"));
        assert_eq!(named("https://a.example:8443/cb", "https://a.example/cb"), Some("difference-port"));
        assert_eq!(named("https://evil.example/cb", "https://a.example/cb"), None);
    }

    #[test]
    fn the_nearest_registered_address_is_the_one_compared() {
        let known = ["https://a.example/cb".to_owned(), "http://localhost/cb".to_owned()];
        assert_eq!(nearest("http://localhost/callback", &known), Some("http://localhost/cb"));
        assert_eq!(nearest("x", &[]), None);
    }
}
