//! Asks whether an account at an upstream shall be linked with the account that its person has just proved here.

use actix_web::HttpResponse;
use actix_web::web::Payload;
use askama::Template;
use grantor_core::change::Change;
use grantor_core::error::Error;
use grantor_core::level::Level;
use grantor_core::params::Params;
use grantor_core::second_factor::SecondFactorChange;
use grantor_core::session::Session;
use grantor_core::store::{Store, StoreError};
use grantor_core::upstream::flow::{self, Aim, Arrival, LIVES};
use grantor_core::upstream::{Upstream, UpstreamPerson, UpstreamSession, sign_in};
use grantor_core::user::User;

use super::status::Kind;
use super::{Frame, upstream_failed};
use crate::html::filters;
use crate::respond::{self, How};
use crate::upstream::{self, Refused, callback, holder};
use crate::visit::Visit;
use crate::{form, routes};

/// Posts `arrival`, `csrf` and `decision` (`link` or `leave`) to its own address.
#[derive(Clone, Debug, Template)]
#[template(path = "pages/upstream_link.html")]
pub struct UpstreamLink {
    /// Where the form goes.
    pub action: String,
    /// Who came, sealed.
    pub arrival: String,
    /// The frame; its account is the one that is linked.
    pub frame: Frame,
    /// What the account there is known by.
    pub label: String,
    /// What the upstream is called.
    pub title: String,
}

/// The text that carries an arrival from page to page.
fn sealed(visit: &Visit, upstream: &Upstream, arrival: &Arrival) -> String {
    let secrets = &visit.app.directory().secrets;
    flow::seal(arrival, secrets, holder(visit, upstream), visit.app.provider.mint.random())
}

/// The address of this page.
pub(crate) fn address(visit: &Visit, upstream: &Upstream, arrival: &Arrival) -> String {
    address_of(upstream, &sealed(visit, upstream, arrival))
}

/// The same for an arrival that is sealed already: of an alphabet that needs no encoding.
pub(crate) fn address_of(upstream: &Upstream, sealed: &str) -> String {
    format!("{}?arrival={sealed}", routes::upstream(&upstream.definition.name, "link"))
}

/// The address of the sign-in page that leads here.
pub(crate) fn prove_address(visit: &Visit, upstream: &Upstream, arrival: &Arrival) -> String {
    prove_address_of(upstream, &sealed(visit, upstream, arrival))
}

fn prove_address_of(upstream: &Upstream, sealed: &str) -> String {
    format!("{}?upstream={}&arrival={sealed}", routes::SIGN_IN, upstream.definition.name)
}

/// Who came, by what a page of this browser carried.
pub(crate) fn opened(visit: &Visit, upstream: &Upstream, text: &str) -> Option<Arrival> {
    let arrival: Arrival = flow::open(text, &visit.app.directory().secrets, holder(visit, upstream), visit.now)?;
    (arrival.authority == upstream.definition.authority()).then_some(arrival)
}

/// Asks.
pub(crate) async fn get_upstream_link(visit: Visit) -> HttpResponse {
    let query = Params::parse(visit.request.query_string().as_bytes()).unwrap_or_default();
    let carried = query.get("arrival").unwrap_or_default();
    let (upstream, arrival) = match arrived(&visit, carried).await {
        Ok(arrived) => arrived,
        Err(response) => return response,
    };
    match proven(&visit, &upstream, (&arrival, carried)).await {
        Ok(Proven::By(..)) => {}
        Ok(Proven::Not(page)) => return page,
        Err(error) => return respond::failure(&visit, &error).await,
    }
    let page = UpstreamLink {
        action: routes::upstream(&upstream.definition.name, "link"),
        arrival: carried.to_owned(),
        frame: Frame { return_to: None, ..visit.frame(None, None) },
        label: arrival.label,
        title: upstream.definition.title().to_owned(),
    };
    respond::page(&visit, &page, &How::default())
}

/// Links, or leaves it.
pub(crate) async fn post_upstream_link(visit: Visit, payload: Payload) -> HttpResponse {
    let form = match form::read(&visit.request, payload).await {
        Ok(form) => form,
        Err(error) => return respond::failure(&visit, &error).await,
    };
    let carried = form.get("arrival").unwrap_or_default();
    let (upstream, arrival) = match arrived(&visit, carried).await {
        Ok(arrived) => arrived,
        Err(response) => return response,
    };
    let (session, user) = match proven(&visit, &upstream, (&arrival, carried)).await {
        Ok(Proven::By(session, user)) => (session, user),
        Ok(Proven::Not(page)) => return page,
        Err(error) => return respond::failure(&visit, &error).await,
    };
    if !visit.is_own_form(form.get("csrf")) {
        return respond::status_page(&visit, Kind::FormRefused, None);
    }
    if form.get("decision") != Some("link") {
        return callback::go_on_as(&visit, &arrival.aim, user.id).await;
    }
    match link(&visit, &upstream, (session, user), &arrival).await {
        Ok(()) => callback::go_on_as(&visit, &arrival.aim, user.id).await,
        Err(refused) => match proven(&visit, &upstream, (&arrival, carried)).await {
            // A second factor was set up meanwhile: its code is asked for.
            Ok(Proven::Not(page)) => page,
            _ => upstream_failed::show(&visit, Some(&upstream), refused, &arrival.aim).await,
        },
    }
}

/// Who came, from which upstream; or the page that says why it is too late.
async fn arrived(visit: &Visit, carried: &str) -> Result<(std::sync::Arc<Upstream>, Arrival), HttpResponse> {
    let Some(upstream) = upstream::named(visit) else {
        return Err(upstream_failed::show(visit, None, Error::UpstreamDisabled.into(), &Aim::Account).await);
    };
    if let Some(arrival) = opened(visit, &upstream, carried) {
        return Ok((upstream, arrival));
    }
    let refused = Error::UpstreamStateInvalid.into();
    Err(upstream_failed::show(visit, Some(&upstream), refused, &Aim::Account).await)
}

/// Whether an account is proven.
enum Proven<'a> {
    /// By this session of its person.
    By(&'a Session, &'a User),
    /// Not yet: where that is done.
    Not(HttpResponse),
}

/// The account that its person has proved since they came. The link opens it without a code: so where there is one, it has been given.
async fn proven<'a>(
    visit: &'a Visit,
    upstream: &Upstream,
    (arrival, carried): (&Arrival, &str),
) -> Result<Proven<'a>, Error> {
    let origin = origin(visit).await?;
    let is_proven = |session: &Session| arrival.is_proven_by(session, origin.as_ref());
    let Some((session, user)) = visit.session().filter(|(session, _)| is_proven(session)) else {
        return Ok(Proven::Not(respond::redirect_marked(visit, &prove_address_of(upstream, carried))));
    };
    if needs_code(visit, (session, user)).await? {
        let address = format!("{}?upstream={}&arrival={carried}", routes::SIGN_IN_CODE, upstream.definition.name);
        return Ok(Proven::Not(respond::redirect_marked(visit, &address)));
    }
    Ok(Proven::By(session, user))
}

/// Where the session of the person in use began, if at an upstream.
///
/// # Errors
/// Those of the store.
pub(super) async fn origin(visit: &Visit) -> Result<Option<UpstreamSession>, Error> {
    let Some((session, _)) = visit.session() else { return Ok(None) };
    Ok(visit.app.provider.store.upstream_of_session(session.id).await?)
}

/// Whether somebody who has a second factor has not proved it in this session.
///
/// # Errors
/// Those of the store.
pub(super) async fn needs_code(visit: &Visit, (session, user): (&Session, &User)) -> Result<bool, Error> {
    Ok(session.level() < Level::TwoFactors && visit.app.provider.store.has_second_factor(user.id).await?)
}

async fn link(
    visit: &Visit,
    upstream: &Upstream,
    (session, user): (&Session, &User),
    arrival: &Arrival,
) -> Result<(), Refused> {
    let store = &visit.app.provider.store;
    let person = UpstreamPerson {
        subject: arrival.subject.clone(),
        username: Some(arrival.label.clone()),
        ..UpstreamPerson::default()
    };
    let ids = (arrival.id, visit.app.id());
    let mut changes = vec![
        Change::DirectoryExpect { revision: visit.app.directory().revision },
        Change::AssertionSpend { digest: arrival.digest(), expires_at: arrival.at.plus(LIVES) },
        Change::SessionExpect { id: session.id },
        Change::UserMayEnter { id: user.id, without_password: false },
    ];
    if session.level() < Level::TwoFactors {
        changes.insert(0, SecondFactorChange::ExpectNone(user.id).into());
    }
    changes.extend(sign_in::link((upstream, &person), (user.id, "by its person"), ids, visit.call()));
    changes.push(sign_in::tell_of_link(upstream, user.id, ids.1, visit.call()));
    match store.commit(changes).await {
        Ok(()) => Ok(()),
        // The second click of a double click finds what the first one made.
        Err(StoreError::Conflict) => {
            match store.upstream_link_find(upstream.id, &arrival.authority, &arrival.subject).await? {
                Some((link, _)) if link.user_id == user.id => Ok(()),
                Some(_) => Err(Error::UpstreamLinkTaken.into()),
                None => Err(Error::UpstreamStateSpent.into()),
            }
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
impl UpstreamLink {
    pub(super) fn samples() -> Vec<(&'static str, Self)> {
        use super::samples::{HOSTILE, LONG, signed_in};
        let page = |name: &str, label: &str, title: &str| Self {
            action: "/upstreams/corp/link".to_owned(),
            arrival: "c2VhbGVk".to_owned(),
            frame: Frame { return_to: None, ..signed_in(name) },
            label: label.to_owned(),
            title: title.to_owned(),
        };
        vec![
            ("corp", page("Ada Lovelace", "ada@corp.example", "Corp")),
            ("long", page(LONG, LONG, LONG)),
            ("hostile", page(HOSTILE, HOSTILE, HOSTILE)),
        ]
    }
}
