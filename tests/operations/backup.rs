//! `grantor backup`: a whole copy, made while others write.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use grantor_server::config::{Config, Hidden};
use grantor_server::settings::{self, Role};
use grantor_storage::Database;

use crate::harness::app::App;
use crate::harness::command;
use crate::harness::folder::Folder;
use crate::harness::person::Person;
use crate::harness::postgres;
use crate::harness::server::Server;

/// A key-encryption key that no server has.
pub const OTHER_KEY: &str = "HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// A server on SQLite, and a folder beside it; nothing where the stories run on PostgreSQL.
pub async fn on_sqlite() -> Option<(Server, Folder)> {
    if postgres::is_chosen() { None } else { Some((Server::start().await, Folder::new())) }
}

/// The settings of a server whose database is elsewhere.
pub fn at(config: &Config, database: &Path) -> Config {
    Config { database_url: Hidden::new(format!("sqlite:{}", database.display())), ..config.clone() }
}

fn rows(database: &Database, wanted: &str) -> i64 {
    let counts = database.data_counts().unwrap();
    counts.into_iter().find(|(table, _)| *table == wanted).unwrap().1
}

/// Redeems codes, one after the other, until it is told to stop; says how many.
async fn redeem(server: &Server, person: &Person, stop: &AtomicBool) -> usize {
    let (wiki, mut redeemed) = (App::new(server, "wiki"), 0);
    while !stop.load(Ordering::SeqCst) {
        wiki.tokens_with(person, "openid offline_access", &[]).await;
        redeemed += 1;
    }
    redeemed
}

/// Backs up while others write, and puts each backup back.
async fn back_up_and_restore(server: &Server, folder: &Folder, stop: &AtomicBool) {
    for round in 0..5 {
        let (config, file) = (server.config().clone(), folder.join(format!("{round}.backup")));
        let restored = at(&config, &folder.join(format!("{round}.db")));
        let backup = {
            let file = file.clone();
            tokio::task::spawn_blocking(move || command::back_up(&config, &file))
        };
        let said = backup.await.unwrap().unwrap();
        assert!(said.contains("whole, with layout") && said.contains("refresh_tokens"), "{said}");
        command::restore(&restored, &file, &[]).await.unwrap();
        let opened = settings::open(restored, Role::Command).unwrap();
        opened.database.integrity_check().unwrap();
        // A code becomes a grant with a refresh token in one set of changes: all of it is there, or nothing.
        assert_eq!(rows(&opened.database, "grants"), rows(&opened.database, "refresh_tokens"));
        opened.close().await;
    }
    stop.store(true, Ordering::SeqCst);
}

#[tokio::test]
async fn a_backup_made_while_codes_are_redeemed_is_of_one_moment() {
    let Some((server, folder)) = on_sqlite().await else { return };
    let (person, stop) = (Person::new(&server), AtomicBool::new(false));
    let before = App::new(&server, "wiki").tokens_with(&person, "openid offline_access", &[]).await;
    let writers = async { tokio::join!(redeem(&server, &person, &stop), redeem(&server, &person, &stop)) };
    let ((one, other), ()) = tokio::join!(writers, back_up_and_restore(&server, &folder, &stop));
    assert!(one > 0 && other > 0, "they wrote meanwhile: {one}, {other}");
    let mut stopped = server.stop();
    stopped.config = at(&stopped.config, &folder.join("4.db"));
    let server = stopped.start().await;
    let wiki = App::new(&server, "wiki");
    assert_eq!(wiki.refresh(before.refresh()).await.status, 200);
    assert_eq!(wiki.userinfo(wiki.tokens("openid").await.access()).await.status, 200);
}

#[tokio::test]
async fn a_backup_is_for_its_owner_only_and_nothing_else_is_left_beside_it() {
    let Some((server, folder)) = on_sqlite().await else { return };
    command::back_up(server.config(), &folder.join("it")).unwrap();
    assert_eq!(fs::metadata(folder.join("it")).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(folder.names(), ["it"]);
}

#[tokio::test]
async fn no_backup_takes_the_place_of_a_file() {
    let Some((server, folder)) = on_sqlite().await else { return };
    fs::write(folder.join("it"), "precious").unwrap();
    let said = command::back_up(server.config(), &folder.join("it")).unwrap_err().to_string();
    assert!(said.contains("is there already, and nothing is overwritten"), "{said}");
    assert_eq!(fs::read(folder.join("it")).unwrap(), b"precious");
}

#[tokio::test]
async fn what_is_sealed_with_another_key_is_no_backup() {
    let Some((server, folder)) = on_sqlite().await else { return };
    let other = Config { key_encryption_key: Some(Hidden::new(OTHER_KEY)), ..server.config().clone() };
    let said = command::back_up(&other, &folder.join("it")).unwrap_err().to_string();
    assert!(said.contains("sealed with another key-encryption key"), "{said}");
    assert_eq!(folder.names(), [""; 0], "a copy that nobody can open is none");
}

#[tokio::test]
async fn nothing_is_made_where_there_is_no_database() {
    let (server, folder) = (Server::start().await, Folder::new());
    let said = command::back_up(&at(server.config(), &folder.join("none.db")), &folder.join("it")).unwrap_err();
    assert!(said.to_string().contains("none.db is not there"), "{said}");
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn postgresql_is_backed_up_by_its_own_program_and_the_password_is_not_shown() {
    let url = "postgres://grantor:a-password@db.example.com/grantor?sslmode=require";
    let config = Config {
        database_url: Hidden::new(url),
        key_encryption_key: Some(Hidden::new(OTHER_KEY)),
        ..Config::default()
    };
    let said = command::back_up(&config, Path::new("it")).unwrap_err().to_string();
    let how = "pg_dump --format=custom --file=it 'postgres://grantor@db.example.com:5432/grantor'";
    assert!(said.contains(how) && !said.contains("a-password"), "{said}");
}
