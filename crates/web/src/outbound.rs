//! The outgoing HTTP client: the one door through which this process asks other servers.
//!
//! What is asked is often named by somebody else: a client names its `jwks_uri`, a webhook its address. Nobody shall reach
//! through this server what only it can reach. So, for [`HttpClient::guarded`]:
//!
//! * only https, without user names in the address;
//! * no address that is not a public one (`address` lists them), unless the team trusts it by [`AllowedHost`]. An address that
//!   stands in the URL is checked in every spelling, since URLs have one form only once they are read. A name is checked by
//!   what it resolves to, in the resolver of the client itself: what was checked is what is connected to, and a name that
//!   says something else the next time is checked again. One bad address of several is enough to refuse;
//! * no redirects, and no proxies of the environment;
//! * bounds in time, in size, and in how much is asked at once, for all who name servers and for each: an upstream,
//!   a client. Webhooks and clients have bounds of their own. A look-up that nobody waits for any more keeps its turn.
//!
//! A refusal stands in the events ([`crate::App::fetch`]).

use std::{
    error::Error as _,
    future::Future,
    pin::Pin,
    sync::{Arc, OnceLock},
    time::Duration,
};

use grantor_core::client::Trust;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse, http};
use reqwest::Certificate;
use reqwest::dns::Resolve;
use reqwest::redirect::Policy;
use url::{Host, Url};

mod address;
mod explained;
mod guard;
mod resolve;
#[cfg(test)]
mod tests;
mod turns;

pub use explained::Asker;
pub(crate) use explained::Door;
use guard::Guard;
pub use guard::{AllowedHost, AllowedHostError, Refusal};
use resolve::{Checked, System, TURN};
use turns::Turn;
pub(crate) use turns::Turns;

/// How many webhooks are told at once: all together, and each; as many as each has lanes. Sixteen that say nothing leave nothing to
/// the others for as long as that takes, and nobody else waits for it.
const TOLD_AT_ONCE: usize = 64;
const TOLD_ONE: usize = 4;
/// How much that clients publish is read at once: of all together, and of each.
const PUBLISHED_AT_ONCE: usize = 64;
const PUBLISHED_BY_ONE: usize = 2;

/// How much is read at once of what clients publish that registered themselves, and how many of them are told at once that a session
/// has ended: however many there are, they take no turn from those that were declared.
const STRANGERS_AT_ONCE: usize = 16;

/// How much of what apps name that register themselves is read at once: of all together, and for each address that registers.
const ENROLLING_AT_ONCE: usize = 16;
const ENROLLING_FOR_ONE: usize = 2;

/// How many apps are told at once that a session has ended: all together, and each; and how much is read of what one says that refuses.
const LOGOUTS_AT_ONCE: usize = 64;
const LOGOUTS_OF_ONE: usize = 4;
const HEARD: usize = 2048;

/// What bounds an exchange.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// The largest answer that is read, in bytes.
    body: usize,
    /// How long a connection may take to be made, the look-up of its name included.
    connect: Duration,
    /// How long a whole exchange may take.
    total: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { body: 1024 * 1024, connect: Duration::from_secs(3), total: Duration::from_secs(10) }
    }
}

/// What a team trusts beside what is public.
#[derive(Clone, Debug, Default)]
pub struct OutboundSettings {
    /// Hosts that may be asked although their address is not public.
    pub allow_hosts: Vec<AllowedHost>,
    /// Authorities that a server's certificate may be of beside the public ones, in PEM.
    pub authorities: Option<Vec<u8>>,
}

/// Which addresses may be asked.
#[derive(Clone, Debug)]
pub(crate) enum Reach {
    /// Any address over https, and this machine over plain HTTP: for the demo only, whose server runs beside it.
    LoopbackAllowed,
    /// What is public or trusted, over https.
    Public(Arc<Checked>),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// The authorities in the settings cannot be read.
    #[error("the authorities are no certificates in PEM: {0}")]
    Authorities(String),
    /// Too much is being asked already.
    #[error("too many requests to other servers are under way; try again")]
    Busy,
    /// It may not be asked.
    #[error(transparent)]
    Forbidden(#[from] Refusal),
    /// The answer is too large.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// No connection, no answer, or none in time.
    #[error("no answer: {0}")]
    Unreachable(String),
}

/// An HTTP client with a reach. Cheap to clone; all clones share their connections and bounds.
#[derive(Clone, Debug)]
pub struct HttpClient(Arc<Shared>);

/// What all clones share.
#[derive(Debug)]
struct Shared {
    reach: Reach,
    authorities: Vec<Certificate>,
    bounds: Bounds,
    turns: Arc<Turns>,
    /// Those of webhooks, which are told of events by themselves: however many of them say nothing, they take no turn from
    /// somebody who waits to be signed in.
    telling: Arc<Turns>,
    /// Those of clients, who may be many: whatever they publish and wherever, they take no turn from somebody who waits to be
    /// signed in.
    publishing: Arc<Turns>,
    /// The same of those that registered themselves.
    strangers_publishing: Arc<Turns>,
    /// Those of who registers apps, which may be anybody.
    enrolling: Arc<Turns>,
    /// Those of apps that are told of ends of sessions.
    logging_out: Arc<Turns>,
    /// The same of those that registered themselves.
    strangers_logging_out: Arc<Turns>,
    /// Made for the first request: it takes two megabytes, and many servers never ask anybody.
    client: OnceLock<reqwest::Client>,
}

impl HttpClient {
    /// A client that asks what is public, and what the settings trust, over https.
    ///
    /// # Errors
    /// When the settings' authorities cannot be read.
    pub fn guarded(settings: &OutboundSettings) -> Result<Self, OutboundError> {
        Self::guarded_with(settings, Arc::<System>::default(), Bounds::default())
    }

    /// The same, with names looked up elsewhere.
    fn guarded_with(
        settings: &OutboundSettings,
        names: Arc<dyn Resolve>,
        bounds: Bounds,
    ) -> Result<Self, OutboundError> {
        let guard = Arc::new(Guard::new(settings.allow_hosts.clone()));
        let reach = Reach::Public(Arc::new(Checked::new(guard, names)));
        let client = Self::of(reach, authorities(settings)?, bounds);
        // What is wrong with the authorities shall be known before somebody has to be asked.
        if settings.authorities.is_some() {
            client.0.client()?;
        }
        Ok(client)
    }

    /// The client of the demo.
    pub(crate) fn for_demo() -> Self {
        Self::of(Reach::LoopbackAllowed, Vec::new(), Bounds::default())
    }

    fn of(reach: Reach, authorities: Vec<Certificate>, bounds: Bounds) -> Self {
        // The first caller in the process sets it; a second finds the same provider there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let telling = Arc::new(Turns::of(TOLD_AT_ONCE, TOLD_ONE));
        let publishing = Arc::new(Turns::of(PUBLISHED_AT_ONCE, PUBLISHED_BY_ONE));
        let strangers_publishing = Arc::new(Turns::of(STRANGERS_AT_ONCE, PUBLISHED_BY_ONE));
        let strangers_logging_out = Arc::new(Turns::of(STRANGERS_AT_ONCE, LOGOUTS_OF_ONE));
        let enrolling = Arc::new(Turns::of(ENROLLING_AT_ONCE, ENROLLING_FOR_ONE));
        let logging_out = Arc::new(Turns::of(LOGOUTS_AT_ONCE, LOGOUTS_OF_ONE));
        let (turns, client) = (Arc::default(), OnceLock::new());
        Self(Arc::new(Shared {
            reach,
            authorities,
            bounds,
            turns,
            telling,
            publishing,
            strangers_publishing,
            enrolling,
            logging_out,
            strangers_logging_out,
            client,
        }))
    }

    /// Sends one request and reads the whole answer; a redirect is an answer as any other. It takes a turn of `asker`: of whoever
    /// named the address.
    ///
    /// # Errors
    /// When it may not be asked, or there is no answer within the bounds.
    pub async fn send(&self, request: HttpRequest, asker: &str) -> Result<HttpResponse, OutboundError> {
        self.0.read(request, &self.0.turns, asker).await
    }

    /// The same for what a client publishes. Clients have turns of their own.
    ///
    /// # Errors
    /// Those of [`Self::send`].
    pub async fn send_to_client(
        &self,
        request: HttpRequest,
        (client, trust): (&str, Trust),
    ) -> Result<HttpResponse, OutboundError> {
        let shared = &self.0;
        let turns = if is_stranger(trust) { &shared.strangers_publishing } else { &shared.publishing };
        shared.read(request, turns, client).await
    }

    /// The same for what an app names that is being registered from this address. Who registers has turns of their own.
    ///
    /// # Errors
    /// Those of [`Self::send`].
    pub async fn send_for_registrant(
        &self,
        request: HttpRequest,
        address: &str,
    ) -> Result<HttpResponse, OutboundError> {
        self.0.read(request, &self.0.enrolling, address).await
    }

    /// Sends one request that tells somebody something: what is answered beside the status is not read. Who is told has turns
    /// of their own.
    ///
    /// # Errors
    /// When it may not be asked, or there is no status within the bounds.
    pub async fn tell(&self, request: HttpRequest, told: &str) -> Result<http::StatusCode, OutboundError> {
        let (answer, _turn) = self.0.exchange(request, &self.0.telling, told).await?;
        Ok(answer.status())
    }

    /// Sends one request that tells an app that a session has ended; of what a refusal says the beginning is read.
    ///
    /// # Errors
    /// When it may not be asked, or there is no status within the bounds.
    pub async fn log_out(
        &self,
        request: HttpRequest,
        (told, trust): (&str, Trust),
    ) -> Result<(http::StatusCode, Vec<u8>), OutboundError> {
        let shared = &self.0;
        let turns = if is_stranger(trust) { &shared.strangers_logging_out } else { &shared.logging_out };
        let (mut answer, _turn) = shared.exchange(request, turns, told).await?;
        let (status, mut body) = (answer.status(), Vec::new());
        while status == http::StatusCode::BAD_REQUEST
            && body.len() < HEARD
            && let Ok(Some(chunk)) = answer.chunk().await
        {
            body.extend(chunk.iter().take(HEARD - body.len()));
        }
        Ok((status, body))
    }
}

fn is_stranger(trust: Trust) -> bool {
    trust == Trust::SelfRegistered
}

impl<'c> AsyncHttpClient<'c> for HttpClient {
    type Error = OutboundError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, OutboundError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request, "installation"))
    }
}

impl Reach {
    /// Refuses an address that may not be asked.
    fn check(&self, url: &Url) -> Result<(), Refusal> {
        match self {
            Self::LoopbackAllowed => match url.scheme() {
                "https" => Ok(()),
                "http" if is_loopback(url) => Ok(()),
                _ => Err(Refusal::NotHttps(url.origin().ascii_serialization())),
            },
            Self::Public(checked) => checked.guard.check(url),
        }
    }
}

impl Shared {
    /// Sends one request and reads the whole answer.
    async fn read(&self, request: HttpRequest, turns: &Arc<Turns>, asker: &str) -> Result<HttpResponse, OutboundError> {
        let (mut answer, _turn) = self.exchange(request, turns, asker).await?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > self.bounds.body {
                return Err(OutboundError::TooLarge(self.bounds.body));
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = http::Response::new(body);
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }

    /// Sends one request, up to the body of its answer.
    async fn exchange(
        &self,
        request: HttpRequest,
        turns: &Arc<Turns>,
        asker: &str,
    ) -> Result<(reqwest::Response, Turn), OutboundError> {
        let request = reqwest::Request::try_from(request).map_err(unreachable)?;
        self.reach.check(request.url())?;
        let turn = turns.take(asker, self.bounds.connect).await?;
        let sending = self.client()?.execute(request);
        let answer = TURN.scope(turn.clone(), sending).await.map_err(unreachable)?;
        Ok((answer, turn))
    }

    fn client(&self) -> Result<&reqwest::Client, OutboundError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let made = self.build().map_err(unreachable)?;
        Ok(self.client.get_or_init(|| made))
    }

    fn build(&self) -> reqwest::Result<reqwest::Client> {
        let builder = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .connect_timeout(self.bounds.connect)
            .timeout(self.bounds.total)
            .user_agent(concat!("grantor/", env!("CARGO_PKG_VERSION")));
        let add = reqwest::ClientBuilder::add_root_certificate;
        let builder = self.authorities.iter().cloned().fold(builder, add);
        match &self.reach {
            Reach::LoopbackAllowed => builder,
            Reach::Public(checked) => builder.https_only(true).dns_resolver(Arc::clone(checked)),
        }
        .build()
    }
}

fn authorities(settings: &OutboundSettings) -> Result<Vec<Certificate>, OutboundError> {
    let Some(pem) = &settings.authorities else { return Ok(Vec::new()) };
    let certificates =
        Certificate::from_pem_bundle(pem).map_err(|error| OutboundError::Authorities(error.to_string()))?;
    if certificates.is_empty() {
        return Err(OutboundError::Authorities("there is none".to_owned()));
    }
    Ok(certificates)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A refusal of the resolver, or the innermost reason; without the URL, whose query may hold what is not for a log.
fn unreachable(error: reqwest::Error) -> OutboundError {
    let error = error.without_url();
    let mut reason = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(refusal) = inner.downcast_ref::<Refusal>() {
            return refusal.clone().into();
        }
        reason = inner.to_string();
        source = inner.source();
    }
    OutboundError::Unreachable(reason)
}
