//! How often clients and accounts may ask. It is counted outside of the protocol, and asked for as soon as it is proved who asks,
//! and for whom.

use std::fmt;

use grantor_jose::id::Id;

use crate::client::Client;
use crate::time::Time;

/// Counts the requests of clients, and those for accounts.
pub trait Admission: fmt::Debug + Sync {
    /// Counts a request of a client that has proved who it is.
    ///
    /// # Errors
    /// The limit that is met; the request is refused before it changes anything.
    fn admit(&self, client: &Client, now: Time) -> Result<(), Exceeded>;

    /// Counts a request for an account that something has proved.
    ///
    /// # Errors
    /// The limit that is met; the request is refused before it spends anything.
    fn admit_account(&self, account: Account<'_>, now: Time) -> Result<(), Exceeded>;
}

/// An account that something has proved, and in whose hands that is. Each of them is counted by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Account<'a> {
    /// The person.
    pub user_id: Id,
    /// Who asks.
    pub by: By<'a>,
}

/// Who asks for an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum By<'a> {
    /// A script of the person, with a personal access token or what one was exchanged for.
    ApiToken,
    /// The client of this `client_id`, with what the person approved; at the authorization endpoint, the one that the browser
    /// comes from.
    Client(&'a str),
    /// A page of somebody else that has the person's browser ask behind the person's back: for a picture, or in a frame.
    OtherSite,
    /// The person, in a browser with a session.
    Session,
}

/// A limit that is met, as the client is told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// The limit's name.
    pub policy: &'static str,
    /// So many requests are answered
    pub quota: u64,
    /// in so many seconds.
    pub window: u32,
    /// After so many seconds the next one is; at least 1.
    pub wait: u32,
    /// The account that it is a limit of; it is for the record, and nobody is told.
    pub user_id: Option<Id>,
}
