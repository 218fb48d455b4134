//! Which account to go on with.

use actix_web::HttpResponse;
use actix_web::web::Payload;
use askama::Template;
use grantor_core::interaction::Interaction;
use grantor_core::params::Params;

use super::status::Kind;
use super::{App, Frame, SignedIn};
use crate::html::filters;
use crate::oauth::authorize;
use crate::respond::{self, How, app_at};
use crate::visit::{self, Visit};
use crate::{form, routes};

/// Posts `choice` (`continue` or `another`), `request` and `csrf` to `/select-account`.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/select_account.html")]
pub struct SelectAccount {
    /// The account that is signed in here.
    pub account: SignedIn,
    /// The app the person goes on to.
    pub app: Option<App>,
    /// The frame.
    pub frame: Frame,
    /// The signed authorization request to go on with.
    pub request: String,
}

/// Asks which account to go on with.
pub(crate) async fn get_select_account(visit: Visit) -> HttpResponse {
    let query = Params::parse(visit.request.query_string().as_bytes());
    let carried = query.as_ref().ok().and_then(|query| query.get("request")).unwrap_or_default().to_owned();
    let (interaction, request) = match authorize::waiting(&visit, &carried).await {
        Ok(waiting) => waiting,
        Err(response) => return response,
    };
    let Some((_, user)) = visit.session() else {
        return authorize::go_to(&visit, routes::SIGN_IN, &interaction).await;
    };
    let page = SelectAccount {
        account: visit::signed_in(user, None),
        app: Some(app_at(&request.client, &request.redirect_uri, visit.language(request.ui_locales.as_deref()))),
        frame: Frame { account: None, ..visit.frame(request.ui_locales.as_deref(), None) },
        request: carried,
    };
    let form_action = Some(request.redirect_uri.form_action());
    respond::page(&visit, &page, &How { form_action, ..How::default() })
}

/// Goes on with the account, or signs in with another one.
pub(crate) async fn post_select_account(visit: Visit, payload: Payload) -> HttpResponse {
    let form = match form::read(&visit.request, payload).await {
        Ok(form) => form,
        Err(error) => return respond::failure(&visit, &error).await,
    };
    let (interaction, _) = match authorize::waiting(&visit, form.get("request").unwrap_or_default()).await {
        Ok(waiting) => waiting,
        Err(response) => return response,
    };
    if !visit.is_own_form(form.get("csrf")) {
        return respond::status_page(&visit, Kind::FormRefused, None);
    }
    match form.get("choice") {
        Some("continue") => {
            let selected = Interaction { selected: true, ..interaction };
            authorize::go_to(&visit, routes::AUTHORIZE, &selected).await
        }
        _ => authorize::go_to(&visit, routes::SIGN_IN, &interaction).await,
    }
}

#[cfg(test)]
impl SelectAccount {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{HOSTILE, LONG, NAMES, app, visitor};
        let page = |name: &str, app| Self {
            account: SignedIn { change: None, name: name.to_owned(), username: "ada@example.com".to_owned() },
            app,
            frame: visitor(),
            request: "eyJhIjoxfQ.c2ln".to_owned(),
        };
        let mut all = vec![("plain", page("Ada Lovelace", Some(app("Wiki")))), ("no-app", page("Ada Lovelace", None))];
        all.extend(
            ["name", "long", "rtl", "emoji", "hostile"]
                .into_iter()
                .zip(NAMES)
                .map(|(label, name)| (label, page(name, Some(app(name))))),
        );
        all.push(("long-hostile", page(LONG, Some(app(HOSTILE)))));
        all
    }
}
