//! With `--dev` mail goes nowhere, and is shown.

use std::time::Duration;

use crate::harness::person::Person;
use crate::harness::server::Server;

#[tokio::test]
async fn the_demo_shows_the_mails_that_were_not_sent() {
    let (server, demo) = Server::start_dev().await;
    let (person, reader) = (Person::new(&server), Person::at(&demo, "en"));
    assert!(reader.open("/mails").await.text().contains("There is no mail yet."));
    person.sign_in().await;
    let arriving = async {
        while !reader.open("/mails").await.body.contains("/mails/1") {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), arriving).await.expect("the mail is shown");
    let list = reader.open("/mails").await;
    assert!(
        list.text().contains("New sign-in · Grantor") && list.text().contains("alice@example.com"),
        "{}",
        list.text()
    );
    let mail = reader.open("/mails/1").await;
    assert!(mail.body.contains("&#60;h1&#62;New sign-in"), "its HTML is shown as text: {}", mail.body);
    assert_eq!(reader.open("/mails/99").await.name(), "demo-mails");
    assert_eq!(reader.open("/mails/x").await.name(), "demo-mails");
}
