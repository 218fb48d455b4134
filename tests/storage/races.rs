//! Expectations: of many at once one wins, and who loses leaves nothing behind.

use grantor_core::audit::EventKind;
use grantor_core::change::Change;
use grantor_core::store::{Store, StoreError};
use grantor_core::time::Time;
use grantor_jose::id::Id;
use grantor_storage::{Database, EventFilter};

use super::samples::*;
use super::wait;

fn is_conflict(answer: &Result<(), StoreError>) -> bool {
    matches!(answer, Err(StoreError::Conflict))
}

pub async fn a_code_is_spent_once_by_24_at_once(database: &Database) {
    with_wiki_and_user(database).await;
    let id = id_at(NOW, 1);
    keep(database, [Change::CodeInsert(Box::new(code(id)))]).await;
    let redeem = |thread: i64| {
        let token = access_token(id_at(NOW, 100 + thread), None);
        vec![Change::AccessTokenInsert(Box::new(token)), Change::CodeSpend { id, at: NOW }, grant_insert(grant(id))]
    };
    let answers: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..24).map(|it| scope.spawn(move || wait(database.commit(redeem(it))))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(answers.iter().filter(|answer| is_conflict(answer)).count(), 23);
    assert_eq!(counts(database)["access_tokens"], 1);
}

pub async fn a_lost_race_keeps_nothing_of_its_set_and_harms_no_other(database: &Database) {
    with_wiki_and_user(database).await;
    let id = id_at(NOW, 1);
    keep(database, [Change::CodeInsert(Box::new(code(id))), Change::CodeSpend { id, at: NOW }]).await;
    let note = |place| Change::EventInsert(Box::new(event(id_at(NOW, place), EventKind::SignedOut)));
    let (before, lost, after) = tokio::join!(
        database.commit(vec![note(1)]),
        database.commit(vec![note(2), Change::CodeSpend { id, at: NOW }, note(3)]),
        database.commit(vec![note(4)]),
    );
    assert!(before.is_ok() && is_conflict(&lost) && after.is_ok());
    let kept: Vec<Id> = database.events(&EventFilter::default()).await.unwrap().iter().map(|event| event.id).collect();
    assert_eq!(kept, [id_at(NOW, 4), id_at(NOW, 1)]);
}

pub async fn a_refresh_token_is_rotated_once_a_generation(database: &Database) {
    with_wiki_and_user(database).await;
    let grant_id = id_at(NOW, 1);
    keep(database, [grant_insert(grant(grant_id)), Change::RefreshTokenInsert(Box::new(refresh_token(grant_id)))])
        .await;
    let idle_expires_at = NOW.plus(40 * DAY);
    let rotate = |generation| {
        let at = NOW.plus(HOUR);
        vec![Change::RefreshTokenRotate { grant_id, generation, successor: hash(8), at, idle_expires_at }]
    };
    assert!(is_conflict(&database.commit(rotate(1)).await));
    keep(database, rotate(0)).await;
    assert!(is_conflict(&database.commit(rotate(0)).await));
    let kept = database.refresh_token_find(grant_id).await.unwrap().unwrap().token;
    assert_eq!((kept.generation, kept.secret, kept.rotated_at), (1, hash(8), NOW.plus(HOUR)));
    assert_eq!(
        (kept.idle_expires_at, kept.absolute_expires_at),
        (idle_expires_at, refresh_token(grant_id).absolute_expires_at)
    );
}

pub async fn a_client_assertion_is_used_once(database: &Database) {
    let spend = |byte| vec![Change::AssertionSpend { digest: [byte; 32], expires_at: NOW.plus(HOUR) }];
    keep(database, spend(1)).await;
    assert!(is_conflict(&database.commit(spend(1)).await));
    keep(database, spend(2)).await;
}

pub async fn each_of_many_guesses_at_once_counts(database: &Database) {
    let put = |expected, failures| vec![Change::AttemptsPut { expected, slot: 65_537, failures, window_started: NOW }];
    keep(database, put(None, 1)).await;
    for stale in [None, Some((2, NOW)), Some((1, Time::default()))] {
        assert!(is_conflict(&database.commit(put(stale, 2)).await));
    }
    keep(database, put(Some((1, NOW)), 2)).await;
    assert_eq!(database.attempts_find(65_537).await.unwrap(), Some((2, NOW)));
    assert_eq!(database.attempts_find(65_538).await.unwrap(), None);
}

pub async fn what_refers_to_something_removed_is_a_lost_race(database: &Database) {
    with_wiki_and_user(database).await;
    keep(database, [Change::UserRemove(Id::from_i64(7))]).await;
    let id = id_at(NOW, 1);
    for change in [Change::CodeInsert(Box::new(code(id))), grant_insert(grant(id)), session_insert(session(id, 7))] {
        assert!(is_conflict(&database.commit(vec![change]).await));
    }
}
