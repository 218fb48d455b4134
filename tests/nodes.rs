//! Several servers on one database act as one: whatever one of them gave counts on the others, and what one of them changed is
//! known to all.

use std::time::Duration;

use grantor_server::config::Config;

use crate::harness::app::App;
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::server::Server;

mod clocks;
mod ending;
mod floods;
mod forward_auth;
mod measured;
mod tokens;

/// Two nodes of one issuer.
async fn pair() -> (Server, Server) {
    let first = Server::start().await;
    let issuer = first.url.clone();
    let second = first.another_node_with(|config: &mut Config| config.issuer = issuer).await;
    (first, second)
}

/// Waits until `known` holds, as it does when the background has heard of a change; fails after a long time.
async fn until(known: impl AsyncFn() -> bool) {
    let waiting = async {
        while !known().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("the other node hears of it");
}

#[tokio::test]
async fn a_flow_that_changes_nodes_at_each_step_succeeds() {
    let (first, second) = pair().await;
    let (here, there) = (App::new(&first, "wiki"), App::new(&second, "wiki"));
    let person = Person::new(&first);
    let code = here.approved_by(&person, "openid email offline_access").await.param("code");
    let tokens = there.redeem(&code).await;
    assert_eq!(tokens.brief(), "200");
    let tokens: serde_json::Value = tokens.json();
    let (access, refresh) = (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
    assert_eq!(here.userinfo(access).await.status, 200);
    assert_eq!(there.userinfo(access).await.status, 200);
    let again: serde_json::Value = here.refresh(refresh).await.json();
    assert_eq!(there.refresh(again["refresh_token"].as_str().unwrap()).await.brief(), "200");
    // The replay is seen on either, and ends the grant on both.
    assert_eq!(here.redeem(&code).await.brief(), "400 invalid_grant");
    assert_eq!(there.userinfo(access).await.status, 401);
}

#[tokio::test]
async fn a_client_and_a_key_declared_on_one_node_are_known_on_the_other() {
    let (first, second) = pair().await;
    let declared = "[[clients]]\nclient_id = \"late\"\nclient_secret = \"a-secret-for-tests-and-nothing-else-at-all\"\n\
                    client_name = \"Late\"\ngrant_types = [\"client_credentials\"]\nscope = \"notes.read\"\n";
    first.apply(declared).await;
    let late = App::new(&second, "late");
    until(async || late.client_credentials("notes.read").await.status == 200).await;
    first.apply(&declared.replace("client_name", "disabled = true\nclient_name")).await;
    until(async || late.client_credentials("notes.read").await.brief() == "401 invalid_client").await;
}

#[tokio::test]
async fn a_person_who_signs_out_on_one_node_is_signed_out_on_the_other() {
    let (first, second) = pair().await;
    let person = Person::new(&first);
    person.sign_in().await;
    assert_eq!(person.get(format!("{}/account", second.address)).await.status, 200);
    let page = person.get("/account").await;
    person.send(&page.form(r#"form[action="/sign-out"]"#)).await;
    let elsewhere: Page = person.get(format!("{}/account", second.address)).await;
    assert_eq!(elsewhere.status, 303, "{}", elsewhere.body);
}

#[tokio::test]
async fn guesses_on_both_nodes_are_counted_together() {
    let (first, second) = pair().await;
    let (here, there) = (Person::new(&first), Person::new(&second));
    let mut answers = Vec::new();
    for round in 0..12 {
        let person = if round % 2 == 0 { &here } else { &there };
        let page = person.get("/sign-in").await;
        let form = page.form(r#"form[action="/sign-in"]"#).with("username", "alice").with("password", "wrong");
        answers.push(person.post(&form).await.status.as_u16());
    }
    assert_eq!(answers.iter().filter(|status| **status == 429).count(), 2, "{answers:?}");
}
