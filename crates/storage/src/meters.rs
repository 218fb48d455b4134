//! What is measured of commits, for Prometheus.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// A clock that only goes on, for durations: how long ago some moment was.
#[derive(Clone)]
pub struct Stopwatch(Arc<dyn Fn() -> Duration + Send + Sync>);

impl Stopwatch {
    /// A stopwatch that asks `read`.
    pub fn new(read: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }

    /// What it shows.
    pub fn read(&self) -> Duration {
        (self.0)()
    }
}

impl Default for Stopwatch {
    /// One that stands still.
    fn default() -> Self {
        Self::new(Duration::default)
    }
}

impl fmt::Debug for Stopwatch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Stopwatch")
    }
}

/// The meters of one database. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Meters {
    pub(crate) stopwatch: Stopwatch,
    /// From the moment that a transaction begins until it is on the disk, in seconds.
    pub(crate) commit_seconds: Histogram,
    /// Sets of changes in one transaction.
    pub(crate) batch: Histogram,
    /// Sets of changes that wait for their turn.
    pub(crate) waiting: Gauge<i64, AtomicI64>,
}

impl Meters {
    /// Meters that measure by `stopwatch`.
    pub fn new(stopwatch: Stopwatch) -> Self {
        Self {
            stopwatch,
            commit_seconds: Histogram::new(exponential_buckets(0.000_25, 2.0, 15)),
            batch: Histogram::new(exponential_buckets(1.0, 2.0, 10)),
            waiting: Gauge::default(),
        }
    }

    /// Lets `registry` show them.
    pub fn register(&self, registry: &mut Registry) {
        let (seconds, batch, waiting) = (self.commit_seconds.clone(), self.batch.clone(), self.waiting.clone());
        registry.register("commit_seconds", "From the begin of a transaction until it is durable", seconds);
        registry.register("commit_sets", "Sets of changes that share a transaction", batch);
        registry.register("commit_waiting", "Sets of changes that wait for their turn", waiting);
    }

    /// A set of changes waits, until the value is dropped.
    pub(crate) fn wait(&self) -> Waiting<'_> {
        self.waiting.inc();
        Waiting(self)
    }

    /// Measures a transaction of `sets`.
    pub(crate) fn committed(&self, begun: Duration, sets: usize) {
        self.commit_seconds.observe(self.stopwatch.read().saturating_sub(begun).as_secs_f64());
        self.batch.observe(f64::from(u32::try_from(sets).unwrap_or(u32::MAX)));
    }
}

/// A set of changes that waits, also where whoever wanted it has gone.
pub(crate) struct Waiting<'a>(&'a Meters);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.dec();
    }
}

impl Default for Meters {
    /// Meters whose stopwatch stands still.
    fn default() -> Self {
        Self::new(Stopwatch::default())
    }
}
