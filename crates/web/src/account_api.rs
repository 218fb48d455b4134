//! `/account/api/tokens`: an app manages a person's tokens for them, as the person does on the pages, by the same rules.
//!
//! Nothing is made without a *draft*, which each listing brings anew: sent twice, it makes one token and shows it again.

use std::time::Duration;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::http::{Method, StatusCode};
use actix_web::rt::time::timeout;
use actix_web::web::{Bytes, Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use grantor_core::account::{self, ACCOUNT_TOKENS, Caller};
use grantor_core::api_token::issue::{self, About, Draft, Holder, Wanted};
use grantor_core::api_token::{ApiToken, ApiTokenEnd, Owner};
use grantor_core::change::Change;
use grantor_core::directory::Directory;
use grantor_core::error::{Decision, Error};
use grantor_core::network::Networks;
use grantor_core::provider::Fresh;
use grantor_core::scope::Scope;
use grantor_core::store::{Store, StoreError};
use grantor_core::time::Time;
use grantor_core::token::DRAFT;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::api_tokens::{self, DAY, MAX_RACES};
use crate::app::App;
use crate::error;
use crate::limits::Endpoint;
use crate::oauth::bearer_token;

mod shown;

/// The largest body.
const MAX_BYTES: usize = 16 * 1024;
/// How long it may take to arrive.
const WITHIN: Duration = Duration::from_secs(10);

/// What the body of a new token says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    draft: String,
    name: String,
    scope: Scope,
    #[serde(default)]
    resource: Option<String>,
    #[serde(default)]
    networks: Networks,
    days: u64,
}

/// What the body of a new secret says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Redrawn {
    draft: String,
}

/// One request, by whom and when.
struct Desk<'a> {
    app: &'a App,
    /// The access token.
    presented: &'a str,
    caller: Caller,
    address: String,
    now: Time,
}

impl<'a> Desk<'a> {
    /// Judges the access token. Whoever sends a body has sent it by then: nobody is kept at the desk while what they hold ends.
    async fn of(app: &'a App, request: &'a HttpRequest) -> Result<Self, Error> {
        let address = app.address(request).to_string();
        let presented = bearer_token(request)?.ok_or(Error::BearerMissing)?;
        // It counts with the pages.
        let gate = app.gate(Endpoint::Pages);
        let call = app.call_at(&gate, &address);
        let (caller, now) = (account::caller(&app.provider, presented, call).await?, call.now);
        app.note_use(Some(caller.used.clone()));
        Ok(Self { app, presented, caller, address, now })
    }

    /// Judges the access token anew. It has counted already.
    async fn judge_again(&mut self) -> Result<(), Error> {
        // Another node may have changed the app.
        self.app.provider.store.refresh_directory().await?;
        let call = self.app.call(&self.address);
        (self.caller, self.now) = (account::caller(&self.app.provider, self.presented, call).await?, call.now);
        Ok(())
    }

    fn owner(&self) -> Owner {
        Owner::User(self.caller.user.id)
    }

    async fn tokens(&self) -> Result<Vec<ApiToken>, Error> {
        Ok(self.app.provider.store.api_tokens_of(&self.owner()).await?)
    }

    /// A token of the person, live or not.
    async fn find(&self, id: &str) -> Result<ApiToken, Error> {
        let id = id.parse().map_err(|_| Error::TokenNotFound)?;
        self.app.provider.store.api_token_of(&self.owner(), id).await?.ok_or(Error::TokenNotFound)
    }

    fn about<'b>(&'b self, directory: &'b Directory) -> About<'b> {
        let call = grantor_core::provider::Call::new(self.now, &self.address);
        About { directory, policy: &self.app.provider.policy.tokens, call, event_id: self.app.id() }
    }

    /// Commits what was decided if all still holds that it was decided by; `false` where something else came first, and the
    /// caller may still ask.
    async fn commit(&mut self, mut changes: Vec<Change>) -> Result<bool, Error> {
        if changes.is_empty() {
            return Ok(true);
        }
        for change in &mut changes {
            if let Change::EventInsert(event) = change {
                event.client_id = Some(self.caller.client_id.clone());
            }
        }
        // Person, app, approval, token: in the order in which others lock them, too.
        let first = usize::from(matches!(changes.first(), Some(Change::ApiTokensExpect { .. })));
        changes.splice(first..first, self.caller.expectations());
        match self.app.provider.store.commit(changes).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict) => self.judge_again().await.map(|()| false),
            Err(error) => Err(error.into()),
        }
    }

    /// Decides about a token and commits, again after each lost race; the answer is its text.
    async fn decide(
        &mut self,
        id: &str,
        decide: impl Fn(About<'_>, &ApiToken) -> Result<Decision<String>, Error>,
    ) -> Result<String, Error> {
        for _ in 0..MAX_RACES {
            let (token, directory) = (self.find(id).await?, self.app.directory());
            let Decision { changes, reply } = decide(self.about(&directory), &token)?;
            if self.commit(changes).await? {
                return Ok(reply);
            }
        }
        Err(StoreError::Busy.into())
    }

    /// Makes a token and commits, again after each lost race; the answer is its text.
    async fn issue(&mut self, draft: &Draft, wanted: &Wanted) -> Result<String, Error> {
        let owner = self.owner();
        for _ in 0..MAX_RACES {
            let tokens = api_tokens::held(&self.app.provider.store, &owner, draft.id).await?;
            let (holder, directory) =
                (Holder { owner: &owner, person: Some(&self.caller.user), tokens: &tokens }, self.app.directory());
            let Decision { changes, reply } = issue::issue(self.about(&directory), holder, draft, wanted.clone())?;
            if self.commit(changes).await? {
                return Ok(reply);
            }
        }
        Err(StoreError::Busy.into())
    }
}

/// Lists the person's tokens, what new ones could be for, and a draft for the next.
pub(crate) async fn get_tokens(app: Data<App>, request: HttpRequest) -> HttpResponse {
    respond(&app, &request, list(&app, &request).await).await
}

async fn list(app: &App, request: &HttpRequest) -> Result<HttpResponse, Error> {
    let desk = Desk::of(app, request).await?;
    let (directory, user) = (app.directory(), &desk.caller.user);
    let tokens = desk.tokens().await?;
    let tokens: Vec<_> = tokens.iter().map(|token| shown::token(&directory, token, user, desk.now)).collect();
    let fresh = app.provider.fresh(desk.now);
    let body = json!({
        "tokens": tokens,
        "apis": shown::apis(&directory, user),
        "longest_days": app.provider.policy.tokens.longest.as_secs() / DAY.as_secs(),
        "draft": DRAFT.format(fresh.id, &fresh.secret),
    });
    Ok(error::uncached(StatusCode::OK).json(body))
}

/// Makes a token and shows it, this once.
pub(crate) async fn post_tokens(app: Data<App>, request: HttpRequest, payload: Payload) -> HttpResponse {
    respond(&app, &request, make(&app, &request, payload).await).await
}

async fn make(app: &App, request: &HttpRequest, payload: Payload) -> Result<HttpResponse, Error> {
    let body = read(request, payload).await;
    let mut desk = Desk::of(app, request).await?;
    let asked: Asked = parse(&body?)?;
    let draft = draft(&asked.draft)?;
    let wanted = Wanted {
        name: asked.name,
        scope: asked.scope,
        resource: asked.resource,
        networks: asked.networks,
        lifetime: Duration::from_secs(asked.days.saturating_mul(DAY.as_secs())),
    };
    let text = desk.issue(&draft, &wanted).await?;
    made(&desk, StatusCode::CREATED, &draft.id.to_string(), &text).await
}

/// Gives a token a new secret, and shows it.
pub(crate) async fn post_rotate(
    app: Data<App>,
    request: HttpRequest,
    id: Path<String>,
    payload: Payload,
) -> HttpResponse {
    respond(&app, &request, rotate(&app, &request, &id, payload).await).await
}

async fn rotate(app: &App, request: &HttpRequest, id: &str, payload: Payload) -> Result<HttpResponse, Error> {
    let body = read(request, payload).await;
    let mut desk = Desk::of(app, request).await?;
    let asked: Redrawn = parse(&body?)?;
    let draft = draft(&asked.draft)?;
    let text = desk.decide(id, |about, token| issue::rotate(about, token, &draft)).await?;
    made(&desk, StatusCode::OK, id, &text).await
}

/// Revokes a token. What has ended needs no end.
pub(crate) async fn delete_token(app: Data<App>, request: HttpRequest, id: Path<String>) -> HttpResponse {
    respond(&app, &request, revoke(&app, &request, &id).await).await
}

async fn revoke(app: &App, request: &HttpRequest, id: &str) -> Result<HttpResponse, Error> {
    let mut desk = Desk::of(app, request).await?;
    let revoke = |about: About<'_>, token: &ApiToken| {
        let changes = issue::revoke(about, token, ApiTokenEnd::RevokedByOwner);
        Ok(Decision { changes, reply: String::new() })
    };
    desk.decide(id, revoke).await?;
    Ok(error::uncached(StatusCode::NO_CONTENT).finish())
}

/// The token with its text.
async fn made(desk: &Desk<'_>, status: StatusCode, id: &str, text: &str) -> Result<HttpResponse, Error> {
    let token = desk.find(id).await?;
    let mut body = shown::token(&desk.app.directory(), &token, &desk.caller.user, desk.now);
    body["token"] = text.into();
    Ok(error::uncached(status).json(body))
}

fn draft(text: &str) -> Result<Draft, Error> {
    let (id, secret) = DRAFT.parse(text).ok_or(Error::DraftExpired)?;
    Ok(Fresh { id, secret })
}

/// Reads a body of JSON, from whoever shows a token at all.
async fn read(request: &HttpRequest, payload: Payload) -> Result<Bytes, Error> {
    bearer_token(request)?.ok_or(Error::BearerMissing)?;
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(Error::BodyMalformed);
    }
    let body = timeout(WITHIN, payload.to_bytes_limited(MAX_BYTES)).await.map_err(|_| Error::FormTooSlow)?;
    body.map_err(|_| Error::FormTooLarge)?.map_err(|_| Error::BodyMalformed)
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|_| Error::BodyMalformed)
}

async fn respond(app: &App, request: &HttpRequest, answered: Result<HttpResponse, Error>) -> HttpResponse {
    let refusal = match answered {
        Ok(response) => return response,
        Err(refusal) => refusal,
    };
    if !matches!(refusal, Error::BearerMissing) {
        let address = app.address(request).to_string();
        app.record(&refusal, None, app.call(&address)).await;
    }
    match refusal {
        Error::BearerMalformed
        | Error::BearerMissing
        | Error::RateExceeded(_)
        | Error::ScopeInsufficient
        | Error::TokenUnknown => error::bearer_for(&refusal, ACCOUNT_TOKENS),
        other => shown::problem(&other),
    }
}

/// Any other method is refused.
pub(crate) async fn other(request: HttpRequest) -> HttpResponse {
    let allowed = match request.match_pattern().as_deref() {
        Some(crate::routes::ACCOUNT_API_TOKENS) => "GET, POST",
        Some(crate::routes::ACCOUNT_API_TOKEN) => "DELETE",
        _ => "POST",
    };
    if request.method() == Method::OPTIONS {
        return HttpResponse::NoContent().insert_header(("allow", allowed)).finish();
    }
    error::other_method(allowed)
}
