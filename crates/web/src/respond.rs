//! Answers to browsers: pages with their headers, redirects, and the pages for what went wrong.

use actix_web::HttpResponse;
use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, LOCATION, RETRY_AFTER,
};
use askama::Template;
use grantor_core::audit::printable;
use grantor_core::client::{Client, Trust};
use grantor_core::directory::Directory;
use grantor_core::error::Error;
use grantor_core::redirect_uri::ValidRedirectUri;

use crate::cookie::{self, Name};
use crate::locale::{self, Language};
use crate::pages::refusal::{Addresses, Reason, Refusal};
use crate::pages::status::{GoOn, Kind, Status};
use crate::pages::{self, Frame};
use crate::visit::Visit;

/// How a page is sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct How {
    /// The status; 200 when absent.
    pub(crate) status: Option<StatusCode>,
    /// Where else forms of the page may lead, also by redirects: browsers hold them to it.
    pub(crate) form_action: Option<String>,
    /// What the page frames; nothing else may be framed.
    pub(crate) frames: Vec<String>,
    /// Whether the page has a script for comfort.
    pub(crate) script: bool,
}

/// A page.
pub(crate) fn page(visit: &Visit, page: &impl Template, how: &How) -> HttpResponse {
    let Ok(body) = page.render() else { return plain_failure() };
    let script = if how.script { " script-src 'self';" } else { "" };
    let frames = if how.frames.is_empty() { String::new() } else { format!(" frame-src {};", how.frames.join(" ")) };
    let elsewhere = how.form_action.as_deref().map(|source| format!(" {source}")).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self';{script}{frames} form-action 'self'{elsewhere}; frame-ancestors 'none'; base-uri 'none'"
    );
    let mut response = HttpResponse::build(how.status.unwrap_or(StatusCode::OK));
    response
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_SECURITY_POLICY, policy));
    if let Some(mark) = visit.new_mark() {
        response.cookie(cookie::set(Name::Visit, mark.to_owned(), visit.app.provider.issuer.is_https(), None));
    }
    response.body(body)
}

/// Sends the browser on. 303, so that a form is never posted again elsewhere.
pub(crate) fn redirect(location: &str) -> HttpResponse {
    // "In the HTTP standard [RFC9110], only the status code 303 unambiguously enforces rewriting the HTTP POST request to an
    // HTTP GET request." (RFC 9700 §4.12)
    HttpResponse::SeeOther().insert_header((LOCATION, location)).insert_header((CACHE_CONTROL, "no-store")).finish()
}

/// Sends a browser on that has to be known again by its mark.
pub(crate) fn redirect_marked(visit: &Visit, location: &str) -> HttpResponse {
    let mut response = redirect(location);
    if let Some(mark) = visit.new_mark() {
        let cookie = cookie::set(Name::Visit, mark.to_owned(), visit.app.provider.issuer.is_https(), None);
        // A cookie of ours is always a header that can be written.
        let _ = response.add_cookie(&cookie);
    }
    response
}

/// Lets the browser forget its mark, in an answer; the next page gives it another one.
pub(crate) fn forget_mark(visit: &Visit, response: &mut HttpResponse) {
    if visit.new_mark().is_none() {
        // A cookie of ours is always a header that can be written.
        let _ = response.add_cookie(&cookie::remove(Name::Visit, visit.app.provider.issuer.is_https()));
    }
}

/// An answer with cookies.
pub(crate) fn with_cookies(mut response: HttpResponse, cookies: Vec<Cookie<'static>>) -> HttpResponse {
    for cookie in cookies {
        // A cookie of ours is always a header that can be written.
        let _ = response.add_cookie(&cookie);
    }
    response
}

/// A page for what went wrong.
pub(crate) fn status_page(visit: &Visit, kind: Kind, case: Option<String>) -> HttpResponse {
    status(visit, kind, case, None)
}

/// The page for a form that is not valid any more, with the way on for an app's request that waited for it.
pub(crate) fn form_refused(visit: &Visit, go_on: Option<GoOn>) -> HttpResponse {
    status(visit, Kind::FormRefused, None, go_on)
}

fn status(visit: &Visit, kind: Kind, case: Option<String>, go_on: Option<GoOn>) -> HttpResponse {
    let frame = Frame { return_to: None, ..visit.frame(None, None) };
    let (status, wait) = match kind {
        Kind::BadRequest => (StatusCode::BAD_REQUEST, None),
        Kind::Busy => (StatusCode::SERVICE_UNAVAILABLE, Some(1)),
        Kind::FormRefused => (StatusCode::FORBIDDEN, None),
        Kind::NotFound => (StatusCode::NOT_FOUND, None),
        Kind::ServerError => (StatusCode::INTERNAL_SERVER_ERROR, None),
        Kind::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, None),
        Kind::TooMany(seconds) => (StatusCode::TOO_MANY_REQUESTS, Some(seconds)),
    };
    let mut response =
        page(visit, &Status { case, frame, go_on, kind }, &How { status: Some(status), ..How::default() });
    if let Some(seconds) = wait {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    response
}

/// The page for an error that no app can be told, with its case number.
pub(crate) async fn failure(visit: &Visit, error: &Error) -> HttpResponse {
    let kind = match error {
        Error::FormTooLarge | Error::ParameterTooLarge | Error::TooManyParameters => Kind::TooLarge,
        Error::Store(error) if error.is_passing() => Kind::Busy,
        Error::Store(_) | Error::SigningKeyMissing => Kind::ServerError,
        _ => Kind::BadRequest,
    };
    let case = visit.app.record(error, None, visit.call()).await;
    status_page(visit, kind, Some(case.to_string()))
}

/// The refusal page of the authorization endpoint: for the person in a sentence, for the app's developer in full.
pub(crate) async fn refusal(visit: &Visit, error: &Error, client: Option<&Client>, sent: Sent<'_>) -> HttpResponse {
    let case =
        visit.app.record(error, client.map(|client| client.client_id.as_str()).or(sent.client_id), visit.call()).await;
    // A request is of the browser that it began in; one that brings no mark of ours is not late.
    let is_unmarked = matches!(error, Error::InteractionExpired) && visit.new_mark().is_some();
    let reason = if is_unmarked { Some(Reason::CookieMissing) } else { reason(error, client, sent) };
    let Some(reason) = reason else {
        return match error {
            Error::Store(error) if error.is_passing() => status_page(visit, Kind::Busy, Some(case.to_string())),
            Error::Store(_) => status_page(visit, Kind::ServerError, Some(case.to_string())),
            Error::FormTooLarge | Error::ParameterTooLarge | Error::TooManyParameters => {
                status_page(visit, Kind::TooLarge, Some(case.to_string()))
            }
            _ => status_page(visit, Kind::BadRequest, Some(case.to_string())),
        };
    };
    let frame = Frame { return_to: None, ..visit.frame(None, None) };
    let refusal = Refusal {
        app: client.map(|client| app_of(client, visit.language(None))),
        case: case.to_string(),
        frame,
        reason,
    };
    page(visit, &refusal, &How { status: Some(StatusCode::BAD_REQUEST), ..How::default() })
}

/// What was sent, for the developer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sent<'a> {
    pub(crate) client_id: Option<&'a str>,
    pub(crate) redirect_uri: Option<&'a str>,
}

fn reason(error: &Error, client: Option<&Client>, sent: Sent<'_>) -> Option<Reason> {
    Some(match error {
        Error::ParameterMissing("client_id") => Reason::AppMissing,
        Error::ClientUnknown => Reason::AppUnknown(printable(sent.client_id.unwrap_or_default())),
        Error::RedirectUriMismatch => Reason::RedirectUriMismatch(Addresses {
            received: sent.redirect_uri.map(printable).unwrap_or_default(),
            registered: client.map(|client| client.metadata.redirect_uris.clone()).unwrap_or_default(),
        }),
        Error::RedirectUriMissing => Reason::RedirectUriMissing,
        Error::RedirectUriRequired => Reason::RedirectUriRequired,
        Error::ParameterRepeated(name) => Reason::ParameterRepeated(printable(name)),
        Error::InteractionExpired => Reason::RequestExpired,
        Error::MalformedEncoding(name) => Reason::RequestMalformed(printable(name)),
        Error::FormMissing => Reason::RequestMalformed("Content-Type".to_owned()),
        Error::RequestUriChanged | Error::RequestUriUnknown | Error::RequestUriUnreachable => {
            Reason::RequestMalformed("request_uri".to_owned())
        }
        Error::RequestObjectAlgorithm
        | Error::RequestObjectAmbiguous
        | Error::RequestObjectExpired
        | Error::RequestObjectInvalid
        | Error::RequestObjectKeysUnreachable
        | Error::RequestObjectMismatch
        | Error::RequestObjectSignature
        | Error::RequestObjectUndecryptable => Reason::RequestMalformed("request".to_owned()),
        _ => return None,
    })
}

/// An app as pages name it to people who read a language.
pub(crate) fn app_of(client: &Client, language: Language) -> pages::App {
    pages::App {
        host: client.host(),
        name: client.name_in(language.tag()).to_owned(),
        unchecked: client.trust == Trust::SelfRegistered,
    }
}

/// The same while an answer goes to `redirect_uri`.
pub(crate) fn app_at(client: &Client, redirect_uri: &ValidRedirectUri, language: Language) -> pages::App {
    pages::App { host: client.host_at(redirect_uri), ..app_of(client, language) }
}

/// The sentence for a scope: as declared, else our own, else its name.
pub(crate) fn scope_sentence(directory: &Directory, language: Language, scope: &str) -> String {
    match directory.scopes.get(scope) {
        Some(declared) => declared.sentence(language.tag()).to_owned(),
        None => locale::scope_sentence(language, scope).unwrap_or_else(|| scope.to_owned()),
    }
}

/// 404.
pub(crate) async fn not_found(visit: Visit) -> HttpResponse {
    status_page(&visit, Kind::NotFound, None)
}

/// 405 for a page.
pub(crate) async fn method_not_allowed(visit: Visit) -> HttpResponse {
    let mut response = status_page(&visit, Kind::BadRequest, None);
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, POST"));
    response
}

fn plain_failure() -> HttpResponse {
    HttpResponse::InternalServerError().content_type("text/plain; charset=utf-8").body("This page could not be made.\n")
}
