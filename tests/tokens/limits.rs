//! Where and how long a token counts, and what is no token.

use serde_json::json;

use super::{alice, form, id_of, shown, token};
use crate::harness::app::App;
use crate::harness::server::Server;

#[tokio::test]
async fn a_token_counts_only_from_its_networks() {
    let server = Server::start().await;
    let (person, api) = (alice(&server).await, App::new(&server, "notes-api"));
    let limited = form(&person).await.ticked("scope", "notes.read").with("networks", "192.0.2.0/24 2001:db8::/32");
    let token = shown(&person.send(&limited).await);
    let cases = [
        ("192.0.2.7", true),
        ("::ffff:192.0.2.7", true),
        ("2001:db8::9", true),
        ("198.51.100.1", false),
        ("::1", false),
        ("", false),
    ];
    for (address, counts) in cases {
        let told = api.introspect_with(&token, &[("client_address", address)]).await;
        assert_eq!(told["active"], json!(counts), "{address}");
        if counts {
            assert_eq!(told["networks"], json!(["192.0.2.0/24", "2001:db8::/32"]));
        }
    }
    let told = api.introspect_answer(&token, &[("client_address", "example.com")]).await;
    assert_eq!(told.brief(), "400 invalid_request");
}

#[tokio::test]
async fn a_slip_or_another_secret_is_no_token() {
    let server = Server::start().await;
    let (person, api) = (alice(&server).await, App::new(&server, "notes-api"));
    let (token, other) = (token(&person, &["notes.read"]).await, token(&person, &["notes.read"]).await);
    let key = token.replace("gtr_pat_", "gtr_key_");
    let mixed = format!("{}{}", &token[..19], &other[19..]);
    let cut = token[..token.len() - 1].to_owned();
    for text in [key, mixed, cut, token.to_uppercase(), token.to_lowercase(), format!("{token} "), format!("{token}0")]
    {
        assert_eq!(api.introspect(&text).await, json!({ "active": false }), "{text}");
    }
}

#[tokio::test]
async fn an_api_is_told_how_long_it_may_keep_an_answer() {
    let server =
        Server::start_with(|config| config.tokens.introspection_cache = std::time::Duration::from_secs(7)).await;
    let (person, api) = (alice(&server).await, App::new(&server, "notes-api"));
    let token = token(&person, &["notes.read"]).await;
    let told = api.introspect_answer(&token, &[]).await;
    assert_eq!(told.header("cache-control"), Some("private, max-age=7"));
    server.clock.advance(std::time::Duration::from_secs(30 * 86_400 - 4));
    assert_eq!(api.introspect_answer(&token, &[]).await.header("cache-control"), Some("private, max-age=4"));
    assert_eq!(api.introspect_answer("gtr_pat_x", &[]).await.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn an_api_asks_about_several_tokens_at_once() {
    let server = Server::start().await;
    let (person, api) = (alice(&server).await, App::new(&server, "notes-api"));
    let token = token(&person, &["notes.read"]).await;
    let jwt = App::new(&server, "service").client_credentials("notes.write").await.json();
    let jwt = jwt["access_token"].as_str().unwrap();
    let form = [("token", token.as_str()), ("token", "gtr_pat_x"), ("token", jwt), ("client_address", "::1")];
    let told = api.post("/introspect/batch", &form).await.json();
    let single = [api.introspect(&token).await, json!({ "active": false }), api.introspect(jwt).await];
    for (told, mut single) in told.as_array().unwrap().iter().zip(single) {
        if single["active"] == json!(true) {
            single["max_age"] = json!(3);
        }
        assert_eq!(*told, single);
    }
    assert_eq!(told.as_array().unwrap().len(), 3);
    assert_eq!(api.post("/introspect/batch", &[]).await.brief(), "400 invalid_request");
    // What is no token keeps its place: nobody gets the answer to somebody else's.
    let places = [("token", "Bearer x y"), ("token", &token), ("token", ""), ("token", jwt)];
    let told = api.post("/introspect/batch", &places).await.json();
    let active: Vec<bool> = told.as_array().unwrap().iter().map(|told| told["active"] == json!(true)).collect();
    assert_eq!(active, [false, true, false, true]);
    let many = vec![("token", "x"); 101];
    assert_eq!(api.post("/introspect/batch", &many).await.brief(), "400 invalid_request");
    let stranger = App::new(&server, "spa").post("/introspect/batch", &[("token", &token)]).await;
    assert_eq!(stranger.brief(), "401 invalid_client");
}

#[tokio::test]
async fn neither_the_database_nor_the_events_have_a_token_in_the_clear() {
    let server = Server::start().await;
    let person = alice(&server).await;
    let token = token(&person, &["notes.read"]).await;
    let secret = &token["gtr_pat_".len() + 11..];
    let dump = server.place().dump();
    assert!(!dump.windows(20).any(|window| window == &secret.as_bytes()[..20]), "the secret is in the database");
    let events = format!("{:?}", server.events().await);
    assert!(events.contains(&id_of(&token)) && !events.contains(&secret[..20]), "{events}");
}
