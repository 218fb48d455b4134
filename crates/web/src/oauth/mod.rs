//! The endpoints of the protocol, one file each.

pub(crate) mod authorize;
pub(crate) mod discovery;
pub(crate) mod documents;
pub(crate) mod introspect;
pub(crate) mod leaks;
pub(crate) mod revoke;
pub(crate) mod token;
pub(crate) mod userinfo;

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
