//! The account by API: an app acts for the person on their own account, by an access token that says so.
//!
//! Such a token comes from a person's approval alone, and each use needs the approval anew. It is for us alone: one that other
//! APIs are shown, too, could be used by them. What a person keeps for scripts never is one.

use grantor_jose::id::Id;

use crate::access_token;
use crate::admission::{Account, By};
use crate::change::Change;
use crate::consent::{Consent, still_allowed};
use crate::error::Error;
use crate::provider::{Call, Provider};
use crate::store::{GrantFacts, Store};
use crate::time::Time;
use crate::usage::{Held, Use};
use crate::user::User;

/// The scope to list, make, rotate and revoke a person's tokens. It is asked for on the consent page, also by apps that need not
/// ask for others.
pub const ACCOUNT_TOKENS: &str = "account:tokens";

/// An app that acts for a person on their account.
#[derive(Debug)]
pub struct Caller {
    /// The person.
    pub user: User,
    /// The app.
    pub client_id: String,
    /// The use of the access token that the request is.
    pub used: Use,
    access_token_id: Id,
    client_updated_at: Time,
    consent: Consent,
    grant_id: Id,
}

impl Caller {
    /// What must still hold when something is changed: that the person allows it and may, and that the app may ask. Where it
    /// does not, [`caller`] says why, or what holds now.
    pub fn expectations(&self) -> Vec<Change> {
        let Consent { user_id, client_id, updated_at, .. } = &self.consent;
        vec![
            Change::UserMayEnter { id: *user_id, without_password: false },
            Change::ClientExpect { client_id: client_id.clone(), updated_at: self.client_updated_at },
            Change::ConsentExpect { user_id: *user_id, client_id: client_id.clone(), updated_at: *updated_at },
            Change::GrantExpect { id: self.grant_id },
            Change::AccessTokenExpect { id: self.access_token_id },
        ]
    }
}

/// Finds out who acts for whom with an access token.
///
/// # Errors
/// `TokenUnknown`, `ScopeInsufficient`, `RateExceeded`, or those of the store.
pub async fn caller<S: Store>(provider: &Provider<S>, presented: &str, call: Call<'_>) -> Result<Caller, Error> {
    let live = access_token::find(provider, presented, call.now).await?.ok_or(Error::TokenUnknown)?;
    let directory = provider.store.directory();
    live.reach(&directory, &[]).check(call.from()).map_err(|_| Error::TokenUnknown)?;
    let is_for_us_alone = matches!(live.audience.as_slice(), [only] if only == provider.issuer.as_str());
    if !is_for_us_alone || !live.scope.contains(ACCOUNT_TOKENS) {
        return Err(Error::ScopeInsufficient);
    }
    let (held, audience) = (Held::of_access_token(&live), live.audience);
    let GrantFacts { grant, user } = live.approval.ok_or(Error::ScopeInsufficient)?;
    let client = directory.client(&live.client_id).ok_or(Error::TokenUnknown)?;
    let consent = provider.store.consent_find(user.id, &live.client_id).await?;
    let allowed = still_allowed((&directory, client, &user), &live.scope, consent.as_ref());
    let is_allowed = allowed.is_ok_and(|scope| scope.contains(ACCOUNT_TOKENS));
    let consent = consent.filter(|_| is_allowed).ok_or(Error::ScopeInsufficient)?;
    call.admit_account(Account { user_id: user.id, by: By::Client(&live.client_id) })?;
    let scope = live.scope.filter(|scope| scope == ACCOUNT_TOKENS);
    Ok(Caller {
        user,
        used: Use { held, scope, audience, at: call.now, from: call.from() },
        client_id: live.client_id,
        access_token_id: live.id,
        client_updated_at: client.updated_at,
        consent,
        grant_id: grant.id,
    })
}
