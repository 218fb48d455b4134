//! Somebody comes from an upstream where somebody else is signed in.

use std::time::Duration;

use super::{start_on, with};
use crate::harness::person::Person;
use crate::harness::seeds::{BOB, BOB_PASSWORD};

#[tokio::test]
async fn who_chose_another_account_is_signed_in_beside_and_who_did_not_takes_the_browser_over() {
    let (server, fake) = with("create_accounts = true").await;
    for (chose, beside) in [(true, 1), (false, 0)] {
        let person = Person::new(&server);
        person.sign_in().await;
        let select = person.open("/select-account").await.form(r#"form[action="/select-account"]"#);
        let page =
            if chose { person.send(&select.with("choice", "another")).await } else { person.open("/sign-in").await };
        let page = person.open(fake.consents(&start_on(&person, &page, "corp").await)).await;
        assert_eq!(page.name(), "account", "{}", page.body);
        let page = person.open("/select-account").await;
        assert_eq!(page.attributes(".choices button", "value").len(), beside, "{chose}: {}", page.text());
    }
}

#[tokio::test]
async fn who_proves_an_account_to_link_it_is_signed_in_beside_too() {
    let (server, fake) = with("").await;
    let person = Person::new(&server);
    person.sign_in().await;
    server.clock.advance(Duration::from_secs(1));
    let select = person.open("/select-account").await.form(r#"form[action="/select-account"]"#);
    let page = person.send(&select.with("choice", "another")).await;
    let page = person.open(fake.consents(&start_on(&person, &page, "corp").await)).await;
    assert_eq!(page.name(), "upstream-unlinked", "{}", page.body);
    let page = person.open(page.attribute("#prove", "href").unwrap()).await;
    let page = person.sign_in_on(&page, BOB, BOB_PASSWORD).await;
    assert_eq!(page.name(), "upstream-link", "{}", page.body);
    let page = person.open("/select-account").await;
    assert!(page.text().contains("Continue as Bob") && page.text().contains("Alice Liddell"), "{}", page.text());
}
