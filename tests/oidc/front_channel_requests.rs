//! What a request for tokens through the browser has to say (OIDC Core §3.2.2.1, §3.3.2.1), and what all tokens of one answer agree on.

use crate::harness::app::{Answer, App, Tokens, claims};
use crate::harness::front_channel::{self, redirect_uri};
use crate::harness::person::Person;

/// An app, and the kinds of answers that it may ask for.
const KINDS: [(&str, &[&str]); 2] = [
    ("implicit", &["id_token", "id_token token"]),
    ("hybrid", &["id_token", "id_token token", "code id_token", "code token", "code id_token token"]),
];

// "redirect_uri REQUIRED. Redirection URI to which the response will be sent." (OIDC Core §3.2.2.1)
#[tokio::test]
async fn tokens_go_to_no_address_that_the_request_does_not_name() {
    let server = front_channel::server().await;
    let person = Person::new(&server);
    for (client_id, kinds) in KINDS {
        for kind in kinds {
            let asked = [("response_type", *kind), ("redirect_uri", "")];
            let page = App::new(&server, client_id).asks(&person, "openid", &asked).await;
            assert_eq!((page.status.as_u16(), page.location()), (400, None), "{client_id}: {kind}");
            assert_eq!(server.reason().await, "RedirectUriRequired", "{client_id}: {kind}");
        }
    }
    // Without "openid" there is no ID token, but an access token.
    let asked = |kind| [("response_type", kind), ("redirect_uri", "")];
    let page = App::new(&server, "hybrid").asks(&person, "notes.read", &asked("code token")).await;
    assert_eq!((page.status.as_u16(), page.location()), (400, None));
    assert_eq!(server.reason().await, "RedirectUriRequired");
    let page = App::new(&server, "hybrid").asks(&person, "notes.read", &asked("code")).await;
    assert_eq!(page.name(), "sign-in", "a code goes to the one address that there is");
}

// "This URI MUST exactly match one of the Redirection URI values for the Client pre-registered at the OpenID Provider, with the
// matching performed as described in Section 6.2.1 of [RFC3986] (Simple String Comparison)." (OIDC Core §3.2.2.1)
#[tokio::test]
async fn tokens_go_to_no_address_but_a_registered_one() {
    let server = front_channel::server().await;
    let person = Person::new(&server);
    for (client_id, kinds) in KINDS {
        let right = redirect_uri(client_id);
        let upper = right.replace("example", "EXAMPLE");
        for wrong in [
            &format!("{right}/"),
            &format!("{right}?a=1"),
            &format!("{right}#a"),
            &right.replace("https", "http"),
            &right.replace(".example", ".example:443"),
            &right.replace("/cb", "/x/../cb"),
            &right.replace("/cb", "/%63b"),
            &upper,
            "https://evil.example/cb",
        ] {
            let asked = [("response_type", kinds[0]), ("redirect_uri", wrong)];
            let page = App::new(&server, client_id).asks(&person, "openid", &asked).await;
            assert_eq!((page.status.as_u16(), page.location()), (400, None), "{wrong}");
            assert_eq!(server.reason().await, "RedirectUriMismatch", "{wrong}");
        }
    }
}

// "response_type REQUIRED. OAuth 2.0 Response Type value that determines the authorization processing flow to be used, including
// what parameters are returned from the endpoints used." (OIDC Core §3.2.2.1)
// "response_type REQUIRED. OAuth 2.0 Response Type value that determines the authorization processing flow to be used, including
// what parameters are returned from the endpoints used." (OIDC Core §3.3.2.1)
#[tokio::test]
async fn without_a_known_response_type_there_are_no_tokens() {
    let server = front_channel::server().await;
    let person = Person::new(&server);
    person.sign_in().await;
    for (client_id, _) in KINDS {
        let app = App::new(&server, client_id).at(&redirect_uri(client_id));
        for (kind, error) in [
            ("", "invalid_request"),
            ("token", "unsupported_response_type"),
            ("id_token id_token", "unsupported_response_type"),
        ] {
            let answer = Answer::of(&app.asks(&person, "openid", &[("response_type", kind)]).await);
            assert_eq!(
                (answer.param("error").as_str(), answer.param("state").as_str()),
                (error, "the-state"),
                "{kind}"
            );
            assert!(!["code", "id_token", "access_token"].iter().any(|name| answer.has(name)), "{}", answer.0);
        }
    }
}

// "If either ID Token contains Claims about the End-User, any that are present in both SHOULD have the same values in both."
// (OIDC Core §3.3.3.6)
#[tokio::test]
async fn both_id_tokens_of_one_sign_in_say_the_same_of_the_person() {
    let server = front_channel::server().await;
    let (hybrid, person) = (App::new(&server, "hybrid").at(&redirect_uri("hybrid")), Person::new(&server));
    let wanted = r#"{"id_token":{"name":null,"email":null,"updated_at":null}}"#;
    for kind in ["code id_token", "code id_token token"] {
        let asked = [("response_type", kind), ("claims", wanted)];
        let answer = hybrid.approved_with(&person, "openid profile email", &asked).await;
        let first = claims(&answer.param("id_token"));
        let then = claims(Tokens(hybrid.redeem(&answer.param("code")).await.json()).id());
        for name in ["name", "email", "updated_at", "sub"] {
            assert!(first.get(name).is_some() && first[name] == then[name], "{kind}: {name} in {first} and {then}");
        }
    }
}

// "Other parameters SHOULD NOT be returned." (OIDC Core §3.1.2.6)
// "error REQUIRED." (OIDC Core §3.1.2.6)
#[tokio::test]
async fn an_error_tells_itself_the_state_and_the_issuer_and_nothing_else() {
    let server = front_channel::server().await;
    let person = Person::new(&server);
    for (client_id, kind) in [("implicit", "id_token"), ("hybrid", "code id_token"), ("hybrid", "code")] {
        let app = App::new(&server, client_id).at(&redirect_uri(client_id));
        let answer = Answer::of(&app.asks(&person, "openid", &[("response_type", kind), ("prompt", "none")]).await);
        assert_eq!(answer.names(), ["error", "error_description", "state", "iss"], "{kind}");
        let without = [("response_type", kind), ("prompt", "none"), ("state", "")];
        let answer = Answer::of(&app.asks(&person, "openid", &without).await);
        assert_eq!(answer.names(), ["error", "error_description", "iss"], "{kind}");
    }
}
