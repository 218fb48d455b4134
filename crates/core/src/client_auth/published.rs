//! The keys that a client publishes at its `jwks_uri`, as somebody has read them before a request is decided, and what the request
//! needs them for.

use grantor_jose::jwk::JwkSet;
use grantor_jose::verify;

use super::assertion;
use crate::client::Client;
use crate::error::Error;
use crate::params::Params;

/// Keys, and where they were read.
#[derive(Clone, Debug)]
pub struct PublishedKeys {
    /// The `jwks_uri`: keys of another address are not those of the client.
    pub uri: String,
    /// The keys.
    pub keys: JwkSet,
}

/// What a request proves a client by where that is an assertion: nothing of it is proven yet.
#[derive(Clone, Debug)]
pub struct Asserted<'a> {
    /// The client that it names.
    pub client_id: String,
    assertion: &'a str,
}

impl<'a> Asserted<'a> {
    /// Reads it from the form; none where there is none, or it names nobody.
    pub fn read(params: &'a Params) -> Option<Self> {
        let assertion = params.get("client_assertion")?;
        Some(Self { client_id: assertion::subject(assertion).ok()?, assertion })
    }

    /// Whether it may be by one of these keys, or else by one that the client has published since they were read.
    pub fn may_be_by(&self, keys: &JwkSet) -> bool {
        verify::may_be_by(self.assertion, keys)
    }
}

/// The keys of a client: those that it has declared, or those that were read at the address that it names now.
pub(super) fn keys_of<'k>(client: &'k Client, published: Option<&'k PublishedKeys>) -> Result<&'k JwkSet, Error> {
    match &client.metadata.jwks_uri {
        Some(uri) => {
            let read = published.filter(|published| published.uri == *uri);
            read.map(|published| &published.keys).ok_or(Error::ClientKeysUnreachable)
        }
        None => client.metadata.jwks.as_ref().ok_or(Error::AuthMethodMismatch),
    }
}
