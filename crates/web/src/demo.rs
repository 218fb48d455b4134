//! The demo relying party: an app on its own port that signs people in, and shows how.
//!
//! It runs beside the server with `--dev` only. It is written as an app should be — discovery, PKCE, `state`, `nonce`, `iss`,
//! every check of the ID token — and it shows what no app should: each request, each answer, each token. Its own secret is
//! the one thing that it keeps to itself ([`redact`]).
//!
//! The flow: `POST /start` discovers the server and sends the browser there; `GET /callback` takes the answer; each button is
//! one `POST` that makes one request and adds one [`step`]; `POST /sign-out` sends the browser to the server's sign-out, which
//! sends it to `GET /signed-out`. Every one of them ends at `/`, which shows the steps so far.
//!
//! Beside the app, `/mails` shows the mails that the server would have sent.

mod browser;
mod callback;
mod decode;
mod error;
mod exchange;
mod id_token;
mod leaving;
mod mails;
mod notes_api;
mod page;
mod provider;
mod redact;
mod session;
mod sign_in;
mod step;
mod tokens;

#[cfg(test)]
mod walk;

use std::net::TcpListener;

use actix_web::{
    App, HttpResponse, HttpServer,
    cookie::Cookie,
    dev::Server,
    http::header,
    middleware::DefaultHeaders,
    web::{self, ServiceConfig},
};
use openidconnect::{IntrospectionUrl, IssuerUrl};
use tokio::sync::OnceCell;
use url::Url;

pub use self::error::DemoError;
use self::{exchange::Recorder, session::Sessions};
use crate::{mail::MailSink, outbound::HttpClient, statics::static_file};

/// What the demo is told. Its secrets are the demo's own and stand in a development database only.
#[derive(Clone)]
pub struct DemoSettings {
    /// The issuer, letter for letter as its metadata says it.
    pub issuer: String,
    /// Where browsers reach the demo, such as `http://localhost:8081`; `/callback` and `/signed-out` below it are registered.
    pub base_url: String,
    /// The demo's `client_id`.
    pub client_id: String,
    /// Its secret; nothing makes it a public client.
    pub client_secret: Option<String>,
    /// The `client_id` with which the demo's API asks about tokens.
    pub api_client_id: String,
    /// Its secret.
    pub api_client_secret: String,
    /// The API's identifier, which a token must have in its audience; nothing takes tokens of any audience.
    pub api_identifier: Option<String>,
    /// The mails that the server beside would have sent.
    pub mails: MailSink,
}

/// The demo as it runs.
#[derive(Debug)]
pub struct Demo {
    settings: DemoSettings,
    issuer: IssuerUrl,
    base_url: Url,
    http: HttpClient,
    sessions: Sessions,
    introspection: OnceCell<IntrospectionUrl>,
}

/// Runs the demo on this listener until the server that comes back is stopped.
pub fn run(listener: TcpListener, settings: DemoSettings) -> Result<Server, DemoError> {
    let demo = web::Data::new(Demo::new(settings)?);
    let app = move || App::new().configure(app_config(&demo));
    Ok(HttpServer::new(app).workers(1).disable_signals().shutdown_timeout(1).listen(listener)?.run())
}

/// The demo's addresses.
pub fn app_config(demo: &web::Data<Demo>) -> impl FnOnce(&mut ServiceConfig) {
    let demo = demo.clone();
    move |config| {
        let pages = web::scope("")
            .wrap(headers(&demo))
            .route("/", web::get().to(page::get_home))
            .route("/api/notes", web::get().to(notes_api::get_notes))
            .route("/call-api", web::post().to(tokens::post_call_api))
            .route("/callback", web::get().to(callback::get_callback))
            .route("/introspect", web::post().to(tokens::post_introspect))
            .route("/mails", web::get().to(mails::get_mails))
            .route("/mails/{number}", web::get().to(mails::get_mail))
            .route("/language", web::post().to(browser::post_language))
            .route("/refresh", web::post().to(tokens::post_refresh))
            .route("/revoke", web::post().to(leaving::post_revoke))
            .route("/sign-out", web::post().to(leaving::post_sign_out))
            .route("/signed-out", web::get().to(leaving::get_signed_out))
            .route("/start", web::post().to(sign_in::post_start))
            .route("/static/{name}", web::get().to(get_static))
            .route("/userinfo", web::post().to(tokens::post_userinfo));
        config.app_data(demo).service(pages);
    }
}

impl Demo {
    /// Makes the demo from its settings. Nothing is asked for yet: the server may still be starting.
    pub fn new(settings: DemoSettings) -> Result<Self, DemoError> {
        let issuer = IssuerUrl::new(settings.issuer.clone())
            .map_err(|reason| DemoError::Address { setting: "issuer", reason })?;
        let mut base_url =
            Url::parse(&settings.base_url).map_err(|reason| DemoError::Address { setting: "base_url", reason })?;
        if !base_url.path().ends_with('/') {
            base_url.set_path(&format!("{}/", base_url.path()));
        }
        let http = HttpClient::for_demo();
        Ok(Self { settings, issuer, base_url, http, sessions: Sessions::default(), introspection: OnceCell::new() })
    }

    fn recorder(&self) -> Recorder<'_> {
        Recorder::new(&self.http)
    }

    /// An address of the demo's own.
    fn address(&self, path: &str) -> Url {
        let mut url = self.base_url.clone();
        url.set_path(&format!("{}{path}", self.base_url.path()));
        url
    }

    fn secure(&self) -> bool {
        self.base_url.scheme() == "https"
    }
}

impl std::fmt::Debug for DemoSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DemoSettings")
            .field("issuer", &self.issuer)
            .field("base_url", &self.base_url)
            .field("client_id", &self.client_id)
            .field("api_client_id", &self.api_client_id)
            .field("api_identifier", &self.api_identifier)
            .finish_non_exhaustive()
    }
}

/// The headers of every answer. Forms may end at the server too: Chrome holds `form-action` against each redirect of a form.
fn headers(demo: &Demo) -> DefaultHeaders {
    let issuer = demo.issuer.url().origin().ascii_serialization();
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' {issuer}; base-uri 'none'; frame-ancestors 'none'"
    );
    DefaultHeaders::new()
        .add((header::CONTENT_SECURITY_POLICY, policy))
        .add((header::CACHE_CONTROL, "no-store"))
        .add((header::REFERRER_POLICY, "no-referrer"))
        .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add(("cross-origin-opener-policy", "same-origin"))
}

/// `GET /static/{name}`
async fn get_static(name: web::Path<String>, query: web::Query<Vec<(String, String)>>) -> HttpResponse {
    let Some(file) = static_file(&name) else { return HttpResponse::NotFound().finish() };
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, file.cache_control(callback::one(&query, "v"))))
        .insert_header((header::ETAG, file.etag))
        .content_type(file.content_type)
        .body(file.bytes.into_owned())
}

fn redirect(to: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, to)).finish()
}

fn home() -> HttpResponse {
    redirect("/")
}

/// Back to the page, at this step.
fn to_step(number: u32) -> HttpResponse {
    redirect(&format!("/#step-{number}"))
}

/// Back to the page, at the last step.
fn to_latest(log: &step::Log) -> HttpResponse {
    log.steps().next_back().map_or_else(home, |step| to_step(step.number))
}

/// A cookie that cannot be written into a header is not one of ours.
fn set_cookie(answer: &mut HttpResponse, cookie: &Cookie<'_>) {
    let _ = answer.add_cookie(cookie);
}
