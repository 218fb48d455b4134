//! The time.

use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What tells the time: the system, or whatever a test hands in.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Moment + Send + Sync>);

/// A point in time, by both of its measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Seconds since 1970, as tokens have them. It may be set, back as well.
    pub(crate) unix: i64,
    /// The time since some beginning, for how long things may be kept. It only goes on.
    pub(crate) steady: Duration,
}

impl Clock {
    /// The system's.
    pub fn system() -> Self {
        Self(Arc::new(system))
    }

    /// One of a test: `time` is the time since 1970.
    pub fn new(time: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self(Arc::new(move || {
            let steady = time();
            Moment { unix: seconds(steady), steady }
        }))
    }

    pub(crate) fn now(&self) -> Moment {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this crate stands in other programs, so it reads the clock itself: here"
)]
fn system() -> Moment {
    static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);
    // A clock before 1970 makes every token one of the future, and none expired: taken as the end of time instead, it refuses all.
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).map_or(i64::MAX, seconds);
    let beginning = *BEGINNING;
    Moment { unix, steady: Instant::now().saturating_duration_since(beginning) }
}

fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_clock_goes_on() {
        let clock = Clock::system();
        let (first, second) = (clock.now(), clock.now());
        assert!(first.unix > 1_700_000_000 && second.steady >= first.steady);
    }
}
