//! The way out: discovery, then the browser is sent to the server with the authorization request.

use std::{sync::Arc, time::Duration};

use actix_web::{HttpResponse, web};
use openidconnect::{
    CsrfToken, LanguageTag, Nonce, PkceCodeChallenge, Scope,
    core::{CoreAuthPrompt, CoreAuthenticationFlow},
};
use url::Url;

use super::{
    Demo,
    browser::Post,
    error::StepError,
    exchange::Exchange,
    provider::Provider,
    session::Pending,
    step::{Outcome, Step, StepKind},
};

/// The scopes that can be ticked, in the order of the page.
pub(super) const SCOPES: [&str; 6] =
    ["openid", "profile", "email", "groups", "offline_access", super::notes_api::SCOPE];
/// The values of `prompt` that can be chosen, in the order of the page.
pub(super) const PROMPTS: [&str; 4] = ["none", "login", "consent", "select_account"];
/// The longest `max_age` that is sent, in seconds: a year.
const MAX_AGE_LIMIT: u64 = 31_536_000;

/// What was chosen on the page.
struct Choice {
    scopes: Vec<&'static str>,
    prompt: Option<CoreAuthPrompt>,
    max_age: Option<u64>,
    language: &'static str,
}

/// `POST /start`
pub(super) async fn post_start(demo: web::Data<Demo>, mut post: Post) -> HttpResponse {
    let choice = Choice::of(&post);
    post.session.log.clear();
    post.session.pending = None;
    post.session.signing_out = None;
    let recorder = demo.recorder();
    let provider = Provider::discover(&demo, &recorder).await.map_err(StepError::from);
    let discovery = post.session.log.push(Step::ended(StepKind::Discovery, recorder.finish(), &provider));
    let Ok(provider) = provider else { return super::to_step(discovery) };

    let (url, mut pending) = authorization_request(provider, &choice);
    let mut step = Step::new(StepKind::Authorization, vec![Exchange::redirect(&url)]);
    step.outcome = Outcome::Waiting;
    pending.step = post.session.log.push(step);
    post.session.pending = Some(pending);
    super::redirect(url.as_str())
}

impl Choice {
    /// Of the form's fields only what the page offers; anything else is left out.
    fn of(post: &Post) -> Self {
        let ticked: Vec<&str> = post.fields("scope").collect();
        Self {
            scopes: SCOPES.into_iter().filter(|scope| ticked.contains(scope)).collect(),
            prompt: match post.field("prompt") {
                "none" => Some(CoreAuthPrompt::None),
                "login" => Some(CoreAuthPrompt::Login),
                "consent" => Some(CoreAuthPrompt::Consent),
                "select_account" => Some(CoreAuthPrompt::SelectAccount),
                _ => None,
            },
            max_age: post.field("max_age").trim().parse().ok().filter(|age| *age <= MAX_AGE_LIMIT),
            language: post.language.tag(),
        }
    }
}

/// Where the browser is sent, and what to remember until it comes back.
fn authorization_request(provider: Provider, choice: &Choice) -> (Url, Pending) {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    // The crate adds `openid` by itself unless told not to; here the tick decides.
    let client = provider.client.clone().disable_openid_scope();
    let mut request = client
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
        .set_pkce_challenge(challenge)
        .add_ui_locale(LanguageTag::new(choice.language.to_owned()))
        .add_scopes(choice.scopes.iter().map(|scope| Scope::new((*scope).to_owned())));
    if let Some(prompt) = choice.prompt.clone() {
        request = request.add_prompt(prompt);
    }
    if let Some(max_age) = choice.max_age {
        request = request.set_max_age(Duration::from_secs(max_age));
    }
    let (url, state, nonce) = request.url();
    (url, Pending { provider: Arc::new(provider), state, nonce, verifier, max_age: choice.max_age, step: 0 })
}
