//! Limits by network: of people, groups, apps and APIs, wherever somebody acts. Stories come from 127.0.0.1.

use std::time::Duration;

use serde_json::{Value, json};

use super::{alice, id_of, token};
use crate::harness::app::{Answer, App, Tokens, claims};
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD, SECRET};
use crate::harness::server::Server;

pub const HERE: &str = "networks = [\"127.0.0.0/8\", \"2001:db8::/32\"]";
pub const ELSEWHERE: &str = "networks = [\"192.0.2.0/24\"]";

/// Applies a declaration, a moment later: the clock stands still, and each event has an identifier of its own.
pub async fn apply(server: &Server, declaration: &str) {
    server.clock.advance(Duration::from_millis(1));
    server.apply(declaration).await;
}

/// Alice with a limit.
pub async fn person_limited(server: &Server, networks: &str) {
    apply(server, &format!("[[users]]\nusername = \"alice\"\ngroups = [\"engineering\"]\n{networks}\n")).await;
}

pub async fn group_limited(server: &Server, networks: &str) {
    apply(server, &format!("[[groups]]\nname = \"engineering\"\n{networks}\n")).await;
}

async fn wiki_limited(server: &Server, networks: &str) {
    let declaration = format!(
        "[[clients]]\nclient_id = \"wiki\"\nclient_secret = \"{SECRET}\"\nredirect_uris = [\"https://wiki.example/cb\"]\n\
         grant_types = [\"authorization_code\", \"refresh_token\"]\nscope = \"openid offline_access notes.read\"\n{networks}\n"
    );
    apply(server, &declaration).await;
}

async fn notes_limited(server: &Server, networks: &str) {
    let declaration = format!(
        "[[resources]]\nidentifier = \"https://notes.example/api\"\nscopes = \"notes.read notes.write\"\n\
         introspection_clients = [\"notes-api\"]\npersonal_access_tokens = true\n{networks}\n"
    );
    apply(server, &declaration).await;
}

/// The same limit by each of the four.
pub async fn limited(server: &Server, by: &str, networks: &str) {
    match by {
        "person" => person_limited(server, networks).await,
        "group" => group_limited(server, networks).await,
        "app" => wiki_limited(server, networks).await,
        _ => notes_limited(server, networks).await,
    }
}

#[tokio::test]
async fn a_person_signs_in_from_their_networks_only() {
    let server = Server::start().await;
    for by in ["person", "group"] {
        limited(&server, by, ELSEWHERE).await;
        let person = Person::new(&server);
        let page = person.sign_in().await;
        assert_eq!((page.name().as_str(), page.status.as_u16()), ("sign-in", 403), "{by}");
        assert!(page.body.contains("You can’t sign in from this network"), "{}", page.body);
        assert_eq!(server.reason().await, "UserNetwork");
        let form = person.open("/sign-in").await;
        let page = person.sign_in_on(&form, ALICE, "a wrong password of hers").await;
        assert!(page.body.contains("don’t match"), "who does not know the password learns nothing: {by}");
        limited(&server, by, HERE).await;
        assert_eq!(Person::new(&server).sign_in().await.name(), "account", "{by}");
    }
}

#[tokio::test]
async fn a_session_counts_from_the_networks_of_its_person_only() {
    let server = Server::start().await;
    let (person, wiki) = (alice(&server).await, App::new(&server, "wiki"));
    let answer = wiki.approved_by(&person, "openid").await;
    assert!(answer.has("code"));
    for by in ["person", "group"] {
        limited(&server, by, ELSEWHERE).await;
        assert_eq!(person.open("/account").await.name(), "sign-in", "{by}");
        let silent = Answer::of(&wiki.asks(&person, "openid", &[("prompt", "none")]).await);
        assert_eq!(silent.param("error"), "login_required", "{by}");
        let page = wiki.asks(&person, "openid", &[]).await;
        let page = person.sign_in_on(&page, ALICE, ALICE_PASSWORD).await;
        assert!(page.body.contains("You can’t sign in from this network"), "{by}");
        limited(&server, by, "").await;
        assert_eq!(person.open("/account").await.name(), "account", "back at the office: {by}");
    }
}

#[tokio::test]
async fn codes_and_refresh_tokens_give_nothing_elsewhere_and_stay_good() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let refusals = [("person", "400 invalid_grant"), ("group", "400 invalid_grant"), ("api", "400 invalid_target")];
    for (by, brief) in refusals.into_iter().chain([("app", "401 invalid_client")]) {
        let (code, tokens) = (wiki.code("openid notes.read").await, wiki.tokens("openid notes.read").await);
        limited(&server, by, ELSEWHERE).await;
        assert_eq!(wiki.redeem(&code).await.brief(), brief, "{by}");
        assert_eq!(wiki.refresh(tokens.refresh()).await.brief(), brief, "{by}");
        let reason = server.reason().await;
        assert!(["UserNetwork", "ApiNetwork", "ClientNetwork"].contains(&&*reason), "{reason}");
        limited(&server, by, HERE).await;
        let fresh = Tokens(wiki.redeem(&code).await.json());
        let again = Tokens(wiki.refresh(tokens.refresh()).await.json());
        for jwt in [fresh.access(), again.access()] {
            assert_eq!(
                claims(jwt)["networks"],
                json!(["127.0.0.0/8", "2001:db8::/32"]),
                "for who checks offline: {by}"
            );
        }
        limited(&server, by, "").await;
        assert!(claims(wiki.tokens("openid notes.read").await.access())["networks"].is_null());
    }
}

#[tokio::test]
async fn an_app_proves_nothing_from_elsewhere() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let tokens = wiki.tokens("openid").await;
    wiki_limited(&server, ELSEWHERE).await;
    for path in ["/token", "/introspect", "/revoke"] {
        let right = wiki.post(path, &[("token", tokens.refresh())]).await;
        let wrong = format!("Basic {}", "d2lraTp3cm9uZw==");
        let wrong = wiki.post_raw(path, &[("authorization", &wrong)], &[("token", tokens.refresh())]).await;
        assert_eq!(right.brief(), "401 invalid_client", "{path}");
        assert_eq!(right.body, wrong.body, "a secret that was stolen cannot be tried from here: {path}");
    }
    insta::assert_snapshot!(wiki.refresh(tokens.refresh()).await.whole(), @r#"
    401 Unauthorized
    {"error":"invalid_client","error_description":"The client may not ask from this address."}
    "#);
    wiki_limited(&server, "").await;
    assert_eq!(wiki.refresh(tokens.refresh()).await.status, 200);
}

#[tokio::test]
async fn introspection_knows_all_limits_and_tells_what_they_have_in_common() {
    let server = Server::start().await;
    let (wiki, api) = (App::new(&server, "wiki"), App::new(&server, "notes-api"));
    let tokens = wiki.tokens("openid notes.read").await;
    for by in ["person", "group", "app", "api"] {
        limited(&server, by, ELSEWHERE).await;
        for (address, active) in [("192.0.2.7", true), ("::ffff:192.0.2.7", true), ("127.0.0.1", false), ("", false)] {
            let address = [("client_address", address)];
            let told = api.introspect_with(tokens.access(), if address[0].1.is_empty() { &[] } else { &address }).await;
            assert_eq!(told["active"], json!(active), "{by} {address:?}");
            let networks = if active { json!(["192.0.2.0/24"]) } else { Value::Null };
            assert_eq!(told["networks"], networks, "{by}: {told}");
        }
        limited(&server, by, "").await;
    }
    person_limited(&server, "networks = [\"10.0.0.0/8\", \"2001:db8::/32\"]").await;
    group_limited(&server, "networks = [\"10.1.0.0/16\", \"2001:db8:7::/48\", \"192.0.2.0/24\"]").await;
    notes_limited(&server, "networks = [\"0.0.0.0/0\"]").await;
    let told = api.introspect_with(tokens.access(), &[("client_address", "10.1.2.3")]).await;
    assert_eq!(told["networks"], json!(["10.1.0.0/16"]));
    group_limited(&server, ELSEWHERE).await;
    let told = api.introspect_with(tokens.access(), &[("client_address", "10.1.2.3")]).await;
    assert_eq!(told, json!({"active": false}), "the limits have nothing in common");
}

#[tokio::test]
async fn a_refresh_token_and_userinfo_are_limited_too() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let tokens = wiki.tokens("openid").await;
    group_limited(&server, ELSEWHERE).await;
    assert_eq!(wiki.introspect(tokens.refresh()).await, json!({"active": false}));
    let told = wiki.introspect_with(tokens.refresh(), &[("client_address", "192.0.2.1")]).await;
    assert_eq!((&told["active"], &told["networks"]), (&json!(true), &json!(["192.0.2.0/24"])));
    assert_eq!(wiki.userinfo(tokens.access()).await.status, 401);
    group_limited(&server, HERE).await;
    assert_eq!(wiki.userinfo(tokens.access()).await.status, 200);
}

#[tokio::test]
async fn what_people_keep_for_scripts_is_limited_as_they_are() {
    let server = Server::start().await;
    let (person, api) = (alice(&server).await, App::new(&server, "notes-api"));
    let kept = token(&person, &["notes.read"]).await;
    let exchanging = "[[clients]]\nclient_id = \"spa\"\ntoken_endpoint_auth_method = \"none\"\nredirect_uris = [\"https://board.example/cb\"]\n\
                      grant_types = [\"authorization_code\", \"urn:ietf:params:oauth:grant-type:token-exchange\"]\nscope = \"openid\"\n";
    apply(&server, exchanging).await;
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", &kept),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
    ];
    let spa = App::new(&server, "spa");
    for (by, brief) in
        [("person", "400 invalid_request"), ("group", "400 invalid_request"), ("api", "400 invalid_target")]
    {
        limited(&server, by, ELSEWHERE).await;
        assert_eq!(spa.post("/token", &form).await.brief(), brief, "{by}");
        assert_eq!(api.introspect(&kept).await, json!({"active": false}), "{by}");
        let told = api.introspect_with(&kept, &[("client_address", "192.0.2.1")]).await;
        assert_eq!((&told["jti"], &told["networks"]), (&json!(id_of(&kept)), &json!(["192.0.2.0/24"])), "{by}");
        limited(&server, by, HERE).await;
        let jwt = Tokens(spa.post("/token", &form).await.json());
        assert_eq!(claims(jwt.access())["networks"], json!(["127.0.0.0/8", "2001:db8::/32"]), "{by}");
        limited(&server, by, "").await;
    }
}
