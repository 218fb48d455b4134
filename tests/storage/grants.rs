//! Grants: which end together, and which are in force.

use grantor_core::change::{Change, GrantsOf};
use grantor_core::consent::Consent;
use grantor_core::grant::{Grant, GrantEnd};
use grantor_core::store::{Store, StoreError};
use grantor_jose::id::Id;
use grantor_storage::Database;

use super::samples::*;

/// The places of the grants that a change ends, of these: 1 in session 9; 2 there, offline; 3 in session 10; 4 for another app;
/// 5 of another person; 6 offline, by an app that this other person has forbidden that later.
async fn ended_by(database: &Database, of: GrantsOf) -> Vec<i64> {
    let at = |place| id_at(NOW, place);
    let grants = [
        grant(at(1)),
        offline(grant(at(2))),
        Grant { session_id: Id::from_i64(10), ..grant(at(3)) },
        Grant { client_id: "mail".into(), ..offline(grant(at(4))) },
        Grant { user_id: Id::from_i64(8), session_id: Id::from_i64(11), ..grant(at(5)) },
        Grant {
            client_id: "mail".into(),
            user_id: Id::from_i64(8),
            session_id: Id::from_i64(11),
            ..offline(grant(at(6)))
        },
    ];
    let users = [Change::UserRemove(Id::from_i64(7)), Change::UserRemove(Id::from_i64(8))];
    keep(database, users).await;
    with_wiki_and_user(database).await;
    keep(database, [Change::ClientPut(Box::new(client("mail"))), Change::UserPut(Box::new(user(8)))]).await;
    keep(database, grants.map(grant_insert)).await;
    keep(
        database,
        [consent(7, "email offline_access", "offline-access profile"), consent(8, "email", "offline_access profile")],
    )
    .await;
    keep(database, [Change::GrantsEnd { of, at: NOW, end: GrantEnd::SignedOut }]).await;
    let mut ended = Vec::new();
    for place in 1..=6 {
        if grant_find(database, at(place)).await.unwrap().grant.ended == Some((NOW, GrantEnd::SignedOut)) {
            ended.push(place);
        }
    }
    ended
}

/// What a person answered about the app `mail`.
fn consent(user: i64, granted: &str, declined: &str) -> Change {
    let consent = Consent {
        user_id: Id::from_i64(user),
        client_id: "mail".into(),
        granted: granted.parse().unwrap(),
        declined: declined.parse().unwrap(),
        created_at: NOW,
        updated_at: NOW,
    };
    Change::ConsentPut { consent: Box::new(consent), expected: None }
}

pub async fn grants_end_by_client_person_or_session(database: &Database) {
    let (ada, session) = (Id::from_i64(7), Id::from_i64(9));
    assert_eq!(ended_by(database, GrantsOf::Client("wiki".into())).await, [1, 2, 3, 5]);
    assert_eq!(ended_by(database, GrantsOf::Session(session)).await, [1]);
    assert_eq!(ended_by(database, GrantsOf::Session(Id::from_i64(11))).await, [5, 6]);
    assert_eq!(ended_by(database, GrantsOf::User(ada)).await, [1, 2, 3, 4]);
    assert_eq!(ended_by(database, GrantsOf::UserAndClient(ada, "wiki".into())).await, [1, 2, 3]);
    assert_eq!(ended_by(database, GrantsOf::UserExceptSession(ada, session)).await, [3]);
}

pub async fn grants_move_to_the_session_that_follows(database: &Database) {
    with_wiki_and_user(database).await;
    let [kept, other, over] = [1, 2, 3].map(|place| id_at(NOW, place));
    let elsewhere = Grant { session_id: Id::from_i64(10), ..grant(other) };
    keep(database, [grant_insert(grant(kept)), grant_insert(elsewhere.clone()), grant_insert(grant(over))]).await;
    keep(database, [Change::GrantEnd { id: over, at: NOW, end: GrantEnd::RevokedByClient }]).await;
    keep(database, [Change::GrantsMove { from: Id::from_i64(9), to: Id::from_i64(12) }]).await;
    let moved = Grant { session_id: Id::from_i64(12), ..grant(kept) };
    assert_same(&grant_find(database, kept).await.unwrap().grant, &moved);
    // Its app took part in the session, too.
    assert_eq!(grant_find(database, over).await.unwrap().grant.session_id, Id::from_i64(12));
    assert_same(&grant_find(database, other).await.unwrap().grant, &elsewhere);
}

pub async fn an_end_is_not_overwritten(database: &Database) {
    with_wiki_and_user(database).await;
    let id = id_at(NOW, 1);
    keep(database, [grant_insert(grant(id))]).await;
    keep(database, [Change::GrantEnd { id, at: NOW, end: GrantEnd::CodeReplayed }]).await;
    let later = NOW.plus(HOUR);
    let again = database.commit(vec![Change::GrantEnd { id, at: later, end: GrantEnd::RevokedByUser }]).await;
    assert!(matches!(again, Err(StoreError::Conflict)));
    keep(database, [Change::GrantsEnd { of: GrantsOf::User(Id::from_i64(7)), at: later, end: GrantEnd::SignedOut }])
        .await;
    assert_eq!(grant_find(database, id).await.unwrap().grant.ended, Some((NOW, GrantEnd::CodeReplayed)));
}

pub async fn only_grants_in_force_are_listed_with_their_refresh_tokens(database: &Database) {
    with_wiki_and_user(database).await;
    let ids = [1, 2, 3].map(|place| id_at(NOW, place));
    keep(database, ids.map(|id| grant_insert(grant(id)))).await;
    keep(database, [Change::RefreshTokenInsert(Box::new(refresh_token(ids[0])))]).await;
    keep(database, [Change::GrantEnd { id: ids[1], at: NOW, end: GrantEnd::RevokedByUser }]).await;
    let listed = database.grants_of(Id::from_i64(7)).await.unwrap();
    assert_same(&listed, &vec![(grant(ids[2]), None), (grant(ids[0]), Some(refresh_token(ids[0])))]);
    assert!(database.grants_of(Id::from_i64(8)).await.unwrap().is_empty());
}

pub async fn what_expects_a_grant_is_lost_where_it_has_ended(database: &Database) {
    with_wiki_and_user(database).await;
    let [live, ended] = [1, 2].map(|place| id_at(NOW, place));
    keep(database, [live, ended].map(|id| grant_insert(grant(id)))).await;
    keep(database, [Change::GrantEnd { id: ended, at: NOW, end: GrantEnd::SignedOut }]).await;
    let holds = async |id| database.commit(vec![Change::GrantExpect { id }, Change::SessionEnd { id, at: NOW }]).await;
    assert!(holds(live).await.is_ok());
    for id in [ended, id_at(NOW, 3)] {
        assert!(matches!(holds(id).await, Err(StoreError::Conflict)));
    }
}

pub async fn what_expects_an_access_token_is_lost_where_it_was_revoked(database: &Database) {
    let [live, revoked] = [1, 2].map(|place| id_at(NOW, place));
    keep(database, [Change::AccessTokenRevoke { id: revoked, expires_at: NOW.plus(HOUR) }]).await;
    let holds =
        async |id| database.commit(vec![Change::AccessTokenExpect { id }, Change::SessionEnd { id, at: NOW }]).await;
    assert!(holds(live).await.is_ok());
    assert!(matches!(holds(revoked).await, Err(StoreError::Conflict)));
}
