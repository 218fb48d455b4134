//! The account by API: an app that a person allows it manages their tokens for them, by the rules of the pages.

use std::time::Duration;

use grantor_core::audit::EventKind;
use reqwest::Method;
use serde_json::{Value, json};

use super::{alice, revoke, token};
use crate::harness::app::{Answer, App, Tokens};
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::{BOB, BOB_PASSWORD, SECRET};
use crate::harness::server::Server;

const TOKENS: &str = "/account/api/tokens";

/// The app `portal`, which need not ask people for other things.
async fn declare(server: &Server) {
    let declaration = format!(
        "[[clients]]\nclient_id = \"portal\"\nclient_name = \"Portal\"\nclient_secret = \"{SECRET}\"\nskip_consent = true\n\
         redirect_uris = [\"https://portal.example/cb\"]\ngrant_types = [\"authorization_code\", \"refresh_token\", \"client_credentials\"]\n\
         scope = \"openid notes.read account:tokens\"\n"
    );
    server.clock.advance(Duration::from_millis(1));
    server.apply(&declaration).await;
}

async fn call(server: &Server, method: Method, path: &str, token: &str, body: Option<Value>) -> Page {
    let request = reqwest::Client::new().request(method, server.at(path));
    let request = if token.is_empty() { request } else { request.bearer_auth(token) };
    let request = body.iter().fold(request, reqwest::RequestBuilder::json);
    Page::of(request.send().await.unwrap()).await
}

/// The access token of `portal` for a person's account.
async fn access(server: &Server, person: &Person) -> String {
    let portal = App::new(server, "portal");
    let tokens = portal.tokens_with(person, "openid account:tokens", &[]).await;
    tokens.access().to_owned()
}

async fn list(server: &Server, token: &str) -> Value {
    call(server, Method::GET, TOKENS, token, None).await.json()
}

async fn draft(server: &Server, token: &str) -> String {
    list(server, token).await["draft"].as_str().unwrap().to_owned()
}

fn wanted(draft: &str) -> Value {
    json!({"draft": draft, "name": "Backup", "scope": "notes.read", "days": 30})
}

#[tokio::test]
async fn an_app_makes_rotates_and_revokes_the_tokens_of_a_person_who_allowed_it() {
    let server = Server::start().await;
    declare(&server).await;
    let (person, api) = (alice(&server).await, App::new(&server, "notes-api"));
    let access = access(&server, &person).await;
    let listed = list(&server, &access).await;
    let expected =
        json!([{"resource": "https://notes.example/api", "name": "Notes", "scope": "notes.read notes.write"}]);
    assert_eq!((&listed["tokens"], &listed["apis"], &listed["longest_days"]), (&json!([]), &expected, &json!(366)));
    let made = call(&server, Method::POST, TOKENS, &access, Some(wanted(listed["draft"].as_str().unwrap()))).await;
    assert_eq!((made.status.as_u16(), made.header("cache-control")), (201, Some("no-store")));
    let made = made.json();
    let (id, text) = (made["id"].as_str().unwrap(), made["token"].as_str().unwrap());
    assert_eq!(api.introspect(text).await["username"], json!("alice"));
    let event = server.events().await.into_iter().find(|event| event.kind == EventKind::ApiTokenIssued).unwrap();
    assert_eq!((event.client_id.as_deref(), event.user_id.is_some()), (Some("portal"), true), "who did it for whom");
    let listed = list(&server, &access).await;
    assert_eq!((&listed["tokens"][0]["id"], &listed["tokens"][0]["state"]), (&json!(id), &json!("live")));
    assert!(listed["tokens"][0]["token"].is_null(), "the secret is shown once");
    let redrawn = json!({"draft": listed["draft"]});
    let rotated = call(&server, Method::POST, &format!("{TOKENS}/{id}/rotate"), &access, Some(redrawn)).await.json();
    let new = rotated["token"].as_str().unwrap();
    assert!(new != text && api.introspect(new).await["active"] == json!(true));
    for _ in 0..2 {
        let page = call(&server, Method::DELETE, &format!("{TOKENS}/{id}"), &access, None).await;
        assert_eq!((page.status.as_u16(), page.body.as_str()), (204, ""), "what has ended needs no end");
    }
    assert_eq!(api.introspect(new).await, json!({"active": false}));
    assert_eq!(server.reason().await, "revoked_by_owner");
}

#[tokio::test]
async fn a_draft_makes_one_token_however_often_it_is_sent() {
    let server = Server::start().await;
    declare(&server).await;
    let access = access(&server, &alice(&server).await).await;
    let draft = draft(&server, &access).await;
    let make = || call(&server, Method::POST, TOKENS, &access, Some(wanted(&draft)));
    let (first, second) = tokio::join!(make(), make());
    let again = make().await;
    assert_eq!((first.json()["token"].clone(), second.body), (again.json()["token"].clone(), again.body));
    assert_eq!(list(&server, &access).await["tokens"].as_array().unwrap().len(), 1);
    server.clock.advance(Duration::from_secs(1));
    let bob = Person::new(&server);
    bob.sign_in_on(&bob.open("/sign-in").await, BOB, BOB_PASSWORD).await;
    let other = Tokens({
        let portal = App::new(&server, "portal");
        let page = portal.asks(&bob, "openid account:tokens", &[]).await;
        portal.redeem(&Answer::of(&bob.allow_on(&page).await).param("code")).await.json()
    });
    let page = call(&server, Method::POST, TOKENS, other.access(), Some(wanted(&draft))).await;
    assert_eq!(page.status, 409, "somebody else's draft makes nothing");
    let id = again_id(&server, &access).await;
    for (method, path, body) in [
        (Method::DELETE, format!("{TOKENS}/{id}"), None),
        (Method::POST, format!("{TOKENS}/{id}/rotate"), Some(json!({"draft": draft}))),
    ] {
        assert_eq!(call(&server, method, &path, other.access(), body).await.status, 404);
    }
}

async fn again_id(server: &Server, access: &str) -> String {
    list(server, access).await["tokens"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn people_are_asked_also_by_apps_that_need_not_ask_for_other_things() {
    let server = Server::start().await;
    declare(&server).await;
    let (person, portal) = (alice(&server).await, App::new(&server, "portal"));
    assert!(portal.approved_by(&person, "openid notes.read").await.has("code"));
    let silent = portal.asks(&person, "openid account:tokens", &[("prompt", "none")]).await;
    assert_eq!(Answer::of(&silent).param("error"), "consent_required");
    let page = portal.asks(&person, "openid account:tokens", &[]).await;
    assert_eq!(page.name(), "consent");
    assert!(page.text().contains("Make access tokens in your name"), "{}", page.text());
    let tokens = Tokens(portal.redeem(&Answer::of(&person.allow_on(&page).await).param("code")).await.json());
    assert_eq!(call(&server, Method::GET, TOKENS, tokens.access(), None).await.status, 200);
    let fresh = Tokens(portal.refresh(tokens.refresh()).await.json());
    assert_eq!(call(&server, Method::GET, TOKENS, fresh.access(), None).await.status, 200);
    let page = person.open("/account/apps/remove?app=portal").await;
    person.send(&page.form(r#"form[action="/account/apps/remove"]"#)).await;
    for ended in [tokens.access(), fresh.access()] {
        assert_eq!(call(&server, Method::GET, TOKENS, ended, None).await.status, 401, "taken back at once");
    }
}

#[tokio::test]
async fn no_other_token_opens_the_account() {
    let server = Server::start().await;
    declare(&server).await;
    let (person, portal) = (alice(&server).await, App::new(&server, "portal"));
    let kept = token(&person, &["notes.read"]).await;
    let own = Tokens(portal.client_credentials("account:tokens notes.read").await.json());
    let plain = portal.tokens_with(&person, "openid", &[]).await;
    let shared = portal.tokens_with(&person, "openid notes.read account:tokens", &[]).await;
    let cases = [("", 401), ("gtr_at_x", 401), (&kept, 401), (plain.id(), 401), (shared.refresh(), 401)];
    for (token, status) in cases.into_iter().chain([(own.access(), 403), (plain.access(), 403), (shared.access(), 403)])
    {
        for (method, path, body) in [
            (Method::GET, TOKENS.to_owned(), None),
            (Method::POST, TOKENS.to_owned(), Some(wanted("x"))),
            (Method::DELETE, format!("{TOKENS}/0"), None),
            (Method::POST, format!("{TOKENS}/0/rotate"), Some(json!({"draft": "x"}))),
        ] {
            let page = call(&server, method, &path, token, body).await;
            assert_eq!(page.status, status, "{token}");
            let challenge = page.header("www-authenticate").unwrap();
            let scope = challenge.contains("scope=\"account:tokens\"");
            assert_eq!((challenge.starts_with("Bearer"), scope), (true, status == 403), "{challenge}");
        }
    }
    let narrowed = portal.refresh_with(shared.refresh(), &[("resource", &server.url)]).await;
    let narrowed = Tokens(narrowed.json());
    assert_eq!(call(&server, Method::GET, TOKENS, narrowed.access(), None).await.status, 200, "for the issuer alone");
    let unticked = person.open("/account/tokens/new").await;
    assert!(!unticked.body.contains("account:tokens"), "no token that people keep has it");
    revoke(&person, &kept).await;
}

#[tokio::test]
async fn what_is_wrong_is_told_as_a_problem() {
    let server = Server::start().await;
    declare(&server).await;
    let access = access(&server, &alice(&server).await).await;
    let draft = draft(&server, &access).await;
    let post = async |change: &[(&str, Value)]| {
        let mut body = wanted(&draft);
        for (name, value) in change {
            body[*name] = value.clone();
        }
        let page = call(&server, Method::POST, TOKENS, &access, Some(body)).await;
        assert_eq!(page.header("content-type"), Some("application/problem+json"));
        format!("{} {}", page.status.as_u16(), page.json()["reason"].as_str().unwrap())
    };
    for (name, value, expected) in [
        ("scope", json!("openid"), "422 TokenScopeNotHeld"),
        ("scope", json!("account:tokens"), "422 TokenScopeNotHeld"),
        ("scope", json!(""), "422 TokenScopeEmpty"),
        ("scope", json!("\u{1}"), "400 BodyMalformed"),
        ("name", json!(" "), "422 TokenNameInvalid"),
        ("days", json!(0), "422 TokenLifetimeTooLong"),
        ("days", json!(u64::MAX), "422 TokenLifetimeTooLong"),
        ("days", json!(-1), "400 BodyMalformed"),
        ("networks", json!(["10.0.0.0/99"]), "400 BodyMalformed"),
        ("resource", json!("https://evil.example"), "422 ResourceUnknown"),
        ("draft", json!("x"), "409 DraftExpired"),
        ("more", json!(1), "400 BodyMalformed"),
    ] {
        assert_eq!(post(&[(name, value.clone())]).await, expected, "{name} {value}");
    }
    let page = call(&server, Method::DELETE, &format!("{TOKENS}/00000000000"), &access, None).await;
    insta::assert_snapshot!(page.whole(), @r#"
    404 Not Found
    {"detail":"The person has no token with this identifier.","reason":"TokenNotFound","status":404,"title":"Not Found","type":"about:blank"}
    "#);
    for (method, path) in [(Method::PUT, TOKENS), (Method::GET, "/account/api/tokens/x")] {
        assert_eq!(call(&server, method, path, &access, None).await.status, 405);
    }
}

#[tokio::test]
async fn who_asks_too_often_waits_as_on_the_pages() {
    let server = Server::start_with(|config| config.limits.pages.per_address = Some("2/h".parse().unwrap())).await;
    let mut told = Vec::new();
    for _ in 0..200 {
        let page = call(&server, Method::GET, TOKENS, "", None).await;
        if page.status == 429 {
            assert_eq!(page.header("content-type"), Some("application/json"));
            assert!(page.header("retry-after").is_some());
            told.push(page.brief());
            break;
        }
    }
    assert_eq!(told, ["429 temporarily_unavailable"]);
}

#[tokio::test]
async fn an_app_that_acts_for_a_person_without_end_leaves_the_pages_to_the_person() {
    let server = Server::start_with(|config| config.limits.pages.per_account = Some("6/m".parse().unwrap())).await;
    declare(&server).await;
    let person = alice(&server).await;
    let access = access(&server, &person).await;
    server.clock.advance(Duration::from_mins(1));
    for _ in 0..6 {
        assert_eq!(call(&server, Method::GET, TOKENS, &access, None).await.status, 200);
    }
    let page = call(&server, Method::GET, TOKENS, &access, None).await;
    assert_eq!((page.brief().as_str(), page.header("www-authenticate")), ("429 temporarily_unavailable", None));
    let told = ["retry-after", "ratelimit-policy"].map(|name| page.header(name));
    assert_eq!(told, [Some("10"), Some("\"pages-per-account\";q=6;w=60")]);
    assert_eq!(server.reason().await, "RateExceeded");
    assert_eq!(person.open("/account/tokens").await.status, 200);
    server.clock.advance(Duration::from_secs(10));
    assert_eq!(call(&server, Method::GET, TOKENS, &access, None).await.status, 200);
}
