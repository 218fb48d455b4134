//! Where an app may be told that a session has ended.

use url::Url;

use super::ClientMetadata;
use crate::client_auth::ClientAuthMethod;
use crate::error::Error;
use crate::{frontchannel_logout, redirect_uri};

/// Checks what is registered for sign-outs.
pub(super) fn check(metadata: &ClientMetadata) -> Result<(), Error> {
    let invalid = |member, why| Err(Error::MetadataInvalid(member, why));
    match &metadata.backchannel_logout_uri {
        Some(uri) => check_backchannel(metadata, uri)?,
        None if metadata.backchannel_logout_session_required => {
            return invalid("backchannel_logout_session_required", "it says nothing without backchannel_logout_uri");
        }
        None => {}
    }
    match &metadata.frontchannel_logout_uri {
        Some(uri) => check_frontchannel(metadata, uri),
        None if metadata.frontchannel_logout_session_required => {
            invalid("frontchannel_logout_session_required", "it says nothing without frontchannel_logout_uri")
        }
        None => Ok(()),
    }
}

fn check_backchannel(metadata: &ClientMetadata, uri: &str) -> Result<(), Error> {
    // "The back-channel logout URI MUST be an absolute URI as defined by Section 4.3 of [RFC3986]." (OIDC Back-Channel Logout §2.2)
    let is_whole = redirect_uri::check(uri, metadata.application_type).is_ok();
    // "The back-channel logout URI MUST NOT include a fragment component." (OIDC Back-Channel Logout §2.2); and stricter, since we
    // ask other servers over https only.
    let why = "it is no https address without fragment, user information and dot segments";
    // "This URL SHOULD use the "https" scheme and MAY contain port, path, and query parameter components; however, it MAY
    // use the "http" scheme, provided that the Client Type is "confidential", as defined in Section 2.1 of OAuth 2.0
    // [RFC6749], and provided the OP allows the use of "http" RP URIs." (OIDC Back-Channel Logout §2.2)
    (is_whole && scheme(uri) == "https").then_some(()).ok_or(Error::MetadataInvalid("backchannel_logout_uri", why))
}

fn check_frontchannel(metadata: &ClientMetadata, uri: &str) -> Result<(), Error> {
    let invalid = |why| Err(Error::MetadataInvalid("frontchannel_logout_uri", why));
    // "The logout URI MUST NOT include a fragment component." (OIDC Front-Channel Logout §2)
    // "The logout URI MUST be an absolute URI as defined by Section 4.3 of [RFC3986]." (OIDC Front-Channel Logout §2)
    if redirect_uri::check(uri, metadata.application_type).is_err() {
        return invalid("it is no https address without fragment, user information and dot segments");
    }
    // "however, it MAY use the "http" scheme, provided that the Client Type is "confidential", as defined in Section 2.1 of OAuth
    // 2.0 [RFC6749], and provided the OP allows the use of "http" RP URIs." (OIDC Front-Channel Logout §2)
    let is_public = metadata.token_endpoint_auth_method == ClientAuthMethod::None;
    match scheme(uri).as_str() {
        "https" => {}
        "http" if !is_public => {}
        _ => return invalid("it is not https (http is for confidential apps on the loopback interface only)"),
    }
    if frontchannel_logout::source(uri).is_none() {
        return invalid("its host cannot be named in a page's policy, as an IPv6 address cannot");
    }
    // "The domain, port, and scheme of this URL MUST be the same as that of a registered Redirection URI value."
    // (OIDC Front-Channel Logout §2)
    let origin = redirect_uri::origin(uri);
    let is_theirs = metadata.redirect_uris.iter().any(|known| redirect_uri::origin(known) == origin);
    if is_theirs { Ok(()) } else { invalid("it has neither domain, port and scheme of a redirect URI") }
}

fn scheme(uri: &str) -> String {
    Url::parse(uri).map(|url| url.scheme().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::*;

    fn is_taken(uri: &str, method: ClientAuthMethod) -> bool {
        let mut metadata = sample("wiki").metadata;
        metadata.redirect_uris.push("http://127.0.0.1:3000/cb".to_owned());
        metadata.redirect_uris.push("http://[::1]/cb".to_owned());
        metadata.token_endpoint_auth_method = method;
        metadata.frontchannel_logout_uri = Some(uri.to_owned());
        metadata.check().is_ok()
    }

    // "The logout URI MUST be an absolute URI as defined by Section 4.3 of [RFC3986]." (OIDC Front-Channel Logout §2)
    // "This URL SHOULD use the "https" scheme and MAY contain port, path, and query parameter components; however, it MAY
    // use the "http" scheme, provided that the Client Type is "confidential", as defined in Section 2.1 of OAuth 2.0
    // [RFC6749], and provided the OP allows the use of "http" RP URIs." (OIDC Front-Channel Logout §2)
    #[test]
    fn an_address_to_be_framed_is_where_the_app_is() {
        let with_secret = |uri| is_taken(uri, ClientAuthMethod::ClientSecretBasic);
        assert!(with_secret("https://wiki.example/logout?a=b") && with_secret("http://127.0.0.1:3000/logout"));
        assert!(!is_taken("http://127.0.0.1:3000/logout", ClientAuthMethod::None));
        for uri in [
            "https://wiki.example:444/logout",
            "http://wiki.example/logout",
            "https://evil.example/logout",
            "https://wiki.example/logout#x",
            "https://wiki.example@evil.example/",
            "https://evil.example\\@wiki.example/",
            "http://[::1]/logout",
            "javascript:alert(1)",
            "data:text/html,x",
            "/logout",
            "",
        ] {
            assert!(!with_secret(uri), "{uri}");
        }
    }
}
