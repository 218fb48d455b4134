//! Sign-in through other providers, and whoever pretends to be one.

mod account;
mod another;
mod asked;
mod believed;
mod bound;
mod dex;
pub mod fake;
mod linked;
mod logout;
mod oauth2;
mod oidc_provider;
mod operated;
mod walk;

use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::server::Server;
use crate::harness::tls;
use fake::{Fake, SECRET};

/// A server with an upstream `corp`, declared with more.
async fn with(more: &str) -> (Server, Fake) {
    let fake = Fake::start();
    let server = Server::start_with(tls::trusting).await;
    fake.keep_time_of(&server.clock);
    server.apply(&declaration(&fake, "corp", more)).await;
    (server, fake)
}

/// How an upstream is declared.
fn declaration(fake: &Fake, name: &str, more: &str) -> String {
    format!(
        "[[upstreams]]\nname = \"{name}\"\ndisplay_name = \"Corp\"\nkind = \"oidc\"\nissuer = \"{}\"\nclient_id = \"grantor\"\n\
         client_secret = \"{SECRET}\"\n{more}\n",
        fake.url
    )
}

/// The page that goes on to an upstream, from a sign-in page.
async fn start_on(person: &Person, page: &Page, name: &str) -> Page {
    person.send(&page.form(&format!(r#"form[action="/upstreams/{name}/start"]"#))).await
}

/// The same from the sign-in page of the account.
async fn start(person: &Person) -> Page {
    start_on(person, &person.open("/sign-in").await, "corp").await
}

/// Signs in through the upstream, as far as it goes.
async fn sign_in(person: &Person, fake: &Fake) -> Page {
    person.open(fake.consents(&start(person).await)).await
}

/// Ada comes in, with a browser of her own.
async fn ada_comes_in(server: &Server, fake: &Fake) -> Person {
    let person = Person::new(server);
    let page = sign_in(&person, fake).await;
    assert_eq!(page.name(), "account", "{}", page.body);
    person
}
