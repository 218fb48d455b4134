//! What an answer holds and how it travels (OAuth Multiple Response Types, OAuth Form Post), in the order of the sentences.

use crate::harness::app::{Answer, App};
use crate::harness::front_channel::{self, redirect_uri};
use crate::harness::person::Person;
use crate::harness::server::Server;

const WITH_TOKENS: [&str; 5] = ["id_token", "id_token token", "code id_token", "code token", "code id_token token"];

fn app<'a>(server: &'a Server, client_id: &str) -> App<'a> {
    App::new(server, client_id).at(&redirect_uri(client_id))
}

/// What an app gets for a request, wherever it stands.
async fn asked(app: &App<'_>, person: &Person, changes: &[(&str, &str)]) -> Answer {
    Answer::of(&app.asks(person, "openid profile", changes).await)
}

// "If a Response Type contains one of more space characters (%20), it is compared as a space-delimited list of values in which
// the order of values does not matter." (OAuth Multiple Response Types §1.2)
#[tokio::test]
async fn the_order_of_words_does_not_matter() {
    let server = front_channel::server().await;
    let (hybrid, person) = (app(&server, "hybrid"), Person::new(&server));
    for kind in ["id_token token", "token id_token", "token id_token code", "id_token code token"] {
        let answer = hybrid.approved_with(&person, "openid", &[("response_type", kind)]).await;
        assert!(answer.has("access_token") && answer.has("id_token"), "{kind}: {}", answer.0);
        assert_eq!(answer.has("code"), kind.contains("code"), "{kind}");
    }
}

// "For purposes of this specification, the default Response Mode for the OAuth 2.0 "code" Response Type is the "query"
// encoding." (OAuth Multiple Response Types §2.1)
// "The default Response Mode for this Response Type is the fragment encoding and the query encoding MUST NOT be used."
// (OAuth Multiple Response Types §5)
#[tokio::test]
async fn a_code_travels_in_the_query_and_tokens_in_the_fragment() {
    let server = front_channel::server().await;
    let (hybrid, person) = (app(&server, "hybrid"), Person::new(&server));
    let code = hybrid.approved_with(&person, "openid", &[]).await;
    assert_eq!((code.0.fragment(), code.names()), (Some("_"), ["code", "state", "iss"].map(str::to_owned).into()));
    for kind in WITH_TOKENS {
        let answer = hybrid.approved_with(&person, "openid", &[("response_type", kind)]).await;
        assert!(answer.is_in_fragment(), "{kind}: {}", answer.0);
        assert!(answer.0.as_str().starts_with("https://hybrid.example/cb#"), "{kind}: {}", answer.0);
    }
}

#[tokio::test]
async fn an_answer_holds_what_was_asked_for_and_nothing_else() {
    let server = front_channel::server().await;
    let (hybrid, person) = (app(&server, "hybrid"), Person::new(&server));
    let token = "access_token token_type expires_in scope";
    for (kind, names) in [
        ("id_token", "id_token state iss".to_owned()),
        ("id_token token", format!("{token} id_token state iss")),
        ("code id_token", "code id_token state iss".to_owned()),
        ("code token", format!("code {token} state iss")),
        ("code id_token token", format!("code {token} id_token state iss")),
    ] {
        let answer = hybrid.approved_with(&person, "openid", &[("response_type", kind)]).await;
        assert_eq!(answer.names().join(" "), names, "{kind}");
    }
}

#[tokio::test]
async fn a_code_may_be_asked_for_in_the_fragment() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let answer = wiki.approved_with(&person, "openid", &[("response_mode", "fragment")]).await;
    assert!(answer.is_in_fragment(), "{}", answer.0);
    assert_eq!(wiki.redeem(&answer.param("code")).await.status, 200);
    let refused = wiki.asks(&person, "openid", &[("response_mode", "fragment"), ("scope", "")]).await;
    assert!(Answer::of(&refused).is_in_fragment());
}

// "In no case should a set of Authorization Response parameters whose default Response Mode is the fragment encoding be encoded
// using the query encoding." (OAuth Multiple Response Types §7)
// "Access Tokens represent an End-User's authorization and MUST NOT be exposed to unauthorized parties." (OIDC Core §16.4)
#[tokio::test]
async fn tokens_never_travel_in_a_query_nor_do_errors_in_their_place() {
    let server = front_channel::server().await;
    let (hybrid, person) = (app(&server, "hybrid"), Person::new(&server));
    person.sign_in().await;
    for kind in WITH_TOKENS {
        let answer = asked(&hybrid, &person, &[("response_type", kind), ("response_mode", "query")]).await;
        assert!(answer.is_in_fragment(), "{kind}: {}", answer.0);
        assert_eq!(answer.names(), ["error", "error_description", "state", "iss"], "{kind}");
        assert_eq!(answer.param("error"), "invalid_request", "{kind}");
        assert_eq!(server.reason().await, "ResponseModeUnsafe", "{kind}");
    }
}

// "All parameters returned from the Authorization Endpoint SHOULD use the same Response Mode. This recommendation applies to both
// success and error responses." (OAuth Multiple Response Types §2.2)
#[tokio::test]
async fn an_error_travels_as_the_answer_would_have() {
    let server = front_channel::server().await;
    let (hybrid, person) = (app(&server, "hybrid"), Person::new(&server));
    for kind in WITH_TOKENS {
        for (name, value, error) in [
            ("prompt", "none", "login_required"),
            ("prompt", "bogus", "invalid_request"),
            ("scope", "admin", "invalid_scope"),
            ("response_mode", "bogus", "invalid_request"),
            ("claims", "{", "invalid_request"),
        ] {
            let answer = asked(&hybrid, &person, &[("response_type", kind), (name, value)]).await;
            assert!(answer.is_in_fragment(), "{kind} {name}={value}: {}", answer.0);
            assert_eq!((answer.param("error").as_str(), answer.param("state").as_str()), (error, "the-state"));
            assert_eq!(answer.param("iss"), server.url);
        }
    }
}

#[tokio::test]
async fn a_person_who_says_no_is_told_in_the_fragment() {
    let server = front_channel::server().await;
    let (hybrid, person) = (app(&server, "hybrid"), Person::new(&server));
    person.sign_in().await;
    let page = hybrid.asks(&person, "openid profile", &[("response_type", "id_token token")]).await;
    let page = person.send(&page.form(r#"form[action="/consent"]"#).with("decision", "deny")).await;
    let answer = Answer::of(&page);
    assert!(answer.is_in_fragment() && answer.param("error") == "access_denied", "{}", answer.0);
    assert_eq!(server.rows().iter().find(|(table, _)| *table == "grants"), Some(&("grants", 0)));
}

// "clients SHOULD NOT use the implicit grant (response type "token") or other response types issuing access tokens in the
// authorization response" (RFC 9700 §2.1.2)
#[tokio::test]
async fn a_server_that_is_not_told_to_lets_no_token_travel_through_the_browser() {
    let server = front_channel::closed_server().await;
    let (hybrid, person) = (app(&server, "hybrid"), Person::new(&server));
    person.sign_in().await;
    for kind in WITH_TOKENS {
        let answer = asked(&hybrid, &person, &[("response_type", kind)]).await;
        assert_eq!(answer.names(), ["error", "error_description", "state", "iss"], "{kind}");
        assert_eq!(answer.param("error"), "unsupported_response_type", "{kind}");
        assert_eq!(server.reason().await, "FrontChannelOff", "{kind}");
    }
}

#[tokio::test]
async fn an_app_gets_only_what_it_is_declared_for() {
    let server = front_channel::server().await;
    let person = Person::new(&server);
    person.sign_in().await;
    let (wiki, implicit) = (App::new(&server, "wiki"), app(&server, "implicit"));
    for kind in WITH_TOKENS {
        let answer = asked(&wiki, &person, &[("response_type", kind)]).await;
        assert_eq!(answer.param("error"), "unauthorized_client", "{kind}");
        assert!(answer.is_in_fragment() && !answer.has("access_token"), "{kind}");
    }
    for kind in ["code", "code id_token", "code token", "code id_token token"] {
        let answer = asked(&implicit, &person, &[("response_type", kind)]).await;
        assert_eq!(answer.param("error"), "unauthorized_client", "{kind}");
        assert_eq!(server.reason().await, "ResponseTypeNotAllowed", "{kind}");
    }
}

// "NOTE: While OAuth 2.0 also defines the "token" Response Type value for the Implicit Flow, OpenID Connect does not use this
// Response Type, since no ID Token would be returned." (OIDC Core §3.2.2.1)
#[tokio::test]
async fn what_is_not_offered_gives_nothing_even_where_tokens_may_travel() {
    let server = front_channel::server().await;
    let (hybrid, person) = (app(&server, "hybrid"), Person::new(&server));
    person.sign_in().await;
    for (kind, in_fragment) in [
        ("token", true),
        ("id_token id_token", true),
        ("code id_token token token", true),
        ("code  token", true),
        ("none", false),
        ("code none", false),
        ("CODE ID_TOKEN", false),
        ("code\u{a0}id_token", false),
    ] {
        let answer = asked(&hybrid, &person, &[("response_type", kind)]).await;
        assert_eq!(answer.param("error"), "unsupported_response_type", "{kind}");
        assert_eq!(answer.is_in_fragment(), in_fragment, "{kind}: {}", answer.0);
        assert!(!["code", "id_token", "access_token"].iter().any(|name| answer.has(name)), "{kind}: {}", answer.0);
    }
}

#[tokio::test]
async fn the_metadata_promise_what_is_on() {
    let (open, closed) = (front_channel::server().await, front_channel::closed_server().await);
    let metadata = |server: &Server| {
        let person = Person::new(server);
        async move { person.get("/.well-known/openid-configuration").await.json() }
    };
    let (open, closed) = (metadata(&open).await, metadata(&closed).await);
    let all = ["code", "code id_token", "code id_token token", "code token", "id_token", "id_token token"];
    assert_eq!(open["response_types_supported"], serde_json::json!(all));
    assert_eq!(closed["response_types_supported"], serde_json::json!(["code"]));
    let implicit = |metadata: &serde_json::Value| metadata["grant_types_supported"].to_string().contains("implicit");
    assert!(implicit(&open) && !implicit(&closed));
}

// "The exact value received from the client." (RFC 6749 §4.2.2)
#[tokio::test]
async fn no_state_splits_a_fragment_however_it_is_read() {
    let server = front_channel::server().await;
    let (quiet, person) = (app(&server, "quiet"), Person::new(&server));
    person.sign_in().await;
    for state in [
        "\"><svg onload=alert(1)>",
        "a b+c&d=e#f%20",
        "é€😀\u{202e}",
        "x\r\nSet-Cookie: pwn=1",
        "&access_token=evil&iss=evil",
        "#id_token=evil",
        "%0d%0aX: y%26code=evil",
        &"A".repeat(2000),
    ] {
        let changes = [("response_type", "id_token token"), ("state", state)];
        let page = quiet.asks(&person, "openid", &changes).await;
        let location = page.header("location").unwrap().to_owned();
        let answer = Answer::of(&page);
        let names = ["access_token", "token_type", "expires_in", "scope", "id_token", "state", "iss"];
        assert_eq!((answer.names(), answer.param("state").as_str()), (names.map(str::to_owned).into(), state));
        assert!(page.cookies().is_empty() && answer.0.host_str() == Some("quiet.example"), "{state}");
        // As scripts read it that know nothing of forms.
        let (_, fragment) = location.split_once('#').unwrap();
        assert!(!fragment.contains(['+', '#', ' ', '\r', '\n']), "{fragment}");
        let mut pairs = fragment.split('&').map(|pair| pair.split_once('=').unwrap());
        let (_, written) = pairs.find(|(name, _)| *name == "state").unwrap();
        assert_eq!(percent_decoded(written), state);
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let hex = |digit: u8| u8::try_from(char::from(digit).to_digit(16).unwrap()).unwrap();
        bytes.push(if byte == b'%' { hex(rest.next().unwrap()) << 4 | hex(rest.next().unwrap()) } else { byte });
    }
    String::from_utf8(bytes).unwrap()
}

// "The action attribute of the form MUST be the Client's Redirection URI." (OAuth Form Post §2)
// "the Authorization Server MUST instruct the User Agent (and any intermediaries) not to store or reuse the content of the
// response." (OAuth Form Post §2)
#[tokio::test]
async fn every_kind_of_answer_can_be_posted_by_a_button() {
    let server = front_channel::server().await;
    let (hybrid, person) = (app(&server, "hybrid"), Person::new(&server));
    for kind in ["code"].into_iter().chain(WITH_TOKENS) {
        let plain = hybrid.approved_with(&person, "openid", &[("response_type", kind)]).await;
        let page = hybrid.asks(&person, "openid", &[("response_type", kind), ("response_mode", "form_post")]).await;
        assert_eq!((page.status.as_u16(), page.header("cache-control")), (200, Some("no-store")), "{kind}");
        let form = page.form("form#answer");
        assert_eq!(form.action.as_str(), "https://hybrid.example/cb", "{kind}");
        let names: Vec<String> = form.fields.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, plain.names(), "{kind}");
        // "The method of the form attribute MUST be "POST"." (OAuth Form Post §2)
        assert_eq!(page.attribute("form#answer", "method").as_deref(), Some("post"), "{kind}");
        assert!(page.has("form#answer button"), "{kind}");
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("form-action 'self' https://hybrid.example;"), "{policy}");
        let changes = [("response_type", kind), ("response_mode", "form_post"), ("prompt", "x")];
        assert_eq!(
            asked(&hybrid, &person, &changes).await.names(),
            ["error", "error_description", "state", "iss"],
            "{kind}"
        );
    }
}
