//! A request that cannot be read, since something in it is sent twice or broken. Where it names app and address all the same, each once,
//! the app is told; anything else is told on our page.

use super::request::Refused;
use super::respond::refuse_at;
use super::response_type::ResponseMode;
use crate::error::Error;
use crate::params::Params;
use crate::provider::Provider;
use crate::store::Store;

/// The refusal of a request of which `text` was sent, which could not be read because of `error`.
pub fn refuse_unreadable<S: Store>(provider: &Provider<S>, text: &[u8], error: Error) -> Refused {
    // "If the Authorization Server encounters any error, it MUST return an error response, per Section 3.1.2.6." (OIDC Core §3.1.2.2)
    let directory = provider.store.directory();
    let params = Params::unambiguous(text);
    let client = params.get("client_id").and_then(|client_id| directory.client(client_id));
    // An address that is not named is none here: it may be the one that is broken.
    let redirect_uri = params.get("redirect_uri").zip(client).map(|(sent, client)| client.redirect_uri(Some(sent)));
    match (client, redirect_uri) {
        (Some(client), Some(Ok(redirect_uri))) => {
            let to = (&redirect_uri, ResponseMode::of(&params), params.get("state"));
            let answer = refuse_at(&provider.issuer, to, &error);
            Refused::Send { error, client: client.clone(), answer }
        }
        _ => Refused::Show { error, client: None },
    }
}
