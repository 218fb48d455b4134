//! Sign-in through other providers, and whoever pretends to be one.

mod account;
mod addresses;
mod another;
mod asked;
mod behind;
mod believed;
mod beside;
mod bound;
mod dex;
pub mod fake;
mod inside;
mod levels;
mod linked;
mod logout;
mod networks;
mod oauth2;
mod oidc_provider;
mod operated;
mod unlinked;
mod untimed;
mod walk;

use grantor_core::change::Change;
use grantor_core::store::Store;
use grantor_core::upstream::{Upstream, UpstreamChange, UpstreamLink, UpstreamSession};
use grantor_jose::id::Id;
use grantor_jose::secret::SecretText;
use grantor_server::config::Config;

use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::ALICE;
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
pub fn declaration(fake: &Fake, name: &str, more: &str) -> String {
    format!(
        "[[upstreams]]\nname = \"{name}\"\ndisplay_name = \"Corp\"\nkind = \"oidc\"\nissuer = \"{}\"\nclient_id = \"grantor\"\n\
         client_secret = \"{SECRET}\"\n{more}\n",
        fake.url
    )
}

/// Another node of the same issuer, on the same database.
async fn another_node(first: &Server) -> Server {
    let issuer = first.url.clone();
    let change = |config: &mut Config| {
        tls::trusting(config);
        config.issuer = issuer;
    };
    first.another_node_with(change).await
}

/// The page that goes on to an upstream, from a sign-in page.
pub async fn start_on(person: &Person, page: &Page, name: &str) -> Page {
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

/// Leaves a row of each kind that there is of upstreams, of Alice's: an upstream, a link, and where a session began.
pub async fn leave_rows(server: &Server) {
    let definition =
        serde_json::json!({"name": "corp", "kind": "oidc", "issuer": "https://idp.example", "client_id": "a"});
    let upstream = Upstream {
        id: Id::from_i64(70),
        definition: serde_json::from_value(definition).unwrap(),
        client_secret: Some(SecretText::new(SECRET.to_owned())),
    };
    let alice = server.database.user_find_by_username(ALICE).await.unwrap().unwrap();
    let session = server.database.sessions_of(alice.id).await.unwrap().remove(0);
    let link = UpstreamLink {
        id: Id::from_i64(71),
        upstream_id: upstream.id,
        authority: "https://idp.example".to_owned(),
        subject: "alice-there".to_owned(),
        user_id: alice.id,
        label: "alice@corp.example".to_owned(),
        created_at: server.clock.read(),
        last_used_at: None,
    };
    let origin = UpstreamSession {
        session_id: session.id,
        upstream_id: upstream.id,
        subject: link.subject.clone(),
        sid: Some("session-there".to_owned()),
        tells_time: true,
    };
    let changes = [
        UpstreamChange::Put(Box::new(upstream)),
        UpstreamChange::LinkInsert(Box::new(link)),
        UpstreamChange::SessionInsert(Box::new(origin)),
    ];
    server.database.commit(changes.map(Change::from).into()).await.unwrap();
}
