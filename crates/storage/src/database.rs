//! The database of one provider, whichever kind it is.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use grantor_core::outbox::Subscriptions;
use grantor_core::store::StoreError;
use grantor_core::time::Time;
use grantor_jose::random::Mint;
use grantor_jose::seal::KeyEncryptionKey;

use crate::meters::Meters;
use crate::open_error::OpenError;
use crate::postgres::Postgres;
use crate::sealing::Sealer;
use crate::sqlite::Sqlite;
use crate::sweep::{Patrols, Step};

/// A database of one of the kinds that we know. Cheap to clone; all clones are one.
#[derive(Clone)]
pub enum Database {
    /// A PostgreSQL database, shared by any number of nodes.
    Postgres(Arc<Postgres>),
    /// A file, through the embedded SQLite.
    Sqlite(Arc<Sqlite>),
}

/// Where the database is, and what opens what is sealed in it.
pub struct DatabaseSettings {
    /// `sqlite:PATH`, `sqlite://PATH` or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`.
    pub url: String,
    /// A file, in PEM, of authorities that the certificate of a PostgreSQL database may be of, beside the public ones.
    pub certificates: Option<PathBuf>,
    /// What is measured.
    pub meters: Meters,
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
            $crate::Database::Postgres(postgres) => {
                let load = async |mut connection: &diesel_async::AsyncPgConnection| {
                    diesel_async::RunQueryDsl::load($statement, &mut connection).await
                };
                postgres.read(load).await
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
            $crate::Database::Postgres(postgres) => {
                let first = async |mut connection: &diesel_async::AsyncPgConnection| {
                    let found = diesel_async::RunQueryDsl::first($statement, &mut connection).await;
                    diesel::OptionalExtension::optional(found)
                };
                postgres.read(first).await
            }
        }
    };
}

pub(crate) use query;

impl Database {
    /// Whether a URL is that of a PostgreSQL database.
    pub fn is_postgres(url: &str) -> bool {
        url.starts_with("postgres://") || url.starts_with("postgresql://")
    }

    /// Where a URL says that the database is, without the password that it may hold.
    pub fn shown(url: &str) -> String {
        if !Self::is_postgres(url) {
            return url.to_owned();
        }
        crate::postgres::address::shown(url).unwrap_or_else(|| "postgres://USER@HOST/DATABASE".to_owned())
    }

    /// Opens the database, makes it where there is none, and brings it to this version's layout.
    ///
    /// # Errors
    /// What is wrong and how to mend it. Nothing can be served then.
    pub fn open(settings: &DatabaseSettings, mint: Arc<Mint>, now: Time) -> Result<Self, OpenError> {
        if Self::is_postgres(&settings.url) {
            return Postgres::open(settings, mint, now).map(|postgres| Self::Postgres(Arc::new(postgres)));
        }
        Sqlite::open(settings, mint, now).map(|sqlite| Self::Sqlite(Arc::new(sqlite)))
    }

    /// Lets a SQLite database that has moved to PostgreSQL take writes again; says whether it took none.
    ///
    /// # Errors
    /// When it is none, or cannot be changed.
    pub fn reopen(url: &str) -> Result<bool, OpenError> {
        crate::sqlite::reopen(url)
    }

    /// Reads clients, scopes, resources and keys again where another process changed them. Cheap where none did: to be
    /// called twice a second.
    ///
    /// # Errors
    /// What the database says; the last snapshot stays in use.
    pub async fn refresh_directory(&self) -> Result<(), StoreError> {
        match self {
            Self::Postgres(postgres) => postgres.refresh_directory().await,
            Self::Sqlite(sqlite) => std::future::ready(sqlite.refresh_directory()).await,
        }
    }

    /// Writes what is still waiting, and closes the database. Later commits fail.
    pub async fn shut_down(&self) {
        match self {
            Self::Postgres(postgres) => postgres.shut_down(),
            Self::Sqlite(sqlite) => sqlite.shut_down().await,
        }
    }

    /// How many processes work on the database, this one among them, as far as it knows: servers, and commands that are under
    /// way. Another one is known as soon as it is there, and one that has gone within seconds. A file has one server.
    pub fn nodes(&self) -> u32 {
        match self {
            Self::Postgres(postgres) => postgres.nodes(),
            Self::Sqlite(_) => 1,
        }
    }

    /// Reads the whole database and checks that it is sound. Takes long on a large one.
    ///
    /// # Errors
    /// What is broken.
    pub fn integrity_check(&self) -> Result<(), StoreError> {
        match self {
            Self::Postgres(postgres) => postgres.integrity_check(),
            Self::Sqlite(sqlite) => sqlite.integrity_check(),
        }
    }

    /// The number of the database's layout: that of the last migration.
    ///
    /// # Errors
    /// What the database says.
    pub fn schema_version(&self) -> Result<i64, StoreError> {
        match self {
            Self::Postgres(postgres) => postgres.schema_version(),
            Self::Sqlite(sqlite) => sqlite.schema_version(),
        }
    }

    /// How many rows each table has.
    ///
    /// # Errors
    /// What the database says.
    pub fn data_counts(&self) -> Result<Vec<(&'static str, i64)>, StoreError> {
        match self {
            Self::Postgres(postgres) => postgres.data_counts(),
            Self::Sqlite(sqlite) => sqlite.data_counts(),
        }
    }

    pub(crate) async fn sweep_step(&self, step: Step) -> Result<usize, StoreError> {
        match self {
            Self::Postgres(postgres) => postgres.sweep_step(step).await,
            Self::Sqlite(sqlite) => sqlite.sweep_step(step).await,
        }
    }

    /// Says who is told of what is committed from now on. To be called once, before anything is committed; a second time
    /// changes nothing.
    pub fn subscribe(&self, subscriptions: Subscriptions) {
        // Who came first has said the same: all of a process have its settings.
        let _ = self.subscriptions().set(subscriptions);
    }

    pub(crate) fn subscriptions(&self) -> &OnceLock<Subscriptions> {
        match self {
            Self::Postgres(postgres) => &postgres.subscriptions,
            Self::Sqlite(sqlite) => &sqlite.subscriptions,
        }
    }

    pub(crate) fn sealer(&self) -> &Sealer {
        match self {
            Self::Postgres(postgres) => postgres.sealer(),
            Self::Sqlite(sqlite) => sqlite.sealer(),
        }
    }

    pub(crate) fn patrols(&self) -> &Patrols {
        match self {
            Self::Postgres(postgres) => &postgres.patrols,
            Self::Sqlite(sqlite) => &sqlite.patrols,
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres(_) => out.write_str("Database::Postgres"),
            Self::Sqlite(_) => out.write_str("Database::Sqlite"),
        }
    }
}
