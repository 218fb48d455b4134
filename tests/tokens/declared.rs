//! API keys by declaration file: made offline, known to the file by their hash alone.

use std::time::Duration;

use serde_json::{Value, json};

use super::id_of;
use crate::harness::app::App;
use crate::harness::command;
use crate::harness::server::Server;

/// A key and its hash, as `grantor token generate` makes them.
async fn generated(server: &Server) -> (String, String) {
    let told = command::token(server.config(), &["generate", "--json"]).await.unwrap();
    let told: Value = serde_json::from_str(&told).unwrap();
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    (text("token"), text("key_hash"))
}

/// Declares a key of `service`; `more` are further lines.
async fn declare(server: &Server, more: &str) {
    server.clock.advance(Duration::from_millis(1));
    let days = server.clock.read().plus(Duration::from_hours(24 * 30));
    let expires = grantor_server::clock::text(days).split('T').next().unwrap().to_owned();
    server
        .apply(&format!("[[api_keys]]\nclient_id = \"service\"\nname = \"Nightly\"\nscope = \"notes.read\"\nexpires = {expires}\n{more}\n"))
        .await;
}

async fn is_active(server: &Server, key: &str) -> bool {
    App::new(server, "notes-api").introspect(key).await["active"] == json!(true)
}

#[tokio::test]
async fn a_declared_key_counts_until_the_file_says_otherwise() {
    let server = Server::start().await;
    let (key, hash) = generated(&server).await;
    assert!(!is_active(&server, &key).await, "it is made offline, and nobody knows it");
    declare(&server, &format!("key_hash = \"{hash}\"")).await;
    let told = App::new(&server, "notes-api").introspect(&key).await;
    assert_eq!((&told["client_id"], &told["token_kind"]), (&json!("service"), &json!("api_key")));
    assert_eq!((&told["scope"], &told["jti"]), (&json!("notes.read"), &json!(id_of(&key))));
    let events = server.events().await.len();
    declare(&server, &format!("key_hash = \"{hash}\"")).await;
    assert_eq!(server.events().await.len(), events, "applied again, nothing is left to change");
    declare(&server, &format!("key_hash = \"{hash}\"\nnetworks = [\"192.0.2.0/24\"]")).await;
    assert!(!is_active(&server, &key).await);
    let event = server.events().await.swap_remove(0);
    assert_eq!(
        (event.kind.as_str(), event.detail.as_deref()),
        ("api_token_changed", Some("service/Nightly changed networks"))
    );
    declare(&server, &format!("key_hash = \"{hash}\"\nrevoked = true")).await;
    declare(&server, &format!("key_hash = \"{hash}\"")).await;
    assert!(!is_active(&server, &key).await, "what was revoked stays so");
    assert_eq!(server.reason().await, "revoked_by_administrator");
    assert!(!server.place().dump().windows(key.len()).any(|found| found == key.as_bytes()));
}

#[tokio::test]
async fn another_key_takes_the_place_of_one_while_both_count_for_a_day() {
    let server = Server::start().await;
    let ((old, first), (new, second)) = (generated(&server).await, generated(&server).await);
    declare(&server, &format!("key_hash = \"{first}\"")).await;
    declare(&server, &format!("key_hash = \"{second}\"")).await;
    assert!(is_active(&server, &old).await && is_active(&server, &new).await);
    server.clock.advance(Duration::from_hours(25));
    assert!(!is_active(&server, &old).await && is_active(&server, &new).await);
}

#[tokio::test]
async fn what_commands_have_done_to_a_key_the_file_leaves_alone() {
    let server = Server::start().await;
    let (key, hash) = generated(&server).await;
    declare(&server, &format!("key_hash = \"{hash}\"")).await;
    let run = async |arguments: &[&str]| command::token(server.config(), arguments).await.unwrap();
    let shown = run(&["rotate", &id_of(&key)]).await;
    let new = shown.lines().next().unwrap().to_owned();
    server.clock.catch_up();
    declare(&server, &format!("key_hash = \"{hash}\"")).await;
    server.clock.advance(Duration::from_hours(25));
    assert!(!is_active(&server, &key).await && is_active(&server, &new).await, "the old secret does not come back");
    run(&["revoke", &id_of(&key)]).await;
    declare(&server, &format!("key_hash = \"{hash}\"")).await;
    assert!(!is_active(&server, &new).await && !is_active(&server, &key).await);
}

#[tokio::test]
async fn a_key_can_stand_in_a_file_of_its_own() {
    let server = Server::start().await;
    let (key, _) = generated(&server).await;
    let file = server.place().folder().join("nightly.key");
    std::fs::write(&file, format!("{key}\n")).unwrap();
    declare(&server, &format!("key_file = \"{}\"", file.display())).await;
    assert!(is_active(&server, &key).await);
}

/// The app `service`, as somebody declares it again.
const SERVICE: &str = "[[clients]]\nclient_id = \"service\"\nclient_secret = \"a-secret-for-tests-and-nothing-else-at-all\"\n\
                       grant_types = [\"client_credentials\"]\nscope = \"notes.read notes.write\"\n";

#[tokio::test]
async fn a_key_that_was_revoked_stays_so_long_after_its_end() {
    let server = Server::start().await;
    let ((old, first), (_, second)) = (generated(&server).await, generated(&server).await);
    declare(&server, &format!("key_hash = \"{first}\"")).await;
    // It would have ended tomorrow.
    declare(&server, &format!("key_hash = \"{second}\"")).await;
    command::token(server.config(), &["revoke", &id_of(&old)]).await.unwrap();
    server.clock.catch_up();
    for _ in 0..2 {
        server.clock.advance(Duration::from_hours(24 * 40));
        server.database.sweep(server.clock.read(), &server.config().lifetimes).await.unwrap();
        declare(&server, &format!("key_hash = \"{first}\"")).await;
        assert!(!is_active(&server, &old).await);
    }
}

#[tokio::test]
async fn a_secret_that_was_replaced_stays_so_when_its_app_has_gone_and_come_back() {
    let server = Server::start().await;
    let (replaced, hash) = generated(&server).await;
    server.apply(SERVICE).await;
    declare(&server, &format!("key_hash = \"{hash}\"")).await;
    command::token(server.config(), &["rotate", &id_of(&replaced)]).await.unwrap();
    command::client(server.config(), &["remove", "service"]).await.unwrap();
    server.database.refresh_directory().await.unwrap();
    server.clock.catch_up();
    server.apply(SERVICE).await;
    declare(&server, &format!("key_hash = \"{hash}\"")).await;
    assert!(!is_active(&server, &replaced).await);
}

#[tokio::test]
async fn a_key_that_was_revoked_stays_so_when_its_app_has_gone_and_come_back() {
    let server = Server::start().await;
    let ((revoked, first), (live, second)) = (generated(&server).await, generated(&server).await);
    let declare_both = async || {
        server.apply(SERVICE).await;
        declare(&server, &format!("key_hash = \"{first}\"")).await;
        declare(&server, &format!("key_hash = \"{second}\"")).await;
    };
    declare_both().await;
    command::token(server.config(), &["revoke", &id_of(&revoked)]).await.unwrap();
    command::client(server.config(), &["remove", "service"]).await.unwrap();
    server.database.refresh_directory().await.unwrap();
    server.clock.catch_up();
    assert!(!is_active(&server, &live).await && !is_active(&server, &revoked).await, "they went with the app");
    declare_both().await;
    assert!(is_active(&server, &live).await, "nobody had revoked it, and the file declares it again");
    assert!(!is_active(&server, &revoked).await);
}
