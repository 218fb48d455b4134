//! What a restore brings back to life, and what a new epoch ends.

use grantor_core::audit::EventKind;
use grantor_server::checkup::{self, Level};
use grantor_server::clock::system_time;
use grantor_server::config::{Config, Hidden};

use super::backup::{at, on_sqlite};
use super::credentials::{ALL, Credentials, STARTED, asserted, key_set};
use crate::harness::app::{Answer, App, Tokens, claims, header};
use crate::harness::assertion::Assertion;
use crate::harness::command;
use crate::harness::folder::Folder;
use crate::harness::person::Person;
use crate::harness::postgres::{self, Scratch};
use crate::harness::seeds::{ALICE, ALICE_PASSWORD};
use crate::harness::server::{Server, Stopped};

/// Has everything issued, backed up, and then spent; the server that was stopped, and what it left to be put back.
async fn spent_after_a_backup() -> Option<(Stopped, Credentials, Folder)> {
    let (server, folder) = on_sqlite().await?;
    let credentials = Credentials::of(&server).await;
    command::back_up(server.config(), &folder.join("it")).unwrap();
    credentials.spend(&server).await;
    assert_eq!(credentials.alive(&server).await, [STARTED]);
    let mut stopped = server.stop();
    stopped.config = at(&stopped.config, &folder.join("grantor.db"));
    Some((stopped, credentials, folder))
}

fn kids(key_set: &serde_json::Value) -> Vec<&str> {
    key_set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_was_spent_after_the_backup_counts_again_and_that_is_said() {
    let Some((stopped, credentials, folder)) = spent_after_a_backup().await else { return };
    let said = command::restore(&stopped.config, &folder.join("it"), &[]).await.unwrap();
    assert!(
        said.contains("counts again: codes, recovery codes, refresh tokens") && said.contains("grantor new-epoch"),
        "{said}"
    );
    let server = stopped.start().await;
    assert_eq!(credentials.alive(&server).await, ALL);
    assert!(server.events().await.iter().any(|event| event.kind == EventKind::DatabaseRestored));
}

/// PostgreSQL is backed up and put back by its own programs, as the manual says.
#[tokio::test]
async fn a_dump_of_postgresql_brings_back_what_counted_and_a_new_epoch_ends_it() {
    let (true, Some(at)) = (postgres::is_chosen(), postgres::server()) else { return };
    let (server, folder) = (Server::start().await, Folder::new());
    let file = folder.join("it");
    let file = file.to_str().unwrap();
    let credentials = Credentials::of(&server).await;
    let source = &server.place().postgres.as_ref().unwrap().url;
    postgres::program("pg_dump", &["--format=custom", "--file", file, source]);
    credentials.spend(&server).await;
    assert_eq!(credentials.alive(&server).await, [STARTED]);
    let targets = [Scratch::new(at, None), Scratch::new(at, None)];
    for target in &targets {
        postgres::program("pg_restore", &["--dbname", &target.url, file]);
    }
    let mut stopped = server.stop();
    stopped.config.database_url = Hidden::new(targets[0].url.clone());
    let server = stopped.start().await;
    assert_eq!(credentials.alive(&server).await, ALL);
    let mut stopped = server.stop();
    stopped.config.database_url = Hidden::new(targets[1].url.clone());
    command::new_epoch(&stopped.config).await.unwrap();
    let server = stopped.start().await;
    assert_eq!(credentials.alive(&server).await, [""; 0]);
    assert_eq!(Person::new(&server).sign_in().await.name(), "account");
}

#[tokio::test]
async fn with_a_new_epoch_nothing_counts_that_was_issued_before() {
    let Some((stopped, credentials, folder)) = spent_after_a_backup().await else { return };
    let said = command::restore(&stopped.config, &folder.join("it"), &["--new-epoch"]).await.unwrap();
    assert!(
        said.contains("A new epoch has begun") && said.contains("passwords, second factors, client secrets"),
        "{said}"
    );
    let server = stopped.start().await;
    assert_eq!(credentials.alive(&server).await, [""; 0]);
    let kid = header(credentials.access())["kid"].clone();
    assert!(!kids(&key_set(&server).await).contains(&kid.as_str().unwrap()), "its key is gone");
    for (kind, times) in [(EventKind::DatabaseRestored, 1), (EventKind::EpochBegun, 1), (EventKind::KeyChanged, 4 + 4)]
    {
        let events = server.events().await;
        assert_eq!(events.iter().filter(|event| event.kind == kind).count(), times, "{kind:?}");
    }
}

#[tokio::test]
async fn after_a_new_epoch_people_and_apps_begin_again() {
    let Some((stopped, credentials, folder)) = spent_after_a_backup().await else { return };
    command::restore(&stopped.config, &folder.join("it"), &["--new-epoch"]).await.unwrap();
    let server = stopped.start().await;
    server.clock.catch_up();
    let wiki = App::new(&server, "wiki");
    let person = Person::new(&server);
    let page = person.open(wiki.authorize_url("openid offline_access notes.read", &[])).await;
    let page = person.sign_in_on(&page, ALICE, ALICE_PASSWORD).await;
    let code = Answer::of(&page).param("code");
    let tokens = Tokens(wiki.redeem(&code).await.json());
    assert_eq!(claims(tokens.id())["sub"], claims(credentials.access())["sub"], "approved before, and the same person");
    assert_eq!(wiki.userinfo(tokens.access()).await.status, 200);
    assert_eq!(wiki.refresh(tokens.refresh()).await.status, 200);
}

#[tokio::test]
async fn an_assertion_of_before_the_epoch_is_refused_and_one_of_after_it_is_taken() {
    let Some((stopped, _, folder)) = spent_after_a_backup().await else { return };
    command::restore(&stopped.config, &folder.join("it"), &["--new-epoch"]).await.unwrap();
    let server = stopped.start().await;
    server.clock.catch_up();
    let lifetimes = server.app.provider.policy.lifetimes.clone();
    let undated = Assertion::new(&server).claim("iat", serde_json::Value::Null);
    for assertion in [&Assertion::new(&server), &undated] {
        assert_eq!(asserted(&server, &assertion.signed()).await.status, 401);
        assert_eq!(server.reason().await, "AssertionBeforeEpoch");
    }
    // The clocks of apps may be ahead by so much: what they dated before looks like this.
    server.clock.advance(lifetimes.clock_skew);
    assert_eq!(asserted(&server, &Assertion::new(&server).signed()).await.status, 200);
    assert_eq!(asserted(&server, &undated.signed()).await.status, 401);
    server.clock.advance(lifetimes.client_assertion + lifetimes.clock_skew);
    let undated = Assertion::new(&server).claim("iat", serde_json::Value::Null);
    assert_eq!(asserted(&server, &undated.signed()).await.status, 200);
}

#[tokio::test]
async fn a_running_server_follows_into_a_new_epoch() {
    let server = Server::start().await;
    let credentials = Credentials::of(&server).await;
    let before = key_set(&server).await;
    command::new_epoch(server.config()).await.unwrap();
    // As its background does twice a second.
    server.database.refresh_directory().await.unwrap();
    let after = key_set(&server).await;
    assert!(kids(&after).len() == kids(&before).len() && kids(&after).iter().all(|kid| !kids(&before).contains(kid)));
    assert_eq!(credentials.alive(&server).await, [""; 0]);
    assert_eq!(Person::new(&server).sign_in().await.name(), "account");
    let wiki = App::new(&server, "wiki");
    assert_eq!(wiki.userinfo(wiki.tokens("openid").await.access()).await.status, 200);
}

#[tokio::test]
async fn the_doctor_finds_a_restore_without_a_new_epoch() {
    let Some((stopped, _, folder)) = spent_after_a_backup().await else { return };
    let config = stopped.config.clone();
    command::restore(&config, &folder.join("it"), &[]).await.unwrap();
    let found = examine(&config).await;
    assert!(
        found.iter().any(|(level, fix)| *level == Level::Doubtful && fix.contains("grantor new-epoch")),
        "{found:?}"
    );
    command::new_epoch(&config).await.unwrap();
    let found = examine(&config).await;
    assert!(!found.iter().any(|(_, fix)| fix.contains("new-epoch")), "{found:?}");
    assert!(found.iter().all(|(level, _)| *level != Level::Broken), "{found:?}");
}

/// How bad the doctor's findings about a database are, and what mends them.
async fn examine(config: &Config) -> Vec<(Level, String)> {
    let findings = checkup::database(config, system_time()).await;
    findings.into_iter().map(|finding| (finding.level, finding.fix)).collect()
}
