//! How an app finds the provider of a person of whom it knows no more than a name at a host (RFC 7033, OIDC Discovery §2).

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::page::Page;
use crate::harness::server::Server;

const ISSUER: &str = "http://openid.net/specs/connect/1.0/issuer";

/// A server that is reached by https at `127.0.0.1`, and is the provider for `people.example` too.
async fn served() -> Server {
    Server::start_with(|config| {
        config.issuer = config.issuer.replace("http://", "https://");
        config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        config.webfinger_hosts = vec!["people.example".to_owned()];
    })
    .await
}

async fn ask(server: &Server, method: Method, query: &[(&str, &str)]) -> Page {
    // The proxy before the server speaks plain HTTP to it.
    let url = server.at("/.well-known/webfinger").replace("https://", "http://");
    Page::of(reqwest::Client::new().request(method, url).query(query).send().await.unwrap()).await
}

// "To find the Issuer for the given user input in the form of an e-mail address "joe@example.com", the WebFinger parameters are
// as follows:" (OIDC Discovery §2.2.1)
// "The Issuer location MUST be returned in the WebFinger response as the value of the "href" member of a "links" array
// element with "rel" member value "http://openid.net/specs/connect/1.0/issuer"." (OIDC Discovery §2)
#[tokio::test]
async fn who_asks_by_an_address_is_told_the_issuer() {
    let server = served().await;
    let answer = ask(&server, Method::GET, &[("resource", "acct:ada@people.example"), ("rel", ISSUER)]).await;
    let told = json!({"subject": "acct:ada@people.example", "links": [{"rel": ISSUER, "href": server.url}]});
    assert_eq!((answer.status.as_u16(), answer.json()), (200, told.clone()));
    // "The media type used for the JSON Resource Descriptor (JRD) is "application/jrd+json"" (RFC 7033 §4.2)
    assert_eq!(answer.header("content-type"), Some("application/jrd+json"));
    // "If Issuer discovery is supported (see Section 2), this value MUST be identical to the issuer value returned by WebFinger."
    // (OIDC Discovery §3)
    let discovery = server.at("/.well-known/openid-configuration").replace("https://", "http://");
    let metadata = Page::of(reqwest::get(discovery).await.unwrap()).await.json();
    assert_eq!(metadata["issuer"], told["links"][0]["href"]);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
}

// "To find the Issuer for the given URL, "https://example.com/joe", the WebFinger parameters are as follows:"
// (OIDC Discovery §2.2.2)
#[tokio::test]
async fn a_url_of_ours_is_an_identifier_too() {
    let server = served().await;
    for resource in ["https://people.example/ada".to_owned(), format!("{}/ada", server.url), server.url.clone()] {
        let answer = ask(&server, Method::GET, &[("resource", &resource)]).await;
        assert_eq!(answer.json()["links"][0]["href"], server.url.as_str(), "{resource}");
    }
}

// "If the "resource" parameter is absent or malformed, the WebFinger resource MUST indicate that the request is bad as per
// Section 10.4.1 of RFC 2616" (RFC 7033 §4.2)
#[tokio::test]
async fn what_is_no_question_is_told_so() {
    let server = served().await;
    let asked = ("resource", "acct:ada@people.example");
    for query in
        [&[][..], &[("rel", ISSUER)], &[asked, asked], &[("resource", "ada@people.example")], &[("resource", "")]]
    {
        let answer = ask(&server, Method::GET, query).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("access-control-allow-origin")),
            (400, Some("*")),
            "{query:?}"
        );
    }
}

// "Therefore, comparisons between JSON strings and other Unicode strings MUST be performed as specified below: ... Unicode
// Normalization [USA15] MUST NOT be applied at any point to either the JSON string or to the string it is to be compared against.
// ... Comparisons between the two strings MUST be performed as a Unicode code point to code point equality comparison."
// (OIDC Discovery §5)
#[tokio::test]
async fn a_host_or_relation_in_letters_that_only_look_alike_is_another_one() {
    let server = served().await;
    for resource in
        ["acct:ada@\u{ff50}eople.example", "acct:ada@people\u{2024}example", "acct:ada@p\u{435}ople.example"]
    {
        let answer = ask(&server, Method::GET, &[("resource", resource)]).await;
        assert!(answer.status.is_client_error(), "{resource}: {}", answer.whole());
    }
    let asked = ("resource", "acct:ada@people.example");
    let other = ISSUER.replace("issuer", "\u{131}ssuer");
    let answer = ask(&server, Method::GET, &[asked, ("rel", &other)]).await;
    assert_eq!(answer.json()["links"], json!([]));
}

// "If the "resource" parameter is a value for which the server has no information, the server MUST indicate that it was unable
// to match the request as per Section 10.4.5 of RFC 2616." (RFC 7033 §4.2)
#[tokio::test]
async fn an_identifier_of_another_host_is_not_found() {
    let server = served().await;
    for resource in ["acct:ada@elsewhere.example", "https://elsewhere.example/", "mailto:ada@people.example", "urn:a:b"]
    {
        assert_eq!(ask(&server, Method::GET, &[("resource", resource)]).await.status, 404, "{resource}");
    }
}

#[tokio::test]
async fn who_has_an_account_is_not_told() {
    let server = served().await;
    let [known, unknown] = ["acct:alice@people.example", "acct:nobody@people.example"];
    let known_answer = ask(&server, Method::GET, &[("resource", known)]).await;
    let unknown_answer = ask(&server, Method::GET, &[("resource", unknown)]).await;
    assert_eq!(known_answer.body.replace(known, unknown), unknown_answer.body);
}

// "If there are no matching link relation types defined for the resource, the "links" array in the JRD will be either absent or
// empty." (RFC 7033 §4.3)
#[tokio::test]
async fn only_the_links_that_were_asked_for_are_told() {
    let server = served().await;
    let asked = ("resource", "acct:ada@people.example");
    let other = ("rel", "http://webfinger.example/rel/profile-page");
    let none: Value = ask(&server, Method::GET, &[asked, other]).await.json();
    assert_eq!(none, json!({"subject": "acct:ada@people.example", "links": []}));
    let both: Value = ask(&server, Method::GET, &[other, asked, ("rel", ISSUER)]).await.json();
    assert_eq!(both["links"].as_array().unwrap().len(), 1);
}

// "WebFinger resources MUST NOT be served with any other URI scheme (such as HTTP)." (RFC 7033 §4)
// "All WebFinger communication MUST utilize TLS in the manner described in Section 7.1." (OIDC Discovery §2)
#[tokio::test]
async fn without_https_nothing_is_told() {
    let server = Server::start().await;
    assert_eq!(ask(&server, Method::GET, &[("resource", &server.url)]).await.status, 404);
}

// "The WebFinger endpoint SHOULD support the use of Cross-Origin Resource Sharing (CORS) [CORS] and/or other methods as
// appropriate to enable JavaScript Clients and other Browser-Based Clients to access it." (OIDC Discovery §2)
#[tokio::test]
async fn a_script_of_any_origin_may_ask_and_nothing_else_is_taken() {
    let server = served().await;
    let preflight = ask(&server, Method::OPTIONS, &[]).await;
    assert_eq!((preflight.status.as_u16(), preflight.header("access-control-allow-origin")), (204, Some("*")));
    let query = [("resource", "acct:ada@people.example")];
    assert_eq!(ask(&server, Method::HEAD, &query).await.status, 200);
    assert_eq!(ask(&server, Method::POST, &query).await.status, 405);
}
