//! Whatever happens after a token was issued, in whatever order: it allows what its owner may, whoever shows it and as what.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use grantor_jose::secret::Secret;
use proptest::prelude::*;

use super::issue::{revoke, rotate};
use super::live::{LiveApiToken, judge_in};
use super::tests::{Desk, directory, draft, inserted, start, token_of, wanted};
use super::*;
use crate::access_token::{LiveAccessToken, of_exchange};
use crate::change::Change;
use crate::directory::Directory;
use crate::policy::TokenPolicy;
use crate::scope::Scope;
use crate::store::ApiTokenFacts;
use crate::token::{Jti, Origin, PERSONAL_ACCESS_TOKEN};
use crate::user::User;
use crate::user::tests::ada;

/// What may happen to a person, to what they hold, and to what they hold it for.
#[derive(Clone, Debug)]
enum Happening {
    Groups(Vec<&'static str>),
    Disabled(bool),
    /// The person's account is deleted.
    Deleted,
    ScopeGroups(Vec<&'static str>),
    Offers(bool),
    ApiScopes(&'static str),
    /// The token gets a new secret.
    Rotated,
    Ended(ApiTokenEnd),
    /// A JWT is made of the token, for the API of this place among those that it is for.
    Exchanged(usize),
    Later(Duration),
}

fn happening() -> impl Strategy<Value = Happening> {
    let groups = || proptest::sample::subsequence(vec!["staff", "guests"], 0..=2);
    let ends = [ApiTokenEnd::Leaked, ApiTokenEnd::RevokedByOwner, ApiTokenEnd::RevokedByAdministrator];
    prop_oneof![
        3 => groups().prop_map(Happening::Groups),
        3 => any::<bool>().prop_map(Happening::Disabled),
        1 => Just(Happening::Deleted),
        3 => groups().prop_map(Happening::ScopeGroups),
        3 => any::<bool>().prop_map(Happening::Offers),
        3 => prop_oneof![Just("notes.read notes.write"), Just("notes.read"), Just("")].prop_map(Happening::ApiScopes),
        4 => Just(Happening::Rotated),
        1 => proptest::sample::select(ends.to_vec()).prop_map(Happening::Ended),
        5 => (0_usize..2).prop_map(Happening::Exchanged),
        3 => (0_u64..40).prop_map(|hours| Happening::Later(Duration::from_hours(hours))),
    ]
}

/// A token's life up to now.
struct Life {
    directory: Directory,
    user: Option<User>,
    token: ApiToken,
    now: Time,
    /// Every secret that it had, each with when another one took its place.
    secrets: Vec<(Secret, Option<Time>)>,
    jwts: Vec<Jwt>,
}

/// A JWT as it was made of the token: for what, and where.
#[derive(Clone)]
struct Jwt {
    scope: Scope,
    audience: Vec<String>,
}

impl Jwt {
    /// As it is read when it is shown.
    fn shown(self, token: &ApiToken) -> LiveAccessToken {
        LiveAccessToken {
            id: Id::from_i64(50),
            client_id: "robot".to_owned(),
            scope: self.scope,
            audience: self.audience,
            subject: "whoever".to_owned(),
            jti: Jti { origin: Origin::ApiToken(token.id), token_id: Id::from_i64(50) },
            issued_at: token.created_at,
            expires_at: token.expires_at,
            approval: None,
            api_token: None,
        }
    }
}

impl Life {
    fn begin(scope: &str) -> Self {
        let issued = Desk::new(&directory()).issue(&ada(), &[], wanted(scope)).unwrap();
        let (_, secret) = PERSONAL_ACCESS_TOKEN.parse(&issued.reply).unwrap();
        let (user, secrets) = (Some(ada()), vec![(secret, None)]);
        Self { directory: directory(), user, token: inserted(issued), now: start(), secrets, jwts: Vec::new() }
    }

    /// What it allows now, whoever shows it.
    fn live(&self) -> Option<LiveApiToken> {
        let found = ApiTokenFacts { token: self.token.clone(), user: self.user.clone() };
        judge_in(&self.directory, found, self.now)
    }

    fn desk(&self) -> Desk<'_> {
        Desk { now: self.now, ..Desk::new(&self.directory) }
    }

    fn happen(&mut self, happening: &Happening) {
        let owned = |groups: &[&str]| groups.iter().map(|&group| group.to_owned()).collect();
        self.now = self.now.plus(Duration::from_mins(1));
        match happening {
            Happening::Groups(groups) => self.user.iter_mut().for_each(|user| user.groups = owned(groups)),
            Happening::Disabled(disabled) => self.user.iter_mut().for_each(|user| user.disabled = *disabled),
            Happening::Deleted => self.user = None,
            Happening::ScopeGroups(groups) => {
                self.directory.scopes.get_mut("pay.read").unwrap().groups = owned(groups);
            }
            Happening::Offers(offers) => self.notes().personal_access_tokens = *offers,
            Happening::ApiScopes(scopes) => self.notes().scopes = scopes.parse().unwrap(),
            Happening::Rotated => self.rotate(),
            Happening::Ended(end) => self.end(*end),
            Happening::Exchanged(place) => self.exchange(*place),
            Happening::Later(later) => self.now = self.now.plus(*later),
        }
    }

    fn notes(&mut self) -> &mut crate::directory::Resource {
        self.directory.resources.get_mut("https://notes").unwrap()
    }

    fn rotate(&mut self) {
        let seed = 100 + u64::try_from(self.secrets.len()).unwrap();
        let Ok(rotated) = rotate(self.desk().about(), &self.token, &draft(seed, self.now)) else { return };
        let Some(Change::ApiTokenRotate { rotation, .. }) = rotated.changes.first() else { return };
        let replaced = Some(Replaced { secret: self.token.secret, until: rotation.replaced_until });
        let (secret, rotated_at, expires_at) = (rotation.successor, self.now, rotation.expires_at);
        self.token = ApiToken { secret, replaced, rotated_at, expires_at, ..self.token.clone() };
        self.secrets.last_mut().unwrap().1 = Some(self.now);
        self.secrets.push((PERSONAL_ACCESS_TOKEN.parse(&rotated.reply).unwrap().1, None));
    }

    fn end(&mut self, end: ApiTokenEnd) {
        if !revoke(self.desk().about(), &self.token, end).is_empty() {
            self.token.ended = Some((self.now, end));
        }
    }

    /// As the exchange makes one: for one API, with all that the token allows there now.
    fn exchange(&mut self, place: usize) {
        let Some(live) = self.live() else { return };
        let Some(api) = live.rights.audience.get(place) else { return };
        let scope = self.directory.resources[api].scopes.intersection(&live.rights.scope);
        self.jwts.push(Jwt { scope, audience: vec![api.clone()] });
    }

    /// The scopes that the person may have now, whatever they hold.
    fn open(&self, scope: &str) -> bool {
        let groups = self.directory.scopes.get(scope).map(|scope| scope.groups.as_slice()).unwrap_or_default();
        let of_person = self.user.as_ref().map(|user| user.groups.as_slice()).unwrap_or_default();
        groups.is_empty() || groups.iter().any(|group| of_person.contains(group))
    }
}

proptest! {
    /// What a token allows is within what it was issued for and within what its owner could put into a new one now; the same
    /// holds for each JWT that was made of it. Once it is over, by whatever way, nothing of it counts again.
    #[test]
    fn neither_a_token_nor_what_was_made_of_it_allows_more_than_its_owner_may(
        asked in proptest::sample::subsequence(vec!["notes.read", "notes.write", "pay.read"], 1..=3),
        happenings in proptest::collection::vec(happening(), 0..12),
    ) {
        let mut life = Life::begin(&asked.join(" "));
        for happening in &happenings {
            life.happen(happening);
            let live = life.live();
            let is_on = life.user.as_ref().is_some_and(|user| !user.disabled);
            prop_assert!(live.is_none() || is_on && life.token.ended.is_none() && life.now < life.token.expires_at);
            let owner = rights::of_owner(&life.directory, &life.token.owner, life.user.as_ref());
            let allowed = live.as_ref().map_or(Scope::EMPTY, |live| live.rights.scope.clone());
            prop_assert!(allowed.is_subset(&life.token.scope) && allowed.is_subset(&owner));
            prop_assert!(allowed.iter().all(|scope| life.open(scope)));
            for jwt in &life.jwts {
                let found = ApiTokenFacts { token: life.token.clone(), user: life.user.clone() };
                let now = judge_in(&life.directory, found, life.now).and_then(|live| of_exchange(&life.directory, jwt.clone().shown(&life.token), live));
                let Some(now) = now else { continue };
                prop_assert!(!now.scope.is_empty() && now.scope.is_subset(&jwt.scope) && now.scope.is_subset(&allowed));
                let audience = live.as_ref().map(|live| live.rights.audience.as_slice()).unwrap_or_default();
                prop_assert!(now.audience == jwt.audience && now.audience.iter().all(|api| audience.contains(api)));
                prop_assert_eq!(Some(now.subject), life.user.as_ref().map(|user| user.subject.clone()));
            }
        }
    }

    /// The newest secret counts as long as the token, the one before for the overlap, and none that is older.
    #[test]
    fn a_secret_counts_until_the_one_after_the_next_at_most(
        happenings in proptest::collection::vec(happening(), 0..16),
    ) {
        let mut life = Life::begin("notes.read");
        let overlap = TokenPolicy::default().rotation_overlap;
        for happening in &happenings {
            life.happen(happening);
            for (before, (secret, replaced_at)) in life.secrets.iter().rev().enumerate() {
                let until = life.token.secret_until(secret);
                match (before, replaced_at) {
                    (0, _) => prop_assert_eq!(until, Some(life.token.expires_at)),
                    (1, Some(at)) => prop_assert!(until.is_some_and(|until| until <= at.plus(overlap))),
                    _ => prop_assert_eq!(until, None),
                }
            }
        }
    }

    /// What may be issued now may be used now.
    #[test]
    fn whatever_an_owner_could_have_now_a_new_token_allows(happenings in proptest::collection::vec(happening(), 0..8)) {
        let mut life = Life::begin("notes.read");
        for happening in &happenings {
            life.happen(happening);
            let Some(user) = life.user.clone() else { continue };
            for scope in rights::of_owner(&life.directory, &life.token.owner, Some(&user)).iter() {
                let issued = inserted(life.desk().issue(&user, &[], wanted(scope)).unwrap());
                let rights = rights::of_token(&life.directory, &issued, Some(&user));
                prop_assert_eq!(rights.scope.as_str(), scope);
            }
        }
    }
}

#[test]
fn the_histories_can_find_a_fault() {
    // A JWT that was not cut would be one.
    let mut life = Life::begin("notes.read pay.read");
    life.happen(&Happening::Exchanged(1));
    assert_eq!(life.jwts[0].scope.as_str(), "pay.read");
    life.happen(&Happening::Groups(Vec::new()));
    assert_eq!(life.live().unwrap().rights.scope.as_str(), "notes.read");
    assert!(of_exchange(&life.directory, life.jwts[0].clone().shown(&life.token), life.live().unwrap()).is_none());
    assert_eq!(token_of(&ada(), "notes.read").scope.as_str(), "notes.read");
}
