//! The hybrid flow (OIDC Core §3.3): a code and tokens in one answer.

use openidconnect::Nonce;
use openidconnect::core::{CoreAuthenticationFlow, CoreResponseType};

use crate::harness::app::{Answer, App, Tokens, VERIFIER, claims};
use crate::harness::front_channel::{self, redirect_uri};
use crate::harness::person::Person;
use crate::harness::relying_party::{Proof, RelyingParty};
use crate::harness::server::Server;

const ALL: [&str; 3] = ["code id_token", "code token", "code id_token token"];

fn hybrid(server: &Server) -> App<'_> {
    App::new(server, "hybrid").at(&redirect_uri("hybrid"))
}

async fn answer(app: &App<'_>, person: &Person, scope: &str, kind: &str) -> Answer {
    app.approved_with(person, scope, &[("response_type", kind)]).await
}

fn flow(kind: &str) -> CoreAuthenticationFlow {
    let word = |word| match word {
        "code" => CoreResponseType::Code,
        "token" => CoreResponseType::Token,
        _ => CoreResponseType::IdToken,
    };
    CoreAuthenticationFlow::Hybrid(kind.split(' ').map(word).collect())
}

// "Client receives a response that contains an ID Token and Access Token in the response body." (OIDC Core §3.3.1)
// "If a "nonce" parameter is present in the Authentication Request, Authorization Servers MUST include a "nonce" Claim in
// the ID Token." (OIDC Core §3.3.2.11)
#[tokio::test]
async fn an_app_that_checks_everything_signs_a_person_in() {
    let server = front_channel::server().await;
    let app = RelyingParty::discover(&server, "hybrid", &redirect_uri("hybrid"), Proof::Basic).await;
    let person = Person::new(&server);
    for kind in ALL {
        for mode in ["fragment", "form_post"] {
            let started = app.begin_flow(flow(kind), "openid profile", &[("response_mode", mode)]);
            let page = person.open(&started.url).await;
            let answer = Answer::of(&person.approve(page).await);
            let first = kind.contains("id_token").then(|| app.receive(&started, &answer));
            let then = app.finish(started, &answer).await;
            // "the "iss" and "sub" Claim Values MUST be identical in both ID Tokens. All Claims about the Authentication event
            // present in either SHOULD be present in both." (OIDC Core §3.3.3.6)
            if let Some(first) = first {
                assert_eq!((first.issuer(), first.subject()), (then.claims.issuer(), then.claims.subject()), "{kind}");
                assert_eq!(first.auth_time(), then.claims.auth_time(), "{kind}");
                assert_eq!(first.auth_context_ref(), then.claims.auth_context_ref(), "{kind}");
                assert_eq!(first.auth_method_refs(), then.claims.auth_method_refs(), "{kind}");
                assert_eq!(first.additional_claims().sid, then.claims.additional_claims().sid, "{kind}");
                assert_eq!(first.nonce().map(Nonce::secret), then.claims.nonce().map(Nonce::secret), "{kind}");
            }
        }
    }
}

// "nonce REQUIRED if the Response Type of the request is "code id_token" or "code id_token token" and OPTIONAL when the Response
// Type of the request is "code token"." (OIDC Core §3.3.2.1)
// "Whenever Error Response parameters are returned, such as when End-User denies the authorization or the End-User
// authentication fails, the Authorization Server MUST return the error Authorization Response in the fragment component of
// the Redirection URI, as defined in Section 4.2.2.1 of OAuth 2.0 [RFC6749] and OAuth 2.0 Multiple Response Type Encoding
// Practices [OAuth.Responses], unless a different Response Mode was specified." (OIDC Core §3.3.2.6)
#[tokio::test]
async fn a_nonce_is_needed_where_an_id_token_comes_through_the_browser() {
    let server = front_channel::server().await;
    let (hybrid, person) = (hybrid(&server), Person::new(&server));
    for kind in ["code id_token", "code id_token token"] {
        let refused = hybrid.asks(&person, "openid", &[("response_type", kind), ("nonce", "")]).await;
        let refused = Answer::of(&refused);
        assert!(refused.is_in_fragment() && refused.param("error") == "invalid_request", "{kind}: {}", refused.0);
        assert_eq!(server.reason().await, "NonceMissing", "{kind}");
    }
    let answer = hybrid.approved_with(&person, "openid", &[("response_type", "code token"), ("nonce", "")]).await;
    assert_eq!(hybrid.redeem(&answer.param("code")).await.status, 200);
}

// "access_token OAuth 2.0 Access Token. This is returned when the "response_type" value used is "code token", or "code id_token
// token". (A "token_type" value is also returned in the same cases.)" (OIDC Core §3.3.2.5)
#[tokio::test]
async fn the_access_tokens_of_both_endpoints_are_different_and_work() {
    let server = front_channel::server().await;
    let (hybrid, person) = (hybrid(&server), Person::new(&server));
    for kind in ["code token", "code id_token token"] {
        let answer = answer(&hybrid, &person, "openid profile", kind).await;
        let tokens = Tokens(hybrid.redeem(&answer.param("code")).await.json());
        assert_ne!(answer.param("access_token"), tokens.access(), "{kind}");
        for token in [answer.param("access_token").as_str(), tokens.access()] {
            assert_eq!(hybrid.userinfo(token).await.json()["name"], "Alice Liddell", "{kind}");
        }
    }
}

#[tokio::test]
async fn an_access_token_may_come_without_any_id_token() {
    let server = front_channel::server().await;
    let (hybrid, person) = (hybrid(&server), Person::new(&server));
    let answer = answer(&hybrid, &person, "notes.read", "code token").await;
    assert_eq!(answer.param("scope"), "notes.read");
    assert!(hybrid.redeem(&answer.param("code")).await.json().get("id_token").is_none());
}

// "If the ID Token is issued from the Authorization Endpoint with a "code", which is the case for the "response_type" values
// "code id_token" and "code id_token token", this is REQUIRED; otherwise, its inclusion is OPTIONAL." (OIDC Core §3.3.2.11)
// "If the ID Token is issued from the Authorization Endpoint with an "access_token" value, which is the case for the
// "response_type" value "code id_token token", this is REQUIRED; otherwise, its inclusion is OPTIONAL."
// (OIDC Core §3.3.2.11)
#[tokio::test]
async fn an_id_token_shows_which_code_and_token_came_with_it() {
    let server = front_channel::server().await;
    let (hybrid, person) = (hybrid(&server), Person::new(&server));
    for kind in ["code id_token", "code id_token token"] {
        let token = claims(&answer(&hybrid, &person, "openid profile", kind).await.param("id_token"));
        let here = ["c_hash", "at_hash"].map(|name| token.get(name).is_some());
        assert_eq!(here, [true, kind.ends_with(" token")], "{kind}");
        // The app will have an access token to ask userinfo with.
        assert!(token.get("name").is_none(), "{kind}: {token}");
    }
}

// "Public clients MUST use PKCE [RFC7636] to this end" (RFC 9700 §2.1.1)
#[tokio::test]
async fn the_code_is_bound_to_its_request_as_ever() {
    let server = front_channel::server().await;
    let (hybrid, person) = (hybrid(&server), Person::new(&server));
    for kind in ALL {
        let changes = [("response_type", kind), ("code_challenge", ""), ("code_challenge_method", "")];
        let refused = Answer::of(&hybrid.asks(&person, "openid", &changes).await);
        assert!(refused.is_in_fragment() && refused.param("error") == "invalid_request", "{kind}: {}", refused.0);
        assert_eq!(server.reason().await, "ChallengeMissing", "{kind}");
        let code = answer(&hybrid, &person, "openid", kind).await.param("code");
        let other = VERIFIER.replace('d', "e");
        for verifier in ["", other.as_str()] {
            let refused = hybrid.redeem_with(&code, &[("code_verifier", verifier)]).await;
            assert_eq!(refused.brief(), "400 invalid_grant", "{kind}");
        }
        assert_eq!(hybrid.redeem(&code).await.status, 200, "{kind}");
        assert_eq!(hybrid.redeem(&code).await.brief(), "400 invalid_grant", "{kind}");
    }
}

#[tokio::test]
async fn offline_access_comes_of_the_code_alone() {
    let server = front_channel::server().await;
    let (hybrid, person) = (hybrid(&server), Person::new(&server));
    let answer = answer(&hybrid, &person, "openid offline_access", "code id_token token").await;
    assert_eq!(answer.param("scope"), "openid");
    let tokens = Tokens(hybrid.redeem(&answer.param("code")).await.json());
    let page = person.open("/account").await;
    person.send(&page.form(r#"form[action="/sign-out"]"#)).await;
    assert_eq!(hybrid.userinfo(&answer.param("access_token")).await.status, 401);
    assert_eq!(hybrid.refresh(tokens.refresh()).await.status, 200);
}

#[tokio::test]
async fn a_code_that_is_replayed_ends_what_it_became() {
    let server = front_channel::server().await;
    let (hybrid, person) = (hybrid(&server), Person::new(&server));
    let answer = answer(&hybrid, &person, "openid", "code token").await;
    let tokens = Tokens(hybrid.redeem(&answer.param("code")).await.json());
    assert_eq!(hybrid.redeem(&answer.param("code")).await.status, 400);
    assert_eq!(hybrid.userinfo(tokens.access()).await.status, 401);
}
