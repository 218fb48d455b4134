//! Sign-outs that are to hold others up, to reach what only this server reaches, or to frame what must not be framed.

use std::time::{Duration, Instant};

use grantor_core::change::Change;
use grantor_core::grant::{Grant, OidcContext};
use grantor_core::session::Session;
use grantor_core::store::Store;
use grantor_core::time::Time;
use grantor_core::user::User;
use grantor_jose::secret::Secret;

use crate::harness::app::App;
use crate::harness::person::Person;
use crate::harness::receiver::Receiver;
use crate::harness::seeds::ALICE;
use crate::harness::server::Server;
use crate::oidc::logout::{address, confirm};

/// How many sessions end at once.
const SESSIONS: usize = 1000;

/// An app, told at an address.
fn told(app: &str, uri: &str) -> String {
    format!(
        "[[clients]]\nclient_id = \"{app}\"\nclient_name = \"{app}\"\nredirect_uris = [\"https://{app}.example/cb\"]\n\
         scope = \"openid\"\nid_token_signed_response_alg = \"ES256\"\nbackchannel_logout_uri = \"{uri}\"\n\n"
    )
}

/// Keeps sessions of a person, each with a grant for each of the apps.
async fn keep_sessions(server: &Server, user: &User, apps: &[&str]) {
    let (mint, now) = (&server.app.provider.mint, server.clock.read());
    for _ in 0..SESSIONS / 20 {
        let mut changes = Vec::new();
        for _ in 0..20 {
            let session = session(mint.id(now.millis()), user, now);
            for app in apps {
                changes.push(Change::GrantInsert(Box::new(grant(mint.id(now.millis()), app, &session))));
            }
            changes.insert(0, Change::SessionInsert(Box::new(session)));
        }
        server.database.commit(changes).await.unwrap();
    }
}

/// A session that began now.
pub fn session(id: grantor_jose::id::Id, user: &User, now: Time) -> Session {
    Session {
        id,
        secret: Secret::from_bytes([7; 32]).hash(),
        user_id: user.id,
        auth_time: now,
        last_seen_at: now,
        acr: String::new(),
        amr: Vec::new(),
        address: String::new(),
        user_agent: String::new(),
        ended_at: None,
    }
}

fn grant(id: grantor_jose::id::Id, app: &str, session: &Session) -> Grant {
    Grant {
        id,
        client_id: app.to_owned(),
        user_id: session.user_id,
        session_id: session.id,
        scope: "openid".parse().unwrap(),
        context: OidcContext { sid: Some(session.id), ..OidcContext::default() },
        created_at: session.auth_time,
        ended: None,
    }
}

/// LO-06: neither the person nor another app waits for an app that says nothing, and nobody is asked who must not be.
#[tokio::test]
async fn a_thousand_sessions_end_at_once_and_an_app_that_says_nothing_holds_nobody_up() {
    let (fast, silent) = (Receiver::start(), Receiver::start());
    silent.answer(&[0; SESSIONS]);
    let trusted = fast.trusted_with(&silent);
    let server = Server::start_with(trusted).await;
    server.clock.advance(Duration::from_secs(1));
    let inside = "https://127.0.0.1:9/logout";
    let apps = [told("fast", &fast.url), told("silent", &silent.url), told("inside", inside)].concat();
    server.apply(&apps).await;
    let person = Person::new(&server);
    person.sign_in().await;
    let user = server.database.user_find_by_username(ALICE).await.unwrap().unwrap();
    keep_sessions(&server, &user, &["fast", "silent", "inside"]).await;
    let sessions = person.open("/account").await;
    assert_eq!(sessions.name(), "account");
    let form = person.open("/account/sessions").await.form("form:has(#sign-out-everywhere)").with("end", "everywhere");
    let begun = Instant::now();
    assert_eq!(person.post(&form).await.name(), "signed-out");
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(5), "the sign-out took {took:?}");
    let begun = Instant::now();
    while fast.messages().len() < SESSIONS {
        assert!(begun.elapsed() < Duration::from_mins(2), "{} were told", fast.messages().len());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(Person::new(&server).sign_in().await.name(), "account", "the server answers meanwhile");
    assert!(silent.messages().len() <= 100, "few at once: {}", silent.messages().len());
    let of_inside = server.database.logout_notices(Some("inside"), true, 10).await.unwrap();
    assert!(of_inside.iter().any(|notice| notice.error.contains("outbound.allow_hosts")), "{of_inside:?}");
}

/// LO-07: whatever an app has registered, the page frames its addresses and nothing else.
#[tokio::test]
async fn no_address_of_an_app_widens_what_the_page_may_frame() {
    let server = Server::start().await;
    let hostile = [
        "https://wiki.example/a;script-src,b'unsafe-inline';frame-src",
        r#"https://wiki.example/\"onload=\"alert(1)"#,
        "https://wiki.example/<script>alert(1)</script>",
        "https://wiki.example/x?y=';script-src='",
    ];
    for uri in hostile {
        server.clock.advance(Duration::from_secs(1));
        let text = told("wiki", "https://wiki.example/logout");
        server.apply(&format!("{text}frontchannel_logout_uri = \"{uri}\"\n")).await;
        let person = Person::new(&server);
        App::new(&server, "wiki").tokens_with(&person, "openid", &[]).await;
        let page = confirm(&person, &person.get(address(&server, &[])).await).await;
        let policy = page.header("content-security-policy").unwrap();
        let names: Vec<&str> = policy.split(';').map(|part| part.trim().split(' ').next().unwrap()).collect();
        let known = ["default-src", "style-src", "img-src", "frame-src", "form-action", "frame-ancestors", "base-uri"];
        assert_eq!(names, known, "{policy}");
        let sources = policy.split("; ").find_map(|part| part.strip_prefix("frame-src ")).unwrap();
        assert!(sources.starts_with("https://wiki.example/") && !sources.contains([' ', ',', '\'']), "{sources}");
        assert!(!page.has("iframe[onload]") && !page.has("script"), "{}", page.body);
        assert_eq!(page.attributes("iframe", "src").len(), 1);
    }
}
