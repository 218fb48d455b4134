//! Offline access (OIDC Core §11): somebody has said yes to it, by name, before there is any.

use crate::harness::app::{Answer, App, Tokens};
use crate::harness::person::Person;
use crate::harness::seeds::SECRET;
use crate::harness::server::Server;

const BOX: &str = "input[name=scope][value='offline_access']";

// "When offline access is requested, a "prompt" parameter value of "consent" MUST be used unless other conditions for processing the
// request permitting offline access to the requested resources are in place. The OP MUST always obtain consent to returning a Refresh
// Token that enables offline access to the requested resources." (OIDC Core §11)
// "MUST ensure that the prompt parameter contains "consent" unless other conditions for processing the request permitting offline
// access to the requested resources are in place; unless one or both of these conditions are fulfilled, then it MUST ignore the
// "offline_access" request, ... MUST explicitly receive or have consent for offline access when the registered "application_type" is
// "web"," (OIDC Core §11)
#[tokio::test]
async fn offline_access_needs_an_answer_that_names_it() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    wiki.approved_by(&person, "openid").await;
    server.clock.advance(std::time::Duration::from_mins(1));
    let silent = [("prompt", "none")];
    let refused = Answer::of(&wiki.asks(&person, "openid offline_access", &silent).await);
    assert_eq!(refused.param("error"), "consent_required", "the answer of before was for less");
    let page = wiki.asks(&person, "openid offline_access", &[]).await;
    assert!(page.name() == "consent" && page.has(BOX), "{}", page.text());
    let form = page.form(r#"form[action="/consent"]"#).with("decision", "allow").unticked("scope", "offline_access");
    let tokens = Tokens(wiki.redeem(&Answer::of(&person.send(&form).await).param("code")).await.json());
    assert_eq!(tokens.0["scope"], "openid", "it was not ticked");
    server.clock.advance(std::time::Duration::from_mins(1));
    let again = Answer::of(&wiki.asks(&person, "openid offline_access", &silent).await);
    assert_eq!(wiki.redeem(&again.param("code")).await.json()["scope"], "openid", "nor is it later");
    let page = wiki.asks(&person, "openid offline_access", &[("prompt", "consent")]).await;
    let answer = Answer::of(
        &person
            .send(&page.form(r#"form[action="/consent"]"#).with("decision", "allow").ticked("scope", "offline_access"))
            .await,
    );
    assert_eq!(wiki.redeem(&answer.param("code")).await.json()["scope"], "offline_access openid");
}

// "SHOULD explicitly receive or have consent for offline access when the registered "application_type" is "native"." (OIDC Core §11)
#[tokio::test]
async fn a_native_app_that_anybody_can_be_is_asked_for_each_time() {
    let server = Server::start().await;
    server
        .apply(
            "[[clients]]\nclient_id = \"pocket\"\napplication_type = \"native\"\ntoken_endpoint_auth_method = \"none\"\n\
             redirect_uris = [\"http://127.0.0.1/cb\"]\ngrant_types = [\"authorization_code\", \"refresh_token\"]\n\
             scope = \"openid offline_access\"\nskip_consent = true\n",
        )
        .await;
    let (pocket, person) = (App::new(&server, "pocket").at("http://127.0.0.1:4000/cb"), Person::new(&server));
    person.sign_in().await;
    for _ in 0..2 {
        let page = pocket.asks(&person, "openid offline_access", &[]).await;
        assert!(page.name() == "consent" && page.has(BOX), "{}", page.text());
        assert!(Answer::of(&person.allow_on(&page).await).has("code"));
        server.clock.advance(std::time::Duration::from_mins(1));
    }
}

/// Where an administrator has answered for everybody, that is the other condition.
#[tokio::test]
async fn an_administrator_answers_for_offline_access_in_the_declaration() {
    let server = Server::start().await;
    server
        .apply(&format!(
            "[[clients]]\nclient_id = \"portal\"\nclient_secret = \"{SECRET}\"\nredirect_uris = [\"https://portal.example/cb\"]\n\
             grant_types = [\"authorization_code\", \"refresh_token\"]\nscope = \"openid offline_access\"\nskip_consent = true\n"
        ))
        .await;
    let (portal, person) = (App::new(&server, "portal"), Person::new(&server));
    let tokens = portal.tokens_with(&person, "openid offline_access", &[]).await;
    assert_eq!(tokens.0["scope"], "offline_access openid");
    person.sign_in().await;
    assert_eq!(portal.asks(&person, "openid offline_access", &[("prompt", "consent")]).await.name(), "consent");
}
