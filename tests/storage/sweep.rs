//! What goes when it has served, and what stays.

use std::sync::Arc;
use std::time::Duration;

use grantor_core::audit::EventKind;
use grantor_core::change::Change;
use grantor_core::grant::{GrantEnd, RefreshToken};
use grantor_core::key::KeyRecord;
use grantor_core::policy::Lifetimes;
use grantor_core::session::Session;
use grantor_core::store::Store;
use grantor_core::time::Time;
use grantor_jose::algorithm::Algorithm;
use grantor_jose::id::Id;
use grantor_jose::key::SigningKey;
use grantor_jose::random::Random;
use grantor_storage::Database;

use super::samples::*;

async fn sweep(database: &Database, now: Time) -> usize {
    database.sweep(now, &Lifetimes::default()).await.unwrap()
}

pub async fn tokens_codes_and_notes_go_when_they_have_expired(database: &Database) {
    with_wiki_and_user(database).await;
    let (old, new) = (id_at(NOW, 1), id_at(NOW.plus(HOUR), 1));
    for id in [old, new] {
        let expires_at = Time::from_millis(id.created_ms()).plus(Duration::from_mins(10));
        let digest = [u8::from(id == new); 32];
        let changes = [
            Change::CodeInsert(Box::new(code(id))),
            Change::CodeSpend { id, at: NOW },
            Change::AccessTokenInsert(Box::new(access_token(id, None))),
            Change::AccessTokenRevoke { id, expires_at },
            Change::AssertionSpend { digest, expires_at },
        ];
        keep(database, changes).await;
    }
    // The old token and both of its notes; codes are kept a day to recognise a replay.
    assert_eq!(sweep(database, NOW.plus(HOUR)).await, 3);
    assert!(database.access_token_find(old).await.unwrap().is_none());
    assert!(database.access_token_find(new).await.unwrap().is_some());
    assert!(!is_revoked(database, old).await);
    assert!(is_revoked(database, new).await);
    assert!(database.code_find(old).await.unwrap().is_some());
    assert_eq!(sweep(database, NOW.plus(DAY + 2 * Duration::from_mins(1))).await, 4);
    assert!(database.code_find(old).await.unwrap().is_none());
    assert!(database.code_find(new).await.unwrap().is_some());
}

pub async fn a_grant_goes_when_nothing_can_come_of_it(database: &Database) {
    with_wiki_and_user(database).await;
    let [plain, ended, idle, live] = [1, 2, 3, 4].map(|place| id_at(NOW, place));
    let used = RefreshToken { idle_expires_at: NOW.plus(80 * DAY), ..refresh_token(live) };
    let unused = RefreshToken { idle_expires_at: NOW.plus(DAY), ..refresh_token(idle) };
    keep(database, [plain, ended, idle, live].map(|id| grant_insert(grant(id)))).await;
    keep(database, [refresh_token(ended), unused, used].map(|token| Change::RefreshTokenInsert(Box::new(token)))).await;
    keep(database, [Change::GrantEnd { id: ended, at: NOW, end: GrantEnd::SignedOut }]).await;
    let left = async || -> Vec<Id> {
        let mut left = Vec::new();
        for id in [plain, ended, idle, live] {
            left.extend(grant_find(database, id).await.map(|facts| facts.grant.id));
        }
        left
    };
    assert_eq!(sweep(database, NOW.plus(DAY)).await, 0);
    sweep(database, NOW.plus(DAY + Duration::from_mins(5))).await;
    assert_eq!(left().await, [plain, idle, live]);
    sweep(database, NOW.plus(DAY + HOUR)).await;
    assert_eq!(left().await, [idle, live]);
    sweep(database, NOW.plus(3 * DAY)).await;
    assert_eq!(left().await, [live]);
    assert_eq!(counts(database)["refresh_tokens"], 1);
    sweep(database, NOW.plus(82 * DAY)).await;
    assert!(left().await.is_empty());
}

pub async fn a_session_goes_when_it_has_long_been_dead(database: &Database) {
    with_wiki_and_user(database).await;
    let [ended, idle, live] = [1, 2, 3].map(|place| id_at(NOW, place));
    let seen = Session { last_seen_at: NOW.plus(6 * DAY), ..session(live, 7) };
    keep(database, [session(ended, 7), session(idle, 7), seen].map(session_insert)).await;
    keep(database, [Change::SessionEnd { id: ended, at: NOW }]).await;
    let left = async || counts(database).get("sessions").copied().unwrap_or_default();
    assert_eq!(sweep(database, NOW.plus(23 * HOUR)).await, 0);
    sweep(database, NOW.plus(DAY + HOUR)).await;
    assert_eq!(left().await, 2);
    assert!(database.session_find(ended).await.unwrap().is_none());
    // Also what nobody was seen in for long: an app may go on with what was allowed there.
    sweep(database, NOW.plus(7 * DAY)).await;
    assert_eq!(left().await, 2);
    sweep(database, NOW.plus(8 * DAY)).await;
    assert_eq!(left().await, 0);
}

pub async fn keys_and_events_go_when_they_are_too_old(database: &Database) {
    let key = |id| Arc::new(SigningKey::generate(Algorithm::EdDsa, &Random::seeded(id)).unwrap());
    let fresh = |id: i64| KeyRecord::fresh(Id::from_i64(id), key(id.unsigned_abs()), NOW, NOW);
    let gone = KeyRecord { remove_at: Some(NOW.plus(HOUR)), ..fresh(1) };
    keep(database, [gone, fresh(2)].map(|record| Change::KeyPut(Box::new(record)))).await;
    let attempts = Change::AttemptsPut { expected: None, slot: 1, failures: 3, window_started: NOW };
    let note = |moment| Change::EventInsert(Box::new(event(id_at(moment, 0), EventKind::SignedOut)));
    keep(database, [attempts, note(NOW), note(NOW.plus(DAY))]).await;
    // A key is remembered for as long as a session may last after it was published.
    assert_eq!(sweep(database, NOW.plus(7 * DAY)).await, 1);
    assert_eq!(database.directory().keys.keys.len(), 2);
    assert_eq!(sweep(database, NOW.plus(7 * DAY + HOUR)).await, 1);
    assert_eq!(database.directory().keys.keys.len(), 1);
    assert_eq!(database.attempts_find(1).await.unwrap(), None);
    assert_eq!(sweep(database, NOW.plus(400 * DAY)).await, 0);
    assert_eq!(sweep(database, NOW.plus(400 * DAY + HOUR)).await, 1);
    assert_eq!(counts(database), [("events", 1)].into());
}

pub async fn many_rows_go_in_small_steps(database: &Database) {
    with_wiki_and_user(database).await;
    for thousand in 0..3 {
        let ids = (0..1000).map(|place| id_at(NOW, thousand * 1000 + place));
        let rows = ids
            .flat_map(|id| [grant_insert(grant(id)), Change::AccessTokenInsert(Box::new(access_token(id, Some(id))))]);
        keep(database, rows).await;
    }
    assert_eq!(sweep(database, NOW.plus(HOUR)).await, 3000);
    assert_eq!(sweep(database, NOW.plus(2 * DAY)).await, 3000);
    assert_eq!(counts(database), [("clients", 1), ("users", 1)].into());
}
