//! The account by API, asked by an app that takes its time: what it holds may end while its body is on its way.

use std::time::Duration;

use super::account_api::{TOKENS, access, declare, declare_with, draft, wanted};
use super::alice;
use crate::harness::app::{Answer, App};
use crate::harness::connection::Connection;
use crate::harness::server::Server;

/// Begins to ask for a token, and leaves the end of the body out.
async fn half_asked(server: &Server, access: &str) -> (Connection, String) {
    let body = wanted(&draft(server, access).await).to_string();
    let host = server.address.strip_prefix("http://").unwrap();
    let (begun, left) = body.split_at(20);
    let head = format!(
        "POST {TOKENS} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {access}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{begun}",
        body.len()
    );
    let mut connection = Connection::open(host).await;
    connection.write(head.as_bytes()).await;
    (connection, left.to_owned())
}

#[tokio::test]
async fn what_ends_while_a_body_is_on_its_way_makes_no_token() {
    let server = Server::start().await;
    for ending in ["the session", "the access of the app", "the token", "the app", "the scope of the app"] {
        declare(&server).await;
        let person = alice(&server).await;
        let access = access(&server, &person).await;
        let (mut connection, left) = half_asked(&server, &access).await;
        match ending {
            "the session" => {
                let page = person.open("/account").await;
                drop(person.send(&page.form(r#"form[action="/sign-out"]"#)).await);
            }
            "the access of the app" => {
                let page = person.open("/account/apps/remove?app=portal").await;
                drop(person.send(&page.form(r#"form[action="/account/apps/remove"]"#)).await);
            }
            "the token" => drop(App::new(&server, "portal").revoke(&access).await),
            "the app" => {
                declare_with(&server, "disabled = true\nscope = \"openid notes.read account:tokens\"").await;
            }
            _ => declare_with(&server, "disabled = false\nscope = \"openid notes.read\"").await,
        }
        connection.write(left.as_bytes()).await;
        let status = connection.answer(false).await.unwrap().status;
        assert_eq!(status, if ending == "the scope of the app" { 403 } else { 401 }, "{ending}");
        declare_with(&server, "disabled = false\nscope = \"openid notes.read account:tokens\"").await;
    }
    let tokens = server.rows().into_iter().find(|(table, _)| *table == "api_tokens");
    assert_eq!(tokens, Some(("api_tokens", 0)));
}

#[tokio::test]
async fn who_answers_anew_while_a_body_is_on_its_way_keeps_nobody_waiting() {
    let server = Server::start().await;
    declare(&server).await;
    let person = alice(&server).await;
    let access = access(&server, &person).await;
    let (mut connection, left) = half_asked(&server, &access).await;
    server.clock.advance(Duration::from_secs(1));
    let page = App::new(&server, "portal").asks(&person, "openid account:tokens", &[("prompt", "consent")]).await;
    assert!(Answer::of(&person.allow_on(&page).await).has("code"));
    connection.write(left.as_bytes()).await;
    assert_eq!(connection.answer(false).await.unwrap().status, 201);
}
