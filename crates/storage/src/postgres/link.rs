//! A connection, and whether it still is one.

use std::collections::HashSet;
use std::future::poll_fn;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use grantor_core::backchannel_logout::NoticeChange;
use grantor_core::change::Change;
use tokio::sync::Notify;
use tokio::time::{error::Elapsed, timeout};
use tokio_postgres::AsyncMessage;

use super::address::Address;
use super::{Outcome, PATIENCE};
use crate::apply::takes_several;
use crate::error::Failure;

/// What holds for each connection.
/// * What is committed has reached the disk before anybody is told, also where the database is set otherwise; a stronger
///   setting, as for a standby, stays.
/// * What a statement expects is judged by what is committed when it runs, not when its transaction began.
/// * Who is told that it could not be done shall not find it done later: a statement that has arrived ends before its answer
///   is given up.
/// * A node that vanishes in the middle of a transaction lets go of its rows.
/// * Each statement is planned once, also while the tables are still empty: all of them find rows by an index.
const SETTINGS: &str = "
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
    SET idle_in_transaction_session_timeout = '10s';
    SET default_transaction_isolation = 'read committed';
    SET statement_timeout = '2500ms';
    SET plan_cache_mode = force_generic_plan;
    SET enable_seqscan = off;
    SET jit = off;";

/// How many changes are sent at once at most.
const PIPELINED: usize = 16;

/// How long a connection may take to show that it is still one.
const PROBE: Duration = Duration::from_millis(500);

/// Why there is no connection.
pub(super) type NotConnected = Box<dyn std::error::Error + Send + Sync>;

/// A connection to the database.
pub(super) struct Link {
    pub(super) connection: AsyncPgConnection,
    open: Arc<AtomicBool>,
    /// The kinds of sets of changes whose statements the database has prepared for this connection.
    prepared: Mutex<HashSet<u64>>,
}

/// Marks the connection as closed when the task that drives it ends, also where its runtime ends.
struct Closing {
    open: Arc<AtomicBool>,
    told: Arc<Notify>,
}

impl Drop for Closing {
    fn drop(&mut self) {
        self.open.store(false, Ordering::Release);
        self.told.notify_one();
    }
}

impl Link {
    /// Connects. `told` is notified at each NOTIFY, and when the connection closes.
    pub(super) async fn connect(address: &Address, told: Arc<Notify>) -> Result<Self, NotConnected> {
        // What listens there may be no database, or one that says nothing.
        timeout(PATIENCE, Self::open(address, told)).await.map_err(|_| format!("no answer within {PATIENCE:?}"))?
    }

    async fn open(address: &Address, told: Arc<Notify>) -> Result<Self, NotConnected> {
        let (client, mut driver) = address.config.connect(address.tls.clone()).await?;
        let open = Arc::new(AtomicBool::new(true));
        let closing = Closing { open: Arc::clone(&open), told };
        tokio::spawn(async move {
            loop {
                match poll_fn(|context| driver.poll_message(context)).await {
                    Some(Ok(AsyncMessage::Notification(_))) => closing.told.notify_one(),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => {
                        tracing::debug!(%error, "a connection to the database broke off");
                        return;
                    }
                    None => return,
                }
            }
        });
        client.batch_execute(SETTINGS).await?;
        Ok(Self { connection: AsyncPgConnection::try_from(client).await?, open, prepared: Mutex::default() })
    }

    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// Whether a set of the same kinds of changes went over this connection before.
    pub(super) fn has_prepared(&self, changes: &[Change]) -> bool {
        kind(changes).is_some_and(|kind| self.prepared.lock().unwrap_or_else(PoisonError::into_inner).contains(&kind))
    }

    pub(super) fn remember(&self, changes: &[Change]) {
        self.prepared.lock().unwrap_or_else(PoisonError::into_inner).extend(kind(changes));
    }

    /// Tells an error that the database reported from the end of the connection.
    pub(super) async fn outcome<T>(&self, asked: Result<Result<T, Failure>, Elapsed>) -> Outcome<T> {
        match asked {
            Ok(Err(Failure::Database(error))) => {
                if self.still_answers().await {
                    Outcome::Told(Err(Failure::Database(error)))
                } else {
                    Outcome::Gone
                }
            }
            Ok(Err(Failure::Gone)) | Err(Elapsed { .. }) => Outcome::Gone,
            Ok(told) => Outcome::Told(told),
        }
    }

    /// A database that shuts down, or has become a standby, reports an error as any other.
    async fn still_answers(&self) -> bool {
        let mut connection = &self.connection;
        let writable = "DO $$ BEGIN IF pg_is_in_recovery() THEN RAISE EXCEPTION 'a standby'; END IF; END $$";
        self.is_open() && matches!(timeout(PROBE, connection.batch_execute(writable)).await, Ok(Ok(())))
    }
}

/// A number for the statements of a set; none for a set that is too large to be sent at once, or that takes several
/// statements for one change.
fn kind(changes: &[Change]) -> Option<u64> {
    if changes.len() > PIPELINED || changes.iter().any(takes_several) {
        return None;
    }
    let mut hasher = DefaultHasher::new();
    for change in changes {
        std::mem::discriminant(change).hash(&mut hasher);
        match change {
            Change::GrantsEnd { of, .. } => std::mem::discriminant(of).hash(&mut hasher),
            Change::AttemptsPut { expected, .. } => expected.is_some().hash(&mut hasher),
            Change::ApiTokenWatchPut { expected, .. } => expected.is_some().hash(&mut hasher),
            Change::Outbox(change) => std::mem::discriminant(change).hash(&mut hasher),
            Change::Registration(change) => std::mem::discriminant(change).hash(&mut hasher),
            Change::SecondFactor(change) => std::mem::discriminant(change).hash(&mut hasher),
            Change::Upstream(change) => std::mem::discriminant(change).hash(&mut hasher),
            Change::LogoutNotice(change) => {
                std::mem::discriminant(change).hash(&mut hasher);
                if let NoticeChange::Queue { of, .. } = change {
                    std::mem::discriminant(of).hash(&mut hasher);
                }
            }
            Change::ConsentPut { expected, .. } => expected.is_some().hash(&mut hasher),
            _ => {}
        }
    }
    Some(hasher.finish())
}
