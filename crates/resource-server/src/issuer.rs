//! The issuer as it describes itself: its endpoints, and the keys that it signs with. Read in the background, kept in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use grantor_jose::algorithm::Algorithm;
use grantor_jose::jwk::{Jwk, JwkSet};
use serde::Deserialize;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::timeout;
use url::Url;

use crate::clock::Clock;
use crate::denied::Reason;
use crate::fetch::{FetchError, Http, TOTAL_TIMEOUT, is_private};

mod published;
mod refresh;

use published::Published;

pub(crate) use refresh::Refresher;

/// So many calls wait at most for keys to be read anew; all others are told to come again.
const MOST_WAITING: usize = 256;
/// What who must come again is told.
pub(crate) const COME_AGAIN: Duration = Duration::from_secs(1);

/// The algorithms that keys may be bound to, where nobody has chosen others.
pub(crate) const ALGORITHMS: &[Algorithm] = &[Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256, Algorithm::Ps256];

/// How often keys are read, and how long they are kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// At most so often because of tokens with unknown keys.
    pub(crate) refetch: Duration,
    /// At least so often.
    pub(crate) refresh: Duration,
    /// So long while the issuer cannot be reached.
    pub(crate) keep: Duration,
}

/// An issuer that is asked in the background.
#[derive(Debug)]
pub(crate) struct Issuer {
    name: String,
    configuration: Url,
    http: Http,
    clock: Clock,
    pace: Pace,
    /// The algorithms that were chosen.
    algorithms: Option<Vec<Algorithm>>,
    known: ArcSwapOption<Known>,
    /// How many readings have begun.
    begun: AtomicU64,
    ended: watch::Sender<Ended>,
    wanted: Notify,
    waiting: Semaphore,
}

/// What is known of the issuer.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) keys: JwkSet,
    pub(crate) endpoints: Endpoints,
    /// When it was asked for, on the steady clock.
    asked_at: Duration,
}

/// Where the issuer answers.
#[derive(Clone, Debug)]
pub(crate) struct Endpoints {
    jwks: Url,
    pub(crate) introspection: Option<Url>,
}

/// The reading that ended last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ended {
    number: u64,
    failure: Option<Arc<str>>,
}

/// The members of the metadata that matter here (OIDC Discovery §3).
#[derive(Debug, Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: Url,
    introspection_endpoint: Option<Url>,
}

/// Why the issuer could not be read, in alphabetical order.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("its configuration names {0}, which is neither https nor on this machine")]
    EndpointOpen(Url),
    #[error("{0}")]
    Fetch(#[from] FetchError),
    #[error("its configuration says that it is {0}: the issuer must be given letter for letter")]
    IssuerMismatch(String),
}

impl Issuer {
    /// One that has not been asked yet.
    pub(crate) fn new(
        name: String,
        http: Http,
        clock: Clock,
        pace: Pace,
        algorithms: Option<Vec<Algorithm>>,
    ) -> Result<Self, url::ParseError> {
        // "If the Issuer value contains a path component, any terminating "/" MUST be removed before appending
        // "/.well-known/openid-configuration"." (OIDC Discovery §4.1)
        let configuration = format!("{}/.well-known/openid-configuration", name.trim_end_matches('/')).parse()?;
        Ok(Self {
            name,
            configuration,
            http,
            clock,
            pace,
            algorithms,
            known: ArcSwapOption::empty(),
            begun: AtomicU64::new(0),
            ended: watch::Sender::new(Ended::default()),
            wanted: Notify::new(),
            waiting: Semaphore::new(MOST_WAITING),
        })
    }

    /// What is known, unless that is nothing, or too old to be relied on.
    pub(crate) fn known(&self) -> Result<Arc<Known>, Reason> {
        let now = self.clock.now().steady;
        let known = self.known.load_full();
        let fresh = known.filter(|known| now.saturating_sub(known.asked_at) < self.pace.keep);
        fresh.ok_or(Reason::Unavailable { retry_after: COME_AGAIN })
    }

    /// What is known after a reading that has begun after this call: for a token whose key is not there.
    ///
    /// Readings are rare however many such tokens come, and each of the calls waits for the same one.
    pub(crate) async fn read_anew(&self) -> Result<Arc<Known>, Reason> {
        let unavailable = Reason::Unavailable { retry_after: COME_AGAIN };
        let _waiting = self.waiting.try_acquire().map_err(|_| unavailable.clone())?;
        let next = self.begun.load(Ordering::SeqCst) + 1;
        let mut ended = self.ended.subscribe();
        self.wanted.notify_one();
        // One that has begun already ends first; each of them asks twice.
        let patience = self.pace.refetch.saturating_add(TOTAL_TIMEOUT * 4);
        match timeout(patience, ended.wait_for(|ended| ended.number >= next)).await {
            Ok(Ok(ended)) if ended.failure.is_none() => {}
            _ => return Err(unavailable),
        }
        self.known()
    }

    /// Waits until the issuer has been read once; why it could not be.
    pub(crate) async fn first_reading(&self) -> Result<(), String> {
        let mut ended = self.ended.subscribe();
        let outcome = ended.wait_for(|ended| ended.number > 0).await;
        match outcome.map(|ended| ended.failure.clone()) {
            Ok(None) => Ok(()),
            Ok(Some(failure)) => Err(failure.to_string()),
            Err(_) => Err("nothing reads it any more".to_owned()),
        }
    }

    /// Reads the endpoints, unless those that are known do, and the keys.
    async fn read(&self, endpoints: Option<Endpoints>) -> Result<Option<Duration>, ReadError> {
        // "corrected_age_value = age_value + response_delay;" (RFC 9111 §4.2.3): a set is as old as the request for it.
        let asked_at = self.clock.now().steady;
        let endpoints = match endpoints {
            Some(endpoints) => endpoints,
            None => self.read_endpoints().await?,
        };
        let fetched = self.http.get::<Published>(&endpoints.jwks).await?;
        let Published(mut keys) = fetched.body;
        keys.keys.retain(|key| self.is_usable(key));
        self.known.store(Some(Arc::new(Known { keys, endpoints, asked_at })));
        Ok(fetched.max_age)
    }

    async fn read_endpoints(&self) -> Result<Endpoints, ReadError> {
        let metadata = self.http.get::<Metadata>(&self.configuration).await?.body;
        // "The "issuer" value returned MUST be identical to the Issuer URL that was used as the prefix to
        // "/.well-known/openid-configuration" to retrieve the configuration information." (OIDC Discovery §4.3)
        if metadata.issuer != self.name {
            return Err(ReadError::IssuerMismatch(metadata.issuer));
        }
        for url in std::iter::once(&metadata.jwks_uri).chain(&metadata.introspection_endpoint) {
            if !is_private(url) {
                return Err(ReadError::EndpointOpen(url.clone()));
            }
        }
        Ok(Endpoints { jwks: metadata.jwks_uri, introspection: metadata.introspection_endpoint })
    }

    /// Whether tokens may be signed with the key. Where no algorithms were chosen, it says itself which one it is for, or is for
    /// ES256: a key that says nothing may not be used for whatever a token names.
    fn is_usable(&self, key: &Jwk) -> bool {
        let bound = key.algorithm().is_some_and(|algorithm| ALGORITHMS.contains(&algorithm));
        self.algorithms.as_ref().map_or(bound || key.supports(Algorithm::Es256), |chosen| {
            chosen.iter().any(|algorithm| key.supports(*algorithm))
        })
    }
}
