//! What is kept comes back as it was.

use grantor_core::change::Change;
use grantor_core::client::ClientSecret;
use grantor_core::client_auth::ClientAuthMethod;
use grantor_core::consent::Consent;
use grantor_core::store::{GrantFacts, Store, StoreError};
use grantor_core::user::User;
use grantor_jose::id::Id;
use grantor_jose::secret::SecretText;
use grantor_storage::Database;

use super::samples::*;

pub async fn a_client_comes_back(database: &Database) {
    keep(database, [Change::ClientPut(Box::new(client("wiki")))]).await;
    let kept = database.directory().clients["wiki"].clone();
    assert_same(&*kept, &client("wiki"));
    assert_eq!(kept.secrets[1].hash, hash(2));
    let changed = || {
        let mut changed = client("wiki");
        changed.secrets.remove(0);
        changed.disabled = false;
        changed
    };
    keep(database, [Change::ClientPut(Box::new(changed()))]).await;
    assert_same(&*database.directory().clients["wiki"], &changed());
}

pub async fn a_secret_comes_back_itself_where_the_method_needs_it(database: &Database) {
    let text = SecretText::new("a secret that is needed itself, and long enough for it".into());
    let by = |method| {
        let secret = ClientSecret { text: Some(text.clone()), ..ClientSecret::hashed(&text, NOW) };
        let mut client = grantor_core::client::Client { secrets: vec![secret], ..client("wiki") };
        client.metadata.token_endpoint_auth_method = method;
        Change::ClientPut(Box::new(client))
    };
    let kept = || database.directory().clients["wiki"].secrets[0].text.as_ref().map(|text| text.expose().to_owned());
    keep(database, [by(ClientAuthMethod::ClientSecretJwt)]).await;
    assert_eq!(kept().as_deref(), Some(text.expose()));
    keep(database, [by(ClientAuthMethod::ClientSecretBasic)]).await;
    assert_eq!(kept(), None);
}

pub async fn a_code_comes_back(database: &Database) {
    with_wiki_and_user(database).await;
    let id = id_at(NOW, 1);
    assert!(database.code_find(id).await.unwrap().is_none());
    keep(database, [Change::CodeInsert(Box::new(code(id)))]).await;
    let kept = database.code_find(id).await.unwrap().unwrap().code;
    assert_same(&kept, &code(id));
    assert_eq!(kept.secret, hash(4));
    keep(database, [Change::CodeSpend { id, at: NOW }]).await;
    assert_eq!(database.code_find(id).await.unwrap().unwrap().code.spent_at, Some(NOW));
}

pub async fn a_consent_comes_back_with_its_last_answer(database: &Database) {
    with_wiki_and_user(database).await;
    let user_id = Id::from_i64(7);
    let answer = |granted: &str, declined: &str| Consent {
        user_id,
        client_id: "wiki".into(),
        granted: scope(granted),
        declined: scope(declined),
        created_at: NOW,
        updated_at: NOW.plus(HOUR),
    };
    keep(database, [Change::ConsentPut { consent: Box::new(answer("openid", "email")), expected: None }]).await;
    let lost = Change::ConsentPut { consent: Box::new(answer("email openid", "")), expected: None };
    assert!(matches!(database.commit(vec![lost]).await, Err(StoreError::Conflict)));
    let expected = Some(NOW.plus(HOUR));
    keep(database, [Change::ConsentPut { consent: Box::new(answer("email openid", "")), expected }]).await;
    let kept = database.consent_find(user_id, "wiki").await.unwrap();
    assert_eq!(kept, Some(answer("email openid", "")));
    assert_eq!(database.consents_of(user_id).await.unwrap(), [answer("email openid", "")]);
    keep(database, [Change::ConsentRemove { user_id, client_id: "wiki".into() }]).await;
    assert_eq!(database.consent_find(user_id, "wiki").await.unwrap(), None);
}

pub async fn a_grant_comes_back_with_its_person(database: &Database) {
    with_wiki_and_user(database).await;
    let id = id_at(NOW, 1);
    assert!(grant_find(database, id).await.is_none());
    keep(database, [grant_insert(grant(id))]).await;
    assert_same(&grant_find(database, id).await.unwrap(), &GrantFacts { grant: grant(id), user: user(7) });
}

pub async fn a_person_comes_back(database: &Database) {
    let id = Id::from_i64(7);
    keep(database, [Change::UserPut(Box::new(user(7)))]).await;
    assert_same(&database.user_find(id).await.unwrap().unwrap(), &user(7));
    assert_same(&database.user_find_by_username("user7").await.unwrap().unwrap(), &user(7));
    assert!(database.user_find_by_username("user").await.unwrap().is_none());
    let changed = || User { password: None, disabled: true, groups: Vec::new(), ..user(7) };
    keep(database, [Change::UserPut(Box::new(changed()))]).await;
    assert_same(&database.user_find(id).await.unwrap().unwrap(), &changed());
    keep(database, [Change::UserPassword { id, password: "another".into() }]).await;
    assert_eq!(database.user_find(id).await.unwrap().unwrap().password.unwrap(), "another");
}

pub async fn a_session_comes_back_with_its_person(database: &Database) {
    with_wiki_and_user(database).await;
    let id = id_at(NOW, 1);
    keep(database, [session_insert(session(id, 7))]).await;
    let (kept, person) = database.session_find(id).await.unwrap().unwrap();
    assert_same(&(kept.clone(), person), &(session(id, 7), user(7)));
    assert_eq!(kept.secret, hash(3));
}

pub async fn tokens_come_back(database: &Database) {
    with_wiki_and_user(database).await;
    let (id, other) = (id_at(NOW, 1), id_at(NOW, 2));
    let tokens = [access_token(id, Some(id)), access_token(other, None)];
    keep(database, [grant_insert(grant(id)), Change::RefreshTokenInsert(Box::new(refresh_token(id)))]).await;
    keep(database, tokens.clone().map(|token| Change::AccessTokenInsert(Box::new(token)))).await;
    assert_same(&database.refresh_token_find(id).await.unwrap().unwrap().token, &refresh_token(id));
    for token in tokens {
        let (kept, facts) = database.access_token_find(token.id).await.unwrap().unwrap();
        assert_same(&kept, &token);
        assert_eq!(kept.secret, hash(6));
        assert_eq!(facts.approval.map(|approval| approval.grant.id), token.grant_id);
    }
    assert!(!is_revoked(database, id).await);
    for _ in 0..2 {
        keep(database, [Change::AccessTokenRevoke { id, expires_at: NOW }]).await;
    }
    assert!(is_revoked(database, id).await);
}
