//! The ways to sign in, in the account.

use serde_json::json;

use super::{ada_comes_in, sign_in, start_on, with};
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::{BOB, BOB_PASSWORD};

const WAYS: &str = "/account/sign-in-ways";

async fn unlink(person: &Person) -> Page {
    let page = person.open(WAYS).await;
    let to = page.attribute(r#"a[href^="/account/sign-in-ways/unlink"]"#, "href").unwrap();
    let page = person.open(to).await;
    person.send(&page.form(r#"form[action="/account/sign-in-ways/unlink"]"#)).await
}

#[tokio::test]
async fn a_person_links_an_account_and_unlinks_it_again() {
    let (server, fake) = with("").await;
    let person = Person::new(&server);
    person.sign_in().await;
    let page = person.open(fake.consents(&start_on(&person, &person.open(WAYS).await, "corp").await)).await;
    assert_eq!(page.name(), "upstream-link", "{}", page.body);
    let page = person.send(&page.form(r#"form[action="/upstreams/corp/link"]"#).with("decision", "link")).await;
    assert!(page.text().contains("ada@corp.example"), "{}", page.text());
    assert!(sign_in(&Person::new(&server), &fake).await.text().contains("Alice"));
    assert!(!unlink(&person).await.text().contains("ada@corp.example"));
    assert_eq!(sign_in(&Person::new(&server), &fake).await.name(), "upstream-unlinked");
    assert!(server.events().await.iter().any(|event| event.kind.as_str() == "upstream_unlinked"));
}

#[tokio::test]
async fn the_only_way_in_is_not_taken_away() {
    let (server, fake) = with("create_accounts = true").await;
    let ada = ada_comes_in(&server, &fake).await;
    let page = ada.open(WAYS).await;
    assert!(page.text().contains("only way") && !page.has(r#"a[href^="/account/sign-in-ways/unlink"]"#));
    let link = server.database.upstream_links_of(ada_id(&server).await).await.unwrap().remove(0).id;
    assert_eq!(ada.open(format!("{WAYS}/unlink?link={link}")).await.name(), "sign-in-ways");
    let form = page
        .form(r#"form[action="/sign-out"], form"#)
        .at(&server.at(&format!("{WAYS}/unlink")))
        .with("link", &link.to_string());
    ada.send(&form).await;
    assert_eq!(server.database.upstream_links_of(ada_id(&server).await).await.unwrap().len(), 1);
}

async fn ada_id(server: &crate::harness::server::Server) -> grantor_jose::id::Id {
    server.database.user_find_by_username("ada").await.unwrap().unwrap().id
}

#[tokio::test]
async fn nobody_unlinks_what_is_another_persons_nor_links_what_is_linked() {
    let (server, fake) = with("create_accounts = true").await;
    ada_comes_in(&server, &fake).await;
    let link = server.database.upstream_links_of(ada_id(&server).await).await.unwrap().remove(0).id;
    let bob = Person::new(&server);
    bob.sign_in_on(&bob.open("/sign-in").await, BOB, BOB_PASSWORD).await;
    assert_eq!(bob.open(format!("{WAYS}/unlink?link={link}")).await.name(), "sign-in-ways");
    let page = bob.open(fake.consents(&start_on(&bob, &bob.open(WAYS).await, "corp").await)).await;
    assert_eq!((page.name(), server.reason().await), ("upstream-failed".to_owned(), "UpstreamLinkTaken".to_owned()));
    assert!(bob.open("/account").await.text().contains("Bob"), "and is still who he was");
}

#[tokio::test]
async fn who_was_signed_in_for_long_proves_it_again_before_a_link() {
    let (server, fake) = with("").await;
    let person = Person::new(&server);
    person.sign_in().await;
    server.clock.advance(std::time::Duration::from_mins(11));
    fake.says(&json!({}));
    let page = person.open(fake.consents(&start_on(&person, &person.open(WAYS).await, "corp").await)).await;
    assert_eq!(page.name(), "upstream-unlinked");
}
