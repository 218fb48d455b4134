//! What was kept is delivered, whatever happens in between.

use std::time::Duration;

use grantor_core::notice::ONE_MAIL_IN;
use grantor_core::outbox::Target;

use grantor_server::checkup;
use grantor_server::config::Config;
use serde_json::{Value, json};

use super::alice;
use crate::crash::child::{Child, free_port};
use crate::crash::on_each_database;
use crate::harness::command;
use crate::harness::person::Person;
use crate::harness::server::{Kind, Place, Server};
use crate::harness::smtp::{Smtp, settings};

/// Waits until nothing is to be delivered any more.
pub async fn until_empty(server: &Server) {
    let waiting = async {
        while server.database.outbox_waiting(None).await.unwrap().messages > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("everything is delivered");
}

/// Waits until the first attempt at the oldest message has failed.
pub async fn until_failed(server: &Server) {
    let waiting = async {
        loop {
            let far = server.clock.read().plus(Duration::from_hours(100));
            let all = server.database.outbox_due(&Target::Mail, far, 10).await.unwrap();
            if all.iter().any(|message| message.attempts > 0) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("an attempt fails");
}

#[tokio::test]
async fn a_dead_mail_server_delays_and_loses_nothing() {
    let smtp = Smtp::start().await;
    let address = smtp.address;
    drop(smtp);
    let server = Server::start_with(|config| config.mail = settings(address)).await;
    alice(&server).await;
    until_failed(&server).await;
    let smtp = Smtp::start_at(address).await;
    server.clock.advance(Duration::from_secs(10));
    assert_eq!(smtp.wait_for(1).await[0].to, ["alice@example.com"]);
    until_empty(&server).await;
    assert_eq!(server.database.outbox_count_given_up().await.unwrap(), 0);
}

#[tokio::test]
async fn a_mail_that_is_refused_for_now_is_sent_again_under_the_same_identifier() {
    let smtp = Smtp::start().await;
    let server = Server::start_with(smtp.configure()).await;
    smtp.refuse(1, "451 try again");
    alice(&server).await;
    until_failed(&server).await;
    server.clock.advance(Duration::from_secs(10));
    let mails = smtp.wait_for(1).await;
    let notice = server.database.notices_of(user(&server).await).await.unwrap().remove(0);
    assert_eq!(mails[0].header("Message-ID"), format!("<notice-{}@127.0.0.1>", notice.id));
}

async fn user(server: &Server) -> grantor_jose::id::Id {
    server.database.user_find_by_username("alice").await.unwrap().unwrap().id
}

#[tokio::test]
async fn a_mail_that_is_refused_is_sent_when_the_mail_server_is_mended() {
    let smtp = Smtp::start().await;
    let server = Server::start_with(smtp.configure()).await;
    smtp.refuse(99, "550 relaying denied");
    alice(&server).await;
    for _ in 0..6 {
        until_due_is_tried(&server).await;
        server.clock.advance(Duration::from_hours(6));
    }
    until_due_is_tried(&server).await;
    assert_eq!(server.database.outbox_count_given_up().await.unwrap(), 0);
    smtp.refuse(0, "");
    server.clock.advance(Duration::from_hours(8));
    assert_eq!(smtp.wait_for(1).await[0].to, ["alice@example.com"]);
}

#[tokio::test]
async fn a_mail_that_is_refused_for_three_days_is_given_up_seen_and_sent_by_command() {
    let smtp = Smtp::start().await;
    let server = Server::start_with(smtp.configure()).await;
    smtp.refuse(99, "550 no such person");
    alice(&server).await;
    while server.database.outbox_count_given_up().await.unwrap() == 0 {
        until_due_is_tried(&server).await;
        server.clock.advance(Duration::from_hours(8));
    }
    assert!(smtp.mails().is_empty());
    let listed = command::mail(server.config(), &["list", "--json"]).await.unwrap();
    let listed = &serde_json::from_str::<Value>(&listed).unwrap()[0];
    assert_eq!((&listed["kind"], &listed["username"]), (&json!("signed_in"), &json!("alice")));
    assert!(listed["last_error"].as_str().unwrap().contains("no such person"), "{listed}");
    assert!(command::mail(server.config(), &["list"]).await.unwrap().contains("given up"));
    let found = checkup::database(server.config(), server.clock.read()).await;
    let found = found.iter().find(|finding| finding.area == "outbox").expect("the doctor knows of it");
    assert!(found.message.ends_with("given up in the last 30 days: 1"), "{}", found.message);
    assert!(found.fix.contains("grantor mail replay") && !found.fix.contains("webhook"), "{}", found.fix);
    smtp.refuse(0, "");
    let said = command::mail(server.config(), &["replay"]).await.unwrap();
    assert!(said.starts_with("1 message is queued"), "{said}");
    assert_eq!(smtp.wait_for(1).await[0].to, ["alice@example.com"]);
    until_empty(&server).await;
    assert_eq!(command::mail(server.config(), &["replay"]).await.unwrap().split(' ').next(), Some("0"));
}

/// Waits until nothing is due at this moment.
async fn until_due_is_tried(server: &Server) {
    let waiting = async {
        while !server.database.outbox_due(&Target::Mail, server.clock.read(), 10).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // What is claimed is not due either: it is when the attempt has ended.
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("what is due is tried");
}

#[tokio::test]
async fn what_was_kept_before_a_restart_is_delivered_after_it() {
    let server = Server::start_with(|config| config.mail = settings("127.0.0.1:9".parse().unwrap())).await;
    alice(&server).await;
    until_failed(&server).await;
    let smtp = Smtp::start().await;
    server.clock.advance(Duration::from_secs(10));
    let mut stopped = server.stop();
    stopped.config.mail = smtp.settings();
    let server = stopped.start().await;
    assert_eq!(smtp.wait_for(1).await.len(), 1);
    until_empty(&server).await;
}

#[tokio::test]
async fn two_nodes_deliver_a_message_once() {
    let smtp = Smtp::start().await;
    let first = Server::start_with(smtp.configure()).await;
    let (issuer, mail) = (first.url.clone(), smtp.settings());
    let change = |config: &mut Config| (config.issuer, config.mail) = (issuer, mail);
    let second = first.another_node_with(change).await;
    for _ in 0..6 {
        alice(&first).await;
        first.clock.advance(ONE_MAIL_IN);
        second.clock.advance(ONE_MAIL_IN);
    }
    smtp.wait_for(6).await;
    until_empty(&second).await;
    let mut ids: Vec<String> = smtp.mails().iter().map(|mail| mail.header("Message-ID")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), smtp.mails().len()), (6, 6));
}

#[tokio::test]
async fn what_waits_and_what_was_delivered_is_measured() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let smtp = Smtp::start().await;
    let mail = smtp.settings();
    let server = Server::start_with(|config| (config.mail, config.metrics_listen) = (mail, Some(free))).await;
    let shown = async || reqwest::get(format!("http://{free}/metrics")).await.unwrap().text().await.unwrap();
    smtp.refuse(1, "451 try again");
    alice(&server).await;
    until_failed(&server).await;
    server.clock.advance(Duration::from_secs(2));
    let waiting = shown().await;
    assert!(waiting.contains("grantor_outbox_waiting 1\n"), "{waiting}");
    assert!(waiting.contains("grantor_outbox_oldest_seconds 2\n"), "{waiting}");
    server.clock.advance(Duration::from_secs(10));
    smtp.wait_for(1).await;
    until_empty(&server).await;
    let delivered = shown().await;
    assert!(delivered.contains("grantor_outbox_waiting 0\n"), "{delivered}");
    assert!(delivered.contains("grantor_outbox_delivered_total{channel=\"mail\"} 1\n"), "{delivered}");
}

#[tokio::test]
async fn the_doctor_says_what_is_wrong_with_mail() {
    let smtp = Smtp::start().await;
    let server = Server::start_with(smtp.configure()).await;
    let examined = async || checkup::outgoing::examined(server.config(), false).await;
    assert_eq!(examined().await[0].level, checkup::Level::Sound);
    drop(smtp);
    let found = examined().await.remove(0);
    assert_eq!((found.area, found.level), ("mail", checkup::Level::Doubtful));
    assert!(found.message.contains("did not take it"), "{}", found.message);
}

/// What was acknowledged is told, also where the server is ended as by a power failure before it told anybody.
async fn what_was_acknowledged_survives_a_kill(kind: Kind) {
    let (place, port) = (Place::seeded(kind), free_port());
    let smtp = Smtp::start().await;
    let address = smtp.address;
    drop(smtp);
    let config = Config { mail: settings(address), ..place.config(port) };
    let (child, _) = Child::start_behind(&config, &place, port).await;
    let person = Person::at(&config.issuer, "en");
    assert_eq!(person.sign_in().await.name(), "account");
    child.kill();
    let smtp = Smtp::start_at(address).await;
    let (_child, _) = Child::start_behind(&config, &place, port).await;
    let mails = smtp.wait_for(1).await;
    assert_eq!((mails.len(), mails[0].to[0].as_str()), (1, "alice@example.com"));
}

on_each_database! { what_was_acknowledged_survives_a_kill }
