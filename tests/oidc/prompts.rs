//! What an app can ask of the sign-in itself (OIDC Core §3.1.2.1): whether the person is prompted, who it must be, how fresh
//! and in which way and language.

use std::time::Duration;

use serde_json::json;

use crate::harness::app::{Answer, App, claims};
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD, BOB, BOB_PASSWORD};
use crate::harness::server::Server;

/// A request of the app whose people are not asked for consent.
async fn ask(server: &Server, person: &Person, changes: &[(&str, &str)]) -> Page {
    person.open(App::new(server, "portal").authorize_url("openid", changes)).await
}

/// The error that the app is told.
fn error(page: &Page) -> String {
    let answer = Answer::of(page);
    assert!(!answer.has("code"), "{}", answer.0);
    assert_eq!((answer.param("state").as_str(), answer.has("iss")), ("the-state", true));
    answer.param("error")
}

fn has_code(page: &Page) -> bool {
    Answer::of(page).has("code")
}

/// A minute after Alice has signed in.
async fn alice(server: &Server) -> Person {
    let person = Person::new(server);
    person.sign_in().await;
    server.clock.advance(Duration::from_mins(1));
    person
}

async fn bob(server: &Server) -> Person {
    let person = Person::new(server);
    let page = person.open("/sign-in").await;
    person.sign_in_on(&page, BOB, BOB_PASSWORD).await;
    person
}

async fn id_token(server: &Server, person: &Person) -> String {
    App::new(server, "portal").tokens_with(person, "openid", &[]).await.id().to_owned()
}

// "An error is returned if an End-User is not already authenticated" (OIDC Core §3.1.2.1)
// "The Authorization Server MUST NOT interact with the End-User in the following case: ... In this case, the Authorization
// Server MUST return an error if an End-User is not already Authenticated or could not be silently Authenticated."
// (OIDC Core §3.1.2.3)
#[tokio::test]
async fn prompt_none_without_a_session_is_login_required_and_shows_nothing() {
    let server = Server::start().await;
    let page =
        Person::new(&server).get(App::new(&server, "portal").authorize_url("openid", &[("prompt", "none")])).await;
    assert_eq!((page.status.as_u16(), page.body.as_str()), (303, ""));
    assert_eq!(error(&page), "login_required");
    assert_eq!(server.reasons().await[0], "LoginRequired");
}

// "the server SHOULD respond successfully when possible, even if it is not present." (OIDC Core §3.1.2.1)
#[tokio::test]
async fn prompt_none_with_a_session_is_answered_without_a_page() {
    let server = Server::start().await;
    let person = alice(&server).await;
    let page = person.get(App::new(&server, "portal").authorize_url("openid", &[("prompt", "none")])).await;
    assert!(has_code(&page));
}

// "or the Client does not have pre-configured consent for the requested Claims" (OIDC Core §3.1.2.1)
// "If it cannot obtain consent, it MUST return an error, typically "consent_required"." (OIDC Core §3.1.2.1)
#[tokio::test]
async fn prompt_none_before_consent_is_consent_required() {
    let server = Server::start().await;
    let (person, wiki) = (alice(&server).await, App::new(&server, "wiki"));
    let page = person.open(wiki.authorize_url("openid", &[("prompt", "none")])).await;
    assert_eq!(error(&page), "consent_required");
    assert_eq!(server.reasons().await[0], "ConsentRequired");
    wiki.approved_by(&person, "openid").await;
    assert!(has_code(&person.get(wiki.authorize_url("openid", &[("prompt", "none")])).await));
}

// "If this parameter contains "none" with any other value, an error is returned." (OIDC Core §3.1.2.1)
#[tokio::test]
async fn prompt_none_with_another_value_is_an_error() {
    let server = Server::start().await;
    let person = alice(&server).await;
    for prompt in ["none login", "login none", "none consent", "none select_account", "none none", "none bogus"] {
        assert_eq!(error(&ask(&server, &person, &[("prompt", prompt)]).await), "invalid_request", "{prompt}");
        assert_eq!(server.reasons().await[0], "PromptInvalid", "{prompt}");
    }
}

// "If an OP receives a "prompt" value outside the set defined above that it does not understand, it MAY return an error"
// (OIDC Core §3.1.2.1)
#[tokio::test]
async fn an_unknown_prompt_is_an_error() {
    let server = Server::start().await;
    let person = alice(&server).await;
    for prompt in ["bogus", "Login", "login,consent"] {
        assert_eq!(error(&ask(&server, &person, &[("prompt", prompt)]).await), "invalid_request", "{prompt}");
    }
}

// "The Authorization Server SHOULD prompt the End-User for reauthentication." (OIDC Core §3.1.2.1)
// "In this case, the Authorization Server MUST reauthenticate the End-User even if the End-User is already authenticated."
// (OIDC Core §3.1.2.3)
// "When "max_age" is used, the ID Token returned MUST include an "auth_time" Claim Value." (OIDC Core §3.1.2.1)
// "OPs MUST support the "prompt" parameter, as defined in Section 3.1.2, including the specified user interface behaviors
// such as "none" and "login"." (OIDC Core §15.1)
#[tokio::test]
async fn prompt_login_and_max_age_0_ask_for_the_password_on_a_live_session() {
    let server = Server::start().await;
    let person = alice(&server).await;
    for fresh in [("prompt", "login"), ("max_age", "0")] {
        server.clock.advance(Duration::from_secs(5));
        let page = ask(&server, &person, &[fresh]).await;
        assert_eq!(page.name(), "sign-in", "{fresh:?}");
        let answer = Answer::of(&person.approve(page).await);
        let tokens = App::new(&server, "portal").redeem(&answer.param("code")).await.json();
        let auth_time = &claims(tokens["id_token"].as_str().unwrap())["auth_time"];
        assert_eq!(*auth_time, server.clock.read().seconds(), "{fresh:?}");
    }
}

#[tokio::test]
async fn a_fresh_sign_in_cannot_be_skipped_by_changing_the_address() {
    let server = Server::start().await;
    let person = alice(&server).await;
    for fresh in [("prompt", "login"), ("max_age", "0"), ("max_age", "10")] {
        let sign_in = ask(&server, &person, &[fresh]).await.url;
        let resumed = sign_in.as_str().replace("/sign-in?request=", "/authorize?resume=");
        assert_eq!(person.open(resumed).await.name(), "sign-in", "{fresh:?}");
        let consent = sign_in.as_str().replace("/sign-in?", "/consent?");
        let page = person.open(consent).await;
        assert_eq!(person.allow_on(&page).await.name(), "sign-in", "{fresh:?}");
    }
}

#[tokio::test]
async fn a_wrong_password_does_not_count_as_a_fresh_sign_in() {
    let server = Server::start().await;
    let person = alice(&server).await;
    let page = ask(&server, &person, &[("prompt", "login")]).await;
    let page = person.sign_in_on(&page, ALICE, "not her password").await;
    assert_eq!(page.name(), "sign-in");
    let request = page.attribute("input[name=request]", "value").unwrap();
    assert_eq!(person.open(format!("/authorize?resume={request}")).await.name(), "sign-in");
}

// "The Authorization Server SHOULD prompt the End-User to select a user account." (OIDC Core §3.1.2.1)
#[tokio::test]
async fn select_account_asks_which_account_and_goes_on_with_it() {
    let server = Server::start().await;
    let person = alice(&server).await;
    let page = ask(&server, &person, &[("prompt", "select_account")]).await;
    assert_eq!(page.name(), "select-account");
    assert!(page.text().contains("Alice Liddell"), "{}", page.text());
    let form = page.form(r#"form[action="/select-account"]"#);
    assert!(has_code(&person.send(&form.with("choice", "continue")).await));
}

#[tokio::test]
async fn select_account_lets_another_person_sign_in() {
    let server = Server::start().await;
    let person = alice(&server).await;
    let of_alice = claims(&id_token(&server, &person).await)["sub"].clone();
    let page = ask(&server, &person, &[("prompt", "select_account")]).await;
    let page = person.send(&page.form(r#"form[action="/select-account"]"#).with("choice", "another")).await;
    assert_eq!(page.name(), "sign-in");
    let answer = Answer::of(&person.sign_in_on(&page, BOB, BOB_PASSWORD).await);
    let tokens = App::new(&server, "portal").redeem(&answer.param("code")).await.json();
    assert_ne!(claims(tokens["id_token"].as_str().unwrap())["sub"], of_alice);
}

#[tokio::test]
async fn select_account_without_a_session_is_a_sign_in() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let page = ask(&server, &person, &[("prompt", "select_account")]).await;
    assert_eq!(page.name(), "sign-in");
    assert!(has_code(&person.approve(page).await));
}

// "If the elapsed time is greater than this value, the OP MUST attempt to actively re-authenticate the End-User."
// (OIDC Core §3.1.2.1)
// "OPs MUST support enforcing a maximum authentication age via the "max_age" parameter, as defined in Section 3.1.2."
// (OIDC Core §15.1)
#[tokio::test]
async fn max_age_asks_for_the_password_only_when_the_sign_in_is_older() {
    let server = Server::start().await;
    let person = alice(&server).await;
    assert!(has_code(&ask(&server, &person, &[("max_age", "60")]).await));
    server.clock.advance(Duration::from_secs(1));
    assert_eq!(ask(&server, &person, &[("max_age", "60")]).await.name(), "sign-in");
    assert_eq!(error(&ask(&server, &person, &[("max_age", "60"), ("prompt", "none")]).await), "login_required");
}

#[tokio::test]
async fn a_max_age_that_is_no_number_of_seconds_is_an_error() {
    let server = Server::start().await;
    let person = alice(&server).await;
    for max_age in ["-1", "1.5", "ten", "0x10", "99999999999999999999999"] {
        assert_eq!(error(&ask(&server, &person, &[("max_age", max_age)]).await), "invalid_request", "{max_age}");
        assert_eq!(server.reasons().await[0], "MaxAgeMalformed", "{max_age}");
    }
    assert!(has_code(&ask(&server, &person, &[("max_age", "18446744073709551615")]).await));
}

// "The max_age request parameter overrides this default value." (OIDC Registration §2)
#[tokio::test]
async fn the_default_max_age_of_an_app_counts_until_a_request_names_another() {
    let server = Server::start().await;
    let registered = r#"
        [[clients]]
        client_id = "portal"
        redirect_uris = ["https://portal.example/cb"]
        scope = "openid"
        skip_consent = true
        default_max_age = 30
    "#;
    server.apply(registered).await;
    let person = alice(&server).await;
    assert_eq!(ask(&server, &person, &[]).await.name(), "sign-in");
    assert!(has_code(&ask(&server, &person, &[("max_age", "300")]).await));
}

// "If the End-User identified by the ID Token is already logged in … the Authorization Server returns a positive response"
// (OIDC Core §3.1.2.1)
// "The OP SHOULD accept ID Tokens when the RP identified by the ID Token has a current session or had a recent session at
// the OP, even when the "exp" time has passed." (OIDC Core §3.1.2.2)
#[tokio::test]
async fn a_hint_at_the_person_signed_in_is_answered_even_when_it_has_expired() {
    let server = Server::start().await;
    let person = alice(&server).await;
    let hint = id_token(&server, &person).await;
    for _ in 0..2 {
        assert!(has_code(&ask(&server, &person, &[("id_token_hint", &hint), ("prompt", "none")]).await));
        server.clock.advance(Duration::from_hours(1));
    }
}

// "otherwise, it MUST return an error, such as "login_required"" (OIDC Core §3.1.2.1)
#[tokio::test]
async fn a_hint_at_somebody_else_is_login_required() {
    let server = Server::start().await;
    let hint = id_token(&server, &bob(&server).await).await;
    let person = alice(&server).await;
    let page = ask(&server, &person, &[("id_token_hint", &hint), ("prompt", "none")]).await;
    assert_eq!(error(&page), "login_required");
    let page = ask(&server, &person, &[("id_token_hint", &hint)]).await;
    assert_eq!(page.name(), "sign-in");
    let page = person.sign_in_on(&page, ALICE, ALICE_PASSWORD).await;
    assert_eq!(error(&page), "login_required");
    assert_eq!(server.reasons().await[0], "HintMismatch");
}

#[tokio::test]
async fn a_hint_at_somebody_else_is_answered_once_they_sign_in() {
    let server = Server::start().await;
    let hint = id_token(&server, &bob(&server).await).await;
    let person = alice(&server).await;
    let page = ask(&server, &person, &[("id_token_hint", &hint)]).await;
    assert!(has_code(&person.sign_in_on(&page, BOB, BOB_PASSWORD).await));
}

// "When an "id_token_hint" is present, the OP MUST validate that it was the issuer of the ID Token." (OIDC Core §3.1.2.2)
#[tokio::test]
async fn a_hint_that_is_no_id_token_of_ours_is_an_error() {
    let server = Server::start().await;
    let person = alice(&server).await;
    let tokens = App::new(&server, "portal").tokens_with(&person, "openid", &[]).await;
    let (head, _) = tokens.id().rsplit_once('.').unwrap();
    let altered = format!("{head}.AAAA");
    let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", head.split('.').nth(1).unwrap());
    for hint in ["x", "a.b.c", tokens.access(), &altered, &unsigned] {
        assert_eq!(error(&ask(&server, &person, &[("id_token_hint", hint)]).await), "invalid_request", "{hint}");
        assert_eq!(server.reasons().await[0], "IdTokenHintInvalid", "{hint}");
    }
}

// "Hint to the Authorization Server about the login identifier the End-User might use to log in" (OIDC Core §3.1.2.1)
#[tokio::test]
async fn a_login_hint_is_filled_in_as_text() {
    let server = Server::start().await;
    for hint in ["bob", "bob@example.com", "\"><script>alert(1)</script>"] {
        let page = ask(&server, &Person::new(&server), &[("login_hint", hint)]).await;
        assert_eq!(page.attribute("input#username", "value").as_deref(), Some(hint));
        assert!(!page.body.contains("<script>alert"));
    }
}

// "If the "sub" (subject) Claim is requested with a specific value for the ID Token, the Authorization Server MUST only send a
// positive response if the End-User identified by that "sub" value has an active session with the Authorization Server or
// has been Authenticated as a result of the request." (OIDC Core §3.1.2.2)
// "The Authorization Server MUST NOT reply with an ID Token or Access Token for a different user, even if they have an
// active session with the Authorization Server." (OIDC Core §3.1.2.2)
// "If the Claim was "sub", a mismatch MUST cause the authentication to fail, as described in Section 3.1.2.2."
// (OIDC Core §5.5.1)
#[tokio::test]
async fn a_request_for_one_subject_is_answered_for_no_other() {
    let server = Server::start().await;
    let of_bob = claims(&id_token(&server, &bob(&server).await).await)["sub"].clone();
    let person = alice(&server).await;
    for place in ["id_token", "userinfo"] {
        let wanted = json!({ place: { "sub": { "value": of_bob } } }).to_string();
        let page = ask(&server, &person, &[("claims", &wanted), ("prompt", "none")]).await;
        assert_eq!(error(&page), "login_required", "{place}");
        let page = person.approve(ask(&server, &person, &[("claims", &wanted)]).await).await;
        assert_eq!(error(&page), "login_required", "{place}");
    }
    let page =
        ask(&server, &person, &[("claims", r#"{"id_token":{"sub":{"value":"nobody"}}}"#), ("prompt", "none")]).await;
    assert_eq!(error(&page), "login_required");
}

#[tokio::test]
async fn a_request_for_the_subject_signed_in_is_answered() {
    let server = Server::start().await;
    let person = alice(&server).await;
    let hint = id_token(&server, &person).await;
    let wanted = json!({ "id_token": { "sub": { "value": claims(&hint)["sub"] } } }).to_string();
    assert!(has_code(
        &ask(&server, &person, &[("claims", &wanted), ("prompt", "none"), ("id_token_hint", &hint)]).await
    ));
}

#[tokio::test]
async fn a_hint_and_a_subject_that_differ_are_nobody() {
    let server = Server::start().await;
    let person = alice(&server).await;
    let hint = id_token(&server, &person).await;
    let changes = [("id_token_hint", hint.as_str()), ("claims", r#"{"id_token":{"sub":{"value":"other"}}}"#)];
    assert_eq!(error(&ask(&server, &person, &changes).await), "login_required");
}

// "If this is an Essential Claim and the requirement cannot be met, then the Authorization Server MUST treat that outcome as
// a failed authentication attempt." (OIDC Core §5.5.1.1)
#[tokio::test]
async fn an_essential_acr_that_cannot_be_met_is_no_sign_in() {
    let server = Server::start().await;
    let person = alice(&server).await;
    for acr in [json!({"essential": true, "values": ["urn:x:gold"]}), json!({"essential": true, "value": "urn:x:gold"})]
    {
        let wanted = json!({ "id_token": { "acr": acr } }).to_string();
        let page = ask(&server, &person, &[("claims", &wanted)]).await;
        assert_eq!(error(&page), "unmet_authentication_requirements");
        assert_eq!(server.reasons().await[0], "AcrUnmet");
    }
}

// "An absolute URI or an RFC 6711 [RFC6711] registered name SHOULD be used as the "acr" value; registered names MUST NOT be
// used with a different meaning than that which is registered." (OIDC Core §2)
// "If the "acr" Claim is requested as an Essential Claim for the ID Token with a "value" or "values" parameter requesting
// specific Authentication Context Class Reference values and the implementation supports the "claims" parameter, the
// Authorization Server MUST return an "acr" Claim Value that matches one of the requested values." (OIDC Core §5.5.1.1)
#[tokio::test]
async fn an_acr_that_is_met_or_only_wished_for_is_told_as_it_is() {
    let server = Server::start().await;
    let (person, portal) = (alice(&server).await, App::new(&server, "portal"));
    let ours = "urn:grantor:acr:password";
    let essential = json!({ "id_token": { "acr": { "essential": true, "values": ["urn:x:gold", ours] } } }).to_string();
    let voluntary = json!({ "id_token": { "acr": { "values": ["urn:x:gold"] } } }).to_string();
    for wish in
        [("claims", essential.as_str()), ("claims", voluntary.as_str()), ("acr_values", "urn:x:gold urn:x:silver")]
    {
        assert_eq!(claims(portal.tokens_with(&person, "openid", &[wish]).await.id())["acr"], ours, "{wish:?}");
    }
}

// "An error SHOULD NOT result if some or all of the requested locales are not supported by the OpenID Provider."
// (OIDC Core §3.1.2.1)
#[tokio::test]
async fn the_pages_speak_the_first_language_asked_for_that_is_offered() {
    let server = Server::start().await;
    for (asked, spoken) in
        [("de", "de"), ("fr-CA fr de-AT en", "de"), ("fr", "en"), ("en-GB de", "en"), ("", "en"), ("xx!!", "en")]
    {
        let page = ask(&server, &Person::new(&server), &[("ui_locales", asked)]).await;
        assert_eq!(page.attribute("html", "lang").as_deref(), Some(spoken), "{asked}");
    }
    let german = Person::with_language(&server, "de");
    assert_eq!(ask(&server, &german, &[("ui_locales", "en")]).await.attribute("html", "lang").as_deref(), Some("en"));
}

// "in practice, not returning errors for not-understood values will help facilitate phasing in extensions using new "display"
// values" (OIDC Core §3.1.2.1)
// "The Authorization Server SHOULD display the authentication and consent UI consistent with a full User Agent page view."
// (OIDC Core §3.1.2.1)
// "OPs MUST support the "display" parameter, as defined in Section 3.1.2." (OIDC Core §15.1)
#[tokio::test]
async fn any_display_is_a_page() {
    let server = Server::start().await;
    for display in ["page", "popup", "touch", "wap", "hologram"] {
        assert_eq!(ask(&server, &Person::new(&server), &[("display", display)]).await.name(), "sign-in", "{display}");
    }
}
