//! No authentication: a public client names itself, and PKCE binds the code to it.

use crate::client::Client;
use crate::error::Error;

/// Checks that the client is a public one.
pub(super) fn check(client: &Client) -> Result<(), Error> {
    // "A client MAY use the "client_id" request parameter to identify itself when sending requests to the token endpoint."
    // (RFC 6749 §3.2.1)
    if client.is_public() { Ok(()) } else { Err(Error::AuthMethodMismatch) }
}
