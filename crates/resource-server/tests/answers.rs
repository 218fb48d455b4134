//! What tests look at.

use std::net::IpAddr;
use std::sync::Arc;

use grantor_resource_server::{Access, Denied, Fault, Reason, Verifier};

/// The outcome of a call, in a word: `ok`, or why not.
pub fn word(outcome: &Result<Arc<Access>, Denied>) -> String {
    match outcome.as_ref().map_err(Denied::reason) {
        Ok(_) => "ok".to_owned(),
        Err(Reason::InvalidToken(Fault::Unverified(error))) => format!("{error:?}"),
        Err(Reason::InvalidToken(fault)) => format!("{fault:?}"),
        Err(Reason::Unavailable { retry_after }) => format!("come again in {retry_after:?}"),
        Err(other) => format!("{other:?}"),
    }
}

/// What becomes of a token from this machine.
pub async fn asked(verifier: &Verifier, token: &str) -> String {
    asked_from(verifier, token, "127.0.0.1").await
}

/// What becomes of a token from an address; empty where none is known.
pub async fn asked_from(verifier: &Verifier, token: &str, address: &str) -> String {
    let address: Option<IpAddr> = address.parse().ok();
    word(&verifier.verify(token, address).await)
}
