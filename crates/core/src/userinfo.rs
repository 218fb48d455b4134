//! Userinfo: who the person behind an access token is, as far as they approved (OIDC Core §5.3).

use grantor_jose::key::Typ;
use serde_json::{Map, Value};

use crate::access_token;
use crate::admission::{Account, By};
use crate::claims;
use crate::error::Error;
use crate::provider::{Call, Provider};
use crate::store::Store;
use crate::usage::{Held, Use};

/// An answer of the userinfo endpoint.
#[derive(Debug)]
pub enum Userinfo {
    /// Claims as JSON.
    Json(Map<String, Value>),
    /// Claims as a signed JWT.
    Signed(String),
}

/// An answer, and the use of an access token that it is.
pub type Answered = (Userinfo, Use);

/// Answers a userinfo request with the access token that it presents.
///
/// # Errors
/// `TokenUnknown`, `ScopeInsufficient`, `RateExceeded`, or those of the store.
pub async fn userinfo<S: Store>(provider: &Provider<S>, presented: &str, call: Call<'_>) -> Result<Answered, Error> {
    let live = access_token::find(provider, presented, call.now).await?.ok_or(Error::TokenUnknown)?;
    let directory = provider.store.directory();
    live.reach(&directory, &[]).check(call.from()).map_err(|_| Error::TokenUnknown)?;
    let held = Held::of_access_token(&live);
    let Some(approval) = live.approval else { return Err(Error::ScopeInsufficient) };
    if !live.scope.contains("openid") || !live.audience.iter().any(|audience| audience == provider.issuer.as_str()) {
        return Err(Error::ScopeInsufficient);
    }
    // A token that is for an API does not count here: the API could use up with it what the app may ask.
    call.admit_account(Account { user_id: approval.user.id, by: By::Client(&live.client_id) })?;
    let client = directory.client(&live.client_id).ok_or(Error::TokenUnknown)?;
    let names = claims::userinfo_names(&directory, &live.scope, &approval.grant.context);
    let released = claims::release(&directory, &approval.user, &live.scope, &names);
    let mut answer = claims::for_userinfo(released, &approval.user, &approval.grant.context);
    // "The sub (subject) Claim MUST always be returned in the UserInfo Response." (OIDC Core §5.3.2)
    answer.insert("sub".into(), approval.user.subject.clone().into());
    let audience = vec![provider.issuer.as_str().to_owned()];
    let scope = live.scope.filter(|scope| claims::says_who(&directory, scope));
    let used = Use { held, scope, audience, at: call.now, from: call.from() };
    let Some(algorithm) = client.metadata.userinfo_signed_response_alg else {
        return Ok((Userinfo::Json(answer), used));
    };
    // "If signed, the UserInfo Response MUST contain the Claims iss (issuer) and aud (audience) as members."
    // (OIDC Core §5.3.2)
    answer.insert("iss".into(), provider.issuer.as_str().into());
    answer.insert("aud".into(), live.client_id.into());
    answer.insert("iat".into(), call.now.seconds().into());
    let key = directory.keys.signer(algorithm, call.now).ok_or(Error::SigningKeyMissing)?;
    let signed = key.sign_compact(Typ::Jwt, &answer).map_err(|_| Error::SigningKeyMissing)?;
    Ok((Userinfo::Signed(signed), used))
}
