//! The door to oxide-auth, whose machines hold the order of each grant's steps. Its types stay behind this door.
//!
//! What our own checks have proved is told to the machines as facts: the client is authenticated before they start, a
//! redirect URI is compared letter for letter before they see it, and lifetimes are judged by the moment handed in (the
//! machines read the system's clock, so a grant in force reaches them with an end far ahead and another with none).

use std::borrow::Cow;

use oxide_auth::code_grant::{accesstoken, authorization, client_credentials, refresh};
use oxide_auth::primitives::grant::{Extensions, Grant};
use oxide_auth::primitives::registrar::{BoundClient, ExactUrl, PreGrant, RegisteredUrl};

use crate::error::Error;
use crate::params::Params;
use crate::scope::Scope;

/// An address for grants that have none; the machines need one and nobody follows it.
pub(crate) const NO_ADDRESS: &str = "urn:grantor:none";

/// A request as the machines see it: parameters once each, the client already known.
pub(crate) struct Request<'a> {
    pub(crate) params: &'a Params,
    pub(crate) client_id: &'a str,
    /// The address that our own matcher proved.
    pub(crate) redirect_uri: Option<&'a str>,
    /// The scope in the form that the grant counts with.
    pub(crate) scope: Option<&'a str>,
}

impl authorization::Request for Request<'_> {
    fn valid(&self) -> bool {
        true
    }
    fn client_id(&self) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(self.client_id))
    }
    fn scope(&self) -> Option<Cow<'_, str>> {
        self.scope.map(Cow::Borrowed)
    }
    fn redirect_uri(&self) -> Option<Cow<'_, str>> {
        self.redirect_uri.map(Cow::Borrowed)
    }
    fn state(&self) -> Option<Cow<'_, str>> {
        self.params.view("state")
    }
    fn response_type(&self) -> Option<Cow<'_, str>> {
        // What the answer holds is checked before; the machines know the code alone.
        Some(Cow::Borrowed("code"))
    }
    fn extension(&self, key: &str) -> Option<Cow<'_, str>> {
        self.params.view(key)
    }
}

impl accesstoken::Request for Request<'_> {
    fn valid(&self) -> bool {
        true
    }
    fn code(&self) -> Option<Cow<'_, str>> {
        self.params.view("code")
    }
    fn authorization(&self) -> accesstoken::Authorization<'_> {
        accesstoken::Authorization::Username(Cow::Borrowed(self.client_id))
    }
    fn client_id(&self) -> Option<Cow<'_, str>> {
        None
    }
    fn redirect_uri(&self) -> Option<Cow<'_, str>> {
        self.redirect_uri.map(Cow::Borrowed)
    }
    fn grant_type(&self) -> Option<Cow<'_, str>> {
        self.params.view("grant_type")
    }
    fn extension(&self, _key: &str) -> Option<Cow<'_, str>> {
        None
    }
}

impl refresh::Request for Request<'_> {
    fn valid(&self) -> bool {
        true
    }
    fn refresh_token(&self) -> Option<Cow<'_, str>> {
        self.params.view("refresh_token")
    }
    fn scope(&self) -> Option<Cow<'_, str>> {
        self.scope.map(Cow::Borrowed)
    }
    fn grant_type(&self) -> Option<Cow<'_, str>> {
        self.params.view("grant_type")
    }
    fn authorization(&self) -> Option<(Cow<'_, str>, Cow<'_, [u8]>)> {
        Some((Cow::Borrowed(self.client_id), Cow::Borrowed(&[])))
    }
    fn extension(&self, _key: &str) -> Option<Cow<'_, str>> {
        None
    }
}

impl client_credentials::Request for Request<'_> {
    fn valid(&self) -> bool {
        true
    }
    fn authorization(&self) -> Option<(Cow<'_, str>, Cow<'_, [u8]>)> {
        Some((Cow::Borrowed(self.client_id), Cow::Borrowed(&[])))
    }
    fn scope(&self) -> Option<Cow<'_, str>> {
        self.scope.map(Cow::Borrowed)
    }
    fn grant_type(&self) -> Option<Cow<'_, str>> {
        self.params.view("grant_type")
    }
    fn extension(&self, _key: &str) -> Option<Cow<'_, str>> {
        None
    }
}

/// What a kept approval is to the machines.
pub(crate) struct Kept<'a> {
    pub(crate) owner: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) scope: &'a Scope,
    pub(crate) redirect_uri: &'a str,
    /// Whether it counts at the moment handed in.
    pub(crate) in_force: bool,
    pub(crate) extensions: Extensions,
}

/// An approval in the form of the machines.
pub(crate) fn grant(kept: Kept<'_>) -> Result<Box<Grant>, Error> {
    let until =
        if kept.in_force { chrono::DateTime::<chrono::Utc>::MAX_UTC } else { chrono::DateTime::<chrono::Utc>::MIN_UTC };
    Ok(Box::new(Grant {
        owner_id: kept.owner.to_owned(),
        client_id: kept.client_id.to_owned(),
        scope: scope(kept.scope)?,
        redirect_uri: kept.redirect_uri.parse().map_err(|_| Error::RedirectUriMismatch)?,
        until,
        extensions: kept.extensions,
    }))
}

/// A client and the address proved for it, in the form of the machines.
pub(crate) fn bound(client_id: &str, redirect_uri: Option<&str>) -> Result<BoundClient<'static>, Error> {
    Ok(BoundClient { client_id: Cow::Owned(client_id.to_owned()), redirect_uri: Cow::Owned(address(redirect_uri)?) })
}

/// The outcome of a negotiation, in the form of the machines.
pub(crate) fn negotiated(client_id: &str, redirect_uri: Option<&str>, scope: &Scope) -> Result<PreGrant, Error> {
    Ok(PreGrant { client_id: client_id.to_owned(), redirect_uri: address(redirect_uri)?, scope: self::scope(scope)? })
}

/// A scope of the machines as ours; their text has no order, ours has.
pub(crate) fn own_scope(scope: &oxide_auth::primitives::scope::Scope) -> Scope {
    scope.iter().collect()
}

fn scope(scope: &Scope) -> Result<oxide_auth::primitives::scope::Scope, Error> {
    scope.as_str().parse().map_err(|_| Error::ScopeMalformed)
}

fn address(redirect_uri: Option<&str>) -> Result<RegisteredUrl, Error> {
    let exact = ExactUrl::new(redirect_uri.unwrap_or(NO_ADDRESS).to_owned());
    exact.map(RegisteredUrl::Exact).map_err(|_| Error::RedirectUriMismatch)
}
