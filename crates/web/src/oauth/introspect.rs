//! `POST /introspect` and `POST /introspect/batch`: an API asks about a token, or about several. Not for scripts of other origins.

use actix_web::http::StatusCode;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use grantor_core::error::Error;
use grantor_core::introspection::{self, Introspection};
use grantor_core::params::Params;
use serde::Serialize;

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

/// Tells what each of several tokens is: `token` stands once for each, and the answers are in their order. Each says by itself
/// how long it may be kept, in `max_age`.
pub(crate) async fn post_introspect_batch(app: Data<App>, request: HttpRequest, payload: Payload) -> HttpResponse {
    match form::read_many(&request, payload, "token").await {
        Err(unread) => token::refused(&app, &request, None, &unread).await,
        Ok((params, tokens)) => match answer_all(&app, &request, (&params, &tokens)).await {
            Ok(told) => error::uncached(StatusCode::OK).json(told.into_iter().map(Entry::of).collect::<Vec<_>>()),
            Err(refusal) => {
                token::refused(&app, &request, claimed_client(&request, &params).as_deref(), &refusal).await
            }
        },
    }
}

async fn answer_all(
    app: &App,
    request: &HttpRequest,
    (params, tokens): (&Params, &[String]),
) -> Result<Vec<Introspection>, Error> {
    let (address, gate) = (app.address(request).to_string(), app.gate(Endpoint::Introspection));
    let call = app.call_at(&gate, &address);
    let mut told =
        introspection::introspect_all(&app.provider, (params, tokens), authorization(request)?, call).await?;
    for (id, last_use) in told.iter_mut().filter_map(|told| told.api_token_use.take()) {
        app.uses.note(id, last_use);
    }
    Ok(told)
}

/// One answer among several.
#[derive(Serialize)]
struct Entry {
    #[serde(flatten)]
    told: Introspection,
    #[serde(skip_serializing_if = "is_zero")]
    max_age: u64,
}

impl Entry {
    fn of(told: Introspection) -> Self {
        Self { max_age: told.max_age, told }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn is_zero(seconds: &u64) -> bool {
    *seconds == 0
}

/// Any other method is refused.
pub(crate) async fn other_introspect(app: Data<App>, request: HttpRequest) -> HttpResponse {
    token::other(&app, &request, false)
}
