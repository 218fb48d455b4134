//! The database of one provider, whichever kind it is.

use std::fmt;
use std::sync::Arc;

use grantor_core::store::StoreError;
use grantor_core::time::Time;
use grantor_jose::random::Mint;
use grantor_jose::seal::KeyEncryptionKey;

use crate::sqlite::{OpenError, Sqlite};
use crate::sweep::{Patrols, Step};

/// A database of one of the kinds that we know. Cheap to clone; all clones are one.
#[derive(Clone)]
pub enum Database {
    /// A file, through the embedded SQLite.
    Sqlite(Arc<Sqlite>),
}

/// Where the database is, and what opens what is sealed in it.
#[derive(Debug)]
pub struct DatabaseSettings {
    /// `sqlite:PATH` or `sqlite://PATH`.
    pub url: String,
    /// The key-encryption key.
    pub key_encryption_key: KeyEncryptionKey,
}

/// Runs a reading statement: `query!(database, load, …)` for all rows, `query!(database, first?, …)` for one or none.
macro_rules! query {
    ($database:expr, load, $statement:expr) => {
        match $database {
            $crate::Database::Sqlite(sqlite) => {
                std::future::ready(sqlite.read(|connection| diesel::RunQueryDsl::load($statement, connection))).await
            }
        }
    };
    ($database:expr, first?, $statement:expr) => {
        match $database {
            $crate::Database::Sqlite(sqlite) => {
                std::future::ready(sqlite.read(|connection| {
                    diesel::OptionalExtension::optional(diesel::RunQueryDsl::first($statement, connection))
                }))
                .await
            }
        }
    };
}

pub(crate) use query;

impl Database {
    /// Opens the database, makes it where there is none, and brings it to this version's layout.
    ///
    /// # Errors
    /// What is wrong and how to mend it. Nothing can be served then.
    pub fn open(settings: &DatabaseSettings, mint: Arc<Mint>, now: Time) -> Result<Self, OpenError> {
        Sqlite::open(settings, mint, now).map(|sqlite| Self::Sqlite(Arc::new(sqlite)))
    }

    /// Reads clients, scopes, resources and keys again where another process changed them. Cheap where none did: to be
    /// called twice a second.
    ///
    /// # Errors
    /// What the database says; the last snapshot stays in use.
    pub async fn refresh_directory(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => std::future::ready(sqlite.refresh_directory()).await,
        }
    }

    /// Writes what is still waiting, and closes the database. Later commits fail.
    pub async fn shut_down(&self) {
        match self {
            Self::Sqlite(sqlite) => sqlite.shut_down().await,
        }
    }

    /// Reads the whole database and checks that it is sound. Takes long on a large one.
    ///
    /// # Errors
    /// What is broken.
    pub fn integrity_check(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.integrity_check(),
        }
    }

    /// The number of the database's layout: that of the last migration.
    ///
    /// # Errors
    /// What the database says.
    pub fn schema_version(&self) -> Result<i64, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.schema_version(),
        }
    }

    /// How many rows each table has.
    ///
    /// # Errors
    /// What the database says.
    pub fn data_counts(&self) -> Result<Vec<(&'static str, i64)>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.data_counts(),
        }
    }

    pub(crate) async fn sweep_step(&self, step: Step) -> Result<usize, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.sweep_step(step).await,
        }
    }

    pub(crate) fn patrols(&self) -> &Patrols {
        match self {
            Self::Sqlite(sqlite) => &sqlite.patrols,
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(_) => out.write_str("Database::Sqlite"),
        }
    }
}
