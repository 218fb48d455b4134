//! What clients and APIs read before anything else: metadata and keys.

use actix_web::body::BoxBody;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};

use super::documents::Documents;
use crate::app::App;
use crate::{cors, error};

/// The metadata (OIDC Discovery §4, RFC 8414 §3).
pub(crate) async fn get_metadata(app: Data<App>) -> HttpResponse {
    let documents = app.documents();
    document(&documents, &documents.metadata)
}

/// The key set (RFC 7517 §5).
pub(crate) async fn get_jwks(app: Data<App>) -> HttpResponse {
    let documents = app.documents();
    document(&documents, &documents.jwks)
}

/// Preflights; any other method is refused.
pub(crate) async fn other_discovery(app: Data<App>, request: HttpRequest) -> HttpResponse {
    if request.method() == Method::OPTIONS {
        return cors::preflight(&app, &request, "GET", true);
    }
    cors::everyone(error::other_method("GET, HEAD"))
}

fn document(documents: &Documents, body: &Bytes) -> HttpResponse {
    // ""openid-configuration" MUST point to a JSON document compliant with this specification and MUST be returned using the
    // "application/json" content type." (OIDC Discovery §4)
    // "A successful response MUST use the 200 OK HTTP status code and return a JSON object using the "application/json"
    // content type that contains a set of Claims as its members that are a subset of the Metadata values defined in Section
    // 3." (OIDC Discovery §4.2)
    let mut response = HttpResponse::with_body(StatusCode::OK, BoxBody::new(body.clone()));
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, documents.cache_control.clone());
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // "The "openid-configuration" endpoint SHOULD support the use of Cross-Origin Resource Sharing (CORS) [CORS] and/or
    // other methods as appropriate to enable JavaScript Clients and other Browser-Based Clients to access it."
    // (OIDC Discovery §4)
    cors::everyone(response)
}
