//! What an upstream says is believed, or not.

use super::{sign_in, with};
use crate::harness::person::Person;

#[tokio::test]
async fn a_person_comes_in_through_an_upstream_and_gets_an_account_where_that_is_declared() {
    let (server, fake) = with("create_accounts = true").await;
    let person = Person::new(&server);
    let page = sign_in(&person, &fake).await;
    assert_eq!((page.name(), page.text().contains("Ada There")), ("account".to_owned(), true), "{}", page.body);
}
