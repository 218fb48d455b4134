//! Who comes in by another provider comes in from their networks only, as with a password.

use super::{ada_comes_in, sign_in, start_on, with};
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::server::Server;
use crate::tokens::networks::{ELSEWHERE, HERE, apply};

const ADA: &str = "[[users]]\nusername = \"ada\"\nname = \"Ada Here\"\nemail = \"ada@corp.example\"\nemail_verified = true\ngroups = [\"staff\"]\n";

async fn ada_limited(server: &Server, networks: &str) {
    apply(server, &format!("{ADA}{networks}\n")).await;
}

async fn group_limited(server: &Server, networks: &str) {
    apply(server, &format!("[[groups]]\nname = \"staff\"\n{networks}\n")).await;
}

async fn is_refused(server: &Server, page: &Page) {
    assert_eq!((page.status.as_u16(), page.name().as_str()), (403, "upstream-failed"), "{}", page.body);
    assert_eq!(server.reason().await, "UserNetwork");
    assert!(page.cookies().iter().all(|cookie| !cookie.contains("session=")), "{:?}", page.cookies());
}

#[tokio::test]
async fn a_linked_person_comes_in_from_their_networks_and_their_groups_only() {
    let (server, fake) = with("create_accounts = true").await;
    let inside = ada_comes_in(&server, &fake).await;
    for by_group in [false, true] {
        let limit = async |networks: &str| {
            if by_group { group_limited(&server, networks).await } else { ada_limited(&server, networks).await }
        };
        limit(ELSEWHERE).await;
        let person = Person::new(&server);
        is_refused(&server, &sign_in(&person, &fake).await).await;
        assert_eq!(person.open("/account").await.name(), "sign-in");
        assert_eq!(inside.open("/account").await.name(), "sign-in", "nor does the session from before count here");
        limit(HERE).await;
        ada_comes_in(&server, &fake).await;
        limit("").await;
    }
}

#[tokio::test]
async fn an_account_that_an_address_would_link_is_not_linked_from_elsewhere() {
    let (server, fake) = with("link_by_email = true").await;
    ada_limited(&server, ELSEWHERE).await;
    is_refused(&server, &sign_in(&Person::new(&server), &fake).await).await;
    let links = server.rows().into_iter().find(|(table, _)| *table == "upstream_links").unwrap();
    assert_eq!(links.1, 0);
    ada_limited(&server, HERE).await;
    ada_comes_in(&server, &fake).await;
}

#[tokio::test]
async fn who_proves_an_account_does_so_from_its_networks_only() {
    let (server, fake) = with("").await;
    apply(&server, &format!("[[users]]\nusername = \"alice\"\n{ELSEWHERE}\n")).await;
    let person = Person::new(&server);
    let page = person.open(fake.consents(&start_on(&person, &person.open("/sign-in").await, "corp").await)).await;
    let page = person.open(page.attribute("a#prove", "href").unwrap()).await;
    let page = person.sign_in_on(&page, crate::harness::seeds::ALICE, crate::harness::seeds::ALICE_PASSWORD).await;
    assert_eq!((page.status.as_u16(), page.name().as_str()), (403, "sign-in"), "{}", page.body);
    assert_eq!(server.reason().await, "UserNetwork");
}
