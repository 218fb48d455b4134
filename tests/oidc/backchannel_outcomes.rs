//! Back-Channel Logout, sentence by sentence: what becomes of what apps are told, and who sees it.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::backchannel_logout::Outcome;
use grantor_jose::hash::sha256;
use grantor_server::config::Config;
use serde_json::{Value, json};
use url::Url;

use super::backchannel::{alice, all_over, declared, logout_token, outcome, receipts, sign_out, told, until};
use super::logout::confirm;
use crate::crash::child::{Child, free_port};
use crate::crash::on_each_database;
use crate::harness::app::{Answer, VERIFIER, claims};
use crate::harness::browser::Browser;
use crate::harness::command;
use crate::harness::person::Person;
use crate::harness::receiver::Receiver;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD, SECRET};
use crate::harness::server::{Kind, Place, Server};
use crate::pages::looks::look;

// "If the logout request was invalid or the logout failed, the RP MUST respond with HTTP 400 Bad Request."
// (OIDC Back-Channel Logout §2.8)
// "In all other cases, the OP SHOULD NOT retransmit a Back-Channel Logout Request." (OIDC Back-Channel Logout §2.5)
#[tokio::test]
async fn an_app_that_refuses_is_not_asked_again_and_what_it_said_is_kept() {
    let receiver = Receiver::start();
    receiver.answer(&[400]);
    let server = told(&receiver).await;
    let (person, _) = alice(&server).await;
    sign_out(&server, &person).await;
    let notice = until(&server, all_over).await.remove(0);
    assert_eq!((outcome(&notice), notice.attempts), (Some(Outcome::Refused), 1));
    assert!(notice.error.starts_with("invalid_request: "), "{}", notice.error);
    let event = server.events().await.into_iter().find(|event| event.kind.as_str() == "logout_failed").unwrap();
    assert_eq!((event.reason.as_deref(), event.client_id.as_deref()), (Some("refused"), Some("wiki")));
    server.clock.advance(Duration::from_hours(10));
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(receiver.messages().len(), 1);
}

// "In this case, the OP SHOULD delay retransmission for an appropriate amount of time to avoid overwhelming the RP."
// (OIDC Back-Channel Logout §2.5)
#[tokio::test]
async fn an_app_that_fails_is_told_again_later_with_a_token_of_its_own() {
    let receiver = Receiver::start();
    receiver.answer(&[503, 500]);
    let server = told(&receiver).await;
    let (person, _) = alice(&server).await;
    sign_out(&server, &person).await;
    for attempts in 1..=2 {
        until(&server, |all| all.iter().any(|notice| notice.attempts == attempts)).await;
        server.clock.advance(Duration::from_secs(15));
    }
    let notice = until(&server, all_over).await.remove(0);
    assert_eq!((outcome(&notice), notice.attempts, notice.error.as_str()), (Some(Outcome::Delivered), 3, ""));
    let ids: BTreeSet<String> =
        receiver.messages().iter().map(|message| claims(&logout_token(message))["jti"].to_string()).collect();
    assert_eq!(ids.len(), 3, "an app that has seen one would refuse it");
    assert!(server.events().await.iter().any(|event| event.kind.as_str() == "logout_delivered"));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let receiver = Receiver::start();
    receiver.answer(&[302]);
    let server = told(&receiver).await;
    let (person, _) = alice(&server).await;
    sign_out(&server, &person).await;
    let notice = until(&server, all_over).await.remove(0);
    assert_eq!((outcome(&notice), notice.error.as_str()), (Some(Outcome::Refused), "it answered 302 Found"));
}

#[tokio::test]
async fn an_app_that_never_answers_is_given_up_in_the_end_and_can_be_told_again() {
    let receiver = Receiver::start();
    receiver.answer(&[503; 100]);
    let server = told(&receiver).await;
    let (person, _) = alice(&server).await;
    sign_out(&server, &person).await;
    until(&server, |all| all.iter().any(|notice| notice.attempts == 1)).await;
    server.clock.advance(Duration::from_hours(80));
    let notice = until(&server, all_over).await.remove(0);
    assert_eq!(
        (outcome(&notice), notice.error.as_str()),
        (Some(Outcome::GivenUp), "it answered 503 Service Unavailable")
    );
    let list = command::logout(server.config(), &["list"]).await.unwrap();
    assert!(list.contains("given_up") && list.contains("503") && list.contains("wiki"), "{list}");
    receiver.answer(&[]);
    server.clock.catch_up();
    let said = command::logout(server.config(), &["replay", "--client", "chat"]).await.unwrap();
    assert!(said.starts_with("0 notices"), "{said}");
    let said = command::logout(server.config(), &["replay"]).await.unwrap();
    assert!(said.starts_with("1 notice is queued"), "{said}");
    until(&server, all_over).await;
    let list = command::logout(server.config(), &["list", "--all", "--json"]).await.unwrap();
    let list: Value = serde_json::from_str(&list).unwrap();
    assert_eq!((&list[0]["standing"], &list[0]["username"]), (&json!("delivered"), &json!("alice")));
}

#[tokio::test]
async fn a_person_sees_which_apps_were_told() {
    let receiver = Receiver::start();
    receiver.answer(&[400]);
    let server = told(&receiver).await;
    let (person, _) = alice(&server).await;
    sign_out(&server, &person).await;
    until(&server, all_over).await;
    let (again, _) = alice(&server).await;
    let page = again.open("/account/sessions").await;
    assert!(page.text().contains("The wiki") && page.text().contains("Could not be told"), "{}", page.text());
    sign_out(&server, &again).await;
    until(&server, |all| all.len() == 2 && all_over(all)).await;
    let page = Person::new(&server).sign_in().await;
    assert!(!page.text().contains("Could not be told"), "it stands with the sessions");
}

#[tokio::test]
async fn the_page_with_receipts_shuts_nobody_out() {
    let Some(browser) = Browser::setup().start().await else { return };
    let receiver = Receiver::start();
    receiver.answer(&[400, 503]);
    let server = told(&receiver).await;
    for done in 1..=3 {
        sign_out(&server, &alice(&server).await.0).await;
        until(&server, |all| all.len() == done && all.iter().all(|notice| notice.attempts > 0)).await;
    }
    browser.open(&server.at("/sign-in")).await;
    browser.fill("username", ALICE).await;
    browser.fill("password", ALICE_PASSWORD).await;
    browser.click("sign-in").await;
    browser.arrives_at("account").await;
    browser.open(&server.at("/account/sessions")).await;
    look(&browser, "sessions", "sessions-receipts").await;
}

#[tokio::test]
async fn receipts_are_kept_for_a_month() {
    let receiver = Receiver::start();
    let server = told(&receiver).await;
    let (person, _) = alice(&server).await;
    sign_out(&server, &person).await;
    until(&server, all_over).await;
    let lifetimes = &server.app.provider.policy.lifetimes;
    let day = Duration::from_hours(24);
    server.database.sweep(server.clock.read().plus(29 * day), lifetimes).await.unwrap();
    assert_eq!(receipts(&server).await.len(), 1);
    server.database.sweep(server.clock.read().plus(31 * day), lifetimes).await.unwrap();
    assert!(receipts(&server).await.is_empty());
}

// "The back-channel logout URI MUST NOT include a fragment component." (OIDC Back-Channel Logout §2.2)
// "The back-channel logout URI MUST be an absolute URI as defined by Section 4.3 of [RFC3986]."
// (OIDC Back-Channel Logout §2.2)
// "This URL SHOULD use the "https" scheme and MAY contain port, path, and query parameter components; however, it MAY use
// the "http" scheme, provided that the Client Type is "confidential", as defined in Section 2.1 of OAuth 2.0 [RFC6749], and
// provided the OP allows the use of "http" RP URIs." (OIDC Back-Channel Logout §2.2)
#[tokio::test]
async fn an_address_that_cannot_be_told_is_not_registered() {
    let server = Server::start().await;
    server.clock.advance(Duration::from_secs(1));
    for uri in ["http://wiki.example/x", "https://wiki.example/x#y", "https://u@wiki.example/", "wiki", "ftp://x/", ""]
    {
        let refused = server.try_apply(&declared(Some(uri), None)).await;
        assert!(refused.is_err_and(|why| why.contains("backchannel_logout_uri")), "{uri}");
    }
    server.apply(&declared(Some("https://wiki.example/logout?tenant=1"), None)).await;
}

// "It SHOULD also register this related metadata value:" (OIDC Back-Channel Logout §2.1)
#[tokio::test]
async fn the_metadata_say_that_apps_are_told() {
    let server = Server::start().await;
    let metadata = Person::new(&server).get("/.well-known/openid-configuration").await.json();
    for name in ["backchannel_logout_supported", "backchannel_logout_session_supported"] {
        assert_eq!(metadata[name], true, "{name}");
    }
}

// "The back-channel logout URI MAY include an "application/x-www-form-urlencoded" formatted query component, per Section 3.4
// of [RFC3986], which MUST be retained when adding additional query parameters." (OIDC Back-Channel Logout §2.2)
#[tokio::test]
async fn the_query_of_a_registered_address_stays() {
    let receiver = Receiver::start();
    let server = Server::start_with(receiver.trusted()).await;
    server.clock.advance(Duration::from_secs(1));
    let uri = Url::parse_with_params(&receiver.url, [("tenant", "1")]).unwrap();
    server.apply(&declared(Some(uri.as_str()), None)).await;
    let (person, _) = alice(&server).await;
    sign_out(&server, &person).await;
    assert_eq!(receiver.wait_for(1).await[0].query, "tenant=1");
}

#[tokio::test]
async fn two_nodes_tell_an_app_once() {
    let receiver = Receiver::start();
    let first = told(&receiver).await;
    let (trusted, issuer) = (receiver.trusted(), first.url.clone());
    let second = first.another_node_with(|config| {
        trusted(config);
        config.issuer = issuer;
    });
    let second = second.await;
    for _ in 0..5 {
        sign_out(&first, &alice(&first).await.0).await;
    }
    until(&second, |all| all.len() == 5 && all_over(all)).await;
    assert_eq!(receiver.messages().len(), 5);
}

/// The wiki gets its tokens from a server of which only the issuer is known.
async fn sign_in_at_the_wiki(issuer: &str, person: &Person) {
    let challenge = URL_SAFE_NO_PAD.encode(sha256(VERIFIER.as_bytes()));
    let redirect_uri = "https://wiki.example/cb";
    let asked = [
        ("client_id", "wiki"),
        ("response_type", "code"),
        ("redirect_uri", redirect_uri),
        ("scope", "openid"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let page = person.open(Url::parse_with_params(&format!("{issuer}/authorize"), asked).unwrap()).await;
    let code = Answer::of(&person.approve(page).await).param("code");
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", redirect_uri),
        ("code_verifier", VERIFIER),
    ];
    let request = reqwest::Client::new().post(format!("{issuer}/token")).basic_auth("wiki", Some(SECRET)).form(&form);
    assert_eq!(request.send().await.unwrap().status(), 200);
}

/// What was acknowledged is told, also where the server is ended as by a power failure before it told anybody.
async fn a_sign_out_that_was_acknowledged_is_told_after_a_kill(kind: Kind) {
    let (place, port) = (Place::seeded(kind), free_port());
    let receiver = Receiver::start();
    // Where it is told at once, that fails: the next server tells it.
    receiver.answer(&[503]);
    let mut config: Config = place.config(port);
    receiver.trusted()(&mut config);
    command::apply(&config, &declared(Some(&receiver.url), None)).await;
    let (child, _) = Child::start_behind(&config, &place, port).await;
    let person = Person::at(&config.issuer, "en");
    sign_in_at_the_wiki(&config.issuer, &person).await;
    let page = person.get("/end-session").await;
    assert_eq!(confirm(&person, &page).await.name(), "signed-out");
    child.kill();
    let before = receiver.messages().len();
    let (_child, _) = Child::start_behind(&config, &place, port).await;
    // Where an attempt was under way, the next one waits until its lease is over.
    for _ in 0..100 {
        if receiver.messages().len() > before {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let message = receiver.wait_for(before + 1).await.remove(before);
    assert_eq!(claims(&logout_token(&message))["iss"], json!(config.issuer));
}

on_each_database! { a_sign_out_that_was_acknowledged_is_told_after_a_kill }
