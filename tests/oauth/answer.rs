//! The authorization answer (RFC 6749 §4.1.2): what it carries, how it travels, and that it never goes elsewhere.

use crate::harness::app::{Answer, App};
use crate::harness::person::Person;
use crate::harness::server::Server;

/// Values that have broken servers: markup, line breaks, parameters of their own, other scripts, long ones.
const HOSTILE: [&str; 10] = [
    "\"><script>alert(1)</script>",
    "a\r\nSet-Cookie: evil=1",
    "%0d%0aLocation: https://evil.example",
    "x&code=evil&state=y",
    "a#code=evil",
    "a+b c%20d",
    "🦀é\u{202e}",
    "' OR 1=1 --",
    "\u{1}\u{7f}",
    "</form><form action=https://evil.example>",
];

// "REQUIRED if the "state" parameter was present in the client authorization request. The exact value received from the
// client." (RFC 6749 §4.1.2)
#[tokio::test]
async fn state_comes_back_byte_for_byte_and_splits_nothing() {
    let server = Server::start().await;
    let (portal, person) = (App::new(&server, "portal"), Person::new(&server));
    person.sign_in().await;
    for state in HOSTILE.map(str::to_owned).into_iter().chain(["s".repeat(2000)]) {
        let page = portal.asks(&person, "openid", &[("state", &state)]).await;
        let answer = Answer::of(&page);
        let names: Vec<String> = answer.0.query_pairs().map(|(name, _)| name.into_owned()).collect();
        assert_eq!((answer.param("state"), names), (state, ["code", "state", "iss"].map(str::to_owned).into()));
        assert!(page.cookies().is_empty() && page.location().unwrap().host_str() == Some("portal.example"));
    }
}

// "error REQUIRED. ... REQUIRED if the Authorization Request included the "state" parameter." (OIDC Core §3.1.2.6)
#[tokio::test]
async fn state_comes_back_in_errors_too_and_is_absent_where_none_was_sent() {
    let server = Server::start().await;
    let (portal, person) = (App::new(&server, "portal"), Person::new(&server));
    for state in HOSTILE {
        let answer = Answer::of(&portal.asks(&person, "openid", &[("state", state), ("prompt", "none")]).await);
        assert_eq!((answer.param("error").as_str(), answer.param("state").as_str()), ("login_required", state));
    }
    assert!(!Answer::of(&portal.asks(&person, "openid", &[("state", ""), ("prompt", "none")]).await).has("state"));
}

// "In authorization responses to the client, including error responses, an authorization server supporting this specification
// MUST indicate its identity by including the iss parameter in the response." (RFC 9207 §2)
#[tokio::test]
async fn every_answer_names_the_issuer() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let refused = Answer::of(&wiki.asks(&person, "openid", &[("prompt", "none")]).await);
    let approved = wiki.approved_by(&person, "openid").await;
    assert_eq!((refused.param("iss"), approved.param("iss")), (server.url.clone(), server.url.clone()));
    let form = wiki.asks(&person, "openid", &[("response_mode", "form_post")]).await.form("#answer");
    assert!(form.fields.contains(&("iss".into(), server.url.clone())));
    let metadata = person.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
    assert_eq!(metadata["issuer"], server.url);
}

#[tokio::test]
async fn a_person_who_says_no_is_an_answer_too() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    person.sign_in().await;
    let page = wiki.asks(&person, "openid profile", &[]).await;
    let page = person.send(&page.form(r#"form[action="/consent"]"#).with("decision", "deny")).await;
    let answer = Answer::of(&page);
    assert_eq!((answer.param("error").as_str(), answer.param("state").as_str()), ("access_denied", "the-state"));
    assert!(!answer.has("code"));
    assert!(server.reasons().await.contains(&"ConsentDenied".to_owned()));
    assert_eq!(wiki.asks(&person, "openid profile", &[]).await.name(), "consent", "a no is not remembered");
}

// "The action attribute of the form MUST be the Client's Redirection URI." (OAuth Form Post §2)
#[tokio::test]
async fn form_post_posts_the_answer_to_the_registered_address_only() {
    let server = Server::start().await;
    let (portal, person) = (App::new(&server, "portal"), Person::new(&server));
    person.sign_in().await;
    for state in HOSTILE.into_iter().filter(|state| !state.contains('\r')) {
        let page = portal.asks(&person, "openid", &[("response_mode", "form_post"), ("state", state)]).await;
        let form = page.form("form");
        let names: Vec<&str> = form.fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!((form.action.as_str(), names), ("https://portal.example/cb", vec!["code", "state", "iss"]));
        assert_eq!(form.fields[1].1, state);
        assert!(!page.body.contains("<script>alert") && !page.body.contains("evil.example>"), "{state}");
    }
}

// "the Authorization Server MUST instruct the User Agent (and any intermediaries) not to store or reuse the content of the
// response." (OAuth Form Post §2)
#[tokio::test]
async fn form_post_lets_the_form_go_to_the_app_and_nobody_keep_it() {
    let server = Server::start().await;
    let (portal, person) = (App::new(&server, "portal"), Person::new(&server));
    person.sign_in().await;
    let page = portal.asks(&person, "openid", &[("response_mode", "form_post")]).await;
    assert_eq!(page.header("cache-control"), Some("no-store"));
    insta::assert_snapshot!(page.header("content-security-policy").unwrap(), @"default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; form-action 'self' https://portal.example; frame-ancestors 'none'; base-uri 'none'");
    let form = page.form("form");
    assert_eq!(portal.redeem(&form.fields[0].1).await.status, 200);
}

#[tokio::test]
async fn errors_travel_by_form_post_too_where_the_app_asked_for_it() {
    let server = Server::start().await;
    let page = App::new(&server, "wiki")
        .asks(&Person::new(&server), "openid", &[("response_mode", "form_post"), ("prompt", "none")])
        .await;
    let fields: Vec<(String, String)> = page.form("#answer").fields;
    assert_eq!(fields[0], ("error".to_owned(), "login_required".to_owned()));
    assert_eq!(fields[2], ("state".to_owned(), "the-state".to_owned()));
}

// "servers MAY prevent browsers from reattaching fragments to redirection URLs by attaching an arbitrary fragment identifier,
// for example #_, to URLs in Location headers." (RFC 9700 §4.1.3)
#[tokio::test]
async fn no_old_fragment_travels_with_an_answer() {
    let server = Server::start().await;
    let (portal, person) = (App::new(&server, "portal"), Person::new(&server));
    assert_eq!(Answer::of(&portal.asks(&person, "openid", &[("prompt", "none")]).await).0.fragment(), Some("_"));
    assert_eq!(portal.approved_by(&person, "openid").await.0.fragment(), Some("_"));
}

// "The endpoint URI MAY include an "application/x-www-form-urlencoded" formatted (per Appendix B) query component, which MUST
// be retained when adding additional query parameters." (RFC 6749 §3.1.2)
// "When using the Authorization Code Flow, the Authorization Response MUST return the parameters defined in Section 4.1.2 of
// OAuth 2.0 [RFC6749] by adding them as query parameters to the "redirect_uri" specified in the Authorization Request using
// the "application/x-www-form-urlencoded" format, unless a different Response Mode was specified." (OIDC Core §3.1.2.5)
#[tokio::test]
async fn the_query_of_a_registered_address_is_kept() {
    let server = Server::start().await;
    let declared = r#"
        [[clients]]
        client_id = "cms"
        client_secret = "a-secret-for-tests-and-nothing-else-at-all"
        redirect_uris = ["https://cms.example/?route=cb&lang=a%20b"]
        scope = "openid""#;
    server.apply(declared).await;
    let cms = App::new(&server, "cms").at("https://cms.example/?route=cb&lang=a%20b");
    let answer = cms.approved_by(&Person::new(&server), "openid").await;
    assert!(answer.0.as_str().starts_with("https://cms.example/?route=cb&lang=a%20b&code="), "{}", answer.0);
    assert_eq!(cms.redeem(&answer.param("code")).await.status, 200);
}

// "Authorization servers that redirect a request that potentially contains the user's credentials therefore MUST NOT use the
// HTTP 307 status code for redirection." (RFC 9700 §4.12)
// "Therefore, HTTP 307 redirects MUST NOT be used when redirecting to the Redirection URI." (OIDC Core §16.22)
#[tokio::test]
async fn a_posted_password_or_consent_is_never_posted_on() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let page = wiki.asks(&person, "openid", &[]).await;
    let form = page.form(r#"form[action="/sign-in"]"#).with("username", "alice");
    let signed_in = person.post(&form.with("password", crate::harness::seeds::ALICE_PASSWORD)).await;
    let page = person.open(signed_in.location().unwrap()).await;
    let allowed = person.post(&page.form(r#"form[action="/consent"]"#).with("decision", "allow")).await;
    let sent = person.get(allowed.location().unwrap()).await;
    assert_eq!([&signed_in, &allowed, &sent].map(|page| page.status.as_u16()), [303, 303, 303]);
    assert_eq!(sent.header("cache-control"), Some("no-store"));
    assert_eq!(sent.location().unwrap().host_str(), Some("wiki.example"));
}
