//! What an upstream says is believed, or not (OpenID Connect Core §3.1.3.7, RFC 9207).

use std::time::Duration;

use grantor_core::audit::EventKind;
use serde_json::{Value, json};

use super::fake::{Fake, Signed, seconds};
use super::{ada_comes_in, sign_in, start, start_on, with};
use crate::harness::app::{Answer, App, claims};
use crate::harness::person::Person;
use crate::harness::server::Server;

const OPEN: &str = "create_accounts = true";

/// The reason for which nobody comes in.
async fn refused(server: &Server, fake: &Fake) -> String {
    let person = Person::new(server);
    let page = sign_in(&person, fake).await;
    assert_eq!((page.status.as_u16(), page.name()), (400, "upstream-failed".to_owned()), "{}", page.body);
    assert_eq!(person.open("/account").await.name(), "sign-in");
    let events = server.events().await;
    let event = events.into_iter().find(|event| event.kind == EventKind::SignInFailed).unwrap();
    assert!(page.text().contains(&event.id.to_string()), "the page has the case number");
    event.reason.unwrap()
}

#[tokio::test]
async fn a_person_comes_in_through_an_upstream_and_gets_an_account_where_that_is_declared() {
    let (server, fake) = with(OPEN).await;
    let person = Person::new(&server);
    let page = sign_in(&person, &fake).await;
    assert_eq!((page.name(), page.text().contains("Ada There")), ("account".to_owned(), true), "{}", page.body);
    let events = server.events().await;
    for kind in [EventKind::SignInSucceeded, EventKind::UpstreamLinked, EventKind::UserChanged] {
        assert!(events.iter().any(|event| event.kind == kind), "{kind:?}");
    }
}

#[tokio::test]
async fn an_id_token_that_is_signed_by_nobody_by_another_or_with_the_secret_is_refused() {
    let (server, fake) = with(OPEN).await;
    for (signed, reason) in [
        (Signed::WithNone, "UpstreamTokenAlgorithm"),
        (Signed::WithSecret, "UpstreamTokenAlgorithm"),
        (Signed::ByAnother, "UpstreamTokenSignature"),
    ] {
        fake.script(|script| script.signed = signed);
        assert_eq!(refused(&server, &fake).await, reason, "{signed:?}");
    }
    fake.script(|script| script.signed = Signed::Right);
    ada_comes_in(&server, &fake).await;
}

#[tokio::test]
async fn an_id_token_of_another_issuer_for_another_client_or_of_another_time_is_refused() {
    let (server, fake) = with(OPEN).await;
    let at = |from_now| seconds(&server.clock, from_now);
    for (said, reason) in [
        (json!({"iss": "https://evil.example"}), "UpstreamIdTokenIssuer"),
        (json!({"iss": format!("{}/", fake.url)}), "UpstreamIdTokenIssuer"),
        (json!({"aud": "another"}), "UpstreamIdTokenAudience"),
        (json!({"aud": ["grantor", "another"]}), "UpstreamIdTokenAudience"),
        (json!({"aud": []}), "UpstreamIdTokenAudience"),
        (json!({"azp": "another"}), "UpstreamIdTokenAudience"),
        (json!({"azp": 1}), "UpstreamIdTokenAudience"),
        (json!({"exp": at(-31)}), "UpstreamIdTokenExpired"),
        (json!({"iat": at(31)}), "UpstreamIdTokenExpired"),
        (json!({"iat": at(-601)}), "UpstreamIdTokenExpired"),
        (json!({"nbf": at(31)}), "UpstreamIdTokenExpired"),
        (json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}), "UpstreamIdTokenAtHash"),
        (json!({"sub": ""}), "UpstreamIdTokenMalformed"),
        (json!({"sub": "a\nb"}), "UpstreamIdTokenMalformed"),
    ] {
        fake.script(|script| script.claims.clear());
        fake.says(&said);
        assert_eq!(refused(&server, &fake).await, reason, "{said}");
    }
    for claim in ["iss", "sub", "aud", "exp", "iat"] {
        fake.script(|script| script.claims.clear());
        fake.says(&json!({ claim: Value::Null }));
        assert_eq!(refused(&server, &fake).await, "UpstreamIdTokenMalformed", "{claim}");
    }
    fake.script(|script| script.claims.clear());
    fake.says(&json!({"azp": "grantor", "aud": ["grantor"]}));
    ada_comes_in(&server, &fake).await;
}

#[tokio::test]
async fn an_id_token_without_the_nonce_of_this_sign_in_is_refused() {
    let (server, fake) = with(OPEN).await;
    for nonce in [Value::Null, json!(""), json!("another"), json!(["a"])] {
        fake.says(&json!({ "nonce": nonce }));
        let reason = refused(&server, &fake).await;
        assert!(["UpstreamIdTokenNonce", "UpstreamIdTokenMalformed"].contains(&reason.as_str()), "{nonce}: {reason}");
    }
}

#[tokio::test]
async fn an_answer_says_of_which_issuer_it_is() {
    let (server, fake) = with(OPEN).await;
    let person = Person::new(&server);
    for (answer, comes_in) in [
        (vec![("code", "a-code-of-the-upstream-0"), ("iss", "https://evil.example")], false),
        (vec![("code", "a-code-of-the-upstream-0")], false),
    ] {
        let page = person.open(Fake::answers(&start(&person).await, &answer)).await;
        assert_eq!((page.name() == "account", server.reason().await), (comes_in, "UpstreamIssuerMismatch".to_owned()));
    }
    fake.script(|script| script.promises_iss = false);
    server.clock.advance(Duration::from_hours(2));
    let without = fake.consents(&start(&person).await);
    let without = without.as_str().replace(
        &format!("iss={}", url::form_urlencoded::byte_serialize(fake.url.as_bytes()).collect::<String>()),
        "x=y",
    );
    assert_eq!(person.open(without).await.name(), "account", "who promises nothing needs not say it");
}

#[tokio::test]
async fn new_keys_of_an_upstream_are_asked_for_and_not_again_and_again() {
    let (server, fake) = with(OPEN).await;
    ada_comes_in(&server, &fake).await;
    server.clock.advance(Duration::from_secs(61));
    fake.rotates();
    ada_comes_in(&server, &fake).await;
    let before = fake.asked("/jwks");
    fake.script(|script| script.signed = Signed::ByAnother);
    for _ in 0..5 {
        assert_eq!(refused(&server, &fake).await, "UpstreamTokenSignature");
    }
    assert_eq!(fake.asked("/jwks"), before);
}

#[tokio::test]
async fn userinfo_completes_an_id_token_only_where_it_is_about_the_same_person() {
    let (server, fake) = with(OPEN).await;
    fake.says(&json!({"email": null, "email_verified": null, "name": null}));
    fake.script(|script| script.profile = json!({"sub": "somebody-else", "name": "Eve", "email": "eve@corp.example"}));
    assert_eq!(refused(&server, &fake).await, "UpstreamSubjectMismatch");
    fake.script(|script| {
        script.profile = json!({"sub": "ada-there", "name": "Ada Elsewhere", "email": "ada@corp.example"});
    });
    let person = Person::new(&server);
    assert!(sign_in(&person, &fake).await.text().contains("Ada Elsewhere"));
}

#[tokio::test]
async fn what_the_upstream_refuses_or_says_in_no_form_ends_on_a_page() {
    let (server, fake) = with(OPEN).await;
    let person = Person::new(&server);
    for (answer, status, reason) in [
        (vec![("error", "access_denied"), ("iss", fake.url.as_str())], 403, "UpstreamDenied"),
        (vec![("error", "<b>"), ("iss", fake.url.as_str())], 400, "UpstreamRefused"),
        (vec![("code", "unknown"), ("iss", fake.url.as_str())], 400, "UpstreamRefused"),
        (vec![("iss", fake.url.as_str())], 400, "UpstreamAnswerMalformed"),
    ] {
        let page = person.open(Fake::answers(&start(&person).await, &answer)).await;
        assert_eq!((page.status.as_u16(), page.name()), (status, "upstream-failed".to_owned()));
        assert_eq!(server.reason().await, reason);
        assert!(!page.body.contains("<b>"));
    }
}

#[tokio::test]
async fn tokens_say_honestly_how_and_when_the_person_signed_in() {
    let (server, fake) = with(OPEN).await;
    let then = seconds(&server.clock, -100);
    fake.says(&json!({"auth_time": then, "amr": ["otp", "pwd"]}));
    let (app, person) = (App::new(&server, "wiki"), Person::new(&server));
    let page = person.open(app.authorize_url("openid profile email", &[])).await;
    let page = person.open(fake.consents(&start_on(&person, &page, "corp").await)).await;
    let tokens = app.redeem(&Answer::of(&person.allow_on(&page).await).param("code")).await.json();
    let told = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!((&told["acr"], &told["amr"]), (&json!("urn:grantor:acr:upstream"), &json!(["otp", "pwd"])));
    assert_eq!(told["auth_time"], json!(then));
}

#[tokio::test]
async fn who_must_sign_in_again_does_so_there_too() {
    let (server, fake) = with(OPEN).await;
    let (app, person) = (App::new(&server, "wiki"), Person::new(&server));
    for auth_time in [json!(seconds(&server.clock, -100)), Value::Null] {
        fake.says(&json!({ "auth_time": auth_time }));
        let page = person.open(app.authorize_url("openid profile email", &[("prompt", "login")])).await;
        let on_the_way = start_on(&person, &page, "corp").await;
        assert!(on_the_way.body.contains("prompt=login") && on_the_way.body.contains("max_age=0"));
        let page = person.open(fake.consents(&on_the_way)).await;
        assert_eq!((page.name(), server.reason().await), ("upstream-failed".to_owned(), "UpstreamAuthTime".to_owned()));
    }
    fake.script(|script| script.claims.clear());
    let page = person.open(app.authorize_url("openid profile email", &[("prompt", "login")])).await;
    let page = person.open(fake.consents(&start_on(&person, &page, "corp").await)).await;
    assert_eq!(page.name(), "consent");
}

#[tokio::test]
async fn an_app_that_needs_the_password_does_not_get_a_sign_in_from_elsewhere() {
    let (server, fake) = with(OPEN).await;
    let (app, person) = (App::new(&server, "wiki"), Person::new(&server));
    let asked = r#"{"id_token":{"acr":{"essential":true,"value":"urn:grantor:acr:password"}}}"#;
    let page = person.open(app.authorize_url("openid profile email", &[("claims", asked)])).await;
    let page = person.open(fake.consents(&start_on(&person, &page, "corp").await)).await;
    let page = person.send(&page.form(r#"form[action="/sign-in/more"]"#).with("decision", "deny")).await;
    assert!(
        page.location().is_some_and(|to| to.as_str().contains("unmet_authentication_requirements")),
        "{}",
        page.body
    );
}
