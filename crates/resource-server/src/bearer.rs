//! The token of a request: from its `Authorization` header, and from nowhere else.

/// What a request's `Authorization` headers hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presented<'a> {
    /// Bearer credentials that are none, or two headers.
    Malformed,
    /// No header, or one of another scheme.
    Nothing,
    /// A token.
    Token(&'a str),
}

/// Reads the values of all `Authorization` headers. The query and the body are never looked at.
// "clients MUST NOT send the access token in a URI query parameter, and resource servers MUST ignore access tokens in a URI query
// parameter." (OAuth 2.1 §5.1)
pub(crate) fn read<'a>(headers: impl IntoIterator<Item = &'a [u8]>) -> Presented<'a> {
    let mut headers = headers.into_iter();
    let Some(only) = headers.next() else { return Presented::Nothing };
    // "invalid_request The request is missing a required parameter, includes an unsupported parameter or parameter value, repeats
    // the same parameter, uses more than one method for including an access token, or is otherwise malformed." (RFC 6750 §3.1)
    if headers.next().is_some() {
        return Presented::Malformed;
    }
    let (scheme, rest) = only.split_at(only.iter().position(|byte| *byte == b' ').unwrap_or(only.len()));
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Presented::Nothing;
    }
    let token = &rest[rest.iter().position(|byte| *byte != b' ').unwrap_or(rest.len())..];
    match std::str::from_utf8(token) {
        Ok(text) if is_b64token(token) => Presented::Token(text),
        _ => Presented::Malformed,
    }
}

// "b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="" (RFC 6750 §2.1)
fn is_b64token(token: &[u8]) -> bool {
    let padding = token.iter().rev().take_while(|byte| **byte == b'=').count();
    let bare = &token[..token.len() - padding];
    !bare.is_empty() && bare.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_header_holds_the_token() {
        for header in ["Bearer mF_9.B5f-4.1JqM", "bearer mF_9.B5f-4.1JqM", "BEARER   mF_9.B5f-4.1JqM"] {
            assert_eq!(read([header.as_bytes()]), Presented::Token("mF_9.B5f-4.1JqM"));
        }
        assert_eq!(read([&b"Bearer a=="[..]]), Presented::Token("a=="));
    }

    #[test]
    fn without_bearer_credentials_there_is_nothing() {
        assert_eq!(read([]), Presented::Nothing);
        for header in ["", "Basic YTpi", "Bearerx", "DPoP abc", "Bear er", " Bearer a"] {
            assert_eq!(read([header.as_bytes()]), Presented::Nothing, "{header:?}");
        }
    }

    #[test]
    fn two_headers_and_what_is_no_token_are_malformed() {
        assert_eq!(read([&b"Bearer a"[..], &b"Bearer a"[..]]), Presented::Malformed);
        assert_eq!(read([&b"Basic YTpi"[..], &b"Bearer a"[..]]), Presented::Malformed);
        for header in
            ["Bearer", "Bearer ", "Bearer a b", "Bearer a,b", "Bearer \"a\"", "Bearer =", "Bearer a=b", "Bearer a\t"]
        {
            assert_eq!(read([header.as_bytes()]), Presented::Malformed, "{header:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_sent_is_read_or_refused(headers in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..3)) {
            if let Presented::Token(token) = read(headers.iter().map(Vec::as_slice)) {
                prop_assert!(!token.is_empty() && !token.contains([' ', ',', '"', '\\']));
            }
        }
    }
}
