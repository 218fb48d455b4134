//! The doctor's examinations: settings, files, database, keys, clock, and whether the issuer answers.

use std::path::Path;
use std::time::Duration;

use grantor_core::audit::EventKind;
use grantor_core::key::KeyRing;
use grantor_core::policy::Lifetimes;
use grantor_core::store::Store;
use grantor_core::time::Time;
use grantor_storage::EventFilter;

use crate::clock;
use crate::config::Config;
use crate::keys::OFFERED;
use crate::running;
use crate::settings::{self, Opened, Role, Settings};
use crate::tls::Certificate;

mod apps;
/// Whether the issuer answers.
pub mod issuer;
/// Whether upstreams answer.
pub mod upstreams;

/// A clock that shows an earlier moment than this version was written at is wrong: 2026-11-01.
const WRITTEN: Time = Time::from_seconds(1_793_491_200);
pub mod outgoing;

const PATIENCE: Duration = Duration::from_secs(5);

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// As it should be.
    Sound,
    /// It works, and may not for long or not safely.
    Doubtful,
    /// It does not work.
    Broken,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What was looked at.
    pub area: &'static str,
    /// What was found.
    pub message: String,
    /// What mends it; empty when nothing is to be done.
    pub fix: String,
}

fn sound(area: &'static str, message: impl Into<String>) -> Finding {
    Finding { level: Level::Sound, area, message: message.into(), fix: String::new() }
}

fn doubtful(area: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Finding {
    Finding { level: Level::Doubtful, area, message: message.into(), fix: fix.into() }
}

fn broken(area: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Finding {
    Finding { level: Level::Broken, ..doubtful(area, message, fix) }
}

/// Looks at everything that the settings lead to.
pub async fn everything(settings: &Settings, offline: bool, now: Time) -> Vec<Finding> {
    let config = match settings.load() {
        Ok(config) => config,
        Err(error) => {
            return vec![broken(
                "settings",
                error.to_string(),
                "mend the line named; `grantor config example` shows each setting",
            )];
        }
    };
    let mut findings = configuration(&config);
    findings.extend(files(&config));
    findings.push(clock(now));
    findings.extend(database(&config, now).await);
    findings.extend(outgoing::examined(&config, offline).await);
    if !offline && !config.issuer.is_empty() {
        findings.push(issuer::answers(&config).await);
        findings.extend(upstreams::all(&config).await);
    }
    findings
}

/// The rules between settings.
pub fn configuration(config: &Config) -> Vec<Finding> {
    let wrong: Vec<Finding> = config
        .findings()
        .into_iter()
        .map(|finding| broken("settings", format!("{}: {}", finding.key, finding.message), finding.fix))
        .collect();
    if !wrong.is_empty() {
        return wrong;
    }
    let settings = sound("settings", format!("sound, for the issuer {}", config.issuer));
    [settings].into_iter().chain(hidden_proxy(config)).collect()
}

/// A proxy that must be there, and is not named.
fn hidden_proxy(config: &Config) -> Option<Finding> {
    let is_behind_one = config.issuer.starts_with("https:") && !config.speaks_tls();
    let message = "the issuer is https, and this server does not speak TLS: all people are one address, that of the proxy, for \
                   rate limits, sign-ins and the networks of tokens";
    let fix = "name the proxy, as trusted_proxies = [\"127.0.0.1/32\"]";
    (is_behind_one && config.trusted_proxies.is_empty()).then(|| doubtful("trusted_proxies", message, fix))
}

/// Who may read the files that hold secrets, and whether the certificate can be used.
pub fn files(config: &Config) -> Vec<Finding> {
    let database = database_file(config).filter(|path| path.exists());
    let private = [database, config.key_encryption_key_file.as_deref(), config.tls.key.as_deref()];
    let mut findings: Vec<Finding> = private.into_iter().flatten().filter_map(readable_by_others).collect();
    if let (Some(chain), Some(key)) = (&config.tls.certificate, &config.tls.key) {
        findings.push(match Certificate::read(chain, key) {
            Ok(_) => sound("tls", "the certificate and its key belong together"),
            Err(error) => broken("tls", error.to_string(), "name the right files in [tls]"),
        });
    }
    for reporter in &config.leak_reporters {
        if let Err(error) = running::reporter(reporter) {
            findings.push(broken("leak_reporters", error.to_string(), "name a file with a P-256 public key in PEM"));
        }
    }
    if config.outbound.ca_file.is_some() {
        findings.push(match running::outbound(config) {
            Ok(_) => sound("outbound", "the authorities can be read"),
            Err(error) => broken("outbound", error.to_string(), "name a file with certificates in PEM"),
        });
    }
    findings
}

fn readable_by_others(path: &Path) -> Option<Finding> {
    use std::os::unix::fs::PermissionsExt;
    let name = path.display();
    match std::fs::metadata(path) {
        Err(error) => {
            Some(broken("files", format!("{name}: {error}"), "name the right file in the settings, or make it"))
        }
        Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => Some(doubtful(
            "files",
            format!("{name} can be read by other users of this host"),
            format!("chmod 600 {name}"),
        )),
        Ok(_) => None,
    }
}

/// Whether the clock can be right.
pub fn clock(now: Time) -> Finding {
    if now < WRITTEN {
        let message = format!("the clock shows {}, which is before this version was written", clock::text(now));
        return broken("clock", message, "set the clock and keep it right, as by `timedatectl set-ntp true`");
    }
    sound("clock", format!("shows {}", clock::text(now)))
}

/// Whether the database is whole, not ahead of the clock, and has its keys.
pub async fn database(config: &Config, now: Time) -> Vec<Finding> {
    if let Some(path) = database_file(config).filter(|path| !path.exists()) {
        return vec![doubtful(
            "database",
            format!("{} is not there yet", path.display()),
            "`grantor serve` or `grantor migrate` makes it",
        )];
    }
    let opened = match settings::open(config.clone(), Role::Command) {
        Ok(opened) => opened,
        Err(error) => {
            return vec![broken(
                "database",
                error.to_string(),
                "mend what is named, or restore the database from a backup",
            )];
        }
    };
    let mut findings = vec![integrity(&opened)];
    findings.extend(outgoing::undelivered(&opened).await);
    findings.extend(newest_event(&opened, now).await);
    findings.extend(restored(&opened, now).await);
    findings.extend(keys(&opened.database.directory().keys, &config.lifetimes, now));
    findings.extend(apps::unanswered(&opened.database.directory(), &config.clients));
    opened.close().await;
    findings
}

fn integrity(opened: &Opened) -> Finding {
    let checked = opened.database.integrity_check().and_then(|()| opened.database.schema_version());
    match checked {
        Ok(layout) => sound("database", format!("whole, with layout {layout}")),
        Err(error) => broken("database", error.to_string(), "stop the server and restore the database from a backup"),
    }
}

async fn newest_event(opened: &Opened, now: Time) -> Option<Finding> {
    let newest = opened.database.events(&EventFilter { limit: 1, ..EventFilter::default() }).await.ok()?;
    let ahead = newest.first().filter(|event| event.at > now.plus(PATIENCE))?;
    let message =
        format!("the clock shows {}, but an event was recorded at {}", clock::text(now), clock::text(ahead.at));
    Some(broken("clock", message, "set the clock and keep it right, as by `timedatectl set-ntp true`"))
}

/// Whether what was spent after a backup may count again, since the backup was put back and no epoch begun.
async fn restored(opened: &Opened, now: Time) -> Option<Finding> {
    let filter = EventFilter { kind: Some(EventKind::DatabaseRestored), limit: 1, ..EventFilter::default() };
    let events = opened.database.events(&filter).await.ok()?;
    let restored = events.first()?.at;
    let ended = opened.database.directory().epoch.is_some_and(|epoch| epoch >= restored);
    let forgotten = now >= restored.plus(opened.config.lifetimes.refresh_token_absolute);
    (!ended && !forgotten).then(|| {
        let message = format!(
            "put back from a backup at {}; what was spent after the backup counts again",
            clock::text(restored)
        );
        doubtful("database", message, "`grantor new-epoch` ends everything that was issued")
    })
}

/// Whether a key signs for each algorithm, and none longer than it should.
pub fn keys(ring: &KeyRing, lifetimes: &Lifetimes, now: Time) -> Vec<Finding> {
    let used = OFFERED.iter().map(|algorithm| match ring.record(*algorithm, now) {
        None => doubtful("keys", format!("no key signs with {algorithm}"), "`grantor serve` makes one when it starts"),
        Some(record) if now > record.active_from.plus(lifetimes.key_rotation + lifetimes.key_publication) => {
            let message =
                format!("{algorithm}: {} has signed since {}", record.key.kid(), clock::text(record.active_from));
            doubtful(
                "keys",
                message,
                format!("`grantor key rotate --algorithm {algorithm}`; a running server does so by itself"),
            )
        }
        Some(record) => {
            sound("keys", format!("{algorithm}: {} signs since {}", record.key.kid(), clock::text(record.active_from)))
        }
    });
    used.collect()
}

/// The database's file.
fn database_file(config: &Config) -> Option<&Path> {
    config.database_url.expose().strip_prefix("sqlite:").map(Path::new)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::config::Hidden;
    use crate::scratch::Scratch;

    fn levels(findings: &[Finding]) -> Vec<Level> {
        findings.iter().map(|finding| finding.level).collect()
    }

    #[test]
    fn a_proxy_that_is_not_named_is_asked_for() {
        let behind = Config {
            issuer: "https://id.example.com".to_owned(),
            key_encryption_key: Some(crate::config::Hidden::new("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")),
            ..Config::default()
        };
        let asked = |config: &Config| configuration(config).iter().any(|finding| finding.area == "trusted_proxies");
        assert!(asked(&behind));
        assert!(!asked(&Config { trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()], ..behind.clone() }));
        assert!(!asked(&Config { issuer: "http://127.0.0.1:8080".to_owned(), ..behind }));
    }

    #[test]
    fn each_wrong_setting_comes_with_its_fix() {
        let findings = configuration(&Config::default());
        assert_eq!(levels(&findings), [Level::Broken, Level::Broken]);
        assert!(findings.iter().all(|finding| !finding.fix.is_empty()));
    }

    #[test]
    fn a_secret_file_that_others_can_read_is_found() {
        let folder = Scratch::new();
        let key = folder.write("key", "x");
        let mode = |mode| std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
        let config = Config {
            key_encryption_key_file: Some(key.clone()),
            database_url: Hidden::new(format!("sqlite:{}", folder.path("none.db").display())),
            ..Config::default()
        };
        mode(0o640);
        assert_eq!(files(&config)[0].fix, format!("chmod 600 {}", key.display()));
        mode(0o600);
        assert_eq!(files(&config), []);
        std::fs::remove_file(&key).unwrap();
        assert_eq!(levels(&files(&config)), [Level::Broken]);
    }

    #[test]
    fn a_clock_of_long_ago_is_wrong() {
        assert_eq!(clock(Time::from_seconds(0)).level, Level::Broken);
        assert_eq!(clock(WRITTEN).level, Level::Sound);
    }

    #[test]
    fn a_missing_key_is_found() {
        let findings = keys(&KeyRing::default(), &Lifetimes::default(), WRITTEN);
        assert_eq!(levels(&findings), [Level::Doubtful; 4]);
    }
}
