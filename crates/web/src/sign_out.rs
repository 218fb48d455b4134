//! What signing out ends: sessions of people in this browser, with what hangs on them.

use grantor_core::end_session::{EndSession, Meant, Present};
use grantor_core::error::Error;
use grantor_core::frontchannel_logout::{Frames, TookPart, frames};
use grantor_core::session::Session;
use grantor_core::sign_in;
use grantor_core::store::{Store, StoreError};
use grantor_core::user::User;
use grantor_jose::id::Id;

use crate::accounts::{self, Account};
use crate::pages::SignedIn;
use crate::visit::{self, Visit};

/// A session and its person.
pub(crate) type Person<'a> = (&'a Session, &'a User);

/// The people of a browser whose sessions have not been ended, idle or not.
pub(crate) struct Browser<'a> {
    in_use: Option<Person<'a>>,
    others: Vec<Account>,
}

impl<'a> Browser<'a> {
    /// Those of a visit.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn of(visit: &'a Visit) -> Result<Self, Error> {
        Ok(Self { in_use: visit.presented(), others: accounts::others(visit).await? })
    }

    /// All of them, the one in use first; each with one session.
    pub(crate) fn people(&self) -> Vec<Person<'_>> {
        let others = self.others.iter().filter(|other| !other.is_again).map(|other| (&other.session, &other.user));
        self.in_use.into_iter().chain(others).collect()
    }

    /// These with all sessions that the browser holds of them.
    pub(crate) fn whole<'b>(&'b self, people: &[Person<'b>]) -> Vec<Person<'b>> {
        let again = self.others.iter().filter(|other| other.is_again).map(|other| (&other.session, &other.user));
        let theirs = again.filter(|(_, user)| people.iter().any(|(_, known)| known.id == user.id));
        people.iter().copied().chain(theirs).collect()
    }

    /// Those whom a form names: the session of one, `all`, or by nothing the one in use.
    pub(crate) fn named(&self, account: Option<&str>) -> Vec<Person<'_>> {
        let mut people = self.people();
        match account {
            Some("all") => {}
            Some(account) => people.retain(|(session, _)| session.id.to_string() == account),
            None => people.retain(|(session, _)| self.in_use.is_some_and(|(in_use, _)| in_use.id == session.id)),
        }
        people
    }

    /// Whom a request to sign out is about, by their place among the people.
    ///
    /// # Errors
    /// Those of the store.
    pub(crate) async fn meant(&self, visit: &Visit, asked: &EndSession) -> Result<Meant, StoreError> {
        let people = self.people();
        let mut took_part: Vec<Vec<TookPart>> = Vec::new();
        for (session, _) in &people {
            took_part.push(visit.app.provider.store.took_part(session.id).await?);
        }
        let present = people.iter().zip(&took_part);
        let present = present.map(|((session, user), took_part)| Present { session, user, took_part });
        Ok(asked.meant(&present.collect::<Vec<_>>()))
    }

    /// Who is still signed in when these sessions have ended.
    pub(crate) fn left(&self, visit: &Visit, ended: &[Id]) -> Vec<SignedIn> {
        let people = self.people().into_iter();
        let left = people.filter(|(session, user)| !ended.contains(&session.id) && visit.is_signed_in(session, user));
        left.map(|(_, user)| visit::signed_in(user, None)).collect()
    }

    /// Lets the browser forget these sessions, in an answer.
    pub(crate) fn forget(&self, visit: &Visit, ended: &[Id], response: &mut actix_web::HttpResponse) {
        accounts::forget(visit, &self.others, ended, response);
    }
}

/// Where people are signed out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    Everywhere,
    Here,
}

/// What was ended.
#[derive(Default)]
pub(crate) struct Ended {
    /// The names of the apps that were signed out with it.
    pub(crate) names: Vec<String>,
    /// The apps that the browser is to tell.
    pub(crate) frames: Frames,
    /// Who has been signed out.
    pub(crate) who: Vec<SignedIn>,
}

/// Ends these sessions, or all of their people: all in one commit.
///
/// # Errors
/// Those of the store.
pub(crate) async fn end(visit: &Visit, people: &[Person<'_>], extent: Extent) -> Result<Ended, StoreError> {
    if people.is_empty() {
        return Ok(Ended::default());
    }
    let store = &visit.app.provider.store;
    let (mut changes, mut names) = (Vec::new(), Vec::new());
    for person in people {
        names.extend(signed_out_with(visit, *person, extent).await?);
        let (session, user) = person;
        changes.extend(match extent {
            Extent::Everywhere => sign_in::sign_out_everywhere(user.id, visit.app.id(), visit.call()),
            Extent::Here => sign_in::sign_out(session, visit.app.id(), visit.call()),
        });
    }
    store.commit(changes).await?;
    visit.app.look_for_apps_to_tell.notify_one();
    // Read when they have ended: from now on no app can come.
    let mut took_part = Vec::new();
    for (session, _) in people {
        took_part.extend(store.took_part(session.id).await?);
    }
    names.sort_unstable();
    names.dedup();
    let frames = frames(&visit.app.provider.issuer, &visit.app.directory(), &took_part);
    let mut who: Vec<&User> = Vec::new();
    for (_, user) in people {
        if who.iter().all(|known| known.id != user.id) {
            who.push(user);
        }
    }
    Ok(Ended { names, frames, who: who.into_iter().map(|user| visit::signed_in(user, None)).collect() })
}

/// The names of the apps that are signed out with somebody.
async fn signed_out_with(
    visit: &Visit,
    (session, user): Person<'_>,
    extent: Extent,
) -> Result<Vec<String>, StoreError> {
    let store = &visit.app.provider.store;
    let (grants, consents) = (store.grants_of(user.id).await?, store.consents_of(user.id).await?);
    let ended = grants.iter().map(|(grant, _)| grant).filter(|grant| {
        let consent = consents.iter().find(|consent| consent.client_id == grant.client_id);
        let is_meant = extent == Extent::Everywhere || grant.session_id == session.id;
        is_meant && !grant.outlives_session(consent)
    });
    let directory = visit.app.directory();
    let name = |client_id: &str| directory.clients.get(client_id).map(|client| client.name().to_owned());
    Ok(ended.filter_map(|grant| name(&grant.client_id)).collect())
}
