//! Registration: apps that register themselves and manage what they are registered with (RFC 7591, RFC 7592, `OpenID` Connect
//! Registration).
//!
//! # Whom to believe
//! Nobody. Whatever such an app says of itself is its own word, and people are told so. It cannot raise itself: of the members of
//! [`ClientMetadata`](crate::client::ClientMetadata) it may set those that [`members`] names, its scopes and grant types are those
//! of the policy, and its trust is the lowest.
//!
//! People are asked about it as it is: one that changes its name or where its answers go is asked about again.
//!
//! # The registration access token
//! Each registration has one, which opens this registration alone. An update replaces it by its successor, which follows from the
//! one that was shown, so that an answer that was lost can be had again: the one before counts until its successor is used, and for a day at most.

use grantor_jose::id::Id;
use grantor_jose::secret::{Secret, SecretHash};

use crate::error::Error;
use crate::time::Time;
use crate::token::{INITIAL, REGISTRATION};

pub mod answer;
mod correspondence;
pub mod decide;
pub mod leaked;
pub mod members;
mod opened;
mod policy;
mod read;
mod statement;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests;

pub use policy::{Mode, RegistrationPolicy, StatementIssuer};

/// What the identifiers of clients that registered themselves begin with.
pub const PREFIX: &str = "reg_";

/// The identifier of the client whose registration has this one.
pub fn client_id(id: Id) -> String {
    format!("{PREFIX}{id}")
}

/// The secret that an update has replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// The hash of the secret.
    pub secret: SecretHash,
    /// Until when it still counts, where the one after it is not used before.
    pub until: Time,
}

impl Replaced {
    /// Whether `secret` is this one, and counts at `now`.
    pub(crate) fn matches(&self, secret: &Secret, now: Time) -> bool {
        self.secret.matches(secret) && now < self.until
    }
}

/// What is known of a client that registered itself, beside the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The identifier, which is part of the client's and of the token.
    pub id: Id,
    /// The client.
    pub client_id: String,
    /// The hash of the secret of the token that manages it.
    pub secret: SecretHash,
    /// The secret before, which counts until the current one is used.
    pub replaced: Option<Replaced>,
    /// The address that registered it, as limits count it.
    pub address: String,
    /// The initial access token that it was registered with.
    pub initial_token: Option<Id>,
    /// When.
    pub created_at: Time,
}

/// "OAuth 2.0 access token optionally issued by an authorization server to a developer or client and used to authorize calls to the
/// client registration endpoint." (RFC 7591 §1.2)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitialToken {
    /// The identifier, which is part of the text.
    pub id: Id,
    /// What it is for, in the administrator's words.
    pub name: String,
    /// The hash of the secret.
    pub secret: SecretHash,
    /// When it was made.
    pub created_at: Time,
    /// Until when it counts.
    pub expires_at: Time,
    /// For how many registrations it was made.
    pub uses: u32,
    /// How many are left.
    pub uses_left: u32,
    /// When it was revoked.
    pub ended_at: Option<Time>,
}

impl InitialToken {
    /// Whether it is good for one more registration at `now`.
    pub fn is_live(&self, now: Time) -> bool {
        self.ended_at.is_none() && now < self.expires_at && self.uses_left > 0
    }

    /// The token, if `secret` is its own and it is good at `now`.
    ///
    /// # Errors
    /// `TokenUnknown`.
    pub fn open(found: Option<Self>, secret: &Secret, now: Time) -> Result<Self, Error> {
        found.filter(|token| token.secret.matches(secret) && token.is_live(now)).ok_or(Error::TokenUnknown)
    }

    /// The beginning of its text, which tells it from others and gives nothing away.
    pub fn hint(&self) -> String {
        INITIAL.hint(self.id)
    }
}

/// Reads the text of an initial access token.
///
/// # Errors
/// `TokenUnknown` for any other text.
pub fn read_initial(text: &str) -> Result<(Id, Secret), Error> {
    INITIAL.parse(text).ok_or(Error::TokenUnknown)
}

/// Reads the text of a registration access token.
///
/// # Errors
/// `TokenUnknown` for any other text.
pub fn read_presented(text: &str) -> Result<(Id, Secret), Error> {
    REGISTRATION.parse(text).ok_or(Error::TokenUnknown)
}

/// What is kept of registrations, changed.
#[derive(Clone, Debug)]
pub enum RegistrationChange {
    /// Forgets what people have answered about a client, who are asked again.
    ConsentsForget {
        /// The client.
        client_id: String,
    },
    /// Keeps what is known of a client that has registered itself. Expects that the client is there and has none.
    Insert(Box<Registration>),
    /// Expects that there are fewer registrations than so many, of one address and in all, until the set is committed. Changes
    /// nothing. The first of its set.
    Room {
        /// The address, as limits count it.
        address: String,
        /// How many it may have, with one more.
        per_address: usize,
        /// How many there may be, with one more.
        in_all: usize,
    },
    /// Gives a registration another secret, or forgets the one before. Expects the secret that was read.
    Secret {
        /// The registration.
        id: Id,
        /// The hash that was read.
        expected: SecretHash,
        /// The hash from now on.
        secret: SecretHash,
        /// The one that counts until then, too.
        replaced: Option<Replaced>,
    },
    /// Revokes an initial access token.
    TokenEnd {
        /// The token.
        id: Id,
        /// When.
        at: Time,
    },
    /// Keeps an initial access token.
    TokenInsert(Box<InitialToken>),
    /// Takes one use of an initial access token. Expects that one is left, and that it counts.
    TokenSpend {
        /// The token.
        id: Id,
        /// When.
        at: Time,
    },
    /// Expects that a client registered itself by then, and that nobody was ever let in to it. Changes nothing.
    Unused {
        /// The client.
        client_id: String,
        /// By when.
        registered_by: Time,
    },
}
