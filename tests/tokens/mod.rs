//! API tokens of every kind: personal access tokens and API keys, and whoever receives them.

mod account_api;
mod account_slow;
mod closed;
mod declared;
pub mod exchange;
mod exchanged;
mod issued_near;
mod key_leaks;
pub mod keys;
pub mod leaks;
mod limits;
pub mod networks;
mod pages;
mod rights;
mod usage;

use crate::harness::page::{Form, Page};
use crate::harness::person::Person;
use crate::harness::server::Server;

/// A person who is signed in.
pub async fn alice(server: &Server) -> Person {
    let person = Person::new(server);
    person.sign_in().await;
    person
}

/// The form for a new token, filled in with a name.
pub async fn form(person: &Person) -> Form {
    let page = person.open("/account/tokens/new").await;
    page.form(r#"form[action="/account/tokens/new"]"#).with("name", "Backup script")
}

/// The token that a page shows.
pub fn shown(page: &Page) -> String {
    page.attribute("#token", "value").unwrap_or_else(|| panic!("a token on {}: {}", page.name(), page.body))
}

/// A new token with these ticks.
pub async fn token(person: &Person, scopes: &[&str]) -> String {
    let form = scopes.iter().fold(form(person).await, |form, scope| form.ticked("scope", scope));
    shown(&person.send(&form).await)
}

/// A new token with these ticks that may be used from these networks.
pub async fn limited(person: &Person, scopes: &[&str], networks: &str) -> String {
    let form = form(person).await.with("networks", networks);
    shown(&person.send(&scopes.iter().fold(form, |form, scope| form.ticked("scope", scope))).await)
}

/// Revokes a token on the pages of its person.
pub async fn revoke(person: &Person, token: &str) -> Page {
    let page = person.open(format!("/account/tokens/revoke?token={}", id_of(token))).await;
    person.send(&page.form(r#"form[action="/account/tokens/revoke"]"#)).await
}

/// What names a token in the account's addresses: the part of its text after the prefix.
pub fn id_of(token: &str) -> String {
    token["gtr_pat_".len()..][..11].to_owned()
}
