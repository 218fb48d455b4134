//! Userinfo: how the token is brought, what is answered, and who may read the answer (OIDC Core §5.3, RFC 6750).

use std::time::Duration;

use grantor_jose::algorithm::Algorithm;
use grantor_jose::key::Typ;
use grantor_jose::verify::{Expected, TypRule, verify};
use grantor_server::declare;
use grantor_server::place::Source;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::app::{App, header};
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::SECRET;
use crate::harness::server::Server;

type Headers<'a> = &'a [(&'a str, &'a str)];

/// Asks with any method, query, headers and body.
async fn ask(server: &Server, method: Method, path: &str, headers: Headers<'_>, body: &str) -> Page {
    let request = reqwest::Client::new().request(method, server.at(path)).body(body.to_owned());
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    Page::of(request.send().await.unwrap()).await
}

async fn get(server: &Server, headers: Headers<'_>) -> Page {
    ask(server, Method::GET, "/userinfo", headers, "").await
}

async fn token(server: &Server) -> String {
    App::new(server, "wiki").tokens("openid profile email").await.access().to_owned()
}

fn challenge(page: &Page) -> &str {
    page.header("www-authenticate").unwrap_or_default()
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

// "The UserInfo Endpoint MUST support the use of the HTTP "GET" and HTTP "POST" methods" (OIDC Core §5.3)
// "The UserInfo Endpoint MUST accept Access Tokens as OAuth 2.0 Bearer Token Usage [RFC6750]." (OIDC Core §5.3)
// "The UserInfo Endpoint MUST return a content-type header to indicate which format is being returned." (OIDC Core §5.3.2)
// "Upon receipt of the UserInfo Request, the UserInfo Endpoint MUST return the JSON Serialization of the UserInfo Response
// as in Section 13.3 in the HTTP response body unless a different format was specified during Registration
// [OpenID.Registration]." (OIDC Core §5.3.2)
// "All dynamic OPs that issue Access Tokens MUST support the UserInfo Endpoint, as defined in Section 5.3."
// (OIDC Core §15.2)
// "The content-type of the HTTP response MUST be "application/json" if the response body is a text JSON object; the response body
// SHOULD be encoded using UTF-8." (OIDC Core §5.3.2)
#[tokio::test]
async fn the_token_is_taken_from_the_header_of_a_get_or_post_or_from_a_form() {
    let server = Server::start().await;
    let token = token(&server).await;
    let (bearer, form) = (format!("Bearer {token}"), format!("access_token={token}"));
    let answers = [
        get(&server, &[("authorization", &bearer)]).await,
        ask(&server, Method::POST, "/userinfo", &[("authorization", &bearer)], "").await,
        ask(&server, Method::POST, "/userinfo", &[("authorization", &bearer), FORM], "").await,
        ask(
            &server,
            Method::POST,
            "/userinfo",
            &[("authorization", &bearer), ("content-type", "application/json")],
            "{}",
        )
        .await,
        ask(&server, Method::POST, "/userinfo", &[FORM], &form).await,
        get(&server, &[("authorization", &format!("bearer {token}"))]).await,
    ];
    for answer in &answers {
        assert_eq!((answer.status.as_u16(), answer.json()), (200, answers[0].json()));
        // "The UserInfo Claims MUST be returned as the members of a JSON object" (OIDC Core §5.3.2)
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert_eq!((answer.header("cache-control"), answer.header("set-cookie")), (Some("no-store"), None));
    }
}

// "If the request lacks any authentication information …, the resource server SHOULD NOT include an error code or other error
// information." (RFC 6750 §3.1)
#[tokio::test]
async fn without_a_token_the_answer_asks_for_one_and_says_no_more() {
    let server = Server::start().await;
    let answers = [get(&server, &[]).await, ask(&server, Method::POST, "/userinfo", &[FORM], "x=1").await];
    for answer in answers {
        assert_eq!((answer.status.as_u16(), challenge(&answer)), (401, "Bearer realm=\"Grantor\""));
        assert_eq!(answer.body, "");
    }
}

#[tokio::test]
async fn a_token_in_the_query_is_not_read() {
    let server = Server::start().await;
    let query = format!("/userinfo?access_token={}", token(&server).await);
    assert_eq!(ask(&server, Method::GET, &query, &[], "").await.status, 401);
    assert_eq!(ask(&server, Method::POST, &query, &[FORM], "").await.status, 401);
}

// "Clients MUST NOT use more than one method to transmit the token in each request." (RFC 6750 §2)
#[tokio::test]
async fn a_token_in_two_ways_at_once_is_refused() {
    let server = Server::start().await;
    let token = token(&server).await;
    let (bearer, form) = (format!("Bearer {token}"), format!("access_token={token}"));
    let headers = [("authorization", bearer.as_str()), FORM];
    let both = ask(&server, Method::POST, "/userinfo", &headers, &form).await;
    let twice = ask(&server, Method::POST, "/userinfo", &[FORM], &format!("{form}&{form}")).await;
    let headers = [("authorization", bearer.as_str()), ("authorization", &bearer)];
    for answer in [both, twice, get(&server, &headers).await] {
        // "invalid_request The request is missing a required parameter, … repeats the same parameter, uses more than one method
        // for including an access token, or is otherwise malformed." (RFC 6750 §3.1)
        assert_eq!((answer.status.as_u16(), answer.json()["error"].as_str()), (400, Some("invalid_request")));
        assert!(challenge(&answer).starts_with("Bearer realm=\"Grantor\", error=\"invalid_request\""));
    }
}

#[tokio::test]
async fn a_header_that_is_no_bearer_token_is_refused() {
    let server = Server::start().await;
    let token = token(&server).await;
    let basic = format!("Basic {token}");
    let (comma, quoted) = (format!("Bearer {token}, Bearer {token}"), format!("Bearer \"{token}\""));
    for wrong in ["Bearer", "Bearer ", &comma, &quoted, "Bearer a b", "Bearer é"] {
        let answer = get(&server, &[("authorization", wrong)]).await;
        assert_eq!(answer.status, 400, "{wrong}");
        assert!(challenge(&answer).starts_with("Bearer "), "{wrong}");
    }
    // "If the request lacks any authentication information (e.g., the client was unaware that authentication is necessary or
    // attempted using an unsupported authentication method), the resource server SHOULD NOT include an error code or other
    // error information." (RFC 6750 §3.1)
    for other in ["", token.as_str(), &basic] {
        let answer = get(&server, &[("authorization", other)]).await;
        assert_eq!((answer.status.as_u16(), challenge(&answer)), (401, "Bearer realm=\"Grantor\""), "{other}");
    }
}

// "invalid_token The access token provided is expired, revoked, malformed, or invalid for other reasons." (RFC 6750 §3.1)
#[tokio::test]
async fn what_is_no_access_token_of_ours_is_refused() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let tokens = wiki.tokens("openid offline_access").await;
    let (head, _) = tokens.access().rsplit_once('.').unwrap();
    let altered = format!("{head}.{}", "A".repeat(86));
    let unsigned = format!("eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJub25lIn0.{}.", head.split('.').nth(1).unwrap());
    for wrong in ["x", "a.b.c", "gtr_at_00000000001.AAAA", tokens.id(), tokens.refresh(), &altered, &unsigned] {
        let answer = wiki.userinfo(wrong).await;
        assert_eq!((answer.status.as_u16(), answer.json()["error"].as_str()), (401, Some("invalid_token")), "{wrong}");
        assert!(challenge(&answer).contains("error=\"invalid_token\""), "{wrong}");
    }
}

#[tokio::test]
async fn an_access_token_counts_until_it_expires() {
    let server = Server::start().await;
    for app in ["wiki", "chat"] {
        let app = App::new(&server, app);
        let tokens = app.tokens("openid").await;
        server.clock.advance(Duration::from_secs(599));
        assert_eq!(app.userinfo(tokens.access()).await.status, 200);
        server.clock.advance(Duration::from_secs(1));
        assert_eq!(app.userinfo(tokens.access()).await.json()["error"], "invalid_token");
    }
}

#[tokio::test]
async fn an_access_token_counts_until_its_approval_ends() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let tokens = wiki.tokens("openid offline_access").await;
    wiki.revoke(tokens.refresh()).await;
    assert_eq!(wiki.userinfo(tokens.access()).await.status, 401);
    let tokens = wiki.tokens("openid").await;
    server.apply("[[users]]\nusername = \"alice\"\ndisabled = true\n").await;
    assert_eq!(wiki.userinfo(tokens.access()).await.status, 401);
}

// "insufficient_scope The request requires higher privileges than provided by the access token." (RFC 6750 §3.1)
#[tokio::test]
async fn a_token_without_openid_reads_nothing() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let service: Value =
        App::new(&server, "service").post("/token", &[("grant_type", "client_credentials")]).await.json();
    let of_nobody = service["access_token"].as_str().unwrap().to_owned();
    for token in [wiki.tokens("profile email").await.access(), wiki.tokens("notes.read").await.access(), &of_nobody] {
        let answer = wiki.userinfo(token).await;
        assert_eq!((answer.status.as_u16(), answer.json()["error"].as_str()), (403, Some("insufficient_scope")));
        assert!(challenge(&answer).contains("scope=\"openid\""));
    }
}

// "The "sub" Claim in the UserInfo Response MUST be verified to exactly match the "sub" Claim in the ID Token"
// (OIDC Core §5.3.2)
// "The "sub" (subject) Claim MUST always be returned in the UserInfo Response." (OIDC Core §5.3.2)
#[tokio::test]
async fn userinfo_is_about_the_subject_of_the_id_token() {
    let server = Server::start().await;
    for app in ["wiki", "chat", "spa"] {
        let app = App::new(&server, app);
        let tokens = app.tokens("openid").await;
        let answer = app.userinfo(tokens.access()).await.json();
        assert_eq!(answer, json!({ "sub": crate::harness::app::claims(tokens.id())["sub"] }));
    }
}

#[tokio::test]
async fn other_methods_are_not_offered() {
    let server = Server::start().await;
    let bearer = format!("Bearer {}", token(&server).await);
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        assert_eq!(ask(&server, method, "/userinfo", &[("authorization", &bearer)], "").await.status, 405);
    }
}

/// An app that registered for signed answers.
async fn signed(server: &Server, algorithm: Algorithm) -> Page {
    let declaration = format!(
        r#"
        [[clients]]
        client_id = "portal"
        client_secret = "{SECRET}"
        redirect_uris = ["https://portal.example/cb"]
        scope = "openid email"
        skip_consent = true
        userinfo_signed_response_alg = "{algorithm}"
        "#
    );
    server.apply(&declaration).await;
    let portal = App::new(server, "portal");
    let tokens = portal.tokens_with(&Person::new(server), "openid email", &[]).await;
    portal.userinfo(tokens.access()).await
}

// "If the UserInfo Response is signed and/or encrypted, then the Claims are returned in a JWT and the content-type MUST be
// "application/jwt"." (OIDC Core §5.3.2)
// "JWS "alg" algorithm [JWA] REQUIRED for signing UserInfo Responses." (OIDC Registration §2)
#[tokio::test]
async fn an_app_that_registered_for_it_gets_signed_answers() {
    let server = Server::start().await;
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256, Algorithm::Ps256] {
        let answer = signed(&server, algorithm).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, Some("application/jwt")));
        assert_eq!(header(&answer.body)["alg"], algorithm.as_str());
        let jwks = ask(&server, Method::GET, "/jwks", &[], "").await.body;
        let jwks: grantor_jose::jwk::JwkSet = serde_json::from_str(&jwks).unwrap();
        let expected = Expected { typ: TypRule::Is(Typ::Jwt), algorithms: &[algorithm] };
        let claims: Value = verify(&answer.body, &expected, &jwks).unwrap().claims().unwrap();
        // "If signed, the UserInfo Response MUST contain the Claims "iss" (issuer) and "aud" (audience) as members."
        // (OIDC Core §5.3.2)
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!(server.url), &json!("portal")));
        assert_eq!((&claims["email"], claims["sub"].is_string()), (&json!("alice@example.com"), true));
    }
}

#[tokio::test]
async fn answers_without_a_signature_or_with_a_shared_secret_cannot_be_registered() {
    let app = |algorithm: &str| {
        let text = format!(
            r#"
            [[clients]]
            client_id = "portal"
            redirect_uris = ["https://portal.example/cb"]
            scope = "openid"
            userinfo_signed_response_alg = "{algorithm}"
            "#
        );
        declare::parse(&Source::new("test.toml", &text))
    };
    assert!(app("ES256").is_ok());
    for algorithm in ["none", "HS256", "RS1", ""] {
        assert!(app(algorithm).is_err(), "{algorithm}");
    }
}

#[tokio::test]
async fn a_signed_answer_is_no_token() {
    let server = Server::start().await;
    let person = Person::new(&server);
    person.sign_in().await;
    let answer = signed(&server, Algorithm::Es256).await;
    assert_eq!(App::new(&server, "portal").userinfo(&answer.body).await.status, 401);
}

// "The UserInfo Endpoint SHOULD support the use of Cross-Origin Resource Sharing (CORS)" (OIDC Core §5.3)
#[tokio::test]
async fn scripts_of_the_origins_of_apps_may_read_the_answer_and_no_others() {
    let server = Server::start().await;
    let bearer = format!("Bearer {}", token(&server).await);
    let from = async |origin: &str, bearer: &str| {
        let answer = get(&server, &[("origin", origin), ("authorization", bearer)]).await;
        assert_eq!(answer.header("vary"), Some("Origin"));
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        answer.header("access-control-allow-origin").map(str::to_owned)
    };
    assert_eq!(from("https://board.example", &bearer).await.as_deref(), Some("https://board.example"));
    // A refusal can be read, too: an app must see that its token has expired.
    assert_eq!(from("https://board.example", "Bearer x").await.as_deref(), Some("https://board.example"));
    for other in ["https://evil.example", "http://board.example", "https://board.example.evil.example", "null"] {
        assert_eq!(from(other, &bearer).await, None, "{other}");
    }
}

#[tokio::test]
async fn a_preflight_allows_the_header_that_the_token_travels_in() {
    let server = Server::start().await;
    let asked = [
        ("origin", "https://board.example"),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "authorization"),
    ];
    let answer = ask(&server, Method::OPTIONS, "/userinfo", &asked, "").await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://board.example"));
    assert_eq!(answer.header("access-control-allow-headers"), Some("authorization, content-type"));
    assert_eq!(answer.header("access-control-allow-methods"), Some("GET, POST"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}
