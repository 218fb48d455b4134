//! What is SQLite's own: files, locks, layout, sealed rows, two processes on one file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use grantor_core::audit::{Event, EventKind};
use grantor_core::change::Change;
use grantor_core::directory::ScopeDefinition;
use grantor_core::key::KeyRecord;
use grantor_core::store::{Store, StoreError};
use grantor_core::time::Time;
use grantor_jose::algorithm::Algorithm;
use grantor_jose::id::Id;
use grantor_jose::key::SigningKey;
use grantor_jose::random::{Mint, Random};
use grantor_jose::seal::KeyEncryptionKey;

use super::connection;
use crate::meters::Meters;
use crate::open_error::OpenError;
use crate::schema::TABLES;
use crate::{Database, DatabaseSettings, EventFilter};

const NOW: Time = Time::from_seconds(1_800_000_000);

/// A folder of its own, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("grantor-storage-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self(std::env::temp_dir().join(name))
    }

    fn file(&self) -> PathBuf {
        self.0.join("data").join("grantor.db")
    }

    fn open(&self) -> Result<Database, OpenError> {
        self.open_with(1)
    }

    fn open_with(&self, key: u64) -> Result<Database, OpenError> {
        let settings = DatabaseSettings {
            url: format!("sqlite:{}", self.file().display()),
            certificates: None,
            meters: Meters::default(),
            key_encryption_key: KeyEncryptionKey::generate(&Random::seeded(key)),
        };
        Database::open(&settings, Arc::new(Mint::new(0)), NOW)
    }

    /// Does something to the file behind the server's back.
    fn tamper(&self, sql: &str) {
        connection::writer(&self.file()).unwrap().batch_execute(sql).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn scope(name: &str) -> Change {
    let scope = ScopeDefinition { name: name.into(), description: [].into(), claims: Vec::new(), groups: Vec::new() };
    Change::ScopePut(Box::new(scope))
}

fn event(id: i64) -> Change {
    Change::EventInsert(Box::new(Event::new(Id::from_i64(id), NOW, EventKind::SignedOut)))
}

fn attempt(slot: i64) -> Change {
    Change::AttemptsPut { expected: None, slot, failures: 1, window_started: NOW }
}

fn key(id: i64) -> KeyRecord {
    let key = SigningKey::generate(Algorithm::EdDsa, &Random::new()).unwrap();
    KeyRecord::fresh(Id::from_i64(id), Arc::new(key), NOW, NOW)
}

#[derive(QueryableByName, Debug, PartialEq)]
struct Column {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    r#type: String,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    optional: bool,
}

/// The columns of each `table!`, read from its text.
fn declared() -> Vec<(String, Vec<Column>)> {
    let mut tables = Vec::new();
    let texts = [
        include_str!("../schema.rs"),
        include_str!("../schema/told.rs"),
        include_str!("../schema/registered.rs"),
        include_str!("../schema/proved.rs"),
        include_str!("../schema/retired.rs"),
    ];
    for line in texts.into_iter().flat_map(str::lines).map(str::trim) {
        if let Some((name, _)) = line.strip_suffix(") {").and_then(|line| line.split_once(" (")) {
            tables.push((name.to_owned(), Vec::new()));
        } else if let (Some((name, kind)), Some((_, columns))) = (line.split_once(" -> "), tables.last_mut()) {
            let kind = kind.trim_end_matches(',');
            let optional = kind.starts_with("Nullable<");
            let r#type = match kind.trim_start_matches("Nullable<").trim_end_matches('>') {
                "BigInt" => "INTEGER",
                "Text" => "TEXT",
                "Binary" => "BLOB",
                _ => continue,
            };
            columns.push(Column { name: name.into(), r#type: r#type.into(), optional });
        }
    }
    tables
}

#[test]
fn the_tables_are_those_that_the_migrations_make() {
    let folder = Folder::new();
    let _database = folder.open().unwrap();
    let mut connection = connection::reader(&folder.file()).unwrap();
    let declared = declared();
    assert!(declared.iter().map(|(table, _)| table.as_str()).eq(TABLES.iter().copied()), "{TABLES:?}");
    for (table, columns) in &declared {
        let query = format!(
            "SELECT name, type, \"notnull\" = 0 AND pk = 0 AS optional FROM pragma_table_info('{table}') ORDER BY cid"
        );
        let made: Vec<Column> = diesel::sql_query(query).load(&mut connection).unwrap();
        assert_eq!(&made, columns, "{table}");
    }
    let tables = diesel::dsl::sql::<diesel::sql_types::BigInt>(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite%'",
    );
    assert_eq!(tables.get_result(&mut connection), Ok(i64::try_from(declared.len()).unwrap()));
}

#[test]
fn each_migration_can_be_taken_back() {
    use diesel_migrations::MigrationHarness;
    let mut connection = SqliteConnection::establish(":memory:").unwrap();
    super::migrate::migrate(&mut connection).unwrap();
    connection.revert_all_migrations(super::migrate::MIGRATIONS).unwrap();
    super::migrate::migrate(&mut connection).unwrap();
}

#[test]
fn nobody_else_may_read_the_files() {
    let folder = Folder::new();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    drop(folder.open().unwrap());
    fs::set_permissions(folder.file(), fs::Permissions::from_mode(0o644)).unwrap();
    let database = folder.open().unwrap();
    wait(database.commit(vec![event(1)])).unwrap();
    assert_eq!(mode(&folder.0.join("data")), 0o700);
    for ending in ["", "-wal", "-shm"] {
        assert_eq!(mode(Path::new(&format!("{}{ending}", folder.file().display()))), 0o600, "{ending}");
    }
}

#[test]
fn what_cannot_be_opened_is_told_with_what_mends_it() {
    let folder = Folder::new();
    let url = |url: &str| {
        let settings = DatabaseSettings {
            url: url.into(),
            certificates: None,
            meters: Meters::default(),
            key_encryption_key: KeyEncryptionKey::generate(&Random::new()),
        };
        Database::open(&settings, Arc::new(Mint::new(0)), NOW).unwrap_err()
    };
    for bad in ["grantor.db", "mysql://ada:secret@localhost/grantor", "sqlite:", "sqlite::memory:", ""] {
        let told = url(bad);
        assert!(matches!(told, OpenError::Url(_)) && !told.to_string().contains("secret"), "{told}");
    }
    assert!(matches!(url("sqlite:/proc/no/such/folder/grantor.db"), OpenError::File { .. }));
    drop(folder.open().unwrap());
    assert!(matches!(folder.open_with(2), Err(OpenError::WrongKey)));
    folder.tamper("INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')");
    assert!(matches!(folder.open(), Err(OpenError::Newer { version }) if version == "9999"));
    fs::write(folder.file(), "no database, but quite a long text that is one all the same".repeat(99)).unwrap();
    let error = folder.open().unwrap_err();
    assert!(error.to_string().contains("is not a database"), "{error}");
}

#[test]
fn eight_that_open_a_new_database_at_once_make_it_once() {
    let folder = Folder::new();
    let databases: Vec<Database> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| folder.open().unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let tags = databases.iter().map(|database| database.directory().secrets.browser.tag(&[b"the same"]));
    assert_eq!(tags.collect::<std::collections::BTreeSet<_>>().len(), 1);
    assert!(databases[0].schema_version().unwrap() >= 1);
}

#[test]
fn a_private_key_is_nowhere_in_the_files() {
    let folder = Folder::new();
    let database = folder.open().unwrap();
    let record = key(5);
    wait(database.commit(vec![Change::KeyPut(Box::new(record.clone()))])).unwrap();
    let mut files = Vec::new();
    for ending in ["", "-wal"] {
        files.extend(fs::read(format!("{}{ending}", folder.file().display())).unwrap());
    }
    let holds = |bytes: &[u8]| files.windows(bytes.len()).any(|window| window == bytes);
    assert!(holds(b"signing_keys"));
    let document = record.key.to_pkcs8();
    assert!(!document.windows(16).any(holds));
}

#[test]
fn sealed_keys_that_changed_places_are_noticed() {
    let folder = Folder::new();
    let database = folder.open().unwrap();
    let keys = [Change::KeyPut(Box::new(key(5))), Change::KeyPut(Box::new(key(6)))];
    wait(database.commit(keys.into())).unwrap();
    wait(database.shut_down());
    folder.tamper(
        "UPDATE signing_keys SET sealed = (SELECT other.sealed FROM signing_keys AS other WHERE other.id = 11 - signing_keys.id)",
    );
    let error = folder.open().unwrap_err();
    assert!(
        matches!(error, OpenError::Store(StoreError::Corrupt { table: "signing_keys", column: "sealed", .. })),
        "{error}"
    );
}

#[test]
fn a_key_is_opened_once_and_stays_the_same_in_later_snapshots() {
    let folder = Folder::new();
    let database = folder.open().unwrap();
    wait(database.commit(vec![Change::KeyPut(Box::new(key(5)))])).unwrap();
    let before = database.directory();
    let retired = before.keys.keys[0].retired(NOW, &grantor_core::policy::Lifetimes::default());
    wait(database.commit(vec![Change::KeyPut(Box::new(retired))])).unwrap();
    let after = database.directory();
    assert!(Arc::ptr_eq(&before.keys.keys[0].key, &after.keys.keys[0].key));
    assert_eq!(after.keys.keys[0].retired_at, Some(NOW));
    drop((before, after));
    wait(database.shut_down());
    assert_eq!(folder.open().unwrap().directory().keys.keys[0].retired_at, Some(NOW));
}

#[test]
fn two_processes_see_each_others_scopes() {
    let folder = Folder::new();
    let (one, other) = (folder.open().unwrap(), folder.open().unwrap());
    wait(other.refresh_directory()).unwrap();
    wait(one.commit(vec![scope("notes")])).unwrap();
    assert!(one.directory().scopes.contains_key("notes"));
    assert!(!other.directory().scopes.contains_key("notes"));
    wait(other.refresh_directory()).unwrap();
    assert!(other.directory().scopes.contains_key("notes"));
    wait(other.commit(vec![scope("mail")])).unwrap();
    wait(one.refresh_directory()).unwrap();
    assert_eq!(one.directory().scopes.len(), 2);
    assert_eq!(one.directory().revision, other.directory().revision);
}

#[test]
fn a_full_queue_is_busy_and_what_waits_is_written_all_the_same() {
    let folder = Folder::new();
    let database = folder.open().unwrap();
    let mut blocker = connection::writer(&folder.file()).unwrap();
    blocker.batch_execute("BEGIN IMMEDIATE").unwrap();
    let mut waiting = Vec::new();
    let refused = loop {
        let id = i64::try_from(waiting.len()).unwrap() + 1;
        let mut commit = Box::pin(database.commit(vec![event(id)]));
        match commit.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => break answer,
            Poll::Pending => waiting.push(commit),
        }
    };
    assert!(matches!(refused, Err(StoreError::Busy)));
    assert!((4096..=4096 + 512).contains(&waiting.len()));
    blocker.batch_execute("COMMIT").unwrap();
    let events = i64::try_from(waiting.len()).unwrap();
    for commit in waiting {
        wait(commit).unwrap();
    }
    assert!(database.data_counts().unwrap().contains(&("events", events)));
}

#[test]
fn a_set_that_the_database_refuses_harms_no_other() {
    let folder = Folder::new();
    let database = folder.open().unwrap();
    folder.tamper("DROP TABLE attempts");
    let commit = |changes| database.commit(changes);
    let (one, broken, two) = wait(async {
        tokio::join!(commit(vec![event(1)]), commit(vec![event(2), attempt(7)]), commit(vec![event(3)]))
    });
    assert!(one.is_ok() && two.is_ok());
    assert!(matches!(broken, Err(StoreError::Failed(_))));
    assert!(database.data_counts().unwrap().contains(&("events", 2)));
}

#[test]
fn shutting_down_writes_what_waits_and_then_takes_nothing_more() {
    let folder = Folder::new();
    let database = folder.open().unwrap();
    let (written, ()) = wait(async { tokio::join!(database.commit(vec![event(1)]), database.shut_down()) });
    written.unwrap();
    assert!(matches!(wait(database.commit(vec![event(2)])), Err(StoreError::Failed(_))));
    wait(database.shut_down());
    drop(database);
    let database = folder.open().unwrap();
    assert!(database.data_counts().unwrap().contains(&("events", 1)));
    database.integrity_check().unwrap();
}

#[test]
fn an_impossible_row_is_named() {
    let folder = Folder::new();
    let database = folder.open().unwrap();
    folder.tamper(
        "INSERT INTO clients VALUES ('wiki', '{}', 'administrator', 0, 0, 0, 0, 0, 1);
         INSERT INTO users VALUES (7, 's', 'ada', NULL, '{}', '[]', 0, 0, 0, NULL, '[]', 0);
        INSERT INTO sessions VALUES (7, zeroblob(32), 7, 0, 0, '', '[]', '', '', NULL);
        INSERT INTO authorization_codes VALUES (7, zeroblob(32), 'wiki', 7, 7, '', 0, NULL, '', '{}', 0, NULL);
        INSERT INTO grants VALUES (7, 'wiki', 7, 7, 'openid', 0, '{}', 0, NULL, NULL, 0);
        INSERT INTO refresh_tokens VALUES (7, 0, zeroblob(32), 0, 0, 0);
        INSERT INTO access_tokens VALUES (7, zeroblob(32), NULL, 'wiki', '', '[]', 0, 0);
        INSERT INTO consents VALUES (7, 'wiki', '', '', 0, 0);
        INSERT INTO events VALUES (7, 0, 'refused', NULL, NULL, NULL, NULL, NULL);",
    );
    let id = Id::from_i64(7);
    macro_rules! named {
        ($table:literal: $($column:literal = $bad:literal)*, $read:expr) => {
            wait($read).unwrap();
            $(
                folder.tamper(concat!("CREATE TABLE good AS SELECT * FROM ", $table));
                folder.tamper(concat!("UPDATE ", $table, " SET ", $column, " = ", $bad));
                let error = wait($read).err().unwrap();
                assert!(matches!(&error, StoreError::Corrupt { table: $table, column: $column, .. }), "{error}");
                folder.tamper(concat!("UPDATE ", $table, " SET ", $column, " = good.", $column, " FROM good; DROP TABLE good"));
            )*
        };
    }
    named!("users": "disabled" = "2" "claims" = "'[]'" "groups" = "'{}'", database.user_find(id));
    named!("sessions": "secret" = "x'00'" "amr" = "'pwd'", database.session_find(id));
    named!("authorization_codes": "secret" = "x''" "redirect_uri_sent" = "-1" "scope" = "'é'" "context" = "'{'", database.code_find(id));
    named!("grants": "offline" = "1" "context" = "'{'", database.grants_of(id));
    named!("refresh_tokens": "generation" = "-1", database.refresh_token_find(id));
    named!("access_tokens": "audience" = "'x'", database.access_token_find(id));
    named!("consents": "granted" = "char(9)" "declined" = "'\"'", database.consents_of(id));
    named!("events": "kind" = "'nonsense'", database.events(&EventFilter::default()));
    for (end, missing) in
        [("ended_at = 5", "ended_reason"), ("ended_at = NULL, ended_reason = 'signed_out'", "ended_at")]
    {
        folder.tamper(&format!("UPDATE grants SET {end}"));
        let error = wait(database.access_token_facts(id, Some(id))).unwrap_err();
        assert!(matches!(&error, StoreError::Corrupt { table: "grants", column, .. } if *column == missing), "{error}");
    }
}

#[test]
fn a_broken_file_is_found() {
    let folder = Folder::new();
    let database = folder.open().unwrap();
    folder.tamper("PRAGMA foreign_keys = OFF; INSERT INTO refresh_tokens VALUES (1, 0, x'00', 0, 0, 0);");
    let error = database.integrity_check().unwrap_err();
    assert!(error.to_string().contains("refresh_tokens"), "{error}");
}

#[test]
fn identifiers_go_on_after_the_newest_row() {
    let folder = Folder::new();
    let newest = Mint::new(0).id(NOW.millis() + 60_000);
    wait(folder.open().unwrap().commit(vec![event(newest.as_i64())])).unwrap();
    let mint = Arc::new(Mint::new(0));
    let settings = DatabaseSettings {
        url: format!("sqlite://{}", folder.file().display()),
        certificates: None,
        meters: Meters::default(),
        key_encryption_key: KeyEncryptionKey::generate(&Random::seeded(1)),
    };
    let _database = Database::open(&settings, Arc::clone(&mint), NOW).unwrap();
    assert!(mint.id(NOW.millis()) > newest);
}
