//! Asks before signing out, where the request to sign out is not proven.

use actix_web::HttpResponse;
use actix_web::web::Payload;
use askama::Template;
use grantor_core::error::Error;
use grantor_core::frontchannel_logout::{Frames, frames};
use grantor_core::interaction::Interaction;
use grantor_core::params::{MAX_PARAMETER_BYTES, Params};
use grantor_core::store::{Store, StoreError};
use grantor_core::{end_session, redirect_uri, sign_in};

use super::signed_out::{Back, SignedOut};
use super::status::Kind;
use super::{App, Frame};
use crate::cookie::{self, Name};
use crate::html::filters;
use crate::respond::{self, How, app_of};
use crate::routes::END_SESSION;
use crate::visit::Visit;
use crate::{form, session_state};

/// Posts `request` and `csrf` to `/sign-out`.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/end_session.html")]
pub struct EndSession {
    /// The app that asks, where it is known.
    pub app: Option<App>,
    /// The frame.
    pub frame: Frame,
    /// The signed request to go on with; empty where there is none.
    pub request: String,
}

/// Signs out, or asks first (OIDC RP-Initiated Logout 1.0 §2).
// "OpenID Providers MUST support the use of the HTTP "GET" and "POST" methods defined in RFC 7231 [RFC7231] at the Logout
// Endpoint." (OIDC RP-Initiated Logout §2)
pub(crate) async fn get_end_session(visit: Visit) -> HttpResponse {
    let params = Params::parse(visit.request.query_string().as_bytes());
    // A request that came by POST comes again like this.
    let params = params.map(|params| match params.get("request") {
        Some(text) => opened(&visit, text, "").unwrap_or_default(),
        None => params,
    });
    asked(visit, params).await
}

/// The same with the parameters in the body.
pub(crate) async fn post_end_session(visit: Visit, payload: Payload) -> HttpResponse {
    let params = form::read(&visit.request, payload).await;
    // A form posted by an app comes without our cookies; the browser is asked to come again by itself, and brings them.
    if let Ok(params) = &params
        && visit.session().is_none()
    {
        // One that is too long for an address is answered as it is.
        let text = sealed(&visit, params, "");
        if !text.is_empty() {
            return respond::redirect(&format!("{END_SESSION}?request={text}"));
        }
    }
    asked(visit, params).await
}

/// Signs out after the person said so.
pub(crate) async fn post_sign_out(visit: Visit, payload: Payload) -> HttpResponse {
    let form = match form::read(&visit.request, payload).await {
        Ok(form) => form,
        Err(error) => return respond::failure(&visit, &error).await,
    };
    // Who is signed out already, as by a double click, is told so.
    if visit.presented().is_some() && !visit.is_own_sign_out_form(form.get("csrf")) {
        return respond::status_page(&visit, Kind::FormRefused, None);
    }
    // What was asked for an hour ago still signs out; it only is no longer followed.
    let params = form.get("request").and_then(|text| opened(&visit, text, visit.mark())).unwrap_or_default();
    let asked = end_session::read(&visit.app.provider, &params, visit.now);
    // "If the End-User says "yes", then the OP MUST log out the End-User." (OIDC RP-Initiated Logout §2)
    sign_out(&visit, &params, &asked).await
}

async fn asked(visit: Visit, params: Result<Params, Error>) -> HttpResponse {
    let params = match params {
        Ok(params) => params,
        Err(error) => return respond::failure(&visit, &error).await,
    };
    let asked = end_session::read(&visit.app.provider, &params, visit.now);
    let Some((session, user)) = visit.presented() else { return sign_out(&visit, &params, &asked).await };
    let took_part = match visit.app.provider.store.took_part(session.id).await {
        Ok(took_part) => took_part,
        Err(error) => return respond::failure(&visit, &error.into()).await,
    };
    if asked.is_proven(session, user, &took_part) {
        sign_out(&visit, &params, &asked).await
    } else {
        ask(&visit, &params, &asked)
    }
}

fn ask(visit: &Visit, params: &Params, asked: &end_session::EndSession) -> HttpResponse {
    let page = EndSession {
        app: asked.client.as_deref().map(|client| app_of(client, visit.language(None))),
        frame: visit.frame(params.get("ui_locales"), None),
        // One that is too long for a form still signs out; it only is not followed.
        request: sealed(visit, params, visit.mark()),
    };
    let form_action = asked.redirect.as_ref().and_then(|redirect| redirect_uri::origin(redirect.as_str()));
    respond::page(visit, &page, &How { form_action, ..How::default() })
}

/// The request as a page carries it; empty where it is too long for that.
fn sealed(visit: &Visit, params: &Params, mark: &str) -> String {
    let key = &visit.app.directory().secrets.browser;
    let text = Interaction::start(params, visit.now).seal_end_session(key, mark);
    if "request=".len() + text.len() > MAX_PARAMETER_BYTES { String::new() } else { text }
}

/// The request that a page carried; none where it is not one of ours, or too old.
fn opened(visit: &Visit, text: &str, mark: &str) -> Option<Params> {
    let lifetimes = &visit.app.provider.policy.lifetimes;
    let directory = visit.app.directory();
    Interaction::open_end_session(text, (&directory.secrets.browser, mark), lifetimes, visit.now).ok()?.params().ok()
}

/// Signs a person out on all their devices, this one among them.
pub(super) async fn sign_out_everywhere(visit: &Visit) -> HttpResponse {
    match end(visit, Extent::Everywhere).await {
        Ok(ended) => without_session(visit, signed_out(visit, ended, (None, None))),
        Err(error) => respond::failure(visit, &error.into()).await,
    }
}

async fn sign_out(visit: &Visit, params: &Params, asked: &end_session::EndSession) -> HttpResponse {
    let ended = match end(visit, Extent::Here).await {
        Ok(ended) => ended,
        Err(error) => return respond::failure(visit, &error.into()).await,
    };
    if let Some(error) = &asked.redirect_refused {
        let client_id = asked.client.as_ref().map(|client| client.client_id.as_str());
        visit.app.record(error, client_id, visit.call()).await;
    }
    let response = match &asked.redirect {
        Some(redirect) if ended.frames.urls.is_empty() => respond::redirect(&redirect.location()),
        // "The post-logout redirection is performed after the OP has finished notifying the RPs that logged in with the OP for that
        // End-User that they are to log out the End-User." (OIDC RP-Initiated Logout §3)
        Some(redirect) => {
            let name = asked.client.as_ref().map(|client| client.name().to_owned()).unwrap_or_default();
            let back = Back { name, url: redirect.location() };
            signed_out(visit, ended, (Some(back), params.get("ui_locales")))
        }
        None => signed_out(visit, ended, (None, params.get("ui_locales"))),
    };
    without_session(visit, response)
}

fn signed_out(visit: &Visit, ended: Ended, (back, ui_locales): (Option<Back>, Option<&str>)) -> HttpResponse {
    let frame = Frame { account: None, return_to: None, ..visit.frame(ui_locales, None) };
    let Frames { urls, sources, left_out } = ended.frames;
    let how = How { frames: sources, script: back.is_some() && !urls.is_empty(), ..How::default() };
    respond::page(visit, &SignedOut { back, ended: ended.names, frame, frames: urls, unreached: left_out }, &how)
}

/// The answer, which takes the cookie away.
fn without_session(visit: &Visit, mut response: HttpResponse) -> HttpResponse {
    if visit.presented().is_some() {
        // A cookie of ours is always a header that can be written.
        let _ = response.add_cookie(&cookie::remove(Name::Session, visit.app.provider.issuer.is_https()));
    }
    session_state::keep(visit, None, &mut response);
    response
}

/// Where a person is signed out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Everywhere,
    Here,
}

/// What was ended.
#[derive(Default)]
struct Ended {
    /// The names of the apps that were signed out with it.
    names: Vec<String>,
    /// The apps that the browser is to tell.
    frames: Frames,
}

/// Ends the session of this browser, or all of its person.
async fn end(visit: &Visit, extent: Extent) -> Result<Ended, StoreError> {
    let Some((session, user)) = visit.presented() else { return Ok(Ended::default()) };
    let store = &visit.app.provider.store;
    let grants = store.grants_of(user.id).await?;
    let consents = store.consents_of(user.id).await?;
    let changes = match extent {
        Extent::Everywhere => sign_in::sign_out_everywhere(user.id, visit.app.id(), visit.call()),
        Extent::Here => sign_in::sign_out(session, visit.app.id(), visit.call()),
    };
    store.commit(changes).await?;
    visit.app.look_for_apps_to_tell.notify_one();
    let directory = visit.app.directory();
    // Read when it has ended: from now on no app can come.
    let frames = frames(&visit.app.provider.issuer, &directory, &store.took_part(session.id).await?);
    let ended = grants.iter().map(|(grant, _)| grant).filter(|grant| {
        let consent = consents.iter().find(|consent| consent.client_id == grant.client_id);
        let is_meant = extent == Extent::Everywhere || grant.session_id == session.id;
        is_meant && !grant.outlives_session(consent)
    });
    let mut names: Vec<String> = ended
        .filter_map(|grant| directory.clients.get(&grant.client_id).map(|client| client.name().to_owned()))
        .collect();
    names.sort_unstable();
    names.dedup();
    Ok(Ended { names, frames })
}

#[cfg(test)]
impl EndSession {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{NAMES, app, signed_in};
        let page = |name: &str, app| Self { app, frame: signed_in(name), request: "eyJhIjoxfQ.c2ln".to_owned() };
        let mut all = vec![("plain", page("Ada Lovelace", None)), ("app", page("Ada Lovelace", Some(app("Wiki"))))];
        all.extend(
            ["name", "long", "rtl", "emoji", "hostile"]
                .into_iter()
                .zip(NAMES)
                .map(|(label, name)| (label, page(name, Some(app(name))))),
        );
        all
    }
}
