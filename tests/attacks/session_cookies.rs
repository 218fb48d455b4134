//! Session cookies: fixed, stolen, altered, tossed, left behind.

use std::time::Duration;

use super::wire;
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD};
use crate::harness::server::Server;

const SESSION: &str = "grantor_session";

/// Signs in with just these cookies; returns the answer.
async fn sign_in_with(server: &Server, cookies: &[String]) -> Page {
    let page = wire::get(&server.at("/sign-in"), cookies).await;
    let sent: Vec<String> = cookies.iter().cloned().chain(page.cookies()).collect();
    let form = page.form(r#"form[action="/sign-in"]"#).with("username", ALICE).with("password", ALICE_PASSWORD);
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&form.fields).finish();
    let headers = [("cookie", sent.join("; ")), ("content-type", "application/x-www-form-urlencoded".into())];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    wire::send("POST", &server.at("/sign-in"), &headers, &body).await
}

fn session_of(page: &Page) -> String {
    page.cookies().into_iter().find(|cookie| cookie.starts_with(SESSION)).expect("a session")
}

async fn is_signed_in(server: &Server, cookies: &[String]) -> bool {
    let page = wire::get(&server.at("/account"), cookies).await;
    assert!(page.status.as_u16() < 500, "{}", page.body);
    page.status == 200
}

#[tokio::test]
async fn the_cookies_of_before_a_sign_in_stay_anonymous() {
    // A new session token at each sign-in: ASVS 7.2.4.
    let server = Server::start().await;
    let before = wire::get(&server.at("/sign-in"), &[]).await.cookies();
    let session = session_of(&sign_in_with(&server, &before).await);
    assert!(!is_signed_in(&server, &before).await);
    assert!(is_signed_in(&server, &[session]).await);
}

#[tokio::test]
async fn a_session_that_was_planted_is_not_the_one_that_is_signed_in() {
    let server = Server::start().await;
    let mallory = session_of(&sign_in_with(&server, &[]).await);
    let alice = session_of(&sign_in_with(&server, std::slice::from_ref(&mallory)).await);
    assert_ne!(mallory, alice);
    assert!(!is_signed_in(&server, &[mallory]).await, "the session that was there is ended");
}

#[tokio::test]
async fn a_cookie_is_out_of_reach_of_scripts_and_other_hosts() {
    let server = Server::start().await;
    let anonymous = wire::get(&server.at("/sign-in"), &[]).await;
    let signed_in = sign_in_with(&server, &[]).await;
    let set: Vec<&str> = [&anonymous, &signed_in]
        .iter()
        .flat_map(|page| page.headers.get_all("set-cookie"))
        .map(|it| it.to_str().unwrap())
        .collect();
    assert_eq!(set.len(), 3, "{set:?}");
    for cookie in set {
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Path=/"),
            "{cookie}"
        );
        assert!(!cookie.contains("Domain"), "{cookie}");
    }
}

#[tokio::test]
async fn on_https_a_cookie_is_secure_and_bound_to_its_host() {
    let mut address = String::new();
    let server =
        Server::start_with(|config| address = std::mem::replace(&mut config.issuer, "https://id.example".into())).await;
    let page = wire::get(&format!("{address}/sign-in"), &[]).await;
    let cookie = page.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-") && cookie.contains("Secure") && !cookie.contains("Domain"), "{cookie}");
    assert!(page.header("strict-transport-security").is_some());
    drop(server);
}

#[tokio::test]
async fn an_altered_session_is_none() {
    let server = Server::start().await;
    let session = session_of(&sign_in_with(&server, &[]).await);
    let value = session.split_once('=').unwrap().1;
    let (id, secret) = value.split_once('.').unwrap();
    let last = &value[..value.len() - 1];
    for altered in [
        last.to_owned(),
        format!("{value}A"),
        format!("{value}."),
        format!(".{secret}"),
        format!("{id}."),
        id.to_owned(),
        String::new(),
        value.to_uppercase(),
        format!("{id}.{}", "A".repeat(secret.len())),
        format!("{}.{secret}", &id[..id.len() - 1]),
        "A".repeat(8_000),
        "%00%ff'\"<>".to_owned(),
        format!("\"{value}\"x"),
        format!("{id}.{id}.{secret}"),
    ] {
        assert!(!is_signed_in(&server, &[format!("{SESSION}={altered}")]).await, "{altered}");
    }
    assert!(is_signed_in(&server, &[session]).await);
}

#[tokio::test]
async fn two_sessions_of_one_name_are_none() {
    // A sibling host, or a path, can add a cookie of the same name (RFC 6265bis §4.1.3.2).
    let server = Server::start().await;
    let session = session_of(&sign_in_with(&server, &[]).await);
    let tossed = session_of(&sign_in_with(&server, &[]).await);
    assert!(!is_signed_in(&server, &[session.clone(), tossed.clone()]).await);
    assert!(!is_signed_in(&server, &[tossed, session]).await);
}

#[tokio::test]
async fn a_session_ends_when_it_is_not_used() {
    let server = Server::start().await;
    let person = Person::new(&server);
    person.sign_in().await;
    server.clock.advance(Duration::from_hours(11));
    assert_eq!(person.open("/account").await.name(), "account");
    server.clock.advance(Duration::from_hours(11));
    assert_eq!(person.open("/account").await.name(), "account", "each use counts");
    server.clock.advance(Duration::from_hours(12));
    assert_eq!(person.open("/account").await.name(), "sign-in");
}

#[tokio::test]
async fn a_session_ends_after_a_week_however_often_it_is_used() {
    let server = Server::start().await;
    let person = Person::new(&server);
    person.sign_in().await;
    for _ in 0..15 {
        server.clock.advance(Duration::from_hours(11));
        assert_eq!(person.open("/account").await.name(), "account");
    }
    server.clock.advance(Duration::from_hours(3));
    assert_eq!(person.open("/account").await.name(), "sign-in");
}

#[tokio::test]
async fn a_session_that_was_signed_out_does_not_come_back() {
    let server = Server::start().await;
    let answer = sign_in_with(&server, &[]).await;
    let cookies = [session_of(&answer), wire::get(&server.at("/sign-in"), &[]).await.cookies().remove(0)];
    let page = wire::get(&server.at("/account"), &cookies).await;
    let form = page.form(r#"form[action="/sign-out"]"#);
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&form.fields).finish();
    let headers = [("cookie", cookies.join("; ")), ("content-type", "application/x-www-form-urlencoded".into())];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(wire::send("POST", &server.at("/sign-out"), &headers, &body).await.name(), "signed-out");
    assert!(!is_signed_in(&server, &cookies).await);
}

#[tokio::test]
async fn a_person_who_is_switched_off_is_signed_out() {
    let server = Server::start().await;
    let person = Person::new(&server);
    person.sign_in().await;
    server.apply("[[users]]\nusername = \"alice\"\ndisabled = true\n").await;
    assert_eq!(person.open("/account").await.name(), "sign-in");
    let page = person.open("/sign-in").await;
    assert_eq!(person.sign_in_on(&page, ALICE, ALICE_PASSWORD).await.name(), "sign-in");
}
