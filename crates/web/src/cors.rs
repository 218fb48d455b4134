//! Which scripts of other origins may read an answer: metadata and keys for all, tokens and claims for the origins that a
//! client allows. Never with credentials, never a page.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HeaderValue, ORIGIN, VARY,
};
use actix_web::{HttpRequest, HttpResponse};

use crate::app::App;

/// The headers that scripts may read.
const EXPOSED: HeaderValue = HeaderValue::from_static("WWW-Authenticate, Retry-After, RateLimit, RateLimit-Policy");

// "The use of CORS at the Authorization Endpoint is NOT RECOMMENDED as it is redirected to by the client and not directly
// accessed." (OIDC Discovery §3): neither of these two is called there.
/// Lets every origin read.
pub(crate) fn everyone(mut response: HttpResponse) -> HttpResponse {
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    // Only who is asked to come later has something to learn from headers.
    if response.status() == StatusCode::TOO_MANY_REQUESTS {
        response.headers_mut().insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    response
}

/// Lets the request's origin read, where a client allows it.
// "The Token Endpoint, UserInfo Endpoint, "jwks_uri" endpoint, Dynamic Client Registration Endpoint, and any other endpoints
// directly accessed by Clients SHOULD support the use of Cross-Origin Resource Sharing (CORS) [CORS] and/or other methods as
// appropriate to enable JavaScript Clients and other Browser-Based Clients to access them." (OIDC Discovery §3)
pub(crate) fn allowed(app: &App, request: &HttpRequest, mut response: HttpResponse) -> HttpResponse {
    let Some(origin) = request.headers().get(ORIGIN) else { return response };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if origin.to_str().is_ok_and(|origin| app.directory().allows_origin(origin)) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    response
}

/// Answers the question that browsers ask before a request; `everyone` for public documents.
pub(crate) fn preflight(app: &App, request: &HttpRequest, methods: &'static str, public: bool) -> HttpResponse {
    let response = HttpResponse::NoContent()
        .insert_header((ACCESS_CONTROL_ALLOW_METHODS, methods))
        .insert_header((ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type"))
        .insert_header((ACCESS_CONTROL_MAX_AGE, "3600"))
        .finish();
    if public { everyone(response) } else { allowed(app, request, response) }
}
