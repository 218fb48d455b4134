//! What people are told of their tokens without asking: that one expires, and that one is used elsewhere.

use std::time::Duration;

use super::alice;
use crate::harness::app::App;
use crate::harness::server::Server;
use crate::harness::smtp::Smtp;
use crate::tokens::{limited, token};

const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn a_token_that_expires_soon_is_told_of_once_whichever_node_does_it() {
    let smtp = Smtp::start().await;
    let server = Server::start_with(smtp.configure()).await;
    let person = alice(&server).await;
    token(&person, &["notes.read"]).await;
    smtp.wait_for(2).await;
    server.app.tell_of_expiries().await.unwrap();
    server.clock.advance(22 * DAY);
    server.app.tell_of_expiries().await.unwrap();
    super::delivery::until_empty(&server).await;
    assert_eq!(smtp.mails().len(), 2, "eight days before it is too early");
    server.clock.advance(DAY + DAY / 2);
    let told = tokio::join!(server.app.tell_of_expiries(), server.app.tell_of_expiries());
    assert!(told.0.is_ok() && told.1.is_ok());
    server.app.tell_of_expiries().await.unwrap();
    let text = smtp.wait_for(3).await[2].part("text/plain");
    assert!(text.starts_with("A token of yours expires soon") && text.contains("Backup script"), "{text}");
    super::delivery::until_empty(&server).await;
    assert_eq!(smtp.mails().len(), 3);
}

#[tokio::test]
async fn a_new_network_is_told_of_and_the_first_is_not() {
    let smtp = Smtp::start().await;
    let server = Server::start_with(smtp.configure()).await;
    let (person, api) = (alice(&server).await, App::new(&server, "notes-api"));
    let token = limited(&person, &["notes.read"], "").await;
    smtp.wait_for(2).await;
    for address in ["192.0.2.7", "192.0.2.200", "198.51.100.1", "192.0.2.7"] {
        api.introspect_with(&token, &[("client_address", address)]).await;
    }
    server.app.keep_uses().await.unwrap();
    let text = smtp.wait_for(3).await[2].part("text/plain");
    assert!(text.starts_with("A token of yours was used from a new place"), "{text}");
    assert!(text.contains("from 198.51.100.1") && text.contains("/account/tokens"), "{text}");
    for address in ["198.51.100.77", "192.0.2.1"] {
        api.introspect_with(&token, &[("client_address", address)]).await;
        server.app.keep_uses().await.unwrap();
    }
    super::delivery::until_empty(&server).await;
    assert_eq!(smtp.mails().len(), 3);
    let page = person.open("/account").await.text();
    assert!(page.contains("was used from 198.51.100.1"), "{page}");
}
