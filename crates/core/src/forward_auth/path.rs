//! Paths of requests: which rule they fall under, and which cannot be told.

/// Whether a server behind the proxy may read `path` in another way than it stands here, so that no rule by path can be trusted
/// with it: dots to be resolved, slashes that merge, parameters after `;`, and whatever is written with a percent sign although
/// it needs none.
pub(super) fn is_ambiguous(path: &str) -> bool {
    let odd = |byte: u8| byte <= b' ' || byte >= 0x7f || matches!(byte, b'\\' | b';' | b'#');
    let dots = |segment: &str| matches!(segment, "." | "..");
    !path.starts_with('/')
        || path.contains("//")
        || path.bytes().any(odd)
        || path.split('/').any(dots)
        || path.split('%').skip(1).any(is_needless)
}

/// Whether the two digits after a percent sign stand for a character that could stand by itself or has a meaning in paths, or
/// are none.
fn is_needless(rest: &str) -> bool {
    let digits = rest.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) else { return true };
    // "For consistency, percent-encoded octets in the ranges of ALPHA (%41-%5A and %61-%7A), DIGIT (%30-%39), hyphen (%2D),
    // period (%2E), underscore (%5F), or tilde (%7E) should not be created by URI producers" (RFC 3986 §2.3)
    byte.is_ascii_alphanumeric()
        || byte.is_ascii_control()
        || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/' | b'\\' | b'%' | b';' | b'?' | b'#')
}

/// Whether `path` lies at or below `prefix`, segment by segment.
pub(super) fn covers(prefix: &str, path: &str) -> bool {
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_that_can_be_read_in_two_ways_is_known() {
        for path in [
            "",
            "a",
            "*",
            "//",
            "/a//b",
            "/a/../b",
            "/a/..",
            "/./a",
            "/%2e%2e/a",
            "/a/%2E",
            "/a%2fb",
            "/a%5cb",
            "/a\\b",
            "/a;b",
            "/a%3bb",
            "/%61dmin",
            "/a%00",
            "/a%252e",
            "/a%",
            "/a%2",
            "/a%zz",
            "/a b",
            "/ä",
            "/a\u{7f}",
            "/a#b",
            "/a%ä",
        ] {
            assert!(is_ambiguous(path), "{path}");
        }
        for path in
            ["/", "/a", "/a/", "/a.b/..c/d..", "/%C3%A4", "/a%20b", "/a:b@c!$&'()*+,=~", "/.well-known/x", "/..."]
        {
            assert!(!is_ambiguous(path), "{path}");
        }
    }

    #[test]
    fn a_prefix_ends_where_a_segment_ends() {
        assert!(
            covers("/", "/") && covers("/", "/a") && covers("/a", "/a") && covers("/a/", "/a") && covers("/a", "/a/b")
        );
        assert!(!covers("/a", "/ab") && !covers("/a/b", "/a") && !covers("/a", "/A"));
    }

    proptest! {
        #[test]
        fn a_clear_path_means_itself_however_it_is_read(path in "(/|%[0-9a-fA-F]{2}|[a-z.;%]){0,12}") {
            if !is_ambiguous(&path) {
                let hidden = ["%2f", "%5c", "%2e", "%25", "%3b", "%00"];
                prop_assert!(!hidden.iter().any(|code| path.to_ascii_lowercase().contains(code)));
                let resolved = url::Url::parse("http://host").map(|url| url.join(&path).map(|url| url.path().to_owned()));
                prop_assert_eq!(resolved, Ok(Ok(path)));
            }
        }
    }
}
