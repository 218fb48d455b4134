//! Back-Channel Logout, sentence by sentence: who is told that a session has ended, what is said, and what becomes of it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::backchannel_logout::{LogoutNotice, Outcome, Standing};
use grantor_jose::hash::sha256;
use grantor_jose::key::Typ;
use grantor_server::config::Config;
use serde_json::{Value, json};
use url::Url;

use super::keys::is_signed;
use super::logout::{address, confirm};
use crate::crash::child::{Child, free_port};
use crate::crash::on_each_database;
use crate::harness::app::{Answer, App, Tokens, VERIFIER};
use crate::harness::command;
use crate::harness::person::Person;
use crate::harness::receiver::{Message, Receiver};
use crate::harness::seeds::SECRET;
use crate::harness::server::{Kind, Place, Server};

/// The declarations of the wiki and the chat, each told at `uri` where there is one.
pub(super) fn declared(wiki: Option<&str>, chat: Option<&str>) -> String {
    let mut text = String::new();
    let apps = [("wiki", "ES256", wiki), ("chat", "RS256", chat)];
    for (app, algorithm, uri) in apps {
        let told = uri.map(|uri| format!("backchannel_logout_uri = \"{uri}\"\n")).unwrap_or_default();
        let method = if app == "chat" { "token_endpoint_auth_method = \"client_secret_post\"\n" } else { "" };
        write!(
            text,
            "[[clients]]\nclient_id = \"{app}\"\nclient_name = \"The {app}\"\n{method}{told}\
             redirect_uris = [\"https://{app}.example/cb\"]\npost_logout_redirect_uris = [\"https://{app}.example/out\"]\n\
             grant_types = [\"authorization_code\", \"refresh_token\"]\nscope = \"openid profile offline_access\"\n\
             id_token_signed_response_alg = \"{algorithm}\"\n\n"
        )
        .unwrap();
    }
    text
}

/// A server that trusts the receiver, with a wiki that is told there.
async fn told(receiver: &Receiver) -> Server {
    let server = Server::start_with(receiver.trusted()).await;
    server.clock.advance(Duration::from_secs(1));
    server.apply(&declared(Some(&receiver.url), None)).await;
    server
}

/// A person with tokens of the wiki.
async fn alice(server: &Server) -> (Person, Tokens) {
    let person = Person::new(server);
    let tokens = App::new(server, "wiki").tokens_with(&person, "openid", &[]).await;
    (person, tokens)
}

async fn sign_out(server: &Server, person: &Person) {
    assert_eq!(confirm(person, &person.get(address(server, &[])).await).await.name(), "signed-out");
}

/// The claims of a JWT, unchecked.
fn claims(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

fn header(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap()).unwrap()
}

/// The logout token of a message.
fn logout_token(message: &Message) -> String {
    assert_eq!(message.headers["content-type"], "application/x-www-form-urlencoded");
    let pairs: Vec<_> = url::form_urlencoded::parse(message.body.as_bytes()).into_owned().collect();
    let [(name, token)] = &pairs[..] else { panic!("{pairs:?}") };
    assert_eq!(name, "logout_token");
    token.clone()
}

/// All receipts.
async fn receipts(server: &Server) -> Vec<LogoutNotice> {
    server.database.logout_notices(None, true, 10_000).await.unwrap()
}

/// Waits until something is so of the receipts.
async fn until(server: &Server, is_so: impl Fn(&[LogoutNotice]) -> bool) -> Vec<LogoutNotice> {
    let waiting = async {
        loop {
            let all = receipts(server).await;
            if is_so(&all) {
                return all;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let found = tokio::time::timeout(Duration::from_secs(60), waiting).await;
    match found {
        Ok(all) => all,
        Err(_) => panic!("{:?}", receipts(server).await),
    }
}

fn outcome(notice: &LogoutNotice) -> Option<Outcome> {
    match notice.standing {
        Standing::Over(_, outcome) => Some(outcome),
        Standing::Waiting(_) => None,
    }
}

fn all_over(notices: &[LogoutNotice]) -> bool {
    !notices.is_empty() && notices.iter().all(|notice| outcome(notice).is_some())
}

// "A Logout Token MUST be signed and MAY also be encrypted. The same keys are used to sign and encrypt Logout Tokens as are used for
// ID Tokens." (OIDC Back-Channel Logout §2.4)
#[tokio::test]
async fn an_app_of_the_session_is_told_by_a_token_as_the_specification_has_it() {
    let receiver = Receiver::start();
    let server = told(&receiver).await;
    let (person, tokens) = alice(&server).await;
    sign_out(&server, &person).await;
    let token = logout_token(&receiver.wait_for(1).await[0]);
    let (said, known, header) = (claims(&token), claims(tokens.id()), header(&token));
    assert_eq!((&header["typ"], &header["alg"]), (&json!("logout+jwt"), &json!("ES256")));
    assert_eq!(header["kid"], self::header(tokens.id())["kid"]);
    for name in ["iss", "sub", "sid"] {
        assert_eq!(said[name], known[name], "{name}");
    }
    assert_eq!(said["aud"], "wiki");
    assert_eq!(said["events"], json!({"http://schemas.openid.net/event/backchannel-logout": {}}));
    let now = server.clock.read().seconds();
    assert_eq!((said["iat"].as_i64().unwrap(), said["exp"].as_i64().unwrap()), (now, now + 120));
    assert!(!said["jti"].as_str().unwrap().is_empty());
    let names: BTreeSet<&str> = said.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, BTreeSet::from(["aud", "events", "exp", "iat", "iss", "jti", "sid", "sub"]), "no nonce");
    assert!(is_signed(&server, &token, Typ::LogoutJwt).await);
    assert!(!is_signed(&server, &token, Typ::Jwt).await, "nobody takes it for an ID token");
}

// "OPs supporting back-channel logout need to keep track of the set of logged-in RPs so that they know what RPs to contact at
// their back-channel logout URIs to cause them to log out." (OIDC Back-Channel Logout §2.3)
#[tokio::test]
async fn apps_that_took_no_part_in_the_session_are_not_told() {
    let (wiki, chat) = (Receiver::start(), Receiver::start());
    let server = Server::start_with(wiki.trusted()).await;
    server.clock.advance(Duration::from_secs(1));
    server.apply(&declared(Some(&wiki.url), Some(&chat.url))).await;
    let (person, _) = alice(&server).await;
    let (other, _) = alice(&server).await;
    App::new(&server, "portal").tokens_with(&person, "openid", &[]).await;
    sign_out(&server, &person).await;
    until(&server, all_over).await;
    assert_eq!((wiki.messages().len(), chat.messages().len()), (1, 0));
    assert_eq!(other.open("/account").await.name(), "account");
}

#[tokio::test]
async fn a_session_that_goes_on_after_a_second_sign_in_is_told_once_by_the_name_that_the_app_knows() {
    let receiver = Receiver::start();
    let server = told(&receiver).await;
    let (person, tokens) = alice(&server).await;
    let sid = claims(tokens.id())["sid"].clone();
    server.clock.advance(Duration::from_secs(5));
    App::new(&server, "portal").tokens_with(&person, "openid", &[("prompt", "login")]).await;
    assert!(receipts(&server).await.is_empty());
    let again = Tokens(App::new(&server, "wiki").refresh(tokens.refresh()).await.json());
    assert_eq!(claims(again.id())["sid"], sid, "the app knows the session by one name");
    sign_out(&server, &person).await;
    until(&server, all_over).await;
    let said: Vec<Value> = receiver.messages().iter().map(|message| claims(&logout_token(message))).collect();
    assert_eq!(said.iter().map(|said| &said["sid"]).collect::<Vec<_>>(), [&sid]);
}

/// Whoever ends sessions, and wherever, each of them is told.
#[tokio::test]
async fn every_way_in_which_a_session_ends_is_told() {
    let receiver = Receiver::start();
    let server = told(&receiver).await;
    let mut told = 0;
    let mut is_told = async |how: &str, sessions: usize| {
        told += sessions;
        let all = until(&server, |all| all.len() == told && all_over(all)).await;
        assert!(all.iter().all(|notice| outcome(notice) == Some(Outcome::Delivered)), "{how}: {all:?}");
        assert_eq!(receiver.messages().len(), told, "{how}");
        server.clock.advance(Duration::from_secs(1));
    };
    let (person, _) = alice(&server).await;
    sign_out(&server, &person).await;
    is_told("the page of signing out", 1).await;
    let (person, tokens) = alice(&server).await;
    person.get(address(&server, &[("id_token_hint", tokens.id())])).await;
    is_told("an app that asks for it", 1).await;
    let (person, (other, _), (third, _)) = (alice(&server).await.0, alice(&server).await, alice(&server).await);
    let sessions = person.open("/account/sessions").await;
    let id = sessions.attribute(r#"ul.rows button[name="end"]"#, "value").unwrap();
    person.post(&sessions.form("ul.rows form").with("end", &id)).await;
    is_told("one session of the list", 1).await;
    let sessions = person.open("/account/sessions").await;
    person.post(&sessions.form("ul.rows form").with("end", "others")).await;
    is_told("all others", 1).await;
    for browser in [&other, &third] {
        assert_eq!(browser.open("/account").await.name(), "sign-in");
    }
    let (_elsewhere, _) = alice(&server).await;
    let sessions = person.open("/account/sessions").await;
    let everywhere = sessions.form("form:has(#sign-out-everywhere)").with("end", "everywhere");
    assert_eq!(person.post(&everywhere).await.name(), "signed-out");
    let sessions = person.open("/account/sessions").await;
    assert_eq!(sessions.name(), "sign-in", "this one has ended, too");
    is_told("everywhere", 2).await;
    let (_person, _) = alice(&server).await;
    server.apply("[[users]]\nusername = \"alice\"\nname = \"Alice Liddell\"\ndisabled = true\n").await;
    is_told("a person who is switched off", 1).await;
    server.clock.advance(Duration::from_secs(1));
    server.apply("[[users]]\nusername = \"alice\"\nname = \"Alice Liddell\"\ndisabled = false\n").await;
    let (_person, _) = alice(&server).await;
    command::user(server.config(), &["remove", "alice"]).await.unwrap();
    is_told("a person who is removed", 1).await;
}

// "If the logout request was invalid or the logout failed, the RP MUST respond with HTTP 400 Bad Request."
// (OIDC Back-Channel Logout §2.8)
#[tokio::test]
async fn an_app_that_refuses_is_not_asked_again_and_what_it_said_is_kept() {
    let receiver = Receiver::start();
    receiver.answer(&[400]);
    let server = told(&receiver).await;
    let (person, _) = alice(&server).await;
    sign_out(&server, &person).await;
    let notice = until(&server, all_over).await.remove(0);
    assert_eq!((outcome(&notice), notice.attempts), (Some(Outcome::Refused), 1));
    assert!(notice.error.starts_with("invalid_request: "), "{}", notice.error);
    let event = server.events().await.into_iter().find(|event| event.kind.as_str() == "logout_failed").unwrap();
    assert_eq!((event.reason.as_deref(), event.client_id.as_deref()), (Some("refused"), Some("wiki")));
    server.clock.advance(Duration::from_hours(10));
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(receiver.messages().len(), 1);
}

// "In this case, the OP SHOULD delay retransmission for an appropriate amount of time to avoid overwhelming the RP."
// (OIDC Back-Channel Logout §2.5)
#[tokio::test]
async fn an_app_that_fails_is_told_again_later_with_a_token_of_its_own() {
    let receiver = Receiver::start();
    receiver.answer(&[503, 500]);
    let server = told(&receiver).await;
    let (person, _) = alice(&server).await;
    sign_out(&server, &person).await;
    for attempts in 1..=2 {
        until(&server, |all| all.iter().any(|notice| notice.attempts == attempts)).await;
        server.clock.advance(Duration::from_secs(15));
    }
    let notice = until(&server, all_over).await.remove(0);
    assert_eq!((outcome(&notice), notice.attempts, notice.error.as_str()), (Some(Outcome::Delivered), 3, ""));
    let ids: BTreeSet<String> =
        receiver.messages().iter().map(|message| claims(&logout_token(message))["jti"].to_string()).collect();
    assert_eq!(ids.len(), 3, "an app that has seen one would refuse it");
    assert!(server.events().await.iter().any(|event| event.kind.as_str() == "logout_delivered"));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let receiver = Receiver::start();
    receiver.answer(&[302]);
    let server = told(&receiver).await;
    let (person, _) = alice(&server).await;
    sign_out(&server, &person).await;
    let notice = until(&server, all_over).await.remove(0);
    assert_eq!((outcome(&notice), notice.error.as_str()), (Some(Outcome::Refused), "it answered 302 Found"));
}

#[tokio::test]
async fn an_app_that_never_answers_is_given_up_in_the_end_and_can_be_told_again() {
    let receiver = Receiver::start();
    receiver.answer(&[503; 100]);
    let server = told(&receiver).await;
    let (person, _) = alice(&server).await;
    sign_out(&server, &person).await;
    until(&server, |all| all.iter().any(|notice| notice.attempts == 1)).await;
    server.clock.advance(Duration::from_hours(80));
    let notice = until(&server, all_over).await.remove(0);
    assert_eq!(
        (outcome(&notice), notice.error.as_str()),
        (Some(Outcome::GivenUp), "it answered 503 Service Unavailable")
    );
    let list = command::logout(server.config(), &["list"]).await.unwrap();
    assert!(list.contains("given_up") && list.contains("503") && list.contains("wiki"), "{list}");
    receiver.answer(&[]);
    server.clock.catch_up();
    let said = command::logout(server.config(), &["replay", "--client", "chat"]).await.unwrap();
    assert!(said.starts_with("0 notices"), "{said}");
    let said = command::logout(server.config(), &["replay"]).await.unwrap();
    assert!(said.starts_with("1 notice is queued"), "{said}");
    until(&server, all_over).await;
    let list = command::logout(server.config(), &["list", "--all", "--json"]).await.unwrap();
    let list: Value = serde_json::from_str(&list).unwrap();
    assert_eq!((&list[0]["standing"], &list[0]["username"]), (&json!("delivered"), &json!("alice")));
}

#[tokio::test]
async fn a_person_sees_which_apps_were_told() {
    let receiver = Receiver::start();
    receiver.answer(&[400]);
    let server = told(&receiver).await;
    let (person, _) = alice(&server).await;
    sign_out(&server, &person).await;
    until(&server, all_over).await;
    let (again, _) = alice(&server).await;
    let page = again.open("/account/sessions").await;
    assert!(page.text().contains("The wiki") && page.text().contains("Could not be told"), "{}", page.text());
    sign_out(&server, &again).await;
    until(&server, |all| all.len() == 2 && all_over(all)).await;
    let page = Person::new(&server).sign_in().await;
    assert!(!page.text().contains("Could not be told"), "it stands with the sessions");
}

#[tokio::test]
async fn receipts_are_kept_for_a_month() {
    let receiver = Receiver::start();
    let server = told(&receiver).await;
    let (person, _) = alice(&server).await;
    sign_out(&server, &person).await;
    until(&server, all_over).await;
    let lifetimes = &server.app.provider.policy.lifetimes;
    let day = Duration::from_hours(24);
    server.database.sweep(server.clock.read().plus(29 * day), lifetimes).await.unwrap();
    assert_eq!(receipts(&server).await.len(), 1);
    server.database.sweep(server.clock.read().plus(31 * day), lifetimes).await.unwrap();
    assert!(receipts(&server).await.is_empty());
}

// "The back-channel logout URI MUST NOT include a fragment component." (OIDC Back-Channel Logout §2.2)
#[tokio::test]
async fn an_address_that_cannot_be_told_is_not_registered() {
    let server = Server::start().await;
    server.clock.advance(Duration::from_secs(1));
    for uri in ["http://wiki.example/x", "https://wiki.example/x#y", "https://u@wiki.example/", "wiki", "ftp://x/", ""]
    {
        let refused = server.try_apply(&declared(Some(uri), None)).await;
        assert!(refused.is_err_and(|why| why.contains("backchannel_logout_uri")), "{uri}");
    }
    server.apply(&declared(Some("https://wiki.example/logout?tenant=1"), None)).await;
}

#[tokio::test]
async fn the_metadata_say_that_apps_are_told() {
    let server = Server::start().await;
    let metadata = Person::new(&server).get("/.well-known/openid-configuration").await.json();
    for name in ["backchannel_logout_supported", "backchannel_logout_session_supported"] {
        assert_eq!(metadata[name], true, "{name}");
    }
}

#[tokio::test]
async fn the_query_of_a_registered_address_stays() {
    let receiver = Receiver::start();
    let server = Server::start_with(receiver.trusted()).await;
    server.clock.advance(Duration::from_secs(1));
    let uri = Url::parse_with_params(&receiver.url, [("tenant", "1")]).unwrap();
    server.apply(&declared(Some(uri.as_str()), None)).await;
    let (person, _) = alice(&server).await;
    sign_out(&server, &person).await;
    assert_eq!(receiver.wait_for(1).await[0].query, "tenant=1");
}

#[tokio::test]
async fn two_nodes_tell_an_app_once() {
    let receiver = Receiver::start();
    let first = told(&receiver).await;
    let (trusted, issuer) = (receiver.trusted(), first.url.clone());
    let second = first.another_node_with(|config| {
        trusted(config);
        config.issuer = issuer;
    });
    let second = second.await;
    for _ in 0..5 {
        sign_out(&first, &alice(&first).await.0).await;
    }
    until(&second, |all| all.len() == 5 && all_over(all)).await;
    assert_eq!(receiver.messages().len(), 5);
}

/// The wiki gets its tokens from a server of which only the issuer is known.
async fn sign_in_at_the_wiki(issuer: &str, person: &Person) {
    let challenge = URL_SAFE_NO_PAD.encode(sha256(VERIFIER.as_bytes()));
    let redirect_uri = "https://wiki.example/cb";
    let asked = [
        ("client_id", "wiki"),
        ("response_type", "code"),
        ("redirect_uri", redirect_uri),
        ("scope", "openid"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let page = person.open(Url::parse_with_params(&format!("{issuer}/authorize"), asked).unwrap()).await;
    let code = Answer::of(&person.approve(page).await).param("code");
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", redirect_uri),
        ("code_verifier", VERIFIER),
    ];
    let request = reqwest::Client::new().post(format!("{issuer}/token")).basic_auth("wiki", Some(SECRET)).form(&form);
    assert_eq!(request.send().await.unwrap().status(), 200);
}

/// What was acknowledged is told, also where the server is ended as by a power failure before it told anybody.
async fn a_sign_out_that_was_acknowledged_is_told_after_a_kill(kind: Kind) {
    let (place, port) = (Place::seeded(kind), free_port());
    let receiver = Receiver::start();
    receiver.answer(&[503; 3]);
    let mut config: Config = place.config(port);
    receiver.trusted()(&mut config);
    command::apply(&config, &declared(Some(&receiver.url), None)).await;
    let (child, _) = Child::start_behind(&config, &place, port).await;
    let person = Person::at(&config.issuer, "en");
    sign_in_at_the_wiki(&config.issuer, &person).await;
    let page = person.get("/end-session").await;
    assert_eq!(confirm(&person, &page).await.name(), "signed-out");
    child.kill();
    receiver.answer(&[]);
    let before = receiver.messages().len();
    let (_child, _) = Child::start_behind(&config, &place, port).await;
    let message = receiver.wait_for(before + 1).await.remove(before);
    assert_eq!(claims(&logout_token(&message))["iss"], json!(config.issuer));
}

on_each_database! { a_sign_out_that_was_acknowledged_is_told_after_a_kill }
