//! The endpoints of the protocol, one file each.

pub(crate) mod authorize;
pub(crate) mod discovery;
pub(crate) mod documents;
pub(crate) mod introspect;
pub(crate) mod leaks;
mod login_hint;
pub(crate) mod register;
pub(crate) mod revoke;
pub(crate) mod token;
pub(crate) mod userinfo;
pub(crate) mod webfinger;

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use grantor_core::client_auth;
use grantor_core::error::Error;
use grantor_core::params::Params;

/// The client that a request says it comes from, for the record of a refusal.
fn claimed_client(request: &HttpRequest, params: &Params) -> Option<String> {
    client_auth::claimed(params, authorization(request).ok().flatten())
}

/// The Authorization header, at most once and as text.
fn authorization(request: &HttpRequest) -> Result<Option<&str>, Error> {
    let mut values = request.headers().get_all(AUTHORIZATION);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(only), None) => only.to_str().map(Some).map_err(|_| Error::AuthorizationHeaderMalformed),
        _ => Err(Error::AuthorizationHeaderMalformed),
    }
}

/// The token of the Authorization header, if it holds one (RFC 6750 §2.1).
pub(crate) fn bearer_token(request: &HttpRequest) -> Result<Option<&str>, Error> {
    // "The UserInfo Endpoint MUST accept Access Tokens as OAuth 2.0 Bearer Token Usage [RFC6750]." (OIDC Core §5.3)
    let Some(header) = authorization(request).map_err(|_| Error::BearerMalformed)? else { return Ok(None) };
    // "credentials = "Bearer" 1*SP b64token" (RFC 6750 §2.1)
    let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
    // "If the request lacks any authentication information (e.g., the client was unaware that authentication is necessary or
    // attempted using an unsupported authentication method), the resource server SHOULD NOT include an error code or other
    // error information." (RFC 6750 §3.1)
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Ok(None);
    }
    let token = token.trim_start_matches(' ');
    let well_formed = !token.is_empty() && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b));
    if well_formed { Ok(Some(token)) } else { Err(Error::BearerMalformed) }
}
