//! Proof Key for Code Exchange (RFC 7636): the code is good only for whoever asked for it.

use crate::harness::app::{Answer, App, VERIFIER};
use crate::harness::person::Person;
use crate::harness::server::Server;

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

// "If the server requires Proof Key for Code Exchange (PKCE) by OAuth public clients and the client does not send the
// "code_challenge" in the request, the authorization endpoint MUST return the authorization error response with the "error"
// value set to "invalid_request"." (RFC 7636 §4.4.1)
#[tokio::test]
async fn an_app_without_a_challenge_gets_no_code() {
    let server = Server::start().await;
    for client_id in ["spa", "native", "wiki", "signed"] {
        let changes = [("code_challenge", ""), ("code_challenge_method", "")];
        let answer = Answer::of(&App::new(&server, client_id).asks(&Person::new(&server), "openid", &changes).await);
        assert_eq!((answer.param("error").as_str(), answer.has("code")), ("invalid_request", false), "{client_id}");
        assert!(answer.param("error_description").contains("PKCE"));
        assert_eq!(server.reason().await, "ChallengeMissing");
    }
}

// "If the server supporting PKCE does not support the requested transformation, the authorization endpoint MUST return the
// authorization error response with "error" value set to "invalid_request"." (RFC 7636 §4.4.1)
#[tokio::test]
async fn only_s256_is_a_method() {
    let server = Server::start().await;
    let (spa, person) = (App::new(&server, "spa"), Person::new(&server));
    for method in ["", "plain", "S257", "s256", "none", "S256 plain", "SHA-256"] {
        for challenge in [CHALLENGE, VERIFIER] {
            let changes = [("code_challenge_method", method), ("code_challenge", challenge)];
            let answer = Answer::of(&spa.asks(&person, "openid", &changes).await);
            assert_eq!((answer.param("error").as_str(), answer.has("code")), ("invalid_request", false), "{method}");
            assert_eq!(server.reason().await, "ChallengeMethodUnsupported");
        }
    }
    let metadata = person.get("/.well-known/openid-configuration").await.json();
    assert_eq!(metadata["code_challenge_methods_supported"], serde_json::json!(["S256"]));
}

// "code_challenge = BASE64URL-ENCODE(SHA256(ASCII(code_verifier)))" (RFC 7636 §4.2)
#[tokio::test]
async fn a_challenge_that_is_no_hash_is_refused() {
    let server = Server::start().await;
    let (spa, person) = (App::new(&server, "spa"), Person::new(&server));
    let padded = format!("{CHALLENGE}=");
    let long = "A".repeat(128);
    for challenge in [
        &CHALLENGE[1..],
        &padded,
        &long,
        "short",
        &CHALLENGE.replace('-', "+"),
        &CHALLENGE.replace('M', "/"),
        &CHALLENGE.replace('E', "é"),
        &CHALLENGE.replace('M', " "),
        &CHALLENGE.replace('M', "."),
    ] {
        let answer = Answer::of(&spa.asks(&person, "openid", &[("code_challenge", challenge)]).await);
        assert_eq!((answer.param("error").as_str(), answer.has("code")), ("invalid_request", false), "{challenge}");
        assert_eq!(server.reason().await, "ChallengeMalformed", "{challenge}");
    }
}

// "If the values are not equal, an error response indicating "invalid_grant" as described in Section 5.2 of [RFC6749] MUST be
// returned." (RFC 7636 §4.6)
#[tokio::test]
async fn a_code_is_not_redeemed_without_its_verifier() {
    let server = Server::start().await;
    let (long, wrong) = ("x".repeat(129), "x".repeat(43));
    for client_id in ["spa", "wiki"] {
        let app = App::new(&server, client_id);
        let code = app.code("openid").await;
        for (verifier, reason) in [
            ("", "VerifierMissing"),
            (wrong.as_str(), "VerifierMismatch"),
            (CHALLENGE, "VerifierMismatch"),
            (&VERIFIER[1..], "VerifierMalformed"),
            (&VERIFIER.to_lowercase(), "VerifierMismatch"),
            (&format!("{VERIFIER}A"), "VerifierMismatch"),
            (&format!("{VERIFIER} "), "VerifierMalformed"),
            (&VERIFIER.replace('-', "+"), "VerifierMalformed"),
            (&long, "VerifierMalformed"),
            ("x", "VerifierMalformed"),
        ] {
            let page = app.redeem_with(&code, &[("code_verifier", verifier)]).await;
            assert_eq!(page.brief(), "400 invalid_grant", "{client_id} {verifier}");
            assert_eq!(server.reason().await, reason, "{client_id} {verifier}");
        }
        // Who has stolen a code can neither redeem it nor spoil it.
        assert_eq!(app.redeem(&code).await.status, 200);
    }
}

#[tokio::test]
async fn a_wrong_verifier_is_explained() {
    let server = Server::start().await;
    let spa = App::new(&server, "spa");
    let page = spa.redeem_with(&spa.code("openid").await, &[("code_verifier", "")]).await;
    insta::assert_snapshot!(page.whole(), @r#"
    400 Bad Request
    {"error":"invalid_grant","error_description":"The code was asked for with a code_challenge; send its code_verifier."}
    "#);
}

// "authorization servers MUST mitigate PKCE Downgrade Attacks by ensuring that a token request containing a code_verifier
// parameter is accepted only if a code_challenge parameter was present in the authorization request" (RFC 9700 §2.1.1)
#[tokio::test]
async fn a_verifier_for_a_code_without_challenge_is_refused() {
    let server = Server::start().await;
    let (portal, person) = (App::new(&server, "portal"), Person::new(&server));
    person.sign_in().await;
    let changes = [("code_challenge", ""), ("code_challenge_method", "")];
    let code = Answer::of(&portal.asks(&person, "openid", &changes).await).param("code");
    assert_eq!(portal.redeem(&code).await.brief(), "400 invalid_grant");
    assert_eq!(server.reason().await, "VerifierUnexpected");
    assert_eq!(portal.redeem_with(&code, &[("code_verifier", "")]).await.status, 200);
}

#[tokio::test]
async fn an_app_that_need_not_use_pkce_is_held_to_it_where_it_does() {
    let server = Server::start().await;
    let (portal, person) = (App::new(&server, "portal"), Person::new(&server));
    let code = portal.approved_by(&person, "openid").await.param("code");
    assert_eq!(portal.redeem_with(&code, &[("code_verifier", "")]).await.brief(), "400 invalid_grant");
    let half = Answer::of(&portal.asks(&person, "openid", &[("code_challenge", "")]).await);
    assert_eq!(half.param("error"), "invalid_request", "a method without a challenge");
}

// "with a minimum length of 43 characters and a maximum length of 128 characters." (RFC 7636 §4.1)
#[tokio::test]
async fn a_verifier_may_be_as_long_as_128_characters_of_all_kinds() {
    use base64::Engine;
    let server = Server::start().await;
    let (portal, person) = (App::new(&server, "portal"), Person::new(&server));
    person.sign_in().await;
    let verifier = "AZaz09-._~".repeat(13)[..128].to_owned();
    let hash = grantor_jose::hash::sha256(verifier.as_bytes());
    let challenge = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(hash);
    let code = Answer::of(&portal.asks(&person, "openid", &[("code_challenge", &challenge)]).await).param("code");
    assert_eq!(portal.redeem_with(&code, &[("code_verifier", &verifier)]).await.status, 200);
}
