//! `grantor restore`: what is put back, and what is not.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use grantor_server::config::{Config, Hidden};

use super::backup::{OTHER_KEY, at, on_sqlite};
use crate::harness::command;
use crate::harness::folder::Folder;
use crate::harness::server::Server;

/// A server, a folder with a backup of it, and the settings of a server there whose database is not there yet.
async fn backed_up() -> Option<(Server, Folder, Config)> {
    let (server, folder) = on_sqlite().await?;
    command::back_up(server.config(), &folder.join("it")).unwrap();
    let empty = at(server.config(), &folder.join("state").join("grantor.db"));
    Some((server, folder, empty))
}

/// Whether nothing was put in place, nor left beside it.
fn is_empty(folder: &Folder) -> bool {
    let state = folder.join("state");
    !state.exists() || fs::read_dir(state).unwrap().next().is_none()
}

#[tokio::test]
async fn on_an_empty_machine_everything_is_back_and_closed_to_others() {
    let Some((server, folder, config)) = backed_up().await else { return };
    let before = server.rows();
    command::restore(&config, &folder.join("it"), &[]).await.unwrap();
    let state = folder.join("state");
    assert_eq!(fs::metadata(state.join("grantor.db")).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&state).unwrap().permissions().mode() & 0o777, 0o700);
    let mut stopped = server.stop();
    stopped.config = config;
    let after = stopped.start().await.rows();
    let events = |rows: &[(&str, i64)]| rows.iter().find(|(table, _)| *table == "events").unwrap().1;
    assert_eq!(events(&after), events(&before) + 1, "that it was put back");
    let others = |rows: Vec<(&'static str, i64)>| rows.into_iter().filter(|(table, _)| *table != "events");
    assert!(others(after).eq(others(before)));
}

#[tokio::test]
async fn with_another_key_nothing_is_put_back() {
    let Some((_server, folder, config)) = backed_up().await else { return };
    let config = Config { key_encryption_key: Some(Hidden::new(OTHER_KEY)), ..config };
    for more in [&[][..], &["--new-epoch"]] {
        let said = command::restore(&config, &folder.join("it"), more).await.unwrap_err().to_string();
        assert!(
            said.starts_with(folder.join("it").to_str().unwrap()) && said.contains("another key-encryption key"),
            "{said}"
        );
        assert!(is_empty(&folder));
    }
}

#[tokio::test]
async fn no_backup_takes_the_place_of_a_database() {
    let Some((server, folder, _)) = backed_up().await else { return };
    let said = command::restore(server.config(), &folder.join("it"), &["--new-epoch"]).await.unwrap_err().to_string();
    assert!(said.contains("is there already") && said.contains("move away"), "{said}");
    assert_eq!(server.rows().iter().filter(|(table, rows)| *table == "users" && *rows == 2).count(), 1);
}

#[tokio::test]
async fn what_is_no_whole_backup_is_not_put_back() {
    let Some((_server, folder, config)) = backed_up().await else { return };
    let whole = fs::read(folder.join("it")).unwrap();
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 3000].fill(0x5a);
    for (bytes, why) in [
        (b"no database, but a long text all the same".repeat(99), "damaged"),
        (Vec::new(), "is no database of Grantor's"),
        (damaged, "damaged"),
        (whole[..whole.len() / 2].to_vec(), "damaged"),
    ] {
        fs::write(folder.join("it"), bytes).unwrap();
        let said = command::restore(&config, &folder.join("it"), &[]).await.unwrap_err().to_string();
        assert!(said.contains(why), "{why}: {said}");
        assert!(is_empty(&folder), "{why}");
    }
    fs::write(folder.join("it"), &whole).unwrap();
    fs::write(folder.join("it-wal"), "x").unwrap();
    let said = command::restore(&config, &folder.join("it"), &[]).await.unwrap_err().to_string();
    assert!(said.contains("is not whole by itself"), "{said}");
    assert!(is_empty(&folder));
}

#[tokio::test]
async fn a_file_that_is_not_there_is_named() {
    let Some((_server, folder, config)) = backed_up().await else { return };
    let said = command::restore(&config, &folder.join("other"), &[]).await.unwrap_err().to_string();
    assert!(said.contains("other: No such file"), "{said}");
    assert!(is_empty(&folder));
}

#[tokio::test]
async fn postgresql_is_put_back_by_its_own_program() {
    let url = Hidden::new("postgres://grantor:a-password@db.example.com/grantor");
    let config = Config { database_url: url, ..Config::default() };
    let said = command::restore(&config, Path::new("it"), &[]).await.unwrap_err().to_string();
    assert!(said.contains("pg_restore") && said.contains("grantor new-epoch"), "{said}");
    assert!(!said.contains("a-password"), "{said}");
}
