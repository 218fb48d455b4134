//! An upstream says that a session there has ended (OpenID Connect Back-Channel Logout).

use std::time::Duration;

use serde_json::{Value, json};

use super::fake::{Fake, Signed, seconds};
use super::{ada_comes_in, with};
use crate::attacks::wire::send;
use crate::harness::app::{App, Tokens};
use crate::harness::person::Person;
use crate::harness::server::Server;

async fn tell(server: &Server, token: &str) -> u16 {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = format!("logout_token={token}");
    send("POST", &server.at("/upstreams/corp/backchannel-logout"), &form, &body).await.status.as_u16()
}

async fn is_in(person: &Person) -> bool {
    person.open("/account").await.name() == "account"
}

async fn ada_at(server: &Server, fake: &Fake, subject: &str, sid: &str) -> Person {
    fake.says(
        &json!({"sub": subject, "sid": sid, "email": format!("{subject}@corp.example"), "preferred_username": subject}),
    );
    ada_comes_in(server, fake).await
}

#[tokio::test]
async fn a_session_ends_here_when_it_ends_there_and_no_other() {
    let (server, fake) = with("create_accounts = true").await;
    let (one, two) = (ada_at(&server, &fake, "ada-1", "s1").await, ada_at(&server, &fake, "ada-1", "s2").await);
    let other = ada_at(&server, &fake, "eve-1", "s3").await;
    assert_eq!(tell(&server, &fake.logout_token(&json!({"sid": "s1"}))).await, 200);
    assert_eq!([is_in(&one).await, is_in(&two).await, is_in(&other).await], [false, true, true]);
    assert_eq!(tell(&server, &fake.logout_token(&json!({"sub": "eve-1", "sid": "s2"}))).await, 200, "of nobody");
    assert!(is_in(&two).await && is_in(&other).await);
    assert_eq!(tell(&server, &fake.logout_token(&json!({"sub": "ada-1"}))).await, 200);
    assert_eq!([is_in(&two).await, is_in(&other).await], [false, true]);
}

#[tokio::test]
async fn what_apps_were_given_in_the_session_ends_with_it_but_for_offline_access() {
    let (server, fake) = with("create_accounts = true").await;
    let (app, person) = (App::new(&server, "wiki"), ada_at(&server, &fake, "ada-1", "s1").await);
    let online = app.tokens_with(&person, "openid profile", &[]).await;
    let other = App::new(&server, "chat");
    let offline = other.tokens_with(&person, "openid profile offline_access", &[]).await;
    assert_eq!(tell(&server, &fake.logout_token(&json!({"sub": "ada-1"}))).await, 200);
    assert!(!is_in(&person).await);
    assert_eq!(app.introspect(online.access()).await["active"], false);
    assert_eq!(app.refresh(online.refresh()).await.brief(), "400 invalid_grant");
    let fresh = Tokens(other.refresh(offline.refresh()).await.json());
    assert_eq!(other.userinfo(fresh.access()).await.json()["name"], "Ada There", "she allowed it to go on without her");
}

#[tokio::test]
async fn a_token_that_is_no_logout_token_of_this_upstream_ends_nothing() {
    let (server, fake) = with("create_accounts = true").await;
    let person = ada_at(&server, &fake, "ada-1", "s1").await;
    let at = |from_now| seconds(&server.clock, from_now);
    for claims in [
        json!({"iss": "https://evil.example"}),
        json!({"aud": "another"}),
        json!({"aud": ["grantor", "another"]}),
        json!({"exp": at(-31)}),
        json!({"exp": at(90_000)}),
        json!({"iat": at(31)}),
        json!({"events": {}}),
        json!({"events": {"http://schemas.openid.net/event/backchannel-logout": "x"}}),
        json!({"events": null}),
        json!({"nonce": "n"}),
        json!({"jti": ""}),
        json!({"jti": null}),
    ] {
        let mut all = json!({"sub": "ada-1"});
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        assert_eq!(tell(&server, &fake.logout_token(&all)).await, 400, "{claims}");
        assert_eq!(server.reason().await, "UpstreamLogoutToken", "{claims}");
    }
    assert_eq!(tell(&server, &fake.logout_token(&json!({"sub": Value::Null}))).await, 400, "about nobody");
    for signed in [Signed::ByAnother, Signed::WithNone, Signed::WithSecret] {
        fake.script(|script| script.signed = signed);
        assert_eq!(tell(&server, &fake.logout_token(&json!({"sub": "ada-1"}))).await, 400, "{signed:?}");
    }
    assert_eq!(tell(&server, "").await, 400);
    assert!(is_in(&person).await);
}

#[tokio::test]
async fn a_logout_token_that_comes_again_ends_nothing_that_began_since() {
    let (server, fake) = with("create_accounts = true").await;
    let person = ada_at(&server, &fake, "ada-1", "s1").await;
    let token = fake.logout_token(&json!({"sub": "ada-1"}));
    assert_eq!(tell(&server, &token).await, 200);
    assert!(!is_in(&person).await);
    server.clock.advance(Duration::from_secs(5));
    let again = ada_at(&server, &fake, "ada-1", "s2").await;
    assert_eq!(tell(&server, &token).await, 200);
    assert!(is_in(&again).await);
}
