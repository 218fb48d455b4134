//! Redirect URIs: compared letter for letter, before anything else happens (RFC 6749 §3.1.2, RFC 8252 §7.3, RFC 9700 §4.1).

use grantor_server::declare;
use grantor_server::place::Source;

use crate::harness::app::{Answer, App};
use crate::harness::person::Person;
use crate::harness::seeds;
use crate::harness::server::Server;

/// Everything that is not `https://portal.example/cb`, and has been taken for such an address somewhere.
const MUTATIONS: [&str; 66] = [
    "https://evil.example/cb",
    "https://portal.example/cb/",
    "https://portal.example/cb/../evil",
    "https://portal.example/cb/..",
    "https://portal.example/cb/..;/evil",
    "https://portal.example/cb%2f..%2fevil",
    "https://portal.example/cb%252f..%252fevil",
    "https://portal.example/cb?x=1",
    "https://portal.example/cb?code=evil",
    "https://portal.example/cb?",
    "https://portal.example/cb#f",
    "https://portal.example/cb#",
    "https://portal.example/cb%23@evil.example",
    "https://portal.example/cb.evil.example",
    "HTTPS://PORTAL.EXAMPLE/CB",
    "HTTPS://PORTAL.EXAMPLE/cb",
    "https://Portal.example/cb",
    "https://portal.example/CB",
    "https://portal.example//cb",
    "https://portal.example/cb%0d%0aX:y",
    "https://portal.example/cb ",
    " https://portal.example/cb",
    "https://portal.example/c%62",
    "https://portal.example.evil.example/cb",
    "https://evilportal.example/cb",
    "https://portal.example@evil.example/cb",
    "https://evil.example@portal.example/cb",
    "https://portal.example:443@evil.example/cb",
    "https://evil.example\\@portal.example/cb",
    "https://portal.example\\.evil.example/cb",
    "https://evil.example#@portal.example/cb",
    "https://evil.example%2f@portal.example/cb",
    "https://portal.example%2eevil.example/cb",
    "https://portal.example:8443/cb",
    "https://portal.example:443/cb",
    "https:/portal.example/cb",
    "https:portal.example/cb",
    "//portal.example/cb",
    "http://portal.example/cb",
    "javascript:alert(1)//portal.example/cb",
    "data:text/html,<script>//portal.example/cb",
    "https://portal.example/./cb",
    "https://portal.example/cb;a=b",
    "https://portal.example/x/../cb",
    "\thttps://portal.example/cb",
    "https://portal.example/cb\n",
    "https://portаl.example/cb",
    "https://portal.example./cb",
    "null",
    "urn:ietf:wg:oauth:2.0:oob",
    "about:blank",
    "/cb",
    "https://portal.example/cb,https://evil.example/cb",
    "https://portal.example/cb https://evil.example/cb",
    "https://portal.example/cb&redirect_uri=https://evil.example/cb",
    "https://[::1]/cb",
    "https://xn--portal.example/cb",
    "file://portal.example/cb",
    "https:///portal.example/cb",
    "https://portal.example/%2e%2e/cb",
    "https://portal.example",
    "https://portal.example/",
    "https://portal.example/c",
    "https://portal.example/cbb",
    "https://sub.portal.example/cb",
    "https://portal.example/\u{202e}cb",
];

// "When comparing client redirect URIs against pre-registered URIs, authorization servers MUST utilize exact string matching
// except for port numbers in `localhost` redirection URIs of native apps" (RFC 9700 §2.1)
// "This URI MUST exactly match one of the Redirection URI values for the Client pre-registered at the OpenID Provider, with
// the matching performed as described in Section 6.2.1 of [RFC3986] (Simple String Comparison)." (OIDC Core §3.1.2.1)
// "If the Redirection URI is invalid, the Authorization Server MUST NOT redirect the User Agent to the invalid Redirection
// URI." (OIDC Core §3.1.2.6)
// "One of these registered Redirection URI values MUST exactly match the "redirect_uri" parameter value used in each
// Authorization Request, with the matching performed as described in Section 6.2.1 of [RFC3986] (Simple String Comparison)."
// (OIDC Registration §2)
#[tokio::test]
async fn no_mutation_of_a_registered_address_is_followed() {
    let server = Server::start().await;
    let portal = App::new(&server, "portal");
    let (stranger, person) = (Person::new(&server), Person::new(&server));
    person.sign_in().await;
    for mutation in MUTATIONS {
        for (browser, prompt) in [(&stranger, ""), (&stranger, "none"), (&person, ""), (&person, "none")] {
            let changes = [("redirect_uri", mutation), ("prompt", prompt)];
            let page = browser.get(portal.authorize_url("openid", &changes)).await;
            assert_eq!(
                (page.status.as_u16(), page.name().as_str(), page.location()),
                (400, "error", None),
                "{mutation}"
            );
        }
        assert_eq!(server.reason().await, "RedirectUriMismatch", "{mutation}");
    }
    assert!(Answer::of(&portal.asks(&person, "openid", &[]).await).has("code"));
}

#[tokio::test]
async fn the_page_for_a_wrong_address_shows_where_it_differs() {
    let server = Server::start().await;
    let changes = [("redirect_uri", "https://wiki.example/cb/")];
    let page = App::new(&server, "wiki").asks(&Person::new(&server), "openid", &changes).await;
    let case = server.events().await[0].id.to_string();
    insta::assert_snapshot!(page.lines().replace(&case, "CASE"), @"
    Grantor
    This app gave us a wrong address
    You came here from
    Wiki
    ·
    wiki.example
    The app asked us to send you to an address that is not one of its own. To keep your account safe, we don’t.
    Go back to the app and try again. If it happens again, tell the people who run it.
    Case number
    CASE
    For the developer of the app
    The rule
    If the client registration included the full redirection URI, the authorization server MUST compare the two URIs using simple string comparison as defined in [RFC3986] Section 6.2.1.
    RFC 6749 §3.1.2.3
    The addresses
    Only the slash at the end differs.
    Received
    https://wiki.example/cb
    /
    Registered
    https://wiki.example/cb
    The fix
    Send a redirect_uri that is registered, letter for letter, or register the one you send.
    ");
}

#[tokio::test]
async fn an_address_that_is_taken_away_while_the_person_signs_in_is_not_followed() {
    let server = Server::start().await;
    let (spa, person) = (App::new(&server, "spa"), Person::new(&server));
    let page = spa.asks(&person, "openid", &[]).await;
    server
        .apply(
            r#"
            [[clients]]
            client_id = "spa"
            token_endpoint_auth_method = "none"
            redirect_uris = ["https://board.example/new"]
            scope = "openid""#,
        )
        .await;
    let page = person.sign_in_on(&page, seeds::ALICE, seeds::ALICE_PASSWORD).await;
    assert_eq!((page.status.as_u16(), page.name().as_str(), page.location()), (400, "error", None));
    assert_eq!(server.reason().await, "RedirectUriMismatch");
}

// "If multiple redirection URIs have been registered, ... the client MUST include a redirection URI with the authorization
// request using the "redirect_uri" request parameter." (RFC 6749 §3.1.2.3)
#[tokio::test]
async fn an_app_with_two_addresses_must_name_one() {
    let server = Server::start().await;
    let page = App::new(&server, "chat").asks(&Person::new(&server), "openid", &[("redirect_uri", "")]).await;
    assert_eq!((page.status.as_u16(), page.location()), (400, None));
    assert_eq!(server.reason().await, "RedirectUriMissing");
}

// "redirect_uri REQUIRED. Redirection URI to which the response will be sent." (OIDC Core §3.1.2.1)
// "The Authorization Server MUST verify that all the REQUIRED parameters are present and their usage conforms to this specification."
// (OIDC Core §3.1.2.2)
#[tokio::test]
async fn a_request_for_openid_always_names_its_address() {
    let server = Server::start().await;
    let page = App::new(&server, "portal").asks(&Person::new(&server), "profile openid", &[("redirect_uri", "")]).await;
    assert_eq!((page.status.as_u16(), page.location()), (400, None));
    assert_eq!(server.reason().await, "RedirectUriRequired");
}

#[tokio::test]
async fn an_app_with_one_address_need_not_name_it() {
    let server = Server::start().await;
    let (portal, person) = (App::new(&server, "portal"), Person::new(&server));
    person.sign_in().await;
    let answer = Answer::of(&portal.asks(&person, "profile", &[("redirect_uri", "")]).await);
    assert_eq!(answer.0.host_str(), Some("portal.example"));
    assert_eq!(portal.redeem_with(&answer.param("code"), &[("redirect_uri", "")]).await.status, 200);
}

#[tokio::test]
async fn the_address_of_another_app_is_not_followed() {
    let server = Server::start().await;
    let changes = [("redirect_uri", "https://chat.example/cb")];
    let page = App::new(&server, "wiki").asks(&Person::new(&server), "openid", &changes).await;
    assert_eq!((page.status.as_u16(), page.location()), (400, None));
    assert!(!page.body.contains("https://chat.example/other"), "the addresses of another app are its own affair");
}

// "ensure that the "redirect_uri" parameter is present if the "redirect_uri" parameter was included in the initial
// authorization request as described in Section 4.1.1, and if included ensure that their values are identical."
// (RFC 6749 §4.1.3)
// "The Authorization Server MUST validate the Token Request as follows:" (OIDC Core §3.1.3.2)
#[tokio::test]
async fn a_code_is_redeemed_with_the_address_it_was_sent_to() {
    let server = Server::start().await;
    let chat = App::new(&server, "chat");
    for other in [
        "https://chat.example/other",
        "https://evil.example/cb",
        "https://chat.example/cb/",
        "https://chat.example/cb?",
    ] {
        let page = chat.redeem_with(&chat.code("openid").await, &[("redirect_uri", other)]).await;
        assert_eq!(page.brief(), "400 invalid_grant", "{other}");
        assert_eq!(server.reason().await, "CodeRedirectUriMismatch", "{other}");
    }
    let portal = App::new(&server, "portal");
    let code = without_pkce(&server, &portal).await;
    assert_eq!(
        portal.redeem_with(&code, &[("redirect_uri", ""), ("code_verifier", "")]).await.brief(),
        "400 invalid_grant"
    );
}

async fn without_pkce(server: &Server, portal: &App<'_>) -> String {
    let person = Person::new(server);
    person.sign_in().await;
    let changes = [("code_challenge", ""), ("code_challenge_method", "")];
    Answer::of(&portal.asks(&person, "openid", &changes).await).param("code")
}

// "The authorization server MUST allow any port to be specified at the time of the request for loopback IP redirect URIs, to
// accommodate clients that obtain an available ephemeral port from the operating system at the time of the request."
// (RFC 8252 §7.3)
#[tokio::test]
async fn a_native_app_listens_on_any_port_of_its_loopback_address() {
    let server = Server::start().await;
    let native = App::new(&server, "native").at("http://127.0.0.1:49152/cb");
    let answer = native.approved_by(&Person::new(&server), "openid").await;
    assert_eq!((answer.0.port(), answer.0.path()), (Some(49152), "/cb"));
    let code = answer.param("code");
    let other_port = [("redirect_uri", "http://127.0.0.1:49153/cb")];
    assert_eq!(native.redeem_with(&code, &other_port).await.brief(), "400 invalid_grant");
    assert_eq!(native.redeem(&code).await.status, 200);
}

#[tokio::test]
async fn nothing_but_the_port_of_a_native_address_is_free() {
    let server = Server::start().await;
    let (native, person) = (App::new(&server, "native"), Person::new(&server));
    for other in [
        "http://127.0.0.1:49152/cb/",
        "http://127.0.0.1:49152/",
        "http://localhost:49152/cb",
        "https://127.0.0.1:49152/cb",
        "http://user@127.0.0.1:49152/cb",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:99999/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://127.0.0.1:1@evil.example/cb",
        "http://[::1]:49152/cb",
        "http://127.1:49152/cb",
        "http://2130706433:49152/cb",
        "http://127.0.0.2:49152/cb",
        "http://127.0.0.1:49152/cb?x=1",
        "http://127.0.0.1:49152/cb#f",
        "http://127.0.0.1:+80/cb",
        "http://127.0.0.1:80\\@evil.example/cb",
        "com.example.desk:/cb/",
        "com.example.desk://cb",
        "com.evil.desk:/cb",
    ] {
        let page = person.get(native.authorize_url("openid", &[("redirect_uri", other)])).await;
        assert_eq!((page.status.as_u16(), page.location()), (400, None), "{other}");
    }
    // Where the app is no native one, the port is part of the address like anything else.
    let page =
        App::new(&server, "spa").asks(&person, "openid", &[("redirect_uri", "https://board.example:444/cb")]).await;
    assert_eq!(page.status, 400);
}

#[tokio::test]
async fn a_native_app_may_have_a_scheme_of_its_own() {
    let server = Server::start().await;
    let native = App::new(&server, "native").at("com.example.desk:/cb");
    let answer = native.approved_by(&Person::new(&server), "openid").await;
    assert!(answer.0.as_str().starts_with("com.example.desk:/cb?code="), "{}", answer.0);
    assert_eq!(native.redeem(&answer.param("code")).await.status, 200);
}

// "The redirection endpoint URI MUST be an absolute URI as defined by [RFC3986] Section 4.3. ... The endpoint URI MUST NOT
// include a fragment component." (RFC 6749 §3.1.2)
#[test]
fn an_unsafe_address_cannot_be_registered() {
    for uri in [
        "*",
        "https://*",
        "https://*.app.example/cb",
        "https://app.example/*",
        "^https://app\\\\.example/.*$",
        "/cb",
        "cb",
        "https://app.example/cb#f",
        "http://app.example/cb",
        "http://192.168.0.1/cb",
        "https://u:p@app.example/cb",
        "https://app.example/a/../cb",
        "https://app.example/a b",
        "javascript:alert(1)",
        "data:text/html,x",
        "myapp:/cb",
        "com.app:/cb",
        "file:///etc/passwd",
        "https://",
    ] {
        let declared = format!("[[clients]]\nclient_id = \"app\"\nredirect_uris = [\"{uri}\"]\nscope = \"openid\"");
        let fault = declare::parse(&Source::new("test.toml", &declared)).unwrap_err().to_string();
        assert!(fault.contains("redirect_uris"), "{uri}: {fault}");
    }
}
