//! Floods: who asks too often has to wait, however the requests are dressed up, and nobody else does.

use std::time::Duration;

use grantor_server::config::Config;

use super::wire;
use crate::harness::app::{App, basic};
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, SECRET};
use crate::harness::server::Server;

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// A server that answers three requests of an address to the token endpoint at once, and one each 20 seconds.
async fn three_at_once() -> Server {
    Server::start_with(three_of_address).await
}

fn three_of_address(config: &mut Config) {
    config.limits.token.per_address = Some("3/m".parse().unwrap());
}

/// The same behind a proxy, which tells who asks.
async fn three_at_once_behind_a_proxy() -> Server {
    Server::start_with(|config| {
        three_of_address(config);
        config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
    })
    .await
}

/// A token request of an app, with these headers beside.
async fn ask(server: &Server, client_id: &str, headers: &[(&str, &str)]) -> Page {
    let authorization = basic(client_id, SECRET);
    let headers = [&[FORM, ("authorization", &authorization)], headers].concat();
    wire::send("POST", &server.at("/token"), &headers, "grant_type=client_credentials&scope=notes.read").await
}

/// The same through a proxy that was asked from this address.
async fn ask_from(server: &Server, client_id: &str, address: &str) -> Page {
    ask(server, client_id, &[("x-forwarded-for", address)]).await
}

/// The status of each of so many.
async fn statuses(many: usize, ask: impl AsyncFn(usize) -> Page) -> Vec<u16> {
    let mut statuses = Vec::new();
    for number in 0..many {
        statuses.push(ask(number).await.status.as_u16());
    }
    statuses
}

// "The response representations SHOULD include details explaining the condition, and MAY include a Retry-After header indicating
// how long to wait before making a new request." (RFC 6585 §4)
// "Responses with the 429 status code MUST NOT be stored by a cache." (RFC 6585 §4)
#[tokio::test]
async fn an_app_that_asks_too_often_is_told_when_to_come_again() {
    let server = three_at_once().await;
    let service = App::new(&server, "service");
    for _ in 0..3 {
        let page = service.client_credentials("notes.read").await;
        assert_eq!((page.brief(), page.header("ratelimit")), ("200".into(), None));
    }
    let page = service.client_credentials("notes.read").await;
    insta::assert_snapshot!(page.whole(), @r#"
    429 Too Many Requests
    {"error":"temporarily_unavailable","error_description":"Too many requests came in a short time; wait for as many seconds as Retry-After says."}
    "#);
    let headers =
        ["retry-after", "ratelimit", "ratelimit-policy", "cache-control"].map(|name| page.header(name).unwrap());
    assert_eq!(headers, ["20", "\"token-per-address\";r=0;t=20", "\"token-per-address\";q=3;w=60", "no-store"]);
    server.clock.advance(Duration::from_secs(19));
    assert_eq!(service.client_credentials("notes.read").await.header("retry-after"), Some("1"));
    server.clock.advance(Duration::from_secs(1));
    assert_eq!(service.client_credentials("notes.read").await.brief(), "200");
    assert_eq!(service.client_credentials("notes.read").await.status, 429);
}

#[tokio::test]
async fn a_person_who_asks_too_often_is_told_in_words() {
    let server = Server::start_with(|config| config.limits.pages.per_address = Some("2/m".parse().unwrap())).await;
    let person = Person::new(&server);
    assert_eq!(person.get("/sign-in").await.status, 200);
    assert_eq!(person.get("/nowhere").await.status, 404);
    let page = person.get("/sign-in").await;
    assert_eq!(
        (page.brief().as_str(), page.name().as_str(), page.header("retry-after")),
        ("429", "too-many", Some("30"))
    );
    assert_eq!(page.header("ratelimit-policy"), Some("\"pages-per-address\";q=2;w=60"));
    assert!(page.text().contains("too many requests") && page.text().contains("30 seconds"), "{}", page.text());
    assert_eq!(person.get("/authorize").await.status, 400, "each endpoint has a limit of its own");
    for path in ["/livez", "/readyz", "/jwks", "/static/grantor.css"] {
        assert_eq!(person.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn every_endpoint_stops_a_flood() {
    let server = Server::start_with(|config| {
        let limits = &mut config.limits;
        for rate in [
            &mut limits.authorization.per_address,
            &mut limits.documents.per_address,
            &mut limits.introspection.per_address,
            &mut limits.pages.per_address,
            &mut limits.revocation.per_address,
            &mut limits.token.per_address,
            &mut limits.userinfo.per_address,
        ] {
            *rate = Some("1/m".parse().unwrap());
        }
    })
    .await;
    for (method, path) in [
        ("GET", "/authorize"),
        ("GET", "/jwks"),
        ("POST", "/introspect"),
        ("GET", "/account"),
        ("POST", "/revoke"),
        ("POST", "/token"),
        ("GET", "/userinfo"),
    ] {
        let origin = ("origin", "https://board.example");
        let first = wire::send(method, &server.at(path), &[origin], "").await;
        let second = wire::send(method, &server.at(path), &[origin], "").await;
        assert!(first.status != 429 && second.status == 429, "{path}: {} {}", first.status, second.status);
        assert_eq!(second.header("www-authenticate"), None, "{path}");
        let readable = second.header("access-control-allow-origin").is_some();
        assert_eq!(readable, ["/jwks", "/revoke", "/token", "/userinfo"].contains(&path), "{path}");
    }
}

#[tokio::test]
async fn what_apis_proxies_and_reporters_ask_is_stopped_by_whichever_path_it_comes() {
    for (method, paths) in [
        ("POST", ["/introspect", "/introspect/batch"]),
        ("GET", ["/forward-auth", "/forward-auth/x"]),
        ("GET", ["/forward-auth/x", "/forward-auth"]),
        ("POST", ["/leak-reports", "/leak-reports"]),
    ] {
        let server = Server::start_with(|config| {
            let limits = &mut config.limits;
            limits.introspection.per_address = Some("1/m".parse().unwrap());
            limits.forward_auth.per_address = Some("1/m".parse().unwrap());
            limits.leak_reports.per_address = Some("1/m".parse().unwrap());
        })
        .await;
        assert_ne!(wire::send(method, &server.at(paths[0]), &[], "").await.status, 429, "{paths:?}");
        for path in [paths[1], paths[0]] {
            let page = wire::send(method, &server.at(path), &[], "").await;
            assert_eq!((page.status.as_u16(), page.header("retry-after")), (429, Some("60")), "{path}");
        }
    }
}

#[tokio::test]
async fn no_header_of_a_stranger_makes_another_address_of_it() {
    let server = three_at_once().await;
    let asked = statuses(8, async |number| {
        let address = format!("203.0.113.{number}");
        let forwarded = format!("for={address}");
        let names = ["x-forwarded-for", "x-real-ip", "cf-connecting-ip", "true-client-ip", "x-client-ip"];
        let mut headers: Vec<(&str, &str)> = names.map(|name| (name, address.as_str())).into();
        headers.push(("forwarded", &forwarded));
        ask(&server, "service", &headers).await
    });
    assert_eq!(asked.await, [200, 200, 200, 429, 429, 429, 429, 429]);
}

#[tokio::test]
async fn what_stands_left_of_the_last_stranger_in_a_chain_counts_for_nothing() {
    let server = three_at_once_behind_a_proxy().await;
    let asked = statuses(6, async |number| {
        // A proxy of ours, 10.0.0.7, was asked by 198.51.100.1, which claims to be a proxy, too.
        ask_from(&server, "service", &format!("203.0.113.{number}, 10.1.1.{number}, 198.51.100.1, 10.0.0.7")).await
    });
    assert_eq!(asked.await, [200, 200, 200, 429, 429, 429]);
    let asked = statuses(2, async |_| ask_from(&server, "service", "198.51.100.1, 198.51.100.2, 10.0.0.7").await);
    assert_eq!(asked.await, [200, 200], "another stranger goes on");
}

#[tokio::test]
async fn an_ipv6_network_of_64_bits_is_one_address() {
    let server = three_at_once_behind_a_proxy().await;
    let asked =
        statuses(5, async |number| ask_from(&server, "service", &format!("2001:db8:1:2:{number}::{number}")).await);
    assert_eq!(asked.await, [200, 200, 200, 429, 429]);
    assert_eq!(ask_from(&server, "service", "2001:db8:1:3::1").await.status, 200, "another network goes on");
    let spellings = ["::ffff:198.51.100.9", "198.51.100.9", "198.51.100.9:4711", "[::ffff:198.51.100.9]"];
    let asked = statuses(4, async |number| ask_from(&server, "service", spellings[number]).await);
    assert_eq!(asked.await, [200, 200, 200, 429], "one address, however it is written");
}

#[tokio::test]
async fn a_path_counts_however_it_is_spelled() {
    let server = three_at_once().await;
    let asked = statuses(4, async |number| {
        let path = ["/token", "/%74oken", "/t%6Fken", "/%74%6f%6b%65%6e"][number];
        wire::send("POST", &server.at(path), &[FORM], "").await
    });
    assert_eq!(asked.await, [401, 401, 401, 429]);
}

/// A server behind a proxy where each app may redeem two codes or other grants at once, and one each 30 seconds.
async fn two_of_client() -> Server {
    Server::start_with(|config| {
        config.limits.token.per_client = Some("2/m".parse().unwrap());
        config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    })
    .await
}

#[tokio::test]
async fn an_app_is_counted_wherever_it_asks_from_and_another_one_goes_on() {
    let server = two_of_client().await;
    let asked = statuses(4, async |number| ask_from(&server, "service", &format!("198.51.100.{number}")).await);
    assert_eq!(asked.await, [200, 200, 429, 429]);
    let page = ask_from(&server, "service", "198.51.100.77").await;
    assert_eq!(page.header("ratelimit-policy"), Some("\"token-per-client\";q=2;w=60"));
    assert_eq!(page.header("retry-after"), Some("30"));
    assert_eq!(ask_from(&server, "wiki", "198.51.100.1").await.brief(), "400 unauthorized_client");
    let events = server.events().await;
    let refused = events.iter().find(|event| event.reason.as_deref() == Some("RateExceeded")).unwrap();
    assert_eq!(refused.client_id.as_deref(), Some("service"));
}

#[tokio::test]
async fn who_only_names_an_app_uses_up_nothing_of_it() {
    let server = two_of_client().await;
    let wrong = basic("service", "not-its-secret-but-as-long-as-one-would-be");
    for _ in 0..10 {
        let page = wire::send("POST", &server.at("/token"), &[FORM, ("authorization", &wrong)], "").await;
        assert_eq!(page.brief(), "401 invalid_client");
    }
    let named = "grant_type=refresh_token&refresh_token=x&client_id=spa";
    for _ in 0..10 {
        let page = wire::send("POST", &server.at("/token"), &[FORM], named).await;
        assert_eq!(page.brief(), "400 invalid_grant", "a public client is only ever named");
    }
    assert_eq!(ask_from(&server, "service", "198.51.100.1").await.status, 200);
}

#[tokio::test]
async fn a_request_that_comes_too_early_spends_nothing() {
    let server = two_of_client().await;
    let wiki = App::new(&server, "wiki");
    let code = wiki.code("openid").await;
    for _ in 0..2 {
        assert_eq!(wiki.redeem("gtr_ac_nonsense").await.brief(), "400 invalid_grant");
    }
    assert_eq!(wiki.redeem(&code).await.brief(), "429 temporarily_unavailable");
    server.clock.advance(Duration::from_secs(30));
    assert_eq!(wiki.redeem(&code).await.brief(), "200");
}

#[tokio::test]
async fn a_flood_of_addresses_frees_none_that_has_to_wait() {
    let server = three_at_once_behind_a_proxy().await;
    assert_eq!(statuses(4, async |_| ask_from(&server, "service", "198.51.100.1").await).await, [200, 200, 200, 429]);
    for number in 0..300_u32 {
        let stranger = format!("2001:db8:{:x}:{number:x}::1", number % 7);
        assert_eq!(ask_from(&server, "service", &stranger).await.status, 200);
    }
    assert_eq!(ask_from(&server, "service", "198.51.100.1").await.status, 429);
}

#[tokio::test]
async fn a_flood_leaves_a_word_in_the_events_and_no_row_for_each_request() {
    let server = three_at_once().await;
    statuses(203, async |_| wire::send("POST", &server.at("/token"), &[FORM], "").await).await;
    let said = async || {
        let mut events = server.events().await;
        events.retain(|event| event.reason.as_deref() == Some("RateExceeded"));
        events.into_iter().map(|event| (event.address, event.detail)).collect::<Vec<_>>()
    };
    let here = Some("127.0.0.1".to_owned());
    let first = Some("token-per-address: 1 refused since the last such event".to_owned());
    assert_eq!(said().await, [(here.clone(), first)]);
    server.clock.advance(Duration::from_mins(1));
    statuses(4, async |_| wire::send("POST", &server.at("/token"), &[FORM], "").await).await;
    let second = Some("token-per-address: 200 refused since the last such event".to_owned());
    assert_eq!(said().await[0], (here, second));
}

#[tokio::test]
async fn requests_are_forgotten_at_a_restart_and_guesses_are_not() {
    let server = three_at_once().await;
    assert_eq!(statuses(4, async |_| ask(&server, "service", &[]).await).await, [200, 200, 200, 429]);
    let guess = async |server: &Server| {
        let person = Person::new(server);
        let page = person.open("/sign-in").await;
        person.sign_in_on(&page, ALICE, "wrong").await
    };
    for _ in 0..10 {
        guess(&server).await;
    }
    let server = server.stop().start().await;
    assert_eq!(ask(&server, "service", &[]).await.status, 200);
    assert_eq!(guess(&server).await.status, 429);
}

#[tokio::test]
async fn the_limits_that_are_shipped_let_a_busy_address_through() {
    let server = Server::start().await;
    let asked = statuses(500, async |_| ask(&server, "service", &[]).await).await;
    assert!(asked.iter().all(|status| *status == 200));
}
