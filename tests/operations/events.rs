//! What happened, as an operator reads it: asked for, exported, and followed.

use std::time::Duration;

use grantor_core::audit::EventKind;
use grantor_server::commands::events::follow::Follower;
use grantor_server::settings::{self, Role};
use grantor_storage::EventFilter;
use serde_json::Value;

use crate::attacks::spoils::{Spoils, Surroundings};
use crate::harness::app::App;
use crate::harness::command;
use crate::harness::person::Person;
use crate::harness::server::Server;

async fn ask(server: &Server, arguments: &[&str]) -> String {
    command::events(server.config(), arguments, server.clock.read()).await.unwrap()
}

/// The lines of an export.
fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn events_are_found_by_type_person_app_and_time() {
    let server = Server::start().await;
    server.clock.advance(Duration::from_hours(4));
    let wiki = App::new(&server, "wiki");
    wiki.approved_by(&Person::new(&server), "openid").await;
    server.clock.advance(Duration::from_hours(2));
    wiki.redeem("x").await;
    let told = async |arguments: &[&str]| -> Vec<String> {
        let told = lines(&ask(&server, &[arguments, &["--json-lines"]].concat()).await);
        told.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(told(&["--user", "alice", "--since", "3h"]).await, ["sign_in_succeeded", "consent_given"]);
    assert_eq!(told(&["--client", "wiki", "--since", "3h"]).await, ["consent_given", "refused"]);
    assert_eq!(told(&["--client", "wiki", "--since", "1h"]).await, ["refused"]);
    assert_eq!(told(&["--type", "consent_given"]).await, ["consent_given"]);
    assert_eq!(told(&["--kind", "consent_given"]).await, ["consent_given"], "what it was called first");
    assert_eq!(told(&["--since", "3h", "--limit", "1"]).await, ["refused"], "the newest");
    let table = ask(&server, &["--type", "refused"]).await;
    assert!(table.contains("CodeUnknown") && table.contains("wiki") && table.contains("127.0.0.1"), "{table}");
    assert_eq!(ask(&server, &["--type", "grant_ended"]).await, "No such events.\n");
}

#[tokio::test]
async fn an_export_has_every_event_once_oldest_first_as_the_catalogue_says() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    for _ in 0..60 {
        wiki.redeem("x").await;
    }
    Person::new(&server).sign_in().await;
    let exported = lines(&ask(&server, &["--json-lines"]).await);
    let cases: Vec<&str> = exported.iter().map(|event| event["case"].as_str().unwrap()).collect();
    assert!(cases.is_sorted() && cases.len() > 61, "{cases:?}");
    assert_eq!(
        cases.len(),
        exported.iter().map(|event| event["case"].to_string()).collect::<std::collections::BTreeSet<_>>().len()
    );
    let last = exported.last().unwrap();
    assert_eq!((last["type"].as_str(), last["username"].as_str()), (Some("sign_in_succeeded"), Some("alice")));
    fits_catalogue(&server, &exported).await;
}

/// What each event carries is what the catalogue says of its type.
async fn fits_catalogue(server: &Server, exported: &[Value]) {
    let catalogue: Value = serde_json::from_str(&ask(server, &["--types", "--json"]).await).unwrap();
    for event in exported {
        let entry = catalogue.as_array().unwrap().iter().find(|entry| entry["type"] == event["type"]).unwrap();
        for field in ["address", "client_id", "detail", "reason", "user_id"] {
            let carried = entry["fields"].as_array().unwrap().iter().find(|carried| carried["name"] == field);
            let always = carried.is_some_and(|carried| carried["always"] == true);
            assert!(!always || !event[field].is_null(), "{field} of {event}");
            assert!(carried.is_some() || event[field].is_null(), "{field} of {event}");
        }
    }
}

#[tokio::test]
async fn who_follows_is_given_each_event_once() {
    let server = Server::start().await;
    let (wiki, mut follower) = (App::new(&server, "wiki"), Follower::default());
    let opened = settings::open(server.config().clone(), Role::Command).unwrap();
    let filter = || EventFilter { client_id: Some("wiki".into()), ..EventFilter::default() };
    follower.new_ones(&opened, filter(), server.clock.read()).await.unwrap();
    for expected in [2, 0, 3] {
        for _ in 0..expected {
            wiki.redeem("x").await;
        }
        server.clock.advance(Duration::from_secs(1));
        let events = follower.new_ones(&opened, filter(), server.clock.read()).await.unwrap();
        assert_eq!(events.len(), expected);
    }
    server.clock.advance(Duration::from_mins(5));
    assert!(follower.new_ones(&opened, filter(), server.clock.read()).await.unwrap().is_empty());
    opened.close().await;
}

#[tokio::test]
async fn whatever_happens_is_exported_as_the_catalogue_says() {
    let around = Surroundings::start();
    let server = Server::start_with(|config| around.configure(config)).await;
    Spoils::of(&server).await;
    Spoils::of_kept_tokens(&server, &around).await;
    let exported = lines(&ask(&server, &["--json-lines"]).await);
    fits_catalogue(&server, &exported).await;
    let kinds: std::collections::BTreeSet<&str> =
        exported.iter().map(|event| event["type"].as_str().unwrap()).collect();
    for kind in [
        "api_token_ended",
        "api_token_issued",
        "api_token_rotated",
        "app_entered",
        "client_changed",
        "consent_given",
        "grant_ended",
        "key_changed",
        "proxied_app_changed",
        "refused",
        "resource_changed",
        "sign_in_failed",
        "sign_in_succeeded",
        "signed_out",
        "upstream_changed",
        "upstream_linked",
        "user_changed",
    ] {
        assert!(kinds.contains(kind), "{kind} in {kinds:?}");
    }
}

#[tokio::test]
async fn events_as_json_are_one_array_of_what_the_lines_say() {
    let server = Server::start().await;
    App::new(&server, "wiki").redeem("x").await;
    Person::new(&server).sign_in().await;
    let array: Value = serde_json::from_str(&ask(&server, &["--json", "--limit", "2"]).await).unwrap();
    let array = array.as_array().unwrap();
    assert_eq!(array.len(), 2);
    assert_eq!(
        *array,
        lines(&ask(&server, &["--json-lines", "--limit", "2"]).await),
        "oldest first, with the same members"
    );
    assert_eq!((array[0]["type"].as_str(), array[0]["reason"].as_str()), (Some("refused"), Some("CodeUnknown")));
    assert_eq!((array[1]["type"].as_str(), array[1]["username"].as_str()), (Some("sign_in_succeeded"), Some("alice")));
    assert_eq!(ask(&server, &["--json", "--type", "grant_ended"]).await.trim(), "[]");
    let case = array[0]["case"].as_str().unwrap();
    let one: Value = serde_json::from_str(&ask(&server, &["--json", "--case", case]).await).unwrap();
    assert_eq!(one, serde_json::json!([array[0]]));
}

#[tokio::test]
async fn who_follows_reads_lines_for_people_or_for_machines() {
    let server = Server::start().await;
    let (mut reader, mut machine) = (Follower::default(), Follower::default());
    let now = || server.clock.read();
    let read = command::follow(server.config(), &[], &mut reader, now()).await.unwrap();
    let told = command::follow(server.config(), &["--json"], &mut machine, now()).await.unwrap();
    assert_eq!(read.lines().count(), told.lines().count());
    App::new(&server, "wiki").redeem("x\u{1b}[31m").await;
    server.clock.advance(Duration::from_secs(1));
    Person::new(&server).sign_in().await;
    let read = command::follow(server.config(), &[], &mut reader, now()).await.unwrap();
    let rows: Vec<&str> = read.lines().collect();
    assert!(rows.len() == 2 && rows[0].contains("CodeUnknown") && rows[0].contains("wiki"), "{read}");
    assert!(rows[1].contains("sign_in_succeeded") && rows[1].contains("alice") && !read.contains('\u{1b}'), "{read}");
    for json in ["--json", "--json-lines"] {
        let told = lines(&command::follow(server.config(), &[json], &mut machine, now()).await.unwrap());
        let kinds: Vec<&str> = told.iter().map(|event| event["type"].as_str().unwrap()).collect();
        assert_eq!(kinds, if json == "--json" { vec!["refused", "sign_in_succeeded"] } else { vec![] }, "each once");
    }
    assert_eq!(command::follow(server.config(), &[], &mut reader, now()).await.unwrap(), "");
}

#[tokio::test]
async fn who_exports_and_follows_is_given_all_of_both() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    for _ in 0..60 {
        wiki.redeem("x").await;
    }
    let asked = ["--json-lines", "--since", "1h", "--client", "wiki", "--type", "refused"];
    let (shown, mut follower) = command::begin_to_follow(server.config(), &asked, server.clock.read()).await;
    assert_eq!(lines(&shown).len(), 60);
    let opened = settings::open(server.config().clone(), Role::Command).unwrap();
    let refused =
        EventFilter { kind: Some(EventKind::Refused), client_id: Some("wiki".into()), ..EventFilter::default() };
    let filter = || refused.clone();
    assert!(follower.new_ones(&opened, filter(), server.clock.read()).await.unwrap().is_empty());
    wiki.redeem("x").await;
    assert_eq!(follower.new_ones(&opened, filter(), server.clock.read()).await.unwrap().len(), 1);
    opened.close().await;
}
