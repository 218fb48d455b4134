//! An API key that is exchanged: it is the client's own, and proves the client as its secret would.

use crate::api_token::Owner;
use crate::api_token::live::{self, Shown};
use crate::error::Error;
use crate::grant_type::GrantType;
use crate::params::Params;
use crate::provider::{Call, Provider};
use crate::store::Store;
use crate::token::API_KEY;

/// The key that a request without any other credentials exchanges.
pub(super) fn offered(params: &Params) -> Option<&str> {
    let is_exchange = params.get("grant_type") == Some(GrantType::TokenExchange.as_str());
    let key = params.get("subject_token").filter(|_| is_exchange && params.get("client_id").is_none());
    key.filter(|key| API_KEY.parse(key).is_some())
}

/// The client that a key belongs to.
///
/// # Errors
/// `SubjectTokenInvalid`, or those of the store.
pub(super) async fn client_id<S: Store>(provider: &Provider<S>, key: &str, call: Call<'_>) -> Result<String, Error> {
    let shown = Shown { from: call.address.parse().ok(), at: call.now };
    match live::find(provider, key, shown).await?.map(|live| live.token.owner) {
        Some(Owner::Client(client_id)) => Ok(client_id),
        _ => Err(Error::SubjectTokenInvalid),
    }
}
