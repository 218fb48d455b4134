//! Opening: files, layout, the key-encryption key, the first snapshot, the writer's thread.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use grantor_core::store::StoreError;
use grantor_core::time::Time;
use grantor_jose::id::Id;
use grantor_jose::random::Mint;
use grantor_jose::seal::SealError;
use tokio::sync::mpsc;

use super::writer::{QUEUE, Writer};
use super::{Shared, Sqlite, connection, examine, files, migrate};
use crate::apply::Context;
use crate::database::DatabaseSettings;
use crate::directory::Newest;
use crate::error::Failure;
use crate::events::REFUSALS;
use crate::sealing::Sealer;
use crate::sweep::Patrols;
use crate::{events, root_secret};

/// How long another process that changes the layout is waited for, in milliseconds.
const PATIENCE: u32 = 60_000;

/// Why the database cannot be opened, and what mends it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// SQLite does not open the file.
    #[error(
        "{path} cannot be opened as a database: {reason}; name a file that Grantor made, or one that is not there yet"
    )]
    Connect {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// The system refuses the file or its folder.
    #[error(
        "{path}: {source}; the folder must be there or possible to make, and this user must be able to write to it"
    )]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Another process holds it.
    #[error("another process has held the database for a minute; end it, or wait until it is done")]
    Locked,
    /// A change of layout failed.
    #[error("the database's layout could not be changed, and is as it was: {0}; mend what it names, and start again")]
    Migration(String),
    /// A later version has changed it.
    #[error(
        "the database has layout {version}, which this version of Grantor does not know; start the version that was used last, or a newer one"
    )]
    Newer {
        /// The layout that is not known.
        version: String,
    },
    /// What it holds cannot be read.
    #[error("the database cannot be used: {0}; restore it from a backup")]
    Store(#[from] StoreError),
    /// The system gives no thread.
    #[error("no thread for the database: {0}")]
    Thread(std::io::Error),
    /// Not a URL that we know.
    #[error("\"{0}\" is no database; write `sqlite:PATH`, as in `sqlite:grantor.db`")]
    Url(String),
    /// Sealed with another key.
    #[error(
        "the keys in the database were sealed with another key-encryption key; set `key_encryption_key` or `key_encryption_key_file` to the one it was made with"
    )]
    WrongKey,
}

impl From<diesel::result::Error> for OpenError {
    fn from(error: diesel::result::Error) -> Self {
        migrate::refused(&error)
    }
}

impl From<Failure> for OpenError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Sealed { source: SealError::WrongKey, .. } => Self::WrongKey,
            Failure::Database(error) => error.into(),
            other => Self::Store(other.into()),
        }
    }
}

impl Sqlite {
    /// Opens the file that the settings name.
    pub(crate) fn open(settings: &DatabaseSettings, mint: Arc<Mint>, now: Time) -> Result<Self, OpenError> {
        let path = path(&settings.url)?;
        files::prepare(&path).map_err(|source| OpenError::File { path: path.clone(), source })?;
        let refused =
            |error: diesel::ConnectionError| OpenError::Connect { path: path.clone(), reason: error.to_string() };
        migrate::migrate(&mut connection::patient(&path, PATIENCE).map_err(refused)?)?;
        let mut connection = connection::writer(&path).map_err(refused)?;
        mint.resume_after(Id::from_i64(examine::newest_id(&mut connection)?));
        let sealer = Sealer::new(settings.key_encryption_key.clone(), mint);
        check_key(&mut connection, &sealer, now)?;
        let refusals = events::newest_slot(0, REFUSALS).first(&mut connection).optional()?;
        let sign_ins = events::newest_slot(REFUSALS, 2 * REFUSALS).first(&mut connection).optional()?;
        let context = Context::new(sealer, refusals, sign_ins);
        let shared = Arc::new(Shared { path, newest: Newest::default(), context, stale: AtomicBool::new(false) });
        shared.read_directory(&mut connection)?;
        start(connection, shared)
    }
}

fn start(connection: SqliteConnection, shared: Arc<Shared>) -> Result<Sqlite, OpenError> {
    let (queue, waiting) = mpsc::channel(QUEUE);
    let writer = Writer::new(connection, Arc::clone(&shared));
    let thread = std::thread::Builder::new().name("grantor-writer".into());
    let thread = thread.spawn(move || writer.run(waiting)).map_err(OpenError::Thread)?;
    Ok(Sqlite { shared, patrols: Patrols::default(), queue: Some(queue), writer: Mutex::new(Some(thread)) })
}

/// Makes the root secret where there is none, and opens it: with a wrong key nothing is served.
fn check_key(connection: &mut SqliteConnection, sealer: &Sealer, now: Time) -> Result<(), OpenError> {
    connection.immediate_transaction(|connection| {
        let kept: Option<Vec<u8>> = root_secret::find().first(connection).optional()?;
        match kept {
            Some(kept) => {
                root_secret::open(&kept, sealer)?;
            }
            None => {
                root_secret::insert(root_secret::generate(sealer), now.millis()).execute(connection)?;
            }
        }
        Ok(())
    })
}

/// The path of `sqlite:PATH` or `sqlite://PATH`.
fn path(url: &str) -> Result<PathBuf, OpenError> {
    let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")).unwrap_or_default();
    if path.is_empty() || path.starts_with(':') || path.contains('\0') {
        return Err(OpenError::Url(url.to_owned()));
    }
    Ok(Path::new(path).to_owned())
}
