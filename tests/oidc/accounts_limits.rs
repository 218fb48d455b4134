//! How often apps may ask where several people are signed in in one browser: for the person in use, and for whom they are answered.

use std::time::Duration;

use super::accounts::{alice_before_bob, id_token};
use crate::harness::app::{Answer, App};
use crate::harness::person::Person;
use crate::harness::seeds::{BOB, BOB_PASSWORD};
use crate::harness::server::Server;

/// A server where an app may send a person's browsers twice a minute.
async fn server() -> Server {
    Server::start_with(|config| config.limits.authorization.per_account = Some("2/m".parse().unwrap())).await
}

/// Bob in a browser of his own.
async fn bob(server: &Server) -> Person {
    let person = Person::new(server);
    person.sign_in_on(&person.open("/sign-in").await, BOB, BOB_PASSWORD).await;
    person
}

/// What an app that knows Bob asks for him, and for nobody else; a minute later.
async fn for_bob(server: &Server) -> [(&'static str, String); 2] {
    let hint = id_token(server, &bob(server).await).await;
    server.clock.advance(Duration::from_mins(1));
    [("id_token_hint", hint), ("prompt", "none".to_owned())]
}

#[tokio::test]
async fn nobody_is_looked_for_beside_a_person_for_whom_the_app_has_asked_too_often() {
    let server = server().await;
    let (portal, person) = (App::new(&server, "portal"), alice_before_bob(&server).await);
    let named = for_bob(&server).await;
    let named = named.each_ref().map(|(name, value)| (*name, value.as_str()));
    for _ in 0..2 {
        assert!(portal.approved_by(&person, "openid").await.has("code"));
    }
    let page = portal.asks(&person, "openid", &named).await;
    assert_eq!((page.brief().as_str(), page.name().as_str()), ("429", "too-many"));
    let elsewhere = bob(&server).await;
    for _ in 0..2 {
        assert!(portal.approved_by(&elsewhere, "openid").await.has("code"), "nothing of it counts for Bob");
    }
}

#[tokio::test]
async fn what_is_answered_for_somebody_beside_counts_for_them_and_for_the_person_in_use() {
    let server = server().await;
    let (portal, person) = (App::new(&server, "portal"), alice_before_bob(&server).await);
    let named = for_bob(&server).await;
    let named = named.each_ref().map(|(name, value)| (*name, value.as_str()));
    for _ in 0..2 {
        assert!(Answer::of(&portal.asks(&person, "openid", &named).await).has("code"));
    }
    assert_eq!(portal.asks(&person, "openid", &[]).await.status, 429);
    let elsewhere = bob(&server).await;
    assert_eq!(portal.asks(&elsewhere, "openid", &[]).await.status, 429);
    server.clock.advance(Duration::from_mins(1));
    for _ in 0..2 {
        let page = portal.asks(&person, "openid", &[("login_hint", BOB)]).await;
        assert_eq!(page.name(), "select-account", "the person says who they are");
    }
    assert!(portal.approved_by(&elsewhere, "openid").await.has("code"), "and Bob was asked for nothing");
}
