//! Opaque tokens: the issuer is asked about them, as rarely as its answers allow.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::http::StatusCode;
use grantor_resource_server::Verifier;
use serde_json::json;

use crate::answers::{asked, asked_from};
use crate::issuer::{AUDIENCE, Issuer};

const TOKEN: &str = "gtr_at_0BxVq7aY2Lk.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

#[tokio::test]
async fn the_issuer_is_asked_with_the_callers_address() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().await;
    issuer.issue(TOKEN, &json!({"username": "alice@example", "acr": "pwd", "auth_time": 5}));
    let access = verifier.verify(TOKEN, "::ffff:192.0.2.7".parse().ok()).await.unwrap();
    assert_eq!(
        (access.username.as_deref(), access.acr.as_deref(), access.auth_time),
        (Some("alice@example"), Some("pwd"), Some(5))
    );
    assert_eq!(asked_from(&verifier, TOKEN, "").await, "ok");
    let addresses = issuer.doing().addresses.clone();
    assert_eq!(addresses, [Some("192.0.2.7".to_owned()), None]);
}

#[tokio::test]
async fn what_does_not_count_or_is_for_others_is_refused() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().await;
    assert_eq!(asked(&verifier, "made-up").await, "Inactive");
    for (members, word) in [
        (json!({"aud": "https://other.example"}), "AudienceMismatch"),
        (json!({"aud": []}), "AudienceMismatch"),
        (json!({"iss": "https://other.example"}), "IssuerMismatch"),
        (json!({"exp": issuer.now() - 10}), "Expired"),
        (json!({"cnf": {"jkt": "x"}}), "KeyBound"),
        (json!({"token_type": "DPoP"}), "KeyBound"),
        (json!({"networks": ["10.0.0.0/8"]}), "AddressNotAllowed"),
        (json!({"networks": ["everywhere"]}), "come again in 1s"),
        (json!({"active": "true"}), "come again in 1s"),
        (json!({"active": null}), "come again in 1s"),
    ] {
        issuer.issue(TOKEN, &members);
        assert_eq!(asked(&verifier, TOKEN).await, word, "{members}");
    }
}

#[tokio::test]
async fn who_has_no_credentials_takes_jwts_only() {
    let issuer = Issuer::start().await;
    let verifier = Verifier::builder(&issuer.url, AUDIENCE).build().unwrap();
    verifier.ready().await.unwrap();
    issuer.issue(TOKEN, &json!({}));
    assert_eq!(asked(&verifier, TOKEN).await, "OpaqueNotTaken");
    assert_eq!(issuer.tokens_asked(), 0);
}

#[tokio::test]
async fn wrong_credentials_let_nothing_through() {
    let issuer = Issuer::start().await;
    let verifier = issuer.builder().introspection("api", "wrong").build().unwrap();
    verifier.ready().await.unwrap();
    issuer.issue(TOKEN, &json!({}));
    assert_eq!(asked(&verifier, TOKEN).await, "come again in 1s");
}

#[tokio::test]
async fn a_misspelt_token_is_refused_before_anybody_is_asked() {
    let issuer = Issuer::start().await;
    let verifier = issuer.builder().shape(|token| token.starts_with("ref_")).build().unwrap();
    verifier.ready().await.unwrap();
    issuer.issue("x", &json!({}));
    assert_eq!(asked(&verifier, "x").await, "Misspelt");
    assert_eq!(asked(&verifier, &format!("ref_{}", "x".repeat(2_045))).await, "Misspelt");
    assert_eq!(issuer.tokens_asked(), 0);
    assert_eq!(asked(&verifier, &format!("ref_{}", "x".repeat(2_044))).await, "Inactive");
}

#[tokio::test]
async fn what_looks_like_a_token_of_ours_and_is_none_is_asked_of_nobody() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().await;
    let refresh = TOKEN.replace("gtr_at", "gtr_rt");
    for made_up in [&TOKEN[..TOKEN.len() - 1], "gtr_at_x", "gtr_pat_x", "gtr_key_", &format!("{TOKEN}x")] {
        issuer.issue(made_up, &json!({}));
        assert_eq!(asked(&verifier, made_up).await, "Misspelt", "{made_up}");
    }
    for of_another_kind in [refresh.as_str(), "gtr_", "gtr_x", "gtr_key"] {
        assert_eq!(asked(&verifier, of_another_kind).await, "TypMismatch", "{of_another_kind}");
    }
    assert_eq!(issuer.tokens_asked(), 0);
}

#[tokio::test]
async fn an_answer_that_a_token_counts_is_good_for_every_address_that_it_names() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().await;
    issuer.doing().cache_control = Some("max-age=10");
    issuer.issue(TOKEN, &json!({"networks": ["192.0.2.0/24"]}));
    for host in 1..50 {
        assert_eq!(asked_from(&verifier, TOKEN, &format!("192.0.2.{host}")).await, "ok");
    }
    assert_eq!(asked_from(&verifier, TOKEN, "198.51.100.1").await, "AddressNotAllowed");
    assert_eq!(issuer.tokens_asked(), 1);
}

#[tokio::test]
async fn an_issuer_that_asks_for_a_rest_gets_it() {
    for status in [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS] {
        let issuer = Issuer::start().await;
        let verifier = issuer.verifier().await;
        issuer.issue(TOKEN, &json!({}));
        issuer.doing().down = Some((status, "7"));
        assert_eq!(asked(&verifier, TOKEN).await, "come again in 7s");
        issuer.doing().down = None;
        issuer.advance(5);
        assert_eq!(asked(&verifier, TOKEN).await, "come again in 2s", "nobody asks meanwhile");
        assert_eq!(issuer.tokens_asked(), 1);
        issuer.advance(2);
        assert_eq!(asked(&verifier, TOKEN).await, "ok");
    }
}

#[tokio::test]
async fn an_answer_is_kept_as_long_as_it_allows_and_ten_seconds_at_most() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().await;
    for (cache_control, kept) in [
        (None, 0),
        (Some("no-store"), 0),
        (Some("private, max-age=5"), 5),
        (Some("max-age=3600"), 10),
        (Some("no-cache, max-age=5"), 0),
    ] {
        issuer.doing().cache_control = cache_control;
        issuer.issue(TOKEN, &json!({}));
        assert_eq!(asked(&verifier, TOKEN).await, "ok");
        issuer.revoke(TOKEN);
        if kept > 0 {
            issuer.advance(kept - 1);
            assert_eq!(asked(&verifier, TOKEN).await, "ok", "{cache_control:?}");
            issuer.advance(1);
        }
        assert_eq!(asked(&verifier, TOKEN).await, "Inactive", "{cache_control:?}");
        issuer.advance(1);
    }
}

#[tokio::test]
async fn an_answer_is_never_kept_beyond_the_tokens_own_end() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().await;
    issuer.doing().cache_control = Some("max-age=10");
    issuer.issue(TOKEN, &json!({"exp": issuer.now() + 3}));
    assert_eq!(asked(&verifier, TOKEN).await, "ok");
    issuer.revoke(TOKEN);
    issuer.advance(2);
    assert_eq!(asked(&verifier, TOKEN).await, "ok");
    issuer.advance(1);
    assert_eq!(asked(&verifier, TOKEN).await, "Inactive");
}

#[tokio::test]
async fn a_token_that_does_not_count_may_count_a_second_later() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().await;
    issuer.doing().cache_control = Some("max-age=10");
    assert_eq!(asked(&verifier, TOKEN).await, "Inactive");
    issuer.issue(TOKEN, &json!({}));
    assert_eq!((asked(&verifier, TOKEN).await.as_str(), issuer.tokens_asked()), ("Inactive", 1));
    issuer.advance(1);
    assert_eq!(asked(&verifier, TOKEN).await, "ok");
}

#[tokio::test]
async fn networks_are_looked_at_on_each_call() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().await;
    issuer.doing().cache_control = Some("max-age=10");
    issuer.issue(TOKEN, &json!({"networks": ["192.0.2.0/24", "2001:db8::/32"]}));
    let jwt = issuer.jwt(&json!({"networks": ["192.0.2.0/24", "2001:db8::/32"]}));
    for token in [TOKEN, &jwt] {
        for (address, word) in [
            ("192.0.2.1", "ok"),
            ("192.0.2.1", "ok"),
            ("192.0.3.1", "AddressNotAllowed"),
            ("2001:db8:7::1", "ok"),
            ("::1", "AddressNotAllowed"),
            ("", "AddressUnknown"),
        ] {
            assert_eq!(asked_from(&verifier, token, address).await, word, "{token} from {address}");
        }
    }
    assert_eq!(issuer.tokens_asked(), 1, "an answer says from where the token counts");
}

#[tokio::test]
async fn many_calls_with_one_token_are_one_question() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().await;
    issuer.issue(TOKEN, &json!({}));
    issuer.doing().thinks_for = Duration::from_millis(30);
    issuer.doing().cache_control = Some("max-age=5");
    let calls: Vec<_> = (0..200)
        .map(|_| {
            let verifier = verifier.clone();
            tokio::spawn(async move { asked(&verifier, TOKEN).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), "ok");
    }
    assert_eq!(issuer.tokens_asked(), 1);
}

#[tokio::test]
async fn an_answer_that_may_not_be_kept_serves_who_came_before_its_question() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().await;
    issuer.issue(TOKEN, &json!({}));
    issuer.doing().thinks_for = Duration::from_millis(30);
    let calls: Vec<_> = (0..200)
        .map(|_| {
            let verifier = verifier.clone();
            tokio::spawn(async move { asked(&verifier, TOKEN).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), "ok");
    }
    assert_eq!((issuer.tokens_asked(), issuer.inside.most_at_work.load(Ordering::SeqCst)), (2, 1));
}

#[tokio::test]
async fn who_goes_away_takes_no_answer_from_the_others() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().await;
    issuer.issue(TOKEN, &json!({}));
    issuer.doing().thinks_for = Duration::from_millis(50);
    let call = || {
        let verifier = verifier.clone();
        tokio::spawn(async move { asked(&verifier, TOKEN).await })
    };
    let (first, second) = (call(), call());
    while issuer.tokens_asked() == 0 {
        tokio::task::yield_now().await;
    }
    first.abort();
    assert_eq!(second.await.unwrap(), "ok");
}

#[tokio::test]
async fn an_issuer_that_does_not_answer_is_left_alone_for_a_moment() {
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().await;
    issuer.doing().cache_control = Some("max-age=5");
    issuer.issue(TOKEN, &json!({}));
    assert_eq!(asked(&verifier, TOKEN).await, "ok");
    issuer.doing().down = Some((StatusCode::SERVICE_UNAVAILABLE, "7"));
    assert_eq!(asked(&verifier, TOKEN).await, "ok", "its answer still counts");
    assert_eq!(asked(&verifier, "another").await, "come again in 7s");
    issuer.advance(5);
    assert_eq!(asked(&verifier, TOKEN).await, "come again in 2s");
    issuer.doing().down = None;
    issuer.advance(2);
    assert_eq!(asked(&verifier, TOKEN).await, "ok");
}
