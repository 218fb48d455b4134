//! Programs at apps behind a proxy, with tokens of every kind.

use grantor_core::audit::EventKind;

use super::{BOARD, HANDBOOK, Visitor, guarded, identity};
use crate::harness::app::{App, basic};
use crate::harness::command;
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD, BOB, BOB_PASSWORD};
use crate::harness::server::Server;
use crate::tokens::{limited, revoke, token};

async fn shows(server: &Server, host: &str, token: &str) -> Page {
    let program = Visitor::new(server);
    program.asks(host, "/", &[("authorization", &format!("Bearer {token}"))]).await
}

async fn signed_in(server: &Server) -> Person {
    let person = Person::new(server);
    person.sign_in().await;
    person
}

#[tokio::test]
async fn a_personal_access_token_enters_for_its_person() {
    let server = guarded().await;
    let alice = signed_in(&server).await;
    let token = token(&alice, &["notes.read"]).await;
    let page = shows(&server, HANDBOOK, &token).await;
    let [user, _, name, _, _, scopes] = identity(&page);
    assert_eq!((page.status.as_u16(), [user, name, scopes]), (200, ["alice", "Alice Liddell", "notes.read"]));
    server.app.keep_uses().await.unwrap();
    assert!(alice.open("/account/tokens").await.text().contains("127.0.0.1"), "its use is noted");
    revoke(&alice, &token).await;
    let refused = shows(&server, HANDBOOK, &token).await;
    let challenge = r#"Bearer realm="Grantor", error="invalid_token", scope="notes.read""#;
    assert_eq!((refused.status.as_u16(), refused.header("www-authenticate")), (401, Some(challenge)));
}

#[tokio::test]
async fn a_token_without_the_scope_or_for_another_api_does_not_enter() {
    let server = guarded().await;
    let alice = signed_in(&server).await;
    let refused = shows(&server, HANDBOOK, &token(&alice, &["notes.write"]).await).await;
    let challenge = r#"Bearer realm="Grantor", error="insufficient_scope", scope="notes.read""#;
    assert_eq!((refused.status.as_u16(), refused.header("www-authenticate")), (403, Some(challenge)));
    let own = App::new(&server, "portal").tokens("openid").await;
    assert_eq!(shows(&server, HANDBOOK, own.access()).await.status, 401, "one for userinfo");
    assert_eq!(shows(&server, HANDBOOK, own.id()).await.status, 401, "an ID token");
}

#[tokio::test]
async fn an_access_token_of_an_app_or_a_service_enters() {
    let server = guarded().await;
    let service = App::new(&server, "service").client_credentials("notes.read").await.json();
    let page = shows(&server, HANDBOOK, service["access_token"].as_str().unwrap()).await;
    assert_eq!(identity(&page), ["", "service", "", "", "", "notes.read"]);
    let wiki = App::new(&server, "wiki").tokens("openid notes.read").await;
    assert_eq!(identity(&shows(&server, HANDBOOK, wiki.access()).await)[0], "alice");
}

#[tokio::test]
async fn a_key_of_a_service_enters() {
    let server = guarded().await;
    let told = ["issue", "service", "--name", "Nightly", "--scope", "notes.read", "--json"];
    let told = command::token(server.config(), &told).await.unwrap();
    server.clock.catch_up();
    let key: serde_json::Value = serde_json::from_str(&told).unwrap();
    let page = shows(&server, HANDBOOK, key["token"].as_str().unwrap()).await;
    assert_eq!(identity(&page), ["", "service", "", "", "", "notes.read"]);
}

#[tokio::test]
async fn a_person_who_may_not_enter_may_not_by_a_token_either() {
    let server = guarded().await;
    let bob = Person::new(&server);
    let page = bob.open("/sign-in").await;
    bob.sign_in_on(&page, BOB, BOB_PASSWORD).await;
    assert_eq!(shows(&server, HANDBOOK, &token(&bob, &["notes.read"]).await).await.status, 403);
    assert_eq!(server.reason().await, "EntryRefused");
}

#[tokio::test]
async fn a_token_enters_from_its_networks_only() {
    let server = guarded().await;
    let alice = signed_in(&server).await;
    let token = limited(&alice, &["notes.read"], "192.0.2.0/24").await;
    let bearer = format!("Bearer {token}");
    for (from, status) in
        [("192.0.2.7", 200), ("192.0.3.7", 401), ("192.0.2.7, 192.0.3.7", 401), ("192.0.3.7, 192.0.2.7", 200)]
    {
        let program = Visitor::new(&server);
        let page = program.asks(HANDBOOK, "/", &[("authorization", &bearer), ("x-forwarded-for", from)]).await;
        assert_eq!(page.status, status, "{from}");
    }
}

#[tokio::test]
async fn a_wrong_token_is_no_reason_to_look_at_the_cookie() {
    let server = guarded().await;
    let alice = Visitor::new(&server);
    alice.enters(HANDBOOK, "/").await;
    alice.enters(BOARD, "/").await;
    for authorization in ["Bearer wrong", "Bearer ", "Bearer a b", "bearer wrong"] {
        let page = alice.asks(HANDBOOK, "/", &[("authorization", authorization)]).await;
        assert_eq!(page.status, 401, "{authorization}");
        assert_eq!(alice.asks(BOARD, "/", &[("authorization", authorization)]).await.status, 200, "its own business");
    }
    assert_eq!(alice.asks(HANDBOOK, "/", &[("authorization", "Basic YTpi")]).await.status, 200);
}

#[tokio::test]
async fn a_name_and_a_password_enter_nowhere_and_are_not_even_looked_at() {
    let server = guarded().await;
    let right = basic(ALICE, ALICE_PASSWORD);
    for name in [right.clone(), right.replacen("Basic", "basic", 1), basic("Alice", "a guess"), basic("", "")] {
        let page = Visitor::new(&server).asks(HANDBOOK, "/", &[("authorization", &name)]).await;
        let challenge = page.header("www-authenticate").unwrap_or_default();
        assert!(page.status == 401 && !challenge.to_lowercase().contains("basic"), "{name}: {challenge}");
    }
    let tried = [EventKind::SignInFailed, EventKind::SignInSucceeded, EventKind::SignInThrottled];
    assert!(server.events().await.iter().all(|event| !tried.contains(&event.kind)));
}

#[tokio::test]
async fn a_token_whose_scopes_are_none_of_the_api_any_more_does_not_enter() {
    let server = guarded().await;
    let service = App::new(&server, "service").client_credentials("notes.read").await.json();
    let token = service["access_token"].as_str().unwrap();
    server.apply("[[apps]]\nname = \"Board\"\norigins = [\"https://board.example\"]\nresource = \"https://notes.example/api\"\n").await;
    assert_eq!(shows(&server, BOARD, token).await.status, 200);
    server.clock.advance(std::time::Duration::from_secs(1));
    server.apply("[[resources]]\nidentifier = \"https://notes.example/api\"\nscopes = \"notes.write\"\n").await;
    assert_eq!(shows(&server, BOARD, token).await.status, 403);
}
