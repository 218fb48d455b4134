//! Browsers at apps behind a proxy.

use std::time::Duration;

use super::{BOARD, HANDBOOK, Visitor, guarded, identity, target};
use crate::harness::app::{claims, header};
use crate::harness::command;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD, BOB, BOB_PASSWORD};

#[tokio::test]
async fn a_person_signs_in_and_comes_back_to_where_they_were() {
    let server = guarded().await;
    let alice = Visitor::new(&server);
    let page = alice.enters(HANDBOOK, "/chapter?page=2&x=%2F").await;
    assert_eq!((page.status.as_u16(), page.body.as_str()), (200, ""));
    let [user, subject, name, email, groups, scopes] = identity(&page);
    assert_eq!([user, name, email, scopes], ["alice", "Alice Liddell", "alice@example.com", ""]);
    assert_eq!((groups, subject.len()), ("admins,engineering", 22));
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let token = claims(page.header("remote-jwt").unwrap());
    assert_eq!(header(page.header("remote-jwt").unwrap())["typ"], "forward-auth+jwt");
    assert_eq!((&token["aud"], &token["preferred_username"]), (&"https://handbook.example".into(), &"alice".into()));
    assert_eq!(token["exp"].as_i64().unwrap() - token["iat"].as_i64().unwrap(), 60);
    let entered = server.events().await.into_iter().find(|event| event.kind.as_str() == "app_entered").unwrap();
    assert_eq!(entered.detail.as_deref(), Some("https://handbook.example"));
}

#[tokio::test]
async fn the_page_to_sign_in_names_the_app() {
    let server = guarded().await;
    let visitor = Visitor::new(&server);
    let page = visitor.follows(HANDBOOK, &visitor.opens(HANDBOOK, "/").await).await;
    assert_eq!(page.name(), "sign-in");
    assert!(page.text().contains("to continue to Handbook · handbook.example"), "{}", page.text());
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("form-action 'self' https://handbook.example"), "{policy}");
}

#[tokio::test]
async fn a_person_who_is_signed_in_passes_without_a_stop() {
    let server = guarded().await;
    let alice = Visitor::new(&server);
    alice.person.sign_in().await;
    let sent = alice.follows(BOARD, &alice.opens(BOARD, "/a").await).await;
    assert_eq!((sent.status.as_u16(), sent.location().unwrap().as_str()), (302, "https://board.example/a"));
    assert_eq!(identity(&alice.opens(BOARD, "/a").await)[0], "alice");
    assert_eq!(alice.opens(BOARD, "/a").await.header("remote-jwt"), Some(""), "not asked for");
}

#[tokio::test]
async fn signing_out_ends_it_at_every_app() {
    let server = guarded().await;
    let alice = Visitor::new(&server);
    alice.enters(HANDBOOK, "/").await;
    alice.enters(BOARD, "/").await;
    let sent = alice.opens(BOARD, "/.grantor/sign-out").await;
    assert_eq!(alice.cookie(BOARD, "__Host-grantor_app"), "");
    let asked = alice.person.open(sent.location().unwrap()).await;
    assert_eq!(alice.opens(HANDBOOK, "/").await.status, 200, "she was only asked");
    alice.person.send(&asked.form(r#"form[action="/sign-out"]"#)).await;
    for host in [HANDBOOK, BOARD] {
        let sent = alice.opens(host, "/").await;
        assert_eq!(sent.location().unwrap().path(), "/enter", "{host}");
    }
}

#[tokio::test]
async fn who_is_not_named_is_told_so_and_can_use_another_account() {
    let server = guarded().await;
    let visitor = Visitor::new(&server);
    visitor.person.sign_in().await;
    let refused = visitor.follows(HANDBOOK, &visitor.opens(HANDBOOK, "/cellar/key").await).await;
    assert_eq!((refused.status.as_u16(), refused.name().as_str()), (403, "enter"));
    assert!(refused.text().contains("You can’t open Handbook's cellar"), "{}", refused.text());
    let sign_in = visitor.person.open(refused.attribute("#another", "href").unwrap()).await;
    let back = visitor.person.sign_in_on(&sign_in, BOB, BOB_PASSWORD).await;
    visitor.returns(HANDBOOK, back).await;
    assert_eq!(identity(&visitor.opens(HANDBOOK, "/cellar/key").await)[0], "bob");
    let upstairs = visitor.opens(HANDBOOK, "/").await;
    let refused = visitor.follows(HANDBOOK, &upstairs).await;
    assert!(refused.text().contains("You can’t open Handbook"), "{}", refused.text());
    assert_eq!(visitor.asks(HANDBOOK, "/", &[]).await.status, 403, "a script of his");
    assert_eq!(server.reason().await, "EntryRefused");
}

#[tokio::test]
async fn who_loses_the_group_or_the_account_is_out_at_once() {
    let server = guarded().await;
    let alice = Visitor::new(&server);
    alice.enters(HANDBOOK, "/").await;
    server.clock.advance(Duration::from_secs(1));
    server.apply("[[users]]\nusername = \"alice\"\ngroups = [\"admins\"]\n").await;
    assert_eq!(alice.asks(HANDBOOK, "/", &[]).await.status, 403);
    server.clock.advance(Duration::from_secs(1));
    server.apply("[[users]]\nusername = \"alice\"\ngroups = [\"engineering\"]\n").await;
    assert_eq!(alice.asks(HANDBOOK, "/", &[]).await.status, 200);
    server.clock.advance(Duration::from_secs(1));
    server.apply("[[users]]\nusername = \"alice\"\ngroups = [\"engineering\"]\ndisabled = true\n").await;
    assert_eq!(alice.asks(HANDBOOK, "/", &[]).await.status, 401);
}

#[tokio::test]
async fn using_an_app_keeps_the_session_and_idleness_ends_it() {
    let server = guarded().await;
    let alice = Visitor::new(&server);
    alice.enters(BOARD, "/").await;
    for _ in 0..3 {
        server.clock.advance(Duration::from_hours(11));
        assert_eq!(alice.asks(BOARD, "/", &[]).await.status, 200);
    }
    server.clock.advance(Duration::from_hours(12));
    assert_eq!(alice.asks(BOARD, "/", &[]).await.status, 401);
}

/// The ticket with which Alice could enter, not used yet.
async fn ticket(alice: &Visitor<'_>) -> String {
    alice.person.sign_in().await;
    let sent = alice.opens(BOARD, "/a").await;
    target(&alice.person.open(sent.location().unwrap()).await.location().unwrap())
}

#[tokio::test]
async fn a_ticket_is_good_once() {
    let server = guarded().await;
    let alice = Visitor::new(&server);
    let ticket = ticket(&alice).await;
    let mark = alice.cookie(BOARD, "__Host-grantor_app_visit");
    assert_eq!(alice.opens(BOARD, &ticket).await.location().unwrap().as_str(), "https://board.example/a");
    let again = alice.opens(BOARD, &ticket).await;
    assert_eq!(again.location().unwrap().as_str(), "https://board.example/a", "a double click");
    assert!(again.cookies().is_empty());
    let thief = Visitor::new(&server);
    thief.set_cookie(BOARD, "__Host-grantor_app_visit", &mark);
    let stuck = thief.opens(BOARD, &ticket).await;
    assert_eq!((stuck.location().unwrap().path(), thief.cookie(BOARD, "__Host-grantor_app").as_str()), ("/enter", ""));
    assert_eq!(server.reason().await, "EntryTicketInvalid");
}

#[tokio::test]
async fn a_ticket_opens_nothing_in_another_browser_or_later_or_elsewhere() {
    let server = guarded().await;
    let alice = Visitor::new(&server);
    let ticket = ticket(&alice).await;
    let other = Visitor::new(&server);
    let stuck = other.follows(BOARD, &other.opens(BOARD, &ticket).await).await;
    assert!(stuck.text().contains("Your browser keeps no cookie for Board"), "{}", stuck.text());
    other.opens(BOARD, "/").await;
    let anew = other.follows(BOARD, &other.opens(BOARD, &ticket).await).await;
    assert_eq!(anew.name(), "sign-in", "as whoever is at this browser");
    alice.opens(HANDBOOK, "/").await;
    alice.opens(HANDBOOK, &ticket).await;
    assert_eq!(alice.cookie(HANDBOOK, "__Host-grantor_app"), "");
    server.clock.advance(Duration::from_mins(1));
    let stuck = alice.follows(BOARD, &alice.opens(BOARD, &ticket).await).await;
    assert!(stuck.text().contains("Opening Board did not work"), "{}", stuck.text());
    assert_eq!(stuck.attribute("#again", "href").as_deref(), Some("https://board.example/a"));
    assert_eq!(alice.cookie(BOARD, "__Host-grantor_app"), "");
}

#[tokio::test]
async fn windows_that_open_at_once_all_get_in() {
    let server = guarded().await;
    let alice = Visitor::new(&server);
    let first = alice.opens(BOARD, "/1").await;
    let mark = alice.cookie(BOARD, "__Host-grantor_app_visit");
    alice.set_cookie(BOARD, "__Host-grantor_app_visit", "another-window-s-mark_");
    assert_ne!(mark, "another-window-s-mark_");
    let sign_in = alice.follows(BOARD, &first).await;
    let again = alice.person.sign_in_on(&sign_in, ALICE, ALICE_PASSWORD).await;
    let again = alice.returns(BOARD, again).await;
    assert_eq!(again.location().unwrap().path(), "/enter", "once more, with the mark that the browser kept");
    let entered = alice.follows(BOARD, &again).await;
    assert_eq!(entered.location().unwrap().as_str(), "https://board.example/1");
    assert_eq!(alice.opens(BOARD, "/1").await.status, 200);
}

#[tokio::test]
async fn a_person_comes_back_to_a_long_address_and_to_the_app_from_a_longer_one() {
    let server = guarded().await;
    for (length, expected) in [(2000, true), (3000, false)] {
        let alice = Visitor::new(&server);
        alice.person.sign_in().await;
        let target = format!("/cellar/x?q={}", "a".repeat(length));
        server.clock.advance(Duration::from_secs(1));
        server.apply("[[apps]]\nname = \"Far\"\norigins = [\"https://far.example\"]\npaths = [\"/cellar\"]\neverybody = true\n").await;
        let sent = alice.opens("far.example", &target).await;
        assert!(sent.header("location").unwrap().len() < 4000);
        let entered = alice.follows("far.example", &sent).await;
        let to = entered.location().unwrap();
        assert_eq!(to.as_str(), format!("https://far.example{}", if expected { &target } else { "/cellar" }));
    }
}

#[tokio::test]
async fn the_cookie_of_one_app_opens_no_other() {
    let server = guarded().await;
    let alice = Visitor::new(&server);
    alice.enters(BOARD, "/").await;
    let value = alice.cookie(BOARD, "__Host-grantor_app");
    alice.set_cookie(HANDBOOK, "__Host-grantor_app", &value);
    assert_eq!(alice.asks(HANDBOOK, "/", &[]).await.status, 401);
    let name = if server.url.starts_with("https") { "__Host-grantor_session" } else { "grantor_session" };
    let at_issuer = server.at("/account");
    let page = reqwest::Client::new().get(at_issuer).header("cookie", format!("{name}={value}")).send().await.unwrap();
    assert!(page.url().path().ends_with("/sign-in") || page.status() != 200, "{} {}", page.url(), page.status());
}

#[tokio::test]
async fn a_session_that_began_again_counts_again() {
    let server = guarded().await;
    let alice = Visitor::new(&server);
    alice.enters(BOARD, "/").await;
    alice.person.sign_in().await;
    assert_eq!(alice.asks(BOARD, "/", &[]).await.status, 401, "the session before has ended");
    assert_eq!(alice.enters(BOARD, "/").await.status, 200);
}

#[tokio::test]
async fn an_app_that_is_removed_is_closed_to_everybody() {
    let server = guarded().await;
    let alice = Visitor::new(&server);
    alice.enters(BOARD, "/").await;
    let listed = command::app(server.config(), &["list"]).await.unwrap();
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let board = listed.lines().find(|line| line.starts_with("Board")).map(words);
    assert_eq!(board.as_deref(), Some("Board https://board.example http://localhost:4000 / everybody"), "{listed}");
    assert_eq!(command::app(server.config(), &["remove", "Board"]).await.unwrap(), "Removed Board.\n");
    server.database.refresh_directory().await.unwrap();
    assert_eq!(alice.opens(BOARD, "/").await.status, 403);
    assert_eq!(server.reason().await, "EntryAddressUnknown");
    let error = command::app(server.config(), &["show", "Board"]).await.unwrap_err().to_string();
    assert!(error.contains("`grantor app list` shows all"), "{error}");
}
