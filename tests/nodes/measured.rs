//! What Prometheus reads.

use std::net::TcpListener;

use crate::harness::app::App;
use crate::harness::server::Server;

/// A server that shows what it measures, and where.
async fn measured() -> (Server, String) {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = Server::start_with(|config| config.metrics_listen = Some(free)).await;
    (server, format!("http://{free}/metrics"))
}

async fn read(address: &str) -> String {
    let answer = reqwest::get(address).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    answer.text().await.unwrap()
}

#[tokio::test]
async fn each_kind_of_request_is_measured_by_itself() {
    let (server, address) = measured().await;
    let (wiki, chat, api) = (App::new(&server, "wiki"), App::new(&server, "chat"), App::new(&server, "notes-api"));
    let tokens = wiki.tokens("openid offline_access").await;
    let opaque = chat.tokens("openid").await;
    wiki.refresh(tokens.refresh()).await;
    wiki.userinfo(tokens.access()).await;
    wiki.introspect(tokens.access()).await;
    chat.introspect(opaque.access()).await;
    api.client_credentials("notes.read").await;
    api.client_credentials("nonsense").await;
    for path in ["/jwks", "/.well-known/openid-configuration"] {
        reqwest::get(server.at(path)).await.unwrap();
    }
    let shown = read(&address).await;
    let count = |workload: &str, outcome: &str| {
        let line = format!("grantor_request_seconds_count{{workload=\"{workload}\",outcome=\"{outcome}\"}} ");
        shown.lines().find_map(|known| known.strip_prefix(&line)).and_then(|count| count.parse::<u32>().ok())
    };
    for (workload, times) in [
        ("Code", 2),
        ("Refresh", 1),
        ("ClientCredentials", 1),
        ("Userinfo", 1),
        ("IntrospectionJwt", 1),
        ("IntrospectionOpaque", 1),
        ("Jwks", 1),
        ("Discovery", 1),
    ] {
        assert_eq!(count(workload, "Answered"), Some(times), "{workload}\n{shown}");
    }
    assert_eq!(count("Token", "Refused"), Some(1));
    assert!(count("Authorize", "Redirected").is_some_and(|times| times >= 4), "{shown}");
    assert!(count("SignIn", "Redirected").is_some_and(|times| times >= 2), "{shown}");
    for meter in ["commit_seconds_count", "commit_sets_sum", "commit_waiting", "passwords_waiting"] {
        assert!(shown.contains(&format!("grantor_{meter} ")), "{meter}\n{shown}");
    }
    assert!(shown.ends_with("# EOF\n"));
}

#[tokio::test]
async fn what_a_limit_refuses_is_counted_by_the_limits_name() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = Server::start_with(|config| {
        config.metrics_listen = Some(free);
        config.limits.token.per_address = Some("1/m".parse().unwrap());
    })
    .await;
    for _ in 0..4 {
        App::new(&server, "service").client_credentials("notes.read").await;
    }
    let shown = read(&format!("http://{free}/metrics")).await;
    assert!(shown.contains("grantor_limited_requests_total{policy=\"token-per-address\"} 3\n"), "{shown}");
}

#[tokio::test]
async fn no_label_comes_from_outside() {
    let (server, address) = measured().await;
    for path in ["/nonsense-7f3a", "/token?x=nonsense-7f3a", "/static/nonsense-7f3a"] {
        reqwest::get(server.at(path)).await.unwrap();
    }
    App::new(&server, "nonsense-7f3a").client_credentials("notes.read").await;
    let shown = read(&address).await;
    assert!(!shown.contains("nonsense-7f3a") && shown.contains("workload=\"Other\""), "{shown}");
}

#[tokio::test]
async fn what_is_measured_is_not_shown_where_everybody_asks() {
    let (server, _address) = measured().await;
    assert_eq!(reqwest::get(server.at("/metrics")).await.unwrap().status(), 404);
}
