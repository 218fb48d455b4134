//! The connections of each thread, kept until the thread or the database ends.

use std::cell::RefCell;
use std::sync::{Arc, Weak};
use std::time::Duration;

use grantor_core::store::StoreError;
use tokio::sync::{Mutex, Notify, OwnedSemaphorePermit};

use super::{Link, Shared};

/// How long nobody on this thread tries to connect again after it failed.
const REST: Duration = Duration::from_millis(100);

/// The connections of one thread to one database.
struct OfThread {
    database: Weak<Shared>,
    reader: Option<Arc<Link>>,
    /// Those that nobody uses at the moment; all threads together keep no more than may be in use at one time.
    writers: Vec<(Link, OwnedSemaphorePermit)>,
    /// Held while the thread's reader is made, so that of many requests one connects.
    connecting: Arc<Mutex<()>>,
    /// Set while the last failure to connect is so recent that the next would fail, too.
    resting: bool,
}

thread_local! {
    static LINKS: RefCell<Vec<OfThread>> = const { RefCell::new(Vec::new()) };
}

/// Works on this thread's connections; `None` while the thread ends.
fn with<T>(shared: &Arc<Shared>, work: impl FnOnce(&mut OfThread) -> T) -> Option<T> {
    LINKS
        .try_with(|all| {
            let mut all = all.borrow_mut();
            let is_of = |links: &OfThread| std::ptr::eq(links.database.as_ptr(), Arc::as_ptr(shared));
            let place = all.iter().position(is_of).unwrap_or_else(|| {
                all.retain(|links| links.database.strong_count() > 0);
                all.push(OfThread {
                    database: Arc::downgrade(shared),
                    reader: None,
                    writers: Vec::new(),
                    connecting: Arc::default(),
                    resting: false,
                });
                all.len() - 1
            });
            work(&mut all[place])
        })
        .ok()
}

/// The connection on which this thread reads.
pub(super) async fn reader(shared: &Arc<Shared>) -> Result<Arc<Link>, StoreError> {
    let known =
        |links: &mut OfThread| links.reader.clone().filter(|link| link.is_open()).ok_or(Arc::clone(&links.connecting));
    let connecting = match with(shared, known).ok_or(StoreError::Unavailable)? {
        Ok(link) => return Ok(link),
        Err(connecting) => connecting,
    };
    let _connecting = connecting.lock().await;
    // Another request of this thread may have connected meanwhile.
    if let Some(Ok(link)) = with(shared, known) {
        return Ok(link);
    }
    let link = Arc::new(connect(shared).await?);
    with(shared, |links| links.reader = Some(Arc::clone(&link)));
    Ok(link)
}

/// Reads no more on a connection that broke off.
pub(super) fn forget_reader(shared: &Arc<Shared>, broken: &Arc<Link>) {
    with(shared, |links| links.reader.take_if(|link| Arc::ptr_eq(link, broken)));
}

/// A connection for a set of changes; whoever took it gives it back, unless it broke off.
pub(super) async fn take_writer(shared: &Arc<Shared>) -> Result<Link, StoreError> {
    let idle = |links: &mut OfThread| {
        links.writers.retain(|(link, _)| link.is_open());
        links.writers.pop().map(|(link, _)| link)
    };
    match with(shared, idle).ok_or(StoreError::Unavailable)? {
        Some(link) => Ok(link),
        None => connect(shared).await,
    }
}

/// Keeps a connection for the next set of changes.
pub(super) fn give_back(shared: &Arc<Shared>, link: Link) {
    if let Ok(place) = Arc::clone(&shared.idle).try_acquire_owned() {
        with(shared, |links| links.writers.push((link, place)));
    }
}

/// Closes this thread's connections.
pub(super) fn close(shared: &Arc<Shared>) {
    with(shared, |links| {
        links.reader = None;
        links.writers.clear();
    });
}

async fn connect(shared: &Arc<Shared>) -> Result<Link, StoreError> {
    if with(shared, |links| links.resting).unwrap_or(true) {
        return Err(StoreError::Unavailable);
    }
    match Link::connect(&shared.address, Arc::new(Notify::new())).await {
        Ok(link) => Ok(link),
        Err(error) => {
            tracing::warn!(%error, "the database cannot be reached");
            with(shared, |links| links.resting = true);
            let shared = Arc::clone(shared);
            tokio::spawn(async move {
                tokio::time::sleep(REST).await;
                with(&shared, |links| links.resting = false);
            });
            Err(StoreError::Unavailable)
        }
    }
}
