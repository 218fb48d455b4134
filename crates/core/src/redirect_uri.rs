//! Redirect URIs: what may be registered, and when a received one is the registered one.

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::error::Error;

/// What kind of app a client is, since native apps have rules of their own (RFC 8252).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ApplicationType {
    /// An app that answers at an https address.
    #[default]
    Web,
    /// An app on the person's own device.
    Native,
}

/// An address that answers may be sent to: proof that it is registered for the client of the request.
///
/// Made only by [`crate::client::Client::redirect_uri`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidRedirectUri(String);

impl ValidRedirectUri {
    pub(crate) fn proven(uri: &str) -> Self {
        Self(uri.to_owned())
    }

    /// The URI, letter for letter as received.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host a person is told the answer goes to; for a private-use scheme the scheme.
    pub fn host(&self) -> String {
        host(&self.0)
    }

    /// The source expression for `form-action` (CSP): an origin, or a scheme with its colon.
    pub fn form_action(&self) -> String {
        // CSP has no source expression for an IPv6 host, so such an address is named by its scheme alone.
        origin(&self.0)
            .filter(|origin| !origin.contains('['))
            .unwrap_or_else(|| self.0.split(':').next().map(|scheme| format!("{scheme}:")).unwrap_or_default())
    }

    /// The URI with `pairs` added to its query.
    pub fn with_query<'a>(&self, pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
        // "The endpoint URI MAY include an "application/x-www-form-urlencoded" formatted (per Appendix B) query
        // component ([RFC3986] Section 3.4), which MUST be retained when adding additional query parameters."
        // (RFC 6749 §3.1.2)
        let separator = if self.0.contains('?') { '&' } else { '?' };
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(pairs);
        format!("{}{separator}{}", self.0, query.finish())
    }
}

impl ValidRedirectUri {
    /// The URI with `pairs` as its fragment.
    pub fn with_fragment<'a>(&self, pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
        // "the authorization server issues an access token and delivers it to the client by adding the following parameters to
        // the fragment component of the redirection URI using the "application/x-www-form-urlencoded" format, per Appendix B"
        // (RFC 6749 §4.2.2)
        let mut fragment = url::form_urlencoded::Serializer::new(String::new());
        fragment.extend_pairs(pairs);
        // Each plus sign that is left stands for a space. Scripts often read fragments as mere percent-encoding: written like
        // this, both ways to read it give the same.
        format!("{}#{}", self.0, fragment.finish().replace('+', "%20"))
    }
}

/// The host of a URI in words for people: `example.com`, `localhost:8081`, or the scheme of a private-use URI.
pub fn host(uri: &str) -> String {
    let Ok(url) = Url::parse(uri) else { return String::new() };
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => url.scheme().to_owned(),
    }
}

/// The web origin of a URI, if it has one.
pub fn origin(uri: &str) -> Option<String> {
    let origin = Url::parse(uri).ok()?.origin();
    origin.is_tuple().then(|| origin.ascii_serialization())
}

/// Whether `uri` may be registered for an app of this type.
///
/// # Errors
/// `RedirectUriUnsafe` with the rule that it breaks.
pub fn check(uri: &str, application_type: ApplicationType) -> Result<(), Error> {
    let unsafe_because = |rule| Err(Error::RedirectUriUnsafe(rule));
    if uri.bytes().any(|byte| byte <= b' ' || byte >= 0x7F || byte == b'\\') {
        return unsafe_because("it holds a space, a backslash or a character outside ASCII");
    }
    // "The redirection endpoint URI MUST be an absolute URI as defined by [RFC3986] Section 4.3." (RFC 6749 §3.1.2)
    let Ok(url) = Url::parse(uri) else { return unsafe_because("it is not an absolute URI") };
    // "The endpoint URI MUST NOT include a fragment component." (RFC 6749 §3.1.2)
    if uri.contains('#') {
        return unsafe_because("it holds a fragment");
    }
    if uri.contains('*') {
        return unsafe_because("it holds a wildcard; each address is registered by itself");
    }
    // Also an empty one, with which the address cannot be read any more once a query is added.
    let authority = uri.split_once("://").and_then(|(_, rest)| rest.split(['/', '?']).next());
    if !url.username().is_empty() || url.password().is_some() || authority.is_some_and(|host| host.contains('@')) {
        return unsafe_because("it holds user information");
    }
    if uri.split(['?']).next().is_some_and(|path| path.split('/').any(|part| part == "." || part == "..")) {
        return unsafe_because("its path holds dot segments");
    }
    // "registered redirection URI values MUST be one of:" (RFC 7591 §5)
    match url.scheme() {
        // Browsers forgive a missing slash and a host of any signs; what else reads the address finds another host, or none.
        "https" | "http" if !names_host(uri, &url) => {
            unsafe_because("it does not begin with its scheme, // and the name of a host")
        }
        "https" => Ok(()),
        "http" if is_loopback(&url) => Ok(()),
        "http" => unsafe_because("it is http and not on the loopback interface; use https"),
        // "apps MUST use a URI scheme based on a domain name under their control, expressed in reverse order"
        // (RFC 8252 §7.1)
        scheme if application_type == ApplicationType::Native && scheme.contains('.') => Ok(()),
        _ => unsafe_because("its scheme is neither https nor, for a native app, a reversed domain name"),
    }
}

/// Whether the address names its host letter for letter, in letters that host names have.
fn names_host(uri: &str, url: &Url) -> bool {
    let rest = uri.strip_prefix(url.scheme()).and_then(|rest| rest.strip_prefix("://"));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    url.host_str().filter(|host| host.bytes().all(plain)).is_some_and(|host| {
        rest.and_then(|rest| rest.get(..host.len())).is_some_and(|written| written.eq_ignore_ascii_case(host))
    })
}

/// The address of a page that people can open: `https` or `http`, with a host that it names letter for letter and nothing hidden.
pub fn web_page(uri: &str) -> Option<Url> {
    let url = Url::parse(uri).ok()?;
    let plain = !uri.bytes().any(|byte| byte <= b' ' || byte >= 0x7F || byte == b'\\');
    let named = plain && url.username().is_empty() && url.password().is_none() && names_host(uri, &url);
    (named && matches!(url.scheme(), "https" | "http")).then_some(url)
}

pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether `received` is the address `registered`.
pub(crate) fn matches(registered: &str, received: &str, application_type: ApplicationType) -> bool {
    // "the authorization server MUST compare the two URIs using simple string comparison as defined in [RFC3986]
    // Section 6.2.1." (RFC 6749 §3.1.2.3)
    // "One of these registered Redirection URI values MUST exactly match the "redirect_uri" parameter value used in each
    // Authorization Request, with the matching performed as described in Section 6.2.1 of [RFC3986] (Simple String
    // Comparison)." (OIDC Registration §2)
    if registered == received {
        return true;
    }
    // "The authorization server MUST allow any port to be specified at the time of the request for loopback IP redirect
    // URIs, to accommodate clients that obtain an available ephemeral port from the operating system at the time of the
    // request." (RFC 8252 §7.3)
    if application_type != ApplicationType::Native {
        return false;
    }
    match (split_loopback(registered), split_loopback(received)) {
        (Some((known_host, known_path)), Some((host, path))) => known_host == host && known_path == path,
        _ => false,
    }
}

/// Splits a loopback IP redirect URI into its host and what follows the port; anything else is `None`.
fn split_loopback(uri: &str) -> Option<(&str, &str)> {
    let (host, rest) =
        ["http://127.0.0.1", "http://[::1]"].iter().find_map(|host| Some((*host, uri.strip_prefix(host)?)))?;
    let Some(after_colon) = rest.strip_prefix(':') else {
        return (rest.is_empty() || rest.starts_with(['/', '?'])).then_some((host, rest));
    };
    let end = after_colon.find(|c: char| !c.is_ascii_digit()).unwrap_or(after_colon.len());
    let (port, rest) = after_colon.split_at(end);
    let valid_port = port.parse::<u16>().is_ok_and(|port| port > 0);
    (valid_port && (rest.is_empty() || rest.starts_with(['/', '?']))).then_some((host, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_port_of_a_native_loopback_address_is_free() {
        let native = |received| matches("http://127.0.0.1/cb", received, ApplicationType::Native);
        assert!(native("http://127.0.0.1:49152/cb"));
        for other in [
            "http://127.0.0.1:49152/cb/",
            "http://localhost:49152/cb",
            "https://127.0.0.1:49152/cb",
            "http://user@127.0.0.1:49152/cb",
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:99999/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://127.0.0.1:1@evil.example/cb",
            "http://127.0.0.1:/cb",
            "http://[::1]:80/cb",
            "http://127.0.0.1:80#/cb",
            "http://127.0.0.1:80\\@evil.example/cb",
        ] {
            assert!(!native(other), "{other}");
        }
        assert!(!matches("http://127.0.0.1/cb", "http://127.0.0.1:1/cb", ApplicationType::Web));
    }

    #[test]
    fn hostile_addresses_are_not_registered() {
        for uri in [
            "javascript:alert(1)",
            "data:text/html,x",
            "*",
            "https://*.example.com/cb",
            "https://x/*",
            "https://x/#f",
            "http://example.com/cb",
            "https://user@example.com/",
            "com.example.app://@",
            "com.example.app://@/cb",
            "https://x/a/../b",
            "/cb",
            "https://x/ y",
            "myapp:/cb",
            "https://x\\evil/",
            "https://é.example/",
            "https:/x.example/cb",
            "https:///x.example/cb",
            "https:x.example",
            "HTTPS://x.example/cb",
            "http:/localhost/cb",
            "https://x.example;script-src/cb",
            "https://a,b.example/cb",
            "https://a%2eexample/cb",
            "http://0x7f.1/cb",
        ] {
            assert!(check(uri, ApplicationType::Native).is_err(), "{uri}");
        }
        for uri in ["https://x.example/cb?a=1", "http://localhost:1/cb", "http://[::1]/cb", "com.example.app:/cb"] {
            assert!(check(uri, ApplicationType::Native).is_ok(), "{uri}");
        }
        assert!(check("com.example.app:/cb", ApplicationType::Web).is_err());
    }

    #[test]
    fn the_registered_query_is_kept() {
        let uri = ValidRedirectUri::proven("https://x/cb?a=1");
        assert_eq!(uri.with_query([("code", "c d")].into_iter()), "https://x/cb?a=1&code=c+d");
    }

    #[test]
    fn a_fragment_reads_the_same_as_a_form_and_as_percent_encoding() {
        let uri = ValidRedirectUri::proven("https://x/cb?a=1");
        assert_eq!(uri.with_fragment([("state", "a+b c#&%")].into_iter()), "https://x/cb?a=1#state=a%2Bb%20c%23%26%25");
    }

    proptest! {
        #[test]
        fn a_web_address_matches_only_itself(a in any::<String>(), b in any::<String>()) {
            prop_assert_eq!(matches(&a, &b, ApplicationType::Web), a == b);
            let _ = check(&a, ApplicationType::Native);
            let _ = matches("http://127.0.0.1/cb", &a, ApplicationType::Native);
        }
    }
}
