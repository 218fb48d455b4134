//! Session Management: apps are told the state of the browser with each answer, and a frame of ours tells theirs whether it still is
//! the same (OpenID Connect Session Management 1.0). Off unless the settings say otherwise.

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::cookie::Cookie;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use grantor_core::authorization::Answer;
use grantor_core::client::Client;
use grantor_core::redirect_uri;
use grantor_core::session_state::{browser_state, session_state};
use grantor_jose::id::Id;

use crate::app::App;
use crate::cookie::{self, Name};
use crate::statics::static_url;
use crate::visit::Visit;
use crate::{accounts, respond};

/// The frame's page: any app may frame it, and it does nothing but answer. There is no other page of ours that may be framed.
const POLICY: &str = "default-src 'none'; script-src 'self'; frame-ancestors *; base-uri 'none'; form-action 'none'";

fn is_on(app: &App) -> bool {
    app.provider.policy.session_management
}

/// The answer, with the state of the browser in it.
pub(crate) fn told<'a>(visit: &Visit, answer: &'a Answer, client: &Client) -> Cow<'a, Answer> {
    // An app that has no web origin has no frames.
    let origin = redirect_uri::origin(answer.redirect_uri.as_str());
    let Some(origin) = origin.filter(|_| is_on(&visit.app)) else { return Cow::Borrowed(answer) };
    let state = match visit.session() {
        Some((session, _)) => state_of(&visit.app, Some(session.id), &accounts::named(visit)),
        // A frame of another site comes without the session, and with what the browser keeps.
        None => kept(visit).unwrap_or_default(),
    };
    // "The computation of the session state returned in response to unsuccessful Authentication Requests SHOULD, in addition
    // to the User Agent state, incorporate sufficient randomness in the form of a salt so as to prevent identification of an
    // End-User across successive calls to the OP's Authorization Endpoint. In the case of an unsuccessful Authentication
    // Request that results in an Authentication Error Response as specified in Section 3.1.2.6 of OpenID Connect Core 1.0,
    // the value of the session state returned SHOULD vary with each request." (OIDC Session Management §3.2)
    let told = session_state(&client.client_id, &origin, &state, visit.app.provider.mint.bytes());
    let mut answer = answer.clone();
    // "When the OP supports session management, it MUST also return the Session State as an additional "session_state" parameter in
    // the Authentication Response and SHOULD also return the Session State as an additional "session_state" parameter in the
    // Authentication Error Response." (OIDC Session Management §2)
    // "This is REQUIRED if session management is supported." (OIDC Session Management §2)
    answer.params.push(("session_state", told));
    Cow::Owned(answer)
}

/// Lets the browser keep the state of its session, where it does not yet.
pub(crate) fn keep(visit: &Visit, session_id: Id, response: &mut HttpResponse) {
    if let Some(cookie) = changed(visit, Some(session_id), &accounts::named(visit)) {
        // A cookie of ours is always a header that can be written.
        let _ = response.add_cookie(&cookie);
    }
}

/// The cookie of the state where these sessions are what the browser holds from now on, the one in use and those beside; none where
/// it keeps that state already. Nothing is kept where there is no session.
pub(crate) fn changed(visit: &Visit, in_use: Option<Id>, others: &[Id]) -> Option<Cookie<'static>> {
    if !is_on(&visit.app) {
        return None;
    }
    let state = state_of(&visit.app, in_use, others);
    // "Thus, the OP SHOULD update the value of the User Agent state in response to such meaningful events. ... It is
    // RECOMMENDED that the OP not update the User Agent state too frequently in the absence of meaningful events so as to
    // spare excessive network traffic at the Client in response to spurious "changed" events."
    // (OIDC Session Management §3.2)
    let is_another = kept(visit).unwrap_or_default() != state;
    is_another.then(|| cookie::state(state, visit.app.provider.issuer.is_https()))
}

fn state_of(app: &App, in_use: Option<Id>, others: &[Id]) -> String {
    if in_use.is_none() && others.is_empty() {
        return String::new();
    }
    browser_state(&app.directory().secrets.browser, in_use, others)
}

fn kept(visit: &Visit) -> Option<String> {
    cookie::read(&visit.request, Name::State, visit.app.provider.issuer.is_https())
}

/// The frame that answers whether the state is still the one that an app was told.
pub(crate) async fn get_check_session(visit: Visit) -> HttpResponse {
    if !is_on(&visit.app) {
        return respond::not_found(visit).await;
    }
    // "The OP iframe MUST enforce that the caller is from an expected origin. ... The OP iframe MUST recalculate it from the
    // previously obtained Client ID, the source origin URL (from the postMessage), and the current OP User Agent state. ...
    // If the postMessage received is syntactically malformed in such a way that the posted Client ID and origin URL cannot
    // be determined or are syntactically invalid, then the OP iframe SHOULD postMessage the string "error" back to the
    // source. If the received value and the calculated value do not match, then the OP iframe MUST postMessage the string
    // "changed" back to the source. If it matched, then it MUST postMessage the string "unchanged"."
    // (OIDC Session Management §3.2)
    // "It MUST reject postMessage requests from any other source origin to prevent cross-site scripting attacks." (OIDC Session
    // Management §3.2): the origin that the browser names is part of what is hashed, so nothing that was told to one origin is ever
    // "unchanged" for another; and the answer goes to that origin alone.
    // "The OP iframe MUST enforce that the caller is from an expected origin. It MUST reject postMessage requests from any other
    // source origin to prevent cross-site scripting attacks." (OIDC Session Management §6)
    // "If any of the validation procedures defined in this specification fail, any operations requiring the information that failed
    // to correctly validate MUST be aborted and the information that failed to validate MUST NOT be used." (OIDC Session Management
    // §4)
    let (script, cookie) = (static_url("check-session.js"), Name::State.text(visit.app.provider.issuer.is_https()));
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .body(format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Session</title>\n\
             <script src=\"{script}\" data-cookie=\"{cookie}\" defer></script>\n</head>\n<body></body>\n</html>\n"
        ))
}
