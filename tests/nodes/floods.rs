//! What somebody may ask of all nodes together.

use super::until;
use crate::harness::app::App;
use crate::harness::server::Server;

const LIMIT: usize = 60;

/// How many of so many requests a node answers.
async fn answered(node: &Server, many: usize) -> usize {
    let service = App::new(node, "service");
    let mut answered = 0;
    for _ in 0..many {
        answered += usize::from(service.client_credentials("notes.read").await.status == 200);
    }
    answered
}

#[tokio::test]
async fn nodes_together_never_allow_more_than_twice_the_limit() {
    let limited = |config: &mut grantor_server::config::Config| {
        config.limits.token.per_address = Some("60/m".parse().unwrap());
    };
    let first = Server::start_with(limited).await;
    let issuer = first.url.clone();
    let mut nodes = vec![first];
    for _ in 0..3 {
        let issuer = issuer.clone();
        let another = nodes[0].another_node_with(|config| {
            limited(config);
            config.issuer = issuer;
        });
        let another = another.await;
        nodes.push(another);
    }
    // A file has one server; what several of them would do there is not promised.
    let counted = if nodes[0].place().postgres.is_some() { 4 } else { 1 };
    for node in &nodes {
        until(async || node.database.nodes() == counted).await;
    }
    let asked = if counted == 1 { 1 } else { nodes.len() };
    let mut together = 0;
    for node in &nodes[..asked] {
        let alone = answered(node, LIMIT + 10).await;
        assert_eq!(alone, 2 * LIMIT / (asked + 1), "each has its share");
        together += alone;
    }
    assert!((LIMIT..=2 * LIMIT).contains(&together), "{together}");
    let last = nodes.pop().unwrap();
    drop(last);
    until(async || nodes[0].database.nodes() == counted.min(3)).await;
}

#[tokio::test]
async fn a_lock_that_is_no_nodes_number_is_not_counted_as_a_node() {
    let first = Server::start().await;
    let Some(database) = &first.place().postgres else { return };
    let sweeper = database.client().await;
    sweeper.batch_execute("SELECT pg_advisory_lock(x'6772616e746f7201'::bigint)").await.unwrap();
    let second = first.another_node().await;
    for node in [&first, &second] {
        until(async || node.database.nodes() == 2).await;
    }
}
