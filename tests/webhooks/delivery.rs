//! A message comes at least once, whatever the receiver does; and nobody is asked who must not be.

use std::time::Duration;

use grantor_core::outbox::Target;
use grantor_core::policy::Lifetimes;

use crate::harness::person::Person;
use crate::harness::receiver::Receiver;
use crate::harness::server::Server;
use crate::notices::delivery::until_empty;

/// Waits until so many attempts at the oldest message have failed, and moves the time on to the next.
async fn until_failed(server: &Server, times: u32) {
    let waiting = async {
        loop {
            let far = server.clock.read().plus(Duration::from_hours(100));
            let all = server.database.outbox_due(&Target::Webhook("siem".to_owned()), far, 10).await.unwrap();
            if all.first().is_some_and(|message| message.attempts >= times) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(40), waiting).await.expect("an attempt fails");
    server.clock.advance(Duration::from_secs(15 * u64::from(times)));
}

#[tokio::test]
async fn a_receiver_that_fails_or_says_nothing_is_told_again_under_the_same_identifier() {
    let receiver = Receiver::start();
    receiver.answer(&[500, 0, 302]);
    let server = Server::start_with(receiver.configure(&["sign_in_succeeded"])).await;
    Person::new(&server).sign_in().await;
    for times in 1..=3 {
        until_failed(&server, times).await;
    }
    let messages = receiver.wait_for(4).await;
    until_empty(&server).await;
    let ids: Vec<&str> = messages.iter().map(|message| message.headers["webhook-id"].as_str()).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert!(messages.iter().all(|message| message.body == messages[0].body));
    assert_ne!(messages[0].headers["webhook-timestamp"], messages[3].headers["webhook-timestamp"]);
}

#[tokio::test]
async fn what_was_kept_before_a_restart_is_told_after_it() {
    let receiver = Receiver::start();
    receiver.answer(&[503]);
    let server = Server::start_with(receiver.configure(&["sign_in_succeeded"])).await;
    Person::new(&server).sign_in().await;
    until_failed(&server, 1).await;
    let server = server.stop().start().await;
    receiver.wait_for(2).await;
    until_empty(&server).await;
}

#[tokio::test]
async fn two_nodes_tell_of_an_event_once() {
    let receiver = Receiver::start();
    let first = Server::start_with(receiver.configure(&["sign_in_succeeded"])).await;
    let (configure, issuer) = (receiver.configure(&["sign_in_succeeded"]), first.url.clone());
    let second = first.another_node_with(|config| {
        configure(config);
        config.issuer = issuer;
    });
    let second = second.await;
    for _ in 0..5 {
        Person::new(&first).sign_in().await;
    }
    receiver.wait_for(5).await;
    until_empty(&second).await;
    let mut ids: Vec<String> =
        receiver.messages().iter().map(|message| message.headers["webhook-id"].clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), receiver.messages().len()), (5, 5));
}

#[tokio::test]
async fn a_receiver_on_this_machine_is_not_told_unless_it_is_trusted() {
    let receiver = Receiver::start();
    let configure = receiver.configure(&["sign_in_succeeded"]);
    let server = Server::start_with(|config| {
        configure(config);
        config.outbound.allow_hosts.clear();
    });
    let server = server.await;
    Person::new(&server).sign_in().await;
    until_failed(&server, 1).await;
    let refused = server.events().await.into_iter().find(|event| event.kind.as_str() == "fetch_refused").unwrap();
    assert_eq!(refused.reason.as_deref(), Some("NotPublic"));
    assert!(refused.detail.unwrap().contains("outbound.allow_hosts"));
    assert!(receiver.messages().is_empty());
}

#[tokio::test]
async fn a_receiver_that_takes_a_message_may_say_what_it_likes() {
    let receiver = Receiver::start();
    receiver.answer(&[202]);
    let server = Server::start_with(receiver.configure(&["sign_in_succeeded"])).await;
    Person::new(&server).sign_in().await;
    until_empty(&server).await;
    assert_eq!(receiver.messages().len(), 1);
}

#[tokio::test]
async fn a_message_whose_event_is_not_kept_any_more_is_given_up_and_not_taken_for_delivered() {
    let receiver = Receiver::start();
    receiver.answer(&[500; 9]);
    let server = Server::start_with(receiver.configure(&["sign_in_succeeded"])).await;
    Person::new(&server).sign_in().await;
    until_failed(&server, 1).await;
    let kept = Lifetimes { events_kept: Duration::ZERO, ..Lifetimes::default() };
    server.database.sweep(server.clock.read().plus(Duration::from_mins(1)), &kept).await.unwrap();
    server.clock.advance(Duration::from_mins(5));
    until_empty(&server).await;
    let given_up = server.database.outbox_given_up(&Target::Webhook("siem".to_owned()), 10).await.unwrap();
    assert_eq!(
        given_up.iter().map(|message| message.error.as_str()).collect::<Vec<_>>(),
        ["the event is not kept any more"]
    );
}

#[tokio::test]
async fn a_receiver_that_may_not_be_asked_is_one_event_and_not_one_for_each_message() {
    let receiver = Receiver::start();
    let configure = receiver.configure(&["sign_in_succeeded"]);
    let server = Server::start_with(|config| {
        configure(config);
        config.outbound.allow_hosts.clear();
    });
    let server = server.await;
    for _ in 0..4 {
        Person::new(&server).sign_in().await;
    }
    let all_failed = async {
        let far = server.clock.read().plus(Duration::from_hours(100));
        let target = Target::Webhook("siem".to_owned());
        while server.database.outbox_due(&target, far, 10).await.unwrap().iter().any(|message| message.attempts == 0) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all_failed).await.expect("each is tried");
    let events = server.events().await;
    assert_eq!(events.iter().filter(|event| event.kind.as_str() == "fetch_refused").count(), 1);
}
