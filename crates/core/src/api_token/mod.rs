//! API tokens: what people and services keep for scripts and tools. A *personal access token* is a person's, an *API key* is a
//! client's; both live the same life: issued once and shown once, limited to some scopes, networks and days, rotated with an
//! overlap, revoked.
//!
//! A token never allows more than its owner may do now ([`rights`]): it is looked up and judged each time it is shown.

use std::fmt;
use std::str::FromStr;

use grantor_jose::id::Id;
use grantor_jose::secret::{Secret, SecretHash};

use crate::network::Networks;
use crate::notice::TokenNamed;
use crate::scope::Scope;
use crate::time::Time;
use crate::token::{API_KEY, ApiTokenKind, PERSONAL_ACCESS_TOKEN};

pub mod issue;
pub mod live;
pub mod rights;
pub mod watch;

#[cfg(test)]
mod histories;
#[cfg(test)]
pub(crate) mod tests;

/// Whose token it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A client: the token is an API key.
    Client(String),
    /// A person: the token is a personal access token.
    User(Id),
}

impl Owner {
    /// What a token of such an owner is called, and looks like.
    pub const fn kind(&self) -> ApiTokenKind {
        match self {
            Self::Client(_) => API_KEY,
            Self::User(_) => PERSONAL_ACCESS_TOKEN,
        }
    }
}

/// Why an API token ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiTokenEnd {
    /// A new epoch began: everything that had been issued ended together.
    EpochBegun,
    /// It was found where it should not be.
    Leaked,
    /// An administrator ended it.
    RevokedByAdministrator,
    /// Its owner ended it.
    RevokedByOwner,
}

const ENDS: [(ApiTokenEnd, &str); 4] = [
    (ApiTokenEnd::EpochBegun, "epoch_begun"),
    (ApiTokenEnd::Leaked, "leaked"),
    (ApiTokenEnd::RevokedByAdministrator, "revoked_by_administrator"),
    (ApiTokenEnd::RevokedByOwner, "revoked_by_owner"),
];

impl ApiTokenEnd {
    /// The word for rows and events.
    pub fn as_str(self) -> &'static str {
        ENDS.iter().find(|(end, _)| *end == self).map_or("", |(_, word)| word)
    }
}

impl fmt::Display for ApiTokenEnd {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromStr for ApiTokenEnd {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        ENDS.iter().find(|(_, known)| *known == word).map(|(end, _)| *end).ok_or(())
    }
}

/// The secret that a rotation has replaced.
#[derive(Clone, Debug)]
pub struct Replaced {
    /// The hash of the secret.
    pub secret: SecretHash,
    /// Until when it still counts.
    pub until: Time,
}

/// When and from where a token was last used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastUse {
    /// When.
    pub at: Time,
    /// The address that used it, as the API or the proxy that was shown the token tells; empty where it does not.
    pub address: String,
}

/// A new secret in place of the one before.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// The hash of the secret that was read.
    pub expected: SecretHash,
    /// The hash of the new one.
    pub successor: SecretHash,
    /// When.
    pub at: Time,
    /// Until when the one before still counts.
    pub replaced_until: Time,
    /// Until when the token counts.
    pub expires_at: Time,
}

/// An API token.
#[derive(Clone, Debug)]
pub struct ApiToken {
    /// The identifier, which is part of the text.
    pub id: Id,
    /// Whose it is.
    pub owner: Owner,
    /// What the owner calls it.
    pub name: String,
    /// The hash of the secret.
    pub secret: SecretHash,
    /// The secret before the last rotation.
    pub replaced: Option<Replaced>,
    /// What it was issued for; what it allows now may be less.
    pub scope: Scope,
    /// The only API that it is for; those of its scopes where none is named.
    pub resource: Option<String>,
    /// Where it may be used from.
    pub networks: Networks,
    /// When it was issued.
    pub created_at: Time,
    /// When its secret was made.
    pub rotated_at: Time,
    /// Until when it counts.
    pub expires_at: Time,
    /// When and why it ended.
    pub ended: Option<(Time, ApiTokenEnd)>,
    /// When it was last used; none when it never was.
    pub last_use: Option<LastUse>,
}

impl ApiToken {
    /// Whether the token counts at `now`, whoever shows it.
    pub fn is_live(&self, now: Time) -> bool {
        self.ended.is_none() && now < self.expires_at
    }

    /// Until when `secret` counts for this token, by itself: the current one as long as the token, the one that the last rotation
    /// has replaced for a while, which may be over. `None` for any other.
    pub fn secret_until(&self, secret: &Secret) -> Option<Time> {
        if self.secret.matches(secret) {
            return Some(self.expires_at);
        }
        let replaced = self.replaced.as_ref().filter(|replaced| replaced.secret.matches(secret));
        replaced.map(|replaced| replaced.until.min(self.expires_at))
    }

    /// As notices name it.
    pub fn named(&self) -> TokenNamed {
        TokenNamed { name: self.name.clone(), hint: self.hint() }
    }

    /// The beginning of its text, which tells it from others and gives nothing away.
    pub fn hint(&self) -> String {
        format!("{}_{}", self.owner.kind().prefix(), self.id)
    }
}
