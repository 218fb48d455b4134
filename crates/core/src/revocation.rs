//! Revocation: a client says that a token is no longer needed (RFC 7009).

use grantor_jose::id::Id;
use grantor_jose::secret::Secret;

use crate::access_token;
use crate::api_token::{ApiTokenEnd, Owner, live};
use crate::audit::{Event, EventKind};
use crate::change::Change;
use crate::client_auth;
use crate::error::Error;
use crate::fault::{Fault, seeded};
use crate::grant::GrantEnd;
use crate::grant_type::{MAX_RACES, refresh_token};
use crate::params::Params;
use crate::provider::{Call, Provider};
use crate::store::{Store, StoreError};
use crate::token::{self, PERSONAL_ACCESS_TOKEN};

/// Answers a revocation request: a refresh token ends its whole grant, an access token ends alone.
///
/// # Errors
/// Those of client authentication and of the store; an unknown token is no error.
pub async fn revoke<S: Store>(
    provider: &Provider<S>,
    params: &Params,
    authorization: Option<&str>,
    call: Call<'_>,
) -> Result<(), Error> {
    // "The authorization server first validates the client credentials (in case of a confidential client) and then verifies
    // whether the token was issued to the client making the revocation request." (RFC 7009 §2.1)
    let client = client_auth::authenticate(provider, params, authorization, call).await?;
    let client_id = client.client().client_id.as_str();
    let presented = params.get("token").ok_or(Error::TokenMissing)?;
    for _ in 0..MAX_RACES {
        // "If the server is unable to locate the token using the given hint, it MUST extend its search across all of its
        // supported token types." (RFC 7009 §2.1): the token's own form tells its type, so the hint is not needed.
        let changes = match token::REFRESH.parse(presented) {
            Some((grant_id, secret)) => of_refresh_token(provider, client_id, (grant_id, secret), call).await?,
            None if live::is_api_token(presented) => of_api_token(provider, client_id, presented, call).await?,
            None => of_access_token(provider, client_id, presented, call).await?,
        };
        // Where this is the second reading, the app may have been switched off since it proved who it is.
        if provider.store.directory().client(client_id).is_none() {
            return Err(Error::ClientUnknown);
        }
        // "The authorization server responds with HTTP status code 200 if the token has been revoked successfully or if the
        // client submitted an invalid token." (RFC 7009 §2.2)
        if changes.is_empty() {
            return Ok(());
        }
        match provider.store.commit(changes).await {
            // Another request came first, most likely one that ended the grant: the next reading tells.
            Err(StoreError::Conflict) => {}
            committed => return Ok(committed?),
        }
    }
    Err(StoreError::Busy.into())
}

async fn of_refresh_token<S: Store>(
    provider: &Provider<S>,
    client_id: &str,
    (grant_id, secret): (Id, Secret),
    call: Call<'_>,
) -> Result<Vec<Change>, Error> {
    let Some(facts) = provider.store.refresh_token_find(grant_id).await? else { return Ok(Vec::new()) };
    let rotation = provider.store.directory().secrets.rotation.clone();
    // A replaced token of the family still names it: whoever holds one may end the family, never more.
    let genuine = refresh_token::generation(&secret, &facts.token, &rotation).is_some();
    let is_its_own = facts.grant.client_id == client_id || seeded(Fault::AnyClientRevokes);
    if !genuine || !is_its_own || facts.grant.ended.is_some() {
        return Ok(Vec::new());
    }
    let end = GrantEnd::RevokedByClient;
    let event = event(provider, EventKind::GrantEnded, client_id, call).reason(end.as_str()).user(facts.grant.user_id);
    // "If the particular token is a refresh token and the authorization server supports the revocation of access tokens,
    // then the authorization server SHOULD also invalidate all access tokens based on the same authorization grant"
    // (RFC 7009 §2.1)
    Ok(vec![Change::GrantEnd { id: grant_id, at: call.now, end }, Change::EventInsert(Box::new(event))])
}

/// A client may end its own keys. The tokens that people made are theirs.
async fn of_api_token<S: Store>(
    provider: &Provider<S>,
    client_id: &str,
    presented: &str,
    call: Call<'_>,
) -> Result<Vec<Change>, Error> {
    // "unsupported_token_type: The authorization server does not support the revocation of the presented token type. That is, the
    // client tried to revoke an access token on a server not supporting this feature." (RFC 7009 §2.2.1)
    if PERSONAL_ACCESS_TOKEN.parse(presented).is_some() {
        return Err(Error::TokenTypeUnsupported);
    }
    let found = live::find_genuine(provider, presented).await?.map(|(facts, _)| facts.token);
    let Some(key) = found.filter(|key| key.owner == Owner::Client(client_id.to_owned()) && key.ended.is_none()) else {
        return Ok(Vec::new());
    };
    let event = event(provider, EventKind::ApiTokenEnded, client_id, call);
    let end = ApiTokenEnd::RevokedByOwner;
    let event = event.reason(end.as_str()).detail(&key.hint());
    Ok(vec![Change::ApiTokenEnd { id: key.id, at: call.now, end }, Change::EventInsert(Box::new(event))])
}

async fn of_access_token<S: Store>(
    provider: &Provider<S>,
    client_id: &str,
    presented: &str,
    call: Call<'_>,
) -> Result<Vec<Change>, Error> {
    let found = access_token::find(provider, presented, call.now).await?;
    let Some(live) = found.filter(|live| live.client_id == client_id) else { return Ok(Vec::new()) };
    let mut event = event(provider, EventKind::TokenRevoked, client_id, call);
    event.user_id = live.approval.map(|approval| approval.grant.user_id);
    let note = Change::AccessTokenRevoke { id: live.id, expires_at: live.expires_at };
    Ok(vec![note, Change::EventInsert(Box::new(event))])
}

fn event<S>(provider: &Provider<S>, kind: EventKind, client_id: &str, call: Call<'_>) -> Event {
    Event::new(provider.mint.id(call.now.millis()), call.now, kind).client(client_id).address(call.address)
}
