//! Asks before signing out, where the request to sign out is not proven. Whoever else is signed in in this browser stays so, unless
//! the person says that everybody shall be signed out; and nobody of them comes into use by it.

use actix_web::HttpResponse;
use actix_web::web::Payload;
use askama::Template;
use grantor_core::end_session::Meant;
use grantor_core::error::Error;
use grantor_core::frontchannel_logout::Frames;
use grantor_core::interaction::Interaction;
use grantor_core::params::{MAX_PARAMETER_BYTES, Params};
use grantor_core::{end_session, redirect_uri};
use grantor_jose::id::Id;

use super::signed_out::{Back, SignedOut};
use super::status::Kind;
use super::{App, Frame, SignedIn};
use crate::form;
use crate::html::filters;
use crate::respond::{self, How, app_of};
use crate::routes::{END_SESSION, SESSIONS};
use crate::sign_out::{Apps, Browser, Ended, Extent, Person, end};
use crate::visit::{self, Visit};

/// Posts `account` (a session, or `all`), `request` and `csrf` to `/sign-out`, and `everyone` where all accounts of the browser are
/// meant. Without `account` the one in use is.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/end_session.html")]
pub struct EndSession {
    /// The app that asks, where it is known.
    pub app: Option<App>,
    /// The frame.
    pub frame: Frame,
    /// Who else is signed in in this browser.
    pub others: Vec<SignedIn>,
    /// The signed request to go on with; empty where there is none.
    pub request: String,
    /// Who is signed out; none where it is everybody here.
    pub who: Option<SignedIn>,
    /// What names their session in the field `account`.
    pub session: String,
}

/// Signs out, or asks first (OIDC RP-Initiated Logout 1.0 §2).
// "OpenID Providers MUST support the use of the HTTP "GET" and "POST" methods defined in RFC 7231 [RFC7231] at the Logout
// Endpoint." (OIDC RP-Initiated Logout §2)
pub(crate) async fn get_end_session(visit: Visit) -> HttpResponse {
    let params = Params::parse(visit.request.query_string().as_bytes());
    // A request that came by POST comes again like this.
    let params = params.map(|params| match params.get("request") {
        Some(text) => opened(&visit, text).unwrap_or_default(),
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
        let text = sealed(&visit, params);
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
    let browser = match Browser::of(&visit).await {
        Ok(browser) => browser,
        Err(error) => return respond::failure(&visit, &error).await,
    };
    let account = if form.get("everyone").is_some() { Some("all") } else { form.get("account") };
    let meant = browser.named(account);
    // Who is signed out already, as by a double click, is told so.
    if !meant.is_empty() && !visit.is_own_sign_out_form(form.get("csrf")) {
        return respond::status_page(&visit, Kind::FormRefused, None);
    }
    // What was asked for an hour ago still signs out; it only is no longer followed.
    let params = form.get("request").and_then(|text| opened(&visit, text)).unwrap_or_default();
    let asked = end_session::read(&visit.app.provider, &params, visit.now);
    // "If the End-User says "yes", then the OP MUST log out the End-User." (OIDC RP-Initiated Logout §2)
    sign_out(&visit, (&browser, &meant), &params, &asked).await
}

async fn asked(visit: Visit, params: Result<Params, Error>) -> HttpResponse {
    let params = match params {
        Ok(params) => params,
        Err(error) => return respond::failure(&visit, &error).await,
    };
    let asked = end_session::read(&visit.app.provider, &params, visit.now);
    let browser = match Browser::of(&visit).await {
        Ok(browser) => browser,
        Err(error) => return respond::failure(&visit, &error).await,
    };
    let meant = match browser.meant(&visit, &asked).await {
        Ok(meant) => meant,
        Err(error) => return respond::failure(&visit, &error.into()).await,
    };
    let people = browser.people();
    match meant {
        // Nobody is signed in here.
        Meant::Nobody if people.is_empty() => sign_out(&visit, (&browser, &[]), &params, &asked).await,
        Meant::Proven(at) => sign_out(&visit, (&browser, &people[at..=at]), &params, &asked).await,
        Meant::Named(at) => ask(&visit, (&people, Some(at)), &params, &asked),
        Meant::Nobody => ask(&visit, (&people, visit.presented().map(|_| 0)), &params, &asked),
    }
}

/// Asks whether this one shall be signed out, or everybody where nobody is in use and none is named.
fn ask(
    visit: &Visit,
    (people, who): (&[Person<'_>], Option<usize>),
    params: &Params,
    asked: &end_session::EndSession,
) -> HttpResponse {
    let shown = |(_, user): &Person<'_>| visit::signed_in(user, None);
    let ui_locales = params.get("ui_locales");
    // One that is too long for a form still signs out; it only is not followed.
    let request = sealed(visit, params);
    let is_kept = !request.is_empty() && ui_locales.is_none();
    let return_to = is_kept.then(|| format!("{END_SESSION}?request={request}"));
    let others = people.iter().enumerate().filter(|(at, _)| Some(*at) != who);
    let page = EndSession {
        app: asked.client.as_deref().map(|client| app_of(client, visit.language(None))),
        frame: Frame { account: None, return_to, ..visit.frame(ui_locales, None) },
        others: others.map(|(_, person)| shown(person)).collect(),
        session: who.map_or_else(|| "all".to_owned(), |at| people[at].0.id.to_string()),
        who: who.map(|at| shown(&people[at])),
        request,
    };
    let form_action = asked.redirect.as_ref().and_then(|redirect| redirect_uri::origin(redirect.as_str()));
    respond::page(visit, &page, &How { form_action, ..How::default() })
}

/// The request as a page carries it; empty where it is too long for that. It is for no browser alone: it allows nothing that its
/// parameters do not, and leads on where the browser that signed out by it has no mark any more.
fn sealed(visit: &Visit, params: &Params) -> String {
    let key = &visit.app.directory().secrets.browser;
    let text = Interaction::start(params, visit.now).seal_end_session(key, "");
    if "request=".len() + text.len() > MAX_PARAMETER_BYTES { String::new() } else { text }
}

/// The request that a page carried; none where it is not one of ours, or too old.
fn opened(visit: &Visit, text: &str) -> Option<Params> {
    let lifetimes = &visit.app.provider.policy.lifetimes;
    let directory = visit.app.directory();
    Interaction::open_end_session(text, (&directory.secrets.browser, ""), lifetimes, visit.now).ok()?.params().ok()
}

/// Signs the person in use out on all their devices, this one among them.
pub(super) async fn sign_out_everywhere(visit: &Visit) -> HttpResponse {
    let browser = match Browser::of(visit).await {
        Ok(browser) => browser,
        Err(error) => return respond::failure(visit, &error).await,
    };
    let in_use = browser.named(None);
    let in_use = browser.whole(&in_use);
    match end(visit, &in_use, Extent::Everywhere).await {
        Ok(ended) => without(visit, &browser, &in_use, |left| signed_out(visit, (ended, left), (None, None), false)),
        Err(error) => respond::failure(visit, &error.into()).await,
    }
}

/// The answer when these people are signed out, which takes their cookies away; it is told who is left.
fn without(
    visit: &Visit,
    browser: &Browser<'_>,
    people: &[Person<'_>],
    answer: impl FnOnce(Vec<SignedIn>) -> HttpResponse,
) -> HttpResponse {
    let ended: Vec<Id> = people.iter().map(|(session, _)| session.id).collect();
    let left = browser.left(visit, &ended);
    let is_last = !ended.is_empty() && left.is_empty();
    let mut response = answer(left);
    browser.forget(visit, &ended, &mut response);
    // Whoever knows the mark could have prepared something for the next person. Where nobody was signed in it stays: any site may
    // ask for that.
    if is_last {
        respond::forget_mark(visit, &mut response);
    }
    response
}

async fn sign_out(
    visit: &Visit,
    (browser, meant): (&Browser<'_>, &[Person<'_>]),
    params: &Params,
    asked: &end_session::EndSession,
) -> HttpResponse {
    let meant = &browser.whole(meant);
    let may_follow = !meant.is_empty() || asked.is_vouched_for();
    let ended = match end(visit, meant, Extent::Here).await {
        Ok(ended) => ended,
        Err(error) => return respond::failure(visit, &error.into()).await,
    };
    if let Some(error) = &asked.redirect_refused {
        let client_id = asked.client.as_ref().map(|client| client.client_id.as_str());
        visit.app.record(error, client_id, visit.call()).await;
    }
    without(visit, browser, meant, |left| match &asked.redirect {
        // Where somebody is left, the person sees who, and goes back themselves. So they do to an app that nobody has checked, where
        // nobody was signed out: else a link to us could lead anywhere.
        Some(redirect) if ended.frames.urls.is_empty() && left.is_empty() && may_follow => {
            respond::redirect(&redirect.location())
        }
        // "The post-logout redirection is performed after the OP has finished notifying the RPs that logged in with the OP for that
        // End-User that they are to log out the End-User." (OIDC RP-Initiated Logout §3)
        Some(redirect) => {
            let name = asked.client.as_ref().map(|client| client.name().to_owned()).unwrap_or_default();
            // An address without an origin is a place of its own.
            let place = || redirect_uri::origin(redirect.as_str()).unwrap_or_else(|| redirect.as_str().to_owned());
            let unchecked = (!may_follow).then(place);
            let back = Back { name, unchecked, url: redirect.location() };
            signed_out(visit, (ended, left), (Some(back), params.get("ui_locales")), false)
        }
        None => {
            // Who expects to be back at the app is told why they are not.
            let is_wrong = matches!(asked.redirect_refused, Some(Error::RedirectUriMismatch));
            let not_followed = is_wrong && asked.client.is_some();
            signed_out(visit, (ended, left), (None, params.get("ui_locales")), not_followed)
        }
    })
}

fn signed_out(
    visit: &Visit,
    (ended, left): (Ended, Vec<SignedIn>),
    (back, ui_locales): (Option<Back>, Option<&str>),
    not_followed: bool,
) -> HttpResponse {
    let frame = Frame { account: None, return_to: None, ..visit.frame(ui_locales, None) };
    let Frames { urls, sources, .. } = ended.frames;
    let goes_on = back.is_some() && !urls.is_empty() && left.is_empty();
    let how = How { frames: sources, script: goes_on, ..How::default() };
    let several = ended.who.len() > 1;
    // Where nobody is left, it goes without saying.
    let who = if left.is_empty() { Vec::new() } else { ended.who };
    let Apps { told, has_receipts, untold, unreached } = ended.apps;
    // Who could see them has to sign in again, unless it is somebody else who is left.
    let receipts = (has_receipts && left.is_empty()).then_some(SESSIONS);
    let frames = urls;
    let page =
        SignedOut { back, frame, frames, goes_on, left, not_followed, receipts, several, told, unreached, untold, who };
    respond::page(visit, &page, &how)
}

#[cfg(test)]
impl EndSession {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{NAMES, app, visitor};
        let person = |name: &str| SignedIn { change: None, name: name.to_owned(), username: "ada".to_owned() };
        let page = |name: &str, app| Self {
            app,
            frame: visitor(),
            others: Vec::new(),
            request: "eyJhIjoxfQ.c2ln".to_owned(),
            session: "0BxVq7aY2Lk".to_owned(),
            who: Some(person(name)),
        };
        let mut all = vec![("plain", page("Ada Lovelace", None)), ("app", page("Ada Lovelace", Some(app("Wiki"))))];
        all.extend(
            ["name", "long", "rtl", "emoji", "hostile"]
                .into_iter()
                .zip(NAMES)
                .map(|(label, name)| (label, page(name, Some(app(name))))),
        );
        all.push(("unchecked", page("Ada Lovelace", Some(super::samples::unchecked("Notebook")))));
        let several: Vec<SignedIn> = NAMES.iter().map(|name| person(name)).collect();
        all.push(("several", Self { others: several.clone(), ..page("Ada Lovelace", Some(app("Wiki"))) }));
        all.push(("everybody", Self { who: None, others: several, session: "all".to_owned(), ..page("", None) }));
        all
    }
}
