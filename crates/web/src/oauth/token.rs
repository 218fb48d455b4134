//! `POST /token`: hop by hop to core, and back as JSON.

use actix_web::http::{Method, StatusCode};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use grantor_core::error::Error;
use grantor_core::params::Params;
use grantor_core::token::{self, TokenResponse};

use super::{authorization, claimed_client};
use crate::app::App;
use crate::limits::Endpoint;
use crate::metrics::Workload;
use crate::{client_keys, cors, error, form};

/// Gives tokens for a grant (RFC 6749 §3.2).
pub(crate) async fn post_token(app: Data<App>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let response = match form::read(&request, payload).await {
        Err(unread) => refused(&app, &request, None, &unread).await,
        Ok(params) => match answer(&app, &request, &params).await {
            Ok(mut tokens) => {
                app.note_use(tokens.used.take());
                let (client, grant_type) = &tokens.issued;
                app.counts.add(&client.client_id, *grant_type);
                Workload::from(*grant_type).note(&request);
                error::uncached(StatusCode::OK).json(tokens)
            }
            Err(refusal) => refused(&app, &request, claimed_client(&request, &params).as_deref(), &refusal).await,
        },
    };
    cors::allowed(&app, &request, response)
}

async fn answer(app: &Data<App>, request: &HttpRequest, params: &Params) -> Result<TokenResponse, Error> {
    let (address, gate) = (app.address(request).to_string(), app.gate(Endpoint::Token));
    // Only the body is read; what stands in the query is not.
    // "The client MUST use the HTTP "POST" method when making access token requests." (RFC 6749 §3.2)
    // "The authorization server MUST ignore unrecognized request parameters." (RFC 6749 §3.2)
    let client_id = claimed_client(request, params);
    let keys = client_keys::of_token_request(app, params, client_id.as_deref()).await;
    let call = app.call_at(&gate, &address).with_keys(keys.as_deref());
    token::token(&app.provider, params, authorization(request)?, call).await
}

/// Records a refusal and tells the client.
pub(super) async fn refused(
    app: &App,
    request: &HttpRequest,
    client_id: Option<&str>,
    refusal: &Error,
) -> HttpResponse {
    let address = app.address(request).to_string();
    app.record(refusal, client_id, app.call(&address)).await;
    error::json(refusal)
}

/// Preflights; any other method is refused.
pub(crate) async fn other_token(app: Data<App>, request: HttpRequest) -> HttpResponse {
    other(&app, &request, true)
}

/// The answer to another method than POST; `cors` where scripts may call the endpoint.
pub(super) fn other(app: &App, request: &HttpRequest, cors: bool) -> HttpResponse {
    if cors && request.method() == Method::OPTIONS {
        return cors::preflight(app, request, "POST", false);
    }
    let response = error::json(&Error::MethodNotAllowed);
    if cors { cors::allowed(app, request, response) } else { response }
}
