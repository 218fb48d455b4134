#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::directory::Resource;
use crate::grant::OidcContext;
use crate::grant_type::tests::Frame;
use crate::params::Params;
use crate::session::tests::session;
use crate::time::Time;
use crate::user::tests::ada;

const START: Time = Time::from_seconds(1000);

/// A family that is kept as the store would keep it.
struct Family {
    frame: Frame,
    row: RefreshToken,
    grant: Grant,
    session: Session,
    consent: Consent,
    /// The secrets handed out so far, the first one first.
    secrets: Vec<String>,
}

impl Family {
    fn untick_offline_access(&mut self) {
        self.consent.granted = "openid profile".parse().unwrap();
        self.consent.declined = "offline_access".parse().unwrap();
    }

    fn new() -> Self {
        let frame = Frame::new();
        let first = frame.fresh();
        let grant = Grant {
            id: first.id,
            client_id: "wiki".into(),
            user_id: ada().id,
            session_id: first.id,
            scope: "openid profile offline_access".parse().unwrap(),
            context: OidcContext::default(),
            created_at: START,
            ended: None,
        };
        let row = RefreshToken {
            grant_id: first.id,
            generation: 0,
            secret: first.secret.hash(),
            rotated_at: START,
            idle_expires_at: START.plus(frame.policy.lifetimes.refresh_token_idle),
            absolute_expires_at: START.plus(frame.policy.lifetimes.refresh_token_absolute),
        };
        let consent = Consent {
            user_id: ada().id,
            client_id: "wiki".into(),
            granted: grant.scope.clone(),
            declined: Scope::EMPTY,
            created_at: START,
            updated_at: START,
        };
        let secrets = vec![first.secret.to_text()];
        Self { frame, row, grant, session: session(START), consent, secrets }
    }

    /// Presents the secret of a generation; what is decided is kept.
    fn present(&mut self, generation: usize, scope: Option<&str>, now: Time) -> Result<Redeemed, &'static str> {
        let mut pairs = vec![("grant_type", "refresh_token"), ("refresh_token", "t")];
        pairs.extend(scope.map(|scope| ("scope", scope)));
        let params = Params::from_pairs(pairs).unwrap();
        let facts = Facts {
            presented: Secret::parse(&self.secrets[generation]).unwrap(),
            row: self.row.clone(),
            grant: self.grant.clone(),
            user: ada(),
            session: Some(self.session.clone()),
            consent: Some(self.consent.clone()),
            access: self.frame.fresh(),
            address: "::1".into(),
        };
        let decision = decide(&self.frame.request(&params, now), facts);
        let (changes, outcome) = match decision {
            Ok(Decision { changes, reply }) => (changes, Ok(reply)),
            Err(Refusal { error, changes }) => (changes, Err(error.reason())),
        };
        for change in &changes {
            self.keep(change);
        }
        if let Ok(Redeemed { refresh_token: Some(token), .. }) = &outcome {
            let (_, secret) = token::REFRESH.parse(token).unwrap();
            if !self.secrets.contains(&secret.to_text()) {
                self.secrets.push(secret.to_text());
            }
        }
        outcome
    }

    fn keep(&mut self, change: &Change) {
        match *change {
            Change::RefreshTokenRotate { generation, successor, at, idle_expires_at, .. } => {
                assert_eq!(generation, self.row.generation);
                self.row = RefreshToken {
                    generation: generation + 1,
                    secret: successor,
                    rotated_at: at,
                    idle_expires_at,
                    ..self.row.clone()
                };
            }
            Change::GrantEnd { at, end, .. } => self.grant.ended = Some((at, end)),
            _ => {}
        }
    }
}

fn at(seconds: i64) -> Time {
    Time::from_seconds(seconds)
}

#[test]
fn a_lost_answer_is_given_again_within_the_grace_window() {
    let mut family = Family::new();
    let first = family.present(0, None, at(2000)).unwrap().refresh_token;
    let again = family.present(0, None, at(2009)).unwrap().refresh_token;
    assert_eq!(first, again);
    assert!(family.grant.ended.is_none());
}

#[test]
fn a_replaced_token_ends_the_family_after_the_grace_window() {
    let mut family = Family::new();
    family.present(0, None, at(2000)).unwrap();
    assert_eq!(family.present(0, None, at(2010)).unwrap_err(), "RefreshTokenReused");
    assert_eq!(family.present(1, None, at(2011)).unwrap_err(), "GrantEnded");
}

#[test]
fn once_the_successor_was_used_the_old_token_is_a_reuse_even_in_the_window() {
    let mut family = Family::new();
    family.present(0, None, at(2000)).unwrap();
    family.present(1, None, at(2001)).unwrap();
    assert_eq!(family.present(0, None, at(2002)).unwrap_err(), "RefreshTokenReused");
}

#[test]
fn a_guess_ends_nothing() {
    let mut family = Family::new();
    family.present(0, None, at(2000)).unwrap();
    let guess = family.frame.fresh().secret.to_text();
    family.secrets.push(guess);
    assert_eq!(family.present(2, None, at(3000)).unwrap_err(), "RefreshTokenUnknown");
    assert!(family.grant.ended.is_none());
}

#[test]
fn rotation_does_not_extend_the_absolute_life() {
    let mut family = Family::new();
    let day = 86_400;
    for (generation, days) in [29, 58, 87].into_iter().enumerate() {
        family.present(generation, None, at(1000 + days * day)).unwrap();
    }
    assert_eq!(family.present(3, None, at(1000 + 90 * day)).unwrap_err(), "RefreshTokenExpired");
}

#[test]
fn an_idle_token_expires() {
    assert_eq!(
        Family::new().present(0, None, START.plus(Duration::from_hours(30 * 24))).unwrap_err(),
        "RefreshTokenExpired"
    );
}

#[test]
fn a_narrowed_refresh_does_not_narrow_the_grant() {
    let mut family = Family::new();
    assert_eq!(family.present(0, Some("openid"), at(2000)).unwrap().target.scope.as_str(), "openid");
    assert_eq!(family.present(1, Some("openid email"), at(2020)).unwrap_err(), "ScopeWidened");
    assert_eq!(family.present(1, None, at(2020)).unwrap().target.scope.as_str(), "offline_access openid profile");
}

#[test]
fn without_offline_access_it_lasts_as_long_as_the_sign_in() {
    let mut family = Family::new();
    family.grant.scope = "openid profile".parse().unwrap();
    let hour = 3600;
    assert!(family.present(0, None, at(1000 + 11 * hour)).is_ok());
    assert!(family.present(1, None, at(1000 + 22 * hour)).is_ok(), "a use by the app is one");
    assert_eq!(family.present(2, None, at(1000 + 34 * hour)).unwrap_err(), "GrantEnded");
    let mut family = Family::new();
    family.grant.scope = "openid profile".parse().unwrap();
    family.session.ended_at = Some(at(1500));
    assert_eq!(family.present(0, None, at(1600)).unwrap_err(), "GrantEnded");
}

#[test]
fn with_offline_access_unticked_since_it_lasts_as_long_as_the_sign_in() {
    let mut family = Family::new();
    family.session.ended_at = Some(at(1500));
    assert!(family.present(0, None, at(1600)).is_ok());
    family.untick_offline_access();
    assert_eq!(family.present(1, None, at(1700)).unwrap_err(), "GrantEnded");
}

#[test]
fn an_app_that_asks_nobody_does_not_overrule_who_has_unticked_offline_access() {
    let mut family = Family::new();
    Arc::make_mut(&mut family.frame.client).metadata.skip_consent = true;
    family.untick_offline_access();
    assert!(family.present(0, None, at(1600)).is_ok());
    family.session.ended_at = Some(at(1650));
    assert_eq!(family.present(1, None, at(1700)).unwrap_err(), "GrantEnded");
    // Who was never asked has not declined.
    family.consent.declined = Scope::EMPTY;
    assert!(family.present(1, None, at(1700)).is_ok());
}

#[test]
fn a_token_that_would_allow_nothing_is_not_given() {
    let mut family = Family::new();
    let notes = Resource {
        identifier: "https://notes".into(),
        name: String::new(),
        scopes: "profile".parse().unwrap(),
        access_token_format: None,
        access_token_lifetime: None,
        introspection_clients: Vec::new(),
        personal_access_tokens: false,
        networks: crate::network::Networks::ANYWHERE,
    };
    let mail = Resource { identifier: "https://mail".into(), scopes: "email".parse().unwrap(), ..notes.clone() };
    family.frame.directory.resources = [notes, mail].map(|api| (api.identifier.clone(), api)).into();
    family.grant.scope = "email profile".parse().unwrap();
    family.grant.context.resources = vec!["https://notes".into()];
    family.consent.granted = family.grant.scope.clone();
    assert_eq!(family.present(0, None, at(2000)).unwrap().target.scope.as_str(), "profile");
    // What is left belongs to another API than the one that was asked for.
    family.consent.granted = "email".parse().unwrap();
    assert_eq!(family.present(1, None, at(2020)).unwrap_err(), "GrantEnded");
    assert_eq!(family.present(1, Some("email"), at(2020)).unwrap_err(), "ScopeNotAllowed");
}

#[test]
fn what_the_person_unticked_since_is_not_given_any_more() {
    let mut family = Family::new();
    family.consent.granted = "openid offline_access".parse().unwrap();
    assert_eq!(family.present(0, None, at(2000)).unwrap().target.scope.as_str(), "offline_access openid");
    family.consent.granted = Scope::EMPTY;
    assert_eq!(family.present(1, None, at(2020)).unwrap_err(), "GrantEnded");
}

proptest! {
    /// Any order of presentations: at most one token counts at a time outside the window, nothing counts after the end,
    /// and the scope never grows.
    #[test]
    fn a_family_has_one_live_token(steps in proptest::collection::vec((0usize..6, 0i64..15, any::<bool>()), 1..12)) {
        let mut family = Family::new();
        let mut now = 2000;
        for (pick, wait, narrow) in steps {
            now += wait;
            let newest = family.secrets.len() - 1;
            let generation = pick.min(newest);
            let (ended, rotated_at) = (family.grant.ended.is_some(), family.row.rotated_at);
            let outcome = family.present(generation, narrow.then_some("openid"), at(now));
            if let Ok(redeemed) = outcome {
                prop_assert!(!ended);
                prop_assert!(redeemed.target.scope.is_subset(&family.grant.scope));
                let in_grace = generation + 1 == newest && at(now).since(rotated_at) < Duration::from_secs(10);
                prop_assert!(generation == newest || in_grace);
            } else if !ended {
                prop_assert!(generation < newest && family.grant.ended.is_some());
            }
        }
    }
}
