//! What changes when somebody comes from an upstream, once it is decided who they are here.

use grantor_jose::id::Id;
use serde_json::{Map, Value};

use super::{MOST_WITH_ADDRESS, Upstream, UpstreamChange, UpstreamLink, UpstreamPerson, UpstreamSession};
use crate::audit::{Event, EventKind};
use crate::change::Change;
use crate::error::Decision;
use crate::level::Level;
use crate::network::Networks;
use crate::notice::{News, Notice};
use crate::provider::{Call, Fresh};
use crate::second_factor::SecondFactorChange;
use crate::session::Session;
use crate::sign_in::{Begun, Browser, Proof, begin_by};
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
    /// Whether the upstream says so.
    pub tells_time: bool,
    /// By which methods, as far as the upstream says.
    pub amr: &'a [String],
    /// How surely, as the upstream says and its declaration believes it.
    pub level: Level,
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

/// Begins their session. `revision` is that of the directory by which it was decided.
pub fn begin(
    came: Came<'_>,
    (entry, user): (Entry<'_>, &User),
    (fresh, ids, revision): (&Fresh, Ids, i64),
    browser: Browser<'_>,
    call: Call<'_>,
) -> Decision<Begun> {
    let proof = Proof { level: came.level, amr: came.amr.to_vec(), auth_time: came.auth_time };
    let Decision { changes: mut begun, reply } = begin_by(user, proof, fresh, browser, call);
    tell(&mut begun, came.upstream);
    // An upstream that was switched off meanwhile, on whichever node, begins nothing.
    let mut changes = vec![Change::DirectoryExpect { revision }];
    // A code that the account asks for since it was decided is not gone around by the address, and it still is its address.
    if matches!(entry, Entry::LinkNow) {
        changes.insert(0, SecondFactorChange::ExpectNone(user.id).into());
        changes.push(Change::UserExpectUnchanged { id: user.id, updated_at: user.updated_at });
    }
    match entry {
        Entry::Linked(link) => changes.push(UpstreamChange::LinkUsed { id: link.id, at: call.now }.into()),
        Entry::LinkNow => {
            let by = "by its verified address";
            changes.extend(link((came.upstream, came.person), (user.id, by), (ids.link, ids.linked), call));
            changes.push(tell_of_link(came.upstream, user.id, ids.linked, call));
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
    changes.push(Change::UserMayEnter { id: user.id, without_password: matches!(entry, Entry::LinkNow) });
    changes.extend(begun);
    let origin = UpstreamSession {
        session_id: fresh.id,
        upstream_id: came.upstream.id,
        subject: came.person.subject.clone(),
        sid: came.sid.map(str::to_owned),
        tells_time: came.tells_time,
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

/// Tells the person that their account opens in another way from now on; `event_id` is that of the event that says so.
pub fn tell_of_link(upstream: &Upstream, user_id: Id, event_id: Id, call: Call<'_>) -> Change {
    let upstream = upstream.definition.title().to_owned();
    let news = News::SignInWayAdded { upstream, address: call.address.to_owned() };
    Change::NoticeInsert(Box::new(Notice { id: event_id, user_id, at: call.now, news }))
}

/// What is unlinked, as it was read.
#[derive(Clone, Copy, Debug)]
pub struct Unlinking<'a> {
    /// The link.
    pub link: &'a UpstreamLink,
    /// All links of the account.
    pub all: &'a [UpstreamLink],
    /// The upstream.
    pub upstream: &'a Upstream,
    /// The revision of the directory by which it was decided that another way in is left.
    pub revision: i64,
}

/// Takes a link away, for its person, who has proved in this session that they may. Their sessions that began by it end, but for this
/// one: unlinked is what somebody else may have got hold of.
pub fn unlink(
    unlinking: Unlinking<'_>,
    (session, user): (&Session, &User),
    event_id: Id,
    call: Call<'_>,
) -> Vec<Change> {
    let Unlinking { link, all, upstream, revision } = unlinking;
    let links = all.iter().map(|link| link.id).collect();
    // The person is held first. Of two links that are unlinked at once, the second finds the first one gone; nobody signs in meanwhile.
    let mut changes = vec![UpstreamChange::LinksExpect { user_id: user.id, links }.into()];
    if session.level() < Level::TwoFactors {
        changes.push(SecondFactorChange::ExpectNone(user.id).into());
    }
    // The way in that is left is still one.
    changes.push(Change::DirectoryExpect { revision });
    changes.push(match &user.password {
        Some(password) => Change::UserExpect { id: user.id, password: password.clone() },
        None => Change::UserMayEnter { id: user.id, without_password: false },
    });
    changes.push(Change::SessionExpect { id: session.id });
    let event = Event::new(event_id, call.now, EventKind::UpstreamUnlinked)
        .user(user.id)
        .address(call.address)
        .detail(&format!("{} {}", upstream.definition.name, link.subject));
    let news =
        News::SignInWayRemoved { upstream: upstream.definition.title().to_owned(), address: call.address.to_owned() };
    changes.extend([
        UpstreamChange::LinkRemove(link.id).into(),
        UpstreamChange::SessionsOfLinkEnd { link: Box::new(link.clone()), except: session.id, at: call.now }.into(),
        Change::EventInsert(Box::new(event)),
        Change::NoticeInsert(Box::new(Notice { id: event_id, user_id: user.id, at: call.now, news })),
    ]);
    changes
}

/// Whether the person of an account has verified this address here.
pub fn has_verified(user: &User, address: &str) -> bool {
    user.proved_email().is_some_and(|own| own.eq_ignore_ascii_case(address))
}

/// Of the accounts with an address, those that it is the address of: whose person has verified it, or signs in with it. One that
/// nobody has verified may be anybody's, and keeps nobody out; but whoever is switched off does not come back as somebody else.
pub fn holders(mut found: Vec<User>, address: &str) -> Vec<User> {
    let is_theirs =
        |user: &User| user.disabled || has_verified(user, address) || user.username.eq_ignore_ascii_case(address);
    // Of so many, not all are known.
    if found.len() < MOST_WITH_ADDRESS {
        found.retain(is_theirs);
    }
    found
}

/// The account of somebody who has none yet: it has no password, and what the upstream says of them for claims. An address is among
/// that only where the upstream has verified it: apps take it for the person's, whatever stands beside it.
pub fn account(person: &UpstreamPerson, username: String, (id, subject): (Id, String), now: Time) -> User {
    let mut claims = Map::new();
    if let Some(name) = &person.name {
        claims.insert("name".to_owned(), name.as_str().into());
    }
    if let Some(email) = person.email.as_deref().filter(|_| person.email_verified) {
        claims.insert("email".to_owned(), email.into());
        claims.insert("email_verified".to_owned(), Value::Bool(true));
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
        self_made: false,
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
    tell(&mut changes, upstream);
    changes
}

/// Lets events tell by which upstream it was.
fn tell(changes: &mut [Change], upstream: &Upstream) {
    for change in changes {
        if let Change::EventInsert(event) = change {
            event.detail = Some(format!("by upstream {}", upstream.definition.name));
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use grantor_jose::random::Mint;
    use serde_json::json;

    use super::*;
    use crate::accounts::Held;
    use crate::user::tests::ada;

    fn begun(entry: Entry<'_>, user: &User) -> Vec<Change> {
        let definition =
            json!({"name": "corp", "kind": "oidc", "issuer": "https://idp.example", "client_id": "grantor"});
        let definition = serde_json::from_value(definition).unwrap();
        let upstream = Upstream { id: Id::from_i64(70), definition, client_secret: None };
        let person = UpstreamPerson { subject: "ada-there".into(), ..UpstreamPerson::default() };
        let mint = Mint::seeded(5);
        let ids = Ids { link: mint.id(1), linked: mint.id(1), made: mint.id(1) };
        let came = Came {
            upstream: &upstream,
            person: &person,
            auth_time: Time::from_seconds(5),
            tells_time: true,
            amr: &[],
            level: Level::Upstream,
            sid: Some("s"),
        };
        let fresh = Fresh { id: mint.id(7000), secret: mint.secret() };
        let call = Call::new(Time::from_seconds(7), "::1");
        let browser = Browser { user_agent: "", is_known: true, held: Held::default() };
        begin(came, (entry, user), (&fresh, ids, 9), browser, call).changes
    }

    #[test]
    fn each_entry_expects_the_declaration_the_person_and_the_link_that_it_was_decided_by() {
        let link = UpstreamLink {
            id: Id::from_i64(1),
            upstream_id: Id::from_i64(70),
            authority: String::new(),
            subject: "ada-there".into(),
            user_id: ada().id,
            label: String::new(),
            created_at: Time::default(),
            last_used_at: None,
        };
        for entry in [Entry::Linked(&link), Entry::LinkNow, Entry::Made] {
            let changes = begun(entry, &ada());
            let has = |wanted: fn(&Change) -> bool| changes.iter().any(wanted);
            assert!(has(|change| matches!(change, Change::DirectoryExpect { revision: 9 })), "{entry:?}");
            assert!(has(|change| matches!(change, Change::UserMayEnter { .. })), "{entry:?}");
            assert!(has(|change| matches!(change, Change::Upstream(UpstreamChange::SessionInsert(_)))), "{entry:?}");
            let without_factor =
                has(|change| matches!(change, Change::SecondFactor(SecondFactorChange::ExpectNone(_))));
            assert_eq!(without_factor, matches!(entry, Entry::LinkNow));
            let as_read = has(|change| matches!(change, Change::UserExpectUnchanged { .. }));
            assert_eq!(as_read, matches!(entry, Entry::LinkNow));
            let by_link = has(|change| matches!(change, Change::Upstream(UpstreamChange::LinkUsed { .. })));
            assert_eq!(by_link, matches!(entry, Entry::Linked(_)));
            assert_eq!(has(|change| matches!(change, Change::UserPut(_))), matches!(entry, Entry::Made));
        }
    }

    #[test]
    fn an_address_is_that_of_whoever_has_verified_it_or_signs_in_with_it() {
        let of = |email: &str, email_verified: bool| {
            let mut user = ada();
            user.claims.insert("email".into(), email.into());
            user.claims.insert("email_verified".into(), email_verified.into());
            user
        };
        let address = "ada@example.com";
        let by_name = User { username: address.into(), ..of("b@example.com", true) };
        for (user, is_holder) in [
            (of("Ada@example.com", true), true),
            (of(address, false), false),
            (of("b@example.com", true), false),
            (User { disabled: true, ..of(address, false) }, true),
            (by_name.clone(), true),
        ] {
            assert_eq!(holders(vec![user.clone()], address).len(), usize::from(is_holder), "{user:?}");
        }
        assert!(!has_verified(&by_name, address) && has_verified(&by_name, "B@example.com"));
        let many = vec![of(address, false); MOST_WITH_ADDRESS];
        assert_eq!(holders(many, address).len(), MOST_WITH_ADDRESS, "nobody in particular");
    }

    #[test]
    fn the_session_tells_how_and_when_it_was_proved_there() {
        let changes = begun(Entry::LinkNow, &ada());
        let session = changes.iter().find_map(|change| match change {
            Change::SessionInsert(session) => Some(session),
            _ => None,
        });
        let session = session.unwrap();
        assert_eq!(
            (session.acr.as_str(), session.amr.len(), session.auth_time),
            (Level::Upstream.acr(), 0, Time::from_seconds(5))
        );
        assert_eq!(session.last_seen_at, Time::from_seconds(7));
    }
}
