//! The page at `/`: what to choose before sign-in, what to do after it, and the steps so far.

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::{
    Demo,
    browser::{Browser, cookie},
    exchange::Channel,
    session::{Session, SignedIn},
    sign_in::{PROMPTS, SCOPES},
    step::{Log, Outcome, Step, StepKind, Subject, TokenKind},
};
use crate::{
    html::filters,
    locale,
    pages::{Frame, Issuer},
};

/// The steps that every sign-in makes.
const SIGN_IN: [StepKind; 4] =
    [StepKind::Discovery, StepKind::Authorization, StepKind::CodeExchange, StepKind::IdTokenCheck];

/// The page.
#[derive(Template)]
#[template(path = "demo/demo.html")]
struct DemoPage<'a> {
    frame: Frame,
    /// The address of the server.
    issuer: &'a str,
    /// Whether a form came from a page that is no longer known.
    stale: bool,
    /// Whether the server did not answer at the last try.
    unreachable: bool,
    scopes: [&'static str; 6],
    prompts: [&'static str; 4],
    signed_in: Option<Person>,
    steps: Vec<&'a Step>,
    /// The steps of a sign-in that are still to come, with their numbers.
    planned: Vec<(u32, StepKind)>,
}

/// Who is signed in, and what can be done.
struct Person {
    /// The subject; empty where the app was not told.
    subject: String,
    /// The name that the ID token has; empty where it has none.
    name: String,
    can_refresh: bool,
}

/// `GET /`
pub(super) async fn get_home(demo: web::Data<Demo>, request: HttpRequest, browser: Browser) -> HttpResponse {
    let session = browser.session.lock().await;
    let frame = Frame {
        csrf: session.csrf.clone(),
        return_to: Some("/".to_owned()),
        language: browser.language,
        issuer: Issuer { name: locale::text(browser.language, "demo-name"), ..Issuer::default() },
        ..Frame::default()
    };
    let page = DemoPage::new(frame, &demo, &session, request.query_string() == "stale");
    match page.render() {
        Ok(html) => HttpResponse::Ok()
            .content_type("text/html; charset=utf-8")
            .cookie(cookie(browser.id.clone(), demo.secure()))
            .body(html),
        Err(error) => {
            tracing::error!(%error, "the demo page cannot be rendered");
            HttpResponse::InternalServerError().finish()
        }
    }
}

impl<'a> DemoPage<'a> {
    fn new(frame: Frame, demo: &'a Demo, session: &'a Session, stale: bool) -> Self {
        Self {
            frame,
            issuer: demo.issuer.as_str(),
            stale,
            unreachable: unreachable(&session.log),
            scopes: SCOPES,
            prompts: PROMPTS,
            signed_in: session.signed_in.as_ref().map(Person::of),
            steps: session.log.steps().collect(),
            planned: (session.log.last() + 1..).zip(planned(&session.log)).collect(),
        }
    }

    /// What a parameter, header, member or claim is for; empty where we know nothing of it.
    fn about(&self, name: &str) -> String {
        let key = format!("demo-about-{}", name.to_ascii_lowercase());
        // A message that nobody wrote comes back as its key.
        Some(locale::text(self.frame.language, &key)).filter(|text| !text.contains(&key)).unwrap_or_default()
    }

    /// The newest step is shown open.
    fn is_last(&self, step: &Step) -> bool {
        self.steps.last().is_some_and(|last| last.number == step.number)
    }

    fn scope_about(&self, scope: &str) -> String {
        self.frame.t(&format!("demo-scope-{}", scope.replace('.', "-")))
    }

    fn prompt_about(&self, prompt: &str) -> String {
        self.frame.t(&format!("demo-prompt-{prompt}"))
    }
}

impl Person {
    fn of(signed_in: &SignedIn) -> Self {
        let claims = signed_in.id_token.as_ref().and_then(|token| super::decode::jwt(&token.to_string()));
        let claim = |name: &str| {
            let claims = claims.iter().flat_map(|decoded| &decoded.claims);
            claims.into_iter().find(|claim| claim.name == name).map(|claim| claim.value.clone())
        };
        Self {
            subject: signed_in.subject.as_ref().map_or_else(String::new, |subject| subject.as_str().to_owned()),
            name: claim("name").or_else(|| claim("preferred_username")).unwrap_or_default(),
            can_refresh: signed_in.refresh_token.is_some(),
        }
    }
}

/// Whether the last thing that was tried is a discovery without an answer.
fn unreachable(log: &Log) -> bool {
    let last = log.steps().next_back();
    last.is_some_and(|step| {
        step.kind == StepKind::Discovery && step.exchanges.iter().all(|exchange| exchange.answer.is_none())
    })
}

/// What is still to come: all of it before the first step, nothing once a step has not gone well.
fn planned(log: &Log) -> Vec<StepKind> {
    if log.steps().any(|step| matches!(step.outcome, Outcome::Refused { .. } | Outcome::Failed(_))) {
        return Vec::new();
    }
    let reached = log.steps().filter_map(|step| SIGN_IN.iter().position(|kind| *kind == step.kind)).max();
    let beyond = log.steps().any(|step| !SIGN_IN.contains(&step.kind));
    match (reached, beyond) {
        (_, true) => Vec::new(),
        (None, false) => SIGN_IN.to_vec(),
        (Some(at), false) => SIGN_IN[at + 1..].to_vec(),
    }
}

/// The keys of the messages for what is shown.
impl StepKind {
    fn key(self) -> &'static str {
        match self {
            Self::Discovery => "demo-step-discovery",
            Self::Authorization => "demo-step-authorization",
            Self::CodeExchange => "demo-step-code-exchange",
            Self::IdTokenCheck => "demo-step-id-token-check",
            Self::UserInfo => "demo-step-userinfo",
            Self::ApiCall => "demo-step-api-call",
            Self::Introspection => "demo-step-introspection",
            Self::Refresh => "demo-step-refresh",
            Self::Revocation => "demo-step-revocation",
            Self::SignOut => "demo-step-sign-out",
        }
    }

    fn about_key(self) -> String {
        format!("{}-about", self.key())
    }
}

impl Subject {
    fn key(self) -> &'static str {
        match self {
            Self::AtHash => "demo-check-at-hash",
            Self::Audience => "demo-check-audience",
            Self::AuthTime => "demo-check-auth-time",
            Self::Expiry => "demo-check-expiry",
            Self::Acceptable => "demo-check-id-token",
            Self::Issuer => "demo-check-issuer",
            Self::Nonce => "demo-check-nonce",
            Self::ResponseIssuer => "demo-check-response-issuer",
            Self::SamePerson => "demo-check-same-subject",
            Self::Signature => "demo-check-signature",
            Self::State => "demo-check-state",
        }
    }
}

impl TokenKind {
    fn key(self) -> &'static str {
        match self {
            Self::Access => "demo-token-access",
            Self::Id => "demo-token-id",
            Self::Refresh => "demo-token-refresh",
        }
    }

    fn about_key(self) -> String {
        format!("{}-about", self.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_come_gets_shorter_as_the_flow_goes_on() {
        let mut log = Log::default();
        assert_eq!(planned(&log), SIGN_IN);
        log.push(Step::new(StepKind::Discovery, Vec::new()));
        assert_eq!(planned(&log), SIGN_IN[1..]);
        log.push(Step::new(StepKind::UserInfo, Vec::new()));
        assert_eq!(planned(&log), []);
    }

    #[test]
    fn nothing_is_to_come_after_a_refusal() {
        let mut log = Log::default();
        let refused = Outcome::Refused { error: "access_denied".to_owned(), description: String::new() };
        log.push(Step { outcome: refused, ..Step::new(StepKind::Authorization, Vec::new()) });
        assert_eq!(planned(&log), []);
    }
}
