//! The people signed in in one browser: who is there beside the one in use, and the cookies that say so.
//!
//! Only pages that need the others read them from the store: the choice of accounts, the account, sign-in, sign-out, and `/authorize`
//! where a request names somebody. Every other request takes no notice of their cookie.

use actix_web::HttpResponse;
use actix_web::cookie::Cookie;
use grantor_core::accounts::{self, Held, Kept};
use grantor_core::error::Error;
use grantor_core::session::Session;
use grantor_core::sign_in::Begun;
use grantor_core::user::User;
use grantor_identity::username::Username;
use grantor_jose::id::Id;

use crate::cookie::{self, Name};
use crate::visit::{Visit, find_session};
use crate::{respond, routes, session_state};

/// Somebody signed in beside the person in use.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    token: String,
    pub(crate) session: Session,
    pub(crate) user: User,
    /// Whether it stands behind another session of the same person in this browser: it goes where that one goes.
    pub(crate) is_again: bool,
    /// Whether they are signed in here and now; an idle session is not over for its apps.
    pub(crate) is_live: bool,
}

/// Those of the others whom the person can go on as.
pub(crate) fn offered(others: &[Account]) -> impl Iterator<Item = &Account> {
    others.iter().filter(|other| other.is_live && !other.is_again)
}

/// Who is signed in where somebody signs in, and whether they chose to do so beside them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Company {
    /// Proof that the person chose to sign in beside whoever is signed in; empty where they did not.
    pub(crate) beside: String,
    /// Whether anybody is signed in whom the person can go on as.
    is_anybody: bool,
    /// Whether there was a proof that does not fit those who are here by now.
    is_stale: bool,
    here: Vec<Here>,
}

/// Somebody whom a sign-in as somebody else signs out, unless it is beside them.
#[derive(Clone, Debug)]
struct Here {
    session: Id,
    username: String,
    name: String,
}

/// The sessions that a page of a sign-in named as those that it ends, by its field `over`.
pub(crate) fn named_as_over(text: &str) -> Vec<Id> {
    text.split(BETWEEN).take(accounts::MOST_OTHERS + 1).filter_map(|id| id.parse().ok()).collect()
}

/// What stands between two sessions in that field.
const BETWEEN: char = '~';

impl Company {
    /// What a page was told about it.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn of(visit: &Visit, sent: Option<&str>) -> Result<Self, Error> {
        let beside = sent.filter(|proof| visit.is_beside(Some(proof))).unwrap_or_default().to_owned();
        let is_stale = beside.is_empty() && sent.is_some_and(|sent| !sent.is_empty());
        let others = others(visit).await?;
        let is_anybody = visit.session().is_some() || offered(&others).next().is_some();
        let people = others.iter().filter(|other| !other.is_again).map(|other| (&other.session, &other.user));
        let here =
            visit.presented().into_iter().chain(people).filter(|(session, user)| visit.is_signed_in(session, user));
        let here = here.map(|(session, user)| Here {
            session: session.id,
            username: user.username.clone(),
            name: user.display_name().to_owned(),
        });
        Ok(Self { beside, is_anybody, is_stale, here: here.collect() })
    }

    /// Whether the person says first which account they mean: they chose to be somebody else beside a person who is not in use any
    /// more, or nobody is in use and they chose nothing.
    pub(crate) fn is_open(&self, visit: &Visit) -> bool {
        self.is_lost() || self.is_anybody && self.beside.is_empty() && visit.session().is_none()
    }

    /// Whether they chose to sign in beside a person who is not in use any more: nobody is to be signed out by that.
    pub(crate) const fn is_lost(&self) -> bool {
        self.is_stale && self.is_anybody
    }

    /// The names of those who are signed out where somebody else signs in.
    pub(crate) fn over(&self) -> Vec<String> {
        self.signed_out().map(|here| here.name.clone()).collect()
    }

    /// Their sessions, for the field `over` of the form.
    pub(crate) fn over_sessions(&self) -> String {
        let sessions: Vec<String> = self.signed_out().map(|here| here.session.to_string()).collect();
        sessions.join(&BETWEEN.to_string())
    }

    fn signed_out(&self) -> impl Iterator<Item = &Here> {
        self.here.iter().filter(|_| self.beside.is_empty())
    }

    /// Whether somebody would be signed out whom the page did not name, by a sign-in under this name, or a new account: who is one of
    /// those who are here takes only their own place.
    pub(crate) fn is_over_others_than(&self, named: &[Id], typed: Option<&Username>) -> bool {
        let is_one_of_them = self.here.iter().any(|here| typed.is_some_and(|typed| typed.as_str() == here.username));
        !is_one_of_them && self.signed_out().any(|here| !named.contains(&here.session))
    }
}

/// The text of the others, as it was sent.
fn sent(visit: &Visit) -> String {
    cookie::read(&visit.request, Name::Others, visit.app.provider.issuer.is_https()).unwrap_or_default()
}

/// Whether the browser says that it holds others; nothing is read from the store.
pub(crate) fn has_others(visit: &Visit) -> bool {
    !named(visit).is_empty()
}

/// The sessions that the browser says to hold beside the one in use; nothing is read from the store.
pub(crate) fn named(visit: &Visit) -> Vec<Id> {
    let in_use = visit.presented().map(|(session, _)| session.id);
    accounts::tokens(&sent(visit)).into_iter().map(|(id, ..)| id).filter(|id| Some(*id) != in_use).collect()
}

/// Those who are signed in beside the person in use, the last in use first; also where their sessions are idle, as long as these have
/// not been ended. What opens nothing is nobody; where a person has another session here, that is marked.
///
/// # Errors
/// Those of the store.
pub(crate) async fn others(visit: &Visit) -> Result<Vec<Account>, Error> {
    let mut found: Vec<Account> = Vec::new();
    for (id, secret, token) in accounts::tokens(&sent(visit)) {
        let Some((session, user)) = find_session(&visit.app, id, &secret).await? else { continue };
        if visit.presented().is_some_and(|(in_use, _)| in_use.id == session.id) {
            continue;
        }
        let is_in_use = visit.presented().is_some_and(|(_, known)| known.id == user.id);
        let is_again = is_in_use || found.iter().any(|known| known.user.id == user.id);
        let is_live = visit.counts(&session, &user);
        found.push(Account { token: token.to_owned(), session, user, is_again, is_live });
    }
    Ok(found)
}

/// What the browser of a sign-in holds.
pub(crate) struct Holding<'a> {
    in_use: Option<Kept<'a>>,
    others: Vec<Kept<'a>>,
    beside: bool,
}

impl<'a> Holding<'a> {
    /// That of a visit with these others; `beside` where the person chose to sign in beside them.
    pub(crate) fn of(visit: &'a Visit, others: &'a [Account], beside: bool) -> Self {
        let is_live = visit.session().is_some();
        let held = |session, is_live| Kept { session, is_live, event_id: visit.app.id() };
        let in_use = visit.presented().map(|(session, _)| held(session, is_live));
        let kept = |account: &'a Account| held(&account.session, account.is_live);
        Self { in_use, others: others.iter().map(kept).collect(), beside }
    }

    /// As core has it.
    pub(crate) fn held(&self) -> Held<'_> {
        Held { in_use: self.in_use, others: &self.others, beside: self.beside }
    }
}

/// The cookies of a browser in which somebody has just signed in.
pub(crate) fn begun(visit: &Visit, others: &[Account], begun: &Begun) -> Vec<Cookie<'static>> {
    // Whoever was signed out by this is to be told.
    if visit.presented().is_some() || !others.is_empty() {
        visit.app.look_for_apps_to_tell.notify_one();
    }
    let in_use = accounts::tokens(&begun.token).first().map(|(id, ..)| *id);
    let beside = begun.others.iter().filter_map(|id| held_token(visit, others, *id)).collect::<Vec<_>>();
    cookies(visit, in_use.map(|id| (id, begun.token.clone())), &beside)
}

/// The cookies of a browser that goes on with one of the others; none of those where it is not one of them.
pub(crate) fn swapped(visit: &Visit, others: &[Account], chosen: Id) -> Vec<Cookie<'static>> {
    let former = visit.presented().map(|(session, _)| session.id);
    let rest = former.into_iter().chain(others.iter().map(|account| account.session.id)).filter(|id| *id != chosen);
    let rest: Vec<_> = rest.filter_map(|id| held_token(visit, others, id)).collect();
    cookies(visit, held_token(visit, others, chosen), &rest)
}

/// Lets the browser forget the sessions that have ended; nobody else comes into use by that.
pub(crate) fn forget(visit: &Visit, others: &[Account], ended: &[Id], response: &mut HttpResponse) {
    let stays = |id: &Id| !ended.contains(id);
    let in_use = visit.presented().map(|(session, _)| session.id).filter(stays);
    let rest = others.iter().map(|account| account.session.id).filter(stays);
    let rest: Vec<_> = rest.filter_map(|id| held_token(visit, others, id)).collect();
    add(response, cookies(visit, in_use.and_then(|id| held_token(visit, others, id)), &rest));
}

/// Adds cookies to an answer.
pub(crate) fn add(response: &mut HttpResponse, cookies: Vec<Cookie<'static>>) {
    for cookie in cookies {
        // A cookie of ours is always a header that can be written.
        let _ = response.add_cookie(&cookie);
    }
}

/// A session that the browser holds, and its token.
fn held_token(visit: &Visit, others: &[Account], id: Id) -> Option<(Id, String)> {
    let in_use = visit.presented().filter(|(session, _)| session.id == id).and_then(|_| visit.session_token());
    let beside = || others.iter().find(|account| account.session.id == id).map(|account| account.token.clone());
    in_use.or_else(beside).map(|token| (id, token))
}

/// The cookies by which a browser holds these sessions from now on; only those that say something new.
fn cookies(visit: &Visit, in_use: Option<(Id, String)>, others: &[(Id, String)]) -> Vec<Cookie<'static>> {
    let https = visit.app.provider.issuer.is_https();
    let (id, token) = in_use.unzip();
    let ids: Vec<Id> = others.iter().map(|(id, _)| *id).collect();
    let text = accounts::text(others.iter().map(|(_, token)| token.as_str()));
    let changed = |name: Name, value: String, before: Option<String>| {
        let is_new = value != before.unwrap_or_default();
        let cookie = |value: String| match value.as_str() {
            "" => cookie::remove(name, https),
            _ => cookie::set(name, value, https, None),
        };
        is_new.then(|| cookie(value))
    };
    let others = changed(Name::Others, text, cookie::read(&visit.request, Name::Others, https));
    let session = changed(Name::Session, token.unwrap_or_default(), visit.session_token());
    [session_state::changed(visit, id, &ids), others, session].into_iter().flatten().collect()
}

/// The address at which the person goes on as somebody else: the choice, or sign-in beside them where there is nobody else yet.
pub(crate) fn another(visit: &Visit, carried: &str) -> String {
    if has_others(visit) {
        format!("{}?request={carried}", routes::SELECT_ACCOUNT)
    } else {
        sign_in_beside(visit, carried)
    }
}

/// The answer that lets the person choose the account first, with what waits for that.
pub(crate) fn choose(visit: &Visit, carried: &str) -> HttpResponse {
    let request = if carried.is_empty() { String::new() } else { format!("?request={carried}") };
    respond::redirect_marked(visit, &format!("{}{request}", routes::SELECT_ACCOUNT))
}

/// The address of the sign-in page for somebody beside whoever is signed in.
pub(crate) fn sign_in_beside(visit: &Visit, carried: &str) -> String {
    let request = if carried.is_empty() { String::new() } else { format!("request={carried}&") };
    format!("{}?{request}beside={}", routes::SIGN_IN, visit.beside())
}

/// The address of the page for a new account beside whoever is signed in.
pub(crate) fn sign_up_beside(visit: &Visit, carried: &str) -> String {
    let request = if carried.is_empty() { String::new() } else { format!("request={carried}&") };
    format!("{}?{request}beside={}", routes::SIGN_UP, visit.beside())
}
