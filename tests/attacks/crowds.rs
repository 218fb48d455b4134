//! Many at once, and slow ones: what they take, they give back, and nobody else waits for them.
//!
//! `grantor-load --crowds` measures how long others wait meanwhile, with the server in a process of its own. Here it is only
//! shown that they are answered; `TEST_REQUESTS` makes the crowd of abandoned requests as large as is asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::task::JoinSet;

use super::wire;
use crate::harness::amount::amount;
use crate::harness::app::App;
use crate::harness::connection::Connection;
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD};
use crate::harness::server::{Server, unlimited};

/// What the half of a request is: nothing, a part of its head, or a part of its body.
const HALVES: [&str; 3] = [
    "",
    "GET /sign-in HTTP/1.1\r\nHost: x\r\nX-Slow",
    "POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 99\r\n\r\ngrant",
];

/// Asks for tokens, and about them, until `others` are done; how often it was answered.
async fn served_until(server: &Server, others: &AtomicUsize, done: usize) -> usize {
    let (service, api) = (App::new(server, "service"), App::new(server, "notes-api"));
    let mut answered = 0;
    while others.load(Ordering::SeqCst) < done {
        let tokens = service.client_credentials("notes.read").await;
        assert_eq!(tokens.status, 200, "{}", tokens.body);
        let token = tokens.json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(api.introspect(&token).await["active"], true);
        answered += 2;
    }
    answered
}

#[tokio::test]
async fn connections_that_never_end_their_request_are_closed_and_keep_nobody_waiting() {
    const MANY: usize = 300;
    let server = Server::start().await;
    // What others use meanwhile is counted.
    let rows = || server.rows().into_iter().filter(|(table, _)| *table != "usages").collect::<Vec<_>>();
    let (host, before) = (wire::host(&server), rows());
    let closed = Arc::new(AtomicUsize::new(0));
    let mut slow = JoinSet::new();
    for number in 0..MANY {
        let mut connection = Connection::open(&host).await;
        connection.write(HALVES[number % HALVES.len()].as_bytes()).await;
        let closed = Arc::clone(&closed);
        slow.spawn(async move {
            let answer = connection.rest().await;
            closed.fetch_add(1, Ordering::SeqCst);
            String::from_utf8_lossy(&answer).into_owned()
        });
    }
    let answered = served_until(&server, &closed, MANY).await;
    assert!(answered > 100, "{answered} others were served meanwhile");
    for answer in slow.join_all().await {
        assert!(matches!(wire::status(&answer), None | Some(400 | 408)), "{answer}");
    }
    assert_eq!(rows(), before);
}

#[tokio::test]
async fn fifty_who_sign_in_at_once_all_get_in_and_apps_are_served_meanwhile() {
    const MANY: usize = 50;
    let server = Server::start_with(|config| config.sign_in.address_failures = 100).await;
    let alice = server.database.user_find_by_username(ALICE).await.unwrap().unwrap();
    let hash = alice.password.unwrap();
    let people =
        (0..MANY).map(|number| format!("[[users]]\nusername = \"guest-{number}\"\npassword_hash = \"{hash}\"\n"));
    server.apply(&people.collect::<String>()).await;
    let inside = Arc::new(AtomicUsize::new(0));
    let mut guests = JoinSet::new();
    for number in 0..MANY {
        let (person, inside) = (Person::new(&server), Arc::clone(&inside));
        guests.spawn(async move {
            let page = person.open("/sign-in").await;
            let page: Page = person.sign_in_on(&page, &format!("guest-{number}"), ALICE_PASSWORD).await;
            inside.fetch_add(1, Ordering::SeqCst);
            page.name()
        });
    }
    let answered = served_until(&server, &inside, MANY).await;
    assert!(answered > 20, "{answered} others were served meanwhile");
    assert_eq!(guests.join_all().await, vec!["account"; MANY]);
}

#[tokio::test]
async fn requests_that_are_left_on_the_way_leave_nothing() {
    let server = Server::start_with(unlimited).await;
    let many = amount("TEST_REQUESTS", 1_000);
    let (wiki, host, rows) = (App::new(&server, "wiki"), wire::host(&server), server.rows());
    let mut crowd = JoinSet::new();
    for number in 0..16 {
        let (right, nobody) =
            (wiki.authorize_url("openid", &[]), wiki.authorize_url("openid", &[("client_id", "nobody")]));
        let ask = |url: &str| {
            let path = url.strip_prefix(&server.url).unwrap();
            format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")
        };
        let (right, nobody, host) = (ask(&right), ask(&nobody), host.clone());
        crowd.spawn(async move {
            let mut connection = Connection::open(&host).await;
            for turn in 0..many / 16 {
                let (asked, status) = if turn % 8 == number % 8 { (&nobody, 400) } else { (&right, 303) };
                connection.write(asked.as_bytes()).await;
                assert_eq!(connection.answer(false).await.unwrap().status, status);
            }
        });
    }
    crowd.join_all().await;
    assert_eq!(server.rows(), rows);
    let refusals = server.database.data_counts().unwrap().into_iter().find(|(table, _)| *table == "refusals");
    assert!(refusals.is_some_and(|(_, count)| count <= 10_000), "refusals have a ring of a fixed size: {refusals:?}");
}
