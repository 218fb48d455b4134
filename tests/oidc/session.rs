//! The sign-in itself: how long it lasts, and what its cookie is.

use std::time::Duration;

use grantor_core::policy::Lifetimes;

use crate::harness::app::{Answer, App};
use crate::harness::page::{Form, Page};
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD};
use crate::harness::server::Server;

const HOUR: Duration = Duration::from_hours(1);
const SECOND: Duration = Duration::from_secs(1);
const ALMOST_AN_HOUR: Duration = Duration::from_secs(3599);

/// Whether an app is answered without a page.
async fn is_signed_in(server: &Server, person: &Person) -> bool {
    let page = person.get(App::new(server, "portal").authorize_url("openid", &[("prompt", "none")])).await;
    Answer::of(&page).has("code")
}

async fn alice(server: &Server) -> Person {
    let person = Person::new(server);
    person.sign_in().await;
    person
}

fn sign_in_form(page: &Page) -> Form {
    page.form(r#"form[action="/sign-in"]"#).with("username", ALICE).with("password", ALICE_PASSWORD)
}

/// What an answer sets for the session's cookie.
fn session_cookie(page: &Page) -> Option<String> {
    let set = page.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
    set.filter(|cookie| cookie.split('=').next().unwrap().ends_with("grantor_session")).map(str::to_owned).next()
}

fn pair(cookie: &str) -> &str {
    cookie.split(';').next().unwrap()
}

/// Asks silently, with cookies of one's own.
async fn error_with(server: &Server, cookies: &str) -> Option<String> {
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let url = App::new(server, "portal").authorize_url("openid", &[("prompt", "none")]);
    let answer = Answer::of(&Page::of(http.get(url).header("cookie", cookies).send().await.unwrap()).await);
    answer.has("error").then(|| answer.param("error"))
}

#[tokio::test]
async fn a_sign_in_ends_when_it_was_not_used_for_half_a_day() {
    let server = Server::start().await;
    let (used, unused) = (alice(&server).await, alice(&server).await);
    server.clock.advance(11 * HOUR + ALMOST_AN_HOUR);
    assert!(is_signed_in(&server, &used).await);
    server.clock.advance(SECOND);
    assert!(!is_signed_in(&server, &unused).await);
    server.clock.advance(11 * HOUR);
    assert!(is_signed_in(&server, &used).await, "each use begins the half day anew");
}

#[tokio::test]
async fn looking_at_the_account_is_use_too() {
    let server = Server::start().await;
    let person = alice(&server).await;
    server.clock.advance(11 * HOUR);
    assert_eq!(person.open("/account").await.name(), "account");
    server.clock.advance(11 * HOUR);
    assert_eq!(person.open("/account").await.name(), "account");
}

#[tokio::test]
async fn a_sign_in_ends_after_a_week_however_often_it_is_used() {
    let server = Server::start().await;
    let person = alice(&server).await;
    for _ in 0..15 {
        server.clock.advance(11 * HOUR);
        assert!(is_signed_in(&server, &person).await);
    }
    server.clock.advance(2 * HOUR + ALMOST_AN_HOUR);
    assert!(is_signed_in(&server, &person).await);
    server.clock.advance(SECOND);
    assert!(!is_signed_in(&server, &person).await);
}

#[tokio::test]
async fn signing_in_again_begins_a_new_week() {
    let server = Server::start().await;
    let person = alice(&server).await;
    server.clock.advance(8 * 24 * HOUR);
    assert!(!is_signed_in(&server, &person).await);
    person.sign_in().await;
    assert!(is_signed_in(&server, &person).await);
}

#[tokio::test]
async fn how_long_a_sign_in_lasts_is_a_setting() {
    let (session_idle, session_absolute) = (Duration::from_mins(10), Duration::from_mins(25));
    let lifetimes = Lifetimes { session_idle, session_absolute, ..Lifetimes::default() };
    let server = Server::start_with(|config| config.lifetimes = lifetimes).await;
    let (used, unused) = (alice(&server).await, alice(&server).await);
    for minutes in [9, 9] {
        server.clock.advance(Duration::from_mins(minutes));
        assert!(is_signed_in(&server, &used).await);
    }
    assert!(!is_signed_in(&server, &unused).await);
    server.clock.advance(Duration::from_mins(7));
    assert!(!is_signed_in(&server, &used).await);
}

#[tokio::test]
async fn the_cookie_changes_at_each_sign_in_and_the_one_before_is_dead() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let first = session_cookie(&person.post(&sign_in_form(&person.open("/sign-in").await)).await).unwrap();
    assert_eq!(error_with(&server, pair(&first)).await, None);
    server.clock.advance(SECOND);
    let page = person.open(App::new(&server, "portal").authorize_url("openid", &[("prompt", "login")])).await;
    let second = session_cookie(&person.post(&sign_in_form(&page)).await).unwrap();
    assert_ne!(pair(&first), pair(&second));
    assert_eq!(error_with(&server, pair(&first)).await.as_deref(), Some("login_required"));
    assert_eq!(error_with(&server, pair(&second)).await, None);
}

// "The Authorization Server MUST attempt to Authenticate the End-User in the following cases:" (OIDC Core §3.1.2.3)
#[tokio::test]
async fn nobody_has_a_session_before_the_password_was_right() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let page = person.open("/sign-in").await;
    assert_eq!(session_cookie(&page), None);
    let wrong = person.post(&sign_in_form(&page).with("password", "not her password")).await;
    assert_eq!((wrong.name().as_str(), session_cookie(&wrong)), ("sign-in", None));
}

#[tokio::test]
async fn a_session_that_the_browser_was_given_by_somebody_else_is_not_taken_over() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let made_up = format!("grantor_session=gtr_se_00000000001.{}", "A".repeat(43));
    let page = person.open("/sign-in").await;
    let answer = person.post_with(&sign_in_form(&page), &[("origin", &server.url)]).await;
    let cookie = session_cookie(&answer).unwrap();
    assert_ne!(pair(&cookie), made_up);
    assert_eq!(error_with(&server, &made_up).await.as_deref(), Some("login_required"));
}

#[tokio::test]
async fn an_altered_or_doubled_cookie_is_nobodys() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let cookie = session_cookie(&person.post(&sign_in_form(&person.open("/sign-in").await)).await).unwrap();
    let cookie = pair(&cookie);
    let (id, _) = cookie.rsplit_once('.').unwrap();
    let altered = [
        format!("{id}.{}", "A".repeat(43)),
        id.to_owned(),
        format!("{id}."),
        format!("{cookie}A"),
        format!("{cookie}; grantor_session=x"),
        format!("grantor_session=x; {cookie}"),
        format!("grantor_session={}", "A".repeat(300)),
        cookie.replace("grantor_session", "__Host-grantor_session"),
    ];
    for cookies in altered {
        assert_eq!(error_with(&server, &cookies).await.as_deref(), Some("login_required"), "{cookies}");
    }
    assert_eq!(error_with(&server, cookie).await, None);
}

#[tokio::test]
async fn the_cookie_of_an_account_that_is_switched_off_is_dead() {
    let server = Server::start().await;
    let person = alice(&server).await;
    server.apply("[[users]]\nusername = \"alice\"\ndisabled = true\n").await;
    assert!(!is_signed_in(&server, &person).await);
    server.apply("[[users]]\nusername = \"alice\"\ndisabled = false\n").await;
    assert!(!is_signed_in(&server, &person).await, "switched on again, she signs in again");
}

#[tokio::test]
async fn the_cookie_is_out_of_reach_of_scripts_and_other_sites() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let cookie = session_cookie(&person.post(&sign_in_form(&person.open("/sign-in").await)).await).unwrap();
    let mut attributes: Vec<&str> = cookie.split("; ").skip(1).collect();
    attributes.sort_unstable();
    assert_eq!(attributes, ["HttpOnly", "Path=/", "SameSite=Lax"], "{cookie}");
}

#[tokio::test]
async fn on_https_the_cookie_is_secure_and_bound_to_this_host() {
    let server = Server::start_with(|config| {
        config.issuer = config.issuer.replace("http://", "https://");
        config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    });
    let server = server.await;
    // The proxy before the server speaks plain HTTP to it.
    let behind = server.url.replace("https://", "http://");
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let page = Page::of(http.get(format!("{behind}/sign-in")).send().await.unwrap()).await;
    let (form, mark) = (sign_in_form(&page), page.header("set-cookie").unwrap().to_owned());
    assert!(mark.starts_with("__Host-grantor_visit="), "{mark}");
    let request = http.post(form.action).form(&form.fields).header("cookie", pair(&mark)).header("origin", &server.url);
    let cookie = session_cookie(&Page::of(request.send().await.unwrap()).await).unwrap();
    assert!(cookie.starts_with("__Host-grantor_session="), "{cookie}");
    let mut attributes: Vec<&str> = cookie.split("; ").skip(1).collect();
    attributes.sort_unstable();
    assert_eq!(attributes, ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"], "{cookie}");
}
