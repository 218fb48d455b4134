//! What people prove themselves with beside their password.

use grantor_core::change::Change;
use grantor_core::second_factor::{SecondFactor, SecondFactorChange};
use grantor_core::store::{Store, StoreError};
use grantor_jose::id::Id;
use grantor_jose::secret::SecretText;
use grantor_storage::Database;

use super::samples::*;

const ID: Id = Id::from_i64(90);
const ADA: Id = Id::from_i64(7);

fn factor(id: i64) -> SecondFactor {
    SecondFactor {
        id: Id::from_i64(id),
        user_id: ADA,
        key: SecretText::new("GEZDGNBVGY3TQOJQ".into()),
        last_step: 100,
        recovery: vec![hash(1), hash(2)],
        created_at: NOW,
    }
}

async fn with_factor(database: &Database) {
    with_wiki_and_user(database).await;
    keep(database, [SecondFactorChange::Insert(Box::new(factor(90))).into()]).await;
}

async fn is_conflict(database: &Database, change: SecondFactorChange) -> bool {
    match database.commit(vec![change.into()]).await {
        Ok(()) => false,
        Err(StoreError::Conflict) => true,
        Err(error) => panic!("{error}"),
    }
}

pub async fn a_second_factor_comes_back_as_it_was_and_a_person_has_one(database: &Database) {
    with_factor(database).await;
    let found = database.second_factor_of(ADA).await.unwrap().unwrap();
    let is_same = found.key.expose() == "GEZDGNBVGY3TQOJQ" && found.recovery == [hash(1), hash(2)];
    assert!(is_same && (found.id, found.last_step, found.created_at) == (ID, 100, NOW));
    assert!(database.has_second_factor(ADA).await.unwrap());
    assert!(is_conflict(database, SecondFactorChange::Insert(Box::new(factor(91)))).await);
    assert!(!database.has_second_factor(Id::from_i64(8)).await.unwrap());
}

pub async fn a_code_of_a_second_factor_is_spent_once_with_all_before_it(database: &Database) {
    with_factor(database).await;
    let spend = |step| SecondFactorChange::CodeSpend { id: ID, step };
    for (step, spent) in [(100, true), (99, true), (101, false), (101, true), (103, false), (102, true)] {
        assert_eq!(is_conflict(database, spend(step)).await, spent, "{step}");
    }
    assert!(is_conflict(database, SecondFactorChange::CodeSpend { id: Id::from_i64(91), step: 200 }).await);
}

pub async fn recovery_codes_are_replaced_as_they_were_read(database: &Database) {
    with_factor(database).await;
    let put = |read: &[u8], kept: &[u8]| SecondFactorChange::RecoveryPut {
        id: ID,
        read: read.iter().map(|byte| hash(*byte)).collect(),
        kept: kept.iter().map(|byte| hash(*byte)).collect(),
    };
    assert!(!is_conflict(database, put(&[1, 2], &[2])).await);
    assert!(is_conflict(database, put(&[1, 2], &[1])).await, "somebody else was first");
    assert!(!is_conflict(database, put(&[2], &[])).await);
    assert!(!is_conflict(database, put(&[], &[5, 6, 7])).await);
    assert_eq!(database.second_factor_of(ADA).await.unwrap().unwrap().recovery.len(), 3);
}

pub async fn a_second_factor_goes_once_and_with_its_person(database: &Database) {
    with_factor(database).await;
    assert!(!is_conflict(database, SecondFactorChange::Remove(ID)).await);
    assert!(is_conflict(database, SecondFactorChange::Remove(ID)).await);
    keep(database, [SecondFactorChange::Insert(Box::new(factor(91))).into()]).await;
    keep(database, [Change::UserRemove(ADA)]).await;
    assert_eq!(counts(database).get("second_factors"), None);
}

pub async fn who_expects_no_second_factor_finds_one_that_was_set_up_meanwhile(database: &Database) {
    with_wiki_and_user(database).await;
    let none = || SecondFactorChange::ExpectNone(ADA);
    assert!(!is_conflict(database, none()).await);
    keep(database, [none().into(), SecondFactorChange::Insert(Box::new(factor(90))).into()]).await;
    assert!(is_conflict(database, none()).await);
    keep(database, [SecondFactorChange::Remove(ID).into(), none().into()]).await;
    assert!(!is_conflict(database, SecondFactorChange::ExpectNone(Id::from_i64(8))).await, "nobody has none");
}

pub async fn an_epoch_leaves_no_recovery_code_and_the_app(database: &Database) {
    with_factor(database).await;
    keep(database, [Change::EpochBegin { at: NOW.plus(HOUR) }]).await;
    let found = database.second_factor_of(ADA).await.unwrap().unwrap();
    assert!(found.recovery.is_empty() && found.key.expose() == "GEZDGNBVGY3TQOJQ");
}

pub async fn what_was_spent_is_known_until_its_note_is_needed_no_more(database: &Database) {
    let (digest, expires_at) = ([9; 32], NOW.plus(HOUR));
    assert!(!database.is_spent(&digest, NOW).await.unwrap());
    keep(database, [Change::AssertionSpend { digest, expires_at }]).await;
    let is_spent = async |digest: [u8; 32], now| database.is_spent(&digest, now).await.unwrap();
    assert!(is_spent(digest, NOW).await && !is_spent([8; 32], NOW).await && !is_spent(digest, expires_at).await);
}
