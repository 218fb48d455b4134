//! Clients that register themselves, and what they register with.

use std::sync::Arc;

use grantor_core::change::Change;
use grantor_core::client::{Client, Trust};
use grantor_core::consent::Consent;
use grantor_core::registration::{InitialToken, Registration, RegistrationChange, Replaced};
use grantor_core::store::{Store, StoreError};
use grantor_jose::id::Id;
use grantor_storage::Database;

use super::samples::*;

fn registration(client_id: &str, id: i64) -> Registration {
    Registration {
        id: Id::from_i64(id),
        client_id: client_id.into(),
        secret: hash(1),
        replaced: Some(Replaced { secret: hash(2), until: NOW.plus(DAY) }),
        address: "2001:db8::".into(),
        initial_token: Some(Id::from_i64(3)),
        created_at: NOW,
    }
}

fn token(id: i64, uses: u32) -> InitialToken {
    InitialToken {
        id: Id::from_i64(id),
        name: "CI ☃".into(),
        secret: hash(4),
        created_at: NOW,
        expires_at: NOW.plus(DAY),
        uses,
        uses_left: uses,
        ended_at: None,
    }
}

fn consent(client_id: &str) -> Consent {
    Consent {
        user_id: Id::from_i64(7),
        client_id: client_id.into(),
        granted: scope("openid"),
        declined: scope(""),
        created_at: NOW,
        updated_at: NOW,
    }
}

fn put(client_id: &str) -> Change {
    Change::ClientPut(Box::new(client(client_id)))
}

fn insert(client_id: &str, id: i64) -> Change {
    RegistrationChange::Insert(Box::new(registration(client_id, id))).into()
}

pub async fn a_registration_comes_back_and_goes_with_its_client(database: &Database) {
    assert!(
        matches!(database.commit(vec![insert("wiki", 1)]).await, Err(StoreError::Conflict)),
        "no client, no registration"
    );
    keep(database, [put("wiki"), insert("wiki", 1)]).await;
    assert_eq!(database.registration_find("wiki").await.unwrap(), Some(registration("wiki", 1)));
    assert_eq!(database.registrations().await.unwrap(), [registration("wiki", 1)]);
    assert!(matches!(database.commit(vec![insert("wiki", 2)]).await, Err(StoreError::Conflict)), "one each");
    keep(database, [Change::ClientRemove("wiki".into())]).await;
    assert_eq!(database.registration_find("wiki").await.unwrap(), None);
}

pub async fn of_two_that_change_a_secret_one_does(database: &Database) {
    keep(database, [put("wiki"), insert("wiki", 1)]).await;
    let change = |expected, secret| RegistrationChange::Secret {
        id: Id::from_i64(1),
        expected: hash(expected),
        secret: hash(secret),
        replaced: None,
    };
    keep(database, [change(1, 5).into()]).await;
    assert!(matches!(database.commit(vec![change(1, 6).into()]).await, Err(StoreError::Conflict)));
    let kept = database.registration_find("wiki").await.unwrap().unwrap();
    assert_eq!((kept.secret, kept.replaced), (hash(5), None));
    let replaced = Some(Replaced { secret: hash(5), until: NOW.plus(HOUR) });
    let (id, expected, secret) = (Id::from_i64(1), hash(5), hash(7));
    keep(database, [RegistrationChange::Secret { id, expected, secret, replaced }.into()]).await;
    let kept = database.registration_find("wiki").await.unwrap().unwrap();
    assert_eq!((kept.secret, kept.replaced), (hash(7), replaced));
}

pub async fn an_initial_token_is_spent_as_often_as_it_was_made_for(database: &Database) {
    keep(database, [RegistrationChange::TokenInsert(Box::new(token(1, 2))).into()]).await;
    assert_eq!(database.initial_token_find(Id::from_i64(1)).await.unwrap(), Some(token(1, 2)));
    let spend = |at| database.commit(vec![RegistrationChange::TokenSpend { id: Id::from_i64(1), at }.into()]);
    assert!(matches!(spend(NOW.plus(DAY)).await, Err(StoreError::Conflict)), "it has expired by then");
    assert!(spend(NOW).await.is_ok() && spend(NOW).await.is_ok());
    assert!(matches!(spend(NOW).await, Err(StoreError::Conflict)));
    assert_eq!(database.initial_tokens().await.unwrap(), [InitialToken { uses_left: 0, ..token(1, 2) }]);
}

pub async fn a_revoked_initial_token_is_good_for_nothing_nor_one_of_another_epoch(database: &Database) {
    keep(database, [1, 2].map(|id| RegistrationChange::TokenInsert(Box::new(token(id, 9))).into())).await;
    keep(database, [RegistrationChange::TokenEnd { id: Id::from_i64(1), at: NOW }.into()]).await;
    let spend = |id| database.commit(vec![RegistrationChange::TokenSpend { id: Id::from_i64(id), at: NOW }.into()]);
    assert!(matches!(spend(1).await, Err(StoreError::Conflict)));
    assert!(spend(2).await.is_ok());
    keep(database, [Change::EpochBegin { at: NOW }]).await;
    assert!(matches!(spend(2).await, Err(StoreError::Conflict)));
}

pub async fn there_is_room_for_so_many_of_an_address_and_in_all(database: &Database) {
    let room = |address: &str, per_address, in_all| {
        database.commit(vec![RegistrationChange::Room { address: address.into(), per_address, in_all }.into()])
    };
    assert!(room("2001:db8::", 1, 1).await.is_ok());
    assert!(room("2001:db8::", 0, 1).await.is_err() && room("2001:db8::", 1, 0).await.is_err());
    keep(database, [put("wiki"), insert("wiki", 1)]).await;
    assert!(matches!(room("2001:db8::", 1, 9).await, Err(StoreError::Conflict)));
    assert!(room("192.0.2.1", 1, 9).await.is_ok());
    assert!(matches!(room("192.0.2.1", 1, 1).await, Err(StoreError::Conflict)));
}

pub async fn the_unused_are_those_that_nobody_was_let_in_to(database: &Database) {
    with_wiki_and_user(database).await;
    keep(database, [put("other"), insert("wiki", 1), insert("other", 2)]).await;
    let unused = async |at| database.registrations_unused(at, 9).await.unwrap();
    assert_eq!(unused(NOW).await, ["wiki", "other"]);
    assert_eq!(unused(NOW.minus(HOUR)).await, [""; 0]);
    keep(database, [grant_insert(grant(id_at(NOW, 1)))]).await;
    assert_eq!(unused(NOW).await, ["other"]);
}

/// What one client changes is read without the others, and nothing is missed by it.
pub async fn the_snapshot_follows_each_client_that_comes_changes_and_goes(database: &Database) {
    let by_themselves = |id: &str| Client { disabled: false, ..client(id) };
    for n in 0..300 {
        keep(database, [Change::ClientPut(Box::new(by_themselves(&format!("c{n}"))))]).await;
    }
    let kept = Arc::clone(&database.directory().clients["c299"]);
    let changed = Client { trust: Trust::Administrator, ..by_themselves("c1") };
    keep(database, [Change::ClientPut(Box::new(changed)), Change::ClientRemove("c0".into())]).await;
    let directory = database.directory();
    assert_eq!((directory.clients.len(), directory.clients.self_registered()), (299, 298));
    assert_eq!(directory.clients["c1"].trust, Trust::Administrator);
    assert_eq!(directory.clients["c2"].secrets.len(), 2);
    assert!(Arc::ptr_eq(&kept, &directory.clients["c299"]), "it was not read again");
    keep(database, [Change::ClientRemove("c1".into()), Change::ClientPut(Box::new(by_themselves("c0")))]).await;
    let directory = database.directory();
    assert!(directory.clients.contains_key("c0") && !directory.clients.contains_key("c1"));
}

pub async fn who_is_unused_is_known_until_the_set_is_committed(database: &Database) {
    with_wiki_and_user(database).await;
    keep(database, [put("other"), insert("wiki", 1), insert("other", 2)]).await;
    let unused =
        |client_id: &str, registered_by| RegistrationChange::Unused { client_id: client_id.into(), registered_by };
    let remove = |client_id: &str, registered_by| {
        database.commit(vec![unused(client_id, registered_by).into(), Change::ClientRemove(client_id.into())])
    };
    assert!(matches!(remove("wiki", NOW.minus(HOUR)).await, Err(StoreError::Conflict)), "it came later");
    keep(database, [grant_insert(grant(id_at(NOW, 1)))]).await;
    assert!(matches!(remove("wiki", NOW).await, Err(StoreError::Conflict)), "somebody was let in");
    assert!(remove("other", NOW).await.is_ok());
    assert!(matches!(remove("other", NOW).await, Err(StoreError::Conflict)), "another node was here first");
    assert_eq!(database.registrations().await.unwrap(), [registration("wiki", 1)]);
}

/// None of them is let go in the middle: they take what they change in one order.
pub async fn one_that_changes_itself_and_one_that_removes_it_wait_for_each_other(database: &Database) {
    for n in 0..20 {
        keep(database, [put("wiki"), insert("wiki", n)]).await;
        let (id, secret) = (Id::from_i64(n), hash(1));
        let held = RegistrationChange::Secret { id, expected: secret, secret, replaced: None };
        let updated_at = client("wiki").updated_at;
        let expected = Change::ClientExpect { client_id: "wiki".into(), updated_at };
        let change = database.commit(vec![held.into(), expected, put("wiki")]);
        let (changed, removed) = tokio::join!(change, database.commit(vec![Change::ClientRemove("wiki".into())]));
        assert!(matches!(changed, Ok(()) | Err(StoreError::Conflict)), "{changed:?}");
        assert!(removed.is_ok(), "{removed:?}");
    }
}

pub async fn what_people_answered_about_a_client_is_forgotten_together(database: &Database) {
    with_wiki_and_user(database).await;
    keep(database, [Change::ConsentPut { consent: Box::new(consent("wiki")), expected: None }]).await;
    let forget = |client_id: &str| vec![RegistrationChange::ConsentsForget { client_id: client_id.into() }.into()];
    database.commit(forget("other")).await.unwrap();
    assert_eq!(database.consents_of(consent("wiki").user_id).await.unwrap().len(), 1);
    database.commit(forget("wiki")).await.unwrap();
    assert!(database.consents_of(consent("wiki").user_id).await.unwrap().is_empty());
}
