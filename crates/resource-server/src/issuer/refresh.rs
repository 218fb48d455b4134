//! The task in the background that reads the issuer again and again.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::{Ended, Issuer, ReadError};

/// The shortest time between two readings that nobody asked for.
const SHORTEST: Duration = Duration::from_secs(10);
/// For how long keys are good whose answer does not say.
const UNSAID: Duration = Duration::from_mins(5);
/// The longest pause after a failure; the first one is a second.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The task; it ends with this value.
#[derive(Debug)]
pub(crate) struct Refresher(AbortHandle);

impl Refresher {
    /// Starts to read the issuer. There must be a runtime.
    pub(crate) fn start(issuer: Arc<Issuer>) -> Self {
        Self(tokio::spawn(async move { issuer.keep_fresh().await }).abort_handle())
    }
}

impl Drop for Refresher {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Issuer {
    /// Reads the issuer at once, whenever what is known has reached its age, and soon after somebody wants it.
    async fn keep_fresh(&self) {
        let (mut failures, mut is_due) = (0_u32, true);
        let mut due = Box::pin(sleep(Duration::ZERO));
        loop {
            let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
            let earliest = sleep(self.pace.refetch);
            // Where the issuer answers changes hardly ever: that is read when it is due, or the last reading failed, not for each
            // unknown key.
            let endpoints =
                self.known.load().as_ref().filter(|_| !is_due && failures == 0).map(|known| known.endpoints.clone());
            let outcome = self.read(endpoints).await;
            failures = if outcome.is_ok() { 0 } else { failures.saturating_add(1) };
            if is_due || outcome.is_err() {
                due = Box::pin(sleep(self.pause(&outcome, failures)));
            }
            self.tell(number, outcome.err());
            tokio::select! {
                () = &mut due => is_due = true,
                () = self.wanted.notified() => is_due = false,
            }
            earliest.await;
        }
    }

    /// How long until the next reading that is due.
    fn pause(&self, outcome: &Result<Option<Duration>, ReadError>, failures: u32) -> Duration {
        match outcome {
            Ok(max_age) => {
                let age = max_age.unwrap_or(UNSAID).max(SHORTEST);
                age.min(self.pace.refresh)
            }
            Err(_) => Duration::from_secs(1_u64 << (failures - 1).min(5)).min(LONGEST_PAUSE).min(self.pace.refresh),
        }
    }

    fn tell(&self, number: u64, failure: Option<ReadError>) {
        let failure = failure.map(|failure| {
            tracing::warn!(issuer = self.name, %failure, "the keys of the issuer could not be read");
            Arc::from(failure.to_string())
        });
        self.ended.send_replace(Ended { number, failure });
    }
}
