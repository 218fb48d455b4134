//! Subjects that only one sector knows people by (OIDC Core §8).

use std::collections::HashMap;
use std::net::TcpListener;
use std::time::Duration;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, HttpServer, web};
use grantor_core::client::ClientMetadata;
use grantor_core::error::Error;
use grantor_web::outbound::Asker;
use serde_json::{Value, json};

use super::logout::address;
use crate::harness::app::{Answer, App, Tokens, claims};
use crate::harness::command;
use crate::harness::person::Person;
use crate::harness::seeds::SECRET;
use crate::harness::server::{Server, runtime};
use crate::harness::tls;
use crate::tokens;
use crate::tokens::exchange::exchange;

/// Declares a pairwise app at a host, and more members.
async fn declare(server: &Server, client_id: &str, host: &str, members: &str) {
    let declaration = format!(
        r#"
        [[clients]]
        client_id = "{client_id}"
        client_secret = "{SECRET}"
        redirect_uris = ["https://{host}/cb"]
        post_logout_redirect_uris = ["https://{host}/out"]
        grant_types = ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:token-exchange"]
        scope = "openid offline_access notes.read"
        skip_consent = true
        subject_type = "pairwise"
        {members}
        "#
    );
    server.clock.advance(Duration::from_secs(1));
    server.apply(&declaration).await;
}

fn app<'a>(server: &'a Server, client_id: &str, host: &str) -> App<'a> {
    App::new(server, client_id).at(&format!("https://{host}/cb"))
}

/// Three apps, of which the first and the last are of one sector; and each with tokens of Alice.
async fn three(server: &Server, person: &Person) -> Vec<Tokens> {
    declare(server, "one", "a.example", "").await;
    declare(server, "two", "b.example", "").await;
    declare(server, "three", "c.example", "sector_identifier_uri = \"https://a.example/apps.json\"").await;
    let mut tokens = Vec::new();
    for (client_id, host) in [("one", "a.example"), ("two", "b.example"), ("three", "c.example")] {
        tokens.push(app(server, client_id, host).tokens_with(person, "openid offline_access", &[]).await);
    }
    tokens
}

fn subjects(tokens: &[Tokens]) -> Vec<Value> {
    tokens.iter().map(|tokens| claims(tokens.id())["sub"].clone()).collect()
}

// "When pairwise Subject Identifiers are used, the OpenID Provider MUST calculate a unique "sub" (subject) value for each Sector
// Identifier. The Subject Identifier value MUST NOT be reversible by any party other than the OpenID Provider." (OIDC Core §8.1)
// "Distinct Sector Identifier values MUST result in distinct Subject Identifier values." (OIDC Core §8.1)
// "To protect the End-User from possible correlation among Clients, the use of a Pairwise Pseudonymous Identifier (PPID) as
// the "sub" (subject) SHOULD be considered." (OIDC Core §17.3)
#[tokio::test]
async fn each_sector_knows_a_person_by_another_subject() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let tokens = three(&server, &person).await;
    let public = App::new(&server, "wiki").tokens_with(&person, "openid", &[]).await;
    let (known, public) = (subjects(&tokens), claims(public.id()));
    assert_eq!(known[0], known[2]);
    assert!(known[0] != known[1] && !known.contains(&public["sub"]));
    // Nor does anything else that all apps of one sign-in are told give it away.
    let sid = |tokens: &Tokens| claims(tokens.id())["sid"].clone();
    assert!(
        sid(&tokens[0]) == sid(&tokens[2]) && sid(&tokens[0]) != sid(&tokens[1]) && sid(&tokens[0]) != public["sid"]
    );
}

#[tokio::test]
async fn an_app_is_told_of_one_subject_wherever_it_asks() {
    let server = Server::start().await;
    let tokens = three(&server, &Person::new(&server)).await.remove(0);
    let (one, sub) = (app(&server, "one", "a.example"), claims(tokens.id())["sub"].clone());
    assert_eq!(claims(tokens.access())["sub"], sub);
    assert_eq!(one.userinfo(tokens.access()).await.json(), json!({ "sub": sub }));
    for token in [tokens.access(), tokens.refresh()] {
        let told = one.introspect(token).await;
        // A name that other apps know, too, would undo it.
        assert_eq!((&told["sub"], &told["username"]), (&sub, &Value::Null));
    }
    let refreshed = one.refresh(tokens.refresh()).await.json();
    assert_eq!(claims(refreshed["id_token"].as_str().unwrap())["sub"], sub);
    declare(&server, "one", "a.example", "access_token_format = \"opaque\"").await;
    let opaque = one.tokens_with(&Person::new(&server), "openid", &[]).await;
    assert_eq!(one.introspect(opaque.access()).await["sub"], sub);
}

#[tokio::test]
async fn an_api_is_told_of_the_subject_that_the_tokens_app_knows() {
    let server = Server::start().await;
    let person = Person::new(&server);
    declare(&server, "two", "b.example", "").await;
    let tokens = app(&server, "two", "b.example").tokens_with(&person, "openid notes.read", &[]).await;
    let told = App::new(&server, "notes-api").introspect(tokens.access()).await;
    assert_eq!((&told["sub"], &told["username"]), (&claims(tokens.id())["sub"], &Value::Null));
}

#[tokio::test]
async fn a_personal_token_stays_public_and_what_an_app_makes_of_it_does_not() {
    let server = Server::start().await;
    let (person, api) = (tokens::alice(&server).await, App::new(&server, "notes-api"));
    declare(&server, "one", "a.example", "").await;
    let one = app(&server, "one", "a.example");
    let personal = tokens::token(&person, &["notes.read"]).await;
    let public = App::new(&server, "wiki").tokens_with(&person, "openid", &[]).await;
    assert_eq!(api.introspect(&personal).await["sub"], claims(public.id())["sub"]);
    let sub = claims(one.tokens_with(&person, "openid", &[]).await.id())["sub"].clone();
    let exchanged = exchange(&one, &personal, &[("scope", "notes.read")]).await.json();
    let exchanged = exchanged["access_token"].as_str().unwrap();
    assert_eq!((&claims(exchanged)["sub"], &api.introspect(exchanged).await["sub"]), (&sub, &sub));
}

// "The algorithm MUST be deterministic." (OIDC Core §8.1)
#[tokio::test]
async fn subjects_outlive_restarts_and_new_epochs() {
    let server = Server::start().await;
    let before = subjects(&three(&server, &Person::new(&server)).await);
    let server = server.stop().start().await;
    assert_eq!(subjects(&three(&server, &Person::new(&server)).await), before);
    let mut stopped = server.stop();
    for _ in 0..2 {
        command::new_epoch(&stopped.config).await.unwrap();
        let server = stopped.start().await;
        assert_eq!(subjects(&three(&server, &Person::new(&server)).await), before);
        stopped = server.stop();
    }
}

// "It also provides a way for Clients to change "redirect_uri" domains without having to re-register all of their users." (OIDC
// Registration §5)
// "Providers that use pairwise "sub" values and support Dynamic Client Registration [OpenID.Registration] SHOULD use the
// "sector_identifier_uri" parameter." (OIDC Core §8.1)
// "Providers that use pairwise "sub" (subject) values SHOULD utilize the "sector_identifier_uri" value provided in the
// Subject Identifier calculation for pairwise identifiers." (OIDC Registration §2)
#[tokio::test]
async fn an_app_may_move_within_its_sector_and_begins_anew_in_another() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let list = |host: &str| format!("sector_identifier_uri = \"https://{host}/apps.json\"");
    declare(&server, "one", "a.example", &list("a.example")).await;
    let tokens = app(&server, "one", "a.example").tokens_with(&person, "openid offline_access", &[]).await;
    declare(&server, "one", "moved.example", &list("a.example")).await;
    let moved = app(&server, "one", "moved.example");
    let refreshed = Tokens(moved.refresh(tokens.refresh()).await.json());
    assert_eq!(claims(refreshed.id())["sub"], claims(tokens.id())["sub"]);
    declare(&server, "one", "moved.example", &list("b.example")).await;
    assert_eq!(moved.refresh(refreshed.refresh()).await.brief(), "400 invalid_grant");
    let anew = moved.tokens_with(&person, "openid", &[]).await;
    assert_ne!(claims(anew.id())["sub"], claims(tokens.id())["sub"]);
}

#[tokio::test]
async fn the_person_asked_for_is_named_as_the_app_knows_them() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let tokens = three(&server, &person).await;
    let public = App::new(&server, "wiki").tokens_with(&person, "openid", &[]).await;
    let one = app(&server, "one", "a.example");
    let answered = async |changes: &[(&str, &str)]| {
        let url = one.authorize_url("openid", &[&[("prompt", "none")], changes].concat());
        Answer::of(&person.open(url).await)
    };
    let wanted = |sub: &Value| json!({"id_token": {"sub": {"value": sub}}}).to_string();
    let known = subjects(&tokens);
    assert!(answered(&[("claims", &wanted(&known[0]))]).await.has("code"));
    assert!(answered(&[("id_token_hint", tokens[0].id())]).await.has("code"));
    for other in [&known[1], &claims(public.id())["sub"]] {
        assert_eq!(answered(&[("claims", &wanted(other))]).await.param("error"), "login_required");
    }
    // Whoever got hold of an ID token of another app learns nothing by it.
    for other in [tokens[1].id(), public.id()] {
        assert_eq!(answered(&[("id_token_hint", other)]).await.param("error"), "login_required");
    }
}

#[tokio::test]
async fn a_pairwise_id_token_signs_its_own_session_out() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let tokens = three(&server, &person).await;
    let out = [("id_token_hint", tokens[1].id()), ("post_logout_redirect_uri", "https://b.example/out")];
    let other = Person::new(&server);
    app(&server, "two", "b.example").tokens_with(&other, "openid", &[]).await;
    assert_eq!(other.get(address(&server, &out)).await.name(), "end-session");
    let page = person.get(address(&server, &out)).await;
    assert_eq!(page.location().map(String::from).as_deref(), Some("https://b.example/out"));
}

/// A site with lists, by their paths; `None` answers nothing for long.
pub struct Lists {
    /// Where it is.
    pub url: String,
    handle: actix_web::dev::ServerHandle,
}

impl Lists {
    /// Starts one.
    pub fn start(lists: &[(&str, String)]) -> Self {
        let lists: HashMap<String, String> =
            lists.iter().map(|(path, text)| ((*path).to_owned(), text.clone())).collect();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let (started, handle) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let state = Data::new(lists);
            let serving =
                HttpServer::new(move || actix_web::App::new().app_data(state.clone()).default_service(web::to(list)));
            runtime().block_on(async move {
                let server = serving.workers(1).disable_signals();
                let server = server.listen_rustls_0_23(listener, tls::certificate().server_config()).unwrap().run();
                started.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        Self { url, handle: handle.recv().unwrap() }
    }
}

impl Drop for Lists {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

async fn list(lists: Data<HashMap<String, String>>, request: HttpRequest) -> HttpResponse {
    match lists.get(request.path()) {
        Some(text) if text.starts_with("https:") => {
            HttpResponse::Found().insert_header(("location", text.clone())).finish()
        }
        Some(text) => HttpResponse::Ok().content_type("application/json").body(text.clone()),
        None => HttpResponse::NotFound().finish(),
    }
}

// "The values registered in "redirect_uris" MUST be included in the elements of the array, or registration MUST fail." (OIDC
// Registration §5)
#[tokio::test]
async fn a_sector_counts_for_whom_its_list_names() {
    let uris = json!(["https://a.example/cb", "https://b.example/cb", "https://c.example/cb"]).to_string();
    let sites = Lists::start(&[
        ("/all", uris),
        ("/one", json!(["https://a.example/cb", "https://b.example/cb/"]).to_string()),
        ("/object", json!({"redirect_uris": ["https://a.example/cb"]}).to_string()),
        ("/numbers", "[1, 2]".to_owned()),
        ("/large", format!("[\"https://a.example/cb\", \"https://b.example/cb\", \"{}\"]", "x".repeat(70_000))),
        ("/huge", "[".repeat(2 << 20)),
        ("/elsewhere", "https://127.0.0.1/all".to_owned()),
    ]);
    let server = Server::start_with(tls::trusting).await;
    let verdict = async |uri: String| {
        let redirect_uris = ["https://a.example/cb", "https://b.example/cb"].map(str::to_owned).to_vec();
        let metadata = ClientMetadata { sector_identifier_uri: Some(uri), redirect_uris, ..ClientMetadata::default() };
        match server.app.check_sector(&metadata, Asker::Installation).await {
            Ok(()) => String::new(),
            Err(Error::MetadataInvalid("sector_identifier_uri", why)) => why.to_owned(),
            Err(other) => panic!("{other:?}"),
        }
    };
    assert_eq!(verdict(format!("{}/all", sites.url)).await, "");
    for (path, why) in [
        ("/one", "does not name all redirect_uris"),
        ("/object", "something else than a JSON array"),
        ("/numbers", "something else than a JSON array"),
        ("/large", "more than 64 KiB"),
        ("/huge", "no answer that could be read"),
        ("/elsewhere", "no answer that could be read"),
        ("/nothing", "no answer that could be read"),
    ] {
        let said = verdict(format!("{}{path}", sites.url)).await;
        assert!(said.contains(why), "{path}: {said}");
    }
    for unasked in ["http://127.0.0.1:9/all", "https://169.254.169.254/all"] {
        assert!(verdict(unasked.to_owned()).await.contains("no answer that could be read"), "{unasked}");
    }
}
