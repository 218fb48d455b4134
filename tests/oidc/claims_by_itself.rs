//! Claims that an app asks for by themselves, and not by the scope that they are of (OIDC Core §5.5).

use serde_json::json;

use crate::harness::app::{Answer, App, Tokens, claims};
use crate::harness::front_channel;
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
}

/// What userinfo says beside the subject.
async fn told(app: &App<'_>, access_token: &str) -> Vec<String> {
    let told = app.userinfo(access_token).await.json();
    told.as_object().unwrap().keys().filter(|name| *name != "sub").cloned().collect()
}

// "Note that even if the Claims are not available because the End-User did not authorize their release or they are not present,
// the Authorization Server MUST NOT generate an error when Claims are not returned, whether they are Essential or Voluntary,
// unless otherwise specified in the description of the specific claim." (OIDC Core §5.5.1)
#[tokio::test]
async fn where_nobody_may_be_asked_a_claim_is_left_out_and_comes_once_it_was_allowed() {
    let server = Server::start().await;
    let (person, wiki) = (Person::new(&server), App::new(&server, "wiki"));
    wiki.approved_by(&person, "openid").await;
    for wanted in [r#"{"userinfo":{"email":null}}"#, r#"{"userinfo":{"email":{"essential":true}}}"#] {
        let silent = [("claims", wanted), ("prompt", "none")];
        let answer = Answer::of(&wiki.asks(&person, "openid", &silent).await);
        assert!(answer.has("code"), "{wanted}: {}", answer.0);
        let tokens = Tokens(wiki.redeem(&answer.param("code")).await.json());
        assert_eq!(
            (told(&wiki, tokens.access()).await, &tokens.0["scope"]),
            (Vec::new(), &json!("openid")),
            "{wanted}"
        );
    }
    let by_name = Answer::of(&wiki.asks(&person, "openid email", &[("prompt", "none")]).await);
    assert_eq!(by_name.param("error"), "consent_required", "a scope that is asked for by its name is no wish");
    server.clock.advance(std::time::Duration::from_secs(1));
    let wanted = ("claims", r#"{"userinfo":{"email":null}}"#);
    wiki.approved_with(&person, "openid", &[wanted]).await;
    let answer = Answer::of(&wiki.asks(&person, "openid", &[wanted, ("prompt", "none")]).await);
    let tokens = Tokens(wiki.redeem(&answer.param("code")).await.json());
    assert_eq!(told(&wiki, tokens.access()).await, ["email"], "the answer is remembered");
}

#[tokio::test]
async fn a_claim_whose_scope_is_not_ticked_is_not_told_and_no_error() {
    let server = Server::start().await;
    let (person, wiki) = (Person::new(&server), App::new(&server, "wiki"));
    let wanted = ("claims", r#"{"id_token":{"email":null},"userinfo":{"email":{"essential":true},"name":null}}"#);
    person.sign_in().await;
    let page = person.open(wiki.authorize_url("openid", &[wanted])).await;
    let form = page.form(r#"form[action="/consent"]"#).unticked("scope", "email").with("decision", "allow");
    let answer = Answer::of(&person.send(&form).await);
    let tokens = Tokens(wiki.redeem(&answer.param("code")).await.json());
    assert_eq!(told(&wiki, tokens.access()).await, ["name"]);
    assert_eq!((claims(tokens.id()).get("email"), &tokens.0["scope"]), (None, &json!("openid profile")));
    let again = Answer::of(&wiki.asks(&person, "openid", &[wanted]).await);
    assert!(again.has("code"), "nobody is asked twice: {}", again.0);
}

#[tokio::test]
async fn a_refreshed_token_tells_the_same_claims_and_no_other() {
    let server = Server::start().await;
    let (person, wiki) = (Person::new(&server), App::new(&server, "wiki"));
    let wanted = [("claims", r#"{"id_token":{"given_name":null},"userinfo":{"name":null}}"#)];
    let tokens = wiki.tokens_with(&person, "openid offline_access", &wanted).await;
    let refreshed = Tokens(wiki.refresh(tokens.refresh()).await.json());
    assert_eq!(told(&wiki, refreshed.access()).await, ["name"]);
    let token = claims(refreshed.id());
    assert_eq!((&token["given_name"], token.get("name"), token.get("locale")), (&json!("Alice"), None, None));
    // Who has allowed the scope for one claim has allowed it: asked for by its name, all of it is told.
    let answer = Answer::of(&wiki.asks(&person, "openid profile", &[]).await);
    let tokens = Tokens(wiki.redeem(&answer.param("code")).await.json());
    assert!(told(&wiki, tokens.access()).await.contains(&"locale".to_owned()));
}

// "When the "userinfo" member is used, the request MUST also use a "response_type" value that results in an Access Token being issued
// to the Client for use at the UserInfo Endpoint." (OIDC Core §5.5)
#[tokio::test]
async fn nobody_is_asked_for_what_only_userinfo_would_tell_where_there_is_no_access_token() {
    let server = front_channel::server().await;
    let (implicit, person) =
        (App::new(&server, "implicit").at(&front_channel::redirect_uri("implicit")), Person::new(&server));
    person.sign_in().await;
    for (kind, member, is_asked) in
        [("id_token", "userinfo", false), ("id_token token", "userinfo", true), ("id_token", "id_token", true)]
    {
        let wanted = format!(r#"{{"{member}":{{"email":null}}}}"#);
        let page = implicit.asks(&person, "openid", &[("response_type", kind), ("claims", &wanted)]).await;
        assert_eq!(page.name(), "consent", "{kind}");
        assert_eq!(page.has(r#"input[name="scope"][value="email"]"#), is_asked, "{kind}: {member}");
    }
}
