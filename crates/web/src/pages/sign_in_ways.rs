//! Sign-in ways: by which a person comes in, password and linked accounts; to link another one, or to unlink one.

use actix_web::HttpResponse;
use actix_web::web::Payload;
use askama::Template;
use grantor_core::error::Error;
use grantor_core::params::Params;
use grantor_core::session::Session;
use grantor_core::store::{Store, StoreError};
use grantor_core::time::Time;
use grantor_core::upstream::sign_in::{self, Unlinking};
use grantor_core::upstream::{Upstream, UpstreamLink};
use grantor_core::user::User;
use grantor_jose::id::Id;

use super::sign_in::Way;
use super::status::Kind;
use super::{Frame, second_factor, upstream_link};
use crate::html::filters;
use crate::respond::{self, How};
use crate::visit::Visit;
use crate::waiting::{for_unlink, sign_in_for};
use crate::{form, routes};

/// How often an unlinking that somebody else came before is done again.
const MAX_RACES: usize = 4;

/// The forms of other ways post `csrf` and `aim` to `/upstreams/{name}/start`.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/sign_in_ways.html")]
pub struct SignInWays {
    /// The frame.
    pub frame: Frame,
    /// Whether there is a second factor.
    pub has_second_factor: bool,
    /// Whether there is a password.
    pub has_password: bool,
    /// The linked accounts.
    pub links: Vec<Linked>,
    /// Upstreams that could be linked.
    pub others: Vec<Way>,
}

/// A linked account.
#[derive(Clone, Debug)]
pub struct Linked {
    /// What names the link.
    pub id: String,
    /// What the account there is known by.
    pub label: String,
    /// When it was last used to sign in, in seconds.
    pub last_used: Option<i64>,
    /// Whether it can be taken away: there is another way in.
    pub removable: bool,
    /// Since when it is linked, in seconds.
    pub since: i64,
    /// What the upstream is called.
    pub title: String,
}

/// Asks once before an account is unlinked: posts `link` and `csrf` to `/account/sign-in-ways/unlink`.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/sign_in_way_unlink.html")]
pub struct SignInWayUnlink {
    /// The frame.
    pub frame: Frame,
    /// The linked account.
    pub link: Linked,
}

/// Shows them.
pub(crate) async fn get_sign_in_ways(visit: Visit) -> HttpResponse {
    let Some((_, user)) = visit.session() else { return sign_in_for(routes::SIGN_IN_WAYS) };
    let links = match visit.app.provider.store.upstream_links_of(user.id).await {
        Ok(links) => links,
        Err(error) => return respond::failure(&visit, &error.into()).await,
    };
    let has_second_factor = match visit.app.provider.store.has_second_factor(user.id).await {
        Ok(has) => has,
        Err(error) => return respond::failure(&visit, &error.into()).await,
    };
    let directory = visit.app.directory();
    let enabled = directory.upstreams.values().filter(|upstream| !upstream.definition.disabled);
    let others = enabled.filter(|upstream| !links.iter().any(|link| link.upstream_id == upstream.id));
    let page = SignInWays {
        frame: visit.frame(None, None),
        has_second_factor,
        has_password: user.password.is_some(),
        links: links.iter().map(|link| linked(&visit, user, link, &links)).collect(),
        others: others.map(|upstream| Way::of(upstream)).collect(),
    };
    respond::page(&visit, &page, &How::default())
}

/// Asks once before one is taken away.
pub(crate) async fn get_unlink(visit: Visit) -> HttpResponse {
    let Some(person) = visit.session() else { return sign_in_for(routes::SIGN_IN_WAYS) };
    let query = Params::parse(visit.request.query_string().as_bytes()).unwrap_or_default();
    match ask(&visit, person, &query).await {
        Ok(response) => response,
        Err(error) => respond::failure(&visit, &error).await,
    }
}

async fn ask(visit: &Visit, (session, user): (&Session, &User), query: &Params) -> Result<HttpResponse, Error> {
    let Some((link, all)) = find(visit, user, query).await? else { return Ok(respond::redirect(routes::SIGN_IN_WAYS)) };
    let page = SignInWayUnlink { frame: visit.frame(None, None), link: linked(visit, user, &link, &all) };
    if !page.link.removable {
        return Ok(respond::redirect(routes::SIGN_IN_WAYS));
    }
    match unproven(visit, (session, user), &link).await? {
        Some(first) => Ok(first),
        None => Ok(respond::page(visit, &page, &How::default())),
    }
}

/// Takes one away.
pub(crate) async fn post_unlink(visit: Visit, payload: Payload) -> HttpResponse {
    let form = match form::read(&visit.request, payload).await {
        Ok(form) => form,
        Err(error) => return respond::failure(&visit, &error).await,
    };
    let Some((session, _)) = visit.session() else { return sign_in_for(routes::SIGN_IN_WAYS) };
    if !visit.is_own_form(form.get("csrf")) {
        return respond::status_page(&visit, Kind::FormRefused, None);
    }
    match unlink(&visit, session.id, &form).await {
        Ok(response) => response,
        Err(error) => respond::failure(&visit, &error).await,
    }
}

/// What is gone needs no end: the second click of a double click ends here, too. The last way in stays.
async fn unlink(visit: &Visit, session_id: Id, form: &Params) -> Result<HttpResponse, Error> {
    let (store, done) = (&visit.app.provider.store, || respond::redirect(routes::SIGN_IN_WAYS));
    for _ in 0..MAX_RACES {
        // Who unlinks is read again, too: the session may have ended by now, or the password be another one.
        let person = store.session_find(session_id).await?.filter(|(session, _)| session.ended_at.is_none());
        let Some((session, user)) = person else { return Ok(respond::redirect(routes::SIGN_IN)) };
        let Some((link, all)) = find(visit, &user, form).await? else { return Ok(done()) };
        let directory = visit.app.directory();
        let upstream = directory.upstream_by_id(link.upstream_id);
        let Some(upstream) = upstream.filter(|_| is_removable(&user, &link, &all, visit)) else { return Ok(done()) };
        if let Some(first) = unproven(visit, (&session, &user), &link).await? {
            return Ok(first);
        }
        let unlinking = Unlinking { link: &link, all: &all, upstream, revision: directory.revision };
        let changes = sign_in::unlink(unlinking, (&session, &user), visit.app.id(), visit.call());
        match store.commit(changes).await {
            Ok(()) => {
                visit.app.look_for_apps_to_tell.notify_one();
                return Ok(done());
            }
            Err(StoreError::Conflict) => store.refresh_directory().await?,
            Err(error) => return Err(error.into()),
        }
    }
    Err(StoreError::Busy.into())
}

/// Where the person first proves who they are, as whoever links a way in does: lately, and with a code where they have a second factor.
/// Whoever finds a browser open, or has only one of the ways in, shall not take the others away.
async fn unproven(
    visit: &Visit,
    (session, user): (&Session, &User),
    link: &UpstreamLink,
) -> Result<Option<HttpResponse>, Error> {
    let first = |page: &str| Some(respond::redirect(&format!("{page}?request={}", for_unlink(link.id))));
    if !second_factor::is_recent(visit, session).await? {
        return Ok(first(routes::SIGN_IN));
    }
    if upstream_link::needs_code(visit, (session, user)).await? {
        return Ok(first(routes::SIGN_IN_CODE));
    }
    Ok(None)
}

/// Only a link of this person can be named.
async fn find(
    visit: &Visit,
    user: &User,
    params: &Params,
) -> Result<Option<(UpstreamLink, Vec<UpstreamLink>)>, StoreError> {
    let all = visit.app.provider.store.upstream_links_of(user.id).await?;
    let wanted = params.get("link").unwrap_or_default();
    Ok(all.iter().find(|link| link.id.to_string() == wanted).cloned().map(|link| (link, all)))
}

/// Whether another way in is left: the password, or an account at an upstream that is not switched off.
fn is_removable(user: &User, link: &UpstreamLink, all: &[UpstreamLink], visit: &Visit) -> bool {
    let directory = visit.app.directory();
    let is_open = |upstream: &Upstream| !upstream.definition.disabled;
    let leads_in = |other: &&UpstreamLink| {
        let upstream = directory.upstream_by_id(other.upstream_id);
        other.id != link.id
            && upstream.is_some_and(|upstream| is_open(upstream) && upstream.definition.authority() == other.authority)
    };
    user.password.is_some() || all.iter().any(|other| leads_in(&other))
}

fn linked(visit: &Visit, user: &User, link: &UpstreamLink, all: &[UpstreamLink]) -> Linked {
    let directory = visit.app.directory();
    let upstream = directory.upstream_by_id(link.upstream_id);
    Linked {
        id: link.id.to_string(),
        label: link.label.clone(),
        last_used: link.last_used_at.map(Time::seconds),
        removable: is_removable(user, link, all, visit),
        since: link.created_at.seconds(),
        title: upstream.map(|upstream| upstream.definition.title().to_owned()).unwrap_or_default(),
    }
}

#[cfg(test)]
impl Linked {
    fn sample(title: &str, label: &str, removable: bool) -> Self {
        use super::samples::{DAY, NOW};
        Self {
            id: "0BxVq7aY2Lk".to_owned(),
            label: label.to_owned(),
            last_used: removable.then_some(NOW - DAY),
            removable,
            since: NOW - 30 * DAY,
            title: title.to_owned(),
        }
    }
}

#[cfg(test)]
impl SignInWays {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{HOSTILE, LONG, NAMES, signed_in};
        let page = |has_password, links, others: &[&str]| Self {
            frame: signed_in("Ada Lovelace"),
            has_second_factor: has_password && others.is_empty(),
            has_password,
            links,
            others: others.iter().map(|title| Way { name: "corp".to_owned(), title: (*title).to_owned() }).collect(),
        };
        vec![
            ("password", page(true, Vec::new(), &["Corp", "Code"])),
            ("nothing-else", page(true, Vec::new(), &[])),
            ("linked", page(true, vec![Linked::sample("Corp", "ada@corp.example", true)], &["Code"])),
            ("only-way", page(false, vec![Linked::sample("Corp", "ada@corp.example", false)], &[])),
            ("long", page(true, vec![Linked::sample(LONG, LONG, true)], &NAMES)),
            ("hostile", page(true, vec![Linked::sample(HOSTILE, HOSTILE, true)], &[HOSTILE])),
        ]
    }
}

#[cfg(test)]
impl SignInWayUnlink {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{HOSTILE, LONG, signed_in};
        let page = |title: &str, label: &str| Self {
            frame: signed_in("Ada Lovelace"),
            link: Linked::sample(title, label, true),
        };
        vec![
            ("corp", page("Corp", "ada@corp.example")),
            ("long", page(LONG, LONG)),
            ("hostile", page(HOSTILE, HOSTILE)),
        ]
    }
}
