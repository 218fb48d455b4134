//! Opening: the address, the layout, the key-encryption key, the first snapshot, the node's thread.

use std::sync::atomic::AtomicU32;
use std::sync::{Arc, OnceLock};

use diesel::OptionalExtension;
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use grantor_core::time::Time;
use grantor_jose::id::Id;
use grantor_jose::random::Mint;
use tokio::runtime::Runtime;
use tokio::sync::{Notify, Semaphore};

use super::address::Address;
use super::link::Link;
use super::node::Node;
use super::{AT_LENGTH, Postgres, Shared, WRITERS, examine, migrate, run, transaction};
use crate::apply::Context;
use crate::database::DatabaseSettings;
use crate::directory::Newest;
use crate::error::{Failure, failed};
use crate::open_error::OpenError;
use crate::root_secret;
use crate::sealing::Sealer;
use crate::sweep::Patrols;

impl Postgres {
    /// Opens the database that the settings name.
    pub(crate) fn open(settings: &DatabaseSettings, mint: Arc<Mint>, now: Time) -> Result<Self, OpenError> {
        let address = Address::parse(&settings.url, settings.certificates.as_deref())?;
        let sealer = Sealer::new(settings.key_encryption_key.clone(), Arc::clone(&mint));
        let newest = Newest::default();
        aside(|runtime| {
            let connect = || runtime.block_on(connect(&address));
            migrate::migrate(connect()?.connection)?;
            let link = connect()?;
            runtime.block_on(async {
                let connection = &link.connection;
                mint.resume_after(Id::from_i64(examine::newest_id(connection).await?));
                check_key(connection, &sealer, now).await?;
                newest.replace(run::snapshot(&newest.get(), connection).await?, &sealer)?;
                Ok(())
            })
        })?;
        let context = Context::new(sealer, None, None);
        let (meters, writers) = (settings.meters.clone(), Semaphore::new(WRITERS));
        let (idle, reading) = (Arc::new(Semaphore::new(WRITERS)), tokio::sync::Mutex::default());
        let nodes = AtomicU32::new(1);
        let shared = Arc::new(Shared { address, newest, context, mint, meters, writers, idle, reading, nodes });
        let node = Node::start(&shared)?;
        Ok(Self { shared, patrols: Patrols::default(), subscriptions: OnceLock::new(), node })
    }
}

pub(super) async fn connect(address: &Address) -> Result<Link, OpenError> {
    let connected = Link::connect(address, Arc::new(Notify::new())).await;
    let link = connected.map_err(|error| OpenError::Unreachable(in_full(&*error)))?;
    (&mut &link.connection).batch_execute("SET statement_timeout = '60s'").await.map_err(Failure::from)?;
    Ok(link)
}

/// An error with what is behind it: the database's own words are there.
pub(super) fn in_full(error: &(dyn std::error::Error + 'static)) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", in_full(source)),
        None => error.to_string(),
    }
}

/// Works on a thread of its own, with a runtime for as long: also where the caller is inside one.
pub(crate) fn aside<T: Send>(work: impl FnOnce(&Runtime) -> Result<T, OpenError> + Send) -> Result<T, OpenError> {
    let work = || {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build().map_err(OpenError::Thread)?;
        let _entered = runtime.enter();
        work(&runtime)
    };
    std::thread::scope(|scope| scope.spawn(work).join())
        .unwrap_or_else(|_| Err(OpenError::Store(failed("the thread broke off"))))
}

/// Makes the root secret where there is none, and opens it: with a wrong key nothing is served.
async fn check_key(connection: &AsyncPgConnection, sealer: &Sealer, now: Time) -> Result<(), Failure> {
    transaction((connection, AT_LENGTH), async |mut connection| {
        // Of two nodes that start on an empty database one makes it; who only reads, as a backup does, is in nobody's way.
        diesel::sql_query("LOCK TABLE root_secret IN SHARE ROW EXCLUSIVE MODE").execute(&mut connection).await?;
        let kept: Option<Vec<u8>> = root_secret::find().first(&mut connection).await.optional()?;
        match kept {
            Some(kept) => {
                root_secret::open(&kept, sealer)?;
            }
            None => {
                root_secret::insert(root_secret::generate(sealer), now.millis()).execute(&mut connection).await?;
            }
        }
        Ok(())
    })
    .await
}
