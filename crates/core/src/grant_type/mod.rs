//! Grant types: each file tells one story, from the facts it loads to the decision it takes. Only they make a
//! [`Redeemed`], the proof without which no token is made.

use std::sync::Arc;

use grantor_jose::id::Id;
use serde::{Deserialize, Serialize};

use crate::admission::{Account, By};
use crate::api_token::live::LiveApiToken;
use crate::audience::{self, About, Target};
use crate::authorization::ResponseType;
use crate::change::Change;
use crate::client::{AccessTokenFormat, Client};
use crate::client_auth::AuthenticatedClient;
use crate::directory::Directory;
use crate::error::{Decision, Error, Refusal};
use crate::fault::{Fault, seeded};
use crate::grant::{AccessToken, Grant};
use crate::params::Params;
use crate::provider::{Call, Fresh, Provider};
use crate::reach::Reach;
use crate::store::{Store, StoreError};
use crate::time::Time;
use crate::token::Origin;
use crate::usage::{Held, Use};
use crate::user::User;

pub(crate) mod authorization_code;
pub(crate) mod client_credentials;
pub(crate) mod refresh_token;
pub(crate) mod token_exchange;

#[cfg(test)]
mod tests;

/// How often a request that lost a race is loaded and decided again.
pub(crate) const MAX_RACES: usize = 8;

/// The grants that are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// A code that a person's approval gave (RFC 6749 §4.1).
    AuthorizationCode,
    /// The client's own credentials (RFC 6749 §4.4).
    ClientCredentials,
    /// A person's approval, for which the authorization endpoint itself gives tokens (OIDC Core §3.2 and §3.3). The token
    /// endpoint does not know it.
    Implicit,
    /// A refresh token (RFC 6749 §6).
    RefreshToken,
    /// A personal access token or an API key (RFC 8693).
    #[serde(rename = "urn:ietf:params:oauth:grant-type:token-exchange")]
    TokenExchange,
}

impl GrantType {
    /// Every grant type, as the metadata list them.
    pub const ALL: [Self; 5] =
        [Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials, Self::TokenExchange, Self::Implicit];

    /// The grant type's registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::ClientCredentials => "client_credentials",
            Self::Implicit => "implicit",
            Self::RefreshToken => "refresh_token",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
        }
    }

    /// The grant types that a client needs for a response type.
    pub(crate) fn needed_for(response_type: ResponseType) -> impl Iterator<Item = Self> {
        let code = response_type.has_code().then_some(Self::AuthorizationCode);
        code.into_iter().chain(response_type.is_front_channel().then_some(Self::Implicit))
    }

    /// The grant type of a token request.
    ///
    /// # Errors
    /// `GrantTypeMissing`, `GrantTypeUnsupported`, `GrantTypeNotAllowed`.
    pub fn read(params: &Params, client: &Client) -> Result<Self, Error> {
        let named = params.get("grant_type").ok_or(Error::GrantTypeMissing)?;
        let mut offered = Self::ALL.into_iter().filter(|known| *known != Self::Implicit);
        let grant_type = offered.find(|known| known.as_str() == named).ok_or(Error::GrantTypeUnsupported)?;
        // "unauthorized_client The authenticated client is not authorized to use this authorization grant type."
        // (RFC 6749 §5.2)
        if client.allows(grant_type) { Ok(grant_type) } else { Err(Error::GrantTypeNotAllowed) }
    }
}

/// A grant that has proved itself and is spent: what the answer is made of.
#[derive(Debug)]
pub struct Redeemed {
    pub(crate) target: Target,
    /// The approval and its person; none for the client's own credentials.
    pub(crate) approval: Option<(Grant, User)>,
    /// The API token that was exchanged.
    pub(crate) api_token: Option<LiveApiToken>,
    /// The identifier and, for an opaque token, the secret.
    pub(crate) access: Fresh,
    /// The refresh token to hand out.
    pub(crate) refresh_token: Option<String>,
    /// The nonce for the ID token, which only the first one carries.
    pub(crate) nonce: Option<String>,
}

impl Redeemed {
    /// From where the access token may be had and used.
    pub(crate) fn reach<'a>(&'a self, directory: &'a Directory, client: &'a Client) -> Reach<'a> {
        let api_token = self.api_token.as_ref();
        let of_approval = self.approval.as_ref().map(|(_, user)| user);
        Reach {
            directory,
            client: Some(client),
            user: of_approval.or(api_token.and_then(|live| live.user.as_ref())),
            audience: &self.target.audience,
            own: api_token.map(|live| &live.token.networks),
        }
    }

    /// The use that asking for the access token is.
    pub(crate) fn used(&self, client: &Client, call: Call<'_>) -> Use {
        let held = match (&self.approval, &self.api_token) {
            (_, Some(live)) => Held::of_api_token(live),
            (approval, None) => {
                let origin = approval.as_ref().map_or(Origin::Client, |(grant, _)| Origin::Grant(grant.id));
                let user_id = approval.as_ref().map(|(_, user)| user.id);
                Held { origin, client_id: client.client_id.clone(), user_id }
            }
        };
        let Target { scope, audience, .. } = &self.target;
        Use { held, scope: scope.clone(), audience: audience.clone(), at: call.now, from: call.from() }
    }

    /// The account that the request counts for; none where a client asks for itself.
    fn account(&self) -> Option<Account<'_>> {
        match &self.approval {
            Some((grant, user)) => Some(Account { user_id: user.id, by: By::Client(&grant.client_id) }),
            None => self.api_token.as_ref()?.account(),
        }
    }
}

/// What a grant's decision is taken by, beside its own facts.
pub(crate) struct Request<'a> {
    pub(crate) params: &'a Params,
    pub(crate) client: &'a Arc<Client>,
    pub(crate) directory: &'a Directory,
    pub(crate) about: About<'a>,
    pub(crate) now: Time,
}

impl Request<'_> {
    /// What the access token will be, for `scope` under an approval of `approved` APIs.
    fn target(&self, scope: &crate::scope::Scope, approved: &[String]) -> Result<Target, Error> {
        let named = audience::requested(self.directory, self.about.issuer, self.params)?;
        audience::target(&self.about, scope, approved, &named)
    }

    /// The row of an opaque access token; a JWT needs none.
    fn access_token_row(&self, target: &Target, access: &Fresh, grant_id: Option<Id>) -> Option<Change> {
        access_token_row(&self.client.client_id, target, access, (grant_id, self.now))
    }
}

/// The row of an opaque access token of a client, issued now under a grant; a JWT needs none.
pub(crate) fn access_token_row(
    client_id: &str,
    target: &Target,
    access: &Fresh,
    (grant_id, now): (Option<Id>, Time),
) -> Option<Change> {
    (target.format == AccessTokenFormat::Opaque).then(|| {
        Change::AccessTokenInsert(Box::new(AccessToken {
            id: access.id,
            secret: access.secret.hash(),
            grant_id,
            client_id: client_id.to_owned(),
            scope: target.scope.clone(),
            audience: target.audience.clone(),
            issued_at: now,
            expires_at: now.plus(target.lifetime),
        }))
    })
}

/// Refuses what may not be had from where the request comes from.
fn check_reach(request: &Request<'_>, redeemed: &Redeemed, call: Call<'_>) -> Result<(), Error> {
    match redeemed.reach(request.directory, request.client).check(call.from()) {
        // "if either the "subject_token" or "actor_token" are invalid for any reason, or are unacceptable based on policy, the
        // authorization server MUST construct an error response, as specified in Section 5.2 of [RFC6749]. The value of the
        // "error" parameter MUST be the "invalid_request" error code." (RFC 8693 §2.2.2)
        Err(Error::UserNetwork | Error::TokenNetwork) if redeemed.api_token.is_some() => {
            Err(Error::SubjectTokenInvalid)
        }
        checked => checked,
    }
}

/// Loads, decides and commits, again after each lost race.
pub(crate) async fn redeem<S: Store>(
    provider: &Provider<S>,
    grant_type: GrantType,
    client: &AuthenticatedClient,
    params: &Params,
    call: Call<'_>,
) -> Result<Redeemed, Error> {
    let directory = provider.store.directory();
    let about =
        About { directory: &directory, policy: &provider.policy, issuer: &provider.issuer, client: client.client() };
    let request = Request { params, client: client.client(), directory: &directory, about, now: call.now };
    let mut is_counted = false;
    for _ in 0..MAX_RACES {
        let decision = match grant_type {
            GrantType::AuthorizationCode => authorization_code::redeem(provider, &request, call).await,
            GrantType::ClientCredentials => client_credentials::redeem(provider, &request),
            GrantType::Implicit => Err(Error::GrantTypeUnsupported.into()),
            GrantType::RefreshToken => refresh_token::redeem(provider, &request, call).await,
            GrantType::TokenExchange => token_exchange::redeem(provider, &request, call).await,
        };
        // A refusal for where it comes from spends nothing: what a thief shows from elsewhere stays good for its owner.
        let decision = decision.and_then(|decision| {
            check_reach(&request, &decision.reply, call)?;
            // Nor does one because too many came: the code or token is good when it may come again, if not with the same
            // assertion of the client. One that lost a race is the same request still.
            if !is_counted && let Some(account) = decision.reply.account() {
                call.admit_account(account)?;
            }
            is_counted = true;
            Ok(decision)
        });
        let (changes, outcome) = match decision {
            Ok(Decision { changes, reply }) => (changes, Ok(reply)),
            Err(Refusal { error, changes }) => (changes, Err(error)),
        };
        if changes.is_empty() {
            return outcome;
        }
        match provider.store.commit(changes).await {
            Ok(()) => return outcome,
            Err(StoreError::Conflict) if seeded(Fault::ConflictIsSuccess) => return outcome,
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::Store(StoreError::Busy))
}
