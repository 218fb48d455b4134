//! The keys of the issuer: when they are read, for how long they count, and what happens without them.

use std::time::Duration;

use axum::http::StatusCode;
use grantor_jose::algorithm::Algorithm;
use grantor_resource_server::Verifier;
use serde_json::json;

use crate::answers::asked;
use crate::issuer::{AUDIENCE, Issuer, key, nobody};

const LATER: &str = "come again in 1s";

/// Waits until it is so.
async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_jwt_is_checked_without_asking_anybody() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().await;
    for _ in 0..10 {
        assert_eq!(asked(&verifier, &issuer.jwt(&json!({}))).await, "ok");
    }
    assert_eq!((issuer.keys_asked(), issuer.tokens_asked()), (1, 0));
    issuer.advance(610);
    assert_eq!(asked(&verifier, &issuer.jwt(&json!({"exp": issuer.now() - 10}))).await, "Expired");
}

#[tokio::test]
async fn before_the_keys_are_known_nothing_is_let_through() {
    let issuer = Issuer::start().await;
    issuer.doing().down = Some((StatusCode::INTERNAL_SERVER_ERROR, "1"));
    let verifier = issuer.builder().build().unwrap();
    assert!(verifier.ready().await.unwrap_err().contains("500"));
    assert_eq!(asked(&verifier, &issuer.jwt(&json!({}))).await, LATER);
    issuer.issue("opaque", &json!({}));
    assert_eq!(asked(&verifier, "opaque").await, LATER);
}

#[tokio::test]
async fn an_issuer_that_nobody_answers_for_lets_nothing_through() {
    let issuer = Issuer::start().await;
    let verifier = Verifier::builder(format!("http://{}", nobody().await), AUDIENCE).build().unwrap();
    assert!(verifier.ready().await.unwrap_err().starts_with("no answer"));
    assert_eq!(asked(&verifier, &issuer.jwt(&json!({}))).await, LATER);
}

#[tokio::test]
async fn an_issuer_that_says_it_is_another_is_not_believed() {
    let issuer = Issuer::start().await;
    for name in [format!("{}/", issuer.url), "https://evil.example".to_owned(), String::new()] {
        issuer.doing().claims_to_be = Some(name);
        let verifier = issuer.builder().build().unwrap();
        assert!(verifier.ready().await.unwrap_err().contains("letter for letter"));
        assert_eq!(asked(&verifier, &issuer.jwt(&json!({}))).await, LATER);
    }
}

#[tokio::test]
async fn a_new_key_is_read_when_its_first_token_comes() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().await;
    let old = issuer.jwt(&json!({}));
    issuer.doing().keys.push(key(Algorithm::EdDsa));
    assert_eq!(asked(&verifier, &issuer.jwt(&json!({}))).await, "ok");
    assert_eq!((asked(&verifier, &old).await.as_str(), issuer.keys_asked()), ("ok", 2));
    issuer.doing().keys.remove(0);
    issuer.doing().keys.push(key(Algorithm::Es256));
    assert_eq!(asked(&verifier, &issuer.jwt(&json!({}))).await, "ok");
    assert_eq!(asked(&verifier, &old).await, "KeyUnknown", "its key was removed");
}

#[tokio::test]
async fn keys_are_read_anew_in_the_background() {
    let issuer = Issuer::start().await;
    let verifier = issuer.builder().read_keys_at_least_every(Duration::from_millis(20)).build().unwrap();
    verifier.ready().await.unwrap();
    let token = issuer.jwt(&json!({}));
    assert_eq!(asked(&verifier, &token).await, "ok");
    *issuer.doing().keys.last_mut().unwrap() = key(Algorithm::Es256);
    let before = issuer.keys_asked();
    until(|| issuer.keys_asked() >= before + 2).await;
    assert_eq!(asked(&verifier, &token).await, "KeyUnknown", "nobody has used the new key yet");
}

#[tokio::test]
async fn made_up_keys_cost_the_issuer_hardly_anything() {
    let issuer = Issuer::start().await;
    let verifier = issuer.builder().read_keys_at_most_every(Duration::from_millis(200)).build().unwrap();
    verifier.ready().await.unwrap();
    let strangers: Vec<_> = (0..4).map(|_| issuer.jwt_by(&key(Algorithm::Es256), &json!({}))).collect();
    let flood = (0..400).map(|number| {
        let (verifier, token) = (verifier.clone(), strangers[number % strangers.len()].clone());
        tokio::spawn(async move { asked(&verifier, &token).await })
    });
    let mut refused = 0;
    for outcome in flood.collect::<Vec<_>>() {
        match outcome.await.unwrap().as_str() {
            "KeyUnknown" => refused += 1,
            other => assert_eq!(other, LATER, "whoever cannot wait comes again"),
        }
    }
    assert!(refused > 0);
    assert!(issuer.keys_asked() <= 3, "{} readings", issuer.keys_asked());
    assert_eq!(asked(&verifier, &issuer.jwt(&json!({}))).await, "ok");
}

#[tokio::test]
async fn an_outage_lets_known_keys_count_for_a_day_and_no_longer() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().await;
    issuer.doing().down = Some((StatusCode::BAD_GATEWAY, "1"));
    issuer.advance(24 * 60 * 60 - 1);
    assert_eq!(asked(&verifier, &issuer.jwt(&json!({}))).await, "ok");
    // A key that is not known may be a new one, which nobody can tell now.
    assert_eq!(asked(&verifier, &issuer.jwt_by(&key(Algorithm::Es256), &json!({}))).await, LATER);
    issuer.advance(1);
    assert_eq!(asked(&verifier, &issuer.jwt(&json!({}))).await, LATER);
}

#[tokio::test]
async fn after_an_outage_it_goes_on_by_itself() {
    let issuer = Issuer::start().await;
    issuer.doing().down = Some((StatusCode::SERVICE_UNAVAILABLE, "1"));
    let verifier = issuer.builder().read_keys_at_least_every(Duration::from_millis(20)).build().unwrap();
    assert!(verifier.ready().await.is_err());
    issuer.doing().down = None;
    let before = issuer.keys_asked();
    until(|| issuer.keys_asked() >= before + 2).await;
    assert_eq!(asked(&verifier, &issuer.jwt(&json!({}))).await, "ok");
}

#[tokio::test]
async fn the_background_ends_with_the_last_verifier() {
    let issuer = Issuer::start().await;
    let verifier = issuer.builder().read_keys_at_least_every(Duration::from_millis(5)).build().unwrap();
    verifier.ready().await.unwrap();
    let clone = verifier.clone();
    drop(verifier);
    let before = issuer.keys_asked();
    until(|| issuer.keys_asked() > before + 1).await;
    drop(clone);
    // The one that is under way at that moment may still come.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let last = issuer.keys_asked();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(issuer.keys_asked(), last);
}
