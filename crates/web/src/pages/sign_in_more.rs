//! An app needs, or wishes for, more than a person can prove: how they could, and the way back; on without, where it is a wish.

use actix_web::HttpResponse;
use actix_web::web::Payload;
use askama::Template;
use grantor_core::authorization::Step;
use grantor_core::level::{Level, Need};
use grantor_core::params::Params;

use super::sign_in::{Opened, Way};
use super::sign_in_code::refuse;
use super::{App, Frame};
use crate::form;
use crate::html::filters;
use crate::oauth::authorize;
use crate::respond::{self, How};
use crate::visit::Visit;

/// Posts `request`, `decision` (`deny`, or `decline` where it is a wish) and `csrf` to `/sign-in/more`. The forms of other ways
/// post `csrf` and `request` to `/upstreams/{name}/start`.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/sign_in_more.html")]
pub struct SignInMore {
    /// The app that asks.
    pub app: App,
    /// The frame.
    pub frame: Frame,
    /// The signed authorization request to go on with.
    pub request: String,
    /// Whether the person signs in with a password.
    pub has_password: bool,
    /// Whether the app is behind a proxy, so that it cannot be told that the person does not prove more.
    pub is_proxied: bool,
    /// Whether the person can go on without.
    pub is_wish: bool,
    /// What is missing.
    pub level: Level,
    /// Upstreams that are believed to do enough.
    pub ways: Vec<Way>,
}

impl SignInMore {
    /// Whether a password is enough, and the person has one.
    fn by_password(&self) -> bool {
        self.has_password && self.level <= Level::Password
    }

    /// Whether an authenticator app is enough, so that it can be set up now.
    fn set_up(&self) -> bool {
        self.level <= Level::TwoFactors
    }
}

/// What a person has not reached.
struct Missing {
    level: Level,
    is_wish: bool,
}

/// What is missing for the request that waits, if that is more than its person can prove.
async fn missing(visit: &Visit, opened: &Opened) -> Option<Missing> {
    if let Some(entry) = opened.entry() {
        return match entry.need(visit).await {
            Ok(Need::Beyond(level)) => Some(Missing { level, is_wish: false }),
            _ => None,
        };
    }
    match authorize::next(visit, opened.request()?).await {
        Ok(Step::OfferMore(level)) => Some(Missing { level, is_wish: true }),
        Ok(Step::ProveMore(level)) => Some(Missing { level, is_wish: false }),
        _ => None,
    }
}

/// Says what is missing.
pub(crate) async fn get_sign_in_more(visit: Visit) -> HttpResponse {
    let query = Params::parse(visit.request.query_string().as_bytes()).unwrap_or_default();
    let opened = match Opened::of(&visit, &query).await {
        Ok(opened) => opened,
        Err(response) => return response,
    };
    let Some(Missing { level, is_wish }) = missing(&visit, &opened).await else { return opened.go_on(&visit).await };
    let ui_locales = opened.request().and_then(|request| request.ui_locales.as_deref());
    let Some((app, form_action)) = opened.app(visit.language(ui_locales)) else { return opened.go_on(&visit).await };
    let directory = visit.app.directory();
    let does = directory
        .upstreams
        .values()
        .filter(|upstream| !upstream.definition.disabled && !level.asked_of(&upstream.definition).is_empty());
    let has_password = visit.session().is_some_and(|(_, user)| user.password.is_some());
    let page = SignInMore {
        app,
        has_password,
        is_proxied: opened.entry().is_some(),
        is_wish,
        level,
        frame: visit.frame(ui_locales, opened.change(&visit)),
        request: query.get("request").unwrap_or_default().to_owned(),
        ways: does.map(|upstream| Way::of(upstream)).collect(),
    };
    respond::page(&visit, &page, &How { form_action: Some(form_action), ..How::default() })
}

/// Tells the app that it does not get what it needs.
pub(crate) async fn post_sign_in_more(visit: Visit, payload: Payload) -> HttpResponse {
    let form = match form::read(&visit.request, payload).await {
        Ok(form) => form,
        Err(error) => return respond::failure(&visit, &error).await,
    };
    let opened = match Opened::of(&visit, &form).await {
        Ok(opened) => opened,
        Err(response) => return response,
    };
    if visit.session().is_none() {
        return opened.go_on(&visit).await;
    }
    if !visit.is_own_form(form.get("csrf")) {
        return respond::form_refused(&visit, opened.way_on(&visit));
    }
    match (missing(&visit, &opened).await, form.get("decision")) {
        (Some(_), Some("deny")) => refuse(&visit, &opened).await,
        (Some(Missing { is_wish: true, .. }), Some("decline")) => opened.go_on_declined(&visit).await,
        _ => opened.go_on(&visit).await,
    }
}

#[cfg(test)]
impl SignInMore {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{HOSTILE, LONG, NAMES, RIGHT_TO_LEFT, app, signed_in};
        let ways = |titles: &[&str]| {
            let way =
                |(number, title): (usize, &&str)| Way { name: format!("corp-{number}"), title: (*title).to_owned() };
            titles.iter().enumerate().map(way).collect::<Vec<_>>()
        };
        let page = |name: &str, set_up, titles: &[&str]| Self {
            app: app(name),
            frame: signed_in("Ada Lovelace"),
            has_password: true,
            is_proxied: false,
            is_wish: false,
            level: if set_up { Level::TwoFactors } else { Level::PhishingResistant },
            request: "eyJhIjoxfQ.c2ln".to_owned(),
            ways: ways(titles),
        };
        vec![
            ("app", page("Wiki", true, &[])),
            ("wish", Self { is_wish: true, ..page("Wiki", true, &[]) }),
            ("proxied", Self { is_proxied: true, ..page("Wiki", true, &["Corp"]) }),
            ("password", Self { level: Level::Password, ..page("Wiki", true, &["Corp"]) }),
            ("no-password", Self { has_password: false, ..page("Wiki", true, &[]) }),
            ("upstream", page("Wiki", true, &["Corp"])),
            ("upstream-only", page("Wiki", false, &["Corp"])),
            ("nothing", page("Wiki", false, &[])),
            ("long", page(LONG, true, &NAMES)),
            ("rtl", page(RIGHT_TO_LEFT, true, &[RIGHT_TO_LEFT])),
            ("hostile", page(HOSTILE, true, &[HOSTILE])),
        ]
    }
}
