//! What changes when somebody comes from an upstream, once it is decided who they are here.

use grantor_jose::id::Id;
use serde_json::{Map, Value};

use super::{Upstream, UpstreamChange, UpstreamLink, UpstreamPerson, UpstreamSession};
use crate::audit::{Event, EventKind};
use crate::change::Change;
use crate::error::Decision;
use crate::network::Networks;
use crate::provider::{Call, Fresh};
use crate::session::{ACR_UPSTREAM, Session};
use crate::sign_in::{Browser, Proof, begin_by};
use crate::time::Time;
use crate::user::User;

/// Somebody who has proved at an upstream who they are there.
#[derive(Clone, Copy, Debug)]
pub struct Came<'a> {
    /// The upstream.
    pub upstream: &'a Upstream,
    /// Who they are there.
    pub person: &'a UpstreamPerson,
    /// When they proved it, as far as the upstream says; else now.
    pub auth_time: Time,
    /// By which methods, as far as the upstream says.
    pub amr: &'a [String],
    /// The session there.
    pub sid: Option<&'a str>,
}

/// Who that is here.
#[derive(Clone, Copy, Debug)]
pub enum Entry<'a> {
    /// An account that is linked.
    Linked(&'a UpstreamLink),
    /// An account that is linked from now on.
    LinkNow,
    /// An account that is made and linked now.
    Made,
}

/// New identifiers.
#[derive(Clone, Copy, Debug)]
pub struct Ids {
    /// For a link.
    pub link: Id,
    /// For the event that tells of the link.
    pub linked: Id,
    /// For the event that tells of the account.
    pub made: Id,
}

/// Begins their session; the reply is the cookie's value. `revision` is that of the directory by which it was decided.
pub fn begin(
    came: Came<'_>,
    (entry, user): (Entry<'_>, &User),
    (fresh, ids, revision): (&Fresh, Ids, i64),
    browser: Browser<'_>,
    call: Call<'_>,
) -> Decision<String> {
    let proof = Proof { acr: ACR_UPSTREAM, amr: came.amr.to_vec(), auth_time: came.auth_time };
    let Decision { changes: begun, reply } = begin_by(user, proof, fresh, browser, call);
    // An upstream that was switched off meanwhile, on whichever node, begins nothing.
    let mut changes = vec![Change::DirectoryExpect { revision }];
    match entry {
        Entry::Linked(link) => changes.push(UpstreamChange::LinkUsed { id: link.id, at: call.now }.into()),
        Entry::LinkNow => {
            let by = "by its verified address";
            changes.extend(link((came.upstream, came.person), (user.id, by), (ids.link, ids.linked), call));
        }
        Entry::Made => {
            let detail = format!("{} created by upstream {}", user.username, came.upstream.definition.name);
            let made = Event::new(ids.made, call.now, EventKind::UserChanged).user(user.id).address(call.address);
            changes
                .extend([Change::UserPut(Box::new(user.clone())), Change::EventInsert(Box::new(made.detail(&detail)))]);
            let by = "with its account";
            changes.extend(link((came.upstream, came.person), (user.id, by), (ids.link, ids.linked), call));
        }
    }
    changes.push(Change::UserMayEnter { id: user.id });
    changes.extend(begun);
    let origin = UpstreamSession {
        session_id: fresh.id,
        upstream_id: came.upstream.id,
        subject: came.person.subject.clone(),
        sid: came.sid.map(str::to_owned),
    };
    changes.push(UpstreamChange::SessionInsert(Box::new(origin)).into());
    Decision { changes, reply }
}

/// Links an account with somebody at an upstream; `by` says how it was proven.
pub fn link(
    (upstream, person): (&Upstream, &UpstreamPerson),
    (user_id, by): (Id, &str),
    (id, event_id): (Id, Id),
    call: Call<'_>,
) -> [Change; 2] {
    let link = UpstreamLink {
        id,
        upstream_id: upstream.id,
        authority: upstream.definition.authority().to_owned(),
        subject: person.subject.clone(),
        user_id,
        label: person.label().to_owned(),
        created_at: call.now,
        last_used_at: None,
    };
    let event = Event::new(event_id, call.now, EventKind::UpstreamLinked)
        .user(user_id)
        .address(call.address)
        .detail(&format!("{} {}, {by}", upstream.definition.name, link.subject));
    [UpstreamChange::LinkInsert(Box::new(link)).into(), Change::EventInsert(Box::new(event))]
}

/// Takes a link away.
pub fn unlink(link: &UpstreamLink, upstream: &Upstream, event_id: Id, call: Call<'_>) -> Vec<Change> {
    let event = Event::new(event_id, call.now, EventKind::UpstreamUnlinked)
        .user(link.user_id)
        .address(call.address)
        .detail(&format!("{} {}", upstream.definition.name, link.subject));
    vec![UpstreamChange::LinkRemove(link.id).into(), Change::EventInsert(Box::new(event))]
}

/// The account of somebody who has none yet: it has no password, and what the upstream says of them for claims.
pub fn account(person: &UpstreamPerson, username: String, (id, subject): (Id, String), now: Time) -> User {
    let mut claims = Map::new();
    if let Some(name) = &person.name {
        claims.insert("name".to_owned(), name.as_str().into());
    }
    if let Some(email) = &person.email {
        claims.insert("email".to_owned(), email.as_str().into());
        claims.insert("email_verified".to_owned(), Value::Bool(person.email_verified));
    }
    User {
        id,
        subject,
        username,
        password: None,
        claims,
        groups: Vec::new(),
        networks: Networks::ANYWHERE,
        disabled: false,
        created_at: now,
        updated_at: now,
    }
}

/// Ends the sessions that began at an upstream and have ended there. As with any sign-out, access that outlives a session stays.
///
/// "Refresh tokens issued without the offline_access property to a session being logged out SHOULD be revoked. Refresh tokens
/// issued with the offline_access property normally SHOULD NOT be revoked." (OIDC Back-Channel Logout §2.7)
pub fn sign_out(session: &Session, upstream: &Upstream, event_id: Id, call: Call<'_>) -> Vec<Change> {
    let mut changes = crate::sign_in::sign_out(session, event_id, call);
    for change in &mut changes {
        if let Change::EventInsert(event) = change {
            event.detail = Some(format!("by upstream {}", upstream.definition.name));
        }
    }
    changes
}
