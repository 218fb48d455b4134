//! How surely a person was known at an upstream: believed where that is declared, and raised by a code where it is not enough.

use std::time::Duration;

use serde_json::{Value, json};

use super::fake::{self, Fake};
use super::{ada_comes_in, sign_in, start, start_on, with};
use crate::harness::app::{Answer, App, claims};
use crate::harness::authenticator::{Authenticator, CODE};
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::server::Server;

const OPEN: &str = "create_accounts = true";
const BELIEVED: &str = "create_accounts = true\ntwo_factors = [\"mfa\"]\nphishing_resistant = [\"phr\", \"urn:x:key\"]";
const TWO_FACTORS: &str = "urn:grantor:acr:two-factors";

/// What an app is told of somebody who has just come in.
async fn told(server: &Server, person: &Person, page: Page) -> Value {
    let page = if page.name() == "consent" { person.allow_on(&page).await } else { page };
    let code = Answer::of(&page).param("code");
    claims(App::new(server, "wiki").redeem(&code).await.json()["id_token"].as_str().unwrap())
}

async fn acr_of(server: &Server, fake: &Fake) -> Value {
    let person = Person::new(server);
    sign_in(&person, fake).await;
    let page = person.open(App::new(server, "wiki").authorize_url("openid", &[])).await;
    told(server, &person, page).await["acr"].clone()
}

#[tokio::test]
async fn what_an_upstream_says_of_a_sign_in_counts_where_that_is_declared() {
    for (declared, said, acr) in [
        (OPEN, json!({"amr": ["pwd", "mfa"], "acr": "mfa"}), "urn:grantor:acr:upstream"),
        (BELIEVED, json!({"amr": ["pwd", "mfa"]}), TWO_FACTORS),
        (BELIEVED, json!({"amr": ["pwd"], "acr": "mfa"}), TWO_FACTORS),
        (BELIEVED, json!({"amr": ["mfa"], "acr": "urn:x:key"}), "urn:grantor:acr:phishing-resistant"),
        (BELIEVED, json!({"amr": ["MFA"], "acr": ["mfa"]}), "urn:grantor:acr:upstream"),
    ] {
        let (server, fake) = with(declared).await;
        fake.says(&said);
        assert_eq!(acr_of(&server, &fake).await, acr, "{said}");
    }
}

#[tokio::test]
async fn an_upstream_is_asked_for_what_the_app_asks_for() {
    let (server, _fake) = with(BELIEVED).await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let asked = |page: &Page| {
        let query: std::collections::HashMap<_, _> = fake::sent(page).query_pairs().into_owned().collect();
        query.get("acr_values").cloned()
    };
    assert_eq!(asked(&start(&person).await), None);
    let page = person.open(wiki.authorize_url("openid", &[("acr_values", TWO_FACTORS)])).await;
    assert_eq!(asked(&start_on(&person, &page, "corp").await).as_deref(), Some("mfa phr urn:x:key"));
    let page = person.open(wiki.authorize_url("openid", &[("acr_values", "urn:grantor:acr:password")])).await;
    let higher = asked(&start_on(&person, &page, "corp").await);
    assert_eq!(higher.as_deref(), Some("mfa phr urn:x:key"), "it knows no password of ours");
}

#[tokio::test]
async fn who_came_from_an_upstream_gives_a_code_where_an_app_asks_for_more() {
    let (server, fake) = with(OPEN).await;
    let ada = ada_comes_in(&server, &fake).await;
    let app = Authenticator::set_up(&server, &ada).await;
    server.clock.advance(Duration::from_secs(30));
    let ada = ada_comes_in(&server, &fake).await;
    let wiki = App::new(&server, "wiki");
    let page = ada.open(wiki.authorize_url("openid", &[("acr_values", TWO_FACTORS)])).await;
    let page = ada.send(&page.form(CODE).with("code", &app.code(&server))).await;
    assert_eq!(told(&server, &ada, page).await["acr"], TWO_FACTORS);
    let sessions: i64 = server.rows().iter().filter(|(table, _)| *table == "sessions").map(|(_, rows)| rows).sum();
    let mut origins = 0;
    for user in server.database.users(10, None).await.unwrap() {
        for session in server.database.sessions_of(user.id).await.unwrap() {
            origins += usize::from(server.database.upstream_of_session(session.id).await.unwrap().is_some());
        }
    }
    assert_eq!((sessions, origins), (4, 2), "what was raised still ends with the session there");
}

#[tokio::test]
async fn a_key_that_works_at_no_other_site_is_asked_of_the_upstream() {
    let (server, fake) = with(BELIEVED).await;
    let ada = ada_comes_in(&server, &fake).await;
    let needs = r#"{"id_token":{"acr":{"essential":true,"value":"urn:grantor:acr:phishing-resistant"}}}"#;
    let page = ada.open(App::new(&server, "wiki").authorize_url("openid", &[("claims", needs)])).await;
    assert_eq!((page.name().as_str(), page.has("#set-up"), page.has("#way-corp")), ("sign-in-more", false, true));
    let page = start_on(&ada, &page, "corp").await;
    let asked = fake::sent(&page);
    assert!(asked.query_pairs().any(|pair| pair == ("prompt".into(), "login".into())), "{asked}");
    fake.says(&json!({"acr": "phr"}));
    let page = ada.open(fake.consents(&page)).await;
    assert_eq!(told(&server, &ada, page).await["acr"], "urn:grantor:acr:phishing-resistant");
}

fn key(page: &Page) -> (bool, bool) {
    (page.name() == "second-factor", page.has("#key"))
}

// Whoever finds a browser open comes in through an upstream that asks nobody anything.
#[tokio::test]
async fn an_app_is_set_up_by_who_has_signed_in_anew_at_the_upstream() {
    let (server, fake) = with(OPEN).await;
    for (said, ends) in [
        (json!({"auth_time": null}), "upstream-failed"),
        (json!({"auth_time": fake::seconds(&server.clock, -3600)}), "upstream-failed"),
        (json!({"auth_time": fake::seconds(&server.clock, 0)}), "second-factor"),
    ] {
        fake.says(&said);
        let ada = ada_comes_in(&server, &fake).await;
        if ends == "second-factor" {
            assert_eq!(key(&ada.open("/account/second-factor").await), (true, true));
            server.clock.advance(Duration::from_mins(11));
            fake.says(&json!({"auth_time": fake::seconds(&server.clock, 0)}));
        }
        let page = ada.open("/account/second-factor").await;
        assert!(page.name() == "sign-in" && page.text().contains("sign in once more"), "{said}: {}", page.text());
        let page = start_on(&ada, &page, "corp").await;
        let sent = fake::sent(&page);
        let asks = |name: &str, value: &str| sent.query_pairs().any(|pair| pair == (name.into(), value.into()));
        assert!(asks("max_age", "0") && asks("prompt", "login"), "{sent}");
        assert_eq!(ada.open(fake.consents(&page)).await.name(), ends, "{said}");
    }
}

#[tokio::test]
async fn who_came_by_an_upstream_that_tells_no_time_signs_in_anew_to_set_an_app_up_and_goes_on() {
    let (server, fake) = with(OPEN).await;
    fake.says(&json!({"auth_time": null}));
    let ada = ada_comes_in(&server, &fake).await;
    let needs = r#"{"id_token":{"acr":{"essential":true,"value":"urn:grantor:acr:two-factors"}}}"#;
    let page = ada.open(App::new(&server, "wiki").authorize_url("openid", &[("claims", needs)])).await;
    let page = ada.open(page.attribute("#set-up", "href").unwrap()).await;
    assert_eq!(page.name(), "sign-in");
    fake.says(&json!({"auth_time": fake::seconds(&server.clock, 0)}));
    let page = ada.open(fake.consents(&start_on(&ada, &page, "corp").await)).await;
    assert_eq!(key(&page), (true, true));
    let (_, page) = Authenticator::set_up_on(&server, &ada, &page).await;
    let page = ada.open(page.attribute("#done", "href").unwrap()).await;
    assert_eq!(told(&server, &ada, page).await["acr"], TWO_FACTORS);
}

// It would lead back to the upstream, without a page, for ever.
#[tokio::test]
async fn who_came_from_an_upstream_is_told_of_a_password_that_an_app_needs() {
    let (server, fake) = with(OPEN).await;
    server
        .apply(
            "[[clients]]\nclient_id = \"vault\"\nclient_secret = \"a-secret-for-tests-and-nothing-else-at-all\"\n\
             redirect_uris = [\"https://wiki.example/cb\"]\nscope = \"openid\"\nleast_level = \"password\"\n",
        )
        .await;
    let vault = App::new(&server, "vault");
    let ada = Person::new(&server);
    let page = ada.open(vault.authorize_url("openid", &[])).await;
    fake.says(&json!({"auth_time": fake::seconds(&server.clock, -60)}));
    let page = ada.open(fake.consents(&start_on(&ada, &page, "corp").await)).await;
    let ways = (page.has("#by-password"), page.has("#set-up"), page.has("#way-corp"));
    assert_eq!((page.name().as_str(), ways), ("sign-in-more", (false, true, false)), "{}", page.body);
    let page = ada.send(&page.form(r#"form[action="/sign-in/more"]"#).with("decision", "deny")).await;
    assert_eq!(Answer::of(&page).param("error"), "unmet_authentication_requirements");
}

#[tokio::test]
async fn a_way_in_without_a_code_is_linked_by_who_has_given_one() {
    let (server, fake) = with("").await;
    let (alice, elsewhere) = (Person::new(&server), Person::new(&server));
    alice.sign_in().await;
    elsewhere.sign_in().await;
    let app = Authenticator::set_up(&server, &elsewhere).await;
    server.clock.advance(Duration::from_secs(30));
    let ways = alice.open("/account/sign-in-ways").await;
    let page = alice.open(fake.consents(&start_on(&alice, &ways, "corp").await)).await;
    assert_eq!(page.name(), "sign-in-code", "{}", page.body);
    assert_eq!(alice.send(&page.form(CODE).with("decision", "deny")).await.name(), "account", "and nothing is linked");
    let page = alice.open(fake.consents(&start_on(&alice, &ways, "corp").await)).await;
    let page = alice.send(&page.form(CODE).with("code", &app.code(&server))).await;
    assert_eq!(page.name(), "upstream-link", "{}", page.body);
    let page = alice.send(&page.form(r#"form[action="/upstreams/corp/link"]"#).with("decision", "link")).await;
    assert!(page.text().contains("ada@corp.example"), "{}", page.text());
}
