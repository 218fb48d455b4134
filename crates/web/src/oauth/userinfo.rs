//! `/userinfo`: who the person behind an access token is.

use actix_web::http::header::CONTENT_TYPE;
use actix_web::http::{Method, StatusCode};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use grantor_core::error::Error;
use grantor_core::userinfo::{self, Userinfo};

use super::bearer_token;
use crate::app::App;
use crate::limits::Endpoint;
use crate::{client_keys, cors, error, form};

/// Answers with the token in the Authorization header (OIDC Core §5.3.1).
// "The UserInfo Endpoint MUST support the use of the HTTP "GET" and HTTP "POST" methods defined in RFC 7231 [RFC7231]."
// (OIDC Core §5.3)
// "All dynamic OPs that issue Access Tokens MUST support the UserInfo Endpoint, as defined in Section 5.3."
// (OIDC Core §15.2)
pub(crate) async fn get_userinfo(app: Data<App>, request: HttpRequest) -> HttpResponse {
    let answered = match bearer_token(&request) {
        Ok(token) => answer(&app, &request, token).await,
        Err(error) => Err(error),
    };
    respond(&app, &request, answered)
}

/// Answers with the token in the header or in the form body, not in both.
pub(crate) async fn post_userinfo(app: Data<App>, request: HttpRequest, payload: Payload) -> HttpResponse {
    let answered = match posted_token(&request, payload).await {
        Ok(token) => answer(&app, &request, Some(&token)).await,
        Err(error) => Err(error),
    };
    respond(&app, &request, answered)
}

async fn answer(app: &Data<App>, request: &HttpRequest, token: Option<&str>) -> Result<HttpResponse, Error> {
    let (address, gate) = (app.address(request).to_string(), app.gate(Endpoint::Userinfo));
    let call = app.call_at(&gate, &address);
    // Stricter than RFC 6750 §2.3: because addresses end up in logs, a token in the query is never read.
    let answered = userinfo::userinfo(&app.provider, token.ok_or(Error::BearerMissing)?, call).await;
    if let Err(refusal @ Error::RateExceeded(_)) = &answered {
        app.record(refusal, None, call).await;
    }
    let (answer, used) = answered?;
    let response = written(app, answer).await;
    match &response {
        Ok(_) => app.note_use(Some(used)),
        Err(refusal) => drop(app.record(refusal, Some(&used.held.client_id), call).await),
    }
    response
}

async fn written(app: &Data<App>, answer: Userinfo) -> Result<HttpResponse, Error> {
    let jwt = match answer {
        // "Upon receipt of the UserInfo Request, the UserInfo Endpoint MUST return the JSON Serialization of the UserInfo
        // Response as in Section 13.3 in the HTTP response body unless a different format was specified during Registration
        // [OpenID.Registration]. The UserInfo Endpoint MUST return a content-type header to indicate which format is being
        // returned. The content-type of the HTTP response MUST be "application/json" if the response body is a text JSON
        // object; the response body SHOULD be encoded using UTF-8." (OIDC Core §5.3.2)
        Userinfo::Json(claims) => return Ok(error::uncached(StatusCode::OK).json(claims)),
        Userinfo::Jwt(jwt) => jwt,
        Userinfo::Unencrypted(answer) => {
            let keys = client_keys::to_encrypt(app, answer.client_id(), answer.encryption()).await;
            answer.encrypt(keys.as_deref(), app.provider.mint.random())?
        }
    };
    // "If the UserInfo Response is signed and/or encrypted, then the Claims are returned in a JWT and the content-type MUST be
    // "application/jwt"." (OIDC Core §5.3.2)
    Ok(error::uncached(StatusCode::OK).content_type("application/jwt").body(jwt))
}

async fn posted_token(request: &HttpRequest, payload: Payload) -> Result<String, Error> {
    let in_header = bearer_token(request)?.map(str::to_owned);
    // "The entity-body is encoded using the "application/x-www-form-urlencoded" content-type" (RFC 6750 §2.2); another body
    // says nothing here.
    let in_body = match request.headers().get(CONTENT_TYPE) {
        Some(_) if in_header.is_none() || form::is_form(request) => {
            form::read(request, payload).await?.get("access_token").map(str::to_owned)
        }
        _ => None,
    };
    // "Clients MUST NOT use more than one method to transmit the token in each request." (RFC 6750 §2)
    match (in_header, in_body) {
        (Some(_), Some(_)) => Err(Error::BearerMalformed),
        (Some(token), None) | (None, Some(token)) => Ok(token),
        (None, None) => Err(Error::BearerMissing),
    }
}

fn respond(app: &App, request: &HttpRequest, answered: Result<HttpResponse, Error>) -> HttpResponse {
    // "The UserInfo Endpoint SHOULD support the use of Cross-Origin Resource Sharing (CORS) [CORS] and/or other methods as
    // appropriate to enable JavaScript Clients and other Browser-Based Clients to access it." (OIDC Core §5.3)
    cors::allowed(app, request, answered.unwrap_or_else(|refusal| error::bearer(&refusal)))
}

/// Preflights; any other method is refused.
pub(crate) async fn other_userinfo(app: Data<App>, request: HttpRequest) -> HttpResponse {
    if request.method() == Method::OPTIONS {
        return cors::preflight(&app, &request, "GET, POST", false);
    }
    cors::allowed(&app, &request, error::other_method("GET, POST"))
}
