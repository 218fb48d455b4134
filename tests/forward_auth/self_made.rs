//! Accounts that people make for themselves, at apps behind a proxy: a name proves nothing of who has it.

use std::time::Duration;

use super::{BOARD, HANDBOOK, Visitor, guarded_with, identity};
use crate::harness::command;
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::{BOB, BOB_PASSWORD};
use crate::harness::server::Server;

const PASSWORD: &str = "teekanne unter dem sofa";

/// An app that one person may enter who has no account yet.
const CAROLS: &str = "[[apps]]\nname = \"Archive\"\norigins = [\"https://archive.example\"]\nusers = [\"carol\"]\n";

const ARCHIVE: &str = "archive.example";

/// A server with apps at which people make accounts.
async fn open() -> Server {
    guarded_with(|config| config.sign_in.self_registration = true).await
}

async fn sign_up(person: &Person, username: &str) -> Page {
    let page = person.open("/sign-up").await;
    person.send(&page.form(r#"form[action="/sign-up"]"#).with("username", username).with("password", PASSWORD)).await
}

async fn is_taken(server: &Server, username: &str) -> bool {
    let page = sign_up(&Person::new(server), username).await;
    page.status == 422 && page.text().contains("Somebody has that username")
}

#[tokio::test]
async fn an_app_that_names_somebody_does_not_mean_whoever_took_the_name() {
    let server = open().await;
    let stranger = Visitor::new(&server);
    assert_eq!(sign_up(&stranger.person, "carol").await.name(), "account");
    server.clock.advance(Duration::from_secs(1));
    server.apply(CAROLS).await;
    let refused = stranger.follows(ARCHIVE, &stranger.opens(ARCHIVE, "/").await).await;
    assert_eq!((refused.status.as_u16(), refused.name().as_str()), (403, "enter"), "{}", refused.text());
    let sent = stranger.follows(BOARD, &stranger.opens(BOARD, "/").await).await;
    assert_eq!(identity(&stranger.opens(BOARD, "/").await)[0], "carol", "who lets everybody in does: {}", sent.status);
}

#[tokio::test]
async fn a_name_that_an_app_lets_in_is_nobodys_to_take() {
    let server = open().await;
    server.clock.advance(Duration::from_secs(1));
    server.apply(CAROLS).await;
    assert!(is_taken(&server, "carol").await && is_taken(&server, " Carol ").await);
    assert_eq!(sign_up(&Person::new(&server), "caroline").await.name(), "account");
}

#[tokio::test]
async fn the_name_of_somebody_who_was_removed_is_nobodys_to_take() {
    let server = open().await;
    command::user(server.config(), &["remove", BOB]).await.unwrap();
    assert!(is_taken(&server, BOB).await, "an app may keep something of his by that name");
    command::new_epoch(server.config()).await.unwrap();
    let stopped = server.stop();
    let server = stopped.start().await;
    assert!(is_taken(&server, BOB).await, "nor in another epoch");
    let declared = format!("[[users]]\nusername = \"{BOB}\"\npassword = \"{BOB_PASSWORD}\"\n");
    server.apply(&declared).await;
    let bob = Visitor::new(&server);
    let page = bob.person.open("/sign-in").await;
    assert_eq!(bob.person.sign_in_on(&page, BOB, BOB_PASSWORD).await.name(), "account", "who is declared has it again");
    bob.follows(HANDBOOK, &bob.opens(HANDBOOK, "/cellar/").await).await;
    assert_eq!(identity(&bob.opens(HANDBOOK, "/cellar/").await)[0], "bob");
}
