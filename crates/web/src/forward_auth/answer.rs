//! What a proxy is told: who enters, or why nobody does.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, HeaderName, HeaderValue, LOCATION, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::error::Error;
use grantor_core::forward_auth::{Admitted, Entry, Place, Problem, identity_token};
use grantor_core::user::User;

use super::{Host, Question};
use crate::app::App;
use crate::cookie::AppName;
use crate::{error, routes};

/// The headers that say who enters. Each is in each answer that lets somebody in, empty where there is nothing to say, so that
/// the proxy has always something to put in the place of what a client sent under that name.
const NAMES: [HeaderName; 7] = [
    HeaderName::from_static("remote-user"),
    HeaderName::from_static("remote-subject"),
    HeaderName::from_static("remote-name"),
    HeaderName::from_static("remote-email"),
    HeaderName::from_static("remote-groups"),
    HeaderName::from_static("remote-scopes"),
    HeaderName::from_static("remote-jwt"),
];

/// The request goes on: as somebody, or as nobody where it needs no sign-in.
pub(super) fn admitted(question: &Question<'_>, place: &Place, admitted: Option<&Admitted>) -> HttpResponse {
    let mut values: [String; 7] = Default::default();
    if let Some(admitted) = admitted {
        let user = admitted.user.as_ref();
        let signed = || identity_token(&question.app.provider, place, admitted, question.now);
        let jwt = if place.app.identity_token { signed() } else { Ok(String::new()) };
        let Ok(jwt) = jwt else { return error::json(&Error::SigningKeyMissing) };
        values = [
            user.map(|user| user.username.clone()).unwrap_or_default(),
            admitted.subject.clone(),
            user.map(|user| user.display_name().to_owned()).unwrap_or_default(),
            user.and_then(User::proved_email).unwrap_or_default().to_owned(),
            user.map(listed).unwrap_or_default(),
            admitted.scope.as_str().to_owned(),
            jwt,
        ];
    }
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, "no-store"));
    for (name, value) in NAMES.into_iter().zip(values) {
        // What a header cannot hold is left out.
        let value = HeaderValue::from_str(&value).or_else(|_| HeaderValue::from_bytes(value.as_bytes()));
        response.insert_header((name, value.unwrap_or_else(|_| HeaderValue::from_static(""))));
    }
    response.finish()
}

/// The groups, with commas between them. One with a comma in its name would read as two others: it is left out, and stands in
/// the JWT alone.
fn listed(user: &User) -> String {
    let clear = |group: &&String| !group.contains(|c: char| c == ',' || c.is_control());
    user.groups.iter().filter(clear).map(String::as_str).collect::<Vec<_>>().join(",")
}

/// Nobody is let in. A person who looks at the answer is sent to a page of ours, where the proxy hands our answer on.
pub(super) async fn refused(question: &Question<'_>, place: Option<&Place>, error: &Error) -> HttpResponse {
    question.note_refusal(error).await;
    let problem = match error {
        Error::LoginRequired | Error::EntryLevelMissing | Error::EntryRefused | Error::EntryMethodMissing => Some(None),
        Error::EntryNetwork => Some(Some(Problem::Network)),
        _ => None,
    };
    let asked = &question.asked;
    match (problem, place, question.host()) {
        (Some(problem), Some(_), Ok(host)) if asked.is_handed_on && asked.is_navigation(question.request) => {
            around(question, &host, asked.target, |entry| entry.after(problem))
        }
        _ => plain(error, place),
    }
}

/// Sends the browser to the issuer, with its wish to come back.
pub(super) fn around(
    question: &Question<'_>,
    host: &Host,
    target: &str,
    with: impl FnOnce(Entry) -> Entry,
) -> HttpResponse {
    let app = question.app;
    let known = AppName::Visit.read(question.request, &host.origin).filter(|mark| mark.len() == MARK_CHARS);
    let mark = known.clone().unwrap_or_else(|| URL_SAFE_NO_PAD.encode(app.provider.mint.bytes::<16>()));
    let entry = with(Entry::start(host.parts(), target, &mark, question.now));
    let query = format!("{}?request={}", routes::ENTER, entry.seal(&app.directory().secrets.browser));
    let mut response = found(&app.provider.issuer.at(&query));
    if known.is_none() {
        // A cookie of ours is always a header that can be written.
        let _ = response.add_cookie(&AppName::Visit.set(mark, &host.origin));
    }
    response
}

/// The characters of a mark.
const MARK_CHARS: usize = 22;

/// Sends the browser on.
pub(super) fn found(location: &str) -> HttpResponse {
    HttpResponse::Found().insert_header((LOCATION, location)).insert_header((CACHE_CONTROL, "no-store")).finish()
}

/// A refusal for programs, and for proxies that hand no other answer on: 401 where credentials would help, else 403.
pub(super) fn plain(error: &Error, place: Option<&Place>) -> HttpResponse {
    // Who is known too little is answered as one who has yet to sign in.
    let error = if matches!(error, Error::EntryLevelMissing) { &Error::LoginRequired } else { error };
    let credentials =
        matches!(error, Error::LoginRequired | Error::BearerMalformed | Error::BearerMissing | Error::TokenUnknown);
    let mut response = error::json(error);
    if matches!(error, Error::RateExceeded(_) | Error::Store(_) | Error::SigningKeyMissing) {
        return response;
    }
    *response.status_mut() = if credentials { StatusCode::UNAUTHORIZED } else { StatusCode::FORBIDDEN };
    if let Some(challenge) = challenge(error, place) {
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

/// "If the protected resource request does not include authentication credentials or does not contain an access token that
/// enables access to the protected resource, the resource server MUST include the HTTP "WWW-Authenticate" response header field"
/// (RFC 6750 §3).
fn challenge(error: &Error, place: Option<&Place>) -> Option<HeaderValue> {
    let app = &place?.app;
    app.resource.as_ref()?;
    let scope = if app.scopes.is_empty() { String::new() } else { format!(", scope=\"{}\"", app.scopes.as_str()) };
    let text = match error {
        Error::LoginRequired => format!("Bearer realm=\"Grantor\"{scope}"),
        Error::BearerMalformed => "Bearer realm=\"Grantor\", error=\"invalid_request\"".to_owned(),
        Error::TokenUnknown => format!("Bearer realm=\"Grantor\", error=\"invalid_token\"{scope}"),
        Error::ScopeInsufficient => format!("Bearer realm=\"Grantor\", error=\"insufficient_scope\"{scope}"),
        _ => return None,
    };
    HeaderValue::try_from(text).ok()
}

/// The refusal of a question that cannot be read, or of one who may not ask: an event now and then.
pub(super) async fn unclear(app: &App, request: &HttpRequest, error: &Error) -> HttpResponse {
    let now = app.clock.now();
    if app.limiter.to_say(error.reason(), now).is_some() {
        let address = app.address(request).to_string();
        app.record(error, None, app.call(&address)).await;
    }
    plain(error, None)
}
