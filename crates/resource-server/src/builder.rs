//! The settings of a [`Verifier`], checked when it is built.

use std::sync::Arc;
use std::time::Duration;

use grantor_jose::algorithm::Algorithm;
use grantor_jose::secret::SecretText;
use ipnet::IpNet;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use url::Url;

use crate::claims::Rules;
use crate::clock::Clock;
use crate::denied::Api;
use crate::fetch::{Http, is_private};
use crate::introspection::{Introspection, Keeping, credentials};
use crate::issuer::{Issuer, Pace, Refresher};
use crate::metadata::{Members, ResourceMetadata};
use crate::verifier::{Parts, Verifier};

/// The most that clocks may be allowed to differ.
const LARGEST_SKEW: Duration = Duration::from_mins(5);

/// What decides whether the shape of an opaque token can be one.
pub(crate) type Shape = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// The settings of a [`Verifier`]. Those that are not set are safe.
#[must_use = "nothing is verified before `build`"]
pub struct Builder {
    issuer: String,
    audience: String,
    client: Option<(String, SecretText)>,
    algorithms: Option<Vec<Algorithm>>,
    skew: Duration,
    keeping: Keeping,
    pace: Pace,
    trusted_proxies: Vec<IpNet>,
    scopes: Vec<String>,
    name: Option<String>,
    describes_itself: bool,
    shape: Option<Shape>,
    roots: Vec<u8>,
    clock: Clock,
}

/// Why there is no verifier, in alphabetical order.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The identifier of the API cannot stand in a challenge.
    #[error(
        "the audience {0:?} must be the API's identifier: printable ASCII without quotes, braces, spaces and backslashes"
    )]
    Audience(String),
    /// The HTTP client could not be made.
    #[error("the HTTP client could not be made: {0}")]
    Client(String),
    /// Credentials with characters that no header may have, or empty ones.
    #[error("the client_id or the client secret is empty")]
    Credentials,
    /// Not a URL that keeps secrets on their way.
    #[error(
        "the issuer {0:?} must be an https URL, letter for letter as the server has it; plain http only on this machine"
    )]
    Issuer(String),
    /// No algorithm is left.
    #[error("at least one signature algorithm must be allowed")]
    NoAlgorithm,
    /// There is no runtime to read keys in.
    #[error("build must be called where a Tokio runtime runs: in an async main function, say")]
    NoRuntime,
    /// The file with authorities is none.
    #[error("the root certificates are not PEM blocks labelled CERTIFICATE")]
    RootCertificates,
    /// More than five minutes.
    #[error("the clock skew must be five minutes at most: set the clocks instead")]
    SkewTooLarge,
}

impl Builder {
    pub(crate) fn new(issuer: String, audience: String) -> Self {
        Self {
            issuer,
            audience,
            client: None,
            algorithms: None,
            skew: Duration::from_secs(10),
            keeping: Keeping { longest: Duration::from_secs(10), capacity: 10_000 },
            pace: Pace {
                refetch: Duration::from_secs(2),
                refresh: Duration::from_hours(1),
                keep: Duration::from_hours(24),
            },
            trusted_proxies: Vec::new(),
            scopes: Vec::new(),
            name: None,
            describes_itself: true,
            shape: None,
            roots: Vec::new(),
            clock: Clock::system(),
        }
    }

    /// Takes opaque tokens, too: access tokens, personal access tokens and API keys that the issuer is asked about with these
    /// credentials. Without them, JWTs alone are taken.
    pub fn introspection(mut self, client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        self.client = Some((client_id.into(), SecretText::new(client_secret.into())));
        self
    }

    /// Takes JWTs signed with these algorithms only. Otherwise each key of the issuer counts for the one algorithm that it names:
    /// ES256, EdDSA, RS256 or PS256; and a P-256 key that names none, for ES256.
    pub fn algorithms(mut self, algorithms: &[Algorithm]) -> Self {
        self.algorithms = Some(algorithms.to_vec());
        self
    }

    /// How much clocks may differ: 10 seconds where nothing is set.
    pub const fn clock_skew(mut self, skew: Duration) -> Self {
        self.skew = skew;
        self
    }

    /// The longest that an answer of the issuer is kept, whatever it allows: 10 seconds where nothing is set. A revoked token may
    /// be taken for so long.
    pub const fn keep_answers_for(mut self, longest: Duration) -> Self {
        self.keeping.longest = longest;
        self
    }

    /// How many answers are kept: 10,000 where nothing is set.
    pub const fn keep_answers(mut self, capacity: usize) -> Self {
        self.keeping.capacity = capacity;
        self
    }

    /// How often keys are read at most because of tokens whose key is not known: every 2 seconds where nothing is set.
    pub const fn read_keys_at_most_every(mut self, interval: Duration) -> Self {
        self.pace.refetch = interval;
        self
    }

    /// How often keys are read at least, even where the issuer allows to keep them longer: every hour where nothing is set.
    pub const fn read_keys_at_least_every(mut self, interval: Duration) -> Self {
        self.pace.refresh = interval;
        self
    }

    /// For how long keys count while the issuer cannot be reached: a day where nothing is set. Then nothing is let through.
    pub const fn keep_keys_for(mut self, longest: Duration) -> Self {
        self.pace.keep = longest;
        self
    }

    /// The proxies before this API whose `X-Forwarded-For` is believed: none where nothing is set.
    pub fn trusted_proxies(mut self, networks: impl IntoIterator<Item = IpNet>) -> Self {
        self.trusted_proxies = networks.into_iter().collect();
        self
    }

    /// The scopes that the API has, for its description.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// The name of the API, as people read it, for its description.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Lets challenges not point to the API's description: for an API that does not serve it.
    pub const fn without_metadata(mut self) -> Self {
        self.describes_itself = false;
        self
    }

    /// Refuses opaque tokens for which this is `false`, before anybody is asked about them. Personal access tokens and API keys
    /// with a slip in them are told by their checksum without it.
    pub fn shape(mut self, shape: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.shape = Some(Arc::new(shape));
        self
    }

    /// Trusts these authorities for the issuer's certificate, too: PEM.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots = pem.into();
        self
    }

    /// Tells the time: for tests.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Checks the settings, and starts to read the issuer in the background. Until it has been read, calls are answered 503.
    pub fn build(self) -> Result<Verifier, BuildError> {
        self.check()?;
        let http = Http::new(&self.certificates()?).map_err(BuildError::Client)?;
        let (clock, algorithms) = (self.clock.clone(), self.algorithms.clone());
        let issuer = Issuer::new(self.issuer.clone(), http.clone(), clock.clone(), self.pace, algorithms);
        let issuer = Arc::new(issuer.map_err(|_| BuildError::Issuer(self.issuer.clone()))?);
        let introspection = self
            .credentials()?
            .map(|credentials| Introspection::new(Arc::clone(&issuer), http, clock.clone(), credentials, self.keeping));
        let metadata = self.metadata();
        let refresher = Refresher::start(Arc::clone(&issuer));
        let skew = self.skew.as_secs().try_into().unwrap_or(0);
        Ok(Verifier::new(Parts {
            api: Arc::new(Api {
                realm: self.audience.clone(),
                metadata: metadata.as_ref().map(|metadata| metadata.url().to_owned()),
            }),
            rules: Rules { issuer: self.issuer, audience: self.audience, skew, algorithms: self.algorithms },
            issuer,
            introspection,
            metadata,
            shape: self.shape,
            trusted_proxies: self.trusted_proxies,
            clock,
            _refresher: refresher,
        }))
    }

    fn check(&self) -> Result<(), BuildError> {
        let is_printable = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\{}".contains(&byte));
        if self.audience.is_empty() || !is_printable(&self.audience) {
            return Err(BuildError::Audience(self.audience.clone()));
        }
        let url = Url::parse(&self.issuer).ok().filter(is_private);
        // "a URL that uses the "https" scheme and has no query or fragment components" (RFC 8414 §2)
        if url.is_none_or(|url| url.query().is_some() || url.fragment().is_some()) {
            return Err(BuildError::Issuer(self.issuer.clone()));
        }
        if self.algorithms.as_ref().is_some_and(Vec::is_empty) {
            return Err(BuildError::NoAlgorithm);
        }
        if self.skew > LARGEST_SKEW {
            return Err(BuildError::SkewTooLarge);
        }
        tokio::runtime::Handle::try_current().map(drop).map_err(|_| BuildError::NoRuntime)
    }

    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, BuildError> {
        if self.roots.is_empty() {
            return Ok(Vec::new());
        }
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.roots).collect();
        read.ok().filter(|roots| !roots.is_empty()).ok_or(BuildError::RootCertificates)
    }

    fn credentials(&self) -> Result<Option<reqwest::header::HeaderValue>, BuildError> {
        let Some((client_id, secret)) = &self.client else { return Ok(None) };
        if client_id.is_empty() || secret.expose().is_empty() {
            return Err(BuildError::Credentials);
        }
        credentials(client_id, secret).map(Some).ok_or(BuildError::Credentials)
    }

    fn metadata(&self) -> Option<ResourceMetadata> {
        let members = Members {
            resource: &self.audience,
            authorization_servers: [&self.issuer],
            bearer_methods_supported: ["header"],
            scopes_supported: &self.scopes,
            resource_name: self.name.as_deref(),
        };
        self.describes_itself.then(|| ResourceMetadata::new(&members)).flatten()
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://id.example";
    const AUDIENCE: &str = "https://api.example";

    fn builder() -> Builder {
        Builder::new(ISSUER.into(), AUDIENCE.into())
    }

    fn refused(builder: Builder) -> String {
        builder.build().map_or_else(|error| error.to_string(), |_| String::new())
    }

    #[tokio::test]
    async fn settings_that_cannot_be_meant_are_refused() {
        for issuer in
            ["http://id.example", "id.example", "", "https://id.example?x=1", "https://id.example#x", "ftp://localhost"]
        {
            assert!(refused(Builder::new(issuer.into(), AUDIENCE.into())).starts_with("the issuer"), "{issuer}");
        }
        for audience in ["", "a b", "a\"b", "a\\b", "ä", "a\nb"] {
            assert!(refused(Builder::new(ISSUER.into(), audience.into())).starts_with("the audience"), "{audience}");
        }
        assert!(refused(builder().algorithms(&[])).starts_with("at least one"));
        assert!(refused(builder().clock_skew(Duration::from_secs(301))).starts_with("the clock skew"));
        assert!(refused(builder().introspection("api", "")).starts_with("the client_id"));
        assert!(refused(builder().root_certificates("no pem")).starts_with("the root certificates"));
    }

    #[test]
    fn without_a_runtime_it_is_said_where_to_build() {
        assert!(refused(builder()).contains("Tokio runtime"));
    }

    #[tokio::test]
    async fn nothing_secret_is_shown() {
        let builder = builder().introspection("api", "hunter2");
        assert!(!format!("{builder:?}").contains("hunter2"));
        let verifier = builder.build();
        assert!(verifier.is_ok() && !format!("{verifier:?}").contains("hunter2"));
    }
}
