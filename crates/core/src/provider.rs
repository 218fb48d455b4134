//! One issuer with its settings and its store. Nothing is global: one process can serve several.

use std::net::IpAddr;
use std::sync::Arc;

use grantor_jose::id::Id;
use grantor_jose::random::Mint;
use grantor_jose::secret::Secret;
use openidconnect::IssuerUrl;
use url::Url;

use crate::admission::{Account, Admission};
use crate::client::Client;
use crate::client_auth::PublishedKeys;
use crate::error::Error;
use crate::policy::Policy;
use crate::time::Time;

/// The issuer identifier: an https URL without path, query and fragment (OIDC Core §1.2); http only on the loopback interface.
#[derive(Clone, Debug)]
pub struct Issuer(IssuerUrl);

impl Issuer {
    /// Reads an issuer identifier.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let url = Url::parse(text).map_err(|_| "it is not an absolute URL")?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err("it has a query or a fragment");
        }
        if text.ends_with('/') {
            return Err("it ends with a slash");
        }
        if !matches!(url.path(), "" | "/") {
            return Err("it has a path; each issuer has a host or a port of its own");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it has user information");
        }
        match url.scheme() {
            "https" => {}
            "http" if crate::redirect_uri::is_loopback(&url) => {}
            _ => return Err("it is not https (http is for the loopback interface only)"),
        }
        IssuerUrl::new(text.to_owned()).map(Self).map_err(|_| "it is not an absolute URL")
    }

    /// The identifier, letter for letter.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The address of a path below the issuer.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.as_str())
    }

    /// The web origin of the issuer.
    pub fn origin(&self) -> String {
        self.0.url().origin().ascii_serialization()
    }

    /// Whether the issuer is reached by https.
    pub fn is_https(&self) -> bool {
        self.0.url().scheme() == "https"
    }

    pub(crate) fn url(&self) -> &Url {
        self.0.url()
    }

    pub(crate) fn to_claim(&self) -> IssuerUrl {
        self.0.clone()
    }
}

/// An issuer with its settings, its store and its source of identifiers and secrets.
#[derive(Debug)]
pub struct Provider<S> {
    /// Who we are.
    pub issuer: Issuer,
    /// What we decide by.
    pub policy: Policy,
    /// What we know.
    pub store: S,
    /// Where identifiers and secrets come from.
    pub mint: Arc<Mint>,
}

impl<S> Provider<S> {
    /// A new identifier with a new secret.
    pub fn fresh(&self, now: Time) -> Fresh {
        Fresh { id: self.mint.id(now.millis()), secret: self.mint.secret() }
    }
}

/// The circumstances of one request, handed in from outside.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// When it is decided.
    pub now: Time,
    /// The address it came from.
    pub address: &'a str,
    /// Who counts how often clients ask, and for whom; without, they may as often as they like.
    pub admission: Option<&'a dyn Admission>,
    /// The keys at the `jwks_uri` of the client that the request names, where it has one and they could be read.
    pub client_keys: Option<&'a PublishedKeys>,
}

impl<'a> Call<'a> {
    /// A request that nobody counts.
    pub const fn new(now: Time, address: &'a str) -> Self {
        Self { now, address, admission: None, client_keys: None }
    }

    /// The same with the keys that a client publishes.
    #[must_use]
    pub const fn with_keys(self, client_keys: Option<&'a PublishedKeys>) -> Self {
        Self { client_keys, ..self }
    }

    /// The address as one; none where it cannot be read.
    pub fn from(&self) -> Option<IpAddr> {
        self.address.parse().ok()
    }

    /// Counts a request of a client that has proved who it is. Whoever only names a client cannot use up what that one may
    /// ask; and a public client is never more than a name.
    pub(crate) fn admit(&self, client: &Client) -> Result<(), Error> {
        match self.admission {
            Some(admission) if !client.is_public() => admission.admit(client, self.now).map_err(Error::RateExceeded),
            _ => Ok(()),
        }
    }

    /// Counts a request for an account that something has proved. Whoever only names an account cannot use up what that one may
    /// ask.
    pub(crate) fn admit_account(&self, account: Account<'_>) -> Result<(), Error> {
        match self.admission {
            Some(admission) => admission.admit_account(account, self.now).map_err(Error::RateExceeded),
            None => Ok(()),
        }
    }
}

/// A new identifier and a new secret, made before a decision so that the decision itself draws nothing.
#[derive(Debug)]
pub struct Fresh {
    /// The identifier.
    pub id: Id,
    /// The secret.
    pub secret: Secret,
}

#[cfg(test)]
mod tests {
    use super::*;

    // "Its value MUST be a URL using the "https" scheme." (OIDC Core §4)
    // "The returned Issuer location MUST be a URI RFC 3986 [RFC3986] with a scheme component that MUST be "https", a host
    // component, and optionally, port and path components and no query or fragment components." (OIDC Discovery §2)
    #[test]
    fn an_issuer_is_https_or_loopback() {
        assert!(Issuer::parse("https://id.example.com").is_ok());
        assert!(Issuer::parse("http://127.0.0.1:8080").is_ok());
        for text in [
            "http://id.example.com",
            "https://x/?a",
            "https://x/#a",
            "https://x/",
            "https://x/a",
            "https://u@x",
            "x",
            "ftp://localhost",
        ] {
            assert!(Issuer::parse(text).is_err(), "{text}");
        }
    }
}
