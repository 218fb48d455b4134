//! `POST /register`, where apps register themselves, and `/register/{client_id}`, where each manages itself. Scripts of every
//! origin may ask: what opens is a token in the request, never a cookie.

use std::time::Duration;

use actix_web::http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::rt::time::timeout;
use actix_web::web::{Bytes, Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use grantor_core::change::Change;
use grantor_core::client::ClientMetadata;
use grantor_core::directory::Directory;
use grantor_core::error::{Decision, Error};
use grantor_core::provider::Call;
use grantor_core::registration::answer::Information;
use grantor_core::registration::decide::{self, About, Opened, Registrant};
use grantor_core::registration::{self, InitialToken, Mode};
use grantor_core::store::{Store, StoreError};
use grantor_identity::address::counted_as;

use super::bearer_token;
use crate::app::App;
use crate::outbound::Asker;
use crate::visit::Visit;
use crate::{cors, error, respond, routes};

/// The largest body: all that is registered is held in memory.
const MAX_BYTES: usize = 16 * 1024;
/// How long it may take to arrive.
const WITHIN: Duration = Duration::from_secs(10);
/// How often a request that met another one is decided again.
const MAX_RACES: usize = 8;

/// One request: when, and from where.
struct Desk<'a> {
    app: &'a App,
    address: String,
    /// The address as limits count it.
    counted: String,
    endpoint: String,
    call_at: grantor_core::time::Time,
}

impl<'a> Desk<'a> {
    fn of(app: &'a App, request: &HttpRequest) -> Self {
        let (address, counted) = (app.address(request), counted_as(app.address(request)).to_string());
        Self {
            app,
            address: address.to_string(),
            counted,
            endpoint: app.provider.issuer.at(routes::REGISTER),
            call_at: app.clock.now(),
        }
    }

    fn about<'b>(&'b self, directory: &'b Directory) -> About<'b> {
        About {
            policy: &self.app.provider.policy,
            directory,
            call: Call::new(self.call_at, &self.address),
            event_id: self.app.id(),
            endpoint: &self.endpoint,
        }
    }

    /// Who may register, by the settings and the token that was shown.
    async fn registrant(&self, request: &HttpRequest) -> Result<Registrant, Error> {
        let token = self.initial_token(shown(request)?).await?;
        Ok(Registrant { address: self.counted.clone(), token })
    }

    async fn initial_token(&self, shown: Option<&str>) -> Result<Option<InitialToken>, Error> {
        let Some(shown) = shown else {
            return match self.app.provider.policy.registration.mode {
                // "To support open registration and facilitate wider interoperability, the client registration endpoint SHOULD
                // allow registration requests with no authorization (which is to say, with no initial access token in the
                // request)." (RFC 7591 §3)
                // "To support open Dynamic Registration, the Client Registration Endpoint SHOULD accept registration
                // requests without OAuth 2.0 Access Tokens." (OIDC Registration §3)
                Mode::Open => Ok(None),
                Mode::InitialAccessToken | Mode::Off => Err(Error::BearerMissing),
            };
        };
        // "If an Initial Access Token is required for Client registration, the Client Registration Endpoint MUST be able to
        // accept these Access Tokens in the manner described in the OAuth 2.0 Bearer Token Usage [RFC6750] specification."
        // (OIDC Registration §3)
        let (id, secret) = registration::read_initial(shown)?;
        let found = self.app.provider.store.initial_token_find(id).await?;
        InitialToken::open(found, &secret, self.call_at).map(Some)
    }

    /// Opens the registration that a path names with the token that was shown.
    async fn open(&self, client_id: &str, request: &HttpRequest) -> Result<Opened, Error> {
        let shown = shown(request)?.ok_or(Error::BearerMissing)?;
        let presented = registration::read_presented(shown)?;
        let found = self.app.provider.store.registration_find(client_id).await?;
        if found.is_some() && !self.app.directory().clients.contains_key(client_id) {
            // Another node has just registered it.
            self.app.provider.store.refresh_directory().await?;
        }
        decide::open(&self.app.directory(), found, presented, self.call_at)
    }

    /// Commits what was decided; `false` where something else came first.
    async fn commit(&self, changes: Vec<Change>) -> Result<bool, Error> {
        if changes.is_empty() {
            return Ok(true);
        }
        match self.app.provider.store.commit(changes).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict) => {
                // Another node may have changed the app.
                self.app.provider.store.refresh_directory().await?;
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether there is room for one more, asked where something came first, or costs something.
    async fn check_room(&self) -> Result<(), Error> {
        let (policy, store) = (&self.app.provider.policy.registration, &self.app.provider.store);
        if store.registrations_count(policy.most).await? >= policy.most {
            return Err(Error::RegistrationsTooMany);
        }
        if store.registrations_of_address(&self.counted, policy.per_address).await? >= policy.per_address {
            return Err(Error::RegistrationsOfAddress);
        }
        Ok(())
    }

    /// Checks the list of the sector that a client names which is about to be kept, unless it is as before.
    async fn check_sector(&self, changes: &[Change], before: Option<&ClientMetadata>) -> Result<(), Error> {
        let named = |metadata: &ClientMetadata| metadata.sector_identifier_uri.is_some();
        let kept = changes.iter().find_map(|change| match change {
            Change::ClientPut(client) => Some(&client.metadata),
            _ => None,
        });
        let Some(metadata) = kept.filter(|metadata| named(metadata)) else { return Ok(()) };
        let is_known = before.is_some_and(|before| {
            before.sector_identifier_uri == metadata.sector_identifier_uri
                && metadata.redirect_uris.iter().all(|uri| before.redirect_uris.contains(uri))
        });
        if is_known {
            return Ok(());
        }
        if before.is_none() {
            self.check_room().await?;
        }
        // "This MUST be validated at registration time; there is no requirement for the OP to retain the contents of this
        // JSON file or to retrieve or revalidate its contents in the future." (OIDC Registration §5)
        self.app.check_sector(metadata, Asker::Registrant(&self.counted)).await
    }
}

/// The token of a request. One that cannot be read opens nothing, as any other that is not right.
fn shown(request: &HttpRequest) -> Result<Option<&str>, Error> {
    bearer_token(request).map_err(|_| Error::TokenUnknown)
}

/// Registers an app (RFC 7591 §3.1).
pub(crate) async fn post_register(app: Data<App>, request: HttpRequest, payload: Payload) -> HttpResponse {
    if let Some(nothing) = closed(&app, &request) {
        return nothing;
    }
    let answered = register(&app, &request, payload).await;
    // "A successful response SHOULD use the HTTP 201 Created status code and return a JSON document [RFC8259] using the
    // "application/json" content type with the following fields and the Client Metadata parameters as top-level members of
    // the root JSON object:" (OIDC Registration §3.2)
    respond(&app, &request, answered.map(|told| error::uncached(StatusCode::CREATED).json(told))).await
}

async fn register(app: &App, request: &HttpRequest, payload: Payload) -> Result<Information, Error> {
    let desk = Desk::of(app, request);
    // Who may not register is not listened to.
    desk.registrant(request).await?;
    let body = read(request, payload).await?;
    for round in 0..MAX_RACES {
        let who = desk.registrant(request).await?;
        let (fresh, secret) = (app.provider.fresh(desk.call_at), app.provider.mint.secret());
        let Decision { changes, reply } =
            decide::register(desk.about(&app.directory()), &body, who, (&fresh, &secret))?;
        if round == 0 {
            desk.check_sector(&changes, None).await?;
        }
        if desk.commit(changes).await? {
            return Ok(reply);
        }
        desk.check_room().await?;
    }
    Err(StoreError::Busy.into())
}

/// Tells an app what is registered of it (RFC 7592 §2.1).
pub(crate) async fn get_registration(app: Data<App>, request: HttpRequest, client_id: Path<String>) -> HttpResponse {
    if let Some(nothing) = closed(&app, &request) {
        return nothing;
    }
    let told = tell(&app, &request, &client_id).await;
    // "A successful response SHOULD use the HTTP 200 OK status code and return a JSON document [RFC8259] using the
    // "application/json" content type with the Client Metadata values as top-level members of the root JSON object."
    // (OIDC Registration §4.3)
    respond(&app, &request, told.map(|told| error::uncached(StatusCode::OK).json(told))).await
}

async fn tell(app: &App, request: &HttpRequest, client_id: &str) -> Result<Information, Error> {
    let desk = Desk::of(app, request);
    for _ in 0..MAX_RACES {
        let opened = desk.open(client_id, request).await?;
        let Decision { changes, reply } = decide::read(desk.about(&app.directory()), &opened);
        if desk.commit(changes).await? {
            return Ok(reply);
        }
    }
    Err(StoreError::Busy.into())
}

/// Puts what an app says in the place of what is registered of it (RFC 7592 §2.2).
pub(crate) async fn put_registration(
    app: Data<App>,
    request: HttpRequest,
    client_id: Path<String>,
    payload: Payload,
) -> HttpResponse {
    if let Some(nothing) = closed(&app, &request) {
        return nothing;
    }
    let told = update(&app, &request, &client_id, payload).await;
    respond(&app, &request, told.map(|told| error::uncached(StatusCode::OK).json(told))).await
}

async fn update(app: &App, request: &HttpRequest, client_id: &str, payload: Payload) -> Result<Information, Error> {
    let desk = Desk::of(app, request);
    desk.open(client_id, request).await?;
    let body = read(request, payload).await?;
    for _ in 0..MAX_RACES {
        let opened = desk.open(client_id, request).await?;
        let Decision { changes, reply } = decide::update(desk.about(&app.directory()), &body, &opened)?;
        desk.check_sector(&changes, Some(opened.metadata())).await?;
        if desk.commit(changes).await? {
            return Ok(reply);
        }
    }
    Err(StoreError::Busy.into())
}

/// Removes an app (RFC 7592 §2.3).
pub(crate) async fn delete_registration(app: Data<App>, request: HttpRequest, client_id: Path<String>) -> HttpResponse {
    if let Some(nothing) = closed(&app, &request) {
        return nothing;
    }
    // "If a client has been successfully deprovisioned, the authorization server MUST respond with an HTTP 204 No Content
    // message." (RFC 7592 §2.3)
    let removed = remove(&app, &request, &client_id).await;
    respond(&app, &request, removed.map(|()| error::uncached(StatusCode::NO_CONTENT).finish())).await
}

async fn remove(app: &App, request: &HttpRequest, client_id: &str) -> Result<(), Error> {
    let desk = Desk::of(app, request);
    for _ in 0..MAX_RACES {
        let opened = desk.open(client_id, request).await?;
        let changes = decide::remove(desk.about(&app.directory()), &opened);
        if desk.commit(changes).await? {
            return Ok(());
        }
    }
    Err(StoreError::Busy.into())
}

/// Preflights; any other method is refused.
pub(crate) async fn other_register(app: Data<App>, request: HttpRequest) -> HttpResponse {
    other(&app, &request, "POST")
}

/// The same where an app manages itself.
pub(crate) async fn other_registration(app: Data<App>, request: HttpRequest) -> HttpResponse {
    other(&app, &request, "GET, PUT, DELETE")
}

fn other(app: &Data<App>, request: &HttpRequest, methods: &'static str) -> HttpResponse {
    if let Some(nothing) = closed(app, request) {
        return nothing;
    }
    if request.method() == Method::OPTIONS {
        return cors::preflight(app, request, methods, true);
    }
    let mut response = error::registration(&Error::MethodNotAllowed);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    cors::everyone(response)
}

/// The answer where nobody registers anything: there is no such address, and nothing is done.
fn closed(app: &Data<App>, request: &HttpRequest) -> Option<HttpResponse> {
    let visit = || Visit::unread(app.clone(), request.clone());
    let is_on = app.provider.policy.registration.is_on();
    (!is_on).then(|| respond::status_page(&visit(), crate::pages::status::Kind::NotFound, None))
}

async fn respond(app: &Data<App>, request: &HttpRequest, answered: Result<HttpResponse, Error>) -> HttpResponse {
    let response = match answered {
        Ok(response) => response,
        Err(refusal) => {
            let address = app.address(request).to_string();
            app.record(&refusal, None, app.call(&address)).await;
            error::registration(&refusal)
        }
    };
    // "The Client Registration Endpoint SHOULD support the use of Cross-Origin Resource Sharing (CORS) [CORS] and/or other
    // methods as appropriate to enable JavaScript Clients and other Browser-Based Clients to access it."
    // (OIDC Registration §3)
    // "The Client Configuration Endpoint SHOULD support the use of Cross-Origin Resource Sharing (CORS) [CORS] and/or other
    // methods as appropriate to enable JavaScript Clients and other Browser-Based Clients to access it."
    // (OIDC Registration §4)
    cors::everyone(response)
}

/// Reads a body of JSON.
async fn read(request: &HttpRequest, payload: Payload) -> Result<Bytes, Error> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    // "The client registration endpoint MUST accept HTTP POST messages with request parameters encoded in the entity body using
    // the "application/json" format." (RFC 7591 §3)
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Error::RegistrationMalformed);
    }
    let body = timeout(WITHIN, payload.to_bytes_limited(MAX_BYTES)).await.map_err(|_| Error::FormTooSlow)?;
    body.map_err(|_| Error::FormTooLarge)?.map_err(|_| Error::RegistrationMalformed)
}
