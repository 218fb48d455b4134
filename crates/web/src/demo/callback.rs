//! The way back: the browser brings an answer, the app checks it, and its own server exchanges the code for tokens.

use actix_web::{HttpResponse, web};
use openidconnect::{AuthorizationCode, OAuth2TokenResponse, TokenResponse, core::CoreTokenResponse};

use super::{
    Demo,
    browser::{Browser, cookie},
    error::StepError,
    exchange::{Answer, Recorder},
    id_token::{self, Expected},
    session::{Pending, Session, SignedIn},
    step::{Outcome, Step, StepKind, Subject, Token, TokenKind},
};

type Parameters = Vec<(String, String)>;

/// `GET /callback`
pub(super) async fn get_callback(
    demo: web::Data<Demo>,
    browser: Browser,
    answer: web::Query<Parameters>,
) -> HttpResponse {
    let mut session = browser.session.lock().await;
    let Some(pending) = session.pending.take_if(|pending| one(&answer, "state") == Some(pending.state.secret())) else {
        return super::to_step(unexpected(&mut session, &answer));
    };
    let step = pending.step;
    let Some(code) = read(&mut session, &demo, &pending, &answer) else { return super::to_step(step) };
    let Some(signed_in) = exchange(&mut session, &demo, pending, code).await else {
        return super::to_latest(&session.log);
    };
    session.signed_in = Some(signed_in);
    let mut back = super::to_latest(&session.log);
    if let Some(id) = demo.sessions.rename(&browser.id) {
        super::set_cookie(&mut back, &cookie(id, demo.secure()));
    }
    back
}

/// An answer that no sign-in of this browser waits for: an old tab, or somebody else's code. Nothing is done with it.
fn unexpected(session: &mut Session, answer: &Parameters) -> u32 {
    let mut step = Step::new(StepKind::Authorization, Vec::new());
    // "The client MUST implement CSRF protection for its redirection URI." (RFC 6749 §10.12)
    step.check(Subject::State, false, one(answer, "state").unwrap_or("—"));
    session.log.push(step)
}

/// Checks the answer and gives out the code in it.
fn read(session: &mut Session, demo: &Demo, pending: &Pending, answer: &Parameters) -> Option<AuthorizationCode> {
    let step = session.log.step_mut(pending.step)?;
    if let Some(exchange) = step.exchanges.first_mut() {
        exchange.answer = Some(Answer::returned(demo.address("callback").as_str(), answer));
    }
    step.outcome = Outcome::Done;
    step.check(Subject::State, true, pending.state.secret());
    check_issuer(step, demo, pending, one(answer, "iss"));
    if step.outcome != Outcome::Done {
        return None;
    }
    if let Some(error) = one(answer, "error") {
        let description = one(answer, "error_description").unwrap_or_default().to_owned();
        step.outcome = Outcome::Refused { error: error.to_owned(), description };
        return None;
    }
    let code = one(answer, "code").map(|code| AuthorizationCode::new(code.to_owned()));
    if code.is_none() {
        step.outcome = Outcome::Failed("the answer has neither one `code` nor an `error`".to_owned());
    }
    code
}

fn check_issuer(step: &mut Step, demo: &Demo, pending: &Pending, iss: Option<&str>) {
    // "If the value does not match the expected issuer identifier, clients MUST reject the authorization response" (RFC 9207 §2.4)
    let required = pending.provider.endpoints.authorization_response_iss_parameter_supported;
    if iss.is_some() || required {
        step.check(Subject::ResponseIssuer, iss == Some(demo.issuer.as_str()), iss.unwrap_or("—"));
    }
}

/// Exchanges the code for tokens and verifies the ID token among them.
async fn exchange(session: &mut Session, demo: &Demo, pending: Pending, code: AuthorizationCode) -> Option<SignedIn> {
    let recorder = demo.recorder();
    let Pending { provider, nonce, verifier, max_age, .. } = pending;
    let result = redeem(&provider, code, verifier, &recorder).await;
    let mut step = Step::ended(StepKind::CodeExchange, recorder.finish(), &result);
    step.tokens = result.as_ref().map(tokens).unwrap_or_default();
    session.log.push(step);

    let answer = result.ok()?;
    let id_token = answer.id_token().cloned();
    let mut subject = None;
    if let Some(id_token) = &id_token {
        let expected =
            Expected { provider: &provider, nonce: &nonce, nonce_may_be_absent: false, max_age, subject: None };
        let mut step = Step::new(StepKind::IdTokenCheck, Vec::new());
        subject = id_token::verify(&mut step, &expected, id_token, answer.access_token());
        session.log.push(step);
        // "Clients MUST validate the ID Token in the Token Response" (OIDC Core §3.1.3.7)
        subject.as_ref()?;
    }
    Some(SignedIn {
        access_token: answer.access_token().clone(),
        refresh_token: answer.refresh_token().cloned(),
        provider,
        nonce,
        id_token,
        subject,
    })
}

async fn redeem(
    provider: &super::provider::Provider,
    code: AuthorizationCode,
    verifier: openidconnect::PkceCodeVerifier,
    recorder: &Recorder<'_>,
) -> Result<CoreTokenResponse, StepError> {
    Ok(provider.client.exchange_code(code)?.set_pkce_verifier(verifier).request_async(recorder).await?)
}

/// The tokens of an answer, to be shown.
pub(super) fn tokens(answer: &CoreTokenResponse) -> Vec<Token> {
    let id_token = answer.id_token().map(|token| Token::new(TokenKind::Id, &token.to_string()));
    let refresh_token = answer.refresh_token().map(|token| Token::new(TokenKind::Refresh, token.secret()));
    let access_token = Token::new(TokenKind::Access, answer.access_token().secret());
    id_token.into_iter().chain([access_token]).chain(refresh_token).collect()
}

/// The value of a parameter that stands exactly once.
///
/// "Request and response parameters MUST NOT be included more than once." (RFC 6749 §3.1)
pub(super) fn one<'a>(parameters: &'a Parameters, name: &str) -> Option<&'a str> {
    let mut values = parameters.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
    values.next().filter(|_| values.next().is_none())
}
