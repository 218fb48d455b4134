//! What people are told of their accounts: there, and by e-mail.

mod account;
mod by_itself;
pub mod delivery;
mod dev;
mod leaked;
mod letters;
mod secured;
mod watching;

use crate::harness::person::Person;
use crate::harness::server::Server;

/// A person who is signed in.
async fn alice(server: &Server) -> Person {
    let person = Person::new(server);
    person.sign_in().await;
    person
}
