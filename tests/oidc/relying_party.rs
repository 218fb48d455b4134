//! The whole flow by an app that checks everything, for each kind of app and each algorithm that is offered.

use std::time::Duration;

use grantor_core::change::Change;
use grantor_core::store::Store;
use openidconnect::{OAuth2TokenResponse, TokenResponse};

use crate::harness::app::{Answer, App, claims, header};
use crate::harness::page::Form;
use crate::harness::person::Person;
use crate::harness::relying_party::{Proof, RelyingParty, SignedIn};
use crate::harness::seeds::{ALICE_PASSWORD, BOB, BOB_PASSWORD, SECRET};
use crate::harness::server::Server;

const REDIRECT_URI: &str = "https://rp.example/cb";

/// Declares one app that gets ID tokens of `algorithm`, for each way to prove who it is.
fn declaration(algorithm: &str) -> String {
    let app = |proof: Proof| {
        let name = proof.as_str();
        let secret = match proof {
            Proof::Basic | Proof::Post => format!("client_secret = \"{SECRET}\""),
            Proof::Key => r#"jwks = { keys = [{ kty = "EC", crv = "P-256", kid = "signed-1", alg = "ES256", use = "sig", x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" }] }"#.into(),
            Proof::Nothing => String::new(),
        };
        format!(
            r#"
            [[clients]]
            client_id = "rp-{name}"
            token_endpoint_auth_method = "{name}"
            {secret}
            redirect_uris = ["{REDIRECT_URI}"]
            grant_types = ["authorization_code", "refresh_token"]
            scope = "openid profile email offline_access"
            id_token_signed_response_alg = "{algorithm}"
            userinfo_signed_response_alg = "RS256"
            "#
        )
    };
    Proof::ALL.map(app).concat()
}

/// One person signs in to each kind of app, with each way in which the answer can travel.
async fn every_kind_of_app_gets_id_tokens_signed_with(algorithm: &str) {
    let server = Server::start().await;
    server.apply(&declaration(algorithm)).await;
    let person = Person::new(&server);
    for proof in Proof::ALL {
        let app = RelyingParty::discover(&server, &format!("rp-{}", proof.as_str()), REDIRECT_URI, proof).await;
        for mode in ["query", "form_post"] {
            let signed_in = app.sign_in(&person, "openid profile offline_access", &[("response_mode", mode)]).await;
            assert_eq!(signed_in.algorithm(), algorithm, "{proof:?} {mode}");
            let name = app.userinfo(&signed_in, true).await.name().and_then(|name| name.get(None)).cloned();
            assert_eq!(name.map(|name| name.to_string()).as_deref(), Some("Alice Liddell"), "{proof:?} {mode}");
            assert_eq!(app.refresh(&signed_in).await.algorithm(), algorithm, "{proof:?} {mode}");
        }
    }
}

// "The signing party MUST select a signature algorithm based on the algorithms supported by the recipient."
// (OIDC Core §10.1)
#[tokio::test]
async fn every_kind_of_app_gets_id_tokens_by_es256() {
    every_kind_of_app_gets_id_tokens_signed_with("ES256").await;
}

// "ID Tokens MUST be signed using JWS [JWS] and optionally both signed and then encrypted using JWS [JWS] and JWE [JWE]
// respectively, thereby providing authentication, integrity, non-repudiation, and optionally, confidentiality, per Section
// 16.14." (OIDC Core §2)
// "OPs MUST support signing ID Tokens with the RSA SHA-256 algorithm (an "alg" value of "RS256"), unless the OP only
// supports returning ID Tokens from the Token Endpoint (as is the case for the Authorization Code Flow) and only allows
// Clients to register specifying "none" as the requested ID Token signing algorithm." (OIDC Core §15.1)
#[tokio::test]
async fn every_kind_of_app_gets_id_tokens_by_rs256() {
    every_kind_of_app_gets_id_tokens_signed_with("RS256").await;
}

#[tokio::test]
async fn every_kind_of_app_gets_id_tokens_by_eddsa() {
    every_kind_of_app_gets_id_tokens_signed_with("EdDSA").await;
}

#[tokio::test]
async fn every_kind_of_app_gets_id_tokens_by_ps256() {
    every_kind_of_app_gets_id_tokens_signed_with("PS256").await;
}

#[tokio::test]
async fn a_native_app_gets_its_answer_on_whatever_port_it_listens() {
    let server = Server::start().await;
    let person = Person::new(&server);
    for port in [1024, 49152, 65535] {
        let redirect_uri = format!("http://127.0.0.1:{port}/cb");
        let app = RelyingParty::discover(&server, "native", &redirect_uri, Proof::Nothing).await;
        let signed_in = app.sign_in(&person, "openid profile", &[]).await;
        assert_eq!(claims(&signed_in.id_token())["aud"][0], "native");
    }
}

async fn wiki(server: &Server) -> RelyingParty<'_> {
    RelyingParty::discover(server, "wiki", "https://wiki.example/cb", Proof::Basic).await
}

fn sid(signed_in: &SignedIn) -> String {
    signed_in.claims.additional_claims().sid.clone().expect("sid")
}

// "The "alg" value SHOULD be the default of "RS256" or the algorithm sent by the Client in the
// "id_token_signed_response_alg" parameter during Registration." (OIDC Core §3.1.3.7)
// "JWS "alg" algorithm [JWA] REQUIRED for signing the ID Token issued to this Client." (OIDC Registration §2)
#[tokio::test]
async fn an_app_that_registered_no_algorithm_gets_rs256() {
    let server = Server::start().await;
    let tokens = App::new(&server, "chat").tokens("openid").await;
    // "The default, if omitted, is RS256." (OIDC Registration §2)
    assert_eq!(header(tokens.id())["alg"], "RS256");
}

// "iss REQUIRED. ... sub REQUIRED. ... aud REQUIRED. ... exp REQUIRED. ... iat REQUIRED. ... When a "max_age" request is
// made or when "auth_time" is requested as an Essential Claim, then this Claim is REQUIRED; otherwise, its inclusion is
// OPTIONAL." (OIDC Core §2)
// "The issuer returned by discovery MUST exactly match the value of "iss" in the ID Token." (OIDC Core §16.15)
// "OPs MUST support returning the time at which the End-User authenticated via the "auth_time" Claim, when requested, as
// defined in Section 2." (OIDC Core §15.1)
#[tokio::test]
async fn an_id_token_says_who_where_when_and_how() {
    let server = Server::start().await;
    let person = Person::new(&server);
    person.sign_in().await;
    let signed_in_at = server.clock.read().seconds();
    server.clock.advance(Duration::from_secs(90));
    let now = server.clock.read().seconds();
    let token = wiki(&server).await.sign_in(&person, "openid", &[]).await.id_token();
    let token = claims(&token);
    // "REQUIRED. Issuer Identifier for the Issuer of the response." (OIDC Core §2)
    assert_eq!(token["iss"], server.url.as_str());
    // "It MUST contain the OAuth 2.0 "client_id" of the Relying Party as an audience value." (OIDC Core §2)
    assert_eq!(token["aud"], serde_json::json!(["wiki"]));
    assert_eq!((&token["iat"], &token["exp"]), (&now.into(), &(now + 600).into()));
    // "Time when the End-User authentication occurred." (OIDC Core §2)
    assert_eq!(token["auth_time"], signed_in_at);
    assert_eq!((&token["acr"], &token["amr"]), (&"urn:grantor:acr:password".into(), &serde_json::json!(["pwd"])));
}

#[tokio::test]
async fn an_id_token_holds_nothing_about_the_person_that_was_not_asked_for() {
    let server = Server::start().await;
    let tokens = App::new(&server, "wiki").tokens("openid profile email groups").await;
    let claims = claims(tokens.id());
    let names: Vec<&str> = claims.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["acr", "amr", "at_hash", "aud", "auth_time", "exp", "iat", "iss", "nonce", "sid", "sub"]);
}

#[tokio::test]
async fn a_request_without_a_nonce_gets_none_back() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let tokens = App::new(&server, "wiki").tokens_with(&person, "openid", &[("nonce", "")]).await;
    assert!(claims(tokens.id()).get("nonce").is_none());
}

// "If present in the Authentication Request, Authorization Servers MUST include a "nonce" Claim in the ID Token with the
// Claim Value being the nonce value sent in the Authentication Request. Authorization Servers SHOULD perform no other
// processing on "nonce" values used." (OIDC Core §2)
#[tokio::test]
async fn a_nonce_comes_back_letter_for_letter() {
    let server = Server::start().await;
    let (person, wiki) = (Person::new(&server), App::new(&server, "wiki"));
    for nonce in ["a b", "ä€😀", "\"><script>", "%0d%0a", "nonce=1&x=2"] {
        let tokens = wiki.tokens_with(&person, "openid", &[("nonce", nonce)]).await;
        // "The value is passed through unmodified from the Authentication Request to the ID Token." (OIDC Core §3.1.2.1)
        assert_eq!(claims(tokens.id())["nonce"], nonce);
    }
}

#[tokio::test]
async fn without_openid_there_is_no_id_token() {
    let server = Server::start().await;
    let tokens = App::new(&server, "wiki").tokens("profile notes.read").await;
    assert!(tokens.0.get("id_token").is_none(), "{}", tokens.0);
}

#[tokio::test]
async fn a_person_is_one_subject_for_all_apps_and_another_than_anybody_else() {
    let server = Server::start().await;
    let (alice, bob) = (Person::new(&server), Person::new(&server));
    let page = bob.open("/sign-in").await;
    bob.sign_in_on(&page, BOB, BOB_PASSWORD).await;
    let sub = async |person: &Person, app: &str| {
        claims(App::new(&server, app).tokens_with(person, "openid", &[]).await.id())["sub"].clone()
    };
    let of_alice = sub(&alice, "wiki").await;
    assert_eq!(sub(&alice, "chat").await, of_alice);
    // "A locally unique and never reassigned identifier within the Issuer for the End-User" (OIDC Core §2)
    assert_ne!(sub(&bob, "wiki").await, of_alice);
    // "It MUST NOT exceed 255 ASCII [RFC20] characters in length." (OIDC Core §2)
    assert!(of_alice.as_str().is_some_and(|sub| sub.is_ascii() && sub.len() <= 255 && !sub.contains("alice")));
}

// "The "sub" (subject) and "iss" (issuer) Claims from the ID Token, used together, are the only Claims that an RP can rely
// upon as a stable identifier for the End-User, since the "sub" Claim MUST be locally unique and never reassigned within the
// Issuer for a particular End-User, as described in Section 2." (OIDC Core §5.7)
#[tokio::test]
async fn a_name_that_is_given_to_somebody_else_is_another_subject() {
    let server = Server::start().await;
    let sub = async || claims(App::new(&server, "portal").tokens("openid").await.id())["sub"].clone();
    let before = sub().await;
    let alice = server.database.user_find_by_username("alice").await.unwrap().unwrap();
    server.database.commit(vec![Change::UserRemove(alice.id)]).await.unwrap();
    server.apply(&format!("[[users]]\nusername = \"alice\"\npassword = \"{ALICE_PASSWORD}\"\n")).await;
    assert_ne!(sub().await, before);
}

#[tokio::test]
async fn all_apps_of_one_sign_in_have_one_sid_and_the_next_sign_in_has_another() {
    let server = Server::start().await;
    let (app, person) = (wiki(&server).await, Person::new(&server));
    let spa = RelyingParty::discover(&server, "spa", "https://board.example/cb", Proof::Nothing).await;
    let first = app.sign_in(&person, "openid", &[]).await;
    assert_eq!(sid(&spa.sign_in(&person, "openid", &[]).await), sid(&first));
    let elsewhere = app.sign_in(&Person::new(&server), "openid", &[]).await;
    assert_ne!(sid(&elsewhere), sid(&first));
    assert_eq!(elsewhere.claims.subject(), first.claims.subject());
}

#[tokio::test]
async fn a_refreshed_id_token_is_of_the_same_sign_in_and_without_a_nonce() {
    let server = Server::start().await;
    let app = wiki(&server).await;
    let first = app.sign_in(&Person::new(&server), "openid offline_access", &[]).await;
    server.clock.advance(Duration::from_hours(3));
    let second = app.refresh(&first).await;
    assert_eq!((sid(&second), second.claims.auth_time()), (sid(&first), first.claims.auth_time()));
    // "its "iat" Claim MUST represent the time that the new ID Token is issued" (OIDC Core §12.2)
    assert_eq!(second.claims.issue_time().timestamp(), server.clock.read().seconds());
    assert!(second.claims.nonce().is_none());
}

#[tokio::test]
async fn what_the_app_did_not_ask_for_does_not_bother_it() {
    let server = Server::start().await;
    let (app, person) = (wiki(&server).await, Person::new(&server));
    // "Scope values used that are not understood by an implementation SHOULD be ignored." (OIDC Core §3.1.2.1)
    // "As specified in OAuth 2.0 [RFC6749], Authorization Servers SHOULD ignore unrecognized request parameters."
    // (OIDC Core §3.1.2.2)
    let signed_in = app.sign_in(&person, "openid bogus", &[("unheard_of", "1"), ("claims_locales", "de")]).await;
    assert_eq!(claims(&signed_in.id_token())["aud"][0], "wiki");
}

#[tokio::test]
async fn an_authorization_request_may_be_posted() {
    let server = Server::start().await;
    let (person, wiki) = (Person::new(&server), App::new(&server, "wiki"));
    person.sign_in().await;
    let request = wiki.request("openid");
    let post = Form { action: server.at("/authorize").parse().unwrap(), fields: request };
    // "Authorization Servers MUST support the use of the HTTP "GET" and "POST" methods" (OIDC Core §3.1.2.1)
    let page = person.follow(person.post_with(&post, &[("origin", "https://wiki.example")]).await).await;
    let answer = Answer::of(&person.approve(page).await);
    assert_eq!(wiki.redeem(&answer.param("code")).await.status, 200);
}

// "A refresh token SHOULD NOT be included." (RFC 6749 §4.4.3)
#[tokio::test]
async fn an_app_gets_a_token_of_its_own_by_secret_and_by_key() {
    let server = Server::start().await;
    for (client_id, proof) in [("service", Proof::Basic), ("signed", Proof::Key)] {
        let app = RelyingParty::discover(&server, client_id, REDIRECT_URI, proof).await;
        let tokens = app.own_tokens("notes.read").await;
        assert_eq!(claims(tokens.access_token().secret())["sub"], client_id);
        assert!(tokens.refresh_token().is_none() && tokens.id_token().is_none());
    }
}
