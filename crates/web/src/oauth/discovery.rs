//! What clients and APIs read before anything else: metadata and keys.

use actix_web::http::Method;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};

use crate::app::App;
use crate::{cors, error};

/// The metadata (OIDC Discovery §4, RFC 8414 §3).
pub(crate) async fn get_metadata(app: Data<App>) -> HttpResponse {
    document(&app, app.documents().metadata.clone())
}

/// The key set (RFC 7517 §5).
pub(crate) async fn get_jwks(app: Data<App>) -> HttpResponse {
    document(&app, app.documents().jwks.clone())
}

/// Preflights; any other method is refused.
pub(crate) async fn other_discovery(app: Data<App>, request: HttpRequest) -> HttpResponse {
    if request.method() == Method::OPTIONS {
        return cors::preflight(&app, &request, "GET", true);
    }
    cors::everyone(error::other_method("GET, HEAD"))
}

fn document(app: &App, body: Bytes) -> HttpResponse {
    let seconds = app.provider.policy.lifetimes.jwks_cache.as_secs();
    let response = HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, format!("public, max-age={seconds}")))
        .insert_header((CONTENT_TYPE, "application/json"))
        .body(body);
    cors::everyone(response)
}
