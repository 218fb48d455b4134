//! What we answer at an app's own host, below `/.grantor/`: there its browser gets its cookie, and loses it.

use actix_web::http::header::ALLOW;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use grantor_core::audit::{Event, EventKind};
use grantor_core::change::Change;
use grantor_core::error::Error;
use grantor_core::forward_auth::{Entry, Problem, Ticket, cookie as app_cookie};
use grantor_core::params::Params;
use grantor_core::store::{Store, StoreError};

use super::asked::Asked;
use super::{Host, Question, answer};
use crate::app::App;
use crate::cookie::AppName;
use crate::{error, routes};

/// Whether a path at an app's host is ours.
pub(super) fn is_own(target: &str) -> bool {
    target.starts_with(routes::AT_APP)
}

/// A request to us at an app's host, which the proxy hands on.
pub(crate) async fn any_at_app(app: Data<App>, request: HttpRequest) -> HttpResponse {
    let question = Question::read_as(&app, &request, Asked::of_itself);
    match question {
        Ok(question) => answer(&question).await,
        Err(error) => answer::unclear(&app, &request, &error).await,
    }
}

/// nginx sends whom it did not let in here: the same question again, whose answer it hands on.
pub(crate) async fn any_sign_in(app: Data<App>, request: HttpRequest) -> HttpResponse {
    let again = |request| Ok(Asked { is_handed_on: true, is_second: true, ..Asked::read(request)? });
    let question = match Question::read_as(&app, &request, again) {
        Ok(question) => question,
        Err(error) => return answer::unclear(&app, &request, &error).await,
    };
    match (question.judged().await, question.host()) {
        // We let in, and somebody else did not: sent to the same address, the browser would go around in circles.
        (Ok(_), Ok(host)) if question.asked.is_navigation(&request) => {
            answer::around(&question, &host, question.asked.target, |entry| entry.after(Some(Problem::Refused)))
        }
        (Ok((place, _)), _) => answer::plain(&Error::EntryRefused, Some(&place)),
        (Err((place, error)), _) => answer::refused(&question, place.as_ref(), &error).await,
    }
}

/// Answers what a browser asks of us at an app's host.
pub(super) async fn answer(question: &Question<'_>) -> HttpResponse {
    let host = match question.host() {
        Ok(host) => host,
        Err(error) => return answer::refused(question, None, &error).await,
    };
    if question.asked.method != Some("GET") {
        return HttpResponse::MethodNotAllowed().insert_header((ALLOW, "GET")).finish();
    }
    let (path, query) = question.asked.target.split_once('?').unwrap_or((question.asked.target, ""));
    match path {
        routes::AT_APP_CALLBACK => callback(question, &host, query).await,
        routes::AT_APP_SIGN_OUT => sign_out(question, &host.origin),
        _ => HttpResponse::NotFound().finish(),
    }
}

/// The browser comes back with a ticket, and gets its cookie for it.
async fn callback(question: &Question<'_>, host: &Host, query: &str) -> HttpResponse {
    let (app, origin) = (question.app, host.origin.as_str());
    let ticket = Params::parse(query.as_bytes()).and_then(|params| {
        let text = params.get("ticket").ok_or(Error::EntryTicketInvalid)?;
        Ticket::open(text, &app.directory().secrets.browser, origin)
    });
    let Ok(ticket) = ticket else { return stuck(question, host, &host.home, Problem::TicketInvalid).await };
    let Some(mark) = AppName::Visit.read(question.request, origin) else {
        return stuck(question, host, &ticket.target, Problem::CookieMissing).await;
    };
    match spend(question, origin, &ticket, &mark).await {
        Ok(()) => {
            let value = app_cookie::seal(ticket.session_id, &app.directory().secrets.browser, origin);
            let mut response = answer::found(&format!("{origin}{}", ticket.target));
            // A cookie of ours is always a header that can be written.
            let _ = response.add_cookie(&AppName::Session.set(value, origin));
            response
        }
        // A second click, or a step back: the browser has what the ticket gave.
        Err(Error::EntryTicketInvalid) if question.session_id(origin) == Some(ticket.session_id) => {
            answer::found(&format!("{origin}{}", ticket.target))
        }
        Err(Error::EntryTicketInvalid) if ticket.is_of_another_tab(&mark, question.now) => {
            answer::around(question, host, &ticket.target, Entry::again)
        }
        Err(Error::EntryTicketInvalid) => stuck(question, host, &ticket.target, Problem::TicketInvalid).await,
        Err(error) => error::json(&error),
    }
}

/// Spends the ticket, as long as its session lasts, and notes who has come in.
async fn spend(question: &Question<'_>, origin: &str, ticket: &Ticket, mark: &str) -> Result<(), Error> {
    let app = question.app;
    let event = Event::new(app.id(), question.now, EventKind::AppEntered)
        .user(ticket.user_id)
        .address(&question.from.to_string())
        .detail(origin);
    let changes = vec![
        Change::SessionExpect { id: ticket.session_id },
        ticket.spend(mark, question.now)?,
        Change::EventInsert(Box::new(event)),
    ];
    match app.provider.store.commit(changes).await {
        Err(StoreError::Conflict) => Err(Error::EntryTicketInvalid),
        other => Ok(other?),
    }
}

/// Sends the browser to the page that says what keeps it from coming in. From here it would go around in circles.
async fn stuck(question: &Question<'_>, host: &Host, target: &str, problem: Problem) -> HttpResponse {
    question.note_refusal(&Error::EntryTicketInvalid).await;
    answer::around(question, host, target, |entry| entry.after(Some(problem)))
}

/// Signing out of one app is signing out: the browser goes to the issuer, which asks.
fn sign_out(question: &Question<'_>, origin: &str) -> HttpResponse {
    let mut response = answer::found(&question.app.provider.issuer.at(routes::END_SESSION));
    // A cookie of ours is always a header that can be written.
    let _ = response.add_cookie(&AppName::Session.remove(origin));
    response
}
