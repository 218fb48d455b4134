//! What tokens were used for.

use std::net::IpAddr;

use grantor_core::change::Change;
use grantor_core::policy::Lifetimes;
use grantor_core::store::{Store, StoreError};
use grantor_core::time::Time;
use grantor_core::token::Origin;
use grantor_core::usage::{Held, Usage, Use};
use grantor_jose::id::Id;
use grantor_storage::{Database, UsagesOf};

use super::samples::*;

const ADA: Id = Id::from_i64(7);
const API: &str = "https://api.example";

fn used(origin: Origin, client_id: &str, user_id: Option<Id>, at: Time) -> Usage {
    let held = Held { origin, client_id: client_id.into(), user_id };
    let from: IpAddr = [192, 0, 2, 7].into();
    Use { held, scope: scope("notes.read"), audience: vec![API.into(), "b".into()], at, from: Some(from) }.into()
}

async fn add(database: &Database, usage: &Usage) {
    keep(database, [Change::UsageAdd(Box::new(usage.clone()))]).await;
}

async fn of(database: &Database, of: UsagesOf) -> Vec<Usage> {
    database.usages(&of, 0).await.unwrap()
}

pub async fn uses_of_the_same_kind_are_one_row_that_counts(database: &Database) {
    with_wiki_and_user(database).await;
    let [grant, token, key] = [1, 2, 3].map(|place| id_at(NOW, place));
    let by_app = used(Origin::Grant(grant), "wiki", Some(ADA), NOW);
    let by_token = used(Origin::ApiToken(token), "", Some(ADA), NOW);
    let by_key = used(Origin::ApiToken(key), "wiki", None, NOW);
    let by_itself = used(Origin::Client, "wiki", None, NOW);
    for usage in
        [&by_app, &by_token, &by_key, &by_itself, &Usage { uses: 4, last_at: NOW.plus(HOUR), ..by_app.clone() }]
    {
        add(database, usage).await;
    }
    let by_app = Usage { uses: 5, last_at: NOW.plus(HOUR), ..by_app };
    assert_eq!(of(database, UsagesOf::ApiToken(token)).await, std::slice::from_ref(&by_token));
    let of_person = of(database, UsagesOf::User(ADA)).await;
    assert!(of_person.len() == 2 && [&by_app, &by_token].iter().all(|usage| of_person.contains(usage)));
    let of_client = of(database, UsagesOf::Client("wiki".into())).await;
    assert!(of_client.len() == 3 && [&by_app, &by_key, &by_itself].iter().all(|usage| of_client.contains(usage)));
    let held = [by_itself.held.clone(), by_token.held.clone()];
    let known = database.usages_known(&held, NOW.day()).await.unwrap();
    assert!(known.contains(&by_itself) && known.contains(&by_token) && !known.contains(&by_app));
    assert_eq!(database.usages_known(&held, NOW.day() + 1).await.unwrap(), []);
}

pub async fn what_is_kept_of_a_person_goes_with_them(database: &Database) {
    with_wiki_and_user(database).await;
    let usage = used(Origin::Grant(id_at(NOW, 1)), "wiki", Some(ADA), NOW);
    add(database, &usage).await;
    assert_eq!(database.users_present(&[ADA, Id::from_i64(8)]).await.unwrap(), [ADA]);
    keep(database, [Change::UserRemove(ADA)]).await;
    assert_eq!(of(database, UsagesOf::Client("wiki".into())).await, []);
    let late = database.commit(vec![Change::UsageAdd(Box::new(usage))]).await;
    assert!(matches!(late, Err(StoreError::Conflict)), "{late:?}");
}

pub async fn what_is_long_ago_goes(database: &Database) {
    with_wiki_and_user(database).await;
    for days in 0..3 {
        add(database, &used(Origin::Client, "wiki", None, NOW.plus(days * DAY))).await;
    }
    let kept = Lifetimes { usage_kept: DAY, ..Lifetimes::default() };
    assert_eq!(database.sweep(NOW.plus(2 * DAY), &kept).await.unwrap(), 1);
    assert_eq!(of(database, UsagesOf::Client("wiki".into())).await.len(), 2);
}
