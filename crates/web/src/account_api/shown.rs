//! Tokens, APIs and refusals as JSON.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use grantor_core::api_token::rights;
use grantor_core::api_token::{ApiToken, Owner};
use grantor_core::directory::Directory;
use grantor_core::error::Error;
use grantor_core::time::Time;
use grantor_core::user::User;
use serde_json::{Value, json};

use crate::error;

/// A token without its secret. Moments are seconds since 1970, as everywhere in OAuth.
pub(super) fn token(directory: &Directory, token: &ApiToken, user: &User, now: Time) -> Value {
    let state = match token.ended {
        Some((_, end)) => end.as_str(),
        None if token.is_live(now) => "live",
        None => "expired",
    };
    let last_use = token.last_use.as_ref();
    json!({
        "id": token.id.to_string(),
        "hint": token.hint(),
        "name": token.name,
        "state": state,
        "scope": rights::of_token(directory, token, Some(user)).scope,
        "issued_for": token.scope,
        "resource": token.resource,
        "networks": token.networks,
        "created_at": token.created_at.seconds(),
        "rotated_at": token.rotated_at.seconds(),
        "replaced_until": token.replaced.as_ref().map(|replaced| replaced.until.seconds()),
        "expires_at": token.expires_at.seconds(),
        "ended_at": token.ended.map(|(at, _)| at.seconds()),
        "last_used_at": last_use.map(|last_use| last_use.at.seconds()),
        "last_used_from": last_use.map(|last_use| last_use.address.clone()),
    })
}

/// The APIs that take tokens of people, and what this one could let a token do there.
pub(super) fn apis(directory: &Directory, user: &User) -> Vec<Value> {
    let held = rights::of_owner(directory, &Owner::User(user.id), Some(user));
    let offered = directory.resources.values().filter(|api| api.personal_access_tokens);
    let told = offered
        .map(|api| json!({"resource": api.identifier, "name": api.name, "scope": api.scopes.intersection(&held)}));
    told.collect()
}

fn status(refusal: &Error) -> StatusCode {
    match refusal {
        Error::TokenNotFound => StatusCode::NOT_FOUND,
        Error::DraftExpired | Error::DraftUsed | Error::TokenEnded | Error::TokensTooMany => StatusCode::CONFLICT,
        Error::NetworkMalformed
        | Error::NetworksTooMany
        | Error::ResourceUnknown
        | Error::ScopeMalformed
        | Error::TokenLifetimeTooLong
        | Error::TokenNameInvalid
        | Error::TokenScopeEmpty
        | Error::TokenScopeNotHeld => StatusCode::UNPROCESSABLE_ENTITY,
        other => error::status(other),
    }
}

/// A refusal as a problem (RFC 9457 §3): `reason` is its name, the same as in events.
pub(super) fn problem(refusal: &Error) -> HttpResponse {
    let status = status(refusal);
    let mut response = error::uncached(status);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.insert_header((RETRY_AFTER, "1"));
    }
    let body = json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": refusal.told().description,
        "reason": refusal.reason(),
    });
    response.content_type("application/problem+json").body(body.to_string())
}
