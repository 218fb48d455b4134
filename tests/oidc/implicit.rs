//! The implicit flow (OIDC Core §3.2): all tokens come through the browser.

use std::time::Duration;

use openidconnect::core::CoreAuthenticationFlow;

use crate::harness::app::{Answer, App, claims};
use crate::harness::front_channel::{self, redirect_uri};
use crate::harness::person::Person;
use crate::harness::relying_party::{Proof, RelyingParty};
use crate::harness::server::Server;

const BOTH: [&str; 2] = ["id_token", "id_token token"];

fn app<'a>(server: &'a Server, client_id: &str) -> App<'a> {
    App::new(server, client_id).at(&redirect_uri(client_id))
}

async fn answer(app: &App<'_>, person: &Person, scope: &str, kind: &str) -> Answer {
    app.approved_with(person, scope, &[("response_type", kind), ("code_challenge", ""), ("code_challenge_method", "")])
        .await
}

// "Authorization Server sends the End-User back to the Client with an ID Token and, if requested, an Access Token."
// (OIDC Core §3.2.1)
// "id_token REQUIRED. ID Token." (OIDC Core §3.2.2.5)
#[tokio::test]
async fn an_app_that_checks_everything_signs_a_person_in() {
    let server = front_channel::server().await;
    for (client_id, proof) in [("implicit", Proof::Nothing), ("hybrid", Proof::Basic), ("quiet", Proof::Basic)] {
        let person = Person::new(&server);
        let app = RelyingParty::discover(&server, client_id, &redirect_uri(client_id), proof).await;
        for with_token in [false, true] {
            for mode in ["", "fragment", "form_post"] {
                let more: &[(&str, &str)] = if mode.is_empty() { &[] } else { &[("response_mode", mode)] };
                let started = app.begin_flow(CoreAuthenticationFlow::Implicit(with_token), "openid profile", more);
                let page = person.open(&started.url).await;
                let answer = Answer::of(&person.approve(page).await);
                let claims = app.receive(&started, &answer);
                assert_eq!(answer.has("access_token"), with_token, "{client_id} {mode}");
                assert!(claims.auth_time().is_some() && claims.auth_context_ref().is_some(), "{client_id} {mode}");
            }
        }
    }
}

// "nonce REQUIRED. String value used to associate a Client session with an ID Token, and to mitigate replay attacks."
// (OIDC Core §3.2.2.1)
// "Use of the "nonce" Claim is REQUIRED for this flow." (OIDC Core §3.2.2.10)
#[tokio::test]
async fn without_a_nonce_there_is_no_id_token() {
    let server = front_channel::server().await;
    let (implicit, person) = (app(&server, "implicit"), Person::new(&server));
    person.sign_in().await;
    for kind in BOTH {
        let page = implicit.asks(&person, "openid", &[("response_type", kind), ("nonce", "")]).await;
        let answer = Answer::of(&page);
        assert!(answer.is_in_fragment() && answer.param("error") == "invalid_request", "{kind}: {}", answer.0);
        assert_eq!(server.reason().await, "NonceMissing", "{kind}");
    }
}

// "OpenID Connect requests MUST contain the "openid" scope value." (OIDC Core §3.1.2.1)
#[tokio::test]
async fn without_openid_there_is_no_id_token() {
    let server = front_channel::server().await;
    let (implicit, person) = (app(&server, "implicit"), Person::new(&server));
    for kind in BOTH {
        let answer = Answer::of(&implicit.asks(&person, "profile", &[("response_type", kind)]).await);
        assert!(answer.is_in_fragment() && answer.param("error") == "invalid_scope", "{kind}: {}", answer.0);
        assert_eq!(server.reason().await, "OpenidMissing", "{kind}");
    }
}

// "The value MUST be "Bearer" or another "token_type" value that the Client has negotiated with the Authorization Server."
// (OIDC Core §3.2.2.5)
#[tokio::test]
async fn the_access_token_works_for_ten_minutes_at_userinfo_and_apis_know_it() {
    let server = Server::start_with(|config| {
        config.clients.allow_front_channel_tokens = true;
        config.lifetimes.access_token = Duration::from_hours(1);
    });
    let server = front_channel::with_apps(server.await).await;
    for client_id in ["implicit", "quiet"] {
        let app = app(&server, client_id);
        let answer = answer(&app, &Person::new(&server), "openid profile", "id_token token").await;
        let token = answer.param("access_token");
        assert_eq!((answer.param("token_type"), answer.param("expires_in")), ("Bearer".into(), "600".into()));
        assert_eq!(answer.param("scope"), "openid profile");
        assert_eq!(app.userinfo(&token).await.json()["name"], "Alice Liddell", "{client_id}");
        server.clock.advance(Duration::from_secs(599));
        assert_eq!(app.userinfo(&token).await.status, 200, "{client_id}");
        server.clock.advance(Duration::from_secs(1));
        assert_eq!(app.userinfo(&token).await.status, 401, "{client_id}");
    }
}

#[tokio::test]
async fn an_api_can_ask_about_the_access_token_and_the_app_can_revoke_it() {
    let server = front_channel::server().await;
    let (hybrid, api) = (app(&server, "hybrid"), App::new(&server, "notes-api"));
    let token = answer(&hybrid, &Person::new(&server), "openid notes.read", "id_token token").await;
    let token = token.param("access_token");
    let known = api.introspect(&token).await;
    assert_eq!((&known["active"], &known["client_id"]), (&true.into(), &"hybrid".into()), "{known}");
    assert_eq!(hybrid.revoke(&token).await.status, 200);
    assert_eq!(api.introspect(&token).await["active"], false);
}

// "If the resource owner denies the access request or if the request fails for reasons other than a missing or invalid
// redirection URI, the authorization server informs the client by adding the following parameters to the fragment component of
// the redirection URI" (RFC 6749 §4.2.2.1)
// "Whenever Error Response parameters are returned, such as when End-User denies the authorization or the End-User
// authentication fails, the Authorization Server MUST return the error Authorization Response in the fragment component of
// the Redirection URI, as defined in Section 4.2.2.1 of OAuth 2.0 [RFC6749] and OAuth 2.0 Multiple Response Type Encoding
// Practices [OAuth.Responses], unless a different Response Mode was specified." (OIDC Core §3.2.2.6)
// "REQUIRED if the "state" parameter is present in the Authorization Request." (OIDC Core §3.2.2.5)
#[tokio::test]
async fn nobody_signed_in_is_told_in_the_fragment() {
    let server = front_channel::server().await;
    let (implicit, person) = (app(&server, "implicit"), Person::new(&server));
    for kind in BOTH {
        let page = implicit.asks(&person, "openid", &[("response_type", kind), ("prompt", "none")]).await;
        let answer = Answer::of(&page);
        assert!(answer.is_in_fragment(), "{}", answer.0);
        assert_eq!((answer.param("error"), answer.param("state")), ("login_required".into(), "the-state".into()));
    }
}

// "If the ID Token is issued from the Authorization Endpoint with an "access_token" value, which is the case for the
// "response_type" value "id_token token", this is REQUIRED; it MAY NOT be used when no Access Token is issued, which is the case
// for the "response_type" value "id_token"." (OIDC Core §3.2.2.10)
#[tokio::test]
async fn at_hash_is_there_where_an_access_token_is() {
    let server = front_channel::server().await;
    let (implicit, person) = (app(&server, "implicit"), Person::new(&server));
    for kind in BOTH {
        let token = claims(&answer(&implicit, &person, "openid", kind).await.param("id_token"));
        let here = ["at_hash", "c_hash"].map(|name| token.get(name).is_some());
        assert_eq!(here, [kind == "id_token token", false], "{kind}");
        assert_eq!(token["nonce"], "the-nonce", "{kind}");
    }
}

// "However, when no Access Token is issued (which is the case for the "response_type" value "id_token"), the resulting Claims
// are returned in the ID Token." (OIDC Core §5.4)
#[tokio::test]
async fn an_id_token_that_comes_alone_says_who_the_person_is_as_far_as_they_allowed() {
    let server = front_channel::server().await;
    let (implicit, person) = (app(&server, "implicit"), Person::new(&server));
    let alone = claims(&answer(&implicit, &person, "openid profile", "id_token").await.param("id_token"));
    assert_eq!((&alone["name"], &alone["locale"], alone.get("email")), (&"Alice Liddell".into(), &"en".into(), None));
    let beside = claims(&answer(&implicit, &person, "openid profile", "id_token token").await.param("id_token"));
    let names: Vec<&str> = beside.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["acr", "amr", "at_hash", "aud", "auth_time", "exp", "iat", "iss", "nonce", "sid", "sub"]);
    assert_eq!((&alone["sub"], &alone["sid"]), (&beside["sub"], &beside["sid"]));
}

// "MUST ignore the "offline_access" request unless the Client is using a "response_type" value that would result in an
// Authorization Code being returned" (OIDC Core §11)
#[tokio::test]
async fn nobody_is_asked_for_offline_access_that_cannot_come_of_it() {
    let server = front_channel::server().await;
    let (implicit, person) = (app(&server, "implicit"), Person::new(&server));
    person.sign_in().await;
    let page = implicit.asks(&person, "openid offline_access", &[("response_type", "id_token token")]).await;
    assert!(!page.body.contains("offline_access"), "{}", page.text());
    let answer = Answer::of(&person.allow_on(&page).await);
    assert_eq!(answer.param("scope"), "openid");
    let alone = Answer::of(&implicit.asks(&person, "offline_access", &[("response_type", "id_token token")]).await);
    assert_eq!(alone.param("error"), "invalid_scope");
}

#[tokio::test]
async fn each_answer_is_an_approval_that_ends_with_the_session() {
    let server = front_channel::server().await;
    let (implicit, person) = (app(&server, "implicit"), Person::new(&server));
    let grants = || server.rows().into_iter().find(|(table, _)| *table == "grants").unwrap().1;
    answer(&implicit, &person, "openid", "id_token").await;
    assert_eq!(grants(), 1, "the app took part in the session, and has to hear of its end");
    let token = answer(&implicit, &person, "openid", "id_token token").await.param("access_token");
    assert_eq!(grants(), 2);
    assert_eq!(implicit.userinfo(&token).await.status, 200);
    let page = person.open("/account").await;
    person.send(&page.form(r#"form[action="/sign-out"]"#)).await;
    assert_eq!(implicit.userinfo(&token).await.status, 401);
}

#[tokio::test]
async fn a_person_sees_the_app_and_takes_its_access_back() {
    let server = front_channel::server().await;
    let (implicit, person) = (app(&server, "implicit"), Person::new(&server));
    let token = answer(&implicit, &person, "openid", "id_token token").await.param("access_token");
    assert!(person.open("/account/apps").await.text().contains("Implicit"));
    let page = person.open("/account/apps/remove?app=implicit").await;
    person.send(&page.form(r#"form[action="/account/apps/remove"]"#)).await;
    assert_eq!(implicit.userinfo(&token).await.status, 401);
}

#[tokio::test]
async fn tokens_through_the_browser_are_counted() {
    let server = front_channel::server().await;
    let (hybrid, person) = (app(&server, "hybrid"), Person::new(&server));
    for kind in ["id_token token", "code token", "id_token", "code"] {
        answer_with_pkce(&hybrid, &person, kind).await;
    }
    server.app.keep_counts().await.unwrap();
    let day = server.clock.read().day();
    let counts = server.database.token_counts_of("hybrid", day).await.unwrap();
    assert_eq!(counts, [(day, "implicit".to_owned(), 2)]);
}

async fn answer_with_pkce(app: &App<'_>, person: &Person, kind: &str) -> Answer {
    app.approved_with(person, "openid", &[("response_type", kind)]).await
}

// "unsupported_grant_type The authorization grant type is not supported by the authorization server." (RFC 6749 §5.2)
#[tokio::test]
async fn the_token_endpoint_knows_no_implicit_grant() {
    let server = front_channel::server().await;
    let refused = app(&server, "hybrid").post("/token", &[("grant_type", "implicit")]).await;
    assert_eq!(refused.brief(), "400 unsupported_grant_type");
}

#[tokio::test]
async fn an_access_token_is_not_had_from_where_the_app_may_not_be() {
    let server = front_channel::server().await;
    server.clock.advance(Duration::from_secs(1));
    let declared = r#"
        [[clients]]
        client_id = "inside"
        client_secret = "a-secret-for-tests-and-nothing-else-at-all"
        redirect_uris = ["https://inside.example/cb"]
        grant_types = ["implicit"]
        response_types = ["id_token", "id_token token"]
        scope = "openid"
        networks = ["10.0.0.0/8"]"#;
    server.apply(declared).await;
    let (inside, person) = (app(&server, "inside"), Person::new(&server));
    let refused = answer(&inside, &person, "openid", "id_token token").await;
    assert!(refused.is_in_fragment() && !refused.has("access_token"), "{}", refused.0);
    assert_eq!(refused.param("error"), "access_denied");
    assert_eq!(server.reason().await, "FrontChannelNetwork");
}
