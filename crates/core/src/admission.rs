//! How often a client may ask. It is counted outside of the protocol, and asked for as soon as the client has proved who it is.

use std::fmt;

use crate::client::Client;
use crate::time::Time;

/// Counts the requests of clients.
pub trait Admission: fmt::Debug + Sync {
    /// Counts a request of a client that has proved who it is.
    ///
    /// # Errors
    /// The limit that is met; the request is refused before it changes anything.
    fn admit(&self, client: &Client, now: Time) -> Result<(), Exceeded>;
}

/// A limit that is met, as the client is told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// The limit's name.
    pub policy: &'static str,
    /// So many requests are answered
    pub quota: u64,
    /// in so many seconds.
    pub window: u64,
    /// After so many seconds the next one is; at least 1.
    pub wait: u64,
}
