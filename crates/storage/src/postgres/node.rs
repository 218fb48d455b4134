//! The node's own thread: it holds the node's number, and hears at once when another node has changed clients or keys.
//!
//! The number is a lock of the database's: it ends with the connection, so nobody keeps one that is needed no more, and no
//! clock decides. Where the connection breaks off, another node may be given it; the node goes on with one of chance, and
//! takes one of its own again as soon as it can. Whoever had a number before may have had a clock that is ahead: so another one
//! than the last is not used at once.
//!
//! The locks also say how many nodes there are. Who comes new tells the others before it answers anybody; who goes is missed
//! at the next time that they ask. Whoever cannot ask keeps the last count.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use diesel::sql_types::Integer;
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use futures_util::future::try_join;
use grantor_jose::random::NODES;
use tokio::sync::{Notify, oneshot};
use tokio::time::{sleep, timeout};

use super::link::Link;
use super::{PATIENCE, Shared, run};
use crate::directory_revision;
use crate::error::Failure;
use crate::open_error::OpenError;

/// The first half of the locks that are the numbers of nodes; the second half is the number.
const NUMBERS: i32 = 0x6772_616e;

/// How long nothing may be heard before the database is asked, and how long it then may take to answer.
const PROBE: Duration = Duration::from_secs(2);

/// How long a number that may have been another node's is not used; a little more than clocks may differ.
const SETTLING: Duration = Duration::from_secs(6);

/// How long after a failure the next attempt is made.
const REST: Duration = Duration::from_millis(500);

#[derive(diesel::QueryableByName)]
struct Number {
    #[diesel(sql_type = Integer)]
    number: i32,
}

/// The thread, until it is stopped.
pub(super) struct Node {
    thread: Mutex<Option<(oneshot::Sender<()>, JoinHandle<()>)>>,
}

impl Node {
    /// Starts the thread, and waits until it has a number.
    pub(super) fn start(shared: &Arc<Shared>) -> Result<Self, OpenError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(OpenError::Thread)?;
        let (stop, stopped) = oneshot::channel();
        let (ready, is_ready) = mpsc::sync_channel(1);
        let shared = Arc::clone(shared);
        let work = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = keep(&shared, &ready) => {}
                    _ = stopped => {}
                }
            });
        };
        let thread = std::thread::Builder::new().name("grantor-node".into()).spawn(work).map_err(OpenError::Thread)?;
        let node = Self { thread: Mutex::new(Some((stop, thread))) };
        match is_ready.recv() {
            Ok(Ok(())) => Ok(node),
            Ok(Err(why)) => Err(OpenError::Unreachable(why)),
            Err(_) => Err(OpenError::Unreachable("the node's thread broke off".to_owned())),
        }
    }

    pub(super) fn stop(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((stop, thread)) = thread {
            drop(stop);
            if thread.join().is_err() {
                tracing::error!("the node's thread had broken off");
            }
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Listens, and listens again after each break; the first result is told.
async fn keep(shared: &Shared, ready: &mpsc::SyncSender<Result<(), String>>) {
    let mut number = None;
    shared.mint.lose_node();
    loop {
        let ended = listen(shared, &mut number, ready).await;
        shared.mint.lose_node();
        // Only the first is waited for.
        let _ = ready.try_send(ended.as_ref().copied().map_err(ToString::to_string));
        if let Err(error) = ended {
            tracing::warn!(%error, "nothing is heard of other nodes; clients and keys are asked for instead");
        }
        sleep(REST).await;
    }
}

/// `number` is the last one that was used.
async fn listen(
    shared: &Shared,
    number: &mut Option<i32>,
    ready: &mpsc::SyncSender<Result<(), String>>,
) -> Result<(), super::link::NotConnected> {
    let told = Arc::new(Notify::new());
    let link = Link::connect(&shared.address, Arc::clone(&told)).await?;
    let mut connection = &link.connection;
    let taken = take_number(connection, *number).await?;
    let own = taken.and_then(|taken| u8::try_from(taken).ok()).ok_or("96 nodes and commands are using the database")?;
    let settle = async {
        if taken != *number {
            sleep(SETTLING).await;
        }
        shared.mint.set_node(own);
        *number = taken;
        Ok(())
    };
    // The others shall count us, too.
    connection.batch_execute("LISTEN grantor_directory; NOTIFY grantor_directory").await?;
    count_nodes(shared, connection).await?;
    let _ = ready.try_send(Ok(()));
    try_join(settle, hear(shared, (&link, &told))).await.map(|_| ())
}

/// Follows what other nodes change, until the connection breaks off.
async fn hear(shared: &Shared, (link, told): (&Link, &Notify)) -> Result<(), super::link::NotConnected> {
    let mut connection = &link.connection;
    while link.is_open() {
        // A database that is gone says nothing, and another one may give our number to somebody else: this answer, which
        // waits for nobody, decides over the number.
        let revision = timeout(PROBE, directory_revision::find().first(&mut connection)).await??;
        timeout(PROBE, count_nodes(shared, connection)).await??;
        if is_read(shared, revision, &link.connection).await? {
            let _ = timeout(PROBE, told.notified()).await;
        } else {
            sleep(REST).await;
        }
    }
    Err("the connection to the database broke off".into())
}

/// Counts the locks that are numbers of nodes. Those of one number, as the sweeping node has, begin with the same bytes, and
/// are told apart by `objsubid`: 2 is a lock of two numbers.
async fn count_nodes(shared: &Shared, mut connection: &AsyncPgConnection) -> Result<(), Failure> {
    let statement = diesel::sql_query(format!(
        "SELECT count(*)::int AS number FROM pg_locks WHERE locktype = 'advisory' AND classid = {NUMBERS} \
         AND objsubid = 2 AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    ));
    let counted: Number = statement.get_result(&mut connection).await?;
    shared.nodes.store(u32::try_from(counted.number).unwrap_or(1).max(1), Ordering::Relaxed);
    Ok(())
}

/// Reads clients and keys again, where they have changed: before we listened, or by what we were told. Says whether they are
/// as they were at `revision`, or newer; an error where the connection is of no use any more.
async fn is_read(shared: &Shared, revision: i64, connection: &AsyncPgConnection) -> Result<bool, Failure> {
    if revision == shared.newest.revision() {
        return Ok(true);
    }
    // Somebody else who is reading may have begun before the change.
    let Ok(_reading) = timeout(REST, shared.reading.lock()).await else { return Ok(false) };
    let last = shared.newest.get();
    let rows = timeout(PATIENCE, run::snapshot(&last, connection)).await.map_err(|_| Failure::Gone)?;
    let read = rows.and_then(|rows| Ok(shared.newest.replace(rows, &shared.context.sealer)?));
    if let Err(error) = &read {
        tracing::error!(%error, "clients and keys could not be read; the last known ones stay in use");
    }
    Ok(read.is_ok())
}

/// The first number that nobody has; the last one, where it is still free. None where all are taken.
async fn take_number(mut connection: &AsyncPgConnection, last: Option<i32>) -> Result<Option<i32>, Failure> {
    let statement = diesel::sql_query(format!(
        "SELECT number FROM generate_series(-1, {NODES} - 1) AS number \
         WHERE pg_try_advisory_lock({NUMBERS}, CASE number WHEN -1 THEN {} ELSE number END) LIMIT 1",
        last.unwrap_or_default()
    ));
    let found: Vec<Number> = statement.load(&mut connection).await?;
    let number = found.as_slice().first().map(|found| found.number);
    Ok(number.map(|number| if number == -1 { last.unwrap_or_default() } else { number }))
}
