//! The authorization request, in the order of RFC 6749 §4.1.1: who asks, then one parameter after the other.

use crate::harness::app::{Answer, App, VERIFIER};
use crate::harness::person::Person;
use crate::harness::server::Server;

// "If the request fails due to a missing, invalid, or mismatching redirection URI, or if the client identifier is missing or
// invalid, the authorization server SHOULD inform the resource owner of the error and MUST NOT automatically redirect the
// user-agent to the invalid redirection URI." (RFC 6749 §4.1.2.1)
// "client_id REQUIRED. OAuth 2.0 Client Identifier valid at the Authorization Server." (OIDC Core §3.1.2.1)
#[tokio::test]
async fn an_unknown_app_is_shown_not_followed() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    for client_id in ["", "nobody", "WIKI", "wiki ", " wiki", "wiki/", "wi%6bi", "*", "wiki\u{200b}", "' OR 1=1 --"] {
        for redirect_uri in ["https://evil.example/cb", "https://wiki.example/cb"] {
            let changes = [("client_id", client_id), ("redirect_uri", redirect_uri), ("prompt", "none")];
            let page = person.get(wiki.authorize_url("openid", &changes)).await;
            assert_eq!(
                (page.status.as_u16(), page.name().as_str(), page.location()),
                (400, "error", None),
                "{client_id}"
            );
        }
        let reason = if client_id.is_empty() { "ParameterMissing" } else { "ClientUnknown" };
        assert_eq!(server.reason().await, reason, "{client_id}");
    }
}

#[tokio::test]
async fn the_page_for_an_unknown_app_tells_its_developer_what_is_wrong() {
    let server = Server::start().await;
    let page = App::new(&server, "wiki").asks(&Person::new(&server), "openid", &[("client_id", "wikki")]).await;
    let case = server.events().await[0].id.to_string();
    insta::assert_snapshot!(page.lines().replace(&case, "CASE"), @"
    Grantor
    We don’t know this app
    An app sent you here with a request we can’t answer
    The app that sent you here is not registered with us, so we can’t sign you in to it.
    Go back to the app. If it should work, tell the people who run it.
    Case number
    CASE
    For the developer of the app
    The rule
    … if the client identifier is missing or invalid, the authorization server SHOULD inform the resource owner of the error and MUST NOT automatically redirect the user-agent to the invalid redirection URI.
    RFC 6749 §4.1.2.1
    The fix
    No app with the client_id
    wikki
    is registered. Check for a typing error, or whether it is registered at another server.
    ");
}

#[tokio::test]
async fn an_app_that_is_switched_off_is_shown_not_followed() {
    let server = Server::start().await;
    server.apply(&format!("{TOOL}\ndisabled = true")).await;
    let tool = App::new(&server, "tool").at("https://tool.example/cb");
    let page = tool.asks(&Person::new(&server), "openid", &[]).await;
    assert_eq!((page.status.as_u16(), page.location()), (400, None));
    assert_eq!(server.reason().await, "ClientUnknown");
}

const TOOL: &str = r#"
[[clients]]
client_id = "tool"
client_secret = "a-secret-for-tests-and-nothing-else-at-all"
redirect_uris = ["https://tool.example/cb?kept=1"]
grant_types = ["client_credentials"]
scope = "openid""#;

// "If the resource owner denies the access request or if the request fails for reasons other than a missing or invalid
// redirection URI, the authorization server informs the client by adding the following parameters to the query component of
// the redirection URI" (RFC 6749 §4.1.2.1)
// "scope REQUIRED." (OIDC Core §3.1.2.1)
// "The Authorization Server MUST validate all the OAuth 2.0 parameters according to the OAuth 2.0 specification."
// (OIDC Core §3.1.2.2)
// "response_type REQUIRED. OAuth 2.0 Response Type value that determines the authorization processing flow to be used,
// including what parameters are returned from the endpoints used." (OIDC Core §3.1.2.1)
// "The Authorization Server MUST validate the request received as follows:" (OIDC Core §3.1.2.2)
#[tokio::test]
async fn a_broken_rule_is_told_to_the_app() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    for (name, value, error, reason) in [
        ("response_type", "", "invalid_request", "ParameterMissing"),
        ("response_type", "bogus", "unsupported_response_type", "ResponseTypeUnsupported"),
        ("response_type", "CODE", "unsupported_response_type", "ResponseTypeUnsupported"),
        ("response_type", "code code", "unsupported_response_type", "ResponseTypeUnsupported"),
        ("response_type", "none", "unsupported_response_type", "ResponseTypeUnsupported"),
        ("response_mode", "query.jwt", "invalid_request", "ResponseModeUnsupported"),
        ("scope", "", "invalid_scope", "ScopeMissing"),
        ("scope", "opénid", "invalid_scope", "ScopeMalformed"),
        ("scope", "openid \"profile\"", "invalid_scope", "ScopeMalformed"),
        ("scope", "admin root", "invalid_scope", "ScopeNotAllowed"),
        ("code_challenge", "", "invalid_request", "ChallengeMissing"),
        ("prompt", "bogus", "invalid_request", "PromptInvalid"),
        ("prompt", "none login", "invalid_request", "PromptInvalid"),
        ("prompt", "consent none", "invalid_request", "PromptInvalid"),
        ("max_age", "soon", "invalid_request", "MaxAgeMalformed"),
        ("max_age", "-1", "invalid_request", "MaxAgeMalformed"),
        ("max_age", "99999999999999999999", "invalid_request", "MaxAgeMalformed"),
        ("claims", "{", "invalid_request", "ClaimsMalformed"),
        ("id_token_hint", "a.b.c", "invalid_request", "IdTokenHintInvalid"),
        ("resource", "https://evil.example", "invalid_target", "ResourceUnknown"),
        ("request", "eyJhbGciOiJub25lIn0.e30.", "invalid_request_object", "RequestObjectSignature"),
        ("request_uri", "https://evil.example/r", "invalid_request_uri", "RequestUriUnknown"),
        ("registration", "{}", "registration_not_supported", "RegistrationNotSupported"),
    ] {
        let page = person.get(wiki.authorize_url("openid", &[(name, value)])).await;
        let answer = Answer::of(&page);
        assert_eq!(answer.param("error"), error, "{name}={value}");
        assert_eq!((answer.param("state").as_str(), answer.has("code")), ("the-state", false), "{name}={value}");
        assert!(answer.0.as_str().starts_with("https://wiki.example/cb?"), "{name}={value}");
        assert_eq!(server.reason().await, reason, "{name}={value}");
    }
}

#[tokio::test]
async fn an_app_without_the_code_grant_gets_no_code() {
    let server = Server::start().await;
    server.apply(TOOL).await;
    let tool = App::new(&server, "tool").at("https://tool.example/cb?kept=1");
    let answer = Answer::of(&tool.asks(&Person::new(&server), "openid", &[]).await);
    insta::assert_snapshot!(answer.0.as_str().replace(&server.url.replace("://", "%3A%2F%2F").replace(':', "%3A"), "ISS"), @"https://tool.example/cb?kept=1&error=unauthorized_client&error_description=The+app+is+not+registered+for+this+response_type.&state=the-state&iss=ISS#_");
    assert_eq!(server.reason().await, "ResponseTypeNotAllowed");
}

// "The implicit grant (response type "token") and other response types causing the authorization server to issue access
// tokens in the authorization response are vulnerable to access token leakage" (RFC 9700 §2.1.2)
#[tokio::test]
async fn no_token_ever_travels_in_the_front_channel() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    person.sign_in().await;
    for kind in ["token", "id_token", "id_token token", "code token", "code id_token", "code id_token token", "none"] {
        let answer = Answer::of(&wiki.asks(&person, "openid", &[("response_type", kind)]).await);
        assert_eq!(answer.param("error"), "unsupported_response_type", "{kind}");
        assert!(
            !["access_token", "id_token", "code"].iter().any(|name| answer.0.as_str().contains(&format!("{name}=")))
        );
    }
}

// "Request and response parameters MUST NOT be included more than once." (RFC 6749 §3.1)
#[tokio::test]
async fn a_parameter_sent_twice_is_refused() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let url = wiki.authorize_url("openid", &[]);
    let (start, query) = url.split_once('?').unwrap();
    for name in ["client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge", "response_type"] {
        let names_who = matches!(name, "client_id" | "redirect_uri");
        let pairs = [
            format!("{query}&{name}=other"),
            format!("{name}=other&{query}"),
            format!("{query}&{name}=other&{name}=x"),
        ];
        for query in pairs {
            let page = person.get(format!("{start}?{query}")).await;
            if names_who {
                assert_eq!((page.status.as_u16(), page.location()), (400, None), "{query}");
                continue;
            }
            // "If the Authorization Server encounters any error, it MUST return an error response, per Section 3.1.2.6."
            // (OIDC Core §3.1.2.2)
            let answer = Answer::of(&page);
            assert!(
                answer.0.as_str().starts_with("https://wiki.example/cb?error=invalid_request&"),
                "{query}: {}",
                answer.0
            );
            assert_eq!((answer.has("code"), answer.has("state")), (false, name != "state"), "{query}");
        }
        assert_eq!(server.reason().await, "ParameterRepeated", "{name}");
    }
    // "Parameters sent without a value MUST be treated as if they were omitted from the request." (RFC 6749 §3.1)
    assert_eq!(person.open(format!("{url}&state=&display=&nonce=")).await.name(), "sign-in");
    // "The authorization server MUST ignore unrecognized request parameters." (RFC 6749 §3.1)
    assert_eq!(person.open(format!("{url}&utm_source=news&client[id]=evil")).await.name(), "sign-in");
}

#[tokio::test]
async fn the_page_names_the_parameter_that_is_to_blame() {
    let server = Server::start().await;
    let person = Person::new(&server);
    for (query, fix) in [
        ("state=a&client_id=wiki&state=b", "Send the parameter state only once."),
        ("client_id=wiki&nonce=%zz", "Check the request, above all nonce"),
        ("client_id=wiki&%ff=1", "Check the request, above all %ff"),
    ] {
        let page = person.get(format!("/authorize?{query}")).await;
        assert!(page.text().contains(fix), "{query}: {}", page.text());
    }
    let page = App::new(&server, "wiki").post_body("/authorize", Some("text/plain"), "client_id=wiki").await;
    assert!(page.text().contains("above all Content-Type"), "{}", page.text());
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_refused_and_harms_nothing() {
    let server = Server::start().await;
    let person = Person::new(&server);
    let good = App::new(&server, "wiki").authorize_url("openid", &[]);
    let good = good.split_once('?').unwrap().1;
    let (many, long) = ("&a=1".repeat(3000), "A".repeat(60_000));
    for query in [
        "client_id=%",
        "client_id=%zz&response_type=code",
        "client_id=%00",
        "client_id=%ff%fe&scope=%c3%28",
        "&&&==&=",
        "client_id[]=wiki&client_id[a]=b",
        "client_id=wiki%0d%0aSet-Cookie:a=b",
        &format!("{good}&redirect_uri=%00"),
        &format!("{good}&client_id=%ed%a0%80"),
        &format!("{good}{many}"),
        &format!("{good}&x={long}"),
    ] {
        let page = person.get(format!("/authorize?{query}")).await;
        assert!(page.status.is_client_error() && page.location().is_none(), "{} for {:.80}", page.status, query);
    }
    for query in [format!("{good}&x=%00"), format!("{good}&x=%ed%a0%80"), format!("{good}&%ff=1")] {
        let answer = Answer::of(&person.get(format!("/authorize?{query}")).await);
        assert_eq!(
            (answer.0.host_str(), answer.param("error").as_str()),
            (Some("wiki.example"), "invalid_request"),
            "{query}"
        );
        assert_eq!((answer.has("code"), answer.param("state").as_str()), (false, "the-state"), "{query}");
        assert_eq!(server.reason().await, "MalformedEncoding", "{query}");
    }
    let posted = format!("{good}&x=%00");
    let page =
        App::new(&server, "wiki").post_body("/authorize", Some("application/x-www-form-urlencoded"), posted).await;
    assert_eq!(Answer::of(&page).param("error"), "invalid_request");
}

// "The authorization server MUST support the use of the HTTP "GET" method [RFC2616] for the authorization endpoint and MAY
// support the use of the "POST" method as well." (RFC 6749 §3.1)
#[tokio::test]
async fn a_request_may_be_posted() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let request = wiki.request("openid");
    let form: Vec<(&str, &str)> = request.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let page = wiki.post_raw("/authorize", &[("origin", "https://wiki.example")], &form).await;
    assert_eq!(page.status, 303);
    let page = person.open(page.location().unwrap()).await;
    let page = person.sign_in_on(&page, crate::harness::seeds::ALICE, crate::harness::seeds::ALICE_PASSWORD).await;
    let answer = Answer::of(&person.allow_on(&page).await);
    assert_eq!(wiki.redeem(&answer.param("code")).await.status, 200);
}

// "If the issued access token scope is different from the one requested by the client, the authorization server MUST include
// the "scope" response parameter to inform the client of the actual scope granted." (RFC 6749 §3.3)
#[tokio::test]
async fn scopes_that_an_app_may_not_have_are_left_out_and_the_app_is_told() {
    let server = Server::start().await;
    let spa = App::new(&server, "spa");
    let asked = "openid profile notes.write admin root groups urn:grantor:admin";
    let answer = spa.approved_by(&Person::new(&server), asked).await;
    let tokens = spa.redeem(&answer.param("code")).await.json();
    assert_eq!(tokens["scope"], "openid profile");
}

#[tokio::test]
async fn only_what_the_person_ticked_is_granted() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    person.sign_in().await;
    let page = wiki.asks(&person, "openid email notes.read", &[]).await;
    let form = page.form(r#"form[action="/consent"]"#).with("decision", "allow").unticked("scope", "email");
    let mut widened = form.clone();
    widened.fields.push(("scope".into(), "notes.write".into()));
    let answer = Answer::of(&person.send(&widened).await);
    assert_eq!(wiki.redeem(&answer.param("code")).await.json()["scope"], "notes.read openid");
}

#[tokio::test]
async fn requests_of_people_who_never_sign_in_leave_no_rows() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let before = server.rows();
    for _ in 0..50 {
        assert_eq!(wiki.asks(&Person::new(&server), "openid", &[]).await.name(), "sign-in");
        wiki.asks(&Person::new(&server), "openid", &[("prompt", "none")]).await;
        wiki.asks(&Person::new(&server), "openid", &[("client_id", "nobody")]).await;
    }
    assert_eq!(server.rows(), before);
}

#[tokio::test]
async fn a_request_that_waited_too_long_or_was_altered_on_the_way_is_not_resumed() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let page = wiki.asks(&person, "openid", &[]).await;
    let carried =
        page.form(r#"form[action="/sign-in"]"#).fields.into_iter().find(|(name, _)| name == "request").unwrap().1;
    assert_eq!(person.open(format!("/authorize?resume={carried}")).await.name(), "sign-in");
    for altered in
        [format!("{carried}A"), carried[1..].to_owned(), carried.replace('.', "A."), ".".into(), VERIFIER.into()]
    {
        assert_eq!(person.open(format!("/authorize?resume={altered}")).await.name(), "error");
        assert_eq!(server.reason().await, "InteractionExpired");
    }
    server.clock.advance(std::time::Duration::from_hours(1));
    assert_eq!(person.open(format!("/authorize?resume={carried}")).await.name(), "error");
}
