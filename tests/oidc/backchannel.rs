//! Back-Channel Logout, sentence by sentence: who is told that a session has ended, and what is said.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use grantor_core::backchannel_logout::{LogoutNotice, Outcome, Standing};
use grantor_jose::key::Typ;
use serde_json::{Value, json};

use super::keys::is_signed;
use super::logout::{address, confirm};
use crate::harness::app::{App, Tokens, claims, header};
use crate::harness::command;
use crate::harness::person::Person;
use crate::harness::receiver::{Message, Receiver};
use crate::harness::server::Server;

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
pub(super) async fn told(receiver: &Receiver) -> Server {
    let server = Server::start_with(receiver.trusted()).await;
    server.clock.advance(Duration::from_secs(1));
    server.apply(&declared(Some(&receiver.url), None)).await;
    server
}

/// A person with tokens of the wiki.
pub(super) async fn alice(server: &Server) -> (Person, Tokens) {
    let person = Person::new(server);
    let tokens = App::new(server, "wiki").tokens_with(&person, "openid", &[]).await;
    (person, tokens)
}

pub(super) async fn sign_out(server: &Server, person: &Person) {
    assert_eq!(confirm(person, &person.get(address(server, &[])).await).await.name(), "signed-out");
}

/// The logout token of a message.
pub(super) fn logout_token(message: &Message) -> String {
    assert_eq!(message.headers["content-type"], "application/x-www-form-urlencoded");
    let pairs: Vec<_> = url::form_urlencoded::parse(message.body.as_bytes()).into_owned().collect();
    let [(name, token)] = &pairs[..] else { panic!("{pairs:?}") };
    assert_eq!(name, "logout_token");
    token.clone()
}

/// All receipts.
pub(super) async fn receipts(server: &Server) -> Vec<LogoutNotice> {
    server.database.logout_notices(None, true, 10_000).await.unwrap()
}

/// Waits until something is so of the receipts.
pub(super) async fn until(server: &Server, is_so: impl Fn(&[LogoutNotice]) -> bool) -> Vec<LogoutNotice> {
    let waiting = async {
        loop {
            let all = receipts(server).await;
            if is_so(&all) {
                return all;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let found = tokio::time::timeout(Duration::from_mins(1), waiting).await;
    let Ok(all) = found else { panic!("{:?}", receipts(server).await) };
    all
}

pub(super) fn outcome(notice: &LogoutNotice) -> Option<Outcome> {
    match notice.standing {
        Standing::Over(_, outcome) => Some(outcome),
        Standing::Waiting(_) => None,
    }
}

pub(super) fn all_over(notices: &[LogoutNotice]) -> bool {
    !notices.is_empty() && notices.iter().all(|notice| outcome(notice).is_some())
}

// "A Logout Token MUST be signed and MAY also be encrypted. The same keys are used to sign and encrypt Logout Tokens as are used for
// ID Tokens." (OIDC Back-Channel Logout §2.4)
// "iss REQUIRED." (OIDC Back-Channel Logout §2.4)
// "aud REQUIRED. ... iat REQUIRED. ... exp REQUIRED. ... jti REQUIRED. ... events REQUIRED. ... The corresponding member
// value MUST be a JSON object and SHOULD be the empty JSON object "{}". ... A Logout Token MUST contain either a "sub" or a
// "sid" Claim, and MAY contain both. ... A "nonce" Claim MUST NOT be present. ... It is RECOMMENDED that Logout Tokens be
// explicitly typed." (OIDC Back-Channel Logout §2.4)
// "Like ID Tokens, selection of the algorithm used is governed by the "id_token_signing_alg_values_supported" Discovery
// parameter and the "id_token_signed_response_alg" Registration parameter when they are used; otherwise, the value SHOULD be
// the default of "RS256"." (OIDC Back-Channel Logout §2.6)
// "The following Claim MUST NOT be used within the Logout Token:" (OIDC Back-Channel Logout §2.4)
// "Additionally, an "alg" with the value "none" MUST NOT be used for Logout Tokens." (OIDC Back-Channel Logout §2.6)
#[tokio::test]
async fn an_app_of_the_session_is_told_by_a_token_as_the_specification_has_it() {
    let receiver = Receiver::start();
    let server = told(&receiver).await;
    let (person, tokens) = alice(&server).await;
    sign_out(&server, &person).await;
    let token = logout_token(&receiver.wait_for(1).await[0]);
    let (said, known, head) = (claims(&token), claims(tokens.id()), header(&token));
    assert_eq!((&head["typ"], &head["alg"]), (&json!("logout+jwt"), &json!("ES256")));
    assert_eq!(head["kid"], header(tokens.id())["kid"]);
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
    let server = Server::start_with(wiki.trusted_with(&chat)).await;
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
    let known = claims(tokens.id())["sid"].clone();
    server.clock.advance(Duration::from_secs(5));
    App::new(&server, "portal").tokens_with(&person, "openid", &[("prompt", "login")]).await;
    assert!(receipts(&server).await.is_empty());
    let again = Tokens(App::new(&server, "wiki").refresh(tokens.refresh()).await.json());
    assert_eq!(claims(again.id())["sid"], known, "the app knows the session by one name");
    sign_out(&server, &person).await;
    until(&server, all_over).await;
    let said: Vec<Value> = receiver.messages().iter().map(|message| claims(&logout_token(message))).collect();
    assert_eq!(said.iter().map(|said| &said["sid"]).collect::<Vec<_>>(), [&known]);
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
