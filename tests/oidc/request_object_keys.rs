//! Request objects of an app that publishes its keys at an address of its own (RFC 7591 §2): verified with those that it has now.

use std::time::Duration;

use super::request_object::{asks, object};
use crate::harness::app::{Answer, App};
use crate::harness::person::Person;
use crate::harness::seeds::SIGNED_KEY;
use crate::harness::server::Server;
use crate::oauth::jwks_uri::{Address, NEXT_KEY, declare, published};

/// What comes of an object that is signed by one of the app's keys: `code`, or the error and its reason.
async fn fate(server: &Server, person: &Person, jwk: &str) -> String {
    let kid = if jwk == SIGNED_KEY { "signed-1" } else { "signed-2" };
    let asked = object(server, "openid").header("kid", kid).signed_with(jwk);
    let answer = Answer::of(&person.approve(asks(server, person, &asked, &[]).await).await);
    if answer.has("code") { "code".into() } else { format!("{} {}", answer.param("error"), server.reason().await) }
}

#[tokio::test]
async fn an_object_is_signed_with_a_key_that_the_app_publishes_now() {
    let address = Address::start();
    let (server, foreign) = (address.server().await, "invalid_request_object RequestObjectSignature");
    let person = Person::new(&server);
    assert!(App::new(&server, "signed").approved_with(&person, "openid", &[]).await.has("code"));
    assert_eq!(address.asked(), 0, "a request without an object needs no keys");
    assert_eq!(fate(&server, &person, SIGNED_KEY).await, "code");
    assert_eq!((fate(&server, &person, SIGNED_KEY).await.as_str(), address.asked()), ("code", 1));
    assert_eq!(fate(&server, &person, NEXT_KEY).await, foreign);
    address.publishes(200, &published(&[SIGNED_KEY, NEXT_KEY]));
    server.clock.advance(Duration::from_secs(61));
    assert_eq!(fate(&server, &person, NEXT_KEY).await, "code");
    address.publishes(200, &published(&[NEXT_KEY]));
    server.clock.advance(Duration::from_hours(1));
    assert_eq!(fate(&server, &person, NEXT_KEY).await, "code");
    address.is_asked(3).await;
    server.clock.advance(Duration::from_secs(61));
    assert_eq!(fate(&server, &person, SIGNED_KEY).await, foreign, "the app has withdrawn it");
}

#[tokio::test]
async fn an_object_whose_keys_cannot_be_read_is_refused_and_all_else_goes_on() {
    let address = Address::start();
    let (server, refused) = (address.server().await, "invalid_request_object RequestObjectKeysUnreachable");
    let (person, signed) = (Person::new(&server), App::new(&server, "signed"));
    address.publishes(503, "");
    assert_eq!(fate(&server, &person, SIGNED_KEY).await, refused);
    assert!(signed.approved_with(&person, "openid", &[]).await.has("code"));
    address.publishes(200, &published(&[SIGNED_KEY]));
    server.clock.advance(Duration::from_secs(61));
    assert_eq!(fate(&server, &person, SIGNED_KEY).await, "code");
    // Nobody listens there.
    declare(&server, "https://127.0.0.1:1/keys").await;
    assert_eq!(fate(&server, &person, SIGNED_KEY).await, refused);
    let asked = object(&server, "openid").signed();
    let page = asks(&server, &person, &asked, &[("redirect_uri", "https://evil.example/cb")]).await;
    assert_eq!((page.status.as_u16(), page.location(), page.name().as_str()), (400, None, "error"));
}

#[tokio::test]
async fn an_object_that_is_posted_is_verified_too() {
    let address = Address::start();
    let server = address.server().await;
    let (signed, person) = (App::new(&server, "signed"), Person::new(&server));
    let asked = object(&server, "openid").signed();
    let form = [("client_id", "signed"), ("response_type", "code"), ("scope", "openid"), ("request", asked.as_str())];
    let page = signed.post_raw("/authorize", &[("origin", "https://signed.example")], &form).await;
    assert_eq!((page.status.as_u16(), address.asked()), (303, 1));
    let page = person.open(page.location().unwrap()).await;
    assert!(Answer::of(&person.approve(page).await).has("code"));
}
