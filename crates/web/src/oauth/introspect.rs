//! `POST /introspect` and `POST /introspect/batch`: an API asks about a token, or about several. Not for scripts of other origins.

use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, CACHE_CONTROL, VARY};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use grantor_core::error::Error;
use grantor_core::introspection::{self, Introspection, signed};
use grantor_core::params::Params;
use serde::Serialize;

use super::{authorization, claimed_client, token};
use crate::app::App;
use crate::limits::Endpoint;
use crate::metrics::Workload;
use crate::{client_keys, error, form};

/// The media type of an answer that is signed.
const SIGNED: &str = "application/token-introspection+jwt";

/// Tells what a token is (RFC 7662 §2), signed where the API wants it so (RFC 9701 §4).
pub(crate) async fn post_introspect(app: Data<App>, request: HttpRequest, payload: Payload) -> HttpResponse {
    match form::read(&request, payload).await {
        Err(unread) => token::refused(&app, &request, None, &unread).await,
        Ok(params) => match answer(&app, &request, &params).await {
            Ok(response) => response,
            Err(refusal) => {
                token::refused(&app, &request, claimed_client(&request, &params).as_deref(), &refusal).await
            }
        },
    }
}

async fn answer(app: &Data<App>, request: &HttpRequest, params: &Params) -> Result<HttpResponse, Error> {
    let is_jwt = params.get("token").is_some_and(|token| token.starts_with("eyJ"));
    if is_jwt { Workload::IntrospectionJwt } else { Workload::IntrospectionOpaque }.note(request);
    let (address, gate) = (app.address(request).to_string(), app.gate(Endpoint::Introspection));
    let keys = client_keys::of_assertion(app, params).await;
    let (authorization, call) = (authorization(request)?, app.call_at(&gate, &address).with_keys(keys.as_deref()));
    if wants_signed(request) {
        let told = signed::introspect_signed(&app.provider, params, authorization, call).await?;
        app.note_use(told.used);
        return Ok(kept(told.max_age).content_type(SIGNED).body(told.jwt));
    }
    let mut told = introspection::introspect(&app.provider, params, authorization, call).await?;
    app.note_use(told.used.take());
    Ok(kept(told.max_age).json(told))
}

/// An answer that the API alone may keep, for as many seconds; in which form depends on what it accepts.
fn kept(seconds: u64) -> HttpResponseBuilder {
    let mut response = match seconds {
        0 => error::uncached(StatusCode::OK),
        _ => HttpResponse::Ok(),
    };
    if seconds > 0 {
        response.insert_header((CACHE_CONTROL, format!("private, max-age={seconds}")));
    }
    response.insert_header((VARY, "accept"));
    response
}

/// Whether the request names the signed form, and likes no other better.
fn wants_signed(request: &HttpRequest) -> bool {
    let headers = request.headers().get_all(ACCEPT).filter_map(|value| value.to_str().ok());
    let (mut signed, mut plain) = (0.0, 0.0_f32);
    for range in headers.flat_map(|header| header.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let (kind, mut weights) = (parts.next().unwrap_or_default(), parts.filter_map(|part| part.strip_prefix("q=")));
        let weight = weights.next().map_or(1.0, |text| text.parse().unwrap_or(0.0));
        if kind.eq_ignore_ascii_case(SIGNED) {
            signed = weight;
        } else if kind.eq_ignore_ascii_case("application/json") {
            plain = weight;
        }
    }
    signed > 0.0 && signed >= plain
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
    app: &Data<App>,
    request: &HttpRequest,
    (params, tokens): (&Params, &[String]),
) -> Result<Vec<Introspection>, Error> {
    let (address, gate) = (app.address(request).to_string(), app.gate(Endpoint::Introspection));
    let keys = client_keys::of_assertion(app, params).await;
    let call = app.call_at(&gate, &address).with_keys(keys.as_deref());
    let mut told =
        introspection::introspect_all(&app.provider, (params, tokens), authorization(request)?, call).await?;
    for told in &mut told {
        app.note_use(told.used.take());
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
