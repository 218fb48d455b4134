//! Giving access back: revoking a token, and signing out of the app and of the server.

use actix_web::{HttpResponse, web};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use openidconnect::{
    ClientId, CsrfToken, LogoutRequest, PostLogoutRedirectUrl,
    http::{Request, header},
};
use url::form_urlencoded::{Serializer, byte_serialize};

use super::{
    Demo,
    browser::{Browser, Post},
    callback::one,
    error::StepError,
    exchange::{Answer, Exchange, Recorder},
    session::{SignedIn, SigningOut},
    step::{Outcome, Step, StepKind, Subject},
};

/// `POST /revoke`, with the field `token`: `access` or `refresh`.
pub(super) async fn post_revoke(demo: web::Data<Demo>, mut post: Post) -> HttpResponse {
    let Some(signed_in) = &post.session.signed_in else { return super::home() };
    let (hint, token) = match (post.field("token"), &signed_in.refresh_token) {
        ("refresh", Some(token)) => ("refresh_token", token.secret()),
        _ => ("access_token", signed_in.access_token.secret()),
    };
    let recorder = demo.recorder();
    let result = revoke(&demo, signed_in, hint, token, &recorder).await;
    super::to_step(post.session.log.push(Step::ended(StepKind::Revocation, recorder.finish(), &result)))
}

/// `POST /sign-out`
pub(super) async fn post_sign_out(demo: web::Data<Demo>, mut post: Post) -> HttpResponse {
    let Some(signed_in) = post.session.signed_in.take() else { return super::home() };
    let Some(endpoint) = signed_in.provider.endpoints.end_session_endpoint.clone() else {
        let missing: Result<(), _> = Err(StepError::NoEndpoint("end_session_endpoint"));
        return super::to_step(post.session.log.push(Step::ended(StepKind::SignOut, Vec::new(), &missing)));
    };
    let state = CsrfToken::new_random();
    let mut request = LogoutRequest::from(endpoint)
        .set_client_id(ClientId::new(demo.settings.client_id.clone()))
        .set_post_logout_redirect_uri(PostLogoutRedirectUrl::from_url(demo.address("signed-out")))
        .set_state(state.clone());
    // "An id_token_hint is also RECOMMENDED when this parameter is included." (OIDC RP-Initiated Logout §2)
    if let Some(id_token) = &signed_in.id_token {
        request = request.set_id_token_hint(id_token);
    }
    let url = request.http_get_url();
    let mut step = Step::new(StepKind::SignOut, vec![Exchange::redirect(&url)]);
    step.outcome = Outcome::Waiting;
    let step = post.session.log.push(step);
    post.session.signing_out = Some(SigningOut { state, step });
    super::redirect(url.as_str())
}

/// `GET /signed-out`: the browser comes back from the server.
pub(super) async fn get_signed_out(
    demo: web::Data<Demo>,
    browser: Browser,
    answer: web::Query<Vec<(String, String)>>,
) -> HttpResponse {
    let mut session = browser.session.lock().await;
    let Some(leaving) = session.signing_out.take_if(|leaving| one(&answer, "state") == Some(leaving.state.secret()))
    else {
        return super::home();
    };
    let Some(step) = session.log.step_mut(leaving.step) else { return super::home() };
    if let Some(exchange) = step.exchanges.first_mut() {
        exchange.answer = Some(Answer::returned(demo.address("signed-out").as_str(), &answer));
    }
    step.outcome = Outcome::Done;
    step.check(Subject::State, true, leaving.state.secret());
    super::to_step(leaving.step)
}

/// Revokes a token by a request of our own: the crate asks for https before it sends one (RFC 7009 §2), and a server on
/// this machine speaks plain HTTP.
async fn revoke(
    demo: &Demo,
    signed_in: &SignedIn,
    hint: &str,
    token: &str,
    recorder: &Recorder<'_>,
) -> Result<(), StepError> {
    let endpoint = signed_in
        .provider
        .endpoints
        .revocation_endpoint
        .as_ref()
        .ok_or(StepError::NoEndpoint("revocation_endpoint"))?;
    let mut form = Serializer::new(String::new());
    form.append_pair("token", token).append_pair("token_type_hint", hint);
    let mut request =
        Request::post(endpoint.as_str()).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    match &demo.settings.client_secret {
        Some(secret) => request = request.header(header::AUTHORIZATION, basic(&demo.settings.client_id, secret)),
        None => drop(form.append_pair("client_id", &demo.settings.client_id)),
    }
    let answer = recorder.send(request.body(form.finish().into_bytes())?).await?;
    // "The authorization server responds with HTTP status code 200 if the token has been revoked successfully or if the
    // client submitted an invalid token." (RFC 7009 §2.2)
    if answer.status().is_success() { Ok(()) } else { Err(StepError::Status(answer.status())) }
}

/// "The client identifier is encoded using the "application/x-www-form-urlencoded" encoding algorithm … and the encoded value
/// is used as the username" (RFC 6749 §2.3.1)
fn basic(client_id: &str, secret: &str) -> String {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(client_id), encoded(secret))))
}
