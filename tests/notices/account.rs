//! Notices as they stand in the account.

use super::alice;
use crate::harness::server::Server;

#[tokio::test]
async fn a_notice_stands_in_the_account_until_it_is_removed() {
    let server = Server::start().await;
    let person = alice(&server).await;
    let page = person.open("/account").await;
    assert!(page.text().contains("New sign-in"), "{}", page.text());
    let form = page.form(r#"form[action="/account/notices"]"#);
    for _ in 0..2 {
        let page = person.send(&form).await;
        assert_eq!(page.name(), "account");
        assert!(!page.text().contains("New sign-in"), "{}", page.text());
    }
}

#[tokio::test]
async fn nobody_removes_the_notices_of_others() {
    let server = Server::start().await;
    let (alice, bob) = (alice(&server).await, crate::harness::person::Person::new(&server));
    let page = bob.open("/sign-in").await;
    bob.sign_in_on(&page, crate::harness::seeds::BOB, crate::harness::seeds::BOB_PASSWORD).await;
    let theirs = alice.open("/account").await.form(r#"form[action="/account/notices"]"#);
    let notice = theirs.fields.iter().find(|(name, _)| name == "notice").unwrap().1.clone();
    let form = bob.open("/account").await.form(r#"form[action="/account/notices"]"#).with("notice", &notice);
    bob.send(&form).await;
    assert!(alice.open("/account").await.text().contains("New sign-in"));
    let forged = alice.post(&theirs.with("csrf", "x")).await;
    assert_eq!(forged.status, 403);
}

#[tokio::test]
async fn notices_go_after_three_months() {
    let server = Server::start().await;
    alice(&server).await;
    let user = server.database.user_find_by_username("alice").await.unwrap().unwrap();
    let lifetimes = grantor_core::policy::Lifetimes::default();
    server.clock.advance(std::time::Duration::from_hours(24 * 89));
    server.database.sweep(server.clock.read(), &lifetimes).await.unwrap();
    assert_eq!(server.database.notices_of(user.id).await.unwrap().len(), 1);
    server.clock.advance(std::time::Duration::from_hours(48));
    server.database.sweep(server.clock.read(), &lifetimes).await.unwrap();
    assert!(server.database.notices_of(user.id).await.unwrap().is_empty());
}
