//! What a running server does by itself, without being asked: it keeps the uses of tokens, and tells of those that expire.

use std::time::Duration;

use super::alice;
use super::delivery::until_empty;
use crate::forward_auth::{HANDBOOK, Visitor, guarded};
use crate::harness::app::App;
use crate::harness::server::Server;
use crate::harness::smtp::Smtp;
use crate::tokens::token;

/// As long as the background may take for a round of uses, with room for a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

#[tokio::test]
async fn the_uses_of_tokens_are_kept_within_seconds() {
    let server = guarded().await;
    let person = alice(&server).await;
    let kept = token(&person, &["notes.read"]).await;
    let bearer = format!("Bearer {kept}");
    assert_eq!(Visitor::new(&server).asks(HANDBOOK, "/", &[("authorization", &bearer)]).await.status, 200);
    let waiting = async {
        while !person.open("/account/tokens").await.text().contains("from 127.0.0.1") {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("the use stands in the list");
}

#[tokio::test]
async fn the_uses_of_tokens_are_kept_when_a_server_ends() {
    let server = Server::start().await;
    let kept = token(&alice(&server).await, &["notes.read"]).await;
    App::new(&server, "notes-api").introspect_with(&kept, &[("client_address", "192.0.2.7")]).await;
    let server = server.stop().start().await;
    let text = alice(&server).await.open("/account/tokens").await.text();
    assert!(text.contains("from 192.0.2.7"), "{text}");
}

#[tokio::test]
async fn a_server_that_starts_tells_of_a_token_that_expires_soon() {
    let smtp = Smtp::start().await;
    let server = Server::start_with(smtp.configure()).await;
    let person = alice(&server).await;
    token(&person, &["notes.read"]).await;
    until_empty(&server).await;
    let before = smtp.mails().len();
    server.clock.advance(Duration::from_hours(24 * 24));
    let server = server.stop().start().await;
    let mails = smtp.wait_for(before + 1).await;
    let text = mails[before].part("text/plain");
    assert!(text.starts_with("A token of yours expires soon") && text.contains("Backup script"), "{text}");
    until_empty(&server).await;
}
