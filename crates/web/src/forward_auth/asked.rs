//! Which request a proxy asks about.
//!
//! Caddy and Traefik tell in `X-Forwarded-Host`, `-Uri` and `-Method`; nginx in `X-Original-URL` and `-Method`, as it is set up to;
//! Envoy asks with the request's own host, method and path, which it appends to ours. A client can send any of these headers
//! itself, and the proxy overwrites only those that it knows: so each counts once and alone, and whatever could be read in two
//! ways lets nobody in.

use actix_web::HttpRequest;
use actix_web::http::header::{ACCEPT, ACCESS_CONTROL_REQUEST_METHOD, HOST, ORIGIN};
use grantor_core::error::Error;

use crate::routes::FORWARD_AUTH;

/// The request that is asked about.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked<'a> {
    /// The host, with a port where it is not the usual one.
    pub(super) authority: &'a str,
    /// The path, with the query.
    pub(super) target: &'a str,
    /// The method; none where the proxy does not tell.
    pub(super) method: Option<&'a str>,
    /// Whether the proxy hands an answer that lets nobody in on to the browser as it is.
    pub(super) is_handed_on: bool,
    /// Whether it was asked before about the same request.
    pub(super) is_second: bool,
}

impl<'a> Asked<'a> {
    /// Reads it.
    ///
    /// # Errors
    /// `ForwardedMissing`, `ForwardedMalformed`.
    pub(super) fn read(request: &'a HttpRequest) -> Result<Self, Error> {
        let original_url = only(request, "x-original-url")?;
        let forwarded_uri = only(request, "x-forwarded-uri")?;
        match (appended(request), original_url, forwarded_uri) {
            (Some(target), None, None) => Self::appended(request, target),
            (None, Some(url), None) => Self::original(request, url),
            (None, None, Some(target)) => Self::forwarded(request, target),
            (None, None, None) => Err(Error::ForwardedMissing),
            _ => Err(Error::ForwardedMalformed),
        }
    }

    /// A request to us at an app's host, as the proxy hands it on.
    pub(super) fn of_itself(request: &'a HttpRequest) -> Result<Self, Error> {
        let host = only(request, "x-forwarded-host")?;
        let authority = host.map_or_else(|| only(request, HOST.as_str()), |host| Ok(Some(host)))?;
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let authority = authority.ok_or(Error::ForwardedMissing)?;
        Ok(Self { authority, target, method: Some(request.method().as_str()), is_handed_on: true, is_second: false })
    }

    fn appended(request: &'a HttpRequest, target: &'a str) -> Result<Self, Error> {
        let authority = only(request, HOST.as_str())?.ok_or(Error::ForwardedMissing)?;
        if request.headers().contains_key("x-forwarded-host") {
            return Err(Error::ForwardedMalformed);
        }
        Ok(Self { authority, target, method: Some(request.method().as_str()), is_handed_on: true, is_second: false })
    }

    fn original(request: &'a HttpRequest, url: &'a str) -> Result<Self, Error> {
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let slash = rest.and_then(|rest| rest.find('/').map(|slash| rest.split_at(slash)));
        let (authority, target) = slash.ok_or(Error::ForwardedMalformed)?;
        Ok(Self {
            authority,
            target,
            method: only(request, "x-original-method")?,
            is_handed_on: false,
            is_second: false,
        })
    }

    fn forwarded(request: &'a HttpRequest, target: &'a str) -> Result<Self, Error> {
        let authority = only(request, "x-forwarded-host")?.ok_or(Error::ForwardedMissing)?;
        Ok(Self {
            authority,
            target,
            method: only(request, "x-forwarded-method")?,
            is_handed_on: true,
            is_second: false,
        })
    }

    /// Whether a browser asks before a request to another origin (CORS preflight).
    pub(super) fn is_preflight(&self, request: &HttpRequest) -> bool {
        let has = |name| request.headers().contains_key(name);
        self.method == Some("OPTIONS") && has(ORIGIN) && has(ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// Whether a person looks at the answer, so that a page is better than an error. Decides about nothing else.
    pub(super) fn is_navigation(&self, request: &HttpRequest) -> bool {
        let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let reads = matches!(self.method, None | Some("GET" | "HEAD"));
        let wants_page = || text(ACCEPT.as_str()).is_some_and(|accept| accept.contains("text/html"));
        reads && text("sec-fetch-mode").map_or_else(wants_page, |mode| mode == "navigate")
    }
}

/// What stands behind our own path, letter for letter.
fn appended(request: &HttpRequest) -> Option<&str> {
    let target = request.uri().path_and_query()?.as_str().strip_prefix(FORWARD_AUTH)?;
    target.starts_with('/').then_some(target)
}

/// The value of a header that stands there once, and says one thing.
fn only<'a>(request: &'a HttpRequest, name: &str) -> Result<Option<&'a str>, Error> {
    let mut values = request.headers().get_all(name);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(only), None) => {
            let text = only.to_str().map_err(|_| Error::ForwardedMalformed)?;
            let lists = name != "x-forwarded-uri" && name != "x-original-url" && text.contains(',');
            if text.is_empty() || lists { Err(Error::ForwardedMalformed) } else { Ok(Some(text)) }
        }
        _ => Err(Error::ForwardedMalformed),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn read(uri: &str, headers: &[(&str, &str)]) -> Result<String, &'static str> {
        let request = headers.iter().fold(TestRequest::with_uri(uri), |request, header| request.append_header(*header));
        let request = request.to_http_request();
        let asked = Asked::read(&request).map_err(|error| error.reason())?;
        Ok(format!("{} {} {}", asked.method.unwrap_or("-"), asked.authority, asked.target))
    }

    #[test]
    fn each_kind_of_proxy_is_understood() {
        let caddy =
            [("x-forwarded-host", "wiki.example"), ("x-forwarded-uri", "/a?b,c"), ("x-forwarded-method", "PUT")];
        assert_eq!(read("/forward-auth", &caddy).unwrap(), "PUT wiki.example /a?b,c");
        let nginx = [("x-original-url", "https://wiki.example:8443/a//b?c"), ("x-original-method", "HEAD")];
        assert_eq!(read("/forward-auth", &nginx).unwrap(), "HEAD wiki.example:8443 /a//b?c");
        let envoy = [("host", "wiki.example")];
        assert_eq!(read("/forward-auth/a/%2e%2e?b", &envoy).unwrap(), "GET wiki.example /a/%2e%2e?b");
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_not_read() {
        let host = ("x-forwarded-host", "wiki.example");
        let (uri, url) = (("x-forwarded-uri", "/a"), ("x-original-url", "https://wiki.example/a"));
        for (at, headers, reason) in [
            ("/forward-auth", &[][..], "ForwardedMissing"),
            ("/forward-auth", &[uri], "ForwardedMissing"),
            ("/forward-auth", &[host, uri, url], "ForwardedMalformed"),
            ("/forward-auth", &[host, host, uri], "ForwardedMalformed"),
            ("/forward-auth", &[host, uri, uri], "ForwardedMalformed"),
            ("/forward-auth", &[("x-forwarded-host", "wiki.example, mail.example"), uri], "ForwardedMalformed"),
            ("/forward-auth", &[host, uri, ("x-forwarded-method", "GET, OPTIONS")], "ForwardedMalformed"),
            ("/forward-auth", &[("x-original-url", "wiki.example/a")], "ForwardedMalformed"),
            ("/forward-auth", &[("x-original-url", "https://wiki.example")], "ForwardedMalformed"),
            ("/forward-auth", &[("x-original-url", "")], "ForwardedMalformed"),
            ("/forward-auth/a", &[("host", "wiki.example"), uri], "ForwardedMalformed"),
            ("/forward-auth/a", &[("host", "wiki.example"), host], "ForwardedMalformed"),
            ("/forward-auth/a", &[], "ForwardedMissing"),
        ] {
            assert_eq!(read(at, headers), Err(reason), "{at} {headers:?}");
        }
    }
}
