//! The outgoing HTTP client: the one door through which this process asks other servers.
//!
//! Redirects are not followed, answers are bounded in time and size, proxies of the environment are ignored. [`Reach`]
//! says which addresses may be asked; the check of resolved addresses for fetches that somebody else names (`jwks_uri`,
//! logout notices) belongs there and comes with the first of them.

use std::{error::Error as _, future::Future, pin::Pin, time::Duration};

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, http};
use url::{Host, Url};

/// The largest answer that is read, in bytes.
const BODY_LIMIT: usize = 1024 * 1024;
/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a whole exchange may take.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(10);

/// Which addresses may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Any address over https, and this machine over plain HTTP: for the demo only, whose server runs beside it.
    LoopbackAllowed,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutboundError {
    #[error("{0} may not be asked from here")]
    Forbidden(String),
    #[error("the answer is larger than {BODY_LIMIT} bytes")]
    TooLarge,
    #[error("no answer: {0}")]
    Unreachable(String),
}

/// An HTTP client with a reach.
#[derive(Clone, Debug)]
pub(crate) struct HttpClient {
    client: reqwest::Client,
    reach: Reach,
}

impl HttpClient {
    /// Makes a client.
    pub(crate) fn new(reach: Reach) -> Result<Self, OutboundError> {
        // The first caller in the process sets it; a second finds the same provider there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TOTAL_TIMEOUT)
            .user_agent(concat!("grantor/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(unreachable)?;
        Ok(Self { client, reach })
    }

    /// Sends one request and reads the whole answer.
    pub(crate) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, OutboundError> {
        let request = reqwest::Request::try_from(request).map_err(unreachable)?;
        if !self.reach.includes(request.url()) {
            return Err(OutboundError::Forbidden(request.url().origin().ascii_serialization()));
        }
        let mut answer = self.client.execute(request).await.map_err(unreachable)?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > BODY_LIMIT {
                return Err(OutboundError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = http::Response::new(body);
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }
}

impl<'c> AsyncHttpClient<'c> for HttpClient {
    type Error = OutboundError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, OutboundError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

impl Reach {
    /// Whether this address may be asked.
    fn includes(self, url: &Url) -> bool {
        match self {
            Self::LoopbackAllowed => url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url)),
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The innermost reason, without the URL: its query may hold what is not for a log.
fn unreachable(error: reqwest::Error) -> OutboundError {
    let error = error.without_url();
    let mut reason = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        reason = inner.to_string();
        source = inner.source();
    }
    OutboundError::Unreachable(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reaches(url: &str) -> bool {
        Url::parse(url).is_ok_and(|url| Reach::LoopbackAllowed.includes(&url))
    }

    #[test]
    fn plain_http_goes_to_this_machine_only() {
        assert!(reaches("http://localhost:8080/token"));
        assert!(reaches("http://127.0.0.1:8080/token"));
        assert!(reaches("http://[::1]/token"));
        assert!(!reaches("http://localhost.example.com/token"));
        assert!(!reaches("http://169.254.169.254/latest"));
        assert!(!reaches("file:///etc/hostname"));
        assert!(reaches("https://login.example.com/token"));
    }
}
