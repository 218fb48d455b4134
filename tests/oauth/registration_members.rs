//! The members of a registration that other parts of the server read: each does for an app that registered itself what it does for one
//! that was declared, and no more.

use grantor_core::registration::Mode;
use grantor_core::store::Store;
use grantor_jose::jwe::{Curve, DecryptionKey, decrypt};
use grantor_jose::random::Random;
use serde_json::{Value, json};

use super::registration::told;
use crate::harness::app::{Answer, App, Tokens, claims};
use crate::harness::assertion::{Assertion, hs256, params};
use crate::harness::command;
use crate::harness::person::Person;
use crate::harness::registrar::{Registrar, metadata, metadata_with, unchanged};
use crate::harness::seeds::SIGNED_KEY;
use crate::harness::server::Server;
use crate::harness::tls;
use crate::oidc::pairwise::Lists;
use crate::oidc::registration::open;

const HERE: &str = "https://notebook.example/cb";
const THERE: &str = "https://journal.example/cb";

/// A registration again with one member of another value.
fn with(client: &Value, name: &str, value: Value) -> Value {
    let mut said = unchanged(client);
    said[name] = value;
    said
}

fn lists() -> Lists {
    Lists::start(&[
        ("/all", json!([HERE, THERE]).to_string()),
        ("/one", json!([HERE]).to_string()),
        ("/object", json!({ "redirect_uris": [HERE, THERE] }).to_string()),
        ("/huge", "[".repeat(2 << 20)),
        ("/elsewhere", "https://127.0.0.1/all".to_owned()),
    ])
}

async fn open_and_trusting() -> Server {
    Server::start_with(|config| {
        tls::trusting(config);
        config.registration.mode = Mode::Open;
    })
    .await
}

// "The values registered in "redirect_uris" MUST be included in the elements of the array, or registration MUST fail." (OIDC
// Registration §5)
// "This MUST be validated at registration time; there is no requirement for the OP to retain the contents of this JSON file
// or to retrieve or revalidate its contents in the future." (OIDC Registration §5)
// "The value of the "sector_identifier_uri" MUST be a URL using the "https" scheme that points to a JSON file containing an
// array of "redirect_uri" values. The values of the registered "redirect_uris" MUST be included in the elements of the
// array." (OIDC Core §8.1)
// "The value of the "sector_identifier_uri" MUST be a URL using the "https" scheme that references a JSON file containing an
// array of "redirect_uri" values." (OIDC Registration §5)
#[tokio::test]
async fn a_sector_is_entered_by_those_that_its_list_names() {
    let (server, sites) = (open_and_trusting().await, lists());
    let registrar = Registrar::new(&server);
    let said = |uri: &str| {
        let uris = json!([HERE, THERE]);
        metadata_with(json!({"redirect_uris": uris, "subject_type": "pairwise", "sector_identifier_uri": uri}))
    };
    for bad in ["/one", "/object", "/huge", "/elsewhere", "/nothing"] {
        let page = registrar.register(&said(&format!("{}{bad}", sites.url))).await;
        assert!(
            told(&page).starts_with("400 invalid_client_metadata: sector_identifier_uri: "),
            "{bad}: {}",
            told(&page)
        );
    }
    for unasked in ["http://127.0.0.1:9/all", "https://169.254.169.254/all", "https://nobody@127.0.0.1/all"] {
        let page = registrar.register(&said(unasked)).await;
        assert!(told(&page).starts_with("400 invalid_client_metadata: sector_identifier_uri: "), "{}", told(&page));
    }
    assert_eq!(server.database.registrations_count(10).await.unwrap(), 0);
    let client = registrar.registered(&said(&format!("{}/all", sites.url))).await;
    assert_eq!(client["subject_type"], "pairwise");
}

#[tokio::test]
async fn an_update_enters_no_sector_whose_list_does_not_name_it() {
    let (server, sites) = (open_and_trusting().await, lists());
    let registrar = Registrar::new(&server);
    let uri = format!("{}/one", sites.url);
    let client = registrar.registered(&metadata_with(json!({"sector_identifier_uri": uri}))).await;
    let wider = with(&client, "redirect_uris", json!([HERE, THERE]));
    let page = registrar.update(&client, &wider).await;
    assert!(told(&page).contains("sector_identifier_uri: leads to a list that does not name all"), "{}", told(&page));
    let other = with(&client, "sector_identifier_uri", json!(format!("{}/object", sites.url)));
    assert!(told(&registrar.update(&client, &other).await).contains("sector_identifier_uri: leads to something else"));
    let kept = registrar.read(&client).await;
    assert_eq!(
        (&kept.json()["redirect_uris"], kept.json()["sector_identifier_uri"].as_str()),
        (&json!([HERE]), Some(&*uri))
    );
    drop(sites);
    let renamed = with(&client, "client_name", json!("Diary"));
    assert_eq!(registrar.update(&client, &renamed).await.status, 200, "what is as it was is not asked for again");
}

// "If there are multiple hostnames in the registered "redirect_uris", the Client MUST register a "sector_identifier_uri"."
// (OIDC Core §8.1)
#[tokio::test]
async fn pairwise_subjects_need_a_sector() {
    let server = open().await;
    let said = json!({"redirect_uris": [HERE, THERE], "subject_type": "pairwise"});
    let page = Registrar::new(&server).register(&metadata_with(said)).await;
    assert!(
        told(&page).starts_with("400 invalid_client_metadata: sector_identifier_uri: is needed"),
        "{}",
        told(&page)
    );
}

/// Otherwise an app could look through the sectors of others, one after the other, with a refresh token of its own.
// "its "sub" Claim Value MUST be the same as in the ID Token issued when the original authentication occurred" (OIDC Core §12.2)
#[tokio::test]
async fn an_update_that_gives_people_other_subjects_ends_what_they_have_allowed() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let grants = json!(["authorization_code", "refresh_token"]);
    let said = metadata_with(json!({"subject_type": "pairwise", "grant_types": grants}));
    for changes in [json!({"redirect_uris": [THERE]}), json!({"subject_type": "public"})] {
        let client = registrar.registered(&said).await;
        let app = App::registered(&server, &client);
        let tokens = app.tokens("openid offline_access").await;
        let same: Value = registrar.update(&client, &with(&client, "software_version", json!("2"))).await.json();
        let tokens = Tokens(app.refresh(tokens.refresh()).await.json());
        let mut other = unchanged(&same);
        changes.as_object().unwrap().iter().for_each(|(name, value)| other[name] = value.clone());
        let mut other: Value = registrar.update(&same, &other).await.json();
        other["client_secret"] = client["client_secret"].clone();
        assert_eq!(app.refresh(tokens.refresh()).await.brief(), "400 invalid_grant", "{changes}");
        assert_eq!(app.userinfo(tokens.access()).await.status, 401, "{changes}");
        let anew = App::registered(&server, &other).tokens("openid").await;
        assert_ne!(claims(anew.id())["sub"], claims(tokens.id())["sub"], "{changes}");
    }
}

// ""client_secret" values MUST also contain at least the minimum of number of octets required for MAC keys for the particular
// algorithm used." (OIDC Core §16.19)
// "When using MAC-based signatures, the "alg" Header Parameter value of the JOSE Header MUST be set to a MAC algorithm, as
// defined in JSON Web Algorithms [JWA]." (OIDC Core §10.1)
// "So for instance, for "HS256", the "client_secret" value MUST contain at least 32 octets (and almost certainly SHOULD
// contain more, since "client_secret" values are likely to use a restricted alphabet)." (OIDC Core §16.19)
#[tokio::test]
async fn an_app_that_registered_itself_proves_itself_by_a_mac_of_each_strength() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    for algorithm in ["HS256", "HS384", "HS512"] {
        let method =
            json!({"token_endpoint_auth_method": "client_secret_jwt", "token_endpoint_auth_signing_alg": algorithm});
        let client = registrar.registered(&metadata_with(method)).await;
        let secret = client["client_secret"].as_str().unwrap();
        let least = algorithm[2..].parse::<usize>().unwrap() / 8;
        assert!(secret.len() >= least, "{algorithm}: {}", secret.len());
        let kept = String::from_utf8_lossy(&server.place().dump()).into_owned();
        assert!(!kept.contains(secret), "it is sealed");
        assert!(registrar.read(&client).await.json().get("client_secret").is_none());
        assert_eq!(App::registered(&server, &client).redeem("no code").await.brief(), "401 invalid_client");
    }
    let method = json!({"token_endpoint_auth_method": "client_secret_jwt"});
    let client = registrar.registered(&metadata_with(method)).await;
    let (id, secret) = (client["client_id"].as_str().unwrap(), client["client_secret"].as_str().unwrap());
    let right =
        Assertion::new(&server).claim("iss", id).claim("sub", id).header("alg", "HS256").header("kid", Value::Null);
    let proof = hs256(&right.unsigned(), secret.as_bytes());
    let form = [("grant_type", "authorization_code"), ("code", "none"), ("redirect_uri", HERE)];
    let page = App::registered(&server, &client).post_raw("/token", &[], &[&params(&proof)[..], &form].concat()).await;
    assert_eq!(page.brief(), "400 invalid_grant", "it is known: {}", page.whole());
}

#[tokio::test]
async fn an_app_that_turns_to_macs_gets_a_secret_for_them_and_one_that_turns_back_keeps_none_that_opens() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let client = registrar.registered(&metadata()).await;
    let by_mac = with(&client, "token_endpoint_auth_method", json!("client_secret_jwt"));
    let updated: Value = registrar.update(&client, &by_mac).await.json();
    let secret = updated["client_secret"].as_str().unwrap();
    assert_eq!(secret.len(), 86);
    let id = client["client_id"].as_str().unwrap();
    let texts = || server.database.directory().clients[id].secrets.iter().filter(|known| known.text.is_some()).count();
    assert_eq!(texts(), 1);
    let back = with(&updated, "token_endpoint_auth_method", json!("client_secret_basic"));
    let back: Value = registrar.update(&updated, &back).await.json();
    assert!(back.get("client_secret").is_none(), "it goes on with the secret that it has");
    assert_eq!(
        (texts(), App::registered(&server, &updated).redeem("no code").await.brief()),
        (0, "400 invalid_grant".into())
    );
}

/// The same where it is asked for again with another method.
#[tokio::test]
async fn a_secret_whose_answer_was_lost_can_be_had_again_by_another_method() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let client = registrar.registered(&metadata_with(json!({"token_endpoint_auth_method": "none"}))).await;
    let by = |method: &str| with(&client, "token_endpoint_auth_method", json!(method));
    registrar.update(&client, &by("client_secret_jwt")).await;
    let told: Value = registrar.update(&client, &by("client_secret_basic")).await.json();
    let app = App::registered(&server, &told);
    assert!(told["client_secret"].is_string(), "{told}");
    assert_eq!(
        app.post("/token", &[("grant_type", "authorization_code"), ("code", "x")]).await.json()["error"],
        "invalid_grant"
    );
}

/// Whoever did not get the answer to an update has lost no secret by it.
#[tokio::test]
async fn a_secret_whose_answer_was_lost_can_be_had_again() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let client = registrar.registered(&metadata_with(json!({"token_endpoint_auth_method": "none"}))).await;
    let said = with(&client, "token_endpoint_auth_method", json!("client_secret_basic"));
    let lost: Value = registrar.update(&client, &said).await.json();
    let (read, again): (Value, Value) =
        (registrar.read(&client).await.json(), registrar.update(&client, &said).await.json());
    for told in [&read, &again] {
        assert_eq!((&told["client_secret"], &told["client_secret_expires_at"]), (&lost["client_secret"], &json!(0)));
    }
    assert_eq!(App::registered(&server, &again).redeem("no code").await.brief(), "400 invalid_grant");
    assert!(
        registrar.read(&again).await.json().get("client_secret").is_none(),
        "whoever has the next token has had it"
    );
}

// "The authorization server MAY reject or replace any of the client's requested metadata values submitted during the registration and
// substitute them with suitable values." (RFC 7591 §3.2.1)
#[tokio::test]
async fn tokens_travel_through_the_browser_where_both_settings_say_so() {
    let said = metadata_with(json!({
        "grant_types": ["authorization_code", "implicit"], "response_types": ["code", "id_token", "code id_token token"],
    }));
    let hybrid = metadata_with(json!({
        "grant_types": ["authorization_code", "implicit"], "response_types": ["code id_token"],
    }));
    for (implicit, allowed) in [(true, true), (true, false), (false, true), (false, false)] {
        let server = Server::start_with(|config| {
            config.registration.mode = Mode::Open;
            config.clients.allow_front_channel_tokens = allowed;
            config.registration.grant_types.extend(implicit.then_some(grantor_core::grant_type::GrantType::Implicit));
        })
        .await;
        let registrar = Registrar::new(&server);
        let (client, alone) = (registrar.registered(&said).await, registrar.register(&hybrid).await);
        if implicit && allowed {
            assert_eq!(
                (&client["response_types"], &client["grant_types"]),
                (&said["response_types"], &said["grant_types"])
            );
            assert_eq!(alone.status, 201);
            let address = with(&client, "redirect_uris", json!(["http://127.0.0.1/cb"]));
            assert_eq!(registrar.update(&client, &address).await.brief(), "400 invalid_redirect_uri");
        } else {
            assert_eq!(
                (&client["response_types"], &client["grant_types"]),
                (&json!(["code"]), &json!(["authorization_code"]))
            );
            assert!(told(&alone).contains("response_types: names none that is offered"), "{}", told(&alone));
        }
    }
}

#[tokio::test]
async fn what_a_list_leaves_empty_is_left_open() {
    let server = open().await;
    let said = metadata_with(json!({"grant_types": [], "response_types": []}));
    let client = Registrar::new(&server).registered(&said).await;
    assert_eq!((&client["grant_types"], &client["response_types"]), (&json!(["authorization_code"]), &json!(["code"])));
}

// "If this is requested, the response will be signed then encrypted" (OIDC Registration §2)
#[tokio::test]
async fn an_app_that_registered_itself_gets_answers_encrypted_to_its_key() {
    let server = open().await;
    let key = DecryptionKey::generate(Curve::X25519, &Random::new()).unwrap();
    let registrar = Registrar::new(&server);
    let asked = json!({"id_token_encrypted_response_alg": "ECDH-ES", "id_token_encrypted_response_enc": "A256GCM"});
    let without = registrar.register(&metadata_with(asked.clone())).await;
    assert!(told(&without).contains("id_token_encrypted_response_alg: needs a public key"), "{}", told(&without));
    let mut said = metadata_with(asked);
    said["jwks"] = json!({ "keys": [key.jwk()] });
    let client = registrar.registered(&said).await;
    assert_eq!(
        (&client["id_token_encrypted_response_alg"], &client["id_token_encrypted_response_enc"]),
        (&json!("ECDH-ES"), &json!("A256GCM"))
    );
    let tokens = App::registered(&server, &client).tokens("openid").await;
    assert!(decrypt(tokens.id(), &[&key]).is_ok());
}

/// What anybody can write says no more than the address that it stands in.
#[tokio::test]
async fn an_object_that_nobody_signed_asks_for_nothing_that_a_plain_request_may_not() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let client = registrar.registered(&metadata_with(json!({"request_object_signing_alg": "none"}))).await;
    let documents = registrar.send("GET", "/.well-known/openid-configuration", None, "").await.json();
    let offered = documents["request_object_signing_alg_values_supported"].as_array().unwrap();
    assert!(!offered.contains(&json!("none")), "what a stranger says of itself is offered to nobody else");
    let (app, person) = (App::registered(&server, &client), Person::new(&server));
    let object = |redirect_uri: &str| {
        let plain = Assertion::new(&server).claim("sub", Value::Null).header("alg", "none").header("kid", Value::Null);
        let plain = plain.claim("iss", client["client_id"].clone()).claim("nonce", "of the object");
        format!("{}.", plain.claim("redirect_uri", redirect_uri).unsigned())
    };
    let answer = app.approved_with(&person, "openid", &[("request", &object(HERE))]).await;
    let tokens = Tokens(app.redeem(&answer.param("code")).await.json());
    assert_eq!(claims(tokens.id())["nonce"], "of the object");
    let elsewhere = app.asks(&person, "openid", &[("request", &object("https://evil.example/cb"))]).await;
    assert_eq!(elsewhere.name(), "error");
    let signed =
        registrar.registered(&metadata_with(json!({"request_object_signing_alg": "ES256", "jwks": public()}))).await;
    let page =
        App::registered(&server, &signed).asks(&Person::new(&server), "openid", &[("request", &object(HERE))]).await;
    assert_eq!(Answer::of(&page).param("error"), "invalid_request_object");
}

/// The public part of the key of the seeds.
fn public() -> Value {
    let mut key: Value = serde_json::from_str(SIGNED_KEY).unwrap();
    key.as_object_mut().unwrap().remove("d");
    json!({ "keys": [key] })
}

#[tokio::test]
async fn what_other_parts_read_comes_back() {
    let server = open().await;
    let said = metadata_with(json!({
        "token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "ES256",
        "jwks_uri": "https://notebook.example/jwks", "request_object_signing_alg": "ES256", "require_signed_request_object": true,
        "subject_type": "public", "userinfo_encrypted_response_alg": "RSA-OAEP-256", "userinfo_encrypted_response_enc": "A128GCM",
        "backchannel_logout_uri": "https://notebook.example/back", "backchannel_logout_session_required": true,
        "frontchannel_logout_uri": "https://notebook.example/front", "frontchannel_logout_session_required": true,
        "post_logout_redirect_uris": ["https://notebook.example/out"],
    }));
    let registrar = Registrar::new(&server);
    let client = registrar.registered(&said).await;
    for (name, value) in said.as_object().unwrap() {
        assert_eq!(&client[name], value, "{name}");
    }
    assert!(client.get("client_secret").is_none());
    assert_eq!(registrar.update(&client, &unchanged(&client)).await.status, 200);
}

/// Switched off, it is off for those that have a token, too.
#[tokio::test]
async fn where_registration_is_switched_off_nothing_is_done_any_more() {
    let server = Server::start_with(|config| config.registration.mode = Mode::InitialAccessToken).await;
    let made = command::registration(server.config(), &["token", "add", "--name", "CI", "--uses", "9"]).await.unwrap();
    let token = made.lines().next().unwrap();
    server.clock.catch_up();
    let client: Value = Registrar::new(&server).register_with(token, &metadata()).await.json();
    let off = server.another_node_with(|config| config.registration.mode = Mode::Off).await;
    let registrar = Registrar::new(&off);
    let path = client["registration_client_uri"].as_str().unwrap().strip_prefix(&server.url).unwrap();
    let own = client["registration_access_token"].as_str();
    let moved = with(&client, "redirect_uris", json!(["https://evil.example/cb"])).to_string();
    for (method, path, token, body) in [
        ("POST", "/register", Some(token), metadata().to_string()),
        ("GET", path, own, String::new()),
        ("PUT", path, own, moved),
        ("DELETE", path, own, String::new()),
    ] {
        assert_eq!(registrar.send(method, path, token, body).await.status, 404, "{method}");
    }
    assert_eq!(server.database.registrations_count(10).await.unwrap(), 1);
    server.database.refresh_directory().await.unwrap();
    assert_eq!(Registrar::new(&server).read(&client).await.json()["redirect_uris"], client["redirect_uris"]);
    let list = command::registration(server.config(), &["token", "list"]).await.unwrap();
    assert!(list.contains("8 of 9"), "{list}");
}
