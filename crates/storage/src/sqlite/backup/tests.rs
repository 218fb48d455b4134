//! Backups of other layouts, and databases that have moved.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection;
use diesel_migrations::MigrationHarness;
use grantor_core::audit::{Event, EventKind};
use grantor_core::change::Change;
use grantor_core::store::{Store, StoreError};
use grantor_jose::id::Id;
use grantor_jose::random::{Mint, Random};

use super::*;
use crate::meters::Meters;
use crate::sqlite::migrate::MIGRATIONS;
use crate::sqlite::moved;
use crate::{Database, DatabaseSettings};

const NOW: grantor_core::time::Time = grantor_core::time::Time::from_seconds(1_800_000_000);

/// A folder of its own, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("grantor-backup-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn url(&self, name: &str) -> String {
        format!("sqlite:{}", self.0.join(name).display())
    }

    fn open(&self, name: &str) -> Result<Database, OpenError> {
        let settings = DatabaseSettings {
            meters: Meters::default(),
            url: self.url(name),
            certificates: None,
            key_encryption_key: key(),
        };
        Database::open(&settings, Arc::new(Mint::new(0)), NOW)
    }

    fn connection(&self, name: &str) -> SqliteConnection {
        connection::writer(&self.0.join(name)).unwrap()
    }

    fn back_up(&self, name: &str) -> Result<Contents, BackupError> {
        super::back_up(&self.url(name), &self.0.join(format!("{name}.backup")), &key(), &mut |_, _, _| ())
    }

    fn restore(&self, name: &str) -> Result<Restoration, BackupError> {
        let file = self.0.join(format!("{name}.backup"));
        Restoration::begin(&file, &self.url("restored"), &key(), &mut |_, _, _| ())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn key() -> KeyEncryptionKey {
    KeyEncryptionKey::generate(&Random::seeded(1))
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn event(id: i64) -> Vec<Change> {
    vec![Change::EventInsert(Box::new(Event::new(Id::from_i64(id), NOW, EventKind::SignedOut)))]
}

#[test]
fn a_backup_has_the_layout_of_its_database_and_is_brought_up_to_date_where_it_is_opened() {
    let folder = Folder::new();
    drop(folder.open("old").unwrap());
    while layout(&mut folder.connection("old")) > 1 {
        folder.connection("old").revert_last_migration(MIGRATIONS).unwrap();
    }
    let contents = folder.back_up("old").unwrap();
    assert_eq!((contents.layout, contents.counts.iter().any(|(table, _)| *table == "token_counts")), (1, false));
    let layout = |name: &str| layout(&mut folder.connection(name));
    assert_eq!((layout("old"), layout("old.backup")), (1, 1));
    folder.restore("old").unwrap().put_in_place().unwrap();
    assert!(folder.open("restored").unwrap().schema_version().unwrap() > 1);
}

fn layout(connection: &mut SqliteConnection) -> i64 {
    crate::layout::version(connection).unwrap()
}

#[test]
fn a_layout_that_is_not_known_is_neither_backed_up_nor_put_back() {
    let folder = Folder::new();
    drop(folder.open("new").unwrap());
    folder.back_up("new").unwrap();
    for name in ["new", "new.backup"] {
        folder
            .connection(name)
            .batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')")
            .unwrap();
    }
    // The way into a backup leaves a log behind here, which a whole one does not have.
    folder.connection("new.backup").batch_execute("PRAGMA journal_mode = DELETE").unwrap();
    std::fs::rename(folder.0.join("new.backup"), folder.0.join("later.backup")).unwrap();
    let is_newer = |error: BackupError| matches!(error, BackupError::Open { source: OpenError::Newer { version }, .. } if version == "9999");
    assert!(is_newer(folder.back_up("new").unwrap_err()));
    assert!(is_newer(folder.restore("later").map(drop).unwrap_err()));
}

#[test]
fn a_restoration_that_is_not_put_in_place_leaves_nothing() {
    let folder = Folder::new();
    drop(folder.open("it").unwrap());
    folder.back_up("it").unwrap();
    let restoration = folder.restore("it").unwrap();
    assert!(matches!(folder.restore("it").map(drop).unwrap_err(), BackupError::UnderWay(_)));
    drop(restoration);
    assert!(!folder.0.join("restored.restoring").exists() && !folder.0.join("restored").exists());
}

#[test]
fn a_database_that_somebody_still_has_open_is_not_put_in_place() {
    let folder = Folder::new();
    drop(folder.open("it").unwrap());
    folder.back_up("it").unwrap();
    let restoration = folder.restore("it").unwrap();
    let database = folder.open("restored.restoring").unwrap();
    assert!(matches!(restoration.put_in_place(), Err(BackupError::File { .. })));
    assert!(!folder.0.join("restored").exists());
    drop(database);
}

#[test]
fn a_database_that_has_moved_takes_no_writes_until_it_is_reopened() {
    let folder = Folder::new();
    let database = folder.open("it").unwrap();
    wait(database.commit(event(1))).unwrap();
    folder.connection("it").transaction(moved::close).unwrap();
    assert!(matches!(wait(database.commit(event(2))), Err(StoreError::Unavailable)));
    assert_eq!(wait(database.events(&crate::EventFilter::default())).unwrap().len(), 1, "it is read as before");
    assert!(matches!(folder.open("it"), Err(OpenError::Moved)));
    assert!(Database::reopen(&folder.url("it")).unwrap() && !Database::reopen(&folder.url("it")).unwrap());
    wait(database.commit(event(2))).unwrap();
    drop(folder.open("it").unwrap());
}

#[test]
fn no_statement_changes_a_row_of_a_database_that_has_moved() {
    let folder = Folder::new();
    drop(folder.open("it").unwrap());
    let connection = &mut folder.connection("it");
    connection.transaction(moved::close).unwrap();
    for table in crate::schema::TABLES {
        let error = diesel::sql_query(format!("INSERT INTO {table} DEFAULT VALUES")).execute(connection).unwrap_err();
        assert!(crate::error::has_moved(&error), "{table}: {error}");
    }
    for statement in ["UPDATE root_secret SET created_at = 0", "DELETE FROM root_secret"] {
        let error = diesel::sql_query(statement).execute(connection).unwrap_err();
        assert!(crate::error::has_moved(&error), "{statement}: {error}");
    }
}
