//! Paths of requests: which rule they fall under, and which cannot be told.

/// A path as it is compared: what is written with percent signs decoded, and once more with capitals as small letters, as a server
/// may read it that does not tell them apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReadPath {
    exact: String,
    folded: String,
}

impl ReadPath {
    /// Reads a path; `None` where a server behind the proxy may read it in another way than it stands here, so that no rule by path
    /// can be trusted with it: dots to be resolved, slashes that merge, parameters after `;`, and whatever is written with a
    /// percent sign although it could stand by itself.
    pub(super) fn parse(path: &str) -> Option<Self> {
        let odd = |byte: u8| byte <= b' ' || byte >= 0x7f || matches!(byte, b'\\' | b';' | b'#');
        let dots = |segment: &str| matches!(segment, "." | "..");
        let is_odd = path.contains("//") || path.bytes().any(odd) || path.split('/').any(dots);
        if !path.starts_with('/') || is_odd {
            return None;
        }
        let exact = decoded(path)?;
        Some(Self { folded: exact.to_lowercase(), exact })
    }

    /// Whether this path lies at or below `prefix`, segment by segment.
    pub(super) fn is_below(&self, prefix: &Self) -> bool {
        covers(&prefix.exact, &self.exact)
    }

    /// The same for a server that does not tell capitals from small letters.
    pub(super) fn may_be_below(&self, prefix: &Self) -> bool {
        covers(&prefix.folded, &self.folded)
    }

    /// How long it is, in bytes: of several that a path lies below, the longest counts.
    pub(super) fn len(&self) -> usize {
        self.exact.len()
    }
}

fn covers(prefix: &str, path: &str) -> bool {
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The path with each percent sign decoded; `None` where one stands for what needs none, or for no text.
fn decoded(path: &str) -> Option<String> {
    let (first, rest) = path.split_once('%').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let mut bytes = first.as_bytes().to_vec();
    for part in rest.into_iter().flat_map(|rest| rest.split('%')) {
        let digits = part.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        let byte = u8::from_str_radix(digits, 16).ok()?;
        // "For consistency, percent-encoded octets in the ranges of ALPHA (%41-%5A and %61-%7A), DIGIT (%30-%39), hyphen (%2D),
        // period (%2E), underscore (%5F), or tilde (%7E) should not be created by URI producers" (RFC 3986 §2.3); nor do we trust what
        // has a meaning in paths, or may stand there by itself (RFC 3986 §3.3).
        if byte.is_ascii()
            && !matches!(byte, b' ' | b'"' | b'<' | b'>' | b'[' | b']' | b'^' | b'`' | b'{' | b'|' | b'}')
        {
            return None;
        }
        bytes.push(byte);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(path: &str) -> ReadPath {
        ReadPath::parse(path).unwrap()
    }

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
            "/%40root",
            "/a%21",
            "/a%c0%ae",
            "/a%C3",
            "/%3A",
        ] {
            assert!(ReadPath::parse(path).is_none(), "{path}");
        }
        for path in
            ["/", "/a", "/a/", "/a.b/..c/d..", "/%C3%A4", "/a%20b", "/a:b@c!$&'()*+,=~", "/.well-known/x", "/..."]
        {
            assert!(ReadPath::parse(path).is_some(), "{path}");
        }
    }

    #[test]
    fn a_prefix_ends_where_a_segment_ends() {
        let below = |prefix: &str, path: &str| read(path).is_below(&read(prefix));
        assert!(below("/", "/") && below("/", "/a") && below("/a", "/a") && below("/a/", "/a") && below("/a", "/a/b"));
        assert!(!below("/a", "/ab") && !below("/a/b", "/a") && !below("/a", "/A"));
        assert!(below("/b%C3%BCro", "/b%c3%bcro/x"), "two ways to write one path");
        assert!(read("/B%C3%9CRO/x").may_be_below(&read("/b%C3%BCro")));
    }

    proptest! {
        #[test]
        fn a_clear_path_means_itself_however_it_is_read(path in "(/|%[0-9a-fA-F]{2}|[A-Za-z.;%@:!]){0,12}") {
            if let Some(clear) = ReadPath::parse(&path) {
                let resolved = url::Url::parse("http://host").map(|url| url.join(&path).map(|url| url.path().to_owned()));
                prop_assert_eq!(resolved, Ok(Ok(path.clone())));
                // Whoever writes it anew, decoded or with other digits, means the same place.
                let shouted: String = path.split('%').enumerate().map(|(at, part)| match at {
                    0 => part.to_owned(),
                    _ => format!("%{}{}", part[..2].to_ascii_uppercase(), &part[2..]),
                }).collect();
                prop_assert_eq!(ReadPath::parse(&shouted), Some(clear.clone()));
                prop_assert_eq!(clear.exact.matches('/').count(), path.matches('/').count());
            }
        }
    }
}
