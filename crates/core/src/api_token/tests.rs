//! Issue, rotation, revocation and rights of API tokens.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::time::Duration;

use grantor_jose::random::Mint;

use super::issue::{About, Draft, Holder, Wanted, issue, revoke, rotate};
use super::*;
use crate::change::Change;
use crate::client::Client;
use crate::client::tests::sample;
use crate::directory::{Directory, Resource, ScopeDefinition};
use crate::error::{Decision, Error};
use crate::policy::TokenPolicy;
use crate::provider::{Call, Fresh};
use crate::user::User;
use crate::user::tests::ada;

pub(crate) const DAY: Duration = Duration::from_hours(24);

pub(crate) fn start() -> Time {
    Time::from_seconds(1_800_000_000)
}

/// Notes for everybody, payroll for the staff, mail without personal tokens.
pub(crate) fn directory() -> Directory {
    let api = |name: &str, scopes: &str, personal_access_tokens| Resource {
        identifier: format!("https://{name}"),
        name: name.into(),
        scopes: scopes.parse().unwrap(),
        access_token_format: None,
        access_token_lifetime: None,
        introspection_clients: Vec::new(),
        personal_access_tokens,
        networks: Networks::ANYWHERE,
    };
    let apis = [
        api("notes", "notes.read notes.write openid", true),
        api("payroll", "pay.read", true),
        api("mail", "mail.read", false),
    ];
    let pay = ScopeDefinition {
        name: "pay.read".into(),
        description: BTreeMap::new(),
        claims: Vec::new(),
        groups: vec!["staff".into()],
    };
    let mut client = Client::clone(&sample("robot"));
    client.metadata.scope = "notes.read mail.read".parse().unwrap();
    Directory {
        resources: apis.into_iter().map(|api| (api.identifier.clone(), api)).collect(),
        scopes: [(pay.name.clone(), pay)].into(),
        clients: [("robot".to_owned(), client.into())].into(),
        ..Directory::default()
    }
}

pub(super) fn draft(seed: u64, at: Time) -> Draft {
    let mint = Mint::seeded(seed);
    Fresh { id: mint.id(at.millis()), secret: mint.secret() }
}

pub(super) fn wanted(scope: &str) -> Wanted {
    Wanted {
        name: "backup script".into(),
        scope: scope.parse().unwrap(),
        resource: None,
        networks: Networks::ANYWHERE,
        lifetime: 30 * DAY,
    }
}

/// What is decided at `now` in `directory`.
pub(super) struct Desk<'a> {
    pub(super) directory: &'a Directory,
    pub(super) policy: TokenPolicy,
    pub(super) now: Time,
}

impl<'a> Desk<'a> {
    pub(super) fn new(directory: &'a Directory) -> Self {
        Self { directory, policy: TokenPolicy::default(), now: start() }
    }

    pub(super) fn about(&self) -> About<'_> {
        let call = Call::new(self.now, "::1");
        About { directory: self.directory, policy: &self.policy, call, event_id: Id::from_i64(5) }
    }

    pub(super) fn issue(&self, user: &User, tokens: &[ApiToken], wanted: Wanted) -> Result<Decision<String>, Error> {
        let owner = Owner::User(user.id);
        issue(self.about(), Holder { owner: &owner, person: Some(user), tokens }, &draft(9, self.now), wanted)
    }
}

pub(super) fn inserted(decision: Decision<String>) -> ApiToken {
    let inserted = decision.changes.into_iter().find_map(|change| match change {
        Change::ApiTokenInsert(token) => Some(*token),
        _ => None,
    });
    inserted.unwrap()
}

pub(crate) fn token_of(user: &User, scope: &str) -> ApiToken {
    inserted(Desk::new(&directory()).issue(user, &[], wanted(scope)).unwrap())
}

#[test]
fn a_token_is_shown_once_and_only_its_hash_is_kept() {
    let directory = directory();
    let decision = Desk::new(&directory).issue(&ada(), &[], wanted("notes.read")).unwrap();
    let (id, secret) = PERSONAL_ACCESS_TOKEN.parse(&decision.reply).unwrap();
    let token = inserted(decision);
    assert_eq!((token.id, token.hint()), (id, format!("gtr_pat_{id}")));
    assert!(token.secret_until(&secret) == Some(token.expires_at) && token.is_live(start().plus(29 * DAY)));
    assert!(!token.is_live(start().plus(30 * DAY)));
}

#[test]
fn the_same_form_makes_the_same_token_and_no_second_one() {
    let directory = directory();
    let desk = Desk::new(&directory);
    let first = desk.issue(&ada(), &[], wanted("notes.read")).unwrap();
    let text = first.reply.clone();
    let token = inserted(first);
    let again = desk.issue(&ada(), std::slice::from_ref(&token), wanted("notes.write")).unwrap();
    assert_eq!((again.reply, again.changes.len()), (text, 0));
    let ended = ApiToken { ended: Some((start(), ApiTokenEnd::RevokedByOwner)), ..token };
    assert!(matches!(desk.issue(&ada(), &[ended], wanted("notes.read")), Err(Error::DraftUsed)));
}

#[test]
fn a_form_does_not_count_for_ever() {
    let directory = directory();
    let desk = Desk::new(&directory);
    let owner = Owner::User(ada().id);
    let user = ada();
    let holder = Holder { owner: &owner, person: Some(&user), tokens: &[] };
    for made_at in [start().minus(DAY), start().plus(2 * Duration::from_mins(1))] {
        let issued = issue(desk.about(), holder, &draft(1, made_at), wanted("notes.read"));
        assert!(matches!(issued, Err(Error::DraftExpired)), "{made_at:?}");
    }
    // Nor does it show for ever what it made.
    let token = token_of(&user, "notes.read");
    let late = Desk { now: start().plus(DAY), ..Desk::new(&directory) };
    let holder = Holder { tokens: std::slice::from_ref(&token), ..holder };
    let again = issue(late.about(), holder, &draft(9, start()), wanted("notes.read"));
    assert!(matches!(again, Err(Error::DraftExpired)));
}

#[test]
fn a_form_of_somebody_else_makes_another_token() {
    let directory = directory();
    let desk = Desk::new(&directory);
    let made = desk.issue(&ada(), &[], wanted("notes.read")).unwrap().reply;
    let other = User { id: Id::from_i64(8), ..ada() };
    let (_, hers) = PERSONAL_ACCESS_TOKEN.parse(&made).unwrap();
    let (_, his) = PERSONAL_ACCESS_TOKEN.parse(&desk.issue(&other, &[], wanted("notes.read")).unwrap().reply).unwrap();
    assert!(!hers.hash().matches(&his));
}

#[test]
fn what_cannot_be_had_is_refused_with_its_reason() {
    let directory = directory();
    let desk = Desk::new(&directory);
    let refused = |wanted: Wanted| desk.issue(&ada(), &[], wanted).map(|_| ()).unwrap_err().reason();
    assert_eq!(refused(wanted("")), "TokenScopeEmpty");
    for scope in ["mail.read", "admin", "openid", "offline_access", "notes.read admin"] {
        assert_eq!(refused(wanted(scope)), "TokenScopeNotHeld", "{scope}");
    }
    let only = |resource: &str| Wanted { resource: Some(resource.into()), ..wanted("notes.read") };
    assert_eq!(refused(only("https://evil")), "ResourceUnknown");
    assert_eq!(refused(only("https://payroll")), "TokenScopeNotHeld");
    let named = |name: &str| Wanted { name: name.into(), ..wanted("notes.read") };
    assert_eq!(refused(named("  ")), "TokenNameInvalid");
    assert_eq!(refused(named(&"x".repeat(81))), "TokenNameInvalid");
    for lifetime in [Duration::ZERO, 367 * DAY] {
        assert_eq!(refused(Wanted { lifetime, ..wanted("notes.read") }), "TokenLifetimeTooLong");
    }
    let user = User { groups: Vec::new(), ..ada() };
    assert!(matches!(desk.issue(&user, &[], wanted("pay.read")), Err(Error::TokenScopeNotHeld)));
}

#[test]
fn nobody_has_more_tokens_than_the_policy_says() {
    let directory = directory();
    let desk = Desk { policy: TokenPolicy { per_owner: 2, ..TokenPolicy::default() }, ..Desk::new(&directory) };
    let other = |n: i64| ApiToken { id: Id::from_i64(n), ..token_of(&ada(), "notes.read") };
    let full = [other(1), other(2)];
    assert!(matches!(desk.issue(&ada(), &full, wanted("notes.read")), Err(Error::TokensTooMany)));
    let ended = [other(1), ApiToken { ended: Some((start(), ApiTokenEnd::Leaked)), ..other(2) }];
    assert!(desk.issue(&ada(), &ended, wanted("notes.read")).is_ok());
}

#[test]
fn a_rotation_leaves_the_old_secret_for_a_while() {
    let directory = directory();
    let later = start().plus(10 * DAY);
    let desk = Desk { now: later, ..Desk::new(&directory) };
    let issued = Desk::new(&directory).issue(&ada(), &[], wanted("notes.read")).unwrap();
    let (_, old) = PERSONAL_ACCESS_TOKEN.parse(&issued.reply).unwrap();
    let token = inserted(issued);
    let rotated = rotate(desk.about(), &token, &draft(2, later)).unwrap();
    let (_, secret) = PERSONAL_ACCESS_TOKEN.parse(&rotated.reply).unwrap();
    let Some(Change::ApiTokenRotate { rotation, .. }) = rotated.changes.first() else {
        panic!("{:?}", rotated.changes)
    };
    let Rotation { expected, successor, replaced_until, expires_at, .. } = rotation;
    assert_eq!((*replaced_until, *expires_at), (later.plus(DAY), later.plus(30 * DAY)));
    assert!(successor.matches(&secret) && *expected == token.secret);
    let replaced = Some(Replaced { secret: token.secret, until: *replaced_until });
    let now = ApiToken { secret: *successor, replaced, rotated_at: later, expires_at: *expires_at, ..token };
    assert_eq!((now.secret_until(&old), now.secret_until(&secret)), (Some(later.plus(DAY)), Some(now.expires_at)));
    // The same form again shows the same; an older one does not bring an old secret back.
    assert_eq!(rotate(desk.about(), &now, &draft(2, later)).unwrap().reply, rotated.reply);
    assert!(matches!(rotate(desk.about(), &now, &draft(3, start().plus(9 * DAY + DAY / 2))), Err(Error::DraftUsed)));
}

#[test]
fn a_secret_that_is_replaced_gets_no_more_time_than_it_had() {
    let directory = directory();
    let late = start().plus(30 * DAY).minus(Duration::from_hours(1));
    let desk = Desk { now: late, ..Desk::new(&directory) };
    let token = token_of(&ada(), "notes.read");
    let rotated = rotate(desk.about(), &token, &draft(2, late)).unwrap();
    let rotation = rotated.changes.into_iter().find_map(|change| match change {
        Change::ApiTokenRotate { rotation, .. } => Some(rotation),
        _ => None,
    });
    let rotation = rotation.unwrap();
    assert_eq!((rotation.replaced_until, rotation.expires_at), (token.expires_at, late.plus(30 * DAY)));
}

#[test]
fn what_has_ended_is_neither_rotated_nor_ended_again() {
    let directory = directory();
    let desk = Desk::new(&directory);
    let token = token_of(&ada(), "notes.read");
    assert_eq!(revoke(desk.about(), &token, ApiTokenEnd::RevokedByOwner).len(), 2);
    let ended = ApiToken { ended: Some((start(), ApiTokenEnd::Leaked)), ..token };
    assert!(revoke(desk.about(), &ended, ApiTokenEnd::RevokedByOwner).is_empty());
    assert!(matches!(rotate(desk.about(), &ended, &draft(2, start())), Err(Error::TokenEnded)));
}

#[test]
fn a_key_speaks_for_its_client_only() {
    let directory = directory();
    let key = ApiToken { owner: Owner::Client("robot".into()), ..token_of(&ada(), "notes.read notes.write") };
    let rights = rights::of_token(&directory, &key, None);
    assert_eq!((rights.scope.as_str(), rights.audience), ("notes.read", vec!["https://notes".to_owned()]));
    let other = ApiToken { owner: Owner::Client("gone".into()), ..key };
    assert!(rights::of_token(&directory, &other, None).scope.is_empty());
}

#[test]
fn a_token_for_one_api_means_nothing_at_another() {
    let directory = directory();
    let token = token_of(&ada(), "notes.read pay.read");
    let all = rights::of_token(&directory, &token, Some(&ada()));
    assert_eq!(all.audience, ["https://notes", "https://payroll"]);
    let only = ApiToken { resource: Some("https://notes".into()), ..token };
    let rights = rights::of_token(&directory, &only, Some(&ada()));
    assert_eq!((rights.scope.as_str(), rights.audience), ("notes.read", vec!["https://notes".to_owned()]));
}
