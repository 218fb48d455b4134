#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::cell::RefCell;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use grantor_jose::id::Id;
use grantor_jose::random::Mint;

use super::*;
use crate::authorization::step::{Situation, Step, next_step};
use crate::authorization::tests::request as sample;
use crate::authorization::{ResponseType, Started};
use crate::client::AccessTokenFormat;
use crate::consent::Consent;
use crate::directory::Directory;
use crate::grant::AccessToken;
use crate::policy::Policy;
use crate::provider::Issuer;
use crate::store::{AccessTokenFacts, ApiTokenFacts, CodeFacts, RefreshTokenFacts, StoreError};
use crate::time::Time;
use crate::user::tests::ada;

const NOW: Time = Time::from_seconds(10_000);

/// A store that knows nothing and has no key to sign with; it notes what is to be kept, and keeps it or not.
struct Noting {
    directory: Arc<Directory>,
    answer: fn() -> Result<(), StoreError>,
    noted: RefCell<Vec<Change>>,
}

impl Store for Noting {
    fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.directory)
    }

    async fn access_token_find(&self, _: Id) -> Result<Option<(AccessToken, AccessTokenFacts)>, StoreError> {
        Ok(None)
    }

    async fn access_token_facts(&self, _: Id, _: Option<Id>) -> Result<AccessTokenFacts, StoreError> {
        Ok(AccessTokenFacts::default())
    }

    async fn api_token_find(&self, _: Id) -> Result<Option<ApiTokenFacts>, StoreError> {
        Ok(None)
    }

    async fn code_find(&self, _: Id) -> Result<Option<CodeFacts>, StoreError> {
        Ok(None)
    }

    async fn consent_find(&self, _: Id, _: &str) -> Result<Option<Consent>, StoreError> {
        Ok(None)
    }

    async fn refresh_token_find(&self, _: Id) -> Result<Option<RefreshTokenFacts>, StoreError> {
        Ok(None)
    }

    async fn session_find(&self, _: Id) -> Result<Option<(Session, User)>, StoreError> {
        Ok(None)
    }

    async fn user_find(&self, _: Id) -> Result<Option<User>, StoreError> {
        Ok(None)
    }

    async fn commit(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        self.noted.borrow_mut().extend(changes);
        (self.answer)()
    }
}

fn done<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the store never waits"),
    }
}

/// What is to be kept for an answer of this kind, and how the answer ends.
fn answered(
    response_type: ResponseType,
    format: AccessTokenFormat,
    store: fn() -> Result<(), StoreError>,
) -> (Vec<Change>, &'static str) {
    let (session, user) = (Session { last_seen_at: NOW, ..crate::session::tests::session(NOW) }, ada());
    let mut request = AuthorizationRequest { response_type, started: Started::now(NOW), ..sample() };
    request.scope = "openid profile offline_access".parse().unwrap();
    Arc::make_mut(&mut request.client).metadata.access_token_format = format;
    let consent = Consent {
        user_id: user.id,
        client_id: "wiki".into(),
        granted: request.scope.clone(),
        declined: "".parse().unwrap(),
        created_at: NOW,
        updated_at: NOW,
    };
    let provider = Provider {
        issuer: Issuer::parse("https://id.example").unwrap(),
        policy: Policy::default(),
        store: Noting { directory: Arc::default(), answer: store, noted: RefCell::default() },
        mint: Arc::new(Mint::seeded(7)),
    };
    let situation = Situation {
        session: Some((&session, &user)),
        origin: None,
        consent: Some(&consent),
        other: None,
        reachable: None,
        subjects: &provider.store.directory.secrets.subjects,
        lifetimes: &provider.policy.lifetimes,
        now: NOW,
    };
    let Ok(Step::Respond(approved)) = next_step(&request, situation) else { panic!("approved") };
    let answer = done(answer(&provider, &request, &approved, (&session, &user), Call::new(NOW, "::1")));
    (provider.store.noted.into_inner(), answer.map_or_else(|error| error.reason(), |_| "answered"))
}

fn names(changes: &[Change]) -> Vec<String> {
    let name = |change: &Change| format!("{change:?}").split(['(', ' ']).next().unwrap_or_default().to_owned();
    changes.iter().map(name).collect()
}

const KEPT: fn() -> Result<(), StoreError> = || Ok(());
const LOST: fn() -> Result<(), StoreError> = || Err(StoreError::Conflict);

#[test]
fn nothing_is_signed_that_is_not_kept() {
    for kind in ResponseType::ALL.into_iter().filter(|kind| kind.is_front_channel()) {
        // There is no key: whoever comes to sign finds that out.
        assert_eq!(answered(kind, AccessTokenFormat::Jwt, LOST).1, "StoreConflict", "{kind:?}");
        assert_eq!(answered(kind, AccessTokenFormat::Jwt, KEPT).1, "SigningKeyMissing", "{kind:?}");
    }
}

#[test]
fn what_the_approval_hangs_on_must_still_hold() {
    let needed = ["ConsentExpect", "SessionExpect", "GrantInsert"];
    let of = |kind, format| names(&answered(kind, format, KEPT).0);
    assert_eq!(of(ResponseType::IdToken, AccessTokenFormat::Opaque), needed);
    assert_eq!(of(ResponseType::IdTokenToken, AccessTokenFormat::Jwt), needed);
    assert_eq!(of(ResponseType::IdTokenToken, AccessTokenFormat::Opaque)[3..], ["AccessTokenInsert"]);
    assert_eq!(of(ResponseType::CodeIdToken, AccessTokenFormat::Jwt), [&["CodeInsert"], &needed[..]].concat());
}

#[test]
fn a_code_alone_costs_what_it_always_did() {
    assert_eq!(names(&answered(ResponseType::Code, AccessTokenFormat::Jwt, KEPT).0), ["CodeInsert"]);
}

#[test]
fn no_grant_of_the_browser_outlives_the_session() {
    for kind in ResponseType::ALL.into_iter().filter(|kind| kind.is_front_channel()) {
        for change in answered(kind, AccessTokenFormat::Opaque, KEPT).0 {
            match change {
                Change::GrantInsert(grant) => assert!(!grant.is_offline() && grant.ended.is_none(), "{kind:?}"),
                Change::AccessTokenInsert(token) => {
                    assert!(token.grant_id.is_some() && !token.scope.contains(OFFLINE_ACCESS), "{kind:?}");
                    assert!(token.expires_at <= NOW.plus(LONGEST), "{kind:?}");
                }
                Change::CodeInsert(code) => assert!(code.scope.contains(OFFLINE_ACCESS), "{kind:?}"),
                _ => {}
            }
        }
    }
}
