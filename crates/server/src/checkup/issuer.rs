//! Whether the issuer answers at its address, and by its name.
//!
//! 2026-11-30: this asks with a client of its own, past the guard of all else that goes out (`grantor_web::outbound`). The address
//! is the operator's own issuer, asked by the operator's own command, and often one that the guard refuses: of this machine, or of a
//! network that is not public. It follows no redirect, and reads no more than a little in a short time.

use serde_json::Value;

use super::{Finding, PATIENCE, broken, doubtful, sound};
use crate::config::Config;

/// The largest answer that is read, in bytes.
const LARGEST_ANSWER: usize = 256 * 1024;

/// Asks the issuer for its metadata.
pub async fn answers(config: &Config) -> Finding {
    let address = format!("{}/.well-known/openid-configuration", config.issuer);
    match fetch(&address).await {
        Err(why) => doubtful(
            "issuer",
            format!("{address} does not answer: {why}"),
            "start the server; then look at DNS, proxy and certificate, from a host like those of your apps",
        ),
        Ok(metadata) if metadata.get("issuer").and_then(Value::as_str) == Some(&config.issuer) => {
            sound("issuer", format!("{} answers", config.issuer))
        }
        // "The issuer value returned MUST be identical to the Issuer URL that was used as the prefix to
        // /.well-known/openid-configuration to retrieve the configuration information." (OIDC Discovery §4.3)
        Ok(metadata) => broken(
            "issuer",
            format!("{address} names another issuer: {}", metadata.get("issuer").unwrap_or(&Value::Null)),
            "set issuer to the address that apps use, letter for letter",
        ),
    }
}

async fn fetch(address: &str) -> Result<Value, String> {
    // The second time it is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none()).build();
    let client = client.map_err(|error| error.to_string())?;
    let mut answer = client.get(address).send().await.map_err(causes)?;
    if !answer.status().is_success() {
        return Err(format!("it answers {}", answer.status()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(causes)? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err("the answer is too long".to_owned());
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).map_err(|error| format!("its answer is no JSON: {error}"))
}

/// An error and what it comes from, so that a certificate that is not trusted is named.
fn causes(error: reqwest::Error) -> String {
    let error = error.without_url();
    let chain = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
