//! Stylesheets, icons and the few small scripts.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use actix_web::web::{Path, Query};
use serde::Deserialize;

use crate::respond;
use crate::statics;
use crate::visit::Visit;

#[derive(Deserialize)]
pub(crate) struct Version {
    v: Option<String>,
}

/// A file under `static/`.
pub(crate) async fn get_static(visit: Visit, name: Path<String>, version: Option<Query<Version>>) -> HttpResponse {
    let Some(file) = statics::static_file(&name) else { return respond::not_found(visit).await };
    let version = version.and_then(|query| query.into_inner().v);
    let known = visit.request.headers().get(IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == file.etag.as_bytes());
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((CACHE_CONTROL, file.cache_control(version.as_deref())))
        .insert_header((ETAG, file.etag.clone()));
    if known {
        response.finish()
    } else {
        response.insert_header((CONTENT_TYPE, file.content_type)).body(file.bytes.into_owned())
    }
}

/// The stylesheet with the configured accent colour.
pub(crate) async fn get_theme(visit: Visit) -> HttpResponse {
    match visit.app.settings.accent.as_deref().and_then(statics::theme) {
        Some(css) => HttpResponse::Ok()
            .insert_header((CACHE_CONTROL, statics::REVALIDATE))
            .insert_header((CONTENT_TYPE, "text/css; charset=utf-8"))
            .body(css),
        None => respond::not_found(visit).await,
    }
}
