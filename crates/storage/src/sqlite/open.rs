//! Opening: files, layout, the key-encryption key, the first snapshot, the writer's thread.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;
use grantor_core::time::Time;
use grantor_jose::id::Id;
use grantor_jose::random::Mint;
use tokio::sync::mpsc;

use super::writer::{QUEUE, Writer};
use super::{Shared, Sqlite, connection, examine, files, migrate, moved};
use crate::apply::Context;
use crate::database::DatabaseSettings;
use crate::directory::Newest;
use crate::events::REFUSALS;
use crate::open_error::OpenError;
use crate::sealing::Sealer;
use crate::sweep::Patrols;
use crate::{events, root_secret};

/// How long another process that changes the layout is waited for, in milliseconds.
pub(super) const PATIENCE: u32 = 60_000;

impl Sqlite {
    /// Opens the file that the settings name.
    pub(crate) fn open(settings: &DatabaseSettings, mint: Arc<Mint>, now: Time) -> Result<Self, OpenError> {
        let path = path(&settings.url)?;
        files::prepare(&path).map_err(|source| OpenError::File { path: path.clone(), source })?;
        let refused =
            |error: diesel::ConnectionError| OpenError::Connect { path: path.clone(), reason: error.to_string() };
        prepare(connection::patient(&path, PATIENCE).map_err(refused)?)?;
        let mut connection = connection::writer(&path).map_err(refused)?;
        mint.resume_after(Id::from_i64(examine::newest_id(&mut connection)?));
        mint.resume_after(Id::from_i64(examine::newest_later_id(&mut connection)?));
        let sealer = Sealer::new(settings.key_encryption_key.clone(), mint);
        check_key(&mut connection, &sealer, now)?;
        let refusals = events::newest_slot(0, REFUSALS).first(&mut connection).optional()?;
        let sign_ins = events::newest_slot(REFUSALS, 2 * REFUSALS).first(&mut connection).optional()?;
        let context = Context::new(sealer, refusals, sign_ins);
        let (newest, meters) = (Newest::default(), settings.meters.clone());
        let shared = Arc::new(Shared { path, newest, context, meters, stale: AtomicBool::new(false) });
        shared.read_directory(&mut connection)?;
        start(connection, shared)
    }
}

/// Brings the layout up to date, unless the rows are somewhere else now.
fn prepare(mut connection: SqliteConnection) -> Result<(), OpenError> {
    if moved::has_moved(&mut connection)? {
        return Err(OpenError::Moved);
    }
    migrate::migrate(&mut connection)
}

/// Lets a database that has moved take writes again; says whether it took none.
pub(crate) fn reopen(url: &str) -> Result<bool, OpenError> {
    let path = path(url)?;
    if !path.exists() {
        return Ok(false);
    }
    let refused = |error: diesel::ConnectionError| OpenError::Connect { path: path.clone(), reason: error.to_string() };
    Ok(moved::reopen(&mut connection::patient(&path, PATIENCE).map_err(refused)?)?)
}

fn start(connection: SqliteConnection, shared: Arc<Shared>) -> Result<Sqlite, OpenError> {
    let (queue, waiting) = mpsc::channel(QUEUE);
    let writer = Writer::new(connection, Arc::clone(&shared));
    let thread = std::thread::Builder::new().name("grantor-writer".into());
    let thread = thread.spawn(move || writer.run(waiting)).map_err(OpenError::Thread)?;
    Ok(Sqlite {
        shared,
        patrols: Patrols::default(),
        subscriptions: OnceLock::new(),
        queue: Some(queue),
        writer: Mutex::new(Some(thread)),
    })
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
pub(super) fn path(url: &str) -> Result<PathBuf, OpenError> {
    let path = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")).unwrap_or_default();
    if path.is_empty() || path.starts_with(':') || path.contains('\0') {
        // No more than the scheme: what follows may hold a password.
        return Err(OpenError::Url(url.split(':').next().unwrap_or_default().to_owned()));
    }
    Ok(Path::new(path).to_owned())
}
