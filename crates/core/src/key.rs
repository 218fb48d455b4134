//! The provider's keys: which one signs now, which are published, when each goes.

use std::sync::Arc;

use grantor_jose::algorithm::Algorithm;
use grantor_jose::id::Id;
use grantor_jose::jwe::{Curve, DecryptionKey};
use grantor_jose::jwk::{Jwk, JwkSet};
use grantor_jose::key::SigningKey;
use grantor_jose::mac::MacKey;
use grantor_jose::seal::KeyEncryptionKey;
use grantor_jose::verify::KeySource;

use crate::policy::Lifetimes;
use crate::time::Time;

/// A signing key and the dates of its life: published, signing, retired, removed.
#[derive(Clone, Debug)]
pub struct KeyRecord {
    /// The identifier of the row.
    pub id: Id,
    /// The key itself.
    pub key: Arc<SigningKey>,
    /// Since when it is published.
    pub created_at: Time,
    /// Since when it signs.
    pub active_from: Time,
    /// Since when another one signs in its place.
    pub retired_at: Option<Time>,
    /// Until when it is published: the last token signed with it has expired. It is remembered for as long as a session may
    /// last after that, for ID tokens that come back as hints.
    // "The JWK Set document at the "jwks_uri" SHOULD retain recently decommissioned signing keys for a reasonable period of
    // time to facilitate a smooth transition." (OIDC Core §10.1.1)
    pub remove_at: Option<Time>,
}

/// All signing keys of a provider.
#[derive(Clone, Debug, Default)]
pub struct KeyRing {
    /// The keys, in no order.
    pub keys: Vec<KeyRecord>,
}

impl KeyRing {
    /// The key that signs with `algorithm` at `now`.
    pub fn signer(&self, algorithm: Algorithm, now: Time) -> Option<&Arc<SigningKey>> {
        self.record(algorithm, now).map(|record| &record.key)
    }

    /// The record of the key that signs with `algorithm` at `now`: the newest that is active. Where none is, because the
    /// clock was set back behind the first key's beginning, the first.
    pub fn record(&self, algorithm: Algorithm, now: Time) -> Option<&KeyRecord> {
        let of_algorithm =
            || self.keys.iter().filter(|record| record.key.algorithm() == algorithm && record.is_published(now));
        let active = of_algorithm().filter(|record| record.active_from <= now).max_by_key(|record| record.active_from);
        active.or_else(|| of_algorithm().min_by_key(|record| record.active_from))
    }

    /// The keys whose signatures count at `now`.
    pub fn published(&self, now: Time) -> impl Iterator<Item = &KeyRecord> {
        self.keys.iter().filter(move |record| record.is_published(now))
    }

    /// The public key set at `now`.
    pub fn jwks(&self, now: Time) -> JwkSet {
        JwkSet { keys: self.published(now).map(|record| record.key.jwk().clone()).collect() }
    }

    /// The keys as they count at `now`, for verification.
    pub fn at(&self, now: Time) -> PublishedKeys<'_> {
        PublishedKeys { ring: self, now }
    }

    /// The keys that signed ID tokens of sessions that may still go on at `now`, published or not. What they signed says who
    /// somebody was, and opens nothing.
    pub fn remembered(&self, now: Time, lifetimes: &Lifetimes) -> PublishedKeys<'_> {
        PublishedKeys { ring: self, now: now.minus(lifetimes.session_absolute) }
    }

    /// The algorithms that can sign at `now`, in the order of `Algorithm::ALL`.
    pub fn algorithms(&self, now: Time) -> Vec<Algorithm> {
        Algorithm::ALL.iter().copied().filter(|algorithm| self.signer(*algorithm, now).is_some()).collect()
    }
}

/// The keys of a ring whose signatures count at one moment.
#[derive(Clone, Copy, Debug)]
pub struct PublishedKeys<'a> {
    ring: &'a KeyRing,
    now: Time,
}

impl KeySource for PublishedKeys<'_> {
    fn keys(&self) -> impl Iterator<Item = &Jwk> {
        self.ring.published(self.now).map(|record| record.key.jwk())
    }
}

impl KeyRecord {
    /// Whether the key is in the JWKS at `now`. It is from the moment it is kept, even where the clock was set back since.
    pub fn is_published(&self, now: Time) -> bool {
        self.remove_at.is_none_or(|remove_at| now < remove_at)
    }

    /// Whether nothing that the key signed can be of any use at `now`.
    pub fn is_over(&self, now: Time, lifetimes: &Lifetimes) -> bool {
        self.remove_at.is_some_and(|remove_at| remove_at.plus(lifetimes.session_absolute) <= now)
    }

    /// A new key that signs from `active_from` on.
    pub fn fresh(id: Id, key: Arc<SigningKey>, now: Time, active_from: Time) -> Self {
        Self { id, key, created_at: now, active_from, retired_at: None, remove_at: None }
    }

    /// This key, replaced by one that signs from `successor_from` on.
    #[must_use]
    pub fn retired(&self, successor_from: Time, lifetimes: &Lifetimes) -> Self {
        Self {
            retired_at: Some(successor_from),
            remove_at: Some(successor_from.plus(lifetimes.longest_signed())),
            ..self.clone()
        }
    }
}

/// The provider's symmetric keys, each for one purpose, derived from one kept secret.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// Derives the successor of a refresh token.
    pub rotation: MacKey,
    /// Derives the successor of a registration access token.
    pub registration: MacKey,
    /// Authenticates what the browser carries between pages, and forms.
    pub browser: MacKey,
    /// Derives the secret of an API token from the form that makes it.
    pub drafts: MacKey,
    /// Derives recovery codes from the form that makes them.
    pub recovery: MacKey,
    /// Hides names and addresses in the counters of failed sign-ins.
    pub throttle: MacKey,
    /// Seals what travels with people through upstreams.
    pub upstream: KeyEncryptionKey,
    /// Derives what a sign-in at an upstream is recognised by.
    pub upstream_values: MacKey,
    /// What request objects are encrypted to. It signs nothing, and has no part in the key ring.
    pub request_objects: Arc<[DecryptionKey]>,
    /// Derives the subjects that only one sector knows people by. It outlives the others: apps keep accounts by these subjects.
    pub subjects: MacKey,
}

impl Secrets {
    /// Derives the keys of all purposes; that of subjects from the root secret of the first epoch.
    pub fn derive(root: &MacKey) -> Self {
        Self::derive_with(root, Self::first_subjects(root))
    }

    /// The key of subjects that belongs to a root secret of which no other is kept.
    pub fn first_subjects(root: &MacKey) -> [u8; 32] {
        root.derive("subjects").tag(&[])
    }

    /// Derives the keys of all purposes but that of subjects, which an epoch before has left.
    pub fn derive_with(root: &MacKey, subjects: [u8; 32]) -> Self {
        Self {
            rotation: root.derive("refresh token rotation"),
            registration: root.derive("registration access tokens"),
            browser: root.derive("browser"),
            drafts: root.derive("API token drafts"),
            recovery: root.derive("recovery codes"),
            throttle: root.derive("throttle"),
            upstream: KeyEncryptionKey::from_bytes(root.derive("upstream").tag(&[])),
            upstream_values: root.derive("upstream values"),
            request_objects: request_object_keys(&root.derive("request objects")),
            subjects: MacKey::new(subjects),
        }
    }
}

/// One key, on the curve that all know: there are libraries that refuse a whole key set for a curve that they do not know.
fn request_object_keys(key: &MacKey) -> Arc<[DecryptionKey]> {
    DecryptionKey::derive(Curve::P256, key).into_iter().collect()
}

impl Default for Secrets {
    /// Keys of a provider without storage, for tests of decide functions.
    fn default() -> Self {
        Self::derive(&MacKey::new([0; 32]))
    }
}
