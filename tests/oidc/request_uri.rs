//! Request objects that lie at an address which the app has registered (OIDC Core §6.2).

use grantor_jose::hash::sha256_text;

use super::pairwise::Lists;
use super::request_object::{FOREIGN_KEY, asks, declare, object_of};
use crate::harness::app::Answer;
use crate::harness::person::Person;
use crate::harness::server::Server;
use crate::harness::tls;

/// What comes of a request that names an address: `code`, or the error and its reason.
async fn fate(server: &Server, person: &Person, uri: &str) -> String {
    let page = asks(server, person, "", &[("client_id", "far"), ("request", ""), ("request_uri", uri)]).await;
    let answer = Answer::of(&person.approve(page).await);
    if answer.has("code") { "code".into() } else { format!("{} {}", answer.param("error"), server.reason().await) }
}

/// Declares the app with these addresses.
async fn register(server: &Server, uris: &[String]) {
    declare(server, "far", &format!("request_uris = {uris:?}")).await;
}

fn hash(text: &str) -> String {
    sha256_text(text.as_bytes())
}

// "This parameter is used identically to the "request" parameter, other than that the Request Object value is retrieved from the
// resource at the specified URL, rather than passed by value." (OIDC Core §6.2)
// "These OPs MUST support requests made using a Request Object value that is retrieved from a Request URI that is provided
// with the "request_uri" parameter, as defined in Section 6.2." (OIDC Core §15.2)
// "The contents of the resource referenced by the URL MUST be a Request Object." (OIDC Core §6.2)
// "Upon receipt of the Request, the Authorization Server MUST send an HTTP "GET" request to the "request_uri" to retrieve
// the referenced Request Object, unless it is already cached, and parse it to recreate the Authorization Request
// parameters." (OIDC Core §6.2.3)
// "Pre-registration is REQUIRED when the value is "true"." (OIDC Discovery §3)
#[tokio::test]
async fn an_object_is_read_where_the_app_has_registered_it_and_nowhere_else() {
    let server = Server::start_with(tls::trusting).await;
    let person = Person::new(&server);
    let (good, forged) = (object_of(&server, "far").signed(), object_of(&server, "far").signed_with(FOREIGN_KEY));
    let site = Lists::start(&[
        ("/good", good.clone()),
        ("/line", format!("{good}\n")),
        ("/pinned", good.clone()),
        ("/unregistered", good.clone()),
        ("/forged", forged),
        ("/empty", String::new()),
        ("/large", "x".repeat(9000)),
        ("/elsewhere", "https://127.0.0.1/good".to_owned()),
    ]);
    let at = |path: &str| format!("{}{path}", site.url);
    let pinned = format!("/pinned#{}", hash(&good));
    let paths = ["/good", "/line", &pinned, "/forged", "/empty", "/large", "/elsewhere", "/nothing"];
    let mut uris: Vec<String> = paths.map(at).to_vec();
    uris.push("https://127.0.0.1:1/good".to_owned());
    register(&server, &uris).await;
    for (uri, expected) in [
        (at("/good"), "code"),
        (at("/line"), "code"),
        (at(&pinned), "code"),
        (at(&format!("/good#{}", hash(&good))), "code"),
        (at(&format!("/good#{}", hash("another"))), "invalid_request_uri RequestUriChanged"),
        (at("/good#"), "invalid_request_uri RequestUriChanged"),
        (at("/pinned"), "invalid_request_uri RequestUriUnknown"),
        (at(&format!("/pinned#{}", hash("another"))), "invalid_request_uri RequestUriUnknown"),
        (at("/unregistered"), "invalid_request_uri RequestUriUnknown"),
        (at("/good?"), "invalid_request_uri RequestUriUnknown"),
        ("urn:ietf:params:oauth:request_uri:x".to_owned(), "invalid_request_uri RequestUriUnknown"),
        (at("/forged"), "invalid_request_object RequestObjectSignature"),
        (at("/empty"), "invalid_request_object RequestObjectInvalid"),
        (at("/large"), "invalid_request_uri RequestUriUnreachable"),
        (at("/elsewhere"), "invalid_request_uri RequestUriUnreachable"),
        (at("/nothing"), "invalid_request_uri RequestUriUnreachable"),
        ("https://127.0.0.1:1/good".to_owned(), "invalid_request_uri RequestUriUnreachable"),
    ] {
        assert_eq!(fate(&server, &person, &uri).await, expected, "{uri}");
    }
}

#[tokio::test]
async fn an_address_inside_is_never_asked() {
    let server = Server::start().await;
    let site = Lists::start(&[("/good", object_of(&server, "far").signed())]);
    let uri = format!("{}/good", site.url);
    register(&server, std::slice::from_ref(&uri)).await;
    let person = Person::new(&server);
    assert_eq!(fate(&server, &person, &uri).await.split(' ').next(), Some("invalid_request_uri"));
    assert!(server.reasons().await.iter().any(|reason| reason == "RequestUriUnreachable"));
}

// "If one of these parameters is used, the other MUST NOT be used in the same request." (OIDC Core §6)
#[tokio::test]
async fn an_object_stands_in_the_request_or_lies_elsewhere_and_not_both() {
    let server = Server::start_with(tls::trusting).await;
    let good = object_of(&server, "far").signed();
    let site = Lists::start(&[("/good", good.clone())]);
    let uri = format!("{}/good", site.url);
    register(&server, std::slice::from_ref(&uri)).await;
    let beside = [("client_id", "far"), ("request_uri", uri.as_str())];
    let answer = Answer::of(&asks(&server, &Person::new(&server), &good, &beside).await);
    assert_eq!(answer.param("error"), "invalid_request");
    assert_eq!(server.reason().await, "RequestObjectAmbiguous");
}
