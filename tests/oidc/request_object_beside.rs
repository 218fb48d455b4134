//! What stands beside a request object: enough for OAuth to see whose request it is, and an OpenID request (OIDC Core §6.1, §6.2).

use super::pairwise::Lists;
use super::request_object::{asks, declare, object, object_of};
use crate::harness::app::Answer;
use crate::harness::person::Person;
use crate::harness::server::Server;
use crate::harness::tls;

// "Even if a "scope" parameter is present in the Request Object value, a "scope" parameter MUST always be passed using the OAuth 2.0
// request syntax containing the "openid" scope value to indicate to the underlying OAuth 2.0 logic that this is an OpenID Connect
// request." (OIDC Core §6.1)
#[tokio::test]
async fn a_scope_beside_an_object_says_that_it_is_an_openid_request() {
    let server = Server::start().await;
    let person = Person::new(&server);
    for (beside, inside, is_right) in [
        ("openid", "openid notes.read", true),
        ("notes.read openid", "openid", true),
        ("notes.read", "openid notes.read", false),
        ("OPENID", "openid", false),
        ("notes.read", "notes.read", true),
        // RFC 9101 §5 has nothing beside the object but the client.
        ("", "openid", true),
    ] {
        let asked = object(&server, inside).signed();
        let page = asks(&server, &person, &asked, &[("scope", beside)]).await;
        let answer = Answer::of(&person.approve(page).await);
        assert_eq!(answer.has("code"), is_right, "{beside} beside {inside}: {}", answer.0);
        if !is_right {
            assert_eq!(answer.param("error"), "invalid_request_object", "{beside} beside {inside}");
            assert_eq!(server.reason().await, "RequestObjectMismatch", "{beside} beside {inside}");
        }
    }
}

// "So that the request is a valid OAuth 2.0 Authorization Request, values for the "response_type" and "client_id" parameters MUST be
// included using the OAuth 2.0 request syntax, since they are REQUIRED by OAuth 2.0." (OIDC Core §6.1)
#[tokio::test]
async fn without_its_app_beside_it_nobody_reads_an_object() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let asked = object(&server, "openid").signed();
    let page = asks(&server, &person, &asked, &[("client_id", "")]).await;
    assert_eq!((page.status.as_u16(), page.location()), (400, None));
    assert_eq!(server.reason().await, "ParameterMissing");
    let answer = Answer::of(
        &asks(&server, &person, &asked, &[("client_id", "wiki"), ("redirect_uri", "https://wiki.example/cb")]).await,
    );
    assert_eq!((answer.param("error"), answer.0.host_str()), ("invalid_request_object".into(), Some("wiki.example")));
    let answer = Answer::of(&asks(&server, &person, &asked, &[("response_type", "code id_token")]).await);
    assert_eq!(answer.param("error"), "invalid_request_object");
}

// "So that the request is a valid OAuth 2.0 Authorization Request, values for the "response_type" and "client_id" parameters MUST be
// included using the OAuth 2.0 request syntax, since they are REQUIRED by OAuth 2.0. ... Even if a "scope" parameter is present in
// the referenced Request Object, a "scope" parameter MUST always be passed using the OAuth 2.0 request syntax containing the
// "openid" scope value to indicate to the underlying OAuth 2.0 logic that this is an OpenID Connect request." (OIDC Core §6.2)
// "This algorithm MUST be used both when the Request Object is passed by value (using the "request" parameter) and when it is passed
// by reference (using the "request_uri" parameter)." (OIDC Registration §2)
#[tokio::test]
async fn an_object_elsewhere_is_held_to_the_same() {
    let server = Server::start_with(tls::trusting).await;
    let person = Person::new(&server);
    let (good, unsigned) = (object_of(&server, "far"), object_of(&server, "far").header("alg", "none").unsigned());
    let site = Lists::start(&[("/good", good.signed()), ("/unsigned", format!("{unsigned}."))]);
    let [here, unsigned] = ["/good", "/unsigned"].map(|path| format!("{}{path}", site.url));
    declare(
        &server,
        "far",
        &format!("request_uris = {:?}\nrequest_object_signing_alg = \"ES256\"", [&here, &unsigned]),
    )
    .await;
    let asked = async |uri: &str, beside: &[(&str, &str)]| {
        let beside = [&[("client_id", "far"), ("request", ""), ("request_uri", uri)], beside].concat();
        let page = asks(&server, &person, "", &beside).await;
        person.approve(page).await
    };
    assert!(Answer::of(&asked(&here, &[]).await).has("code"));
    for (uri, beside, reason) in [
        (&here, &[("scope", "profile")][..], "RequestObjectMismatch"),
        (&here, &[("response_type", "code token")], "RequestObjectMismatch"),
        (&unsigned, &[], "RequestObjectAlgorithm"),
    ] {
        let answer = Answer::of(&asked(uri, beside).await);
        assert_eq!((answer.param("error"), answer.has("code")), ("invalid_request_object".into(), false), "{beside:?}");
        assert_eq!(server.reason().await, reason, "{beside:?}");
    }
    assert_eq!(asked(&here, &[("client_id", "")]).await.status, 400);
}
