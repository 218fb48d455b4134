//! The log: no secret in it, one event a line, and every security event kept.

use std::process::{Command, Output};

use grantor_core::audit::EventKind;
use grantor_server::config::{Log, LogFormat, LogLevel};
use serde_json::Value;

use super::spoils::{Spoils, Surroundings};
use super::wire;
use crate::harness::app::{App, Tokens, basic};
use crate::harness::person::Person;
use crate::harness::server::Server;

/// Runs one of the ignored tests below in a process of its own, for a log is one for the whole process.
fn in_a_process_of_its_own(test: &str) -> Output {
    let itself = std::env::current_exe().unwrap();
    let output =
        Command::new(itself).args([&format!("attacks::leaks::{test}"), "--exact", "--ignored", "--nocapture"]).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    output
}

fn log_everything() {
    grantor_server::telemetry::start(&Log { format: LogFormat::Json, level: LogLevel::Trace });
}

#[tokio::test]
#[ignore = "run by the test that reads its log"]
async fn all_flows() {
    log_everything();
    let server = Server::start().await;
    for (what, secret) in Spoils::of(&server).await.0 {
        println!("SECRET\t{what}\t{secret}");
    }
}

#[tokio::test]
#[ignore = "run by the test that reads its log"]
async fn all_flows_of_kept_tokens() {
    log_everything();
    let around = Surroundings::start();
    let server = Server::start_with(|config| around.configure(config)).await;
    for (what, secret) in Spoils::of_kept_tokens(&server, &around).await.0 {
        println!("SECRET\t{what}\t{secret}");
    }
}

// "Access Tokens represent an End-User's authorization and MUST NOT be exposed to unauthorized parties." (OIDC Core §16.4)
#[test]
fn the_log_has_no_secret_even_at_its_most_talkative() {
    has_no_secret("all_flows", 40, "/token");
}

#[test]
fn the_log_has_no_secret_of_kept_tokens_apps_behind_proxies_upstreams_and_webhooks() {
    has_no_secret("all_flows_of_kept_tokens", 25, "/forward-auth");
}

/// Of at least so many secrets, none stands in a log that knows this path.
fn has_no_secret(test: &str, at_least: usize, path: &str) {
    let output = in_a_process_of_its_own(test);
    let (said, log) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let secrets: Vec<Vec<&str>> =
        said.lines().filter(|line| line.starts_with("SECRET")).map(|line| line.split('\t').collect()).collect();
    assert!(secrets.len() > at_least, "{}", secrets.len());
    assert!(log.lines().count() > 60 && log.contains(path), "the log is there: {log}");
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(secret[2]));
        assert_eq!(line, None, "{}", secret[1]);
    }
}

#[tokio::test]
#[ignore = "run by the test that reads its log"]
async fn hostile_words() {
    log_everything();
    let server = Server::start().await;
    for text in HOSTILE {
        let wiki = App::new(&server, "wiki");
        let person = Person::new(&server);
        person.open(wiki.authorize_url("openid", &[("client_id", text)])).await;
        let page = person.open("/sign-in").await;
        person.sign_in_on(&page, text, text).await;
        let path: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let host = wire::host(&server);
        wire::get_raw(
            &server,
            &format!("/{}", path.replace('+', "%20")),
            &format!("Host: {host}\r\nUser-Agent: a\u{1b}[31mb\r\nX-Forwarded-For: {path}\r\n"),
        );
        wiki.post_raw("/token", &[("authorization", &basic(text, text))], &[("grant_type", text)]).await;
    }
    for event in server.events().await {
        println!("EVENT\t{event:?}");
    }
}

const HOSTILE: &[&str] = &[
    "a\r\n{\"level\":\"ERROR\",\"forged\":true}",
    "a\u{1b}[2J\u{1b}[31mred\u{7}",
    "a\u{0}b",
    "\u{202E}a\u{2028}b",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

#[test]
fn what_comes_from_outside_begins_no_line_of_the_log() {
    let output = in_a_process_of_its_own("hostile_words");
    let (said, log) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(log.lines().count() > 20, "{log}");
    for line in log.lines() {
        let entry: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("one JSON object a line, not {line}"));
        assert!(entry["forged"].is_null(), "{line}");
        assert!(line.len() < 2_000 && !line.contains(['\u{1b}', '\u{202E}', '\u{2028}']), "{line}");
    }
    let events: Vec<&str> = said.lines().filter(|line| line.starts_with("EVENT")).collect();
    assert!(events.len() > 5 && events.iter().all(|event| event.len() < 2_000), "{events:?}");
    assert!(!said.contains('\u{1b}') && !said.contains('\u{0}'));
    // Rust writes them so in what is meant for debugging.
    assert!(!said.contains("\\u{202e}") && !said.contains("\\u{2028}"), "{said}");
}

#[tokio::test]
async fn every_security_event_is_kept_with_who_when_and_from_where() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let page = person.open(wiki.authorize_url("openid offline_access", &[])).await;
    let page = person.sign_in_on(&page, "alice", "wrong").await;
    let page = person.sign_in_on(&page, "alice", crate::harness::seeds::ALICE_PASSWORD).await;
    let code = crate::harness::app::Answer::of(&person.allow_on(&page).await).param("code");
    let tokens = Tokens(wiki.redeem(&code).await.json());
    wiki.revoke(tokens.access()).await;
    wiki.redeem(&code).await;
    let page = person.open("/account").await;
    person.send(&page.form(r#"form[action="/sign-out"]"#)).await;
    let mut events = server.events().await;
    events.reverse();
    let kinds: Vec<EventKind> = events.iter().map(|event| event.kind).collect();
    for kind in [
        EventKind::SignInFailed,
        EventKind::SignInSucceeded,
        EventKind::ConsentGiven,
        EventKind::TokenRevoked,
        EventKind::Refused,
        EventKind::GrantEnded,
        EventKind::SignedOut,
    ] {
        assert!(kinds.contains(&kind), "{kind:?} in {kinds:?}");
    }
    for event in events.iter().filter(|event| {
        !matches!(
            event.kind,
            EventKind::KeyChanged | EventKind::UserChanged | EventKind::ClientChanged | EventKind::ResourceChanged
        )
    }) {
        assert!(event.user_id.is_some() || event.client_id.is_some(), "{event:?}");
        assert_eq!(event.address.as_deref(), Some("127.0.0.1"), "{event:?}");
    }
    assert!(server.reasons().await.contains(&"CodeReplayed".to_owned()));
}

#[tokio::test]
async fn changes_by_an_administrator_and_of_keys_are_kept_too() {
    let server = Server::start().await;
    server.apply("[[users]]\nusername = \"carol\"\npassword = \"a long and winding road home\"\n").await;
    let kinds: Vec<EventKind> = server.events().await.iter().map(|event| event.kind).collect();
    for kind in [EventKind::UserChanged, EventKind::ClientChanged, EventKind::ResourceChanged, EventKind::KeyChanged] {
        assert!(kinds.contains(&kind), "{kind:?} in {kinds:?}");
    }
}

#[tokio::test]
async fn no_answer_over_http_shows_an_event_or_a_secret_setting() {
    let server = Server::start().await;
    let person = Person::new(&server);
    person.sign_in().await;
    for path in [
        "/events",
        "/audit",
        "/metrics",
        "/debug",
        "/account/events",
        "/.env",
        "/grantor.toml",
        "/static/../grantor.db",
        "/static/%2e%2e%2fgrantor.db",
    ] {
        let page = person.open(path).await;
        assert_eq!(page.status, 404, "{path}");
    }
}
