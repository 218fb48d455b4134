//! `/.well-known/webfinger`: whose provider we are (RFC 7033, OIDC Discovery §2).

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use grantor_core::webfinger;

use crate::app::App;
use crate::{cors, error};

/// Answers who the provider of an identifier is.
pub(crate) async fn get_webfinger(app: Data<App>, request: HttpRequest) -> HttpResponse {
    let described = webfinger::describe(&app.provider.issuer, &app.settings.webfinger_hosts, request.query_string());
    // "The WebFinger endpoint SHOULD support the use of Cross-Origin Resource Sharing (CORS) [CORS] and/or other methods as
    // appropriate to enable JavaScript Clients and other Browser-Based Clients to access it." (OIDC Discovery §2)
    cors::everyone(match described {
        Ok(descriptor) => {
            let mut response = HttpResponse::build(StatusCode::OK).json(descriptor);
            let headers = response.headers_mut();
            headers.insert(CACHE_CONTROL, app.documents().cache_control.clone());
            // "The media type used for the JSON Resource Descriptor (JRD) is "application/jrd+json"" (RFC 7033 §4.2)
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/jrd+json"));
            response
        }
        Err(refusal) => error::json(&refusal),
    })
}

/// Preflights; any other method is refused.
pub(crate) async fn other_webfinger(app: Data<App>, request: HttpRequest) -> HttpResponse {
    if request.method() == Method::OPTIONS {
        return cors::preflight(&app, &request, "GET", true);
    }
    cors::everyone(error::other_method("GET, HEAD"))
}
