//! The one who judges tokens. What it judges by stands in the modules that it asks, one after the other.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use grantor_jose::api_token_text::ApiTokenText;
use grantor_jose::token_text::TokenText;
use grantor_jose::verify::VerifyError;
use ipnet::IpNet;

use crate::access::Access;
use crate::bearer::{self, Presented};
use crate::builder::{Builder, Shape};
use crate::claims::Rules;
use crate::clock::Clock;
use crate::demand::Demand;
use crate::denied::{Api, Denied, Fault, Reason};
use crate::introspection::Introspection;
use crate::issuer::{Issuer, Refresher};
use crate::metadata::ResourceMetadata;
use crate::{address, jwt};

/// The longest opaque token that anybody is asked about, in bytes.
const MAX_OPAQUE: usize = 2_048;

/// Judges the tokens that come to an API. Cheap to clone; all clones share what they know.
#[derive(Clone)]
pub struct Verifier(Arc<Parts>);

/// What a verifier is made of.
pub(crate) struct Parts {
    pub(crate) api: Arc<Api>,
    pub(crate) rules: Rules,
    pub(crate) issuer: Arc<Issuer>,
    pub(crate) introspection: Option<Introspection>,
    pub(crate) metadata: Option<ResourceMetadata>,
    pub(crate) shape: Option<Shape>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) clock: Clock,
    /// Ends with the last clone.
    pub(crate) _refresher: Refresher,
}

impl Verifier {
    /// Begins with the issuer, letter for letter as the server has it, and with the identifier of the API, as it is declared there.
    pub fn builder(issuer: impl Into<String>, audience: impl Into<String>) -> Builder {
        Builder::new(issuer.into(), audience.into())
    }

    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Waits until the issuer has been read for the first time: to learn at the start that a setting is wrong. Calls need not wait.
    ///
    /// # Errors
    /// Why it could not be read. It is tried again, again and again.
    pub async fn ready(&self) -> Result<(), String> {
        self.0.issuer.first_reading().await
    }

    /// Judges a call by the values of its `Authorization` headers, all of them, and the caller's address, as far as it is known.
    ///
    /// # Errors
    /// The answer to a call that is refused.
    pub async fn authorize<'a>(
        &self,
        authorization: impl IntoIterator<Item = &'a [u8]>,
        address: Option<IpAddr>,
    ) -> Result<Arc<Access>, Denied> {
        match bearer::read(authorization) {
            Presented::Malformed => Err(self.denied(Reason::Malformed)),
            Presented::Nothing => Err(self.denied(Reason::Missing)),
            Presented::Token(token) => self.verify(token, address).await,
        }
    }

    /// Judges a token.
    ///
    /// # Errors
    /// The answer to a call that is refused.
    pub async fn verify(&self, token: &str, address: Option<IpAddr>) -> Result<Arc<Access>, Denied> {
        let address = address.map(|address| address.to_canonical());
        let judged = if jwt::has_form(token) { self.of_jwt(token).await } else { self.of_opaque(token, address).await };
        let access = judged.map_err(|reason| self.denied(reason))?;
        match access.may_be_used_from(address) {
            Ok(()) => Ok(access),
            Err(fault) => Err(self.denied(fault.into())),
        }
    }

    /// Whether what is known of a call is enough for a demand that only the call itself makes.
    ///
    /// # Errors
    /// The answer to a call that is refused.
    pub fn demand(&self, access: &Access, demand: &Demand) -> Result<(), Denied> {
        let checked = demand.check(access, self.0.rules.skew, self.0.clock.now().unix);
        checked.map_err(|reason| self.denied(reason))
    }

    /// Where a call comes from: the peer, or who is before the proxies that are trusted, by the lines of `X-Forwarded-For`.
    pub fn caller(&self, peer: Option<IpAddr>, x_forwarded_for: &[&[u8]]) -> Option<IpAddr> {
        peer.map(|peer| address::caller(peer, x_forwarded_for, &self.0.trusted_proxies))
    }

    /// The API's description of itself, to be served at its path; none where the API's identifier is no URL.
    pub fn metadata(&self) -> Option<&ResourceMetadata> {
        self.0.metadata.as_ref()
    }

    fn denied(&self, reason: Reason) -> Denied {
        Denied::new(reason, &self.0.api)
    }

    async fn of_jwt(&self, token: &str) -> Result<Arc<Access>, Reason> {
        let Parts { issuer, rules, clock, .. } = &*self.0;
        let check = |keys: &_| jwt::check(token, keys, rules, clock.now().unix);
        let checked = match check(&issuer.known()?.keys) {
            // A key that is not there may be a new one.
            Err(Fault::Unverified(VerifyError::KeyUnknown)) => check(&issuer.read_anew().await?.keys),
            checked => checked,
        };
        Ok(Arc::new(checked?))
    }

    async fn of_opaque(&self, token: &str, address: Option<IpAddr>) -> Result<Arc<Access>, Reason> {
        let introspection = self.0.introspection.as_ref().ok_or(Fault::OpaqueNotTaken)?;
        if let Some(fault) = fault(token) {
            return Err(fault.into());
        }
        if token.len() > MAX_OPAQUE || self.0.shape.as_ref().is_some_and(|shape| !shape(token)) {
            return Err(Fault::Misspelt.into());
        }
        introspection.check(token, address, &self.0.rules).await
    }
}

/// What is wrong with a token that begins as one of Grantor's, by its text alone: its length, its checksum, or its kind, as with a
/// refresh token that was sent to the wrong place.
fn fault(token: &str) -> Option<Fault> {
    if !token.starts_with("gtr_") {
        return None;
    }
    let is_well_spelt = match ["gtr_pat_", "gtr_key_", "gtr_at_"].into_iter().find(|kind| token.starts_with(kind)) {
        None => return Some(Fault::Unverified(VerifyError::TypMismatch)),
        Some("gtr_at_") => TokenText::parse("gtr_at", token).is_some(),
        Some(kind) => ApiTokenText::parse(kind.trim_end_matches('_'), token).is_some(),
    };
    (!is_well_spelt).then_some(Fault::Misspelt)
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rules { issuer, audience, .. } = &self.0.rules;
        f.debug_struct("Verifier").field("issuer", issuer).field("audience", audience).finish_non_exhaustive()
    }
}
