//! Upstreams, whom accounts are linked with there, and the sessions that began there.

use grantor_core::change::Change;
use grantor_core::store::{Store, StoreError};
use grantor_core::upstream::{Upstream, UpstreamChange, UpstreamLink, UpstreamSession};
use grantor_jose::id::Id;
use grantor_jose::secret::SecretText;
use grantor_storage::Database;
use serde_json::json;

use super::samples::*;

const CORP: Id = Id::from_i64(70);

fn corp(secret: Option<&str>) -> Upstream {
    let definition = json!({"name": "corp", "kind": "oidc", "issuer": "https://idp.example", "client_id": "a \"b\""});
    let client_secret = secret.map(|secret| SecretText::new(secret.to_owned()));
    Upstream { id: CORP, definition: serde_json::from_value(definition).unwrap(), client_secret }
}

fn link(id: i64, subject: &str) -> UpstreamLink {
    UpstreamLink {
        id: Id::from_i64(id),
        upstream_id: CORP,
        authority: "https://idp.example".into(),
        subject: subject.into(),
        user_id: Id::from_i64(7),
        label: "ada@corp.example".into(),
        created_at: NOW,
        last_used_at: None,
    }
}

async fn with_corp_and_user(database: &Database) {
    with_wiki_and_user(database).await;
    keep(database, [UpstreamChange::Put(Box::new(corp(Some("a secret")))).into()]).await;
}

async fn is_conflict(database: &Database, change: UpstreamChange) -> bool {
    matches!(database.commit(vec![change.into()]).await, Err(StoreError::Conflict))
}

async fn find(database: &Database, subject: &str) -> Option<UpstreamLink> {
    database.upstream_link_find(CORP, "https://idp.example", subject).await.unwrap().map(|(link, _)| link)
}

pub async fn an_upstream_comes_back_with_its_secret_and_goes_with_its_links(database: &Database) {
    with_corp_and_user(database).await;
    let found = database.directory().upstreams["corp"].clone();
    assert_eq!(found.definition, corp(None).definition);
    assert_eq!(found.client_secret.as_ref().map(SecretText::expose), Some("a secret"));
    keep(database, [UpstreamChange::Put(Box::new(corp(None))).into()]).await;
    assert!(database.directory().upstreams["corp"].client_secret.is_none());
    let another = Upstream { id: Id::from_i64(71), ..corp(None) };
    assert!(is_conflict(database, UpstreamChange::Put(Box::new(another))).await, "a name is taken once");
    keep(database, [UpstreamChange::LinkInsert(Box::new(link(1, "a"))).into()]).await;
    keep(database, [UpstreamChange::Remove(CORP).into()]).await;
    assert!(database.directory().upstreams.is_empty());
    assert_eq!(counts(database).get("upstream_links"), None);
}

pub async fn a_subject_is_linked_with_one_account(database: &Database) {
    with_corp_and_user(database).await;
    let kept = link(1, "a");
    keep(database, [UpstreamChange::LinkInsert(Box::new(kept.clone())).into()]).await;
    assert_eq!(find(database, "a").await, Some(kept.clone()));
    assert!(is_conflict(database, UpstreamChange::LinkInsert(Box::new(link(2, "a")))).await);
    for (authority, subject) in
        [("https://other.example", "a"), ("https://idp.example", "A"), ("https://idp.example", "a ")]
    {
        assert!(
            database.upstream_link_find(CORP, authority, subject).await.unwrap().is_none(),
            "{authority} {subject:?}"
        );
    }
    keep(database, [UpstreamChange::LinkUsed { id: kept.id, at: NOW.plus(HOUR) }.into()]).await;
    assert_eq!(find(database, "a").await.unwrap().last_used_at, Some(NOW.plus(HOUR)));
    assert_eq!(database.upstream_links_of(Id::from_i64(7)).await.unwrap().len(), 1);
    keep(database, [UpstreamChange::LinkRemove(kept.id).into()]).await;
    assert!(is_conflict(database, UpstreamChange::LinkRemove(kept.id)).await);
    assert!(
        is_conflict(database, UpstreamChange::LinkUsed { id: kept.id, at: NOW }).await,
        "what is gone lets nobody in"
    );
    keep(database, [UpstreamChange::LinkInsert(Box::new(link(3, "a"))).into(), Change::UserRemove(Id::from_i64(7))])
        .await;
    assert_eq!(find(database, "a").await, None, "a link goes with its person");
}

pub async fn sessions_are_found_by_where_they_began(database: &Database) {
    with_corp_and_user(database).await;
    let began = |number: i64, subject: &str, sid: Option<&str>| UpstreamSession {
        session_id: id_at(NOW, number),
        upstream_id: CORP,
        subject: subject.into(),
        sid: sid.map(str::to_owned),
        tells_time: sid.is_some(),
    };
    let all = [began(1, "a", Some("s1")), began(2, "a", Some("s2")), began(3, "b", None)];
    for origin in &all {
        let session = session(origin.session_id, 7);
        keep(
            database,
            [Change::SessionInsert(Box::new(session)), UpstreamChange::SessionInsert(Box::new(origin.clone())).into()],
        )
        .await;
    }
    let found = async |subject: Option<&str>, sid: Option<&str>| -> Vec<i64> {
        let mut ids: Vec<i64> = database
            .sessions_of_upstream(CORP, subject, sid)
            .await
            .unwrap()
            .iter()
            .map(|session| session.id.as_i64() - id_at(NOW, 0).as_i64())
            .collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(found(None, None).await, [1, 2, 3]);
    assert_eq!(found(Some("a"), None).await, [1, 2]);
    assert_eq!(found(None, Some("s2")).await, [2]);
    assert_eq!(found(Some("b"), Some("s2")).await, [0; 0]);
    keep(database, [Change::SessionEnd { id: id_at(NOW, 1), at: NOW }]).await;
    assert_eq!(found(Some("a"), None).await, [2], "those that have ended are not");
    keep(database, [UpstreamChange::SessionsEnd { id: CORP, at: NOW }.into()]).await;
    assert_eq!(found(None, None).await, [0; 0]);
}

pub async fn of_two_links_that_are_taken_away_at_once_one_stays(database: &Database) {
    with_corp_and_user(database).await;
    let insert = |id: i64, subject: &str| UpstreamChange::LinkInsert(Box::new(link(id, subject))).into();
    keep(database, [insert(1, "a"), insert(2, "b")]).await;
    let expect = |user_id: i64, links: &[i64]| UpstreamChange::LinksExpect {
        user_id: Id::from_i64(user_id),
        links: links.iter().copied().map(Id::from_i64).collect(),
    };
    assert!(!is_conflict(database, expect(7, &[1, 2])).await);
    for (user_id, links) in [(7, vec![1]), (7, vec![2, 1]), (7, vec![1, 2, 3]), (8, vec![])] {
        assert!(is_conflict(database, expect(user_id, &links)).await, "{user_id} {links:?}");
    }
    let remove = |id: i64| vec![expect(7, &[1, 2]).into(), UpstreamChange::LinkRemove(Id::from_i64(id)).into()];
    let answers: Vec<_> = std::thread::scope(|scope| {
        let threads = [1, 2].map(|id| scope.spawn(move || super::wait(database.commit(remove(id)))));
        threads.into_iter().map(|thread| thread.join().unwrap().is_ok()).collect()
    });
    assert_eq!(answers.iter().filter(|is_done| **is_done).count(), 1);
    assert_eq!(database.upstream_links_of(Id::from_i64(7)).await.unwrap().len(), 1);
}

pub async fn the_sessions_that_began_by_a_link_end_but_for_one(database: &Database) {
    with_corp_and_user(database).await;
    let began = |number: i64, subject: &str, user_id: i64| {
        let origin = UpstreamSession {
            session_id: id_at(NOW, number),
            upstream_id: CORP,
            subject: subject.into(),
            sid: None,
            tells_time: true,
        };
        let session = Change::SessionInsert(Box::new(session(origin.session_id, user_id)));
        [session, UpstreamChange::SessionInsert(Box::new(origin)).into()]
    };
    keep(database, [Change::UserPut(Box::new(user(8)))]).await;
    for changes in [began(1, "a", 7), began(2, "a", 7), began(3, "b", 7), began(4, "a", 8)] {
        keep(database, changes).await;
    }
    for number in [1, 2] {
        let mut given = grant(id_at(NOW, 10 + number));
        given.session_id = id_at(NOW, number);
        keep(database, [grant_insert(given)]).await;
    }
    let end = UpstreamChange::SessionsOfLinkEnd { link: Box::new(link(1, "a")), except: id_at(NOW, 2), at: NOW };
    keep(database, [end.into()]).await;
    let mut ended = Vec::new();
    for number in 1..=4 {
        ended.push(database.session_find(id_at(NOW, number)).await.unwrap().unwrap().0.ended_at.is_some());
    }
    assert_eq!(ended, [true, false, false, false]);
    let has_ended = async |number: i64| {
        grant_find(database, id_at(NOW, 10 + number)).await.is_none_or(|facts| facts.grant.ended.is_some())
    };
    assert_eq!([has_ended(1).await, has_ended(2).await], [true, false]);
}

pub async fn people_are_found_by_their_address(database: &Database) {
    with_wiki_and_user(database).await;
    let with = |id: i64, email: &str| {
        let mut user = user(id);
        user.claims.insert("email".into(), email.into());
        user
    };
    keep(
        database,
        [Change::UserPut(Box::new(with(8, "Ada@Corp.example"))), Change::UserPut(Box::new(with(9, "b@corp.example")))],
    )
    .await;
    let found = async |email: &str| -> Vec<i64> {
        database.users_with_email(email).await.unwrap().iter().map(|user| user.id.as_i64()).collect()
    };
    assert_eq!((found("ada@corp.EXAMPLE").await, found("a@corp.example").await), (vec![8], vec![]));
    keep(database, [Change::UserPut(Box::new(with(9, "ada@corp.example")))]).await;
    assert_eq!(found("ada@corp.example").await, [8, 9]);
    keep(database, [Change::UserPut(Box::new(user(8)))]).await;
    assert_eq!(found("ada@corp.example").await, [9], "an address that is taken away is gone");
    assert_eq!(found("user7").await, [7], "a name to sign in with may be an address");
}

pub async fn nobody_who_is_switched_off_may_enter(database: &Database) {
    with_wiki_and_user(database).await;
    let id = Id::from_i64(7);
    let may_enter = |without_password| Change::UserMayEnter { id, without_password };
    let refused = async |change: Change| matches!(database.commit(vec![change]).await, Err(StoreError::Conflict));
    keep(database, [may_enter(false)]).await;
    assert!(refused(may_enter(true)).await, "who has a password is not taken for somebody without");
    let mut off = user(7);
    off.disabled = true;
    keep(database, [Change::UserPut(Box::new(off))]).await;
    assert!(refused(may_enter(false)).await);
}

pub async fn a_person_is_expected_as_they_were_read(database: &Database) {
    with_wiki_and_user(database).await;
    let mut changed = user(7);
    let read = Change::UserExpectUnchanged { id: changed.id, updated_at: changed.updated_at };
    keep(database, [read.clone()]).await;
    changed.updated_at = changed.updated_at.plus(HOUR);
    keep(database, [Change::UserPut(Box::new(changed))]).await;
    assert!(matches!(database.commit(vec![read]).await, Err(StoreError::Conflict)));
}
