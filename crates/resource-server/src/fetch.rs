//! Asking the issuer over HTTP: no redirects, no proxies of the environment, bounded in time and size.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, AGE, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{RequestBuilder, StatusCode};
use rustls::pki_types::CertificateDer;
use serde::de::DeserializeOwned;
use url::{Host, Url};

/// The largest answer that is read, in bytes.
const BODY_LIMIT: usize = 256 * 1024;
/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a whole exchange may take.
pub(crate) const TOTAL_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest that an issuer can tell us to stay away.
const LONGEST_REST: Duration = Duration::from_mins(1);

/// An HTTP client for one issuer.
#[derive(Clone, Debug)]
pub(crate) struct Http(reqwest::Client);

/// An answer that was read.
#[derive(Debug)]
pub(crate) struct Fetched<T> {
    pub(crate) body: T,
    /// For how long it may be kept, from when it was asked for; none where it may not be.
    pub(crate) max_age: Option<Duration>,
}

/// Why there is no answer, in alphabetical order.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("it asks for a rest")]
    Busy { retry_after: Duration },
    #[error("too much is asked at a time")]
    Crowded { retry_after: Duration },
    #[error("the answer is not the JSON that it should be: {0}")]
    Misshapen(serde_json::Error),
    #[error("it answers with status {0}")]
    Status(StatusCode),
    #[error("the answer is larger than {BODY_LIMIT} bytes")]
    TooLarge,
    #[error("no answer: {0}")]
    Unreachable(String),
}

impl Http {
    /// A client that trusts the usual authorities and these.
    ///
    /// It has a TLS configuration of its own, so that it works the same whatever the program around it has chosen for its process.
    pub(crate) fn new(roots: &[CertificateDer<'static>]) -> Result<Self, String> {
        let mut store = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for root in roots {
            store.add(root.clone()).map_err(|error| error.to_string())?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let tls = tls.map_err(|error| error.to_string())?.with_root_certificates(store).with_no_client_auth();
        let client = reqwest::Client::builder()
            .use_preconfigured_tls(tls)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TOTAL_TIMEOUT)
            .user_agent(concat!("grantor-resource-server/", env!("CARGO_PKG_VERSION")))
            .build();
        client.map(Self).map_err(|error| error.to_string())
    }

    /// Reads a document.
    pub(crate) async fn get<T: DeserializeOwned>(&self, url: &Url) -> Result<Fetched<T>, FetchError> {
        exchange(self.0.get(url.clone())).await
    }

    /// Sends a form with credentials.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        url: &Url,
        credentials: &HeaderValue,
        form: &[(&str, &str)],
    ) -> Result<Fetched<T>, FetchError> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.0.post(url.clone()).header(AUTHORIZATION, credentials.clone());
        exchange(request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body)).await
    }
}

async fn exchange<T: DeserializeOwned>(request: RequestBuilder) -> Result<Fetched<T>, FetchError> {
    let mut answer = request.header(ACCEPT, "application/json").send().await.map_err(unreachable)?;
    match answer.status() {
        StatusCode::OK => {}
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            return Err(FetchError::Busy { retry_after: retry_after(answer.headers()) });
        }
        other => return Err(FetchError::Status(other)),
    }
    let max_age = max_age(answer.headers());
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > BODY_LIMIT {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Fetched { body: serde_json::from_slice(&body).map_err(FetchError::Misshapen)?, max_age })
}

/// For how long an answer may be kept; none where nothing says so.
fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let lines = headers.get_all(CACHE_CONTROL).iter().map(|line| line.to_str().unwrap_or("no-store"));
    let directives: Vec<String> =
        lines.flat_map(|line| line.split(',')).map(|it| it.trim().to_ascii_lowercase()).collect();
    if directives
        .iter()
        .any(|directive| ["no-store", "no-cache"].contains(&directive.split('=').next().unwrap_or_default()))
    {
        return None;
    }
    let mut ages = directives.iter().filter_map(|directive| directive.strip_prefix("max-age="));
    let seconds: u64 = ages.next()?.trim_matches('"').parse().ok()?;
    // "either the first occurrence should be used or the response should be considered stale" (RFC 9111 §4.2.1)
    if ages.next().is_some() {
        return None;
    }
    let age = headers.get(AGE).and_then(|age| age.to_str().ok()?.parse().ok()).unwrap_or(0);
    Some(Duration::from_secs(seconds.saturating_sub(age))).filter(|left| !left.is_zero())
}

fn retry_after(headers: &HeaderMap) -> Duration {
    let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(1);
    Duration::from_secs(seconds).clamp(Duration::from_secs(1), LONGEST_REST)
}

/// The innermost reason, without the URL.
fn unreachable(error: reqwest::Error) -> FetchError {
    let error = error.without_url();
    let mut reason = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        reason = inner.to_string();
        source = inner.source();
    }
    FetchError::Unreachable(reason)
}

/// Whether an issuer's URL keeps secrets on their way: https, or a server on this machine.
pub(crate) fn is_private(url: &Url) -> bool {
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && is_here)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn kept(cache_control: &[&str], age: Option<&str>) -> Option<u64> {
        let mut headers = HeaderMap::new();
        for line in cache_control {
            headers.append(CACHE_CONTROL, line.parse().unwrap());
        }
        if let Some(age) = age {
            headers.insert(AGE, age.parse().unwrap());
        }
        max_age(&headers).map(|age| age.as_secs())
    }

    #[test]
    fn an_answer_is_kept_only_as_long_as_it_says() {
        assert_eq!(kept(&["private, max-age=5"], None), Some(5));
        assert_eq!(kept(&["Private", "MAX-AGE=5"], Some("2")), Some(3));
        assert_eq!(kept(&["max-age=5"], Some("5")), None);
        for never in [
            &[][..],
            &["no-store"],
            &["no-store, max-age=5"],
            &["max-age=5", "no-cache"],
            &["max-age=-1"],
            &["max-age=x"],
        ] {
            assert_eq!(kept(never, None), None, "{never:?}");
        }
        assert_eq!(kept(&["max-age=0"], None), None);
        assert_eq!(kept(&["max-age=5, max-age=9"], None), None);
        assert_eq!(kept(&["no-cache=\"x\", max-age=5"], None), None);
    }

    #[test]
    fn plain_http_goes_to_this_machine_only() {
        let goes = |url: &str| is_private(&Url::parse(url).unwrap());
        assert!(
            goes("https://id.example")
                && goes("http://localhost:8080")
                && goes("http://127.0.0.1:1")
                && goes("http://[::1]/")
        );
        assert!(
            !goes("http://id.example")
                && !goes("http://localhost.example")
                && !goes("http://169.254.169.254/")
                && !goes("ftp://localhost")
        );
    }

    #[test]
    fn a_rest_is_bounded() {
        let rest = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, value.parse().unwrap());
            retry_after(&headers).as_secs()
        };
        assert_eq!([rest("7"), rest("0"), rest("99999999"), rest("Wed, 21 Oct 2026 07:28:00 GMT")], [7, 1, 60, 1]);
    }
}
