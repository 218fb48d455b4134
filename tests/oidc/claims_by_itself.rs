//! Claims that an app asks for by themselves, and not by the scope that they are of (OIDC Core §5.5).

use serde_json::json;

use crate::harness::app::{Answer, App, Tokens, claims};
use crate::harness::person::Person;
use crate::harness::server::Server;

// "If present, the listed Claims are being requested to be added to any Claims that are being requested using scope values."
// (OIDC Core §5.5)
#[tokio::test]
async fn a_claim_asked_for_by_itself_is_the_only_one_of_its_scope() {
    let server = Server::start().await;
    let (person, wiki) = (Person::new(&server), App::new(&server, "wiki"));
    let wanted = [("claims", r#"{"id_token":{"given_name":null},"userinfo":{"name":{"essential":true}}}"#)];
    person.sign_in().await;
    let page = person.open(wiki.authorize_url("openid", &wanted)).await;
    assert!(page.has(r#"input[name="scope"][value="profile"]"#), "people are asked: {}", page.body);
    let tokens = Tokens(wiki.redeem(&Answer::of(&person.allow_on(&page).await).param("code")).await.json());
    assert_eq!(
        wiki.userinfo(tokens.access()).await.json().as_object().unwrap().keys().collect::<Vec<_>>(),
        ["name", "sub"]
    );
    let token = claims(tokens.id());
    assert_eq!((&token["given_name"], token.get("name"), token.get("locale")), (&json!("Alice"), None, None));
    assert_eq!(tokens.0["scope"], "openid profile");
    let silent = wiki.asks(&Person::new(&server), "openid", &[wanted[0], ("prompt", "none")]).await;
    assert_eq!(Answer::of(&silent).param("error"), "login_required");
}
