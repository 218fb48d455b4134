//! Tokens that people keep: made, used and ended on any node.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::pair;
use crate::harness::app::App;
use crate::harness::person::Person;
use crate::tokens;
use crate::tokens::leaks::{Scanner, finding};

/// From a report to a refused call, on all nodes. It is one reading of a row.
const DENIED_WITHIN: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_form_that_is_sent_to_two_nodes_makes_one_token() {
    let (first, second) = pair().await;
    let person = Person::new(&first);
    person.sign_in().await;
    let form = tokens::form(&person).await.ticked("scope", "notes.read");
    let elsewhere = form.clone().at(&second.at("/account/tokens/new"));
    let (here, there) = tokio::join!(person.send(&form), person.send(&elsewhere));
    assert_eq!(tokens::shown(&here), tokens::shown(&there));
    let made = first.database.data_counts().unwrap().into_iter().find(|(table, _)| *table == "api_tokens");
    assert_eq!(made, Some(("api_tokens", 1)));
}

#[tokio::test]
async fn what_ends_on_one_node_is_refused_by_the_other_at_once() {
    let Some(scanner) = Scanner::new() else { return };
    let (first, second) = pair().await;
    let reporters = vec![scanner.reporter()];
    let third = first.another_node_with(|config| {
        config.issuer.clone_from(&second.url);
        config.leak_reporters = reporters;
    });
    let third = third.await;
    let (person, api) = (Person::new(&first), App::new(&second, "notes-api"));
    person.sign_in().await;
    let (revoked, leaked) =
        (tokens::token(&person, &["notes.read"]).await, tokens::token(&person, &["notes.read"]).await);
    for token in [&revoked, &leaked] {
        assert_eq!(api.introspect(token).await["active"], json!(true));
    }
    let begun = Instant::now();
    tokens::revoke(&person, &revoked).await;
    assert_eq!(api.introspect(&revoked).await, json!({ "active": false }));
    let told: Value = scanner.report(&third, &json!([finding(&leaked)])).await.json();
    assert_eq!(told[0]["label"], json!("true_positive"));
    for node in [&first, &second, &third] {
        let told = App::new(node, "notes-api").introspect(&leaked).await;
        assert_eq!(told, json!({ "active": false }));
    }
    assert!(begun.elapsed() < DENIED_WITHIN);
    println!("revoked, reported and denied on three nodes within {:?}", begun.elapsed());
}
