//! People and their sessions.

use grantor_core::audit::EventKind;
use grantor_core::change::Change;
use grantor_core::consent::Consent;
use grantor_core::store::{Store, StoreError};
use grantor_core::user::User;
use grantor_jose::id::Id;
use grantor_storage::Database;

use super::samples::*;

pub async fn a_username_is_taken_once(database: &Database) {
    keep(database, [Change::UserPut(Box::new(user(7)))]).await;
    let twin = User { username: "user7".into(), ..user(8) };
    let answer = database.commit(vec![Change::UserPut(Box::new(twin))]).await;
    assert!(matches!(answer, Err(StoreError::Conflict)));
    assert_eq!(counts(database)["users"], 1);
}

pub async fn a_name_that_was_retired_stays_so_in_another_epoch(database: &Database) {
    let retire = |byte| Change::UsernameRetire { digest: [byte; 32], at: NOW };
    keep(database, [retire(1)]).await;
    keep(database, [retire(1), retire(2), Change::EpochBegin { at: NOW }]).await;
    for (byte, is_retired) in [(1, true), (2, true), (3, false)] {
        assert_eq!(database.username_is_retired(&[byte; 32]).await.unwrap(), is_retired, "{byte}");
    }
    assert_eq!(counts(database)["retired_usernames"], 2);
}

pub async fn accounts_are_listed_in_pages(database: &Database) {
    keep(database, (1..=5).map(|id| Change::UserPut(Box::new(user(id))))).await;
    let page = async |after| -> Vec<i64> {
        let users = database.users(2, after).await.unwrap();
        users.iter().map(|user| user.id.as_i64()).collect()
    };
    assert_eq!(page(None).await, [1, 2]);
    assert_eq!(page(Some(Id::from_i64(4))).await, [5]);
    assert!(page(Some(Id::from_i64(5))).await.is_empty());
}

pub async fn a_removed_person_leaves_events_only(database: &Database) {
    with_wiki_and_user(database).await;
    let (id, user_id) = (id_at(NOW, 1), Id::from_i64(7));
    let consent = Consent {
        user_id,
        client_id: "wiki".into(),
        granted: scope("openid"),
        declined: scope(""),
        created_at: NOW,
        updated_at: NOW,
    };
    let all = [
        session_insert(session(id, 7)),
        Change::CodeInsert(Box::new(code(id))),
        grant_insert(grant(id)),
        Change::RefreshTokenInsert(Box::new(refresh_token(id))),
        Change::AccessTokenInsert(Box::new(access_token(id, Some(id)))),
        Change::ConsentPut { consent: Box::new(consent), expected: None },
        Change::EventInsert(Box::new(event(id, EventKind::ConsentGiven).user(user_id))),
    ];
    keep(database, all).await;
    keep(database, [Change::UserRemove(user_id)]).await;
    assert_eq!(counts(database), [("clients", 1), ("events", 1)].into());
}

pub async fn sessions_end_one_by_one_or_all_but_one(database: &Database) {
    with_wiki_and_user(database).await;
    let ids = [1, 2, 3, 4].map(|place| id_at(NOW, place));
    keep(database, [Change::UserPut(Box::new(user(8))), session_insert(session(id_at(NOW, 9), 8))]).await;
    keep(database, ids.map(|id| session_insert(session(id, 7)))).await;
    let user_id = Id::from_i64(7);
    let live =
        async || -> Vec<Id> { database.sessions_of(user_id).await.unwrap().iter().map(|session| session.id).collect() };
    keep(database, [Change::SessionEnd { id: ids[0], at: NOW }, Change::SessionEnd { id: ids[0], at: NOW.plus(HOUR) }])
        .await;
    assert_eq!(database.session_find(ids[0]).await.unwrap().unwrap().0.ended_at, Some(NOW));
    assert_eq!(live().await, [ids[3], ids[2], ids[1]]);
    keep(database, [Change::SessionsEnd { user_id, except: Some(ids[2]), at: NOW }]).await;
    assert_eq!(live().await, [ids[2]]);
    keep(database, [Change::SessionsEnd { user_id, except: None, at: NOW }]).await;
    assert!(live().await.is_empty());
    assert_eq!(database.sessions_of(Id::from_i64(8)).await.unwrap().len(), 1);
}

pub async fn the_last_use_of_a_session_never_moves_back(database: &Database) {
    with_wiki_and_user(database).await;
    let id = id_at(NOW, 1);
    keep(database, [session_insert(session(id, 7))]).await;
    for at in [NOW.plus(DAY), NOW.plus(HOUR)] {
        keep(database, [Change::SessionSeen { id, at }]).await;
    }
    assert_eq!(database.session_find(id).await.unwrap().unwrap().0.last_seen_at, NOW.plus(DAY));
}
