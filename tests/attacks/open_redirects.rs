//! Open redirects: no parameter of any page leads a person to another host.

use super::wire;
use crate::harness::app::App;
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD};
use crate::harness::server::Server;

const ELSEWHERE: &[&str] = &[
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https:/evil.example",
    "https:evil.example",
    "https://evil.example",
    "/%09/evil.example",
    "/\t/evil.example",
    "/%5cevil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "/account/../..//evil.example",
    "/account\r\nLocation: https://evil.example",
    "http://127.0.0.1@evil.example/",
    "?//evil.example",
];

/// The names under which software takes an address to go on to.
const NAMES: &[&str] =
    &["return_to", "next", "redirect", "redirect_uri", "RelayState", "target", "url", "continue", "goto", "rd"];

fn stays_here(server: &Server, page: &Page) {
    if let Some(to) = page.location() {
        assert_eq!(to.origin().ascii_serialization(), server.url, "{} leads to {to}", page.url);
    }
}

fn query(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

#[tokio::test]
async fn no_parameter_leads_away_from_a_page() {
    let server = Server::start().await;
    for address in ELSEWHERE {
        let pairs: Vec<(&str, &str)> = NAMES.iter().map(|name| (*name, *address)).collect();
        for path in
            ["/", "/sign-in", "/account", "/account/apps", "/consent", "/select-account", "/end-session", "/nothing"]
        {
            let page = wire::get(&server.at(&format!("{path}?{}", query(&pairs))), &[]).await;
            stays_here(&server, &page);
            assert!(page.status.as_u16() < 500, "{path} {address}");
        }
    }
}

#[tokio::test]
async fn no_field_leads_away_after_signing_in_or_out() {
    let server = Server::start().await;
    let person = Person::new(&server);
    for address in ELSEWHERE {
        let with_all =
            |form: crate::harness::page::Form| NAMES.iter().fold(form, |form, name| form.with(name, address));
        let page = person.open("/sign-in").await;
        let form = page.form(r#"form[action="/sign-in"]"#).with("username", ALICE).with("password", ALICE_PASSWORD);
        stays_here(&server, &person.post(&with_all(form)).await);
        let page = person.open("/account").await;
        stays_here(&server, &person.post(&with_all(page.form(r#"form[action="/sign-out"]"#))).await);
    }
}

#[tokio::test]
async fn the_choice_of_a_language_leads_back_to_our_own_pages_only() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let form = person.open("/sign-in").await.form(r#"form[action="/language"]"#).with("language", "de");
    for address in ELSEWHERE {
        let page = person.post(&form.clone().with("return_to", address)).await;
        stays_here(&server, &page);
        assert!(page.status.as_u16() < 500, "{address}");
    }
}

#[tokio::test]
async fn a_request_that_we_did_not_sign_is_not_gone_on_with() {
    let server = Server::start().await;
    let person = Person::new(&server);
    for address in ELSEWHERE {
        for path in ["/sign-in?request", "/consent?request", "/select-account?request", "/authorize?resume"] {
            let page = person.open(format!("{path}={}", query(&[("", address)]).trim_start_matches('='))).await;
            assert_eq!((page.status.as_u16(), page.name().as_str()), (400, "error"), "{path} {address}");
        }
    }
}

#[tokio::test]
async fn after_signing_out_only_a_registered_address_is_followed() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let near = [
        "https://wiki.example/out/",
        "https://wiki.example/OUT",
        "https://wiki.example/out?x",
        "https://wiki.example/cb",
    ];
    for address in ELSEWHERE.iter().chain(&near) {
        let tokens = wiki.tokens("openid").await;
        let pairs = [("id_token_hint", tokens.id()), ("post_logout_redirect_uri", address), ("client_id", "wiki")];
        let page = wire::get(&server.at(&format!("/end-session?{}", query(&pairs))), &[]).await;
        assert_eq!(page.location(), None, "{address}");
    }
}

#[tokio::test]
async fn an_error_of_the_authorization_endpoint_goes_to_no_other_host() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    for address in ELSEWHERE {
        let page =
            wire::get(&wiki.authorize_url("bogus", &[("redirect_uri", *address), ("response_type", "bogus")]), &[])
                .await;
        assert_eq!((page.status.as_u16(), page.location()), (400, None), "{address}");
    }
}
