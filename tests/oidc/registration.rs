//! Dynamic registration, in the order of OpenID Connect Registration 1.0.

use std::time::Duration;

use grantor_core::registration::Mode;
use serde_json::json;

use super::logout::{address, confirm};
use crate::harness::app::{App, Tokens, claims};
use crate::harness::person::Person;
use crate::harness::registrar::{Registrar, metadata, metadata_with};
use crate::harness::server::Server;

/// A server at which anybody may register an app.
pub async fn open() -> Server {
    Server::start_with(|config| config.registration.mode = Mode::Open).await
}

// "To support open Dynamic Registration, the Client Registration Endpoint SHOULD accept registration requests without OAuth
// 2.0 Access Tokens." (OIDC Registration §3)
// "Implementations MUST either return both a Client Configuration Endpoint and a Registration Access Token or neither of
// them." (OIDC Registration §3.2)
// "If a Client Configuration Endpoint and a Registration Access Token are returned by the initial registration of the
// Client, the Authorization Server MUST provide the Client with the fully qualified URL in the "registration_client_uri"
// element of the Client Registration Response, per Section 3.2." (OIDC Registration §4.1)
// "To support open registration and facilitate wider interoperability, the client registration endpoint SHOULD allow registration
// requests with no authorization (which is to say, with no initial access token in the request)." (RFC 7591 §3)
#[tokio::test]
async fn an_app_registers_signs_somebody_in_and_reads_what_it_is() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let client = registrar.registered(&metadata()).await;
    let app = App::registered(&server, &client);
    let tokens = Tokens(app.redeem(&app.code("openid email").await).await.json());
    assert_eq!(claims(tokens.id())["aud"][0], client["client_id"]);
    let read = registrar.read(&client).await;
    assert_eq!(read.status, 200, "{}", read.whole());
    let read: serde_json::Value = read.json();
    for name in ["client_id", "client_name", "redirect_uris", "registration_access_token", "registration_client_uri"] {
        assert_eq!(read[name], client[name], "{name}");
    }
}

// "client_name OPTIONAL. Name of the Client to be presented to the End-User. If desired, representation of this Claim in different
// languages and scripts is represented as described in Section 2.1." (OIDC Registration §2)
#[tokio::test]
async fn people_are_shown_the_name_in_their_language() {
    let server = open().await;
    let said = metadata_with(json!({"client_name#de": "Notizbuch", "client_name#fr": "Carnet"}));
    let client = Registrar::new(&server).registered(&said).await;
    assert_eq!(client["client_name#de"], "Notizbuch");
    let app = App::registered(&server, &client);
    for (language, name) in [("de", "Notizbuch"), ("en", "Notebook")] {
        let person = Person::with_language(&server, language);
        let page = app.asks(&person, "openid", &[]).await;
        assert!(page.text().contains(name), "{language}: {}", page.text());
    }
}

// "URI using the "https" scheme that a third party can use to initiate a login by the RP" (OIDC Registration §2)
// "iss REQUIRED. Issuer Identifier for the OP that the RP is to send the Authentication Request to." (OIDC Core §4)
#[tokio::test]
async fn an_app_is_opened_from_the_account_where_it_says_how() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    for (uri, shown) in [("https://notebook.example/start?a=1", true), ("https://bank.example/start", false)] {
        let client = registrar.registered(&metadata_with(json!({"initiate_login_uri": uri}))).await;
        let (app, person) = (App::registered(&server, &client), Person::new(&server));
        app.approved_by(&person, "openid").await;
        let page = person.open("/account/apps").await;
        let issuer: String = url::form_urlencoded::byte_serialize(server.url.as_bytes()).collect();
        let link = format!("a[href=\"{uri}&iss={issuer}\"]");
        assert_eq!(page.has(&link), shown, "{link}: {}", page.body);
        assert!(!page.body.contains("bank.example"));
    }
}

// "Default Maximum Authentication Age. Specifies that the End-User MUST be actively authenticated if the End-User was authenticated
// longer ago than the specified number of seconds." (OIDC Registration §2)
#[tokio::test]
async fn the_maximum_age_that_is_registered_holds_for_requests_that_name_none() {
    let server = open().await;
    let client = Registrar::new(&server).registered(&metadata_with(json!({"default_max_age": 60}))).await;
    let (app, person) = (App::registered(&server, &client), Person::new(&server));
    app.approved_by(&person, "openid").await;
    assert!(app.asks(&person, "openid", &[]).await.location().is_some());
    server.clock.advance(Duration::from_secs(61));
    assert_eq!(app.asks(&person, "openid", &[]).await.name(), "sign-in");
}

// "It MUST NOT be currently valid for any other registered Client." (OIDC Registration §3.2)
#[tokio::test]
async fn registered_twice_it_is_two_apps() {
    let server = open().await;
    let registrar = Registrar::new(&server);
    let (one, two) = (registrar.registered(&metadata()).await, registrar.registered(&metadata()).await);
    let code = App::registered(&server, &one).code("openid").await;
    assert_eq!(App::registered(&server, &two).redeem(&code).await.brief(), "400 invalid_grant");
    assert_eq!(server.reason().await, "CodeClientMismatch");
}

// "the OP MUST NOT perform post-logout redirection unless the OP has other means of confirming the legitimacy of the
// post-logout redirection target." (OIDC RP-Initiated Logout §3)
#[tokio::test]
async fn nobody_is_sent_on_by_a_sign_out_to_an_app_that_registered_itself_without_having_been_there() {
    let server = open().await;
    let out = "https://notebook.example/out";
    let said = metadata_with(json!({"post_logout_redirect_uris": [out]}));
    let client = Registrar::new(&server).registered(&said).await;
    let (app, person) = (App::registered(&server, &client), Person::new(&server));
    let unproven = [("client_id", client["client_id"].as_str().unwrap()), ("post_logout_redirect_uri", out)];
    let page = person.open(address(&server, &unproven)).await;
    assert_eq!((page.status.as_u16(), page.name().as_str(), page.location()), (200, "signed-out", None));
    assert_eq!(page.attribute("#back", "href").as_deref(), Some(out));
    assert!(page.first_text("#unchecked").contains("https://notebook.example"), "{}", page.text());
    // Who was there, and says so, goes on at once; so does who has just said yes, and where an administrator knows the app.
    let tokens = app.tokens_with(&person, "openid", &[]).await;
    let page = confirm(&person, &person.get(address(&server, &unproven)).await).await;
    assert_eq!(page.location().unwrap().as_str(), out);
    let proven = [("id_token_hint", tokens.id()), ("post_logout_redirect_uri", out)];
    assert_eq!(person.open(address(&server, &proven)).await.location().unwrap().as_str(), out);
    let declared = [("client_id", "wiki"), ("post_logout_redirect_uri", "https://wiki.example/out")];
    let page = person.open(address(&server, &declared)).await;
    assert_eq!(page.location().unwrap().as_str(), "https://wiki.example/out");
}
