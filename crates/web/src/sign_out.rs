//! What signing out ends: sessions of people in this browser, with what hangs on them.

use std::collections::BTreeSet;

use grantor_core::directory::Directory;
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
    /// The apps of it.
    pub(crate) apps: Apps,
    /// The apps that the browser is to tell.
    pub(crate) frames: Frames,
    /// Who has been signed out.
    pub(crate) who: Vec<SignedIn>,
}

/// The names of the apps of what was ended, by what they are told of it. What an app does then is not known here yet.
#[derive(Clone, Debug, Default)]
pub(crate) struct Apps {
    /// Those that are being told.
    pub(crate) told: Vec<String>,
    /// Whether there are receipts of that.
    pub(crate) has_receipts: bool,
    /// Those that have no address to be told at.
    pub(crate) untold: Vec<String>,
    /// Those that the browser was to tell, and for which there was no room.
    pub(crate) unreached: Vec<String>,
}

/// The most notices of a person that are looked through.
const MOST_NOTICES: u32 = 1000;

/// Ends these sessions, or all of their people: all in one commit.
///
/// # Errors
/// Those of the store.
pub(crate) async fn end(visit: &Visit, people: &[Person<'_>], extent: Extent) -> Result<Ended, StoreError> {
    if people.is_empty() {
        return Ok(Ended::default());
    }
    let store = &visit.app.provider.store;
    let (mut changes, mut access) = (Vec::new(), BTreeSet::new());
    for person in people {
        access.extend(signed_out_with(visit, *person, extent).await?);
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
    let directory = visit.app.directory();
    let frames = frames(&visit.app.provider.issuer, &directory, &took_part);
    let apps = Apps::of(&directory, (access, &took_part), &noted(visit, people).await?, &frames);
    let mut who: Vec<&User> = Vec::new();
    for (_, user) in people {
        if who.iter().all(|known| known.id != user.id) {
            who.push(user);
        }
    }
    Ok(Ended { apps, frames, who: who.into_iter().map(|user| visit::signed_in(user, None)).collect() })
}

/// The apps that are told by the server of these people's ends of this moment: the same commit has kept what they are told.
async fn noted(visit: &Visit, people: &[Person<'_>]) -> Result<BTreeSet<String>, StoreError> {
    let mut noted = BTreeSet::new();
    for (_, user) in people {
        let notices = visit.app.provider.store.logout_notices_of(user.id, MOST_NOTICES).await?;
        noted.extend(
            notices.into_iter().filter(|notice| notice.ended_at == visit.now).map(|notice| notice.key.client_id),
        );
    }
    Ok(noted)
}

impl Apps {
    /// Those whose access has `ended` and those that took part here, of which some are `noted` to be told.
    fn of(
        directory: &Directory,
        (ended, took_part): (BTreeSet<String>, &[TookPart]),
        noted: &BTreeSet<String>,
        frames: &Frames,
    ) -> Self {
        let mut apps = Self { has_receipts: !noted.is_empty(), ..Self::default() };
        let here: BTreeSet<&String> = took_part.iter().map(|(client_id, _)| client_id).collect();
        for client_id in ended.iter().chain(noted).chain(here.iter().copied()).collect::<BTreeSet<_>>() {
            let Some(client) = directory.clients.get(client_id) else { continue };
            let name = client.name().to_owned();
            let is_framed = client.metadata.frontchannel_logout_uri.is_some() && here.contains(client_id);
            let is_left_out = is_framed && frames.left_out.contains(&name);
            let list = if noted.contains(client_id) || is_framed && !is_left_out {
                &mut apps.told
            } else if is_left_out {
                &mut apps.unreached
            } else {
                &mut apps.untold
            };
            list.push(name);
        }
        for names in [&mut apps.told, &mut apps.untold, &mut apps.unreached] {
            names.sort_unstable();
            names.dedup();
        }
        apps
    }
}

/// The apps whose access ends with somebody's sign-in.
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
    Ok(ended.map(|grant| grant.client_id.clone()).collect())
}
