//! Somebody comes from an upstream where somebody else is signed in.

use std::time::Duration;

use super::fake::sent;
use super::{start_on, with};
use crate::harness::app::App;
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::{BOB, BOB_PASSWORD};

fn prompt(page: &Page) -> Option<String> {
    sent(page).query_pairs().find(|(name, _)| name == "prompt").map(|(_, value)| value.into_owned())
}

async fn another(person: &Person, address: &str) -> Page {
    let select = person.open(address).await.form(r#"form[action="/select-account"]"#);
    person.send(&select.with("choice", "another")).await
}

// "The Authorization Server SHOULD prompt the End-User to select a user account." (OIDC Core §3.1.2.1)
#[tokio::test]
async fn the_upstream_is_asked_to_let_the_person_choose_where_they_are_to_be_another_one() {
    let (server, _fake) = with("create_accounts = true").await;
    let person = Person::new(&server);
    let page = person.open("/sign-in").await;
    assert_eq!(prompt(&start_on(&person, &page, "corp").await), None);
    person.sign_in().await;
    let page = another(&person, "/select-account").await;
    assert_eq!(prompt(&start_on(&person, &page, "corp").await).as_deref(), Some("select_account"));
    let asked = App::new(&server, "wiki").authorize_url("openid", &[("prompt", "login select_account")]);
    let page = person.open(&asked).await;
    let change = format!("/select-account?request={}", page.attribute("input[name=request]", "value").unwrap());
    let page = another(&person, &change).await;
    assert_eq!(prompt(&start_on(&person, &page, "corp").await).as_deref(), Some("login select_account"));
}

#[tokio::test]
async fn who_comes_back_where_somebody_else_is_in_use_by_now_signs_nobody_out() {
    let (server, fake) = with("create_accounts = true").await;
    let person = Person::new(&server);
    person.sign_in().await;
    let page = another(&person, "/select-account").await;
    let gone = start_on(&person, &page, "corp").await;
    person.sign_in_on(&page, BOB, BOB_PASSWORD).await;
    let asked = start_on(&person, &page, "corp").await;
    assert_eq!(asked.name(), "select-account", "{}", asked.body);
    let page = person.open(fake.consents(&gone)).await;
    assert_eq!(page.name(), "select-account", "{}", page.body);
    assert!(page.text().contains("Continue as Bob") && page.text().contains("Alice Liddell"), "{}", page.text());
}

#[tokio::test]
async fn who_went_where_nobody_was_signed_in_and_comes_back_where_somebody_is_signs_nobody_out() {
    let (server, fake) = with("create_accounts = true").await;
    for (came_meanwhile, ends) in [("alice", "select-account"), ("nobody", "account"), ("ada", "account")] {
        let person = Person::new(&server);
        let page = person.open("/sign-in").await;
        let (gone, other) = (start_on(&person, &page, "corp").await, start_on(&person, &page, "corp").await);
        match came_meanwhile {
            "alice" => drop(person.sign_in().await),
            "ada" => drop(person.open(fake.consents(&other)).await),
            _ => {}
        }
        let page = person.open(fake.consents(&gone)).await;
        assert_eq!(page.name(), ends, "{came_meanwhile}: {}", page.body);
        assert_eq!(page.text().contains("Continue as Alice Liddell"), came_meanwhile == "alice", "{}", page.text());
    }
}

#[tokio::test]
async fn who_comes_back_signs_nobody_out_whom_the_page_did_not_name_where_they_wait_beside() {
    let (server, fake) = with("create_accounts = true").await;
    let person = Person::new(&server);
    person.sign_in().await;
    let page = person.open("/sign-in").await;
    let gone = start_on(&person, &page, "corp").await;
    let page = another(&person, "/select-account").await;
    person.sign_in_on(&page, BOB, BOB_PASSWORD).await;
    let page = person.open("/select-account").await;
    let alice = page.attribute(".choices button", "value").unwrap();
    person.send(&page.form(r#"form[action="/select-account"]"#).with("choice", &alice)).await;
    let page = person.open(fake.consents(&gone)).await;
    assert_eq!(page.name(), "select-account", "{}", page.body);
    assert!(page.text().contains("Continue as Alice Liddell") && page.text().contains("Bob"), "{}", page.text());
}

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
