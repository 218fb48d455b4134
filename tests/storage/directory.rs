//! Clients, scopes, APIs and keys, as the snapshot shows them.

use std::sync::Arc;

use grantor_core::change::Change;
use grantor_core::client::{AccessTokenFormat, Client};
use grantor_core::directory::{Group, Resource, ScopeDefinition};
use grantor_core::forward_auth::ProxiedApp;
use grantor_core::key::KeyRecord;
use grantor_core::network::Networks;
use grantor_core::store::{Store, StoreError};
use grantor_jose::algorithm::Algorithm;
use grantor_jose::id::Id;
use grantor_jose::key::SigningKey;
use grantor_jose::random::Random;
use grantor_storage::Database;

use super::samples::*;

pub async fn a_client_is_there_for_the_next_request_and_gone_with_its_grants(database: &Database) {
    let before = database.directory().revision;
    with_wiki_and_user(database).await;
    assert!(database.directory().clients.contains_key("wiki"));
    assert_eq!(database.directory().revision, before + 1);
    let id = id_at(NOW, 1);
    let code = Change::CodeInsert(Box::new(code(id)));
    let token = Change::AccessTokenInsert(Box::new(access_token(id, None)));
    keep(database, [code, token, grant_insert(grant(id)), Change::RefreshTokenInsert(Box::new(refresh_token(id)))])
        .await;
    keep(database, [Change::ClientRemove("wiki".into())]).await;
    assert!(database.directory().clients.is_empty());
    assert_eq!(counts(database), [("users", 1)].into());
}

pub async fn a_declared_scope_and_api_come_back_and_go(database: &Database) {
    let scope_named = |name: &str, sentence: &str| ScopeDefinition {
        name: name.into(),
        description: [("en".to_owned(), sentence.to_owned())].into(),
        claims: vec!["email".into()],
        groups: vec!["staff".into()],
    };
    let api = Resource {
        identifier: "https://api.example".into(),
        name: "API".into(),
        scopes: scope("notes"),
        access_token_format: Some(AccessTokenFormat::Opaque),
        access_token_lifetime: Some(HOUR),
        introspection_clients: vec!["wiki".into()],
        personal_access_tokens: true,
        networks: Networks::parse("10.0.0.0/8").unwrap(),
    };
    let group = Group { name: "staff".into(), networks: Networks::parse("192.0.2.0/24").unwrap() };
    let changes = [
        Change::ScopePut(Box::new(scope_named("notes", "See your notes"))),
        Change::ScopePut(Box::new(scope_named("notes", "Read your notes"))),
        Change::ResourcePut(Box::new(api.clone())),
        Change::GroupPut(Box::new(group.clone())),
    ];
    keep(database, changes).await;
    assert_eq!(database.directory().scopes["notes"], scope_named("notes", "Read your notes"));
    assert_eq!(database.directory().resources["https://api.example"], api);
    assert_eq!(database.directory().groups["staff"], group);
    keep(database, [Change::GroupRemove("staff".into())]).await;
    assert!(database.directory().groups.is_empty());
    keep(database, [Change::ScopeRemove("notes".into()), Change::ResourceRemove(api.identifier)]).await;
    assert!(database.directory().scopes.is_empty() && database.directory().resources.is_empty());
}

pub async fn an_app_behind_a_proxy_comes_back_and_goes(database: &Database) {
    let declared = |more: &str| -> ProxiedApp {
        let text = format!(r#"{{"name":"Wiki","origins":["https://wiki.example"],"everybody":true{more}}}"#);
        serde_json::from_str(&text).unwrap()
    };
    let app = declared(r#","networks":["10.0.0.0/8"],"unprotected_paths":["/health"]"#);
    keep(database, [declared(""), app.clone()].map(|app| Change::ProxiedAppPut(Box::new(app)))).await;
    assert_eq!(**database.directory().apps.get("Wiki").unwrap(), app);
    assert!(database.directory().apps.find("wiki.example", "/health").unwrap().is_unprotected);
    keep(database, [Change::ProxiedAppRemove("Wiki".into())]).await;
    assert!(database.directory().apps.get("Wiki").is_none());
}

pub async fn a_key_keeps_its_dates_and_goes(database: &Database) {
    let key = Arc::new(SigningKey::generate(Algorithm::Es256, &Random::new()).unwrap());
    let record = KeyRecord {
        retired_at: Some(NOW.plus(DAY)),
        remove_at: Some(NOW.plus(2 * DAY)),
        ..KeyRecord::fresh(Id::from_i64(5), key, NOW, NOW.plus(HOUR))
    };
    keep(database, [Change::KeyPut(Box::new(record.clone()))]).await;
    assert_same(&database.directory().keys.keys, &vec![record]);
    keep(database, [Change::KeyRemove(Id::from_i64(5))]).await;
    assert!(database.directory().keys.keys.is_empty());
}

pub async fn a_set_that_fails_changes_no_snapshot(database: &Database) {
    let before = database.directory();
    let put = Change::ClientPut(Box::new(client("wiki")));
    let answer = database.commit(vec![put, Change::CodeSpend { id: id_at(NOW, 1), at: NOW }]).await;
    assert!(answer.is_err());
    assert!(Arc::ptr_eq(&before, &database.directory()));
    database.refresh_directory().await.unwrap();
    assert!(Arc::ptr_eq(&before, &database.directory()));
}

pub async fn what_expects_a_client_is_lost_where_it_was_changed_or_switched_off(database: &Database) {
    let put = async |disabled, updated_at| {
        let client = Client { disabled, updated_at, ..client("wiki") };
        keep(database, [Change::ClientPut(Box::new(client))]).await;
    };
    let holds = async |client_id: &str, updated_at| {
        let expected = Change::ClientExpect { client_id: client_id.into(), updated_at };
        database.commit(vec![expected, Change::UserRemove(Id::from_i64(7))]).await
    };
    put(false, NOW).await;
    assert!(holds("wiki", NOW).await.is_ok());
    for (client_id, updated_at) in [("other", NOW), ("wiki", NOW.plus(HOUR))] {
        assert!(matches!(holds(client_id, updated_at).await, Err(StoreError::Conflict)));
    }
    put(true, NOW.plus(HOUR)).await;
    assert!(matches!(holds("wiki", NOW.plus(HOUR)).await, Err(StoreError::Conflict)));
}
