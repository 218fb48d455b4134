//! Apps behind a proxy that asks one node, of people and tokens that another one knows.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::forward_auth::{BOARD, HANDBOOK, Visitor, guarded, target};
use crate::harness::server::Server;
use crate::tokens;
use crate::tokens::leaks::{Scanner, finding};

/// From a report, or a sign-out, to a closed app. It is one reading of a row.
const CLOSED_WITHIN: Duration = Duration::from_secs(5);

/// Another node, which believes the same proxies, and this reporter of leaks.
async fn another(first: &Server, scanner: &Scanner) -> Server {
    let (issuer, reporters) = (first.url.clone(), vec![scanner.reporter()]);
    first
        .another_node_with(|config| {
            config.issuer = issuer;
            config.leak_reporters = reporters;
            config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        })
        .await
}

#[tokio::test]
async fn a_ticket_of_one_node_is_spent_at_another_and_on_both() {
    let Some(scanner) = Scanner::new() else { return };
    let first = guarded().await;
    let second = another(&first, &scanner).await;
    let mut alice = Visitor::new(&first);
    alice.person.sign_in().await;
    let sent = alice.opens(BOARD, "/a").await;
    let ticket = target(&alice.person.open(sent.location().unwrap()).await.location().unwrap());
    let mut thief = Visitor::new(&first);
    thief.has_mark_of(&alice, BOARD);
    alice.server = &second;
    assert_eq!(alice.opens(BOARD, &ticket).await.location().unwrap().as_str(), "https://board.example/a");
    for node in [&first, &second] {
        thief.server = node;
        assert_eq!(thief.opens(BOARD, &ticket).await.location().unwrap().path(), "/enter");
        alice.server = node;
        assert_eq!(alice.opens(BOARD, "/a").await.status, 200);
    }
}

#[tokio::test]
async fn what_ends_on_one_node_enters_no_app_by_another() {
    let Some(scanner) = Scanner::new() else { return };
    let first = guarded().await;
    let second = another(&first, &scanner).await;
    let mut alice = Visitor::new(&first);
    alice.enters(BOARD, "/").await;
    let leaked = tokens::token(&alice.person, &["notes.read"]).await;
    let program = [Visitor::new(&first), Visitor::new(&second)];
    let bearer = format!("Bearer {leaked}");
    for node in &program {
        assert_eq!(node.asks(HANDBOOK, "/", &[("authorization", &bearer)]).await.status, 200);
    }
    let begun = Instant::now();
    let told: Value = scanner.report(&second, &json!([finding(&leaked)])).await.json();
    assert_eq!(told[0]["label"], json!("true_positive"));
    for node in &program {
        assert_eq!(node.asks(HANDBOOK, "/", &[("authorization", &bearer)]).await.status, 401);
    }
    let asked = alice.person.open("/end-session").await;
    alice.person.send(&asked.form(r#"form[action="/sign-out"]"#)).await;
    for node in [&first, &second] {
        alice.server = node;
        assert_eq!(alice.asks(BOARD, "/", &[]).await.status, 401);
    }
    assert!(begun.elapsed() < CLOSED_WITHIN);
    println!("reported, signed out and closed on two nodes within {:?}", begun.elapsed());
}
