//! Grant: an approval in force, from a redeemed code until it ends; and what hangs on it: the code before, the refresh
//! token and opaque access tokens after.

use std::fmt;
use std::str::FromStr;

use grantor_jose::id::Id;
use grantor_jose::secret::SecretHash;
use serde::{Deserialize, Serialize};

use crate::claims::ClaimsRequest;
use crate::consent::Consent;
use crate::pkce::CodeChallenge;
use crate::scope::Scope;
use crate::time::Time;

/// The scope that asks for access beyond the sign-in (OIDC Core §11).
pub const OFFLINE_ACCESS: &str = "offline_access";

/// What an authorization carries beside client, person and scope; rides through the kernel as one private extension.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OidcContext {
    /// `nonce` of the request, for the first ID token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// When the person proved who they are.
    pub auth_time: Time,
    /// The authentication context class.
    pub acr: String,
    /// The authentication methods.
    pub amr: Vec<String>,
    /// The session's identifier, `sid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<Id>,
    /// The `claims` parameter.
    #[serde(skip_serializing_if = "ClaimsRequest::is_empty")]
    pub claims: ClaimsRequest,
    /// The scopes that are there for what `claims` asks for alone: of their claims no other is released.
    #[serde(skip_serializing_if = "Scope::is_empty")]
    pub scopes_of_claims: Scope,
    /// `claims_locales`: the languages for claims, the preferred one first; all when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claims_locales: Vec<String>,
    /// The APIs that the access tokens are for (RFC 8707); those of the scopes when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// Whether `max_age` was asked for, so that the ID token must carry `auth_time`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub max_age_asked: bool,
}

/// An authorization code; its id becomes the id of the grant.
#[derive(Clone, Debug)]
pub struct AuthorizationCode {
    /// The identifier, also of the grant it becomes.
    pub id: Id,
    /// The hash of the code's secret.
    pub secret: SecretHash,
    /// The client it was issued to.
    pub client_id: String,
    /// The person who approved.
    pub user_id: Id,
    /// The session in which they did.
    pub session_id: Id,
    /// Where it was sent.
    pub redirect_uri: String,
    /// Whether the request named `redirect_uri`, so that the token request must name it again.
    pub redirect_uri_sent: bool,
    /// The PKCE challenge.
    pub code_challenge: Option<CodeChallenge>,
    /// What was approved.
    pub scope: Scope,
    /// The rest of the request.
    pub context: OidcContext,
    /// Until when it can be redeemed.
    pub expires_at: Time,
    /// When it was redeemed.
    pub spent_at: Option<Time>,
}

/// Why a grant ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantEnd {
    /// Its code was redeemed a second time.
    CodeReplayed,
    /// A new epoch began: all grants ended together.
    EpochBegun,
    /// Its refresh token was found where it should not be.
    Leaked,
    /// A replaced refresh token was used again.
    RefreshTokenReused,
    /// The client revoked a token of it.
    RevokedByClient,
    /// The person removed the app's access.
    RevokedByUser,
    /// An administrator ended it, or changed the account it hangs on.
    RevokedByAdministrator,
    /// The person signed out.
    SignedOut,
}

const GRANT_ENDS: [(GrantEnd, &str); 8] = [
    (GrantEnd::CodeReplayed, "code_replayed"),
    (GrantEnd::EpochBegun, "epoch_begun"),
    (GrantEnd::Leaked, "leaked"),
    (GrantEnd::RefreshTokenReused, "refresh_token_reused"),
    (GrantEnd::RevokedByClient, "revoked_by_client"),
    (GrantEnd::RevokedByUser, "revoked_by_user"),
    (GrantEnd::RevokedByAdministrator, "revoked_by_administrator"),
    (GrantEnd::SignedOut, "signed_out"),
];

impl GrantEnd {
    /// The word for rows and events.
    pub fn as_str(self) -> &'static str {
        GRANT_ENDS.iter().find(|(end, _)| *end == self).map_or("", |(_, word)| word)
    }
}

impl fmt::Display for GrantEnd {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromStr for GrantEnd {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        GRANT_ENDS.iter().find(|(_, known)| *known == word).map(|(end, _)| *end).ok_or(())
    }
}

/// An approval in force.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The identifier, that of the code it came from.
    pub id: Id,
    /// The client that holds it.
    pub client_id: String,
    /// The person who gave it.
    pub user_id: Id,
    /// The session in which it was given.
    pub session_id: Id,
    /// What it allows.
    pub scope: Scope,
    /// The rest of the request.
    pub context: OidcContext,
    /// When its code was redeemed.
    pub created_at: Time,
    /// When and why it ended.
    pub ended: Option<(Time, GrantEnd)>,
}

impl Grant {
    /// The session as the app knows it: the one that its first ID token named. It stays the same where the person signs in again in
    /// the same browser, and the grant hangs on another session from then on.
    pub fn sid(&self) -> Id {
        // "Different "sid" values are used to identify distinct sessions at an OP." (OIDC Back-Channel Logout §2.1)
        self.context.sid.unwrap_or(self.session_id)
    }

    /// Whether the person was asked for access that outlives their sign-in, and gave it.
    pub fn is_offline(&self) -> bool {
        self.scope.contains(OFFLINE_ACCESS)
    }

    /// Whether the grant outlives the sign-out of its session: whoever unticks `offline_access` has the app's access end with
    /// the sign-in, and no app that asks nobody any more overrules that.
    pub fn outlives_session(&self, consent: Option<&Consent>) -> bool {
        // "Refresh tokens issued without the "offline_access" property to a session being logged out SHOULD be revoked. Refresh
        // tokens issued with the "offline_access" property normally SHOULD NOT be revoked." (OIDC Back-Channel Logout §2.7)
        self.is_offline() && !consent.is_some_and(|consent| consent.declined.contains(OFFLINE_ACCESS))
    }
}

/// The refresh token of a grant: one row for the whole family. The secret of each generation is derived from the one
/// before by a keyed hash, so an old token can be proved genuine and a lost answer given again.
#[derive(Clone, Debug)]
pub struct RefreshToken {
    /// The grant it belongs to.
    pub grant_id: Id,
    /// How often it was rotated.
    pub generation: u32,
    /// The hash of the current secret.
    pub secret: SecretHash,
    /// When the current secret was made.
    pub rotated_at: Time,
    /// Until when it can be used if it is not.
    pub idle_expires_at: Time,
    /// Until when it can be used at all; rotation does not extend it.
    pub absolute_expires_at: Time,
}

/// An opaque access token.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// The identifier.
    pub id: Id,
    /// The hash of the token's secret.
    pub secret: SecretHash,
    /// The grant it was issued under; none for the client's own.
    pub grant_id: Option<Id>,
    /// The client it was issued to.
    pub client_id: String,
    /// What it allows.
    pub scope: Scope,
    /// The APIs it is for.
    pub audience: Vec<String>,
    /// When it was issued.
    pub issued_at: Time,
    /// Until when it counts.
    pub expires_at: Time,
}
