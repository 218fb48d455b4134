//! An account is unlinked by its person: who has just proved who they are, is told of it, and keeps a way in.

use std::time::Duration;

use grantor_core::store::Store;
use grantor_core::upstream::{UpstreamChange, UpstreamLink};
use grantor_jose::id::Id;
use serde_json::json;

use super::fake::Fake;
use super::{ada_comes_in, another_node, declaration, sign_in, start_on, with};
use crate::harness::app::App;
use crate::harness::authenticator::{Authenticator, CODE};
use crate::harness::page::{Form, Page};
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD};
use crate::harness::server::Server;

const WAYS: &str = "/account/sign-in-ways";
const UNLINK: &str = r#"form[action="/account/sign-in-ways/unlink"]"#;

/// Alice, who has just signed in with her password and linked her account with Ada there.
async fn alice_links(server: &Server, fake: &Fake) -> Person {
    let alice = Person::new(server);
    alice.sign_in().await;
    let page = alice.open(fake.consents(&start_on(&alice, &alice.open(WAYS).await, "corp").await)).await;
    alice.send(&page.form(r#"form[action="/upstreams/corp/link"]"#).with("decision", "link")).await;
    alice
}

async fn links_of(server: &Server, username: &str) -> Vec<UpstreamLink> {
    let user = server.database.user_find_by_username(username).await.unwrap().unwrap();
    server.database.upstream_links_of(user.id).await.unwrap()
}

/// The page that asks, or the one that the person is sent to instead.
async fn asked(person: &Person, link: &UpstreamLink) -> Page {
    person.open(format!("{WAYS}/unlink?link={}", link.id)).await
}

async fn is_in(person: &Person) -> bool {
    person.open("/account").await.name() == "account"
}

#[tokio::test]
async fn who_signed_in_long_ago_signs_in_once_more_before_anything_is_unlinked() {
    let (server, fake) = with("").await;
    let alice = alice_links(&server, &fake).await;
    let link = links_of(&server, ALICE).await.remove(0);
    let form = asked(&alice, &link).await.form(UNLINK);
    server.clock.advance(Duration::from_mins(11));
    assert_eq!(alice.send(&form).await.name(), "sign-in");
    assert_eq!(links_of(&server, ALICE).await.len(), 1);
    let page = asked(&alice, &link).await;
    assert!(page.name() == "sign-in" && page.text().contains("To unlink an account"), "{}", page.text());
    let page = alice.sign_in_on(&page, ALICE, ALICE_PASSWORD).await;
    assert_eq!(page.name(), "sign-in-way-unlink", "{}", page.body);
    assert_eq!(alice.send(&page.form(UNLINK)).await.name(), "sign-in-ways");
    assert_eq!(links_of(&server, ALICE).await.len(), 0);
}

#[tokio::test]
async fn who_came_from_an_upstream_that_does_not_tell_when_signs_in_once_more() {
    let (server, fake) = with("").await;
    alice_links(&server, &fake).await;
    let link = links_of(&server, ALICE).await.remove(0);
    fake.says(&json!({ "auth_time": null }));
    let person = Person::new(&server);
    assert_eq!(sign_in(&person, &fake).await.name(), "account");
    let page = asked(&person, &link).await;
    assert_eq!(page.name(), "sign-in", "{}", page.body);
    let on_the_way = start_on(&person, &page, "corp").await;
    assert!(on_the_way.body.contains("prompt=login") && on_the_way.body.contains("max_age=0"), "{}", on_the_way.body);
    fake.script(|script| script.claims.clear());
    let page = person.open(fake.consents(&on_the_way)).await;
    assert_eq!(page.name(), "sign-in-way-unlink", "{}", page.body);
}

#[tokio::test]
async fn who_has_a_second_factor_gives_its_code_before_anything_is_unlinked() {
    let (server, fake) = with("").await;
    let (alice, elsewhere) = (alice_links(&server, &fake).await, Person::new(&server));
    let link = links_of(&server, ALICE).await.remove(0);
    let form = asked(&alice, &link).await.form(UNLINK);
    elsewhere.sign_in().await;
    let app = Authenticator::set_up(&server, &elsewhere).await;
    server.clock.advance(Duration::from_secs(30));
    let page = alice.send(&form).await;
    assert_eq!((page.name(), links_of(&server, ALICE).await.len()), ("sign-in-code".to_owned(), 1), "{}", page.body);
    assert_eq!(alice.send(&page.form(CODE).with("decision", "deny")).await.name(), "sign-in-ways");
    let page = asked(&alice, &link).await;
    let page = alice.send(&page.form(CODE).with("code", &app.code(&server))).await;
    assert_eq!(page.name(), "sign-in-way-unlink", "{}", page.body);
    alice.send(&page.form(UNLINK)).await;
    assert_eq!(links_of(&server, ALICE).await.len(), 0);
}

#[tokio::test]
async fn a_person_is_told_of_what_was_unlinked() {
    let (server, fake) = with("").await;
    let alice = alice_links(&server, &fake).await;
    let page = asked(&alice, &links_of(&server, ALICE).await[0]).await;
    assert!(page.text().contains("signed out wherever you came in with it"), "{}", page.text());
    alice.send(&page.form(UNLINK)).await;
    let told = alice.open("/account").await.text();
    assert!(told.contains("Way to sign in unlinked") && told.contains("with Corp"), "{told}");
}

#[tokio::test]
async fn every_session_that_came_by_it_ends_but_the_one_in_use() {
    let (server, fake) = with("").await;
    let alice = alice_links(&server, &fake).await;
    let (thief, here) = (ada_comes_in(&server, &fake).await, ada_comes_in(&server, &fake).await);
    let wiki = App::new(&server, "wiki");
    let taken = wiki.tokens_with(&thief, "openid profile", &[]).await;
    let page = asked(&here, &links_of(&server, ALICE).await[0]).await;
    here.send(&page.form(UNLINK)).await;
    assert_eq!([is_in(&alice).await, is_in(&thief).await, is_in(&here).await], [true, false, true]);
    assert_eq!(wiki.refresh(taken.refresh()).await.brief(), "400 invalid_grant");
}

/// Two links of Ada, who has no password, and the forms that unlink each.
async fn two_ways(server: &Server, fake: &Fake, ada: &Person) -> [Form; 2] {
    let user = server.database.user_find_by_username("ada").await.unwrap().unwrap();
    let before = links_of(server, "ada").await;
    for name in ["corp", "other"] {
        let upstream_id = server.database.directory().upstreams[name].id;
        let link = UpstreamLink {
            id: Id::from_i64(upstream_id.as_i64() + server.clock.read().millis()),
            upstream_id,
            authority: fake.url.clone(),
            subject: "ada-there".to_owned(),
            user_id: user.id,
            label: name.to_owned(),
            created_at: server.clock.read(),
            last_used_at: None,
        };
        if !before.iter().any(|link| link.upstream_id == upstream_id) {
            server.database.commit(vec![UpstreamChange::LinkInsert(Box::new(link)).into()]).await.unwrap();
        }
    }
    let links = links_of(server, "ada").await;
    let form = async |link| asked(ada, link).await.form(UNLINK);
    [form(&links[0]).await, form(&links[1]).await]
}

/// Unlinks both again and again, each at a node of its own.
async fn unlink_both(first: &Server, second: &str, fake: &Fake) {
    first.apply(&declaration(fake, "other", "")).await;
    let ada = ada_comes_in(first, fake).await;
    for round in 0..6 {
        first.clock.advance(Duration::from_secs(1));
        let [one, other] = two_ways(first, fake, &ada).await;
        let other = other.at(&format!("{second}{WAYS}/unlink"));
        let pages = tokio::join!(ada.post(&one), ada.post(&other));
        assert_eq!((pages.0.status.as_u16(), pages.1.status.as_u16()), (303, 303), "{round}: {}", pages.1.body);
        assert_eq!(links_of(first, "ada").await.len(), 1, "{round}");
    }
}

#[tokio::test]
async fn of_two_ways_that_are_unlinked_at_once_one_stays() {
    let (server, fake) = with("create_accounts = true").await;
    unlink_both(&server, &server.url, &fake).await;
}

#[tokio::test]
async fn of_two_ways_that_are_unlinked_at_once_on_two_nodes_one_stays() {
    let (first, fake) = with("create_accounts = true").await;
    let second = another_node(&first).await;
    unlink_both(&first, &second.address, &fake).await;
}
