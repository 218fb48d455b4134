//! Front-Channel Logout, sentence by sentence: what the page of signing out frames, and how it goes on.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;

use super::logout::{address, confirm};
use crate::harness::app::{App, Tokens, claims};
use crate::harness::browser::Browser;
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD};
use crate::harness::server::Server;
use crate::harness::site::Site;
use crate::pages::looks::look;

/// An app with something that is framed, and what else is registered of it.
struct Framed<'a> {
    app: &'a str,
    origin: &'a str,
    path: &'a str,
    is_named: bool,
}

fn declared(apps: &[Framed<'_>]) -> String {
    let mut text = String::new();
    for Framed { app, origin, path, is_named } in apps {
        let method = if *app == "chat" { "token_endpoint_auth_method = \"client_secret_post\"\n" } else { "" };
        write!(
            text,
            "[[clients]]\nclient_id = \"{app}\"\nclient_name = \"The {app}\"\n{method}\
             redirect_uris = [\"{origin}/cb\"]\npost_logout_redirect_uris = [\"{origin}/out\"]\n\
             grant_types = [\"authorization_code\", \"refresh_token\"]\nscope = \"openid profile offline_access\"\n\
             id_token_signed_response_alg = \"ES256\"\nfrontchannel_logout_uri = \"{origin}{path}\"\n\
             frontchannel_logout_session_required = {is_named}\n\n"
        )
        .unwrap();
    }
    text
}

const WIKI: Framed<'_> =
    Framed { app: "wiki", origin: "https://wiki.example", path: "/frame?tenant=a%20b", is_named: true };
const CHAT: Framed<'_> = Framed { app: "chat", origin: "https://chat.example", path: "/frame", is_named: false };

async fn framed() -> Server {
    let server = Server::start().await;
    server.clock.advance(Duration::from_secs(1));
    server.apply(&declared(&[WIKI, CHAT])).await;
    server
}

async fn tokens(server: &Server, app: &str, person: &Person) -> Tokens {
    App::new(server, app).tokens_with(person, "openid", &[]).await
}

fn frames(page: &Page) -> Vec<String> {
    page.attributes("iframe", "src")
}

fn policy(page: &Page, directive: &str) -> Option<String> {
    let policy = page.header("content-security-policy").unwrap().to_owned();
    let found = policy.split("; ").find_map(|part| part.strip_prefix(directive).map(str::trim));
    found.map(str::to_owned)
}

// "The OP MAY add these query parameters when rendering the logout URI, and if either is included, both MUST be"
// (OIDC Front-Channel Logout §2)
// "The logout URI MAY include an "application/x-www-form-urlencoded" formatted query component, per Section 3.4 of
// [RFC3986], which MUST be retained when adding additional query parameters." (OIDC Front-Channel Logout §2)
// "An "iss" (issuer) query parameter and a "sid" (session ID) query parameter MAY be included by the OP to enable the RP to
// validate the request and to determine which of the potentially multiple sessions is to be logged out; if either is
// included, both MUST be." (OIDC Front-Channel Logout §2)
#[tokio::test]
async fn the_page_frames_each_app_of_the_session_and_nothing_else() {
    let server = framed().await;
    let person = Person::new(&server);
    let of_wiki = tokens(&server, "wiki", &person).await;
    let of_chat = tokens(&server, "chat", &person).await;
    tokens(&server, "portal", &person).await;
    let page = confirm(&person, &person.get(address(&server, &[])).await).await;
    let [sid, chats] = [&of_wiki, &of_chat].map(|of| claims(of.id())["sid"].as_str().unwrap().to_owned());
    let issuer: String = url::form_urlencoded::byte_serialize(server.url.as_bytes()).collect();
    let named = format!("https://wiki.example/frame?tenant=a%20b&iss={issuer}&sid={sid}");
    // Also where it is not registered: which of several sessions it is, an app must be able to know.
    let chats = format!("https://chat.example/frame?iss={issuer}&sid={chats}");
    assert_eq!(frames(&page), [chats, named]);
    assert_eq!(policy(&page, "frame-src").unwrap(), "https://chat.example/frame https://wiki.example/frame");
    assert_eq!(policy(&page, "frame-ancestors").as_deref(), Some("'none'"));
    assert_eq!(policy(&page, "default-src").as_deref(), Some("'none'"));
    assert_eq!(policy(&page, "script-src"), None, "it goes nowhere by itself");
    assert!(page.has("iframe[sandbox='allow-scripts allow-same-origin'][hidden]"));
}

#[tokio::test]
async fn an_app_of_another_session_is_not_framed() {
    let server = framed().await;
    let (person, other) = (Person::new(&server), Person::new(&server));
    tokens(&server, "wiki", &person).await;
    tokens(&server, "chat", &other).await;
    let page = confirm(&person, &person.get(address(&server, &[])).await).await;
    assert_eq!(policy(&page, "frame-src").as_deref(), Some("https://wiki.example/frame"));
    let page = confirm(&other, &other.get(address(&server, &[])).await).await;
    assert!(matches!(&frames(&page)[..], [only] if only.starts_with("https://chat.example/frame?iss=")));
}

#[tokio::test]
async fn without_such_apps_nothing_is_framed_and_nobody_waits() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let of_wiki = tokens(&server, "wiki", &person).await;
    let asked = [("id_token_hint", of_wiki.id()), ("post_logout_redirect_uri", "https://wiki.example/out")];
    assert_eq!(person.get(address(&server, &asked)).await.status, 303);
    tokens(&server, "wiki", &person).await;
    let page = confirm(&person, &person.get(address(&server, &[])).await).await;
    assert_eq!((frames(&page).len(), policy(&page, "frame-src")), (0, None));
}

// "The post-logout redirection is performed after the OP has finished notifying the RPs that logged in with the OP for that End-User
// that they are to log out the End-User." (OIDC RP-Initiated Logout §3)
#[tokio::test]
async fn the_way_back_is_on_the_page_when_there_are_frames() {
    let server = framed().await;
    let person = Person::new(&server);
    let of_wiki = tokens(&server, "wiki", &person).await;
    let out = "https://wiki.example/out";
    let asked =
        [("id_token_hint", of_wiki.id()), ("post_logout_redirect_uri", out), ("state", "s"), ("ui_locales", "de")];
    let page = person.get(address(&server, &asked)).await;
    assert_eq!((page.status.as_u16(), page.name().as_str()), (200, "signed-out"));
    assert_eq!(page.attribute("#back", "href"), Some(format!("{out}?state=s")));
    assert_eq!((page.attribute("html", "lang").as_deref(), frames(&page).len()), (Some("de"), 1));
    assert_eq!(policy(&page, "script-src").as_deref(), Some("'self'"));
    assert!(!page.has("meta[http-equiv]"), "nobody is hurried away while they read");
    assert_eq!(person.open("/account").await.name(), "sign-in");
}

#[tokio::test]
async fn signing_out_everywhere_frames_the_apps_of_this_browser() {
    let server = framed().await;
    let (person, other) = (Person::new(&server), Person::new(&server));
    tokens(&server, "wiki", &person).await;
    tokens(&server, "chat", &other).await;
    let sessions = person.open("/account/sessions").await;
    let form = sessions.form("form:has(#sign-out-everywhere)").with("end", "everywhere");
    let page = person.post(&form).await;
    assert_eq!(policy(&page, "frame-src").as_deref(), Some("https://wiki.example/frame"));
    assert_eq!(other.open("/account").await.name(), "sign-in");
}

#[tokio::test]
async fn the_session_is_framed_as_the_app_knows_it_after_a_second_sign_in() {
    let server = framed().await;
    let person = Person::new(&server);
    let first = tokens(&server, "wiki", &person).await;
    server.clock.advance(Duration::from_secs(5));
    App::new(&server, "portal").tokens_with(&person, "openid", &[("prompt", "login")]).await;
    let asked = [("id_token_hint", first.id())];
    let page = person.get(address(&server, &asked)).await;
    assert_eq!(page.name(), "signed-out", "the token belongs to a session that goes on: nobody is asked");
    let sid: Value = claims(first.id())["sid"].clone();
    assert!(frames(&page)[0].ends_with(&format!("sid={}", sid.as_str().unwrap())), "{:?}", frames(&page));
}

// "The domain, port, and scheme of this URL MUST be the same as that of a registered Redirection URI value."
// (OIDC Front-Channel Logout §2)
// "The logout URI MUST NOT include a fragment component." (OIDC Front-Channel Logout §2)
#[tokio::test]
async fn an_address_elsewhere_is_not_registered() {
    let server = Server::start().await;
    server.clock.advance(Duration::from_secs(1));
    for uri in
        ["https://evil.example/frame", "https://wiki.example:8443/frame", "https://wiki.example/#x", "javascript:x"]
    {
        let text = declared(&[WIKI]).replace("https://wiki.example/frame?tenant=a%20b", uri);
        let refused = server.try_apply(&text).await;
        assert!(refused.is_err_and(|why| why.contains("frontchannel_logout_uri")), "{uri}");
    }
}

// "It SHOULD also register this related metadata value:" (OIDC Front-Channel Logout §3)
#[tokio::test]
async fn the_metadata_say_that_apps_are_framed() {
    let server = Server::start().await;
    let metadata = Person::new(&server).get("/.well-known/openid-configuration").await.json();
    for name in ["frontchannel_logout_supported", "frontchannel_logout_session_supported"] {
        assert_eq!(metadata[name], true, "{name}");
    }
}

/// A hint that names somebody else makes the request suspect.
#[tokio::test]
async fn a_hint_about_somebody_else_only_makes_us_ask() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let of_wiki = tokens(&server, "wiki", &person).await;
    let asked = |hint| [("id_token_hint", of_wiki.id()), ("logout_hint", hint)];
    for hint in ["bob", "bob@example.com"] {
        assert_eq!(person.get(address(&server, &asked(hint))).await.name(), "end-session", "{hint}");
    }
    assert_eq!(person.get(address(&server, &asked("alice@example.com"))).await.name(), "signed-out");
}

/// A browser that is signed in to a wiki and a chat, each at a site of its own.
async fn signed_in(server: &Server, browser: &Browser, sites: &[Site; 2]) -> Tokens {
    server.clock.advance(Duration::from_secs(1));
    let app = |app, site: usize| Framed { app, origin: &sites[site].origin, path: "/frame", is_named: true };
    server.apply(&declared(&[app("wiki", 0), app("chat", 1)])).await;
    let [mut of_wiki, mut of_chat] = [None, None];
    for (name, site, tokens) in [("wiki", &sites[0], &mut of_wiki), ("chat", &sites[1], &mut of_chat)] {
        let app = App::new(server, name).at(&site.at("/cb"));
        browser.open(&app.authorize_url("openid profile", &[])).await;
        if browser.page().await == "sign-in" {
            browser.fill("username", ALICE).await;
            browser.fill("password", ALICE_PASSWORD).await;
            browser.click("sign-in").await;
            browser.arrives_at("consent").await;
        }
        browser.click("allow").await;
        let asked = site.wait_for("/cb").await;
        let (_, query) = asked.split_once('?').unwrap();
        let code =
            url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "code").unwrap().1.into_owned();
        *tokens = Some(Tokens(app.redeem(&code).await.json()));
    }
    of_chat.unwrap();
    of_wiki.unwrap()
}

#[tokio::test]
async fn a_browser_tells_two_apps_and_goes_on() {
    let Some(browser) = Browser::setup().start().await else { return };
    let (server, sites) = (Server::start().await, [Site::start(), Site::start()]);
    let of_wiki = signed_in(&server, &browser, &sites).await;
    let (hint, out) = (of_wiki.id().to_owned(), sites[0].at("/out"));
    browser.open(&address(&server, &[("id_token_hint", &hint), ("post_logout_redirect_uri", &out)])).await;
    browser.arrives_at("app").await;
    for site in &sites {
        let asked = site.wait_for("/frame").await;
        assert!(asked.contains("iss=http") && asked.contains("&sid="), "{asked}");
    }
    assert_eq!(sites[0].asked("/out").len(), 1);
}

#[tokio::test]
async fn without_scripts_both_apps_are_told_and_a_button_goes_on() {
    let Some(browser) = Browser::setup().without_scripts().start().await else { return };
    let (server, sites) = (Server::start().await, [Site::start(), Site::start()]);
    let of_wiki = signed_in(&server, &browser, &sites).await;
    let (hint, out) = (of_wiki.id().to_owned(), sites[0].at("/out"));
    browser.open(&address(&server, &[("id_token_hint", &hint), ("post_logout_redirect_uri", &out)])).await;
    browser.arrives_at("signed-out").await;
    for site in &sites {
        site.wait_for("/frame").await;
    }
    assert!(sites[0].asked("/out").is_empty());
    browser.click("back").await;
    browser.arrives_at("app").await;
}

#[tokio::test]
async fn the_page_with_frames_shuts_nobody_out() {
    let Some(browser) = Browser::setup().start().await else { return };
    let (server, sites) = (Server::start().await, [Site::start(), Site::start()]);
    let of_wiki = signed_in(&server, &browser, &sites).await;
    browser.block("*go-on.js*").await;
    let (hint, out) = (of_wiki.id().to_owned(), sites[0].at("/out"));
    browser.open(&address(&server, &[("id_token_hint", &hint), ("post_logout_redirect_uri", &out)])).await;
    look(&browser, "signed-out", "signed-out-frames").await;
}
