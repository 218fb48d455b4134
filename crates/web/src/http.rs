//! The HTTP server: listeners, limits, one line of log for each request, and headers that every answer has.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServerHandle, ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::http::header::{
    HeaderName, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::Data;
use actix_web::{HttpResponse, HttpServer, Result};
use rustls::ServerConfig;

use crate::app::App;
use crate::error::Unanswered;
use crate::limits;
use crate::routes;
use crate::unread::Held;

const NOT_A_PROXY: &str = "Plain HTTP is only taken from the proxies that trusted_proxies lists.\n";
/// How long a client may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an idle connection is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Where the server listens.
pub struct Listener {
    /// The bound socket.
    pub socket: TcpListener,
    /// The certificates; plain HTTP without.
    pub tls: Option<ServerConfig>,
    /// How many threads answer.
    pub workers: usize,
    /// How many connections a thread keeps open at one time.
    pub connections: usize,
    /// How long requests under way may take when the server is told to stop, in seconds.
    pub shutdown_seconds: u64,
}

/// A running server: a future that ends when it has stopped, and the handle that stops it.
pub struct Server {
    server: actix_web::dev::Server,
}

impl Server {
    /// The handle that stops the server.
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }

    /// Runs until stopped.
    ///
    /// # Errors
    /// Those of the sockets.
    pub async fn run(self) -> std::io::Result<()> {
        self.server.await
    }
}

/// Starts to answer for `app`; signals are the caller's.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(app: Arc<App>, listener: Listener) -> std::io::Result<Server> {
    let app = Data::from(app);
    let transport = Transport { is_tls: listener.tls.is_some() };
    let server = HttpServer::new(move || {
        let app = actix_web::App::new().app_data(app.clone()).app_data(transport);
        app.wrap(from_fn(around)).configure(routes::configure)
    })
    .workers(listener.workers)
    .client_request_timeout(HEAD_TIMEOUT)
    .keep_alive(KEEP_ALIVE)
    .max_connections(listener.connections)
    .shutdown_timeout(listener.shutdown_seconds)
    .disable_signals();
    let bound = match listener.tls {
        Some(tls) => server.listen_rustls_0_23(listener.socket, tls)?,
        None => server.listen(listener.socket)?,
    };
    Ok(Server { server: bound.run() })
}

/// How requests arrive.
#[derive(Clone, Copy)]
struct Transport {
    is_tls: bool,
}

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// Around each request: the headers that every answer has, and one line of log. No query, no body, no cookie is logged.
async fn around(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>> {
    let Some(app) = request.app_data::<Data<App>>().cloned() else {
        return Err(Unanswered::without_app().into());
    };
    let logged = tracing::enabled!(target: "grantor::request", tracing::Level::INFO);
    let (begun, measured) = (logged.then(|| app.clock.now()), app.metrics.begin());
    let held = Held::of(&mut request);
    let mut response = match turned_away(&app, &request).await {
        None => next.call(request).await?.map_into_left_body(),
        Some(refusal) => request.into_response(refusal).map_into_right_body(),
    };
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // With no-referrer, browsers would send "Origin: null" with our own forms.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(PERMISSIONS_POLICY, HeaderValue::from_static("camera=(), geolocation=(), microphone=()"));
    if app.provider.issuer.is_https() {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    if app.is_draining() {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    app.metrics.end(measured, response.request(), response.status().as_u16());
    if let Some(begun) = begun {
        log(&app, &response, app.clock.now().since(begun));
    }
    Ok(match held {
        Some(held) => response.map_body(|_, body| EitherBody::right(held.until_sent(body))),
        None => response,
    })
}

/// The refusal of a request whose sender is not answered at all, or not so often.
async fn turned_away(app: &Data<App>, request: &ServiceRequest) -> Option<HttpResponse> {
    if may_speak(app, request) {
        return limits::refuse(app, request.request()).await;
    }
    Some(HttpResponse::Forbidden().content_type("text/plain; charset=utf-8").body(NOT_A_PROXY))
}

/// Whether a peer may speak to us like this: by TLS anybody, in plain HTTP this machine and the trusted proxies.
fn may_speak(app: &App, request: &ServiceRequest) -> bool {
    let Some(peer) = request.peer_addr().map(|peer| peer.ip().to_canonical()) else { return true };
    peer.is_loopback()
        || request.app_data::<Transport>().is_some_and(|transport| transport.is_tls)
        || app.settings.trusted_proxies.iter().any(|network| network.contains(&peer))
}

fn log<B>(app: &App, response: &ServiceResponse<B>, took: Duration) {
    let request = response.request();
    let path: String = request.path().chars().take(200).collect();
    tracing::info!(
        target: "grantor::request",
        method = request.method().as_str(),
        path,
        status = response.status().as_u16(),
        ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        address = %app.address(request),
    );
}
