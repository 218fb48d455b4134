//! Looking up names, so that what was checked is what is connected to.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

use super::guard::Guard;
use super::turns::Turn;

/// How many names are looked up at once for nobody who has a turn.
const WITHOUT_TURN: usize = 4;

tokio::task_local! {
    /// The turn in which a request is sent, for the look-up of its name.
    pub(super) static TURN: Turn;
}

/// The system's names.
pub(super) struct System {
    without_turn: Arc<Semaphore>,
}

impl Default for System {
    fn default() -> Self {
        Self { without_turn: Arc::new(Semaphore::new(WITHOUT_TURN)) }
    }
}

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        // The system's look-up cannot be stopped: it keeps the turn until it is over, whether its answer is still waited for or
        // not. Otherwise names that nobody answers for would take one thread after the other.
        let (turn, without) = (TURN.try_with(Turn::clone).ok(), Arc::clone(&self.without_turn));
        Box::pin(async move {
            let permit = if turn.is_none() { Some(without.acquire_owned().await?) } else { None };
            let looking_up = tokio::task::spawn_blocking(move || {
                // The port is that of the URL, which the connection knows.
                let found = (name.as_str(), 0).to_socket_addrs().map(Iterator::collect::<Vec<SocketAddr>>);
                drop((turn, permit));
                found
            });
            Ok(Box::new(looking_up.await??.into_iter()) as Addrs)
        })
    }
}

/// Names whose addresses have been checked. The client connects to what it is given here, and to nothing else.
pub(crate) struct Checked {
    pub(super) guard: Arc<Guard>,
    names: Arc<dyn Resolve>,
}

impl Checked {
    pub(super) fn new(guard: Arc<Guard>, names: Arc<dyn Resolve>) -> Self {
        Self { guard, names }
    }
}

impl fmt::Debug for Checked {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Checked({:?})", self.guard)
    }
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, host) = (Arc::clone(&self.guard), name.as_str().to_owned());
        let found = self.names.resolve(name);
        Box::pin(async move {
            let found: Vec<SocketAddr> = found.await?.collect();
            // One bad address among good ones is no accident: the name is refused as a whole.
            for address in &found {
                guard.check_address(&host, address.ip())?;
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
