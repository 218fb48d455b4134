//! From a report of a token that was found in public to its end.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use grantor_core::registration::Mode;
use grantor_server::config::Reporter;
use serde_json::{Value, json};

use super::{alice, id_of, token};
use crate::harness::app::App;
use crate::harness::command;
use crate::harness::folder::Folder;
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::registrar::{Registrar, metadata};
use crate::harness::seeds::{ALICE, ALICE_PASSWORD};
use crate::harness::server::Server;

/// A program that looks for secrets, with a key of its own.
pub struct Scanner {
    folder: Folder,
}

impl Scanner {
    /// One that is known as `known`; `None` where there is no `openssl`.
    pub fn new() -> Option<Self> {
        let folder = Folder::new();
        let (key, public) = (folder.join("key.pem"), folder.join("public.pem"));
        let made = openssl(&["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out"], &key)
            && openssl(&["ec", "-in", key.to_str().unwrap(), "-pubout", "-out"], &public);
        assert!(made || std::env::var_os("CI").is_none(), "openssl makes a key");
        made.then_some(Self { folder })
    }

    /// As the settings name it.
    pub fn reporter(&self) -> Reporter {
        let public_key_file = self.folder.join("public.pem");
        Reporter { name: "Scanner".into(), key_id: "known".into(), public_key_file }
    }

    fn sign(&self, body: &str) -> String {
        let mut signing = Command::new("openssl")
            .args(["dgst", "-sha256", "-sign"])
            .arg(self.folder.join("key.pem"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        signing.stdin.take().unwrap().write_all(body.as_bytes()).unwrap();
        STANDARD.encode(signing.wait_with_output().unwrap().stdout)
    }

    /// Reports what it found.
    pub async fn report(&self, server: &Server, findings: &Value) -> Page {
        let body = findings.to_string();
        report(server, "known", &self.sign(&body), body).await
    }
}

fn openssl(arguments: &[&str], out: &Path) -> bool {
    let made = Command::new("openssl").args(arguments).arg(out).stderr(Stdio::null()).status();
    made.is_ok_and(|status| status.success())
}

async fn report(server: &Server, key_id: &str, signature: &str, body: String) -> Page {
    let request = reqwest::Client::new()
        .post(server.at("/leak-reports"))
        .header("content-type", "application/json")
        .header("Github-Public-Key-Identifier", key_id)
        .header("Github-Public-Key-Signature", signature);
    Page::of(request.body(body).send().await.unwrap()).await
}

/// One thing that it found.
pub fn finding(token: &str) -> Value {
    json!({ "token": token, "type": "grantor", "url": "https://git.example/a\r\nb", "source": "content" })
}

#[tokio::test]
async fn what_is_reported_does_not_count_any_more() {
    let Some(scanner) = Scanner::new() else { return };
    let reporter = scanner.reporter();
    let server = Server::start_with(|config| config.leak_reporters = vec![reporter]).await;
    let (person, api) = (alice(&server).await, App::new(&server, "notes-api"));
    let (leaked, kept) = (token(&person, &["notes.read"]).await, token(&person, &["notes.read"]).await);
    let (wiki, chat) = (App::new(&server, "wiki"), App::new(&server, "chat"));
    let (signed, opaque) = (wiki.tokens("openid offline_access").await, chat.tokens("openid").await);
    let mut strange = kept.clone();
    strange.replace_range(20..21, if &kept[20..21] == "a" { "b" } else { "a" });
    let found = [&leaked, signed.refresh(), opaque.access(), &strange, "gtr_pat_x", ""];
    let answer = scanner.report(&server, &found.map(finding).into_iter().collect()).await;
    let told: Vec<Value> = answer.json().as_array().unwrap().iter().map(|told| told["label"].clone()).collect();
    let (hit, miss) = ("true_positive", "false_positive");
    assert_eq!(told, [hit, hit, hit, miss, miss, miss]);
    assert_eq!(api.introspect(&leaked).await, json!({ "active": false }));
    assert_eq!(api.introspect(&kept).await["active"], json!(true));
    assert_eq!(wiki.refresh(signed.refresh()).await.brief(), "400 invalid_grant");
    assert_eq!(wiki.userinfo(signed.access()).await.status, 401);
    assert_eq!(chat.userinfo(opaque.access()).await.status, 401);
    for ended in [&leaked, signed.refresh(), opaque.access()] {
        let again = scanner.report(&server, &json!([finding(ended)])).await.json();
        assert_eq!(again[0]["label"], json!(hit), "it is genuine, although it has ended");
    }
    let events: Vec<_> =
        server.events().await.into_iter().filter(|event| event.reason.as_deref() == Some("leaked")).collect();
    assert_eq!(events.len(), 3, "{events:?}");
    let detail =
        events.iter().filter_map(|event| event.detail.clone()).find(|detail| detail.contains("gtr_pat")).unwrap();
    assert_eq!(detail, format!("gtr_pat_{} found by Scanner: https://git.example/a\u{fffd}\u{fffd}b", id_of(&leaked)));
    let text = person.open("/account/tokens").await.text();
    assert!(text.contains("Found in public"), "{text}");
    let overview = person.open("/account").await.text();
    assert!(overview.contains("was found in a public place"), "{overview}");
}

#[tokio::test]
async fn a_finding_that_is_none_spares_no_other() {
    let Some(scanner) = Scanner::new() else { return };
    let reporter = scanner.reporter();
    let server = Server::start_with(|config| config.leak_reporters = vec![reporter]).await;
    let (person, api) = (alice(&server).await, App::new(&server, "notes-api"));
    let (first, last) = (token(&person, &["notes.read"]).await, token(&person, &["notes.read"]).await);
    let odd = json!({ "token": first, "type": null, "url": 7 });
    let report = json!([odd, { "type": "grantor" }, { "token": 7 }, null, "x", finding(&last)]);
    let told = scanner.report(&server, &report).await.json();
    let labels: Vec<&Value> = told.as_array().unwrap().iter().map(|told| &told["label"]).collect();
    assert_eq!(labels, ["true_positive", "true_positive"]);
    for ended in [first, last] {
        assert_eq!(api.introspect(&ended).await, json!({ "active": false }));
    }
}

#[tokio::test]
async fn a_cookie_that_is_found_ends_its_session() {
    let Some(scanner) = Scanner::new() else { return };
    let reporter = scanner.reporter();
    let server = Server::start_with(|config| config.leak_reporters = vec![reporter]).await;
    let person = Person::new(&server);
    let page = person.open("/sign-in").await;
    let form = page.form(r#"form[action="/sign-in"]"#).with("username", ALICE).with("password", ALICE_PASSWORD);
    let answer = person.post(&form).await;
    let cookies = answer.cookies();
    let cookie =
        cookies.iter().find_map(|cookie| cookie.split_once('=').filter(|(_, value)| value.starts_with("gtr_se")));
    let wiki = App::new(&server, "wiki");
    let tokens = wiki.tokens_with(&person, "openid offline_access", &[]).await;
    let report = json!([finding(cookie.unwrap().1), finding("gtr_se_x")]);
    let told = scanner.report(&server, &report).await.json();
    assert_eq!((&told[0]["label"], &told[1]["label"]), (&json!("true_positive"), &json!("false_positive")));
    assert_eq!(person.open("/account").await.name(), "sign-in");
    assert_eq!(
        wiki.refresh(tokens.refresh()).await.brief(),
        "400 invalid_grant",
        "whoever had the cookie may have given it"
    );
}

#[tokio::test]
async fn who_is_switched_off_has_nothing_left_when_they_come_back() {
    let Some(scanner) = Scanner::new() else { return };
    let reporter = scanner.reporter();
    let server = Server::start_with(|config| config.leak_reporters = vec![reporter]).await;
    let wiki = App::new(&server, "wiki");
    let tokens = wiki.tokens("openid").await;
    let off = |disabled: bool| format!("[[users]]\nusername = \"alice\"\ndisabled = {disabled}\n");
    server.apply(&off(true)).await;
    let told = scanner.report(&server, &json!([finding(tokens.access())])).await.json();
    assert_eq!(told[0]["label"], json!("true_positive"));
    server.apply(&off(false)).await;
    assert_eq!(wiki.userinfo(tokens.access()).await.status, 401);
}

#[tokio::test]
async fn only_who_may_report_is_listened_to() {
    let Some(scanner) = Scanner::new() else { return };
    let reporter = scanner.reporter();
    let server = Server::start_with(|config| config.leak_reporters = vec![reporter]).await;
    let (person, api) = (alice(&server).await, App::new(&server, "notes-api"));
    let token = token(&person, &["notes.read"]).await;
    let body = json!([finding(&token)]).to_string();
    let signature = scanner.sign(&body);
    let cases = [
        (report(&server, "unknown", &signature, body.clone()).await, "403 access_denied"),
        (report(&server, "known", "", body.clone()).await, "403 access_denied"),
        (report(&server, "known", &signature, format!("{body} ")).await, "403 access_denied"),
        (report(&server, "known", &scanner.sign("{}"), "{}".into()).await, "400 invalid_request"),
        (report(&server, "known", &signature, "x".repeat(2 << 20)).await, "413 invalid_request"),
    ];
    for (answer, brief) in cases {
        assert_eq!(answer.brief(), brief);
    }
    assert_eq!(api.introspect(&token).await["active"], json!(true));
    let nobody = Server::start().await;
    assert_eq!(scanner.report(&nobody, &json!([])).await.brief(), "403 access_denied");
}

#[tokio::test]
async fn what_apps_register_and_manage_themselves_with_ends_when_it_is_found() {
    let Some(scanner) = Scanner::new() else { return };
    let reporter = scanner.reporter();
    let server = Server::start_with(|config| {
        config.leak_reporters = vec![reporter];
        config.registration.mode = Mode::InitialAccessToken;
    })
    .await;
    let made = command::registration(server.config(), &["token", "add", "--name", "CI", "--uses", "9"]).await.unwrap();
    let initial = made.lines().next().unwrap();
    server.clock.catch_up();
    let registrar = Registrar::new(&server);
    let [one, other]: [Value; 2] = [
        registrar.register_with(initial, &metadata()).await.json(),
        registrar.register_with(initial, &metadata()).await.json(),
    ];
    let own = one["registration_access_token"].as_str().unwrap();
    let strange = format!("{}{}", &own[..own.len() - 8], "AAAAAAAA");
    let found = [initial, own, &strange, "gtr_ia_x"].map(finding).into_iter().collect();
    let told = scanner.report(&server, &found).await.json();
    let labels: Vec<&str> = told.as_array().unwrap().iter().map(|told| told["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["true_positive", "true_positive", "false_positive", "false_positive"]);
    assert_eq!(registrar.register_with(initial, &metadata()).await.brief(), "401 invalid_token");
    assert_eq!(registrar.read(&one).await.brief(), "401 invalid_token");
    assert_eq!(registrar.read(&other).await.status, 200);
    assert_eq!(App::registered(&server, &one).redeem("no code").await.brief(), "400 invalid_grant", "the app stays");
    let events = server.events().await;
    let details: Vec<&str> = events
        .iter()
        .filter_map(|event| event.detail.as_deref())
        .filter(|detail| detail.contains("found by Scanner"))
        .collect();
    assert_eq!(details.len(), 2, "{events:?}");
    assert!(!details.iter().any(|detail| detail.contains(own) || detail.contains(initial)));
}
