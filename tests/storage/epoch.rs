//! A new epoch, as after a restore.

use std::sync::Arc;

use grantor_core::audit::EventKind;
use grantor_core::change::Change;
use grantor_core::grant::GrantEnd;
use grantor_core::key::KeyRecord;
use grantor_core::store::Store;
use grantor_jose::algorithm::Algorithm;
use grantor_jose::id::Id;
use grantor_jose::key::SigningKey;
use grantor_jose::random::Random;
use grantor_storage::Database;

use super::samples::*;

fn key_put(id: i64) -> Change {
    let key = Arc::new(SigningKey::generate(Algorithm::Es256, &Random::new()).unwrap());
    Change::KeyPut(Box::new(KeyRecord::fresh(Id::from_i64(id), key, NOW, NOW)))
}

/// One of each thing that is issued, and of what stays.
async fn with_everything(database: &Database, id: Id) {
    with_wiki_and_user(database).await;
    let changes = [
        key_put(5),
        session_insert(session(id, 7)),
        Change::CodeInsert(Box::new(code(id))),
        grant_insert(offline(grant(id))),
        Change::RefreshTokenInsert(Box::new(refresh_token(id))),
        Change::AccessTokenInsert(Box::new(access_token(id, None))),
        Change::AttemptsPut { expected: None, slot: 3, failures: 2, window_started: NOW },
        Change::AssertionSpend { digest: [9; 32], expires_at: NOW },
        Change::AccessTokenRevoke { id, expires_at: NOW },
        Change::EventInsert(Box::new(event(id, EventKind::SignedOut))),
    ];
    keep(database, changes).await;
}

pub async fn a_new_epoch_ends_what_was_issued_and_nothing_else(database: &Database) {
    let (id, at) = (id_at(NOW, 1), NOW.plus(HOUR));
    with_everything(database, id).await;
    let (before, rows) = (database.directory(), counts(database));
    keep(database, [Change::EpochBegin { at }, key_put(6)]).await;
    assert!(database.code_find(id).await.unwrap().is_none());
    assert!(database.access_token_find(id).await.unwrap().is_none());
    assert!(database.attempts_find(3).await.unwrap().is_none());
    assert_eq!(database.session_find(id).await.unwrap().unwrap().0.ended_at, Some(at));
    assert_eq!(grant_find(database, id).await.unwrap().grant.ended, Some((at, GrantEnd::EpochBegun)));
    let after = database.directory();
    assert_eq!(after.keys.keys.iter().map(|record| record.id.as_i64()).collect::<Vec<_>>(), [6]);
    assert_ne!(after.secrets.browser.tag(&[b"it"]), before.secrets.browser.tag(&[b"it"]));
    assert_eq!((before.epoch, after.epoch), (None, Some(at)));
    assert!(after.revision > at.millis(), "later than any that a server may have read before a restore");
    assert!(is_revoked(database, id).await);
    let issued = ["authorization_codes", "access_tokens"];
    assert!(rows.into_iter().filter(|(table, _)| !issued.contains(table)).eq(counts(database)));
}

pub async fn what_ended_before_an_epoch_keeps_its_end(database: &Database) {
    let id = id_at(NOW, 1);
    with_everything(database, id).await;
    let end = GrantEnd::RevokedByUser;
    keep(database, [Change::GrantEnd { id, at: NOW, end }, Change::SessionEnd { id, at: NOW }]).await;
    keep(database, [Change::EpochBegin { at: NOW.plus(HOUR) }]).await;
    assert_eq!(grant_find(database, id).await.unwrap().grant.ended, Some((NOW, end)));
    assert_eq!(database.session_find(id).await.unwrap().unwrap().0.ended_at, Some(NOW));
}
