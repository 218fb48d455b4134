//! `oidcc-dynamic-certification-test-plan`: its modules about redirect URIs, registration, sectors and pages. Every app is registered
//! for the module alone, proves itself by `private_key_jwt`, and removes itself.

use serde_json::json;

use super::dynamic_suite::{self, Files, KEYS, RESPONSE_TYPES, Suite, WITH_CODE, at, jwks};
use crate::harness::registrar::Registrar;
use crate::harness::server::Server;

/// What a person sees of a request that leads nowhere.
async fn is_shown(suite: &Suite<'_>, client: &dynamic_suite::Client, changes: &[(&str, &str)]) {
    let page = suite.person.open(suite.request(client, changes)).await;
    assert_eq!((page.status.as_u16(), page.name().as_str(), page.location()), (400, "error", None), "{}", page.body);
}

/// `oidcc-ensure-redirect-uri-in-authorization-request`
#[tokio::test]
async fn an_app_with_two_redirect_uris_that_names_none_is_shown_an_error() {
    let server = dynamic_suite::server().await;
    let suite = Suite::new(&server);
    for kind in RESPONSE_TYPES {
        let two = json!({"redirect_uris": [at("/callback"), at("/callback2")]});
        let client = suite.registers(kind, two).await;
        is_shown(&suite, &client, &[("redirect_uri", "")]).await;
        suite.leaves(client).await;
    }
}

/// `oidcc-redirect-uri-query-OK`
#[tokio::test]
async fn a_redirect_uri_with_a_query_keeps_it() {
    let server = dynamic_suite::server().await;
    let suite = Suite::new(&server);
    for kind in RESPONSE_TYPES {
        let client = suite.registers(kind, json!({"redirect_uris": [at("/callback?dummy1=lorem&dummy2=ipsum")]})).await;
        let signed_in = suite.signs_in(&client, &[]).await;
        let query: Vec<_> = signed_in.answer.0.query_pairs().into_owned().take(2).collect();
        assert_eq!(query, [("dummy1".into(), "lorem".into()), ("dummy2".into(), "ipsum".into())]);
        suite.leaves(client).await;
    }
}

/// `oidcc-redirect-uri-query-mismatch`, `oidcc-redirect-uri-query-added`
#[tokio::test]
async fn a_redirect_uri_with_another_query_than_the_registered_one_is_shown_not_followed() {
    let server = dynamic_suite::server().await;
    let suite = Suite::new(&server);
    let client = suite.registers("code", json!({"redirect_uris": [at("/callback?dummy1=lorem&dummy2=ipsum")]})).await;
    is_shown(&suite, &client, &[("redirect_uri", &at("/callback?dummy1=lorem&dummy2=dolor"))]).await;
    suite.leaves(client).await;
    let client = suite.registers("code", json!({})).await;
    is_shown(&suite, &client, &[("redirect_uri", &at("/callback?dummy1=lorem&dummy2=ipsum"))]).await;
}

/// `oidcc-redirect-uri-regfrag`
#[tokio::test]
async fn a_redirect_uri_with_a_fragment_is_not_registered() {
    let server = dynamic_suite::server().await;
    let refused = Suite::new(&server).is_refused("code", json!({"redirect_uris": [at("/callback#foobar")]})).await;
    assert_eq!(refused, "400 invalid_redirect_uri");
}

/// `oidcc-server`
#[tokio::test]
async fn an_app_of_each_response_type_registers_signs_somebody_in_and_removes_itself() {
    let server = dynamic_suite::server().await;
    let suite = Suite::new(&server);
    for kind in RESPONSE_TYPES {
        let client = suite.registers(kind, json!({})).await;
        assert!(client.told["client_secret"].is_null(), "an app with keys needs no secret");
        suite.signs_in(&client, &[]).await;
        let read = Registrar::new(&server).read(&client.told).await;
        assert_eq!((read.status.as_u16(), &read.json()["client_id"]), (200, &client.told["client_id"]));
        let asked = suite.request(&client, &[]);
        suite.leaves(client).await;
        assert_eq!(suite.person.open(asked).await.name(), "error");
    }
}

/// `oidcc-registration-logo-uri`: the logo is registered; no page of ours asks another server for it.
#[tokio::test]
async fn a_logo_is_registered_and_no_page_loads_it() {
    let server = dynamic_suite::server().await;
    let suite = Suite::new(&server);
    let logo = "https://suite.example:8443/images/logo.png";
    let client = suite.registers("code", json!({"logo_uri": logo})).await;
    let page = suite.person.open(suite.request(&client, &[])).await;
    assert_eq!((page.name().as_str(), page.body.contains(logo)), ("sign-in", false));
}

/// `oidcc-registration-policy-uri`, `oidcc-registration-tos-uri`: both name a site that is not the suite's.
// "The OpenID Provider SHOULD display this URL to the End-User if it is given." (OIDC Registration §2)
#[tokio::test]
async fn the_addresses_of_policy_and_terms_stand_on_the_pages_wherever_they_lie() {
    let server = dynamic_suite::server().await;
    for member in ["policy_uri", "tos_uri"] {
        let suite = Suite::new(&server);
        for (uri, text, is_link) in [
            ("https://openid.net", "https://openid.net", false),
            ("https://openid.net/policy", "https://openid.net", false),
            ("https://suite.example:8443/policy", "", true),
        ] {
            let client = suite.registers("code", json!({ member: uri })).await;
            let page = Suite::new(&server).person.open(suite.request(&client, &[])).await;
            assert_eq!(page.name(), "sign-in");
            let told = page.first_text(".app-elsewhere");
            assert!(told.ends_with(text) && told.is_empty() == is_link, "{told}");
            assert_eq!(page.has(&format!("a[href='{uri}']")), is_link, "{uri}");
            let page = suite.person.open(suite.request(&client, &[])).await;
            let page = if page.name() == "sign-in" {
                suite.person.sign_in_on(&page, "alice", "correct horse battery staple").await
            } else {
                page
            };
            assert_eq!((page.name().as_str(), page.text().contains(text)), ("consent", true), "{}", page.text());
        }
    }
}

/// `oidcc-registration-jwks-uri`
#[tokio::test]
async fn the_keys_of_an_app_are_read_where_it_publishes_them() {
    let (server, files) = (dynamic_suite::server().await, Files::start());
    let suite = Suite::new(&server);
    let uri = files.serves("/client1_jwks", "application/json", &jwks(&KEYS[0], true).to_string());
    for kind in WITH_CODE {
        let client = suite.registers(kind, json!({"jwks": null, "jwks_uri": uri})).await;
        let client = dynamic_suite::Client { is_named: true, ..client };
        suite.signs_in(&client, &[]).await;
        suite.leaves(client).await;
    }
}

/// `oidcc-registration-sector-uri`, `oidcc-registration-sector-bad`
#[tokio::test]
async fn a_sector_is_for_those_redirect_uris_that_its_list_names() {
    let (server, files) = (dynamic_suite::server().await, Files::start());
    let suite = Suite::new(&server);
    let good = files.serves("/redirect_uris.json", "application/json", &json!([at("/callback")]).to_string());
    let client = suite.registers("code", json!({"subject_type": "pairwise", "sector_identifier_uri": good})).await;
    suite.signs_in(&client, &[]).await;
    let bad = files.serves("/other.json", "application/json", &json!(["https://example.com/op"]).to_string());
    let refused = suite.is_refused("code", json!({"subject_type": "pairwise", "sector_identifier_uri": bad})).await;
    assert_eq!(refused, "400 invalid_client_metadata");
}

/// The same list where the guard is not opened: the answer says that it could not be read, and the events name the setting that opens it.
#[tokio::test]
async fn a_list_that_the_guard_keeps_away_is_refused_and_the_events_name_the_setting() {
    let files = Files::start();
    let server = Server::start_with(|config| {
        dynamic_suite::settings(config);
        config.outbound.allow_hosts.clear();
    })
    .await;
    let list = files.serves("/redirect_uris.json", "application/json", &json!([at("/callback")]).to_string());
    let refused = json!({"subject_type": "pairwise", "sector_identifier_uri": list});
    assert_eq!(Suite::new(&server).is_refused("code", refused).await, "400 invalid_client_metadata");
    let events = server.events().await;
    let says = |text: &Option<String>| text.as_ref().is_some_and(|text| text.contains("outbound.allow_hosts"));
    assert!(events.iter().any(|event| says(&event.detail)), "{events:?}");
}

/// `oidcc-3rd_party-init-login`, `oidcc-3rd_party-init-login-nohttps`, of `oidcc-3rdparty-init-login-certification-test-plan`
#[tokio::test]
async fn an_address_that_begins_a_sign_in_is_registered_by_https_alone_and_read_again() {
    let server = dynamic_suite::server().await;
    let suite = Suite::new(&server);
    let uri = at("/initiate_login");
    let said = |uri: &str| json!({"initiate_login_uri": uri, "token_endpoint_auth_method": "client_secret_basic"});
    let client = suite.registers("code", said(&uri)).await;
    let read = Registrar::new(&server).read(&client.told).await;
    assert_eq!(read.status, 200);
    assert!(read.header("content-type").unwrap().starts_with("application/json"));
    assert_eq!(read.json()["initiate_login_uri"], uri);
    let plain = uri.replace("https://", "http://");
    assert_eq!(suite.is_refused("code", said(&plain)).await, "400 invalid_client_metadata");
}
