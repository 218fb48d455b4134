//! `POST /revoke`: a client says that a token is no longer needed.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use grantor_core::error::Error;
use grantor_core::params::Params;
use grantor_core::revocation;

use super::{authorization, claimed_client, token};
use crate::app::App;
use crate::limits::Endpoint;
use crate::{client_keys, cors, error, form};

/// Revokes a token (RFC 7009 §2).
pub(crate) async fn post_revoke(app: Data<App>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let response = match form::read(&request, payload).await {
        Err(unread) => token::refused(&app, &request, None, &unread).await,
        Ok(params) => match answer(&app, &request, &params).await {
            Ok(()) => error::uncached(StatusCode::OK).finish(),
            Err(refusal) => {
                token::refused(&app, &request, claimed_client(&request, &params).as_deref(), &refusal).await
            }
        },
    };
    cors::allowed(&app, &request, response)
}

async fn answer(app: &Data<App>, request: &HttpRequest, params: &Params) -> Result<(), Error> {
    let (address, gate) = (app.address(request).to_string(), app.gate(Endpoint::Revocation));
    let keys = client_keys::of_assertion(app, params).await;
    let call = app.call_at(&gate, &address).with_keys(keys.as_deref());
    revocation::revoke(&app.provider, params, authorization(request)?, call).await
}

/// Preflights; any other method is refused.
pub(crate) async fn other_revoke(app: Data<App>, request: HttpRequest) -> HttpResponse {
    token::other(&app, &request, true)
}
