//! Upstreams as their operator has them: declared, looked at, switched off, removed; by one node or several.

use grantor_server::checkup::Level;
use grantor_server::checkup::upstreams;

use super::{ada_comes_in, declaration, start, with};
use crate::harness::command;
use crate::harness::person::Person;
use crate::harness::server::Server;
use crate::harness::tls;

const OPEN: &str = "create_accounts = true";

async fn doctor(server: &Server) -> Vec<(Level, String)> {
    let config = server.config().clone();
    upstreams::all(&config).await.into_iter().map(|finding| (finding.level, finding.message)).collect()
}

#[tokio::test]
async fn the_doctor_finds_an_upstream_that_is_not_there_or_not_what_is_declared() {
    let (server, fake) = with("").await;
    assert_eq!(doctor(&server).await, [(Level::Sound, format!("corp: {} answers", fake.url))]);
    server.apply(&declaration(&fake, "other", "disabled = true").replace(&fake.url, "https://127.0.0.1:1")).await;
    server.apply(&declaration(&fake, "slash", "").replace(&fake.url, &format!("{}/", fake.url))).await;
    server.apply(&declaration(&fake, "inside", "").replace(&fake.url, "https://10.0.0.1")).await;
    let found = doctor(&server).await;
    let of = |name: &str| found.iter().find(|(_, message)| message.starts_with(name)).cloned();
    assert_eq!(of("other"), None, "who is switched off is not asked");
    assert!(
        of("slash").is_some_and(|(level, message)| level == Level::Broken && message.contains("issuer")),
        "{found:?}"
    );
    assert!(of("inside").is_some_and(|(level, message)| level == Level::Doubtful && message.contains("10.0.0.1")));
}

#[tokio::test]
async fn sessions_that_began_at_an_upstream_end_when_it_is_switched_off_and_others_do_not() {
    let (server, fake) = with(OPEN).await;
    let (ada, alice) = (ada_comes_in(&server, &fake).await, Person::new(&server));
    alice.sign_in().await;
    server.apply(&declaration(&fake, "corp", "create_accounts = true\ndisabled = true")).await;
    assert_eq!(
        (ada.open("/account").await.name(), alice.open("/account").await.name()),
        ("sign-in".to_owned(), "account".to_owned())
    );
    server.apply(&declaration(&fake, "corp", OPEN)).await;
    ada_comes_in(&server, &fake).await;
}

#[tokio::test]
async fn an_upstream_that_is_removed_leaves_no_link_to_one_of_its_name() {
    let (server, fake) = with(OPEN).await;
    let ada = ada_comes_in(&server, &fake).await;
    let listed = command::upstream(server.config(), &["list", "--json"]).await.unwrap();
    assert!(listed.contains("\"has_secret\": true") && !listed.contains(super::fake::SECRET), "{listed}");
    command::upstream(server.config(), &["remove", "corp"]).await.unwrap();
    assert!(command::upstream(server.config(), &["remove", "corp"]).await.is_err());
    server.database.refresh_directory().await.unwrap();
    assert_eq!(ada.open("/account").await.name(), "sign-in");
    server.apply(&declaration(&fake, "corp", "")).await;
    let person = Person::new(&server);
    assert_eq!(person.open(fake.consents(&start(&person).await)).await.name(), "upstream-unlinked");
}

#[tokio::test]
async fn a_node_that_has_not_heard_yet_lets_nobody_in_through_an_upstream_that_is_switched_off() {
    let (server, fake) = with(OPEN).await;
    let node = server.another_node_with(tls::trusting).await;
    fake.keep_time_of(&node.clock);
    let person = Person::new(&node);
    let answer = fake.consents(&start(&person).await);
    server.apply(&declaration(&fake, "corp", "create_accounts = true\ndisabled = true")).await;
    let path = answer.path().to_owned() + "?" + answer.query().unwrap();
    let page = person.open(node.at(&path)).await;
    assert_eq!(page.name(), "upstream-failed", "{}", page.body);
}
