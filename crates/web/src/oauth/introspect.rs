//! `POST /introspect`: an API asks about a token. Not for scripts of other origins.

use actix_web::http::StatusCode;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use grantor_core::error::Error;
use grantor_core::introspection::{self, Introspection};
use grantor_core::params::Params;

use super::{authorization, claimed_client, token};
use crate::app::App;
use crate::limits::Endpoint;
use crate::metrics::Workload;
use crate::{error, form};

/// Tells what a token is (RFC 7662 §2).
pub(crate) async fn post_introspect(app: Data<App>, request: HttpRequest, payload: Payload) -> HttpResponse {
    match form::read(&request, payload).await {
        Err(unread) => token::refused(&app, &request, None, &unread).await,
        Ok(params) => match answer(&app, &request, &params).await {
            Ok(mut introspection) => {
                if let Some((id, last_use)) = introspection.api_token_use.take() {
                    app.uses.note(id, last_use);
                }
                match introspection.max_age {
                    0 => error::uncached(StatusCode::OK).json(introspection),
                    seconds => {
                        let kept = (CACHE_CONTROL, format!("private, max-age={seconds}"));
                        HttpResponse::Ok().insert_header(kept).json(introspection)
                    }
                }
            }
            Err(refusal) => {
                token::refused(&app, &request, claimed_client(&request, &params).as_deref(), &refusal).await
            }
        },
    }
}

async fn answer(app: &App, request: &HttpRequest, params: &Params) -> Result<Introspection, Error> {
    let is_jwt = params.get("token").is_some_and(|token| token.starts_with("eyJ"));
    if is_jwt { Workload::IntrospectionJwt } else { Workload::IntrospectionOpaque }.note(request);
    let (address, gate) = (app.address(request).to_string(), app.gate(Endpoint::Introspection));
    introspection::introspect(&app.provider, params, authorization(request)?, app.call_at(&gate, &address)).await
}

/// Any other method is refused.
pub(crate) async fn other_introspect(app: Data<App>, request: HttpRequest) -> HttpResponse {
    token::other(&app, &request, false)
}
