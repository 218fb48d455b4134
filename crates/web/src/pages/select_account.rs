//! Which account to go on with: the one in use, one that is signed in beside it, or another. Nothing but this page changes who is in
//! use, and nobody but the person who presses its buttons.

use actix_web::HttpResponse;
use actix_web::web::Payload;
use askama::Template;
use grantor_core::params::Params;
use grantor_jose::id::Id;

use super::{App, Frame, SignedIn};
use crate::accounts::{self, Account};
use crate::html::filters;
use crate::respond::{self, How};
use crate::visit::{self, Visit};
use crate::waiting::Waiting;
use crate::{form, routes};

/// Posts `choice` (`continue`, `another`, or a session of `others`), `request` and `csrf` to `/select-account`.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/select_account.html")]
pub struct SelectAccount {
    /// The account in use; none where nobody's is.
    pub account: Option<SignedIn>,
    /// The app the person goes on to; none where the account itself is the aim.
    pub app: Option<App>,
    /// The frame.
    pub frame: Frame,
    /// Who is signed in beside, the last in use first.
    pub others: Vec<Choice>,
    /// The signed request to go on with; empty where there is none.
    pub request: String,
}

/// Somebody signed in beside the person in use.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Who it is.
    pub account: SignedIn,
    /// What names their session in the field `choice`.
    pub session: String,
}

/// Asks which account to go on with.
pub(crate) async fn get_select_account(visit: Visit) -> HttpResponse {
    let query = Params::parse(visit.request.query_string().as_bytes());
    let carried = query.as_ref().ok().and_then(|query| query.get("request")).unwrap_or_default().to_owned();
    let waiting = match Waiting::read(&visit, &carried).await {
        Ok(waiting) => waiting,
        Err(response) => return response,
    };
    let others = match accounts::others(&visit).await {
        Ok(others) => others,
        Err(error) => return respond::failure(&visit, &error).await,
    };
    let others: Vec<Choice> = accounts::offered(&others).map(Choice::of).collect();
    if visit.session().is_none() && others.is_empty() {
        return sign_in(&visit, &carried);
    }
    let ui_locales = waiting.request().and_then(|request| request.ui_locales.as_deref());
    let (app, form_action) = waiting.app(visit.language(ui_locales)).unzip();
    let page = SelectAccount {
        account: visit.session().map(|(_, user)| visit::signed_in(user, None)),
        app,
        frame: Frame { account: None, ..visit.frame(ui_locales, None) },
        others,
        request: carried,
    };
    respond::page(&visit, &page, &How { form_action, ..How::default() })
}

/// Goes on with an account, or signs in with another one.
pub(crate) async fn post_select_account(visit: Visit, payload: Payload) -> HttpResponse {
    let form = match form::read(&visit.request, payload).await {
        Ok(form) => form,
        Err(error) => return respond::failure(&visit, &error).await,
    };
    let carried = form.get("request").unwrap_or_default();
    let waiting = match Waiting::read(&visit, carried).await {
        Ok(waiting) => waiting,
        Err(response) => return response,
    };
    let others = match accounts::others(&visit).await {
        Ok(others) => others,
        Err(error) => return respond::failure(&visit, &error).await,
    };
    let csrf = form.get("csrf");
    let named = form.get("choice").and_then(|choice| choice.parse::<Id>().ok());
    // Whoever names an account means it, whichever was in use when the form was shown; `continue` means that one.
    let is_own = match named {
        Some(_) => visit.is_own_sign_in_form(csrf),
        None => visit.is_own_form(csrf),
    };
    if !is_own {
        return respond::form_refused(&visit, waiting.way_on(&visit));
    }
    let in_use = visit.session().map(|(session, user)| (session.id, user.id));
    let chosen = match (form.get("choice"), named) {
        (Some("continue"), _) => in_use,
        (_, Some(id)) if in_use.is_some_and(|(session, _)| session == id) => in_use,
        (_, Some(id)) => {
            let found = others.iter().find(|other| other.is_live && other.session.id == id);
            found.map(|other| (other.session.id, other.user.id))
        }
        _ => return respond::redirect_marked(&visit, &accounts::sign_in_beside(&visit, carried)),
    };
    match chosen {
        Some(chosen) => go_on(&visit, waiting, chosen, &others).await,
        // It has ended meanwhile.
        None => accounts::choose(&visit, carried),
    }
}

/// Goes on with what waits, as the person of this session.
async fn go_on(visit: &Visit, waiting: Waiting, (chosen, user_id): (Id, Id), others: &[Account]) -> HttpResponse {
    let mut response = waiting.go_on_as(visit, user_id).await;
    if let Some(other) = others.iter().find(|other| other.session.id == chosen) {
        visit::note_use(&visit.app, &other.session, visit.now).await;
        accounts::add(&mut response, accounts::swapped(visit, others, chosen));
    }
    response
}

fn sign_in(visit: &Visit, carried: &str) -> HttpResponse {
    let request = if carried.is_empty() { String::new() } else { format!("?request={carried}") };
    respond::redirect_marked(visit, &format!("{}{request}", routes::SIGN_IN))
}

impl Choice {
    fn of(other: &Account) -> Self {
        Self { account: visit::signed_in(&other.user, None), session: other.session.id.to_string() }
    }
}

#[cfg(test)]
impl SelectAccount {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{HOSTILE, LONG, NAMES, app, visitor};
        let signed_in =
            |name: &str| SignedIn { change: None, name: name.to_owned(), username: "ada@example.com".to_owned() };
        let page = |name: &str, app| Self {
            account: Some(signed_in(name)),
            app,
            frame: visitor(),
            others: Vec::new(),
            request: "eyJhIjoxfQ.c2ln".to_owned(),
        };
        let others = |names: &[&str]| -> Vec<Choice> {
            let choice = |name: &&str| Choice { account: signed_in(name), session: "0BxVq7aY2Lk".to_owned() };
            names.iter().map(choice).collect()
        };
        let mut all = vec![("plain", page("Ada Lovelace", Some(app("Wiki")))), ("no-app", page("Ada Lovelace", None))];
        all.extend(
            ["name", "long", "rtl", "emoji", "hostile"]
                .into_iter()
                .zip(NAMES)
                .map(|(label, name)| (label, page(name, Some(app(name))))),
        );
        all.push(("long-hostile", page(LONG, Some(app(HOSTILE)))));
        all.push(("unchecked", page("Ada Lovelace", Some(super::samples::unchecked("Notebook")))));
        all.push(("two", Self { others: others(&["Charles Babbage"]), ..page("Ada Lovelace", Some(app("Wiki"))) }));
        all.push(("many", Self { others: others(&NAMES[1..]), ..page("Ada Lovelace", Some(app("Wiki"))) }));
        all.push(("nobody-in-use", Self { account: None, others: others(&NAMES[..2]), ..page("", None) }));
        all
    }
}
