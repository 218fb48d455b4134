//! Markup in anything that comes from outside.

use super::wire;
use crate::harness::app::App;
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD};
use crate::harness::server::Server;

const MARKUP: &[&str] = &["\"><img src=x onerror=alert(1)>", "'><svg/onload=alert(1)>{{7*7}}${7*7}<!--"];
const PARAMETERS: &[&str] = &[
    "client_id",
    "response_type",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "response_mode",
    "prompt",
    "max_age",
    "login_hint",
    "ui_locales",
    "claims",
    "claims_locales",
    "id_token_hint",
    "acr_values",
    "display",
    "resource",
    "request",
    "request_uri",
    "registration",
    "error",
    "error_description",
    "iss",
    "resume",
    "unknown_parameter",
];

fn is_clean(page: &Page) {
    let found = MARKUP.iter().find(|markup| page.body.contains(&markup[2..20]));
    assert_eq!(found, None, "{} ({}): {}", page.url, page.name(), page.body);
    assert!(!page.body.contains("49"), "nothing is computed: {}", page.body);
    assert!(page.status.as_u16() < 500, "{}", page.url);
}

#[tokio::test]
async fn no_parameter_of_an_authorization_is_shown_as_markup() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    for name in PARAMETERS {
        for markup in MARKUP {
            let person = Person::new(&server);
            let page = person.open(wiki.authorize_url("openid email", &[(name, markup)])).await;
            is_clean_without_numbers(&page);
            if page.name() == "sign-in" {
                let again = person.sign_in_on(&page, ALICE, "").await;
                is_clean_without_numbers(&again);
            }
        }
    }
}

/// As [`is_clean`], for pages with signed texts, in which any two digits may stand.
fn is_clean_without_numbers(page: &Page) {
    let found = MARKUP.iter().find(|markup| page.body.contains(&markup[2..20]));
    assert_eq!(found, None, "{} ({}): {}", page.url, page.name(), page.body);
    assert!(page.status.as_u16() < 500, "{}", page.url);
}

#[tokio::test]
async fn no_parameter_is_shown_as_markup_after_signing_in() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    person.sign_in().await;
    for name in PARAMETERS {
        for markup in MARKUP {
            let page = person.open(wiki.authorize_url("openid email", &[(name, markup)])).await;
            is_clean_without_numbers(&page);
        }
    }
}

#[tokio::test]
async fn what_was_typed_is_shown_as_text() {
    let server = Server::start().await;
    let person = Person::new(&server);
    for markup in MARKUP {
        let page = person.open("/sign-in").await;
        let page = person.sign_in_on(&page, markup, markup).await;
        is_clean_without_numbers(&page);
        assert_eq!(page.attribute("#username", "value").as_deref(), Some(*markup));
    }
}

#[tokio::test]
async fn a_form_for_an_app_escapes_its_fields_and_goes_to_its_own_address() {
    let server = Server::start().await;
    let (portal, person) = (App::new(&server, "portal"), Person::new(&server));
    person.sign_in().await;
    for markup in MARKUP {
        let page =
            person.open(portal.authorize_url("openid", &[("response_mode", "form_post"), ("state", markup)])).await;
        let form = page.form("form");
        assert_eq!(form.action.as_str(), "https://portal.example/cb");
        assert!(form.fields.contains(&("state".to_owned(), (*markup).to_owned())));
        is_clean_without_numbers(&page);
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("form-action 'self' https://portal.example;"), "{policy}");
    }
}

#[tokio::test]
async fn an_error_for_an_app_is_a_form_to_its_own_address_too() {
    let server = Server::start().await;
    let portal = App::new(&server, "portal");
    let url =
        portal.authorize_url("openid", &[("response_mode", "form_post"), ("prompt", "none"), ("state", MARKUP[0])]);
    let page = Person::new(&server).open(url).await;
    assert_eq!((page.name().as_str(), page.form("form").action.as_str()), ("form-post", "https://portal.example/cb"));
    is_clean_without_numbers(&page);
}

#[tokio::test]
async fn no_other_page_shows_markup() {
    let server = Server::start().await;
    let person = Person::new(&server);
    person.sign_in().await;
    for markup in MARKUP {
        let text: String = url::form_urlencoded::byte_serialize(markup.as_bytes()).collect();
        for path in [
            "/",
            "/nothing",
            "/sign-in?request=",
            "/consent?request=",
            "/select-account?request=",
            "/authorize?resume=",
            "/end-session?client_id=",
            "/end-session?post_logout_redirect_uri=",
            "/end-session?id_token_hint=",
            "/end-session?state=",
            "/account?x=",
            "/account/apps?search=",
            "/account/apps?removed=",
            "/account/apps/remove?app=",
            "/account/sessions?ended=",
            "/static/",
            "/userinfo?access_token=",
        ] {
            is_clean_without_numbers(&person.open(format!("{path}{text}")).await);
        }
    }
}

#[tokio::test]
async fn an_answer_in_json_is_never_a_page() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    for path in ["/token", "/introspect", "/revoke"] {
        let page = wiki.post(path, &[("grant_type", MARKUP[0]), ("token", MARKUP[0]), ("code", MARKUP[0])]).await;
        is_clean(&page);
        let content_type = page.header("content-type").unwrap_or("application/json");
        assert!(content_type.starts_with("application/json"), "{path}: {content_type}");
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    }
}

#[tokio::test]
async fn the_name_of_a_browser_is_shown_as_text() {
    let server = Server::start().await;
    let cookies = wire::get(&server.at("/sign-in"), &[]).await;
    let form = cookies.form(r#"form[action="/sign-in"]"#).with("username", ALICE).with("password", ALICE_PASSWORD);
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&form.fields).finish();
    let visit = cookies.cookies().join("; ");
    let headers = [
        ("cookie", visit.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
        ("user-agent", "Firefox/1 \"><img src=x onerror=alert(1)> Linux"),
    ];
    let signed_in = wire::send("POST", &server.at("/sign-in"), &headers, &body).await;
    let page = wire::get(&server.at("/account/sessions"), &signed_in.cookies()).await;
    assert_eq!(page.name(), "sessions");
    is_clean_without_numbers(&page);
}
