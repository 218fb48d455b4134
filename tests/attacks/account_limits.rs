//! Limits of accounts: who asks too often for a person waits, and nobody else does; the person least of all.

use std::fmt::Debug;
use std::str::FromStr;
use std::time::Duration;

use grantor_server::config::Config;

use super::wire;
use crate::forward_auth::{APPS, BOARD, HANDBOOK, Visitor};
use crate::harness::app::{App, Tokens, basic};
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, BOB, BOB_PASSWORD, SECRET};
use crate::harness::server::Server;
use crate::tokens;

/// Two at once, and one each 30 seconds.
fn two<T: FromStr<Err: Debug>>() -> T {
    "2/m".parse().unwrap()
}

async fn server(change: impl FnOnce(&mut Config)) -> Server {
    Server::start_with(change).await
}

async fn alice(server: &Server) -> Person {
    let person = Person::new(server);
    person.sign_in().await;
    person
}

async fn bob(server: &Server) -> Person {
    let person = Person::new(server);
    let page = person.open("/sign-in").await;
    person.sign_in_on(&page, BOB, BOB_PASSWORD).await;
    person
}

/// A code for an app, from a person who is signed in.
async fn code(app: &App<'_>, person: &Person) -> String {
    app.approved_with(person, "openid", &[]).await.param("code")
}

/// What is told of a limit: the status, when to come again, and the fields of the limit.
fn limit(page: &Page) -> [&str; 4] {
    let header = |name: &str| page.header(name).unwrap_or_else(|| panic!("{name} on {}", page.whole()));
    ["retry-after", "ratelimit", "ratelimit-policy", "cache-control"].map(header)
}

/// The same as [`limit`] should be where two may come at once.
fn met(policy: &str) -> [String; 4] {
    let told = [format!("\"{policy}\";r=0;t=30"), format!("\"{policy}\";q=2;w=60")];
    let [left, allowed] = told;
    ["30".to_owned(), left, allowed, "no-store".to_owned()]
}

/// The events of limits: whether they name a person, and what they say.
async fn said(server: &Server) -> Vec<(bool, String)> {
    let events = server.events().await.into_iter();
    let met = events.filter(|event| event.reason.as_deref() == Some("RateExceeded"));
    met.map(|event| (event.user_id.is_some(), event.detail.unwrap())).collect()
}

#[tokio::test]
async fn an_app_that_asks_about_a_person_too_often_waits_and_another_app_or_person_does_not() {
    let server = server(|config| config.limits.userinfo.per_account = Some(two())).await;
    let (wiki, portal) = (App::new(&server, "wiki"), App::new(&server, "portal"));
    let of_wiki = [wiki.tokens("openid").await, wiki.tokens("openid").await];
    for tokens in &of_wiki {
        assert_eq!(wiki.userinfo(tokens.access()).await.status, 200);
    }
    let page = wiki.userinfo(of_wiki[0].access()).await;
    assert_eq!((page.brief().as_str(), page.header("www-authenticate")), ("429 temporarily_unavailable", None));
    assert_eq!(limit(&page), met("userinfo-per-account").each_ref().map(String::as_str));
    let one = "userinfo-per-account: 1 refused since the last such event".to_owned();
    assert_eq!(wiki.userinfo(of_wiki[1].access()).await.status, 429, "whichever token it brings");
    assert_eq!(said(&server).await, [(true, one)], "once a minute");
    assert_eq!(portal.userinfo(portal.tokens("openid").await.access()).await.status, 200);
    let of_bob = wiki.tokens_with(&bob(&server).await, "openid", &[]).await;
    assert_eq!(wiki.userinfo(of_bob.access()).await.status, 200);
    server.clock.advance(Duration::from_secs(30));
    assert_eq!(wiki.userinfo(of_wiki[0].access()).await.status, 200);
}

#[tokio::test]
async fn an_api_uses_up_nothing_at_userinfo_with_the_tokens_that_it_is_shown() {
    let server = server(|config| config.limits.userinfo.per_account = Some(two())).await;
    let wiki = App::new(&server, "wiki");
    let resource = [("resource", "https://notes.example/api")];
    let shown = wiki.tokens_with(&alice(&server).await, "notes.read", &resource).await;
    for _ in 0..5 {
        assert_eq!(wiki.userinfo(shown.access()).await.status, 403);
    }
    assert_eq!(wiki.userinfo(wiki.tokens("openid").await.access()).await.status, 200);
}

#[tokio::test]
async fn a_code_and_a_refresh_token_that_came_too_early_are_good_after_the_wait() {
    let server = server(|config| config.limits.token.per_account = Some(two())).await;
    let (wiki, alice) = (App::new(&server, "wiki"), alice(&server).await);
    let tokens = Tokens(wiki.redeem(&code(&wiki, &alice).await).await.json());
    let tokens = Tokens(wiki.refresh(tokens.refresh()).await.json());
    let code = code(&wiki, &alice).await;
    let page = wiki.refresh(tokens.refresh()).await;
    insta::assert_snapshot!(page.whole(), @r#"
    429 Too Many Requests
    {"error":"temporarily_unavailable","error_description":"Too many requests came in a short time; wait for as many seconds as Retry-After says."}
    "#);
    assert_eq!(limit(&page), met("token-per-account").each_ref().map(String::as_str));
    assert_eq!(wiki.redeem(&code).await.brief(), "429 temporarily_unavailable");
    server.clock.advance(Duration::from_secs(30));
    assert_eq!(wiki.redeem(&code).await.brief(), "200");
    assert_eq!(wiki.refresh(tokens.refresh()).await.brief(), "429 temporarily_unavailable");
    server.clock.advance(Duration::from_secs(30));
    let tokens = Tokens(wiki.refresh(tokens.refresh()).await.json());
    server.clock.advance(Duration::from_secs(30));
    assert_eq!(wiki.refresh(tokens.refresh()).await.brief(), "200", "nobody took the second try for a theft");
    let reasons = server.reasons().await;
    assert!(!reasons.iter().any(|reason| reason == "RefreshTokenReused" || reason == "CodeReplayed"), "{reasons:?}");
}

#[tokio::test]
async fn an_app_that_refreshes_without_end_stops_no_other_app_and_no_other_person() {
    let server = server(|config| config.limits.token.per_account = Some(two())).await;
    let (spa, wiki, alice) = (App::new(&server, "spa"), App::new(&server, "wiki"), alice(&server).await);
    let mut tokens = Tokens(spa.redeem(&code(&spa, &alice).await).await.json());
    tokens = Tokens(spa.refresh(tokens.refresh()).await.json());
    assert_eq!(spa.refresh(tokens.refresh()).await.status, 429, "also an app that keeps no secret");
    assert_eq!(wiki.redeem(&code(&wiki, &alice).await).await.status, 200);
    assert_eq!(spa.redeem(&code(&spa, &bob(&server).await).await).await.status, 200);
    for _ in 0..5 {
        assert_eq!(App::new(&server, "service").client_credentials("notes.read").await.status, 200, "for nobody");
    }
    let stolen = tokens.refresh().to_owned();
    assert_eq!(wiki.refresh(&stolen).await.brief(), "400 invalid_grant");
    assert_eq!(server.reason().await, "RefreshTokenClientMismatch");
}

#[tokio::test]
async fn what_cannot_be_redeemed_uses_up_nothing() {
    let server = server(|config| config.limits.token.per_account = Some(two())).await;
    let (wiki, chat, alice) = (App::new(&server, "wiki"), App::new(&server, "chat"), alice(&server).await);
    let code = code(&wiki, &alice).await;
    for _ in 0..5 {
        assert_eq!(chat.redeem(&code).await.brief(), "400 invalid_grant", "another app's");
        let guessed = [("code_verifier", "a-verifier-of-somebody-who-saw-the-code-and-no-more")];
        assert_eq!(wiki.redeem_with(&code, &guessed).await.brief(), "400 invalid_grant");
    }
    assert_eq!(wiki.redeem(&code).await.brief(), "200");
}

/// A person's browsers may open three pages at once.
fn three_pages(config: &mut Config) {
    config.limits.pages.per_account = Some("3/m".parse().unwrap());
}

/// Opens pages of the account until there are too many.
async fn too_many(person: &Person) -> Page {
    for _ in 0..5 {
        let page = person.open("/account").await;
        if page.status == 429 {
            return page;
        }
    }
    panic!("a limit is met");
}

#[tokio::test]
async fn a_person_who_opens_too_many_pages_is_told_in_words_and_others_are_not() {
    let server = server(three_pages).await;
    let (alice, bob) = (alice(&server).await, bob(&server).await);
    let page = too_many(&alice).await;
    assert_eq!((page.brief().as_str(), page.name().as_str()), ("429", "too-many"));
    assert!(page.text().contains("too many requests") && page.text().contains("20 seconds"), "{}", page.text());
    let told = ["20", "\"pages-per-account\";r=0;t=20", "\"pages-per-account\";q=3;w=60", "no-store"];
    assert_eq!(limit(&page), told);
    assert_eq!(said(&server).await, [(true, "pages-per-account: 1 refused since the last such event".to_owned())]);
    assert_eq!(bob.open("/account").await.status, 200);
    assert_eq!(Person::new(&server).open("/sign-in").await.status, 200, "a stranger from the same address");
    server.clock.advance(Duration::from_secs(20));
    assert_eq!(alice.open("/account").await.status, 200);
    assert_eq!(alice.open("/account").await.status, 429);
}

#[tokio::test]
async fn whoever_floods_with_a_stolen_session_is_thrown_out_by_its_person() {
    let server = server(three_pages).await;
    let thief = alice(&server).await;
    too_many(&thief).await;
    let alice = alice(&server).await;
    assert_eq!(alice.open("/account").await.status, 429, "one account, whatever the browser");
    let sessions = alice.open("/account/sessions").await;
    assert_eq!((sessions.status.as_u16(), sessions.name().as_str()), (200, "sessions"));
    let ended = alice.send(&sessions.form(r#"form[action="/account/sessions"]"#).with("end", "others")).await;
    assert_eq!(ended.status, 200);
    assert_eq!(thief.open("/account/sessions").await.name(), "sign-in");
    let asked = alice.open("/end-session").await;
    alice.send(&asked.form(r#"form[action="/sign-out"]"#)).await;
    assert_eq!(alice.open("/account").await.name(), "sign-in", "signing out is never refused");
}

#[tokio::test]
async fn a_stranger_who_names_an_account_uses_up_nothing_of_it() {
    let server = server(|config| {
        three_pages(config);
        config.limits.authorization.per_account = Some(two());
        config.limits.token.per_account = Some(two());
    })
    .await;
    for _ in 0..5 {
        let stranger = Person::new(&server);
        let page = stranger.open(App::new(&server, "wiki").authorize_url("openid", &[("login_hint", ALICE)])).await;
        assert_eq!(stranger.sign_in_on(&page, ALICE, "a guess of a stranger").await.status, 422);
        let claimed = format!("grantor_session=gtr_se_{}; login_hint=alice", "0BxVq7aY2Lk.c2VjcmV0");
        assert_eq!(wire::get(&server.at("/account"), &[claimed]).await.status, 303);
        let form = [("content-type", "application/x-www-form-urlencoded"), ("authorization", &*basic("wiki", SECRET))];
        let body = "grant_type=password&username=alice&password=x&login_hint=alice";
        assert_eq!(wire::send("POST", &server.at("/token"), &form, body).await.status, 400);
    }
    let alice = alice(&server).await;
    assert_eq!(alice.open("/account").await.status, 200);
    assert!(App::new(&server, "portal").approved_by(&alice, "openid").await.has("code"));
}

#[tokio::test]
async fn an_app_that_sends_a_browser_around_in_circles_keeps_it_out_of_no_other_app() {
    let server = server(|config| config.limits.authorization.per_account = Some(two())).await;
    let (wiki, portal, alice) = (App::new(&server, "wiki"), App::new(&server, "portal"), alice(&server).await);
    for _ in 0..2 {
        assert!(portal.approved_by(&alice, "openid").await.has("code"));
    }
    let page = portal.asks(&alice, "openid", &[]).await;
    assert_eq!((page.brief().as_str(), page.name().as_str()), ("429", "too-many"));
    assert_eq!(limit(&page), met("authorization-per-account").each_ref().map(String::as_str));
    assert_eq!(wiki.asks(&alice, "openid", &[]).await.name(), "consent");
    assert!(portal.approved_with(&bob(&server).await, "openid", &[]).await.has("code"), "nor another person");
    for _ in 0..5 {
        assert_eq!(portal.asks(&Person::new(&server), "openid", &[]).await.name(), "sign-in", "nobody is known yet");
    }
    server.clock.advance(Duration::from_secs(30));
    assert!(portal.approved_by(&alice, "openid").await.has("code"));
}

// Cookies go along with what a page of a neighbour host loads.
#[tokio::test]
async fn a_neighbour_that_loads_our_pages_as_pictures_keeps_nobody_from_them() {
    let server = server(|config| {
        three_pages(config);
        config.limits.authorization.per_account = Some(two());
    })
    .await;
    let (alice, portal) = (alice(&server).await, App::new(&server, "portal"));
    server.clock.advance(Duration::from_mins(1));
    let request = portal.authorize_url("openid", &[]);
    let mut refused = 0;
    for path in ["/account", request.as_str()].repeat(5) {
        let picture = [("sec-fetch-site", "same-site"), ("sec-fetch-dest", "image"), ("sec-fetch-mode", "no-cors")];
        refused += u32::from(alice.get_with(path, &picture).await.status == 429);
    }
    assert_eq!(refused, 2 + 3);
    let link = [("sec-fetch-site", "same-site"), ("sec-fetch-dest", "document"), ("sec-fetch-mode", "navigate")];
    assert_eq!(alice.get_with("/account", &link).await.status, 200);
    assert_eq!(alice.open("/account").await.status, 200);
    assert!(portal.approved_by(&alice, "openid").await.has("code"));
}

/// A server that believes the proxies of this machine, where three questions about an account at an app are answered at once.
async fn guarded() -> Server {
    let server = Server::start_with(|config| {
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        config.limits.forward_auth.per_account = Some("3/m".parse().unwrap());
    })
    .await;
    server.apply(APPS).await;
    server
}

#[tokio::test]
async fn a_browser_that_asks_an_app_behind_a_proxy_too_often_waits_at_this_app_alone() {
    let server = guarded().await;
    let alice = Visitor::new(&server);
    alice.enters(HANDBOOK, "/").await;
    for _ in 0..2 {
        assert_eq!(alice.asks(HANDBOOK, "/picture", &[]).await.status, 200);
    }
    let page = alice.opens(HANDBOOK, "/").await;
    assert_eq!((page.brief().as_str(), page.header("www-authenticate")), ("429 temporarily_unavailable", None));
    let told = ["20", "\"forward-auth-per-account\";r=0;t=20", "\"forward-auth-per-account\";q=3;w=60", "no-store"];
    assert_eq!((limit(&page), page.header("remote-user")), (told, None));
    assert_eq!(alice.asks(HANDBOOK, "/health", &[]).await.status, 200, "it needs no sign-in");
    assert_eq!(alice.enters(BOARD, "/").await.status, 200, "another app");
    let said = said(&server).await;
    assert_eq!(said, [(true, "forward-auth-per-account: 1 refused since the last such event".to_owned())]);
    server.clock.advance(Duration::from_secs(20));
    assert_eq!(alice.opens(HANDBOOK, "/").await.status, 200);
}

#[tokio::test]
async fn scripts_and_apps_that_ask_behind_a_proxy_are_counted_apart_from_the_browser() {
    let server = guarded().await;
    let (alice, browser) = (alice(&server).await, Visitor::new(&server));
    browser.enters(HANDBOOK, "/").await;
    let shows = async |token: &str| {
        let bearer = format!("Bearer {token}");
        Visitor::new(&server).asks(HANDBOOK, "/", &[("authorization", &bearer)]).await.status.as_u16()
    };
    let pats = [tokens::token(&alice, &["notes.read"]).await, tokens::token(&alice, &["notes.read"]).await];
    for (number, expected) in [200, 200, 200, 429, 429].into_iter().enumerate() {
        assert_eq!(shows(&pats[number % 2]).await, expected, "{number}");
    }
    let app = App::new(&server, "wiki").tokens("openid notes.read").await;
    for expected in [200, 200, 200, 429] {
        assert_eq!(shows(app.access()).await, expected);
    }
    assert_eq!(browser.asks(HANDBOOK, "/", &[]).await.status, 200);
    let service = App::new(&server, "service").client_credentials("notes.read").await.json();
    for _ in 0..5 {
        assert_eq!(shows(service["access_token"].as_str().unwrap()).await, 200, "for nobody");
    }
}

#[tokio::test]
async fn the_limits_that_are_shipped_let_a_person_with_many_tabs_through() {
    let server = Server::start_with(|config| config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]).await;
    server.apply(APPS).await;
    let alice = Visitor::new(&server);
    alice.enters(HANDBOOK, "/").await;
    for number in 0..1500 {
        assert_eq!(alice.asks(HANDBOOK, &format!("/assets/{number}"), &[]).await.status, 200);
    }
    for _ in 0..100 {
        assert_eq!(alice.person.open("/account").await.status, 200);
    }
}
