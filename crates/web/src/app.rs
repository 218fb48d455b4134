//! One provider as it answers over HTTP: the state that every worker shares.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderValue;
use arc_swap::ArcSwap;
use grantor_core::audit::{Event, EventKind};
use grantor_core::change::Change;
use grantor_core::directory::Directory;
use grantor_core::error::Error;
use grantor_core::provider::{Call, Provider};
use grantor_core::store::Store;
use grantor_core::time::Time;
use grantor_identity::address::client_address;
use grantor_identity::queue::HashQueue;
use grantor_identity::throttle::ThrottlePolicy;
use grantor_jose::id::Id;
use grantor_storage::Database;
use ipnet::IpNet;

use crate::client_keys::ClientKeys;
use crate::counts::Counts;
use crate::limits::{Gate, Limiter, Limits};
use crate::locale::Language;
use crate::mail::Mailer;
use crate::metrics::Metrics;
use crate::oauth::documents::Documents;
use crate::oauth::leaks::LeakReporter;
use crate::outbound::{HttpClient, Turns};
use crate::pages;
use crate::upstream::{self, Discoveries};
use crate::usage::Tallies;
use crate::uses::Uses;
use crate::webhooks::Webhook;

/// Where the time comes from: the system, or a test that moves it.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Time + Send + Sync>);

impl Clock {
    /// A clock that asks `read`.
    pub fn new(read: impl Fn() -> Time + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// The moment.
    pub fn now(&self) -> Time {
        (self.0)()
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Clock")
    }
}

/// What the pages and endpoints are set to, beside the policy of the protocol.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name that people know this server by.
    pub name: String,
    /// The accent colour, `#rrggbb`.
    pub accent: Option<String>,
    /// The networks of proxies whose `X-Forwarded-For` is believed; none by default.
    pub trusted_proxies: Vec<IpNet>,
    /// When sign-ins have to wait.
    pub throttle: ThrottlePolicy,
    /// How many requests are answered; any number by default.
    pub limits: Limits,
    /// The largest body that is read, in bytes.
    pub body_bytes: usize,
    /// Who may report tokens that were found in public; nobody by default.
    pub leak_reporters: Vec<LeakReporter>,
    /// The hosts for whose identifiers this is the provider, beside the issuer's own.
    pub webfinger_hosts: Vec<String>,
    /// The language for people who ask for none that we speak.
    pub language: Language,
    /// Who carries notices to people; without, they stand in the account alone.
    pub mailer: Option<Mailer>,
    /// How long before an API token expires that is told; zero tells nobody.
    pub expiry_notice: Duration,
    /// Who is told of events.
    pub webhooks: Vec<Webhook>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: "Grantor".to_owned(),
            accent: None,
            trusted_proxies: Vec::new(),
            throttle: ThrottlePolicy::default(),
            limits: Limits::new(),
            body_bytes: 64 * 1024,
            leak_reporters: Vec::new(),
            webfinger_hosts: Vec::new(),
            language: Language::default(),
            mailer: None,
            expiry_notice: Duration::ZERO,
            webhooks: Vec::new(),
        }
    }
}

/// One provider over HTTP.
#[derive(Debug)]
pub struct App {
    /// The protocol.
    pub provider: Provider<Database>,
    /// What the pages are set to.
    pub settings: Settings,
    /// The time.
    pub clock: Clock,
    /// Where passwords are compared.
    pub passwords: HashQueue,
    /// The door to other servers.
    pub(crate) outbound: HttpClient,
    /// Whose answers of upstreams are looked at, by their addresses.
    pub(crate) arriving: Arc<Turns>,
    /// The keys that clients publish.
    pub(crate) client_keys: ClientKeys,
    /// What upstreams say of themselves.
    pub(crate) upstreams: Discoveries,
    /// Tokens issued since the counts were last kept.
    pub counts: Counts,
    /// The last uses of API tokens since they were last kept.
    pub(crate) uses: Uses,
    /// What tokens were used for since that was last kept.
    pub(crate) tallies: Tallies,
    /// What is measured.
    pub(crate) metrics: Metrics,
    /// What everybody has asked.
    pub(crate) limiter: Limiter,
    /// Held while a sign-in is counted: of many at once on this node, none has to count again because of another.
    pub(crate) counting: tokio::sync::Mutex<()>,
    pub(crate) documents: ArcSwap<Documents>,
    /// Wakes who tells apps of ends of sessions.
    pub look_for_apps_to_tell: tokio::sync::Notify,
    /// Whether the server is about to stop.
    draining: AtomicBool,
}

impl App {
    /// A provider that is ready to answer.
    pub fn new(
        provider: Provider<Database>,
        settings: Settings,
        clock: Clock,
        (passwords, outbound): (HashQueue, HttpClient),
        metrics: Metrics,
    ) -> Self {
        let documents = ArcSwap::from_pointee(Documents::build(&provider, clock.now()));
        let limiter = Limiter::new(&settings.limits);
        Self {
            provider,
            settings,
            clock,
            passwords,
            outbound,
            arriving: upstream::arriving(),
            client_keys: ClientKeys::default(),
            upstreams: Discoveries::default(),
            counts: Counts::default(),
            uses: Uses::default(),
            tallies: Tallies::default(),
            metrics,
            limiter,
            counting: tokio::sync::Mutex::new(()),
            documents,
            look_for_apps_to_tell: tokio::sync::Notify::new(),
            draining: AtomicBool::new(false),
        }
    }

    /// Sends requests elsewhere before the server stops: it says that it is not ready, and closes each connection with its
    /// next answer. Everything is still answered.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether requests should go elsewhere.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// The directory as it is now.
    pub(crate) fn directory(&self) -> Arc<Directory> {
        self.provider.store.directory()
    }

    /// The circumstances of a request.
    pub(crate) fn call<'a>(&self, address: &'a str) -> Call<'a> {
        Call::new(self.clock.now(), address)
    }

    /// The circumstances of a request of a client, which `gate` counts once the client has proved who it is, and for whom it
    /// asks.
    pub(crate) fn call_at<'a>(&self, gate: &'a Gate<'_>, address: &'a str) -> Call<'a> {
        Call { admission: Some(gate), ..self.call(address) }
    }

    /// The address a request came from, by the peer and the trusted proxies.
    pub(crate) fn address(&self, request: &HttpRequest) -> IpAddr {
        let peer = request.peer_addr().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.ip());
        let headers = request.headers().get_all("x-forwarded-for");
        let forwarded: Vec<&[u8]> = headers.map(HeaderValue::as_bytes).collect();
        client_address(peer, &forwarded, &self.settings.trusted_proxies)
    }

    /// A new identifier.
    pub(crate) fn id(&self) -> Id {
        self.provider.mint.id(self.clock.now().millis())
    }

    /// Records a refusal; the identifier of the event is the case number that people are shown.
    pub(crate) async fn record(&self, error: &Error, client_id: Option<&str>, call: Call<'_>) -> Id {
        let id = self.provider.mint.id(call.now.millis());
        let mut event = Event::new(id, call.now, EventKind::Refused).reason(error.reason()).address(call.address);
        if let Some(client_id) = client_id {
            event = event.client(client_id);
        }
        // In a flood there is an event now and then, not one for each.
        if let Error::RateExceeded(exceeded) = error {
            let Some(count) = self.limiter.to_say(exceeded.policy, call.now) else { return id };
            if let Some(user_id) = exceeded.user_id {
                event = event.user(user_id);
            }
            event = event.detail(&format!("{}: {count} refused since the last such event", exceeded.policy));
        }
        if let Error::Store(source) = error {
            // A store that cannot do what was asked for cannot keep this either: it would only be waited for once more.
            if source.is_passing() {
                tracing::warn!(case = %id, reason = error.reason(), "a request could not be answered");
                return id;
            }
            event = event.detail(&source.to_string());
        }
        // A refusal is answered even when it cannot be recorded; the log has it then.
        if let Err(failure) = self.provider.store.commit(vec![Change::RefusalInsert(Box::new(event))]).await {
            tracing::warn!(case = %id, reason = error.reason(), %failure, "a refusal could not be recorded");
        }
        id
    }

    /// The issuer as pages name it.
    pub(crate) fn issuer(&self) -> pages::Issuer {
        let theme = self.settings.accent.as_ref().map(|_| crate::routes::THEME.to_owned());
        pages::Issuer { logo: None, name: self.settings.name.clone(), theme }
    }
}
