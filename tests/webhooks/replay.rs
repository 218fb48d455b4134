//! `grantor webhook`: what is kept, what was given up, and telling it again.

use std::time::Duration;

use grantor_core::audit::{Event, EventKind};
use grantor_core::change::Change;
use grantor_core::store::Store;
use grantor_server::checkup;
use serde_json::{Value, json};

use crate::harness::command::webhook;
use crate::harness::person::Person;
use crate::harness::receiver::Receiver;
use crate::harness::server::Server;
use crate::notices::delivery::until_empty;

#[tokio::test]
async fn what_was_told_is_told_again_by_time_or_by_number() {
    let receiver = Receiver::start();
    let server = Server::start_with(receiver.configure(&["sign_in_succeeded", "user_changed"])).await;
    Person::new(&server).sign_in().await;
    let first = receiver.wait_for(1).await.remove(0);
    until_empty(&server).await;
    server.clock.advance(Duration::from_mins(1));
    let case = first.headers["webhook-id"].strip_prefix("evt_").unwrap().to_owned();
    let told = webhook(server.config(), &["replay", "siem", "--id", &case]).await.unwrap();
    assert!(told.contains("1 message"), "{told}");
    let again = receiver.wait_for(2).await.remove(1);
    assert_eq!((&again.headers["webhook-id"], &again.body), (&first.headers["webhook-id"], &first.body));
    until_empty(&server).await;
    let told = webhook(server.config(), &["replay", "siem", "--since", "1h"]).await.unwrap();
    let before = receiver.messages().len();
    assert!(!told.starts_with("0 "), "{told}");
    receiver.wait_for(before + 1).await;
    let refused = webhook(server.config(), &["replay", "siem", "--id", "0000000000A"]).await;
    assert!(refused.unwrap_err().to_string().contains("no event"));
    assert!(webhook(server.config(), &["replay", "nobody", "--since", "1h"]).await.is_err());
}

#[tokio::test]
async fn the_list_says_what_waits_and_what_was_given_up() {
    let receiver = Receiver::start();
    let configure = receiver.configure(&["sign_in_succeeded"]);
    let server = Server::start_with(|config| {
        configure(config);
        config.outbound.allow_hosts.clear();
    });
    let server = server.await;
    Person::new(&server).sign_in().await;
    let listed = async || -> Value {
        let text = webhook(server.config(), &["list", "--json"]).await.unwrap();
        serde_json::from_str::<Value>(&text).unwrap()[0].clone()
    };
    assert_eq!(listed().await["waiting"], json!(1));
    let giving_up = async {
        while listed().await["given_up"] == json!(0) {
            server.clock.advance(Duration::from_hours(8));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(40), giving_up).await.expect("it is given up");
    let row = listed().await;
    assert!(row["last_error"].as_str().unwrap().contains("allow_hosts"), "{row}");
    assert_eq!(row["waiting"], serde_json::json!(0));
    assert!(!row.to_string().contains("whsec_"), "{row}");
}

#[tokio::test]
async fn a_test_message_says_at_once_what_the_receiver_answers() {
    let receiver = Receiver::start();
    let server = Server::start_with(receiver.configure(&["user_changed"])).await;
    let told = webhook(server.config(), &["test", "siem"]).await.unwrap();
    assert!(told.contains("took"), "{told}");
    let body: Value = serde_json::from_str(&receiver.messages()[0].body).unwrap();
    assert_eq!((&body["type"], &body["kind"]), (&json!("webhook_test"), &json!("webhook_test")));
    let event = server.events().await.remove(0);
    let members = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(members(&body), members(&grantor_web::webhooks::event_members(&event, None)), "as of any event");
    receiver.answer(&[500]);
    let refused = webhook(server.config(), &["test", "siem"]).await.unwrap_err();
    assert!(refused.to_string().contains("500"), "{refused}");
}

#[tokio::test]
async fn what_is_left_for_a_name_that_is_gone_is_seen_and_forgotten() {
    let receiver = Receiver::start();
    receiver.answer(&[503; 9]);
    let server = Server::start_with(receiver.configure(&["sign_in_succeeded"])).await;
    Person::new(&server).sign_in().await;
    receiver.wait_for(1).await;
    let mut stopped = server.stop();
    stopped.config.webhooks.clear();
    let server = stopped.start().await;
    let listed = webhook(server.config(), &["list", "--json"]).await.unwrap();
    let row = &serde_json::from_str::<Value>(&listed).unwrap()[0];
    assert_eq!((&row["name"], &row["url"], &row["waiting"]), (&json!("siem"), &Value::Null, &json!(1)));
    let found = checkup::database(server.config(), server.clock.read()).await;
    let found = found.iter().find(|finding| finding.area == "outbox").expect("the doctor knows of it");
    assert!(found.message.ends_with("siem") && found.fix.contains("webhook forget"), "{found:?}");
    let said = webhook(server.config(), &["forget", "siem"]).await.unwrap();
    assert!(said.contains("Forgot 1"), "{said}");
    assert_eq!(webhook(server.config(), &["list", "--json"]).await.unwrap(), "[]\n");
    assert!(webhook(server.config(), &["forget", "siem"]).await.is_err());
}

#[tokio::test]
async fn however_much_happened_since_what_was_asked_for_is_told_again() {
    let receiver = Receiver::start();
    let server = Server::start_with(receiver.configure(&["sign_in_succeeded"])).await;
    Person::new(&server).sign_in().await;
    until_empty(&server).await;
    let now = server.clock.read();
    let event = |_| {
        Change::EventInsert(Box::new(Event::new(server.app.provider.mint.id(now.millis()), now, EventKind::SignedOut)))
    };
    for _ in 0..21 {
        server.database.commit((0..5000).map(event).collect()).await.unwrap();
    }
    let told = webhook(server.config(), &["replay", "siem", "--since", "1h"]).await.unwrap();
    assert!(told.starts_with("1 message"), "{told}");
    server.clock.catch_up();
    receiver.wait_for(2).await;
}
