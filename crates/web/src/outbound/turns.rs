//! How much is asked of other servers at once: one that answers slowly shall not keep the others from being asked.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::OutboundError;

/// Of all hosts together.
const AT_ONCE: usize = 32;
/// Of each host.
const OF_HOST: usize = 8;

/// Who is being asked.
#[derive(Debug)]
pub(super) struct Turns {
    all: Semaphore,
    /// How much each host is asked at the moment; it has no entry without.
    hosts: Mutex<HashMap<String, usize>>,
}

impl Default for Turns {
    fn default() -> Self {
        Self { all: Semaphore::new(AT_ONCE), hosts: Mutex::default() }
    }
}

/// Leave to ask, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    _of_host: OfHost<'a>,
    _of_all: SemaphorePermit<'a>,
}

#[derive(Debug)]
struct OfHost<'a> {
    turns: &'a Turns,
    host: String,
}

impl Turns {
    /// Waits for so long until it may be asked.
    pub(super) async fn take(&self, host: &str, patience: Duration) -> Result<Turn<'_>, OutboundError> {
        let of_host = self.of_host(host).ok_or(OutboundError::Busy)?;
        match timeout(patience, self.all.acquire()).await {
            Ok(Ok(permit)) => Ok(Turn { _of_host: of_host, _of_all: permit }),
            _ => Err(OutboundError::Busy),
        }
    }

    fn of_host(&self, host: &str) -> Option<OfHost<'_>> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = hosts.entry(host.to_owned()).or_default();
        if *asked >= OF_HOST {
            return None;
        }
        *asked += 1;
        Some(OfHost { turns: self, host: host.to_owned() })
    }
}

impl Drop for OfHost<'_> {
    fn drop(&mut self) {
        let mut hosts = self.turns.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(asked) = hosts.get_mut(&self.host) {
            *asked -= 1;
            if *asked == 0 {
                hosts.remove(&self.host);
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const AT_LEAST: Duration = Duration::from_millis(1);

    #[tokio::test]
    async fn one_host_does_not_take_all_turns() {
        let turns = Turns::default();
        let mut slow = Vec::new();
        for _ in 0..OF_HOST {
            slow.push(turns.take("slow.example", AT_LEAST).await.unwrap());
        }
        assert!(matches!(turns.take("slow.example", AT_LEAST).await, Err(OutboundError::Busy)));
        assert!(turns.take("fast.example", AT_LEAST).await.is_ok());
        slow.pop();
        assert!(turns.take("slow.example", AT_LEAST).await.is_ok());
    }

    #[tokio::test]
    async fn all_together_have_so_many_turns_and_what_is_over_leaves_nothing() {
        let turns = Turns::default();
        let mut taken = Vec::new();
        for number in 0..AT_ONCE {
            taken.push(turns.take(&format!("{number}.example"), AT_LEAST).await.unwrap());
        }
        assert!(matches!(turns.take("one-more.example", AT_LEAST).await, Err(OutboundError::Busy)));
        drop(taken);
        assert!(turns.hosts.lock().unwrap().is_empty());
    }
}
