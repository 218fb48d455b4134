//! What is measured, for Prometheus: on a port of its own, without a name, a token or an address in any label.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use actix_web::web::{self, Data};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, HttpServer};
use grantor_core::grant_type::GrantType;
use grantor_core::outbox::Target;
use grantor_core::store::StoreError;
use grantor_storage::{Meters, Stopwatch};
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::app::App;
use crate::routes;

/// What a request asked for: the rows that the budgets have, and the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Workload {
    Authorize,
    ClientCredentials,
    Code,
    Discovery,
    Exchange,
    ForwardAuth,
    Introspection,
    IntrospectionJwt,
    IntrospectionOpaque,
    Jwks,
    Other,
    Refresh,
    Revocation,
    SignIn,
    Token,
    Userinfo,
}

/// How a request ended, by the first digit of its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
enum Outcome {
    Answered,
    Redirected,
    Refused,
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    workload: Workload,
    outcome: Outcome,
}

/// Who is told, by kind: names of webhooks are the operator's, and many.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Channel {
    channel: &'static str,
}

impl Channel {
    const fn of(target: &Target) -> Self {
        match target {
            Target::Mail => Self { channel: "mail" },
            Target::Webhook(_) => Self { channel: "webhook" },
        }
    }
}

/// What is measured of the outbox.
#[derive(Debug, Default)]
struct OutboxMeters {
    waiting: Gauge<i64, AtomicI64>,
    oldest: Gauge<i64, AtomicI64>,
    kept: Gauge<i64, AtomicI64>,
    delivered: Family<Channel, Counter>,
    given_up: Family<Channel, Counter>,
    logouts: Gauge<i64, AtomicI64>,
}

impl OutboxMeters {
    fn register(&self, registry: &mut Registry) {
        let Self { waiting, oldest, kept, delivered, given_up, logouts } = self;
        registry.register("outbox_waiting", "Messages that wait to be delivered, of all servers", waiting.clone());
        registry.register("outbox_oldest_seconds", "How long the oldest of them has waited", oldest.clone());
        registry.register("outbox_given_up_kept", "Messages that were given up and not removed yet", kept.clone());
        registry.register("outbox_delivered", "Messages that this server delivered", delivered.clone());
        registry.register("outbox_given_up", "Messages that this server gave up", given_up.clone());
        registry.register("logout_notices_waiting", "Apps that are to be told of sessions that ended", logouts.clone());
    }
}

/// A limit, by its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Policy {
    policy: &'static str,
}

impl From<GrantType> for Workload {
    fn from(grant_type: GrantType) -> Self {
        match grant_type {
            GrantType::AuthorizationCode => Self::Code,
            GrantType::ClientCredentials => Self::ClientCredentials,
            GrantType::Implicit => Self::Authorize,
            GrantType::RefreshToken => Self::Refresh,
            GrantType::TokenExchange => Self::Exchange,
        }
    }
}

impl Workload {
    /// Notes what a request turned out to be, where its path does not tell.
    pub(crate) fn note(self, request: &HttpRequest) {
        request.extensions_mut().insert(self);
    }

    fn of(request: &HttpRequest) -> Self {
        if let Some(noted) = request.extensions().get::<Self>() {
            return *noted;
        }
        match request.path() {
            routes::AUTHORIZE => Self::Authorize,
            routes::FORWARD_AUTH => Self::ForwardAuth,
            routes::INTROSPECT | routes::INTROSPECT_BATCH => Self::Introspection,
            routes::JWKS => Self::Jwks,
            routes::OAUTH_METADATA | routes::OPENID_CONFIGURATION => Self::Discovery,
            routes::REVOKE => Self::Revocation,
            routes::SIGN_IN => Self::SignIn,
            routes::TOKEN => Self::Token,
            routes::USERINFO => Self::Userinfo,
            path if path.starts_with("/forward-auth/") => Self::ForwardAuth,
            _ => Self::Other,
        }
    }
}

/// The meters of one provider over HTTP.
#[derive(Debug)]
pub struct Metrics {
    stopwatch: Stopwatch,
    requests: Family<Labels, Histogram>,
    passwords_waiting: Gauge<i64, AtomicI64>,
    refused: Family<Policy, Counter>,
    outbox: OutboxMeters,
    registry: Registry,
}

/// From half a millisecond to ten seconds.
const SECONDS: [f64; 14] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0];

impl Metrics {
    /// Meters that measure by `stopwatch`, those of the database among them.
    pub fn new(stopwatch: Stopwatch, database: &Meters) -> Self {
        let requests = Family::<Labels, Histogram>::new_with_constructor(|| Histogram::new(SECONDS));
        let passwords_waiting = Gauge::<i64, AtomicI64>::default();
        let mut registry = Registry::with_prefix("grantor");
        registry.register("request_seconds", "How long requests took, by what they asked for", requests.clone());
        registry.register("passwords_waiting", "Passwords that wait to be checked", passwords_waiting.clone());
        let refused = Family::<Policy, Counter>::default();
        registry.register("limited_requests", "Requests refused because too many came, by the limit", refused.clone());
        database.register(&mut registry);
        let outbox = OutboxMeters::default();
        outbox.register(&mut registry);
        Self { stopwatch, requests, passwords_waiting, refused, outbox, registry }
    }

    /// Counts a message that was delivered.
    pub(crate) fn delivered(&self, target: &Target) {
        self.outbox.delivered.get_or_create(&Channel::of(target)).inc();
    }

    /// Counts a message that was given up.
    pub(crate) fn gave_up(&self, target: &Target) {
        self.outbox.given_up.get_or_create(&Channel::of(target)).inc();
    }

    /// Counts a request that a limit refused.
    pub(crate) fn refused_by(&self, policy: &'static str) {
        self.refused.get_or_create(&Policy { policy }).inc();
    }

    /// Begins to measure a request.
    pub(crate) fn begin(&self) -> std::time::Duration {
        self.stopwatch.read()
    }

    /// Measures a request that began at `begun`.
    pub(crate) fn end(&self, begun: std::time::Duration, request: &HttpRequest, status: u16) {
        let outcome = match status {
            ..300 => Outcome::Answered,
            300..400 => Outcome::Redirected,
            400..500 => Outcome::Refused,
            500.. => Outcome::Failed,
        };
        let took = self.stopwatch.read().saturating_sub(begun).as_secs_f64();
        self.requests.get_or_create(&Labels { workload: Workload::of(request), outcome }).observe(took);
    }
}

/// Starts to show `app`'s meters on `socket`, at `/metrics`.
///
/// # Errors
/// Those of the socket.
pub fn serve(app: Arc<App>, socket: TcpListener) -> std::io::Result<actix_web::dev::Server> {
    let app = Data::from(app);
    let server = HttpServer::new(move || {
        actix_web::App::new().app_data(app.clone()).route("/metrics", web::get().to(get_metrics))
    });
    Ok(server.workers(1).disable_signals().listen(socket)?.run())
}

async fn get_metrics(app: Data<App>) -> HttpResponse {
    let metrics = &app.metrics;
    metrics.passwords_waiting.set(i64::try_from(app.passwords.waiting()).unwrap_or(i64::MAX));
    // What cannot be read stays as it was.
    if let Err(error) = measure_outbox(&app).await {
        tracing::debug!(%error, "the outbox could not be measured");
    }
    let mut text = String::new();
    if encode(&mut text, &metrics.registry).is_err() {
        return HttpResponse::InternalServerError().finish();
    }
    HttpResponse::Ok().content_type("application/openmetrics-text; version=1.0.0; charset=utf-8").body(text)
}

async fn measure_outbox(app: &App) -> Result<(), StoreError> {
    let (store, meters) = (&app.provider.store, &app.metrics.outbox);
    let waiting = store.outbox_waiting(None).await?;
    let oldest = waiting.since.map_or(0, |since| app.clock.now().since(since).as_secs());
    meters.waiting.set(waiting.messages);
    meters.oldest.set(i64::try_from(oldest).unwrap_or(i64::MAX));
    meters.kept.set(store.outbox_count_given_up().await?);
    meters.logouts.set(store.logout_notices_waiting().await?);
    Ok(())
}
