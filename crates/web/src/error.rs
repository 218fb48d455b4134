//! Errors as HTTP: the only place with status codes and `WWW-Authenticate`.

use actix_web::http::StatusCode;
use actix_web::http::header::{
    ALLOW, CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE,
};
use actix_web::{HttpResponse, HttpResponseBuilder};
use grantor_core::admission::Exceeded;
use grantor_core::error::Error;
use serde::Serialize;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    error_description: &'a str,
}

/// The status of a refusal outside the authorization endpoint.
pub(crate) fn status(error: &Error) -> StatusCode {
    match error {
        Error::FormTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Error::FormTooSlow => StatusCode::REQUEST_TIMEOUT,
        Error::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        // "The 429 status code indicates that the user has sent too many requests in a given amount of time ("rate
        // limiting")." (RFC 6585 §4)
        Error::RateExceeded(_) | Error::RegistrationsOfAddress | Error::RegistrationsTooMany => {
            StatusCode::TOO_MANY_REQUESTS
        }
        Error::ResourceNotOurs => StatusCode::NOT_FOUND,
        Error::Store(error) if error.is_passing() => StatusCode::SERVICE_UNAVAILABLE,
        Error::Store(_) | Error::SigningKeyMissing => StatusCode::INTERNAL_SERVER_ERROR,
        Error::BearerMissing | Error::TokenUnknown => StatusCode::UNAUTHORIZED,
        Error::RegistrationForbidden | Error::ReportSignature | Error::ReporterUnknown | Error::ScopeInsufficient => {
            StatusCode::FORBIDDEN
        }
        // "The authorization server MAY return an HTTP 401 (Unauthorized) status code to indicate which HTTP authentication
        // schemes are supported." (RFC 6749 §5.2)
        other if other.code() == "invalid_client" => StatusCode::UNAUTHORIZED,
        _ => StatusCode::BAD_REQUEST,
    }
}

/// A refusal as JSON (RFC 6749 §5.2), for token, revocation and introspection.
pub(crate) fn json(error: &Error) -> HttpResponse {
    let told = error.told();
    let mut response = uncached(status(error));
    if told.code == "invalid_client" {
        // "If the client attempted to authenticate via the "Authorization" request header field, the authorization server
        // MUST respond with an HTTP 401 (Unauthorized) status code and include the "WWW-Authenticate" response header field
        // matching the authentication scheme used by the client." (RFC 6749 §5.2)
        response.insert_header((WWW_AUTHENTICATE, "Basic realm=\"Grantor\", charset=\"UTF-8\""));
    }
    hints(&mut response, error);
    let mut response = response.json(Body { error: told.code, error_description: told.description });
    if let Error::RateExceeded(exceeded) = error {
        limited(response.headers_mut(), *exceeded);
    }
    response
}

/// A refusal at the registration endpoint, or where an app manages itself (RFC 7591 §3.2.2, RFC 7592 §2): which member is wrong, and
/// what would be right.
pub(crate) fn registration(error: &Error) -> HttpResponse {
    let told = error.told();
    // "If the registration access token used to make this request is not valid, the server MUST respond with an error as described
    // in the OAuth Bearer Token Usage specification [RFC6750]." (RFC 7592 §2.1)
    // "If the registration access token used to make this request is not valid, the server MUST respond with an error as described
    // in the OAuth Bearer Token Usage specification [RFC6750]. ... If the client is not allowed to update its records, the server
    // MUST respond with HTTP 403 Forbidden." (RFC 7592 §2.2)
    // "If the registration access token used to make this request is not valid, the server MUST respond with an error as described
    // in the OAuth Bearer Token Usage specification [RFC6750]. ... If the client is not allowed to delete itself, the server MUST
    // respond with HTTP 403 Forbidden." (RFC 7592 §2.3)
    // "The authorization server MUST treat all such requests as if the registration access token was invalid by returning an HTTP
    // 401 Unauthorized error, as described." (RFC 7592 §5)
    if matches!(status(error), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        return bearer_for(error, "");
    }
    let (description, mend) = match error {
        Error::MetadataInvalid(member, why) => (format!("{member}: {why}"), true),
        Error::RedirectUriUnsafe(why) => (format!("redirect_uris: {why}"), true),
        _ => (told.description.to_owned(), false),
    };
    if !mend {
        return json(error);
    }
    // "error_description OPTIONAL. Human-readable ASCII text description of the error used for debugging." (RFC 7591 §3.2.2)
    let description = description.replace('"', "'");
    // "error REQUIRED." (RFC 7591 §3.2.2)
    uncached(status(error)).json(Body { error: told.code, error_description: &description })
}

/// Tells of a limit that is met: when to come again, and what is allowed (draft-ietf-httpapi-ratelimit-headers-11).
///
/// Nothing is left of the quota, and the window in which that holds ends when `Retry-After` says.
pub(crate) fn limited(headers: &mut HeaderMap, exceeded: Exceeded) {
    let Exceeded { policy, quota, window, wait, user_id: _ } = exceeded;
    let texts = [
        // "The response representations SHOULD include details explaining the condition, and MAY include a Retry-After header
        // indicating how long to wait before making a new request." (RFC 6585 §4)
        (RETRY_AFTER, wait.to_string()),
        (RATE_LIMIT, format!("\"{policy}\";r=0;t={wait}")),
        (RATE_LIMIT_POLICY, format!("\"{policy}\";q={quota};w={window}")),
    ];
    for (name, text) in texts {
        // They are digits and names of ours: always a header that can be written.
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(name, value);
        }
    }
}

/// The answer to a method that the endpoint does not have.
pub(crate) fn other_method(allowed: &'static str) -> HttpResponse {
    let mut response = json(&Error::MethodNotAllowed);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

/// A refusal of a bearer token at userinfo (RFC 6750 §3).
pub(crate) fn bearer(error: &Error) -> HttpResponse {
    bearer_for(error, "openid")
}

/// A refusal of a bearer token where this scope is needed (RFC 6750 §3).
pub(crate) fn bearer_for(error: &Error, needed: &str) -> HttpResponse {
    // No other credentials would help.
    if matches!(error, Error::RateExceeded(_)) {
        return json(error);
    }
    let told = error.told();
    let mut response = uncached(status(error));
    // "If the request lacks any authentication information ..., the resource server SHOULD NOT include an error code or
    // other error information." (RFC 6750 §3.1)
    let challenge = match told.code {
        "" => "Bearer realm=\"Grantor\"".to_owned(),
        code => {
            let insufficient = matches!(error, Error::ScopeInsufficient);
            let scope = if insufficient { format!(", scope=\"{needed}\"") } else { String::new() };
            // A quoted-string has no quotation marks inside.
            let description = told.description.replace('"', "'");
            format!("Bearer realm=\"Grantor\", error=\"{code}\", error_description=\"{description}\"{scope}")
        }
    };
    response.insert_header((WWW_AUTHENTICATE, challenge));
    hints(&mut response, error);
    if told.code.is_empty() {
        response.finish()
    } else {
        response.json(Body { error: told.code, error_description: told.description })
    }
}

fn hints(response: &mut HttpResponseBuilder, error: &Error) {
    if matches!(error, Error::Store(error) if error.is_passing()) {
        response.insert_header((RETRY_AFTER, "1"));
    }
    if matches!(error, Error::MethodNotAllowed) {
        response.insert_header((ALLOW, "POST"));
    }
}

/// An answer that nobody may keep.
pub(crate) fn uncached(status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    // "Responses with the 429 status code MUST NOT be stored by a cache." (RFC 6585 §4)
    // "The authorization server MUST include the HTTP "Cache-Control" response header field [RFC2616] with a value of
    // "no-store" in any response containing tokens, credentials, or other sensitive information, as well as the "Pragma"
    // response header field [RFC2616] with a value of "no-cache"." (RFC 6749 §5.1)
    // "All Token Responses that contain tokens, secrets, or other sensitive information MUST include the following HTTP
    // response header fields and values:" (OIDC Core §3.1.3.3)
    response.insert_header((CACHE_CONTROL, "no-store")).insert_header((PRAGMA, "no-cache"));
    response
}

/// A request that could not even be looked at: the store does not answer.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct Unanswered(#[from] Error);

impl Unanswered {
    /// For a server that was put together without its state.
    pub(crate) fn without_app() -> Self {
        Self(Error::SigningKeyMissing)
    }
}

impl actix_web::ResponseError for Unanswered {
    fn status_code(&self) -> StatusCode {
        status(&self.0)
    }

    fn error_response(&self) -> HttpResponse {
        tracing::error!(reason = self.0.reason(), error = %self.0, "a request could not be answered");
        json(&self.0)
    }
}
