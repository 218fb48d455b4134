//! How surely people must be known who enter an app behind a proxy: who is known less surely proves more, and comes back.

use std::time::Duration;

use super::{BOARD, HANDBOOK, Visitor, guarded, identity, target};
use crate::harness::app::App;
use crate::harness::authenticator::{Authenticator, CODE};
use crate::harness::person::Person;
use crate::harness::seeds::{BOB, BOB_PASSWORD};
use crate::harness::server::Server;

/// Board needs this level.
async fn needing(server: &Server, level: &str) {
    server.clock.advance(Duration::from_millis(1));
    let declaration = format!(
        "[[apps]]\nname = \"Board\"\norigins = [\"https://board.example\"]\neverybody = true\n\
         resource = \"https://notes.example/api\"\nleast_level = \"{level}\"\n"
    );
    server.apply(&declaration).await;
}

/// Alice, signed in with her password alone, and with an authenticator app that she has set up elsewhere.
async fn with_password_session(server: &Server) -> (Visitor<'_>, Authenticator) {
    let (alice, elsewhere) = (Visitor::new(server), Person::new(server));
    alice.person.sign_in().await;
    elsewhere.sign_in().await;
    let app = Authenticator::set_up(server, &elsewhere).await;
    server.clock.advance(Duration::from_secs(30));
    (alice, app)
}

#[tokio::test]
async fn who_is_known_too_little_gives_a_code_and_comes_back_to_the_page() {
    let server = guarded().await;
    let (alice, app) = with_password_session(&server).await;
    alice.enters(BOARD, "/").await;
    needing(&server, "two-factors").await;
    let page = alice.follows(BOARD, &alice.opens(BOARD, "/list?page=2").await).await;
    assert_eq!((page.name().as_str(), page.has("#decline")), ("sign-in-code", false), "{}", page.text());
    assert!(page.text().contains("Board asks for a second proof"), "{}", page.text());
    let wrong = alice.person.send(&page.form(CODE).with("code", &app.wrong_code(&server))).await;
    assert_eq!((wrong.status.as_u16(), wrong.name().as_str()), (422, "sign-in-code"));
    let left = alice.person.send(&page.form(CODE).with("decision", "deny")).await;
    assert_eq!(left.name(), "account");
    let given = alice.person.send(&page.form(CODE).with("code", &app.code(&server))).await;
    let back = alice.returns(BOARD, given).await;
    assert_eq!(target(&back.location().unwrap()), "/list?page=2");
    assert_eq!(identity(&alice.opens(BOARD, "/list?page=2").await)[0], "alice");
    assert_eq!(identity(&alice.enters(HANDBOOK, "/").await)[0], "alice", "which needs less");
}

#[tokio::test]
async fn without_a_page_who_is_known_too_little_is_answered_as_who_is_not_signed_in() {
    let server = guarded().await;
    let (alice, _) = with_password_session(&server).await;
    alice.enters(BOARD, "/").await;
    needing(&server, "two-factors").await;
    let (known, stranger) = (alice.asks(BOARD, "/", &[]).await, Visitor::new(&server).asks(BOARD, "/", &[]).await);
    assert_eq!(server.reason().await, "EntryLevelMissing");
    assert_eq!((known.status.as_u16(), &known.body), (401, &stranger.body));
    assert_eq!(known.header("www-authenticate"), stranger.header("www-authenticate"));
    needing(&server, "password").await;
    assert_eq!(alice.asks(BOARD, "/", &[]).await.status, 200);
}

#[tokio::test]
async fn who_signs_in_for_it_gives_the_code_at_once() {
    let server = guarded().await;
    let (_, app) = with_password_session(&server).await;
    needing(&server, "two-factors").await;
    let alice = Visitor::new(&server);
    let page = alice.follows(BOARD, &alice.opens(BOARD, "/a").await).await;
    let page = alice.person.sign_in_on(&page, "alice", crate::harness::seeds::ALICE_PASSWORD).await;
    assert_eq!((page.name().as_str(), page.has("#deny")), ("sign-in-code", false));
    let given = alice.person.send(&page.form(CODE).with("code", &app.code(&server))).await;
    assert_eq!(target(&alice.returns(BOARD, given).await.location().unwrap()), "/a");
    assert_eq!(alice.opens(BOARD, "/a").await.status, 200);
}

#[tokio::test]
async fn who_has_no_second_factor_sets_one_up_and_comes_back() {
    for is_long_ago in [false, true] {
        let server = guarded().await;
        needing(&server, "two-factors").await;
        let bob = Visitor::new(&server);
        bob.person.sign_in_on(&bob.person.open("/sign-in").await, BOB, BOB_PASSWORD).await;
        if is_long_ago {
            server.clock.advance(Duration::from_mins(20));
        }
        let page = bob.follows(BOARD, &bob.opens(BOARD, "/a").await).await;
        assert_eq!((page.name().as_str(), page.has("#account"), page.has("#deny")), ("sign-in-more", true, false));
        let mut page = bob.person.open(page.attribute("#set-up", "href").unwrap()).await;
        if is_long_ago {
            page = bob.person.sign_in_on(&page, BOB, BOB_PASSWORD).await;
        }
        let (_, page) = Authenticator::set_up_on(&server, &bob.person, &page).await;
        let page = bob.person.open(page.attribute("#done", "href").unwrap()).await;
        assert_eq!(target(&bob.returns(BOARD, page).await.location().unwrap()), "/a", "{is_long_ago}");
        assert_eq!(identity(&bob.opens(BOARD, "/a").await)[0], "bob");
    }
}

#[tokio::test]
async fn a_token_enters_only_if_it_comes_from_such_a_sign_in() {
    let server = guarded().await;
    let (alice, app) = with_password_session(&server).await;
    needing(&server, "two-factors").await;
    let wiki = App::new(&server, "wiki");
    let of_password = wiki.tokens_with(&alice.person, "openid notes.read", &[]).await;
    let page = alice.follows(BOARD, &alice.opens(BOARD, "/").await).await;
    alice.person.send(&page.form(CODE).with("code", &app.code(&server))).await;
    let of_two = wiki.tokens_with(&alice.person, "openid notes.read", &[]).await;
    let service = App::new(&server, "service").client_credentials("notes.read").await.json();
    let enters = async |token: &str| {
        let bearer = format!("Bearer {token}");
        Visitor::new(&server).asks(BOARD, "/", &[("authorization", &bearer)]).await.status.as_u16()
    };
    assert_eq!(enters(of_two.access()).await, 200);
    assert_eq!(enters(of_password.access()).await, 401);
    assert_eq!(enters(service["access_token"].as_str().unwrap()).await, 401, "nobody signed in for it");
}
