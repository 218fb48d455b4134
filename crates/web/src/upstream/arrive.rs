//! Somebody has proved at an upstream who they are there: who that is here is looked up, decided and committed.

use actix_web::cookie::Cookie;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::error::Error;
use grantor_core::level::Level;
use grantor_core::reach;
use grantor_core::sign_in::Browser;
use grantor_core::store::{Store, StoreError};
use grantor_core::upstream::flow::{Aim, Arrival, Flow};
use grantor_core::upstream::sign_in::{self, Came, Entry, Ids};
use grantor_core::upstream::{Upstream, UpstreamLink, UpstreamPerson};
use grantor_core::user::User;
use grantor_identity::upstream::{Account, Known, Refusal, Rules, Said, Verdict, decide};
use grantor_identity::username::Username;
use grantor_jose::id::Id;

use super::exchange::Proved;
use super::{MAX_RACES, Refused};
use crate::accounts::{self, Company, Holding};
use crate::known_browser::Remembered;
use crate::visit::Visit;

/// What became of it.
pub(crate) enum Arrived {
    /// Nobody is signed in by it: the person chose to sign in beside somebody who is not in use any more, or somebody would
    /// be signed out whom the page that sent them away did not name.
    Choice,
    /// The cookies of the new session, and whose it is.
    SignedIn(Vec<Cookie<'static>>, Id),
    /// The account that is signed in is linked with them already.
    LinkedBefore,
    /// Nobody here is linked with them.
    Unlinked(Arrival),
}

/// Who may be meant here.
struct Facts {
    link: Option<(UpstreamLink, User)>,
    same_address: Vec<User>,
    /// Whether the only account with the address has a second factor.
    has_second_factor: bool,
    /// The name for a new account, where it can be one.
    username: Option<Username>,
    username_taken: bool,
}

/// Signs somebody in, or says who came.
pub(super) async fn arrive(
    visit: &Visit,
    upstream: &Upstream,
    flow: &Flow,
    proved: Proved,
) -> Result<Arrived, Refused> {
    let lifetimes = &visit.app.provider.policy.lifetimes;
    let auth_time = flow.auth_time(proved.auth_time, lifetimes.clock_skew, visit.now);
    if visit.now >= auth_time.plus(lifetimes.session_absolute) {
        return Err(Refused::with(Error::UpstreamAuthTime, "signed in there longer ago than a session lives here"));
    }
    let Proved { person, sid, acr, amr, .. } = &proved;
    let level = Level::of_upstream(&upstream.definition, acr.as_deref(), amr);
    let tells_time = proved.auth_time.is_some();
    let came = Came { upstream, person, auth_time, tells_time, amr, level, sid: sid.as_deref() };
    let company = Company::of(visit, flow.beside.as_deref()).await?;
    if company.is_lost() {
        return Ok(Arrived::Choice);
    }
    let (others, beside) = (accounts::others(visit).await?, !company.beside.is_empty());
    for _ in 0..MAX_RACES {
        // The upstream is read again with the facts: it may be another one by now, or none.
        let directory = visit.app.directory();
        let is_here =
            directory.upstream_by_id(upstream.id).is_some_and(|known| known.definition == upstream.definition);
        if !is_here {
            return Err(Error::UpstreamDisabled.into());
        }
        let facts = load(visit, upstream, person).await?;
        let verdict = verdict(upstream, person, &facts)?;
        // Somebody who links is somebody already; the page that asks says who is meant.
        let unlinked = verdict == Verdict::Prove || flow.aim == Aim::Link && verdict != Verdict::SignIn;
        if unlinked {
            return Ok(Arrived::Unlinked(arrival(visit, came, flow)));
        }
        if flow.aim == Aim::Link {
            let own = is_own(visit, &facts);
            return if own { Ok(Arrived::LinkedBefore) } else { Err(Error::UpstreamLinkTaken.into()) };
        }
        may_enter(visit, verdict, &facts)?;
        if is_over_unnamed(&company, flow, meant(verdict, &facts)) {
            return Ok(Arrived::Choice);
        }
        match commit(visit, came, (verdict, &facts), directory.revision, (&others, beside)).await {
            Err(StoreError::Conflict) => visit.app.provider.store.refresh_directory().await?,
            Err(error) => return Err(error.into()),
            Ok((cookies, user_id)) => return Ok(Arrived::SignedIn(cookies, user_id)),
        }
    }
    Err(StoreError::Busy.into())
}

async fn load(visit: &Visit, upstream: &Upstream, person: &UpstreamPerson) -> Result<Facts, StoreError> {
    let store = &visit.app.provider.store;
    let link = store.upstream_link_find(upstream.id, upstream.definition.authority(), &person.subject).await?;
    if link.is_some() {
        let (same_address, has_second_factor) = (Vec::new(), false);
        return Ok(Facts { link, same_address, has_second_factor, username: None, username_taken: false });
    }
    let same_address = match &person.email {
        Some(email) => sign_in::holders(store.users_with_email(email).await?, email),
        None => Vec::new(),
    };
    let has_second_factor = match same_address.as_slice() {
        [only] => store.has_second_factor(only.id).await?,
        _ => false,
    };
    // An address is a name only where the upstream vouches for it.
    let email = person.email.as_deref().filter(|_| person.email_verified);
    let names = [person.username.as_deref().filter(|name| !name.contains('@')), email];
    let names = names.into_iter().flatten().filter_map(|name| Username::parse(name).ok());
    // The first, but for those that somebody took who may be anybody: they keep nobody out.
    let (mut username, mut username_taken) = (None, true);
    for name in names {
        let owner = store.user_find_by_username(name.as_str()).await?;
        username_taken = owner.is_some();
        username = Some(name);
        if !owner.is_some_and(|owner| owner.self_made) {
            break;
        }
    }
    Ok(Facts { link, same_address, has_second_factor, username, username_taken })
}

fn verdict(upstream: &Upstream, person: &UpstreamPerson, facts: &Facts) -> Result<Verdict, Refused> {
    let account = |user: &User| Account {
        disabled: user.disabled,
        is_guarded: user.password.is_some() || facts.has_second_factor,
        email_verified: person.email.as_deref().is_some_and(|email| sign_in::has_verified(user, email)),
    };
    let known = match (&facts.link, facts.same_address.as_slice()) {
        (Some((_, user)), _) => Known::Linked(account(user)),
        (None, [only]) => Known::SameAddress(account(only)),
        (None, [_, _, ..]) => Known::Taken,
        (None, []) if facts.username_taken => Known::Taken,
        (None, []) => Known::Nobody,
    };
    let said = Said { email: person.email.as_deref(), email_verified: person.email_verified, groups: &person.groups };
    let declared = &upstream.definition;
    let rules = Rules {
        allowed_domains: &declared.allowed_domains,
        allowed_groups: &declared.allowed_groups,
        create_accounts: declared.create_accounts,
        link_by_email: declared.link_by_email,
    };
    decide(said, rules, known).map_err(|refusal| {
        Refused::with(
            match refusal {
                Refusal::AccountDisabled => Error::UserDisabled,
                Refusal::AddressNotAllowed => Error::UpstreamAddressNotAllowed,
                Refusal::GroupNotAllowed => Error::UpstreamGroupNotAllowed,
            },
            &person.subject,
        )
    })
}

/// The account that is meant; none where one is made.
fn meant(verdict: Verdict, facts: &Facts) -> Option<&User> {
    let linked = facts.link.as_ref().map(|(_, user)| user);
    if verdict == Verdict::LinkNow { facts.same_address.first() } else { linked }
}

/// Whether the account that is meant may sign in from this address.
fn may_enter(visit: &Visit, verdict: Verdict, facts: &Facts) -> Result<(), Refused> {
    let from = visit.app.address(&visit.request);
    match meant(verdict, facts) {
        Some(user) if !reach::may_enter(&visit.app.directory(), user, from) => Err(Error::UserNetwork.into()),
        _ => Ok(()),
    }
}

/// Whether somebody would be signed out whom the page that sent the person away did not name. Who is one of those who are here takes
/// only their own place.
fn is_over_unnamed(company: &Company, flow: &Flow, who: Option<&User>) -> bool {
    let username = who.and_then(|user| Username::parse(&user.username).ok());
    company.is_over_others_than(&flow.over, username.as_ref())
}

/// Whether the account that is linked is the one that is signed in.
fn is_own(visit: &Visit, facts: &Facts) -> bool {
    let signed_in = visit.session().map(|(_, user)| user.id);
    facts.link.as_ref().map(|(_, user)| user.id) == signed_in
}

async fn commit(
    visit: &Visit,
    came: Came<'_>,
    (verdict, facts): (Verdict, &Facts),
    revision: i64,
    (others, beside): (&[accounts::Account], bool),
) -> Result<(Vec<Cookie<'static>>, Id), StoreError> {
    let provider = &visit.app.provider;
    let made = account(visit, came.person, facts);
    let (entry, user) = match (verdict, &facts.link, facts.same_address.first(), &made) {
        (Verdict::SignIn, Some((link, user)), ..) => (Entry::Linked(link), user),
        (Verdict::LinkNow, _, Some(user), _) => (Entry::LinkNow, user),
        (Verdict::Create, .., Some(user)) => (Entry::Made, user),
        _ => return Err(StoreError::Conflict),
    };
    let user_agent = visit.user_agent();
    let ids = Ids { link: visit.app.id(), linked: visit.app.id(), made: visit.app.id() };
    let (remembered, username) = (Remembered::of(visit), Username::parse(&user.username).ok());
    let holding = Holding::of(visit, others, beside);
    let browser = Browser { user_agent: &user_agent, is_known: remembered.is_familiar(user), held: holding.held() };
    let begun = sign_in::begin(came, (entry, user), (&provider.fresh(visit.now), ids, revision), browser, visit.call());
    provider.store.commit(begun.changes).await?;
    let mut cookies = accounts::begun(visit, others, &begun.reply);
    cookies.extend(username.map(|username| remembered.with(&username, user.id, user.password.as_deref())));
    Ok((cookies, user.id))
}

/// The account that would be made.
fn account(visit: &Visit, person: &UpstreamPerson, facts: &Facts) -> Option<User> {
    let username = facts.username.as_ref().filter(|_| !facts.username_taken)?;
    let subject = URL_SAFE_NO_PAD.encode(visit.app.provider.mint.bytes::<16>());
    Some(sign_in::account(person, username.as_str().to_owned(), (visit.app.id(), subject), visit.now))
}

fn arrival(visit: &Visit, came: Came<'_>, flow: &Flow) -> Arrival {
    Arrival {
        id: visit.app.id(),
        at: visit.now,
        authority: came.upstream.definition.authority().to_owned(),
        subject: came.person.subject.clone(),
        label: came.person.label().to_owned(),
        beside: flow.beside.clone(),
        aim: flow.aim.clone(),
    }
}
