//! Keys of apps: found in public, and used from their networks.

use grantor_core::audit::EventKind;
use serde_json::{Value, json};

use super::id_of;
use super::keys::{SERVICE, exchange, key, run};
use super::leaks::{Scanner, finding};
use super::networks::{ELSEWHERE, HERE, apply};
use crate::harness::app::App;
use crate::harness::server::Server;

#[tokio::test]
async fn a_key_that_is_found_in_public_ends_with_all_that_it_gave() {
    let Some(scanner) = Scanner::new() else { return };
    let reporter = scanner.reporter();
    let server = Server::start_with(|config| config.leak_reporters = vec![reporter]).await;
    server.apply(SERVICE).await;
    let (leaked, other) = (key(&server, &[]).await, key(&server, &[]).await);
    let jwt: Value = exchange(&server, &leaked, &[]).await.json();
    let jwt = jwt["access_token"].as_str().unwrap();
    let api = App::new(&server, "notes-api");
    for told in [&leaked, &other, jwt] {
        assert_eq!(api.introspect(told).await["active"], json!(true));
    }
    for _ in 0..2 {
        let told = scanner.report(&server, &json!([finding(&leaked)])).await.json();
        assert_eq!(told[0]["label"], json!("true_positive"));
    }
    for ended in [&leaked, jwt] {
        assert_eq!(api.introspect(ended).await, json!({ "active": false }));
    }
    assert_eq!(exchange(&server, &leaked, &[]).await.brief(), "400 invalid_request");
    assert_eq!(api.introspect(&other).await["active"], json!(true));
    let events = server.events().await;
    let ended: Vec<_> = events.iter().filter(|event| event.kind == EventKind::ApiTokenEnded).collect();
    let said = (ended.len(), ended[0].client_id.as_deref(), ended[0].reason.as_deref());
    assert_eq!(said, (1, Some("service"), Some("leaked")), "once, however often it is reported");
    let listed: Value =
        serde_json::from_str(&run(&server, &["list", "--client", "service", "--json"]).await.unwrap()).unwrap();
    let of = |key: &str| {
        listed.as_array().unwrap().iter().find(|row| row["id"] == json!(id_of(key))).unwrap()["state"].clone()
    };
    assert_eq!((of(&leaked), of(&other)), (json!("leaked"), json!("live")));
}

#[tokio::test]
async fn a_key_counts_from_its_networks_and_nowhere_else() {
    let server = Server::start().await;
    server.apply(SERVICE).await;
    let api = App::new(&server, "notes-api");
    let key_of = async |network: &str| key(&server, &["--network", network]).await;
    let (here, there) = (key_of("127.0.0.0/8").await, key_of("192.0.2.0/24").await);
    for (key, address, active) in [
        (&there, "192.0.2.7", true),
        (&there, "::ffff:192.0.2.7", true),
        (&there, "192.0.3.7", false),
        (&there, "127.0.0.1", false),
        (&here, "127.0.0.1", true),
        (&here, "192.0.2.7", false),
    ] {
        let told = api.introspect_with(key, &[("client_address", address)]).await;
        assert_eq!(told["active"], json!(active), "{address}");
    }
    assert_eq!(api.introspect(&there).await, json!({ "active": false }), "from nowhere that is known");
    assert_eq!(exchange(&server, &here, &[]).await.status, 200, "from inside");
    assert_eq!(exchange(&server, &there, &[]).await.brief(), "400 invalid_request", "from outside");
}

#[tokio::test]
async fn a_key_counts_from_the_networks_of_its_app_only() {
    let server = Server::start().await;
    server.apply(SERVICE).await;
    let (key, api) = (key(&server, &[]).await, App::new(&server, "notes-api"));
    assert_eq!(exchange(&server, &key, &[]).await.status, 200);
    apply(&server, &format!("{SERVICE}{ELSEWHERE}\n")).await;
    assert_eq!(exchange(&server, &key, &[]).await.brief(), "400 invalid_request");
    for (address, active) in [("127.0.0.1", false), ("192.0.2.7", true)] {
        let told = api.introspect_with(&key, &[("client_address", address)]).await;
        assert_eq!(told["active"], json!(active), "{address}");
    }
    apply(&server, &format!("{SERVICE}{HERE}\n")).await;
    assert_eq!(exchange(&server, &key, &[]).await.status, 200);
}
