//! `/authorize`: reads the request, asks core what comes next, and sends the browser there.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::Payload;
use grantor_core::authorization::{
    self, Answer, Approved, Arrived, AuthorizationRequest, Other, Refused, ResponseMode, Situation, Started, Step,
};
use grantor_core::client_auth::PublishedKeys;
use grantor_core::consent::Consent;
use grantor_core::error::Error;
use grantor_core::grant_type::GrantType;
use grantor_core::interaction::Interaction;
use grantor_core::level::{self, Level};
use grantor_core::params::{MAX_PARAMETER_BYTES, Params};
use grantor_core::session::Session;
use grantor_core::store::{Store, StoreError};
use grantor_core::upstream::UpstreamSession;
use grantor_core::user::User;

use super::login_hint;
use crate::accounts::{self, Account};
use crate::pages::Frame;
use crate::pages::form_post::FormPost;
use crate::pages::status::GoOn;
use crate::respond::{self, How, Sent, app_at};
use crate::routes::{self, CONSENT, SELECT_ACCOUNT, SIGN_IN, SIGN_IN_CODE, SIGN_IN_MORE, SIGN_UP};
use crate::visit::Visit;
use crate::{client_keys, form, limits, session_state};

/// Begins or resumes an authorization (RFC 6749 §3.1, OIDC Core §3.1.2.1).
// "Authorization Servers MUST support the use of the HTTP "GET" and "POST" methods defined in RFC 7231 [RFC7231] at the
// Authorization Endpoint." (OIDC Core §3.1.2.1)
pub(crate) async fn get_authorize(visit: Visit) -> HttpResponse {
    let sent = visit.request.query_string().as_bytes();
    authorize(&visit, Params::parse(sent), sent).await
}

/// The same with the parameters in the body.
pub(crate) async fn post_authorize(visit: Visit, payload: Payload) -> HttpResponse {
    let sent = match form::read_body(&visit.request, payload).await {
        Ok(sent) => sent,
        Err(error) => return respond::refusal(&visit, &error, None, Sent::default()).await,
    };
    let params = Params::parse(&sent);
    match again_as_get(&visit, &params).await {
        Some(address) => respond::redirect(&address),
        None => authorize(&visit, params, &sent).await,
    }
}

/// A form posted by another site comes without our cookies. Where it is a right request, the browser is asked to come again
/// by itself, and brings them.
async fn again_as_get(visit: &Visit, params: &Result<Params, Error>) -> Option<String> {
    let params = params.as_ref().ok().filter(|params| visit.session().is_none() && params.get("resume").is_none())?;
    let started = Started::now(visit.now);
    let unpacked = unpack(visit, params).await.ok()?;
    let params = unpacked.as_ref().unwrap_or(params);
    authorization::read(&visit.app.provider, params, started, visit.now).ok()?;
    // The browser's mark did not come either, so the text is for any browser: what comes again with it starts anew.
    sealed(visit, routes::AUTHORIZE, &Interaction::start(params, visit.now), "").ok()
}

async fn authorize(visit: &Visit, params: Result<Params, Error>, sent: &[u8]) -> HttpResponse {
    let params = match params {
        Ok(params) => params,
        Err(error) => {
            let refused = authorization::refuse_unreadable(&visit.app.provider, sent, error);
            return refuse(visit, &Params::default(), refused).await;
        }
    };
    if let Some(text) = params.get("resume") {
        return match resumed(visit, text) {
            Ok((params, started)) => go_on(visit, &params, started).await,
            Err(error) => respond::refusal(visit, &error, None, Sent::default()).await,
        };
    }
    match unpack(visit, &params).await {
        Ok(unpacked) => go_on(visit, unpacked.as_ref().unwrap_or(&params), Started::now(visit.now)).await,
        Err(refused) => refuse(visit, &params, refused).await,
    }
}

/// The parameters of a request that has just arrived, with those of its request object in their place; none where it has none.
async fn unpack(visit: &Visit, params: &Params) -> Result<Option<Params>, Refused> {
    let provider = &visit.app.provider;
    let mut arrived = Arrived::read(&provider.store.directory(), params);
    if let Some((client, uri)) = arrived.lies_at() {
        let read = visit.app.read_request_object(&client.client_id, uri).await;
        arrived = arrived.with_object(&provider.store.directory(), read.as_deref());
    }
    let keys = client_keys::of_request_object(&visit.app, &arrived).await;
    arrived.unpack(provider, keys.as_deref(), visit.now)
}

/// The request that comes back from a page.
fn resumed(visit: &Visit, text: &str) -> Result<(Params, Started), Error> {
    match open(visit, text) {
        Ok(interaction) => Ok((interaction.params()?, Started::from(&interaction))),
        Err(_) => Ok((opened(visit, text, "")?.params()?, Started::now(visit.now))),
    }
}

/// Reads the signed request that a page of this browser carried.
pub(crate) fn open(visit: &Visit, text: &str) -> Result<Interaction, Error> {
    opened(visit, text, visit.mark())
}

/// Reads a signed request of the browser with this mark, or of any.
pub(crate) fn opened(visit: &Visit, text: &str, mark: &str) -> Result<Interaction, Error> {
    let lifetimes = &visit.app.provider.policy.lifetimes;
    Interaction::open(text, (&visit.app.directory().secrets.browser, mark), lifetimes, visit.now)
}

/// The request that a page goes on with, read again; or the page that says why it cannot.
pub(crate) async fn waiting(visit: &Visit, carried: &str) -> Result<(Interaction, AuthorizationRequest), HttpResponse> {
    let opened = open(visit, carried).and_then(|interaction| Ok((interaction.params()?, interaction)));
    let (params, interaction) = match opened {
        Ok(opened) => opened,
        Err(error) => return Err(respond::refusal(visit, &error, None, Sent::default()).await),
    };
    match authorization::read(&visit.app.provider, &params, Started::from(&interaction), visit.now) {
        Ok(request) => Ok((interaction, in_use(visit, login_hint::read(&visit.app, request)))),
        Err(refused) => Err(refuse(visit, &params, refused).await),
    }
}

/// The request with the scopes that the person in use can give.
fn in_use(visit: &Visit, request: AuthorizationRequest) -> AuthorizationRequest {
    match visit.session() {
        Some((_, user)) => of_person(visit, user, request),
        None => request,
    }
}

fn of_person(visit: &Visit, user: &User, request: AuthorizationRequest) -> AuthorizationRequest {
    let directory = visit.app.directory();
    let scope = request.scope.filter(|scope| directory.may_have(user, scope));
    AuthorizationRequest { scope, ..request }
}

/// The address of a page that goes on with a started request.
///
/// # Errors
/// `ParameterTooLarge`, when the signed request would be larger than a parameter may be.
pub(crate) fn on_page(visit: &Visit, path: &str, interaction: &Interaction) -> Result<String, Error> {
    sealed(visit, path, interaction, visit.mark())
}

/// The same for the browser with this mark, or for any.
pub(crate) fn sealed(visit: &Visit, path: &str, interaction: &Interaction, mark: &str) -> Result<String, Error> {
    let name = if path == routes::AUTHORIZE { "resume" } else { "request" };
    let query = format!("{name}={}", interaction.seal(&visit.app.directory().secrets.browser, mark));
    if query.len() > MAX_PARAMETER_BYTES {
        return Err(Error::ParameterTooLarge);
    }
    Ok(format!("{path}?{query}"))
}

/// Sends the browser to a page that goes on with a started request.
pub(crate) async fn go_to(visit: &Visit, path: &str, interaction: &Interaction) -> HttpResponse {
    match on_page(visit, path, interaction) {
        Ok(address) => respond::redirect_marked(visit, &address),
        Err(error) => respond::failure(visit, &error).await,
    }
}

/// The way on from a form that is not valid any more.
pub(crate) fn way_on(visit: &Visit, interaction: &Interaction, request: &AuthorizationRequest) -> Option<GoOn> {
    let url = on_page(visit, routes::AUTHORIZE, interaction).ok()?;
    let language = visit.language(request.ui_locales.as_deref());
    Some(GoOn { app: app_at(&request.client, &request.redirect_uri, language).name, url })
}

async fn go_on(visit: &Visit, params: &Params, started: Started) -> HttpResponse {
    let request = match authorization::read(&visit.app.provider, params, started, visit.now) {
        Ok(request) => login_hint::read(&visit.app, request),
        Err(refused) => return refuse(visit, params, refused).await,
    };
    // It counts for the person in use, before anything is read of anybody who is signed in beside them.
    if let Some((_, user)) = visit.session()
        && let Some(refusal) = limits::refuse_sent(visit, user, &request.client).await
    {
        return refusal;
    }
    let beside = match Beside::of(visit, &request).await {
        Ok(beside) => beside,
        Err(error) => return send_error(visit, &request, &error).await,
    };
    let request = in_use(visit, request);
    match step(visit, params, &request, beside.as_ref()).await {
        Ok(response) => response,
        Err(error) => send_error(visit, &request, &error).await,
    }
}

/// Answers what could not be read: on our page, or to the proven address.
pub(crate) async fn refuse(visit: &Visit, params: &Params, refused: Refused) -> HttpResponse {
    match refused {
        Refused::Show { error, client } => {
            let sent = Sent { client_id: params.get("client_id"), redirect_uri: params.get("redirect_uri") };
            respond::refusal(visit, &error, client.as_deref(), sent).await
        }
        Refused::Send { error, client, answer } => {
            visit.app.record(&error, Some(&client.client_id), visit.call()).await;
            send(visit, &answer, &client)
        }
    }
}

/// Tells the app why there is no code.
pub(crate) async fn send_error(visit: &Visit, request: &AuthorizationRequest, error: &Error) -> HttpResponse {
    visit.app.record(error, Some(&request.client.client_id), visit.call()).await;
    let answer = authorization::refuse(request, &visit.app.provider.issuer, error);
    send(visit, &answer, &request.client)
}

/// Somebody signed in beside the person in use, whom a request names.
struct Beside {
    account: Account,
    origin: Option<UpstreamSession>,
    request: AuthorizationRequest,
    consent: Option<Consent>,
    reachable: Option<Level>,
}

impl Beside {
    async fn of(visit: &Visit, request: &AuthorizationRequest) -> Result<Option<Self>, Error> {
        if !request.names_somebody() {
            return Ok(None);
        }
        let subjects = &visit.app.directory().secrets.subjects;
        let others = accounts::others(visit).await?;
        let is_named = |other: &Account| other.is_live && request.names(subjects, &other.user);
        let named = others.into_iter().find(is_named);
        let Some(account) = named else { return Ok(None) };
        let request = of_person(visit, &account.user, request.clone());
        let consent = consent_of(visit, &account.user, &request).await?;
        let reachable = reachable_of(visit, (&account.session, &account.user), &request).await?;
        let origin = origin_of(visit, &account.session, &request).await?;
        Ok(Some(Self { account, origin, request, consent, reachable }))
    }

    fn as_other(&self) -> Other<'_> {
        let Account { session, user, .. } = &self.account;
        let (origin, consent) = (self.origin.as_ref(), self.consent.as_ref());
        Other { request: &self.request, session, origin, user, consent, reachable: self.reachable }
    }
}

async fn consent_of(visit: &Visit, user: &User, request: &AuthorizationRequest) -> Result<Option<Consent>, Error> {
    if request.asks_nobody() {
        return Ok(None);
    }
    Ok(visit.app.provider.store.consent_find(user.id, &request.client.client_id).await?)
}

/// Where a session began, if at an upstream; asked only where something hangs on it.
async fn origin_of(
    visit: &Visit,
    session: &Session,
    request: &AuthorizationRequest,
) -> Result<Option<UpstreamSession>, Error> {
    if !request.asks_when() {
        return Ok(None);
    }
    Ok(visit.app.provider.store.upstream_of_session(session.id).await?)
}

/// The level that a person can raise their session to; asked only where something hangs on it.
async fn reachable_of(
    visit: &Visit,
    (session, user): (&Session, &User),
    request: &AuthorizationRequest,
) -> Result<Option<Level>, Error> {
    if !level::asks_for_more((&request.claims, request.client.metadata.least_level), session) {
        return Ok(None);
    }
    let has_factor = visit.app.provider.store.has_second_factor(user.id).await?;
    Ok(has_factor.then_some(session.level().max(Level::TwoFactors)))
}

/// What comes next for a request of the person in use, with what is known of its browser.
pub(crate) async fn next(visit: &Visit, request: &AuthorizationRequest) -> Result<Step, Error> {
    let beside = Beside::of(visit, request).await?;
    next_with(visit, request, beside.as_ref()).await
}

async fn next_with(visit: &Visit, request: &AuthorizationRequest, beside: Option<&Beside>) -> Result<Step, Error> {
    let provider = &visit.app.provider;
    let session = visit.session();
    let (consent, reachable, origin) = match session {
        Some(person) => (
            consent_of(visit, person.1, request).await?,
            reachable_of(visit, person, request).await?,
            origin_of(visit, person.0, request).await?,
        ),
        None => (None, None, None),
    };
    let directory = provider.store.directory();
    let situation = Situation {
        session,
        origin: origin.as_ref(),
        consent: consent.as_ref(),
        other: beside.map(Beside::as_other),
        reachable,
        subjects: &directory.secrets.subjects,
        lifetimes: &provider.policy.lifetimes,
        now: visit.now,
    };
    authorization::next_step(request, situation)
}

async fn step(
    visit: &Visit,
    params: &Params,
    request: &AuthorizationRequest,
    beside: Option<&Beside>,
) -> Result<HttpResponse, Error> {
    let step = next_with(visit, request, beside).await?;
    let other = beside.map(Beside::as_other);
    let page = match (step, visit.session(), other) {
        (Step::Consent { .. }, ..) => CONSENT,
        (Step::Prove { .. }, ..) => SIGN_IN_CODE,
        (Step::OfferMore(_) | Step::ProveMore(_), ..) => SIGN_IN_MORE,
        (Step::SelectAccount, ..) => SELECT_ACCOUNT,
        (Step::SignUp, ..) => SIGN_UP,
        (Step::Login, ..) | (Step::Respond(_), None, _) | (Step::Beside(_), _, None) => SIGN_IN,
        (Step::Respond(approved), Some(person), _) => match answer(visit, request, &approved, person).await {
            // What was read is not so any more: the browser comes again, and it is read and decided again.
            Err(Error::Store(StoreError::Conflict)) => routes::AUTHORIZE,
            answered => return answered,
        },
        (Step::Beside(approved), _, Some(other)) => {
            // What is answered for somebody beside counts for them, too.
            if let Some(refusal) = limits::refuse_sent(visit, other.user, &request.client).await {
                return Ok(refusal);
            }
            match answer(visit, other.request, &approved, (other.session, other.user)).await {
                Err(Error::Store(StoreError::Conflict)) => routes::AUTHORIZE,
                answered => return answered,
            }
        }
    };
    let Started { at: started_at, selected, declined, .. } = request.started;
    let interaction = Interaction { started_at, selected, declined, query: params.to_query() };
    Ok(respond::redirect_marked(visit, &on_page(visit, page, &interaction)?))
}

/// Gives the app what is approved.
async fn answer(
    visit: &Visit,
    request: &AuthorizationRequest,
    approved: &Approved,
    person: (&Session, &User),
) -> Result<HttpResponse, Error> {
    let keys = keys_of(visit, request).await;
    let call = visit.call().with_keys(keys.as_deref());
    let answer = authorization::answer(&visit.app.provider, request, approved, person, call).await?;
    Ok(send_answer(visit, &answer, request))
}

/// The keys that an ID token of this answer is encrypted to, where it is and has one.
async fn keys_of(visit: &Visit, request: &AuthorizationRequest) -> Option<Arc<PublishedKeys>> {
    let encryption = request.client.id_token_encryption().filter(|_| request.response_type.has_id_token())?;
    client_keys::to_encrypt(&visit.app, &request.client.client_id, encryption).await
}

fn send_answer(visit: &Visit, answer: &Answer, request: &AuthorizationRequest) -> HttpResponse {
    if request.response_type.has_token() {
        visit.app.counts.add(&request.client.client_id, GrantType::Implicit);
    }
    send(visit, answer, &request.client)
}

/// Sends an answer the way the app asked for.
fn send(visit: &Visit, answer: &Answer, client: &grantor_core::client::Client) -> HttpResponse {
    let answer = &session_state::told(visit, answer, client);
    let mut response = match answer.mode {
        ResponseMode::Query | ResponseMode::Fragment => respond::redirect(&answer.location()),
        ResponseMode::FormPost => {
            let fields = answer.params.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
            let frame = Frame { return_to: None, ..visit.frame(None, None) };
            let page = FormPost {
                action: answer.redirect_uri.as_str().to_owned(),
                app: app_at(client, &answer.redirect_uri, visit.language(None)),
                fields,
                frame,
            };
            let form_action = Some(answer.redirect_uri.form_action());
            respond::page(visit, &page, &How { form_action, script: true, ..How::default() })
        }
    };
    // Who comes without a session may be in a frame of another site, which has none: what the browser keeps stays.
    if let Some((session, _)) = visit.session() {
        session_state::keep(visit, session.id, &mut response);
    }
    response
}
