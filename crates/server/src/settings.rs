//! From the command line to an open database: which settings count, where the key-encryption key comes from.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use grantor_jose::random::{Mint, NODES};
use grantor_jose::seal::KeyEncryptionKey;
use grantor_storage::{Database, DatabaseSettings, Meters};

use crate::clock::{stopwatch, system_time};
use crate::commands::CommandError;
use crate::config::check::HOW_TO_MAKE_A_KEY;
use crate::config::load;
use crate::config::{Config, Hidden};
use crate::declare::apply::Tools;
use crate::dev;

/// Who opens the database. Several may at one time, and no two may make the same identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A command beside the server.
    Command,
    /// The server.
    Server,
}

impl Role {
    /// The number that stands in identifiers: 0 for the server, else one of 95 by the process.
    fn node(self) -> u8 {
        match self {
            Self::Command => u8::try_from(1 + std::process::id() % u32::from(NODES - 1)).unwrap_or(1),
            Self::Server => 0,
        }
    }
}

/// Where the settings come from.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The file named on the command line.
    pub file: Option<PathBuf>,
    /// Whether `--dev` stands there.
    pub dev: bool,
}

/// An open database with what is needed to change it.
pub struct Opened {
    /// The settings.
    pub config: Config,
    /// What is kept.
    pub database: Database,
    /// Where identifiers and secrets come from.
    pub mint: Arc<Mint>,
    /// What is measured of the database.
    pub meters: Meters,
}

impl Settings {
    /// Reads the settings; with `--dev`, makes what they need.
    ///
    /// # Errors
    /// When they cannot be read, or a key or value is not understood.
    pub fn load(&self) -> Result<Config, CommandError> {
        if self.dev {
            return dev::settings(Path::new("."), self.file.as_deref());
        }
        Ok(load::load(self.file.as_deref())?)
    }

    /// Reads the settings and opens the database.
    ///
    /// # Errors
    /// When the settings are wrong or the database cannot be opened.
    pub fn open(&self) -> Result<Opened, CommandError> {
        open(self.load()?, Role::Command)
    }
}

/// Opens the database of `config`.
///
/// # Errors
/// When there is no key-encryption key, or the database cannot be opened.
pub fn open(config: Config, role: Role) -> Result<Opened, CommandError> {
    let meters = Meters::new(stopwatch());
    let settings = database_settings(&config, &config.database_url, meters.clone())?;
    let mint = Arc::new(Mint::new(role.node()));
    let database = Database::open(&settings, Arc::clone(&mint), system_time())?;
    database.subscribe(config.subscriptions());
    Ok(Opened { config, database, mint, meters })
}

/// How the database at `url` is opened with the rest of the settings.
///
/// # Errors
/// When there is no key-encryption key.
pub fn database_settings(config: &Config, url: &Hidden, meters: Meters) -> Result<DatabaseSettings, CommandError> {
    Ok(DatabaseSettings {
        meters,
        url: url.expose().to_owned(),
        certificates: config.database_ca_file.clone(),
        key_encryption_key: key_encryption_key(config)?,
    })
}

/// The key-encryption key that the settings name.
///
/// # Errors
/// When there is none, with how to make one, or it is none.
pub fn key_encryption_key(config: &Config) -> Result<KeyEncryptionKey, CommandError> {
    let (key, text) = match (&config.key_encryption_key, &config.key_encryption_key_file) {
        (Some(text), _) => ("key_encryption_key", text.expose().to_owned()),
        (None, Some(path)) => {
            let text =
                std::fs::read_to_string(path).map_err(|source| CommandError::File { path: path.clone(), source })?;
            ("key_encryption_key_file", text)
        }
        (None, None) => {
            return Err(CommandError::Refused(format!("key_encryption_key_file: is missing; {HOW_TO_MAKE_A_KEY}")));
        }
    };
    let wrong = |error| CommandError::Refused(format!("{key}: {error}; {HOW_TO_MAKE_A_KEY}"));
    text.trim().parse().map_err(|error: grantor_jose::seal::KeyTextError| wrong(error.to_string()))
}

impl Opened {
    /// What a declaration is applied with at `now`.
    pub fn tools(&self, now: grantor_core::time::Time) -> Tools<'_> {
        Tools { mint: &self.mint, lifetimes: &self.config.lifetimes, tokens: &self.config.tokens, now }
    }

    /// Waits until everything is written, and closes the database.
    pub async fn close(self) {
        self.database.shut_down().await;
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn a_key_encryption_key_is_read_from_a_file_or_a_setting() {
        let folder = Scratch::new();
        let text = KeyEncryptionKey::generate(&grantor_jose::random::Random::new()).to_text();
        let file = folder.write("key", &format!("{}\n", *text));
        assert!(key_encryption_key(&Config { key_encryption_key_file: Some(file), ..Config::default() }).is_ok());
        let set = Config { key_encryption_key: Some(Hidden::new(text.as_str())), ..Config::default() };
        assert!(key_encryption_key(&set).is_ok());
        assert!(!format!("{set:?}").contains(text.as_str()));
    }

    #[test]
    fn without_a_key_encryption_key_the_error_says_how_to_make_one() {
        let folder = Scratch::new();
        let short = Config { key_encryption_key_file: Some(folder.write("key", "short")), ..Config::default() };
        for config in [Config::default(), short] {
            let message = key_encryption_key(&config).unwrap_err().to_string();
            assert!(message.contains("grantor key generate-encryption-key"), "{message}");
        }
    }
}
