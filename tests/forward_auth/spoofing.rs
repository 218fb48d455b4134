//! What a client tells itself into a proxy's question.

use std::time::Duration;

use super::{APPS, BOARD, HANDBOOK, NAVIGATION, Visitor, guarded, identity};
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::server::Server;

/// A question with these headers and no other.
async fn asked(server: &Server, method: &str, path: &str, headers: &[(&str, &str)]) -> Page {
    let method = method.parse().unwrap();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let request = headers
        .iter()
        .fold(client.request(method, server.at(path)), |request, (name, value)| request.header(*name, *value));
    Page::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn nobody_is_believed_who_is_not_listed() {
    let server = Server::start().await;
    server.apply(APPS).await;
    let refused = Visitor::new(&server).opens(BOARD, "/").await;
    assert_eq!((refused.status.as_u16(), server.reason().await.as_str()), (403, "ProxyUntrusted"));
    assert!(refused.body.contains("trusted_proxies"), "{}", refused.body);
    for path in ["/.grantor/callback?ticket=x", "/.grantor/sign-in", "/.grantor/sign-out", "/forward-auth/x"] {
        assert_eq!(asked(&server, "GET", path, &[("x-forwarded-host", BOARD)]).await.status, 403, "{path}");
    }
}

#[tokio::test]
async fn every_identity_header_is_set_also_where_nobody_enters() {
    let server = guarded().await;
    let open =
        Visitor::new(&server).asks(HANDBOOK, "/health", &[("remote-user", "admin"), ("remote-groups", "admins")]).await;
    assert_eq!((open.status.as_u16(), identity(&open)), (200, [""; 6]));
    assert_eq!(open.header("remote-jwt"), Some(""));
}

#[tokio::test]
async fn a_question_that_can_be_read_in_two_ways_lets_nobody_in() {
    let server = guarded().await;
    let alice = Visitor::new(&server);
    alice.enters(BOARD, "/").await;
    let cookie = alice.cookies_of(BOARD);
    let (host, uri, cookie) = (("x-forwarded-host", BOARD), ("x-forwarded-uri", "/"), ("cookie", cookie.as_str()));
    assert_eq!(asked(&server, "GET", "/forward-auth", &[host, uri, cookie]).await.status, 200);
    for headers in [
        &[cookie][..],
        &[host, cookie],
        &[uri, cookie],
        &[host, uri, ("x-original-url", "https://board.example/"), cookie],
        &[host, ("x-forwarded-host", HANDBOOK), uri, cookie],
        &[host, uri, ("x-forwarded-uri", "/health"), cookie],
        &[("x-forwarded-host", "board.example, handbook.example"), uri, cookie],
        &[host, ("x-forwarded-uri", "https://board.example/"), cookie],
        &[("x-forwarded-host", "evil.example"), uri, cookie],
        &[("x-forwarded-host", "board.example@evil.example"), uri, cookie],
    ] {
        let refused = asked(&server, "GET", "/forward-auth", headers).await;
        assert_eq!((refused.status.as_u16(), refused.header("location")), (403, None), "{headers:?}");
    }
}

#[tokio::test]
async fn a_path_that_can_be_read_in_two_ways_opens_nothing() {
    let server = guarded().await;
    let alice = Visitor::new(&server);
    alice.enters(HANDBOOK, "/").await;
    for path in [
        "/health/../cellar",
        "/health/%2e%2e/cellar",
        "//cellar",
        "/;/cellar",
        "/cellar;x",
        "/%63ellar",
        "/CELLAR",
        "/health%2f..%2fcellar",
        "/health/..;/cellar",
        "/health\\..\\cellar",
        "/health/./x",
        "/%2e%2e/cellar",
        "/health/%252e%252e/cellar",
        "/%43ellar",
        "/cellar%2ejson",
        "/cellar%00",
    ] {
        assert_eq!(alice.asks(HANDBOOK, path, &[]).await.status, 403, "{path}");
        assert_eq!(Visitor::new(&server).opens(HANDBOOK, path).await.status, 403, "{path}");
    }
    assert_eq!(alice.asks(HANDBOOK, "/chapter/a%20b", &[]).await.status, 200);
}

#[tokio::test]
async fn no_method_and_no_header_goes_around_the_question() {
    let server = guarded().await;
    let stranger = Visitor::new(&server);
    for (name, value) in [
        ("x-forwarded-method", "HEAD"),
        ("x-forwarded-method", "OPTIONS"),
        ("x-forwarded-method", "TRACE"),
        ("user-agent", "GoogleHC/1.0"),
        ("user-agent", "kube-probe/1.30"),
        ("upgrade", "websocket"),
        ("x-http-method-override", "OPTIONS"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-prefix", "/health"),
        ("x-original-uri", "/health"),
        ("x-rewrite-url", "/health"),
    ] {
        let headers = [("x-forwarded-host", HANDBOOK), ("x-forwarded-uri", "/"), (name, value)];
        assert_eq!(asked(&server, "GET", "/forward-auth", &headers).await.status, 401, "{name}: {value}");
    }
    for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"] {
        let headers = [("x-forwarded-host", HANDBOOK), ("x-forwarded-uri", "/")];
        assert_eq!(asked(&server, method, "/forward-auth", &headers).await.status, 401, "{method}");
        assert_eq!(asked(&server, method, "/forward-auth/a", &[("host", HANDBOOK)]).await.status, 401, "{method}");
    }
    assert_eq!(stranger.asks(HANDBOOK, "/", &[("access-control-request-method", "PUT")]).await.status, 401);
}

#[tokio::test]
async fn a_preflight_goes_on_where_that_is_declared() {
    let server = guarded().await;
    let preflight = |host| {
        [
            ("x-forwarded-host", host),
            ("x-forwarded-uri", "/"),
            ("x-forwarded-method", "OPTIONS"),
            ("origin", "https://other.example"),
            ("access-control-request-method", "PUT"),
        ]
    };
    assert_eq!(asked(&server, "GET", "/forward-auth", &preflight(BOARD)).await.status, 200);
    assert_eq!(asked(&server, "GET", "/forward-auth", &preflight(HANDBOOK)).await.status, 401);
    let without = [("x-forwarded-host", BOARD), ("x-forwarded-uri", "/"), ("x-forwarded-method", "OPTIONS")];
    assert_eq!(asked(&server, "GET", "/forward-auth", &without).await.status, 401);
}

#[tokio::test]
async fn only_a_person_who_looks_is_sent_to_a_page() {
    let server = guarded().await;
    let stranger = Visitor::new(&server);
    assert_eq!(stranger.asks(BOARD, "/", &[]).await.status, 401);
    assert_eq!(stranger.asks(BOARD, "/", &[("accept", "text/html"), ("sec-fetch-mode", "cors")]).await.status, 401);
    assert_eq!(stranger.asks(BOARD, "/", &[("accept", "text/html")]).await.status, 302, "an older browser");
    let posted = [("x-forwarded-host", BOARD), ("x-forwarded-uri", "/"), ("x-forwarded-method", "POST"), NAVIGATION[0]];
    assert_eq!(asked(&server, "GET", "/forward-auth", &posted).await.status, 401);
    let nginx = [("x-original-url", "https://board.example/"), NAVIGATION[0], NAVIGATION[1]];
    assert_eq!(asked(&server, "GET", "/forward-auth", &nginx).await.status, 401, "nginx hands nothing else on");
    let handed = asked(&server, "GET", "/.grantor/sign-in", &nginx).await;
    assert_eq!((handed.status.as_u16(), handed.location().unwrap().path()), (302, "/enter"));
}

#[tokio::test]
async fn no_address_of_ours_leads_to_another_host() {
    let server = guarded().await;
    for target in [
        "//evil.example/",
        "/\\evil.example/",
        "/%09/evil.example",
        "/.evil.example",
        "/@evil.example",
        "///evil.example",
    ] {
        let alice = Visitor::new(&server);
        alice.person.sign_in().await;
        let sent = alice.opens(BOARD, target).await;
        let back = alice.person.open(sent.location().unwrap()).await.location().unwrap();
        assert_eq!(back.host_str(), Some(BOARD), "{target}");
        let page = alice.opens(BOARD, &super::target(&back)).await;
        assert_eq!(page.location().unwrap().host_str(), Some(BOARD), "{target}");
    }
    for request in ["", "x", "x.y", "eyJvIjoiaHR0cHM6Ly9ldmlsLmV4YW1wbGUifQ.AAAA"] {
        let page = Person::new(&server).get(format!("/enter?request={request}")).await;
        assert_eq!((page.status.as_u16(), page.location().is_none()), (400, true), "{request}");
    }
}

#[tokio::test]
async fn an_entry_is_good_for_an_hour_and_as_long_as_the_app_is_declared() {
    let server = guarded().await;
    let alice = Visitor::new(&server);
    alice.person.sign_in().await;
    let sent = alice.opens(BOARD, "/").await.location().unwrap();
    server.clock.advance(Duration::from_mins(61));
    assert_eq!(alice.person.get(&sent).await.status, 400);
    assert_eq!(server.reason().await, "InteractionExpired");
}

#[tokio::test]
async fn an_app_of_one_network_is_closed_to_others() {
    let server = guarded().await;
    server.apply("[[apps]]\nname = \"Board\"\norigins = [\"https://board.example\"]\neverybody = true\nnetworks = [\"192.0.2.0/24\"]\n").await;
    let alice = Visitor::new(&server);
    alice.person.sign_in().await;
    let inside = [NAVIGATION[0], ("x-forwarded-for", "192.0.2.1")];
    assert_eq!(alice.asks(BOARD, "/", &inside).await.location().unwrap().path(), "/enter");
    for from in ["198.51.100.1", "192.0.2.1, 198.51.100.1", "2001:db8::1", "::ffff:198.51.100.1"] {
        let outside = [("x-forwarded-for", from)];
        assert_eq!(alice.asks(BOARD, "/", &outside).await.status, 403, "{from}");
    }
    let told = alice.follows(BOARD, &alice.opens(BOARD, "/").await).await;
    assert!(told.text().contains("You can’t open Board from here"), "{}", told.text());
}

#[tokio::test]
async fn strangers_do_not_fill_the_events() {
    let server = guarded().await;
    let stranger = Visitor::new(&server);
    for _ in 0..20 {
        assert_eq!(stranger.asks(HANDBOOK, "/", &[("authorization", "Bearer wrong")]).await.status, 401);
        assert_eq!(stranger.asks(HANDBOOK, "//", &[]).await.status, 403);
    }
    let reasons = server.reasons().await;
    let count = |reason: &str| reasons.iter().filter(|known| *known == reason).count();
    assert_eq!((count("TokenUnknown"), count("EntryAddressAmbiguous")), (1, 1), "{reasons:?}");
}

#[tokio::test]
async fn nginx_sends_nobody_around_whom_only_the_app_refuses() {
    let server = guarded().await;
    let alice = Visitor::new(&server);
    alice.enters(BOARD, "/").await;
    let cookie = alice.cookies_of(BOARD);
    let mut headers = vec![("x-original-url", "https://board.example/"), ("cookie", cookie.as_str())];
    assert_eq!(asked(&server, "GET", "/.grantor/sign-in", &headers).await.status, 403);
    headers.extend(NAVIGATION);
    let sent = asked(&server, "GET", "/.grantor/sign-in", &headers).await;
    let told = alice.person.open(sent.location().unwrap()).await;
    assert!(told.text().contains("Board did not let you in"), "{}", told.text());
}

#[test]
fn every_example_knows_every_name() {
    let examples = [
        include_str!("../../crates/server/examples/proxies/nginx.conf"),
        include_str!("../../crates/server/examples/proxies/Caddyfile"),
        include_str!("../../crates/server/examples/proxies/traefik.yml"),
        include_str!("../../crates/server/examples/proxies/envoy.yaml"),
    ];
    for name in ["user", "subject", "name", "email", "groups", "scopes", "jwt"] {
        assert!(examples.iter().all(|example| example.to_lowercase().contains(&format!("remote-{name}"))), "{name}");
        let traefik = examples[2].to_lowercase();
        assert!(
            traefik.contains(&format!("remote_{name}: ")) && traefik.contains(&format!("remote.{name}: ")),
            "{name}"
        );
        assert!(examples[3].contains(&format!("remote.{name}\n")), "{name}");
    }
}
