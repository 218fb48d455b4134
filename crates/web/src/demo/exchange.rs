//! One request with its answer, kept as it went over the wire, so that the page can show it.

use std::{future::Future, pin::Pin, sync::Mutex};

use openidconnect::{
    AsyncHttpClient, HttpRequest, HttpResponse,
    http::{HeaderMap, StatusCode, header},
};
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};

use super::{
    decode::{self, Member},
    redact,
};
use crate::outbound::{HttpClient, OutboundError};

/// One request with its answer.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) channel: Channel,
    pub(super) method: String,
    /// The address without its query.
    pub(super) url: String,
    pub(super) headers: Vec<Member>,
    pub(super) parameters: Vec<Member>,
    pub(super) answer: Option<Answer>,
}

/// Who carries a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channel {
    /// The person's browser, sent there by a redirect.
    Browser,
    /// The app's own server, unseen by the browser.
    Server,
}

/// What came back.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// `200 OK`, or the address of our own that the browser came back to.
    pub(super) status: String,
    pub(super) headers: Vec<Member>,
    pub(super) members: Vec<Member>,
    /// The body where it is not a JSON object.
    pub(super) text: String,
}

impl Exchange {
    /// The browser is sent to this address.
    pub(super) fn redirect(to: &Url) -> Self {
        let parameters = to.query_pairs().map(|(name, value)| parameter(&name, &value)).collect();
        Self {
            channel: Channel::Browser,
            method: "GET".to_owned(),
            url: without_query(to.clone()),
            headers: Vec::new(),
            parameters,
            answer: None,
        }
    }

    /// A request of the app's own server.
    fn request(request: &HttpRequest) -> Self {
        let url = Url::parse(&request.uri().to_string()).ok();
        let query = url.iter().flat_map(Url::query_pairs);
        let body = if is_form(request.headers()) { request.body().as_slice() } else { &[] };
        let parameters =
            query.chain(form_urlencoded::parse(body)).map(|(name, value)| parameter(&name, &value)).collect();
        Self {
            channel: Channel::Server,
            method: request.method().to_string(),
            url: url.map_or_else(|| request.uri().to_string(), without_query),
            headers: shown_headers(request.headers(), &[header::AUTHORIZATION, header::CONTENT_TYPE]),
            parameters,
            answer: None,
        }
    }
}

impl Answer {
    /// The browser came back with these parameters.
    pub(super) fn returned(to: &str, parameters: &[(String, String)]) -> Self {
        let members = parameters.iter().map(|(name, value)| Member::new(name, value)).collect();
        Self { status: format!("GET {to}"), headers: Vec::new(), members, text: String::new() }
    }

    fn response(response: &HttpResponse) -> Self {
        let object: Option<Map<String, Value>> = serde_json::from_slice(response.body()).ok();
        let text =
            if object.is_some() { String::new() } else { decode::cut(&String::from_utf8_lossy(response.body())) };
        Self {
            status: status_line(response.status()),
            headers: shown_headers(
                response.headers(),
                &[header::CONTENT_TYPE, header::CACHE_CONTROL, header::WWW_AUTHENTICATE, header::LOCATION],
            ),
            members: object.as_ref().map(decode::members).unwrap_or_default(),
            text,
        }
    }
}

/// An HTTP client that keeps what it sends and receives.
#[derive(Debug)]
pub(super) struct Recorder<'a> {
    client: &'a HttpClient,
    exchanges: Mutex<Vec<Exchange>>,
}

impl<'a> Recorder<'a> {
    pub(super) fn new(client: &'a HttpClient) -> Self {
        Self { client, exchanges: Mutex::default() }
    }

    /// Sends a request and keeps both sides of it.
    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, OutboundError> {
        let mut exchange = Exchange::request(&request);
        let result = self.client.send(request, "demo").await;
        exchange.answer = result.as_ref().ok().map(Answer::response);
        self.exchanges.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(exchange);
        result
    }

    /// What has been sent and received.
    pub(super) fn finish(self) -> Vec<Exchange> {
        self.exchanges.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl<'c> AsyncHttpClient<'c> for Recorder<'_> {
    type Error = OutboundError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, OutboundError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

fn parameter(name: &str, value: &str) -> Member {
    Member::new(name, &redact::parameter(name, value))
}

fn shown_headers(headers: &HeaderMap, names: &[header::HeaderName]) -> Vec<Member> {
    let values = names.iter().flat_map(|name| headers.get_all(name).iter().map(move |value| (name, value)));
    values
        .map(|(name, value)| {
            Member::new(wire_name(name), &redact::header(name.as_str(), &String::from_utf8_lossy(value.as_bytes())))
        })
        .collect()
}

/// The name as people write it: `WWW-Authenticate`, not `www-authenticate`.
fn wire_name(name: &header::HeaderName) -> &str {
    match name.as_str() {
        "authorization" => "Authorization",
        "cache-control" => "Cache-Control",
        "content-type" => "Content-Type",
        "location" => "Location",
        "www-authenticate" => "WWW-Authenticate",
        other => other,
    }
}

fn status_line(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_u16()),
        None => status.as_u16().to_string(),
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"))
}

fn without_query(mut url: Url) -> String {
    url.set_query(None);
    url.into()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use openidconnect::http::Request;

    use super::*;

    #[test]
    fn a_token_request_is_kept_without_the_secret() {
        let request = Request::post("http://localhost:8080/token?x=1")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", "Basic ZGVtbzpzM2NyZXQ=")
            .body(b"grant_type=authorization_code&code=a%20b&client_secret=s3cret".to_vec())
            .unwrap();
        let exchange = Exchange::request(&request);
        assert_eq!((exchange.method.as_str(), exchange.url.as_str()), ("POST", "http://localhost:8080/token"));
        let names: Vec<_> = exchange.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        assert_eq!(names, ["x", "grant_type", "code", "client_secret"]);
        assert_eq!(exchange.parameters[2].value, "a b");
        let everything = format!("{exchange:?}");
        assert!(!everything.contains("s3cret") && !everything.contains("ZGVtbzpz"), "{everything}");
    }

    #[test]
    fn an_answer_keeps_members_of_json_and_the_text_of_anything_else() {
        let json = http_response(400, br#"{"error":"invalid_grant"}"#);
        assert_eq!(Answer::response(&json).members, [Member::new("error", "invalid_grant")]);
        assert_eq!(Answer::response(&json).status, "400 Bad Request");
        let page = http_response(502, b"<h1>Bad gateway</h1>");
        assert_eq!(Answer::response(&page).text, "<h1>Bad gateway</h1>");
    }

    fn http_response(status: u16, body: &[u8]) -> HttpResponse {
        openidconnect::http::Response::builder().status(status).header("set-cookie", "a=b").body(body.to_vec()).unwrap()
    }
}
