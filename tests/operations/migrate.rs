//! `grantor migrate --to`: from SQLite to PostgreSQL, with nothing lost and nobody signed out.

use std::sync::mpsc;
use std::time::Duration;

use grantor_core::api_token::{ApiToken, ApiTokenEnd, Owner};
use grantor_core::audit::EventKind;
use grantor_core::change::Change;
use grantor_core::client::Client;
use grantor_core::registration::{InitialToken, Registration, RegistrationChange};
use grantor_core::store::Store;
use grantor_jose::id::Id;
use grantor_jose::secret::Secret;
use grantor_server::checkup::{self, Level};
use grantor_server::clock::system_time;
use grantor_server::config::Hidden;
use grantor_server::settings::{self, Role};
use grantor_storage::{Copying, DatabaseSettings};
use tokio::task::JoinHandle;
use tokio_postgres::NoTls;

use super::credentials::{ALL, Credentials, STARTED, key_set};
use crate::harness::app::{App, Tokens};
use crate::harness::authenticator::Authenticator;
use crate::harness::command;
use crate::harness::person::Person;
use crate::harness::postgres::{self, Scratch};
use crate::harness::seeds::{ALICE, BOB, BOB_PASSWORD};
use crate::harness::server::{Server, Stopped};
use crate::harness::smtp;
use crate::notices::delivery::until_failed;
use crate::oidc::logout::confirm;

/// A server on SQLite, and an empty database of PostgreSQL's; nothing where there is no PostgreSQL.
async fn both() -> Option<(Server, Scratch)> {
    let scratch = Scratch::new(postgres::server()?, None);
    if postgres::is_chosen() {
        return None;
    }
    // Nobody answers there: what is to be told waits.
    let mail = smtp::settings("127.0.0.1:9".parse().unwrap());
    Some((Server::start_with(|config| config.mail = mail).await, scratch))
}

/// The server as it is started on PostgreSQL.
fn on(mut stopped: Stopped, target: &Scratch) -> Stopped {
    stopped.config.database_url = Hidden::new(target.url.clone());
    stopped
}

/// Asks PostgreSQL for a number.
async fn number(target: &Scratch, question: &str) -> i64 {
    let (client, connection) = tokio_postgres::connect(&target.url, NoTls).await.unwrap();
    let driver = tokio::spawn(connection);
    let number = client.query_one(question, &[]).await.unwrap().get(0);
    drop(client);
    driver.await.unwrap().unwrap();
    number
}

/// Does something to PostgreSQL behind everybody's back.
async fn tamper(target: &Scratch, statements: &str) {
    let (client, connection) = tokio_postgres::connect(&target.url, NoTls).await.unwrap();
    let driver = tokio::spawn(connection);
    client.batch_execute(statements).await.unwrap();
    drop(client);
    driver.await.unwrap().unwrap();
}

/// The part of the printed table that says how many rows there are and what their hash is.
fn rows(said: &str) -> Vec<&str> {
    said.lines().take_while(|line| !line.is_empty()).skip(1).collect()
}

/// How many events there are, but for those of a server that tries to tell an app of a sign-out: they come when they come.
async fn kept(server: &Server) -> usize {
    server.events().await.iter().filter(|event| event.kind != EventKind::FetchRefused).count()
}

/// What the seeds do not declare.
const DECLARED: &str = r#"
[[groups]]
name = "admins"

[[apps]]
name = "Handbook"
origins = ["https://handbook.example"]
everybody = true

[[clients]]
client_id = "told"
client_secret = "a-secret-for-tests-and-nothing-else-at-all"
redirect_uris = ["https://wiki.example/cb"]
scope = "openid"
id_token_signed_response_alg = "ES256"
backchannel_logout_uri = "https://127.0.0.1:9/logout"
"#;

/// A key that ended, like this token, of an app that was removed.
async fn leave_ended_key(server: &Server, like: &str) {
    let id: Id = like["gtr_pat_".len()..][..11].parse().unwrap();
    let token = server.database.api_token_find(id).await.unwrap().unwrap().token;
    let gone = Client { client_id: "gone".into(), ..Client::clone(&server.database.directory().clients["service"]) };
    let key = ApiToken {
        id: Id::from_i64(1),
        owner: Owner::Client("gone".into()),
        ended: Some((server.clock.read(), ApiTokenEnd::Leaked)),
        ..token
    };
    let changes = vec![
        Change::ClientPut(Box::new(gone)),
        Change::ApiTokenInsert(Box::new(key)),
        Change::ClientRemove("gone".into()),
    ];
    server.database.commit(changes).await.unwrap();
}

/// A client that registered itself with an initial access token, and the name of somebody who was removed.
async fn leave_registration(server: &Server) {
    let (now, hash) = (server.clock.read(), Secret::from_bytes([1; 32]).hash());
    let token = InitialToken {
        id: Id::from_i64(2),
        name: "CI".into(),
        secret: hash,
        created_at: now,
        expires_at: now.plus(Duration::from_hours(1)),
        uses: 2,
        uses_left: 1,
        ended_at: None,
    };
    let registration = Registration {
        id: Id::from_i64(3),
        client_id: "service".into(),
        secret: hash,
        replaced: None,
        address: "192.0.2.1".into(),
        initial_token: Some(token.id),
        created_at: now,
    };
    let changes = vec![
        RegistrationChange::TokenInsert(Box::new(token)).into(),
        RegistrationChange::Insert(Box::new(registration)).into(),
        Change::UsernameRetire { digest: [1; 32], at: now },
    ];
    server.database.commit(changes).await.unwrap();
}

#[tokio::test]
async fn whatever_was_issued_goes_on_working_on_postgresql() {
    let Some((server, target)) = both().await else { return };
    let spent = Credentials::of(&server).await;
    spent.spend(&server).await;
    let credentials = Credentials::of(&server).await;
    let stranger = Person::new(&server);
    stranger.sign_in_on(&stranger.open("/sign-in").await, ALICE, "a wrong password").await;
    App::new(&server, "wiki").redeem("no code").await;
    crate::upstreams::leave_rows(&server).await;
    server.clock.advance(Duration::from_secs(1));
    server.apply(DECLARED).await;
    server.app.keep_counts().await.unwrap();
    let (owner, api) = (Person::new(&server), App::new(&server, "notes-api"));
    owner.sign_in().await;
    let token = crate::tokens::token(&owner, &["notes.read"]).await;
    api.introspect_with(&token, &[("client_address", "192.0.2.7")]).await;
    server.app.keep_uses().await.unwrap();
    leave_ended_key(&server, &token).await;
    leave_registration(&server).await;
    let bob = Person::new(&server);
    bob.sign_in_on(&bob.open("/sign-in").await, BOB, BOB_PASSWORD).await;
    Authenticator::set_up(&server, &bob).await;
    let signed_out = Person::new(&server);
    App::new(&server, "told").tokens_with(&signed_out, "openid", &[]).await;
    confirm(&signed_out, &signed_out.get("/end-session").await).await;
    let (before, events) = (key_set(&server).await, kept(&server).await);
    let said = command::migrate(server.config(), &["--to", &target.url]).await.unwrap();
    assert!(said.contains("Copied and read back") && said.contains("database_url = \"postgres://grantor@"), "{said}");
    assert!(!said.contains(":pw@"), "{said}");
    assert_eq!(rows(&said).len(), 36, "{said}");
    assert!(!rows(&said).iter().any(|row| row.split_whitespace().nth(1) == Some("0")), "each table was tried: {said}");
    let layout = [
        include_str!("../../migrations/postgres/0001_first_layout/up.sql"),
        include_str!("../../migrations/postgres/0004_api_tokens/up.sql"),
        include_str!("../../migrations/postgres/0005_proxied_apps/up.sql"),
        include_str!("../../migrations/postgres/0006_upstreams/up.sql"),
        include_str!("../../migrations/postgres/0007_outbox/up.sql"),
        include_str!("../../migrations/postgres/0009_usages/up.sql"),
        include_str!("../../migrations/postgres/0014_registrations/up.sql"),
        include_str!("../../migrations/postgres/0016_second_factors/up.sql"),
    ]
    .concat();
    let cascading = "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND confdeltype = 'c' AND convalidated";
    let references = number(&target, cascading).await;
    assert_eq!(usize::try_from(references).unwrap(), layout.matches(" REFERENCES ").count());
    let server = on(server.stop(), &target).start().await;
    assert_eq!(key_set(&server).await, before);
    assert_eq!(kept(&server).await, events);
    assert_eq!(App::new(&server, "wiki").introspect(credentials.refresh()).await["active"], true);
    assert_eq!(credentials.alive(&server).await, ALL);
    assert_eq!(spent.alive(&server).await, [STARTED], "what was spent stays spent");
    assert_eq!(Person::new(&server).sign_in().await.name(), "account");
    App::new(&server, "wiki").redeem("no code").await;
    assert_eq!(server.reasons().await.iter().filter(|reason| *reason == "CodeUnknown").count(), 2, "rings go on");
}

#[tokio::test]
async fn the_server_reads_while_it_is_copied_and_writes_no_more() {
    let Some((server, target)) = both().await else { return };
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let tokens = wiki.tokens_with(&person, "openid offline_access", &[]).await;
    let (reached, copying) = tokio::sync::oneshot::channel();
    let (go_on, gone_on) = mpsc::channel::<()>();
    let mut reached = Some(reached);
    let copy = copied(&server, &target, move |table| {
        if let Some(reached) = reached.take_if(|_| table == "users") {
            reached.send(()).unwrap();
            gone_on.recv().unwrap();
        }
    });
    copying.await.unwrap();
    assert_eq!(wiki.userinfo(tokens.access()).await.status, 200);
    assert_eq!(person.open("/account").await.name(), "account");
    let refused = wiki.refresh(tokens.refresh()).await;
    assert_eq!((refused.brief(), refused.header("retry-after")), ("503 temporarily_unavailable".into(), Some("1")));
    go_on.send(()).unwrap();
    copy.await.unwrap().unwrap();
    let refused = wiki.refresh(tokens.refresh()).await;
    assert_eq!((refused.brief(), refused.header("retry-after")), ("503 temporarily_unavailable".into(), Some("1")));
    assert_eq!(wiki.userinfo(tokens.access()).await.status, 200);
    let server = on(server.stop(), &target).start().await;
    assert_eq!(App::new(&server, "wiki").refresh(tokens.refresh()).await.status, 200);
}

/// Copies for good on a thread of its own, and tells of each table that it has come to.
fn copied(
    server: &Server,
    target: &Scratch,
    mut told: impl FnMut(&str) + Send + 'static,
) -> JoinHandle<Result<(), String>> {
    let (config, to) = (server.config().clone(), Hidden::new(target.url.clone()));
    let work = move || {
        let opened = settings::open(config, Role::Command).unwrap();
        let target: DatabaseSettings = settings::database_settings(&opened.config, &to, opened.meters.clone()).unwrap();
        let copied = opened.database.copy_to(&target, Copying::ForGood, &mut |table, _, _| told(table));
        crate::harness::server::runtime().block_on(opened.close());
        copied.map(drop).map_err(|error| error.to_string())
    };
    tokio::task::spawn_blocking(work)
}

#[tokio::test]
async fn a_database_that_has_moved_is_not_served_by_mistake_and_can_be_gone_back_to() {
    let Some((server, target)) = both().await else { return };
    let tokens = App::new(&server, "wiki").tokens("openid offline_access").await;
    command::migrate(server.config(), &["--to", &target.url]).await.unwrap();
    let stopped = server.stop();
    let said = command::migrate(&stopped.config, &[]).await.unwrap_err().to_string();
    assert!(said.contains("has moved to PostgreSQL") && said.contains("grantor migrate --reopen"), "{said}");
    let said = command::migrate(&stopped.config, &["--reopen"]).await.unwrap();
    assert!(said.contains("takes writes again") && said.contains("grantor new-epoch"), "{said}");
    let said = command::migrate(&stopped.config, &["--reopen"]).await.unwrap();
    assert!(said.contains("has not moved"), "{said}");
    let server = stopped.start().await;
    assert_eq!(App::new(&server, "wiki").refresh(tokens.refresh()).await.status, 200);
}

#[tokio::test]
async fn a_rehearsal_copies_everything_and_keeps_nothing() {
    let Some((server, target)) = both().await else { return };
    let tokens = App::new(&server, "wiki").tokens("openid offline_access").await;
    // What waits was tried, and is not tried again while the clock stands still.
    until_failed(&server).await;
    let rehearsed = command::migrate(server.config(), &["--to", &target.url, "--dry-run"]).await.unwrap();
    assert!(rehearsed.contains("a rehearsal") && !rehearsed.contains("What to switch"), "{rehearsed}");
    assert_eq!(number(&target, "SELECT count(*) FROM users").await, 0);
    assert_eq!(number(&target, "SELECT count(*) FROM root_secret").await, 0);
    let moved = command::migrate(server.config(), &["--to", &target.url]).await.unwrap();
    assert_eq!(rows(&moved), rows(&rehearsed), "nothing was written in between");
    assert_eq!(App::new(&server, "wiki").refresh(tokens.refresh()).await.status, 503);
}

#[tokio::test]
async fn a_database_that_holds_something_is_left_as_it_is() {
    let Some((server, target)) = both().await else { return };
    command::migrate(server.config(), &["--to", &target.url, "--dry-run"]).await.unwrap();
    let key = "INSERT INTO signing_keys VALUES (7, 'ES256', '', 0, 0)";
    tamper(&target, key).await;
    let said = command::migrate(server.config(), &["--to", &target.url]).await.unwrap_err().to_string();
    assert_eq!(
        said,
        "--to: signing_keys has rows there already, and nothing is overwritten; name an empty database, as `CREATE \
         DATABASE` makes it"
    );
    assert_eq!(number(&target, "SELECT count(*) FROM signing_keys").await, 1);
    assert_eq!(App::new(&server, "wiki").tokens("openid").await.0["token_type"], "Bearer", "it takes writes as before");
}

#[tokio::test]
async fn a_copy_that_breaks_off_leaves_everything_for_another_one() {
    let Some((server, target)) = both().await else { return };
    let tokens = App::new(&server, "wiki").tokens("openid offline_access").await;
    for table in ["users", "refresh_tokens", "token_counts", "grants, read back"] {
        let (wanted, url) = (table.to_owned(), target.url.clone());
        let broken = copied(&server, &target, move |table| {
            if table == wanted {
                cut_off(&url);
            }
        });
        let said = broken.await.unwrap().unwrap_err();
        assert!(said.contains("nothing was kept there, and nothing has changed here"), "{table}: {said}");
        assert_eq!(number(&target, "SELECT count(*) FROM clients").await, 0, "{table}");
    }
    let tokens = Tokens(App::new(&server, "wiki").refresh(tokens.refresh()).await.json());
    command::migrate(server.config(), &["--to", &target.url]).await.unwrap();
    let server = on(server.stop(), &target).start().await;
    assert_eq!(App::new(&server, "wiki").refresh(tokens.refresh()).await.status, 200);
}

/// Ends the connections of everybody else to a database, as when PostgreSQL restarts.
fn cut_off(url: &str) {
    let (url, others) = (
        url.to_owned(),
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
    );
    let work = async move {
        let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
        let driver = tokio::spawn(connection);
        client.batch_execute(others).await.unwrap();
        drop(client);
        driver.await.unwrap().unwrap();
    };
    std::thread::spawn(|| crate::harness::server::runtime().block_on(work)).join().unwrap();
}

#[tokio::test]
async fn rows_that_do_not_come_back_as_they_were_sent_are_not_kept() {
    let Some((server, target)) = both().await else { return };
    command::migrate(server.config(), &["--to", &target.url, "--dry-run"]).await.unwrap();
    tamper(
        &target,
        "CREATE FUNCTION forge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             NEW.address := NEW.address || ' '; RETURN NEW;
         END $$;
         CREATE TRIGGER forge BEFORE INSERT ON sessions FOR EACH ROW EXECUTE FUNCTION forge();",
    )
    .await;
    let tokens = App::new(&server, "wiki").tokens("openid offline_access").await;
    let said = command::migrate(server.config(), &["--to", &target.url]).await.unwrap_err().to_string();
    assert!(said.starts_with("--to: sessions: PostgreSQL gave back other rows than it was sent"), "{said}");
    assert_eq!(number(&target, "SELECT count(*) FROM users").await, 0);
    assert_eq!(App::new(&server, "wiki").refresh(tokens.refresh()).await.status, 200, "it takes writes as before");
}

#[tokio::test]
async fn what_was_moved_is_sound_and_begins_a_new_epoch_like_any_other() {
    let Some((server, target)) = both().await else { return };
    let credentials = Credentials::of(&server).await;
    command::migrate(server.config(), &["--to", &target.url]).await.unwrap();
    let stopped = on(server.stop(), &target);
    let findings = checkup::database(&stopped.config, system_time()).await;
    assert!(findings.len() == 5 && findings.iter().all(|found| found.level == Level::Sound), "{findings:?}");
    command::new_epoch(&stopped.config).await.unwrap();
    let server = stopped.start().await;
    assert_eq!(credentials.alive(&server).await, [""; 0]);
    assert_eq!(Person::new(&server).sign_in().await.name(), "account");
}

#[tokio::test]
async fn a_wrong_address_is_refused_without_being_shown() {
    let server = Server::start().await;
    if postgres::is_chosen() {
        return;
    }
    for (url, why) in [
        ("mysql://u:hidden@h/g", "write it as postgres://USER:PASSWORD@HOST/DATABASE"),
        ("postgres://u:hidden@h:port/g", "it is no address"),
        ("postgres://u:hidden@127.0.0.1:9/g", "cannot be reached"),
    ] {
        let said = command::migrate(server.config(), &["--to", url]).await.unwrap_err().to_string();
        assert!(said.starts_with("--to: ") && said.contains(why) && !said.contains("hidden"), "{said}");
    }
}
