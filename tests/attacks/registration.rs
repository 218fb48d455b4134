//! Attacks on registration: nobody raises themselves, fills the database, or breaks it with what they send (SECURITY.md, DC).

use std::time::Duration;

use grantor_core::registration::Mode;
use grantor_core::store::Store;
use serde_json::{Value, json};

use crate::harness::app::{App, claims};
use crate::harness::command;
use crate::harness::person::Person;
use crate::harness::registrar::{Registrar, metadata, metadata_with, unchanged};
use crate::harness::server::{Server, unlimited};
use crate::oidc::registration::open;

/// DC-01
#[tokio::test]
async fn no_hostile_address_is_registered() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    for uri in [
        "javascript:alert(1)",
        "data:text/html,x",
        "https://a.example/cb#f",
        "vbscript:x",
        "https://*.example/cb",
        "https://a.example/*",
        "file:///etc/passwd",
        "",
        "not a uri",
        "//a.example/cb",
        "https://",
        "https://user:pw@a.example/cb",
        "https://a.example/\r\nX: y",
        "about:blank",
        "blob:https://a/1",
        "http://a.example/cb",
    ] {
        for kind in ["web", "native"] {
            let said = json!({"redirect_uris": [uri], "application_type": kind});
            assert_eq!(registrar.register(&said).await.brief(), "400 invalid_redirect_uri", "{uri} {kind}");
        }
        let said = metadata_with(json!({"post_logout_redirect_uris": [uri]}));
        assert_eq!(registrar.register(&said).await.brief(), "400 invalid_client_metadata", "{uri}");
    }
}

// "Native Clients MUST only register "redirect_uris" using custom URI schemes or loopback URLs using the "http" scheme"
// (OIDC Registration §2)
// "The Authorization Server MUST verify that all the registered "redirect_uris" conform to these constraints." (OIDC Registration
// §2)
// "registered redirection URI values MUST be one of:" (RFC 7591 §5)
#[tokio::test]
async fn a_native_app_answers_on_its_own_device() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let native =
        |uri: &str| json!({"redirect_uris": [uri], "application_type": "native", "token_endpoint_auth_method": "none"});
    for uri in ["com.example.notebook:/cb", "http://127.0.0.1/cb", "http://[::1]/cb", "http://localhost:8000/cb"] {
        assert_eq!(registrar.register(&native(uri)).await.status, 201, "{uri}");
    }
    assert_eq!(registrar.register(&native("https://a.example/cb")).await.brief(), "400 invalid_redirect_uri");
}

/// DC-04
#[tokio::test]
async fn nobody_raises_themselves() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let said = metadata_with(json!({
        "client_id": "wiki", "client_secret": "chosen-secret", "skip_consent": true, "trusted": true, "first_party": true,
        "trust": "administrator", "admin": true, "roles": ["admin"], "disabled": false, "require_pkce": false,
        "id_token_claims": ["email"], "networks": ["0.0.0.0/0"], "access_token_format": "opaque",
        "allowed_origins": ["https://evil.example"], "localized": {"client_name#de": "x"},
        "scope": "openid admin groups account:tokens notes.write",
        "grant_types": ["authorization_code", "client_credentials", "password", "urn:ietf:params:oauth:grant-type:token-exchange"],
    }));
    let client = registrar.registered(&said).await;
    assert_ne!((&client["client_id"], &client["client_secret"]), (&json!("wiki"), &json!("chosen-secret")));
    assert_eq!((&client["grant_types"], &client["scope"]), (&json!(["authorization_code"]), &json!("openid")));
    let kept = server.database.directory().clients[client["client_id"].as_str().unwrap()].metadata.clone();
    assert!(!kept.skip_consent && kept.require_pkce.is_none() && kept.id_token_claims.is_empty());
    assert!(kept.allowed_origins.is_none() && kept.localized.is_empty() && kept.networks.is_anywhere());
    for name in ["skip_consent", "trusted", "first_party", "admin", "roles", "trust", "disabled"] {
        assert!(client.get(name).is_none(), "{name}");
    }
    assert_eq!(App::registered(&server, &client).client_credentials("openid").await.brief(), "400 unauthorized_client");
    let mut raised = unchanged(&client);
    raised["skip_consent"] = json!(true);
    registrar.update(&client, &raised).await;
    let person = Person::new(&server);
    let page = App::registered(&server, &client).asks(&person, "openid groups account:tokens", &[]).await;
    let page = person.sign_in_on(&page, "alice", "correct horse battery staple").await;
    assert_eq!(page.name(), "consent");
}

// "The OpenID Provider SHOULD display this URL to the End-User if it is given." (OIDC Registration §2)
// "The Authorization Server SHOULD check to see if the "logo_uri" and "policy_uri" have the same host as the hosts defined
// in the array of "redirect_uris"." (OIDC Registration §9.1)
// "Unless used as a claim in a software statement, the authorization server MUST treat all client metadata as self-asserted. ... To
// counteract this, an authorization server MUST take appropriate steps to mitigate this risk by looking at the entire registration
// request and client configuration. The authorization server SHOULD check to see if the "logo_uri", "tos_uri", "client_uri", and
// "policy_uri" have the same host and scheme as the those defined in the array of "redirect_uris" and that all of these URIs
// resolve to valid web pages. Since these URI values that are intended to be displayed to the user at the authorization page, the
// authorization server SHOULD protect the user from malicious content hosted at the URLs where possible." (RFC 7591 §5)
#[tokio::test]
async fn people_are_told_that_nobody_has_checked_it() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let said = metadata_with(json!({
        "client_name": "Your Bank", "client_uri": "https://bank.example/", "policy_uri": "https://bank.example/privacy",
        "tos_uri": "https://notebook.example/terms", "logo_uri": "https://bank.example/logo.png",
    }));
    let client = registrar.registered(&said).await;
    let person = Person::new(&server);
    let page = App::registered(&server, &client).asks(&person, "openid", &[]).await;
    assert!(page.has("#unchecked") && page.text().contains("notebook.example"), "{}", page.text());
    let page = person.sign_in_on(&page, "alice", "correct horse battery staple").await;
    assert!(page.has("li.danger") && page.text().contains("Registered itself."), "{}", page.text());
    assert!(page.has("a[href=\"https://notebook.example/terms\"]"));
    assert!(!page.has("a[href*='bank.example']"), "nobody is led to another site: {}", page.body);
    assert_eq!(page.body.matches("bank.example").count(), 1, "nor is anything else of it repeated: {}", page.body);
    let told = page.first_text(".app-elsewhere");
    assert_eq!(told, "Privacy policy (another site than where this app answers): https://bank.example");
}

/// It may register any address beside its own: what people are shown is where this answer goes.
#[tokio::test]
async fn people_are_shown_where_the_answer_goes_and_no_other_address() {
    let server = open().await;
    let said = metadata_with(json!({
        "redirect_uris": ["https://bank.example/cb", "https://notebook.example/cb"], "client_uri": "https://bank.example/",
        "policy_uri": "https://bank.example/your-account-is-safe-here", "tos_uri": "https://notebook.example/terms",
        "logo_uri": "https://bank.example/logo.png",
    }));
    let client = Registrar::new(&server).registered(&said).await;
    let (app, person) = (App::registered(&server, &client).at("https://notebook.example/cb"), Person::new(&server));
    let mut page = app.asks(&person, "openid", &[]).await;
    let told = "Privacy policy (another site than where this app answers): https://bank.example";
    for shown in ["sign-in", "consent"] {
        assert_eq!((page.name().as_str(), page.first_text(".app-elsewhere").as_str()), (shown, told));
        assert_eq!(page.body.matches("bank.example").count(), 1, "and nothing else of it: {}", page.body);
        assert!(page.text().contains("notebook.example"), "{}", page.text());
        if shown == "sign-in" {
            page = person.sign_in_on(&page, "alice", "correct horse battery staple").await;
        }
    }
    person.approve(page).await;
    let page = person.open("/account/apps").await;
    assert!(page.text().contains("bank.example, notebook.example"), "all of them are named: {}", page.text());
}

/// DC-06
#[tokio::test]
async fn hostile_json_is_refused_with_a_reason() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let uris: Vec<String> = (0..20_000).map(|n| format!("https://a.example/{n}")).collect();
    let member = |text: &str| format!("{{\"redirect_uris\":[\"https://a.example/cb\"],{text}}}").into_bytes();
    let bodies: Vec<Vec<u8>> = vec![
        b"".into(),
        b"{".into(),
        b"[]".into(),
        b"null".into(),
        b"1".into(),
        b"\"x\"".into(),
        b"[".repeat(15_000),
        b"{\"a\":".repeat(3_000),
        b"{\"redirect_uris\":1}".into(),
        b"{\"redirect_uris\":[null]}".into(),
        b"{\"redirect_uris\":{\"a\":1}}".into(),
        member("\"client_name\":1"),
        member("\"jwks\":{\"keys\":[{\"kty\":\"EC\"}]}"),
        member("\"jwks\":{\"keys\":\"x\"}"),
        member("\"client_name\":\"\\u0000\""),
        member("\"client_name\":\"\\ud800\""),
        member("\"client_name\":\"\\u202eabc\""),
        member("\"default_max_age\":-1e999"),
        member("\"default_max_age\":18446744073709551616"),
        member("\"redirect_uris\":[\"javascript:1\"]"),
        member("\"contacts\":[[[[]]]]"),
        member(&format!("\"contacts\":[\"{}\"]", "x".repeat(3000))),
        member(&format!("\"client_name\":\"{}\"", "x".repeat(201))),
        b"\xff\xfe".into(),
        json!({"redirect_uris": uris[..101]}).to_string().into_bytes(),
    ];
    for body in bodies {
        let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        let page = registrar.register_raw(body).await;
        assert_eq!(page.status, 400, "{shown}: {}", page.whole());
        let error: Value = page.json();
        assert!(["invalid_client_metadata", "invalid_redirect_uri"].contains(&error["error"].as_str().unwrap()));
        assert!(
            error["error_description"]
                .as_str()
                .unwrap()
                .bytes()
                .all(|byte| (b' '..=b'~').contains(&byte) && byte != b'"')
        );
    }
    for large in [json!({"redirect_uris": uris}).to_string(), "x".repeat(2 << 20)] {
        assert_eq!(registrar.register_raw(large).await.status, 413);
    }
    assert_eq!(server.database.registrations_count(10).await.unwrap(), 0);
}

/// DC-06, DC-09: each member by itself, and the answer says which one it is.
#[tokio::test]
async fn a_hostile_value_of_any_member_is_refused_by_its_name() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let addresses =
        ["javascript:alert(1)", "http://notebook.example/x", "https://u@notebook.example/x", "//x", "", "x\r\ny"];
    let unlikely = [json!(1), json!([]), json!({}), json!(["x"]), json!("x".repeat(3000)), json!("\u{0}")];
    let of_texts: Vec<Value> = addresses.map(Value::from).into_iter().chain(unlikely.clone()).collect();
    let algorithms: Vec<Value> =
        ["HS1", "none ", "RSA1_5", "", "ES256K"].map(Value::from).into_iter().chain(unlikely).collect();
    let truths = ["yes", ""].map(Value::from).into_iter().chain([json!(1), json!([]), json!({})]).collect::<Vec<_>>();
    for (member, values) in [
        ("jwks_uri", &of_texts),
        ("sector_identifier_uri", &of_texts),
        ("backchannel_logout_uri", &of_texts),
        ("frontchannel_logout_uri", &of_texts),
        ("initiate_login_uri", &of_texts),
        ("token_endpoint_auth_signing_alg", &algorithms),
        ("request_object_signing_alg", &algorithms),
        ("id_token_encrypted_response_alg", &algorithms),
        ("id_token_encrypted_response_enc", &algorithms),
        ("userinfo_encrypted_response_alg", &algorithms),
        ("userinfo_encrypted_response_enc", &algorithms),
        ("subject_type", &algorithms),
        ("require_signed_request_object", &truths),
        ("backchannel_logout_session_required", &truths),
        ("frontchannel_logout_session_required", &truths),
        ("require_auth_time", &truths),
    ] {
        for value in values {
            let page = registrar.register(&metadata_with(json!({ member: value }))).await;
            let error: Value = page.json();
            let told = error["error_description"].as_str().unwrap_or_default();
            assert_eq!(page.brief(), "400 invalid_client_metadata", "{member}: {value}");
            assert!(told.starts_with(&format!("{member}: ")), "{member}: {value}: {told}");
        }
    }
    for name in [" ", "\u{3164}", "\u{2800}", "\u{E0041}", "\u{115F}\u{FFA0}", "\u{200D}", "Bank\u{E0020}"] {
        for member in ["client_name", "client_name#de"] {
            let page = registrar.register(&metadata_with(json!({ member: name }))).await;
            assert_eq!(page.brief(), "400 invalid_client_metadata", "{member}: {name:?}");
        }
    }
    assert_eq!(server.database.registrations_count(10).await.unwrap(), 0);
}

/// DC-07
#[tokio::test]
async fn one_address_and_all_together_register_so_many_apps_and_no_more() {
    let server = Server::start_with(|config| {
        unlimited(config);
        config.registration.mode = Mode::Open;
        (config.registration.most, config.registration.per_address) = (5, 3);
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let app = App::new(&server, "wiki");
    let from = async |address: &'static str| {
        let http = reqwest::Client::new().post(server.at("/register")).header("x-forwarded-for", address);
        let sent = http.header("content-type", "application/json").body(metadata().to_string()).send().await.unwrap();
        crate::harness::page::Page::of(sent).await
    };
    for _ in 0..3 {
        assert_eq!(from("192.0.2.1").await.status, 201);
    }
    assert_eq!(from("192.0.2.1").await.brief(), "429 temporarily_unavailable");
    assert_eq!(server.reason().await, "RegistrationsOfAddress");
    let (one, two, three) = tokio::join!(from("192.0.2.2"), from("192.0.2.3"), from("192.0.2.4"));
    let registered = [one, two, three].iter().filter(|page| page.status == 201).count();
    assert_eq!(registered, 2, "the limit holds for those that come at once, too");
    assert_eq!(from("2001:db8::1").await.brief(), "429 temporarily_unavailable");
    assert_eq!(server.reason().await, "RegistrationsTooMany");
    assert!(!app.code("openid").await.is_empty());
}

#[tokio::test]
async fn requests_to_register_are_counted_for_each_address() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let mut last = registrar.register_raw("").await;
    for _ in 0..700 {
        if last.status == 429 {
            break;
        }
        last = registrar.register_raw("").await;
    }
    assert_eq!(last.status, 429);
    assert!(last.header("ratelimit").unwrap().contains("registration-per-address"));
    server.clock.advance(Duration::from_mins(2));
    assert_eq!(registrar.register(&metadata()).await.status, 201);
}

/// A token is spent once, on whichever node.
#[tokio::test]
async fn an_initial_access_token_is_never_good_for_more_than_it_says() {
    let server = Server::start_with(|config| config.registration.mode = Mode::InitialAccessToken).await;
    let other = server.another_node_with(|config| config.registration = server.config().registration.clone()).await;
    let made = command::registration(server.config(), &["token", "add", "--name", "CI", "--uses", "3"]).await.unwrap();
    let token = made.lines().next().unwrap();
    server.clock.catch_up();
    let (here, there) = (Registrar::new(&server), Registrar::new(&other));
    let said = metadata();
    let mut answers = Vec::new();
    for _ in 0..6 {
        let (one, two) = tokio::join!(here.register_with(token, &said), there.register_with(token, &said));
        answers.extend([one, two]);
    }
    assert_eq!(answers.iter().filter(|page| page.status == 201).count(), 3);
    assert!(answers.iter().all(|page| [201, 401].contains(&page.status.as_u16())));
}

#[tokio::test]
async fn a_declaration_neither_takes_over_nor_removes_what_registered_itself() {
    let server = open().await;
    let client = Registrar::new(&server).registered(&metadata()).await;
    let client_id = client["client_id"].as_str().unwrap();
    server.clock.advance(Duration::from_secs(1));
    server.apply("[[clients]]\nclient_id = \"another\"\nredirect_uris = [\"https://another.example/cb\"]\n").await;
    assert!(server.database.directory().clients.contains_key(client_id));
    let secret = command::client(server.config(), &["secret", client_id]).await.unwrap_err().to_string();
    assert!(secret.contains("registered itself"), "{secret}");
    command::client(server.config(), &["remove", client_id]).await.unwrap();
    server.database.refresh_directory().await.unwrap();
    assert!(!server.database.directory().clients.contains_key(client_id));
}

/// What is signed for one client is of no use to another.
#[tokio::test]
async fn a_name_that_looks_like_another_app_gets_nothing_of_it() {
    let server = open().await;
    let client = Registrar::new(&server).registered(&metadata_with(json!({"client_name": "Wiki"}))).await;
    let app = App::registered(&server, &client);
    let tokens = crate::harness::app::Tokens(app.redeem(&app.code("openid").await).await.json());
    assert_eq!(claims(tokens.id())["aud"][0], client["client_id"]);
    assert_eq!(App::new(&server, "wiki").introspect(tokens.access()).await["active"], false);
}
