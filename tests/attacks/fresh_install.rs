//! A fresh install: nothing is there that everybody knows, and nothing that everybody may read.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use grantor_server::clock::system_time;
use grantor_server::config::Config;
use grantor_server::running::Running;
use grantor_web::Clock;

use crate::harness::postgres;
use crate::harness::server::{Place, runtime};

/// Starts a server on an empty folder, looks, and stops it.
fn started<T: Send + 'static>(place: &Place, look: impl FnOnce(&Running) -> T + Send + 'static) -> T {
    let config = place.config(1);
    let thread = std::thread::spawn(move || {
        runtime().block_on(async move {
            let running = Running::start(config, false, Clock::new(system_time)).await.unwrap();
            let seen = look(&running);
            running.run(TcpListener::bind("127.0.0.1:0").unwrap(), None, async {}).await.unwrap();
            seen
        })
    });
    thread.join().unwrap()
}

fn refusal(config: Config) -> String {
    let thread = std::thread::spawn(|| {
        runtime().block_on(async move {
            let started = Running::start(config, false, Clock::new(system_time)).await;
            started.err().map(|error| error.to_string())
        })
    });
    thread.join().unwrap().expect("it does not start")
}

#[test]
fn nobody_has_an_account_and_no_app_a_secret() {
    let place = Place::new();
    let counts = started(&place, |running| running.app.provider.store.data_counts().unwrap());
    let count = |table: &str| counts.iter().find(|(name, _)| *name == table).unwrap_or_else(|| panic!("{counts:?}")).1;
    assert_eq!((count("users"), count("clients"), count("sessions")), (0, 0, 0));
}

#[test]
fn without_a_key_of_its_own_it_does_not_start_and_says_how_to_make_one() {
    let place = Place::new();
    for key in [None, Some(""), Some("short"), Some("changeme-changeme-changeme-changeme-changem")] {
        let key = key.map(grantor_server::config::Hidden::new);
        let said = refusal(Config { key_encryption_key: key, ..place.config(1) });
        assert!(said.contains("grantor key generate-encryption-key") || said.contains("key_encryption_key"), "{said}");
        assert!(!said.contains("changeme"), "{said}");
    }
}

#[test]
fn without_an_issuer_it_does_not_start() {
    let place = Place::new();
    let said = refusal(Config { issuer: String::new(), ..place.config(1) });
    assert!(said.starts_with("issuer: is missing"), "{said}");
}

#[test]
fn with_another_key_it_does_not_start() {
    let place = Place::new();
    started(&place, |_| ());
    let other = grantor_server::config::Hidden::new("HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
    let said = refusal(Config { key_encryption_key: Some(other), ..place.config(1) });
    assert!(said.contains("key"), "{said}");
}

#[test]
fn only_the_server_s_own_user_may_read_the_database() {
    let place = Place::new();
    let home = place.folder().join("state");
    let inner = home.clone();
    let modes = {
        let config = Config {
            database_url: grantor_server::config::Hidden::new(format!("sqlite:{}", home.join("grantor.db").display())),
            ..place.config(1)
        };
        let thread = std::thread::spawn(move || {
            runtime().block_on(async move {
                let running = Running::start(config, false, Clock::new(system_time)).await.unwrap();
                let modes = modes(&inner);
                running.run(TcpListener::bind("127.0.0.1:0").unwrap(), None, async {}).await.unwrap();
                modes
            })
        });
        thread.join().unwrap()
    };
    assert!(modes.len() >= 3, "the database, its log and its index: {modes:?}");
    assert!(modes.iter().all(|(_, mode)| *mode == 0o600), "{modes:?}");
    assert_eq!(fs::metadata(&home).unwrap().permissions().mode() & 0o777, 0o700);
}

fn modes(folder: &Path) -> Vec<(String, u32)> {
    let files = fs::read_dir(folder).unwrap().map(Result::unwrap);
    files
        .map(|file| {
            let mode = file.metadata().unwrap().permissions().mode();
            (file.file_name().into_string().unwrap(), mode & 0o777)
        })
        .collect()
}

#[test]
fn a_database_that_others_could_read_is_closed_to_them() {
    if postgres::is_chosen() {
        return;
    }
    let place = Place::new();
    started(&place, |_| ());
    let file = place.folder().join("grantor.db");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    started(&place, |_| ());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}
