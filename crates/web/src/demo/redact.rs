//! What the page must not show: the client's own credentials. Tokens are shown; they are what is taught.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// What stands in place of a secret.
pub(super) const REDACTED: &str = "[redacted]";

/// The value of a request parameter as it may be shown.
pub(super) fn parameter(name: &str, value: &str) -> String {
    match name {
        "client_secret" | "client_assertion" | "password" => REDACTED.to_owned(),
        _ => value.to_owned(),
    }
}

/// The value of a request header as it may be shown. Of Basic credentials the name stays and the secret goes.
pub(super) fn header(name: &str, value: &str) -> String {
    if !name.eq_ignore_ascii_case("authorization") {
        return value.to_owned();
    }
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => format!("Bearer {token}"),
        Some((scheme, credentials)) if scheme.eq_ignore_ascii_case("basic") => basic(credentials),
        _ => REDACTED.to_owned(),
    }
}

fn basic(credentials: &str) -> String {
    let name = STANDARD
        .decode(credentials.trim())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| text.split_once(':').map(|(name, _)| name.to_owned()));
    match name {
        Some(name) => format!("Basic base64({name}:{REDACTED})"),
        None => format!("Basic {REDACTED}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_keep_the_name_and_lose_the_secret() {
        let sent = format!("Basic {}", STANDARD.encode("demo:s3cret:with-colon"));
        assert_eq!(header("Authorization", &sent), "Basic base64(demo:[redacted])");
    }

    #[test]
    fn credentials_that_cannot_be_read_are_not_shown() {
        assert_eq!(header("authorization", "Basic ?"), "Basic [redacted]");
        assert_eq!(header("authorization", "Custom s3cret"), REDACTED);
        assert_eq!(header("authorization", "s3cret"), REDACTED);
    }

    #[test]
    fn a_bearer_token_is_shown() {
        assert_eq!(header("Authorization", "Bearer at_1.x"), "Bearer at_1.x");
    }

    #[test]
    fn client_credentials_in_a_form_are_not_shown() {
        assert_eq!(parameter("client_secret", "s3cret"), REDACTED);
        assert_eq!(parameter("client_assertion", "a.b.c"), REDACTED);
        assert_eq!(parameter("code_verifier", "abc"), "abc");
    }
}
