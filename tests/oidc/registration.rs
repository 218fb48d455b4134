//! Dynamic registration, in the order of OpenID Connect Registration 1.0.

use grantor_core::registration::Mode;
use serde_json::json;

use crate::harness::app::{App, Tokens, claims};
use crate::harness::person::Person;
use crate::harness::registrar::{Registrar, metadata, metadata_with};
use crate::harness::server::Server;

/// A server at which anybody may register an app.
pub async fn open() -> Server {
    Server::start_with(|config| config.registration.mode = Mode::Open).await
}

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
