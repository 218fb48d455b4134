//! Security events: every refusal and every end has its reason, where it came from, and no secret.

use grantor_core::audit::EventKind;

use crate::harness::app::{App, Tokens, VERIFIER, basic};
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE_PASSWORD, SECRET};
use crate::harness::server::Server;

#[tokio::test]
async fn the_life_of_an_approval_can_be_read_from_its_events() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let code = wiki.approved_by(&person, "openid").await.param("code");
    wiki.redeem_with(&code, &[("code_verifier", "")]).await;
    let tokens = Tokens(wiki.redeem(&code).await.json());
    wiki.revoke(tokens.access()).await;
    wiki.userinfo(tokens.access()).await;
    wiki.redeem(&code).await;
    wiki.refresh(tokens.refresh()).await;
    let told = server.events().await.into_iter().rev().skip_while(|event| event.kind != EventKind::SignInSucceeded);
    let told: Vec<String> = told
        .map(|event| {
            let whose = if event.user_id.is_some() { " by alice" } else { "" };
            let (client, reason) = (event.client_id.unwrap_or_default(), event.reason.unwrap_or_default());
            format!("{}{whose} {client} {reason}{}", event.kind.as_str(), event.detail.unwrap_or_default())
                .trim_end()
                .to_owned()
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @"
    sign_in_succeeded by alice
    consent_given by alice wiki openid
    refused wiki VerifierMissing
    token_revoked by alice wiki
    grant_ended by alice wiki code_replayed
    refused wiki CodeReplayed
    refused wiki GrantEnded
    ");
}

#[tokio::test]
async fn a_refusal_says_when_and_from_where() {
    let server = Server::start().await;
    server.clock.advance(std::time::Duration::from_secs(77));
    App::new(&server, "wiki").redeem("x").await;
    let event = server.events().await.into_iter().next().unwrap();
    assert_eq!(
        (event.kind.as_str(), event.at, event.address.as_deref()),
        ("refused", server.clock.read(), Some("127.0.0.1"))
    );
}

#[tokio::test]
async fn the_case_number_of_a_page_finds_its_event() {
    let server = Server::start().await;
    let page = App::new(&server, "wiki").asks(&Person::new(&server), "openid", &[("client_id", "nobody")]).await;
    let event = server.events().await.into_iter().next().unwrap();
    assert_eq!((event.reason.as_deref(), event.client_id.as_deref()), (Some("ClientUnknown"), Some("nobody")));
    assert!(page.text().contains(&event.id.to_string()));
}

#[tokio::test]
async fn what_came_from_outside_stays_on_one_line_and_short() {
    let server = Server::start().await;
    let hostile = format!("evil\r\n{{\"kind\":\"forged\"}}\u{1b}[31m{}", "x".repeat(1000));
    let changes = [("client_id", hostile.as_str())];
    App::new(&server, "wiki").asks(&Person::new(&server), "openid", &changes).await;
    let kept = server.events().await.into_iter().next().unwrap().client_id.unwrap();
    assert!(kept.chars().count() <= 200 && !kept.chars().any(char::is_control), "{kept}");
}

#[tokio::test]
async fn no_event_holds_a_secret() {
    let server = Server::start().await;
    let (chat, person) = (App::new(&server, "chat"), Person::new(&server));
    let code = chat.approved_by(&person, "openid").await.param("code");
    let tokens = Tokens(chat.redeem(&code).await.json());
    for page in [chat.redeem(&code).await, chat.refresh(tokens.refresh()).await, chat.userinfo(tokens.access()).await] {
        assert!(page.status.is_client_error());
    }
    chat.post_raw("/token", &[("authorization", &basic("chat", "wrong-secret-of-mine"))], &[("grant_type", "x")]).await;
    chat.post_raw("/token", &[("authorization", &basic(SECRET, ALICE_PASSWORD))], &[("code", &code)]).await;
    let told = format!("{:?}", server.events().await);
    for secret in
        [&code, tokens.access(), tokens.refresh(), tokens.id(), VERIFIER, ALICE_PASSWORD, "wrong-secret-of-mine"]
    {
        assert!(!told.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_flood_of_refusals_does_not_push_out_what_matters() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    wiki.code("openid").await;
    let before = server.rows();
    for _ in 0..120 {
        wiki.redeem("x").await;
    }
    assert_eq!(server.rows(), before, "refusals have a ring of their own");
}
