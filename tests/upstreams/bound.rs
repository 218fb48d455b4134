//! An answer belongs to one upstream, one browser and one sign-in, and leads back to our own pages alone.

use std::time::Duration;

use serde_json::json;

use super::fake::{Fake, sent};
use super::{declaration, sign_in, start, start_on, with};
use crate::harness::app::App;
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD};
use crate::oidc::logout::confirm;

const OPEN: &str = "create_accounts = true";

#[tokio::test]
async fn an_answer_of_one_upstream_is_none_of_another() {
    let (server, fake) = with(OPEN).await;
    let other = Fake::start();
    other.keep_time_of(&server.clock);
    server.apply(&declaration(&other, "other", OPEN)).await;
    let person = Person::new(&server);
    let honest = fake.consents(&start(&person).await);
    let mixed = honest.as_str().replace("/upstreams/corp/", "/upstreams/other/");
    assert_eq!(person.open(&mixed).await.name(), "upstream-failed");
    assert_eq!(server.reason().await, "UpstreamStateInvalid");
    assert_eq!((fake.asked("/token"), other.asked("/token")), (0, 0), "no code is shown to anybody");
    assert_eq!(person.open(honest).await.name(), "account", "the other answer has spent nothing");
}

#[tokio::test]
async fn an_answer_counts_in_the_browser_that_asked_for_it_once_and_for_ten_minutes() {
    let (server, fake) = with(OPEN).await;
    let (person, other) = (Person::new(&server), Person::new(&server));
    let answer = fake.consents(&start(&person).await);
    other.open("/sign-in").await;
    assert_eq!((other.open(&answer).await.name(), server.reason().await), failed("UpstreamStateInvalid"));
    assert_eq!(Person::new(&server).open(&answer).await.name(), "upstream-failed", "without any cookie, too");
    assert_eq!(person.open(&answer).await.name(), "account");
    assert_eq!((person.open(&answer).await.name(), server.reason().await), failed("UpstreamStateSpent"));
    let late = fake.consents(&start(&other).await);
    server.clock.advance(Duration::from_mins(10));
    assert_eq!((other.open(late).await.name(), server.reason().await), failed("UpstreamStateInvalid"));
}

/// Who knows the mark of a browser that others use could have somebody in it signed in as themselves.
#[tokio::test]
async fn an_answer_is_for_nobody_who_comes_to_the_browser_after_a_sign_out() {
    let (server, fake) = with(OPEN).await;
    let browser = Person::new(&server);
    let page = browser.get("/sign-in").await;
    let marked = [("cookie", page.cookies().remove(0)), ("origin", server.url.clone())];
    let marked = marked.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert!(marked[0].1.starts_with("grantor_visit="), "{marked:?}");
    browser.sign_in_on(&page, ALICE, ALICE_PASSWORD).await;
    let eve = Person::new(&server);
    let start = eve.get_with("/sign-in", &marked).await.form(r#"form[action="/upstreams/corp/start"]"#);
    let answer = fake.consents(&eve.post_with(&start, &marked).await);
    confirm(&browser, &browser.get("/end-session").await).await;
    assert_eq!((browser.open(&answer).await.name(), server.reason().await), failed("UpstreamStateInvalid"));
    assert_eq!(browser.open("/account").await.name(), "sign-in", "nobody is signed in");
}

fn failed(reason: &str) -> (String, String) {
    ("upstream-failed".to_owned(), reason.to_owned())
}

#[tokio::test]
async fn a_state_that_is_missing_altered_or_made_up_is_refused() {
    let (server, fake) = with(OPEN).await;
    let person = Person::new(&server);
    let state = sent(&start(&person).await).query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let altered = format!("{}A", &state[..state.len() - 1]);
    for state in ["", "x", &"A".repeat(600), &altered, &state[..40]] {
        let page = person.open(format!("/upstreams/corp/callback?code=a&state={state}")).await;
        assert_eq!((page.name(), page.status.as_u16()), ("upstream-failed".to_owned(), 400));
        assert_eq!(server.reason().await, "UpstreamStateInvalid");
    }
    assert!(!state.contains("wiki") && fake.asked("/token") == 0);
}

#[tokio::test]
async fn a_sign_in_is_begun_by_our_own_form_only() {
    let (server, _fake) = with(OPEN).await;
    let person = Person::new(&server);
    let form = person.open("/sign-in").await.form(r#"form[action="/upstreams/corp/start"]"#);
    assert_eq!(person.send(&form.clone().with("csrf", "x")).await.name(), "form-refused");
    assert_eq!(person.post_with(&form, &[("origin", "https://evil.example")]).await.name(), "form-refused");
    assert_eq!(person.get("/upstreams/corp/start").await.status.as_u16(), 405);
}

#[tokio::test]
async fn the_person_comes_back_to_where_they_were() {
    let (server, fake) = with(OPEN).await;
    let (app, person) = (App::new(&server, "wiki"), Person::new(&server));
    let page = person.open(app.authorize_url("openid profile email", &[])).await;
    let page = person.open(fake.consents(&start_on(&person, &page, "corp").await)).await;
    assert_eq!((page.name(), page.text().contains("Wiki")), ("consent".to_owned(), true));
}

#[tokio::test]
async fn no_parameter_leads_elsewhere() {
    let (server, fake) = with(OPEN).await;
    for to in [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https:/evil.example",
        "/%09/evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
    ] {
        let person = Person::new(&server);
        let form = person.open("/sign-in").await.form(r#"form[action="/upstreams/corp/start"]"#);
        let names = ["return_to", "next", "redirect", "RelayState", "target", "aim"];
        let form = names.iter().fold(form, |form, name| form.with(name, to));
        let mut answer = fake.consents(&person.send(&form).await);
        for name in names {
            answer.query_pairs_mut().append_pair(name, to);
        }
        let page = person.get(answer).await;
        assert_eq!(page.header("location"), Some("/account"), "{to}");
    }
}

#[tokio::test]
async fn a_new_session_takes_the_place_of_the_one_that_was_there() {
    let (server, fake) = with(OPEN).await;
    let person = Person::new(&server);
    let answer = fake.consents(&start(&person).await);
    let first = person.get(&answer).await.cookies();
    assert!(first.iter().any(|cookie| cookie.starts_with("grantor_session=")));
    fake.says(&json!({"sub": "ada-there"}));
    let again = person.get(fake.consents(&start(&person).await)).await.cookies();
    assert_ne!(first, again);
    assert_eq!(crate::attacks::wire::get(&server.at("/account"), &first).await.location().unwrap().path(), "/sign-in");
}

#[tokio::test]
async fn an_upstream_that_is_switched_off_lets_nobody_in_by_what_was_begun_before() {
    let (server, fake) = with(OPEN).await;
    let person = Person::new(&server);
    let page = person.open("/sign-in").await;
    let (begun, form) = (fake.consents(&start(&person).await), page.form(r#"form[action="/upstreams/corp/start"]"#));
    sign_in(&Person::new(&server), &fake).await;
    server.apply(&declaration(&fake, "corp", "create_accounts = true\ndisabled = true")).await;
    assert!(!person.open("/sign-in").await.has(r#"form[action="/upstreams/corp/start"]"#));
    assert_eq!((person.send(&form).await.status.as_u16(), server.reason().await), (404, "UpstreamDisabled".to_owned()));
    assert_eq!(
        (person.open(&begun).await.status.as_u16(), server.reason().await),
        (404, "UpstreamDisabled".to_owned())
    );
    let token = fake.logout_token(&json!({"sub": "ada-there"}));
    let logout = crate::attacks::wire::send(
        "POST",
        &server.at("/upstreams/corp/backchannel-logout"),
        &[("content-type", "application/x-www-form-urlencoded")],
        &format!("logout_token={token}"),
    )
    .await;
    assert_eq!(logout.status.as_u16(), 400);
    assert_eq!(fake.asked("/token"), 1);
}
