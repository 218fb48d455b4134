//! Moments and lifetimes. Core never reads a clock: each function is handed the moment it decides at.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(i64);

impl Time {
    /// The moment `milliseconds` after the epoch.
    pub const fn from_millis(milliseconds: i64) -> Self {
        Self(milliseconds)
    }

    /// The moment `seconds` after the epoch; saturates.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, as tokens carry them (RFC 7519 §2, `NumericDate`).
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Whole days since the epoch.
    pub const fn day(self) -> i64 {
        self.0.div_euclid(86_400_000)
    }

    /// This moment and `lifetime` more; saturates.
    #[must_use]
    pub fn plus(self, lifetime: Duration) -> Self {
        Self(self.0.saturating_add(milliseconds(lifetime)))
    }

    /// This moment less `lifetime`; saturates.
    #[must_use]
    pub fn minus(self, lifetime: Duration) -> Self {
        Self(self.0.saturating_sub(milliseconds(lifetime)))
    }

    /// How long ago `earlier` was; zero when it lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        let elapsed = self.0.saturating_sub(earlier.0);
        Duration::from_millis(u64::try_from(elapsed).unwrap_or(0))
    }
}

fn milliseconds(lifetime: Duration) -> i64 {
    i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_never_wraps() {
        assert_eq!(Time::from_millis(i64::MAX).plus(Duration::MAX), Time::from_millis(i64::MAX));
        assert_eq!(Time::from_millis(i64::MIN).minus(Duration::MAX), Time::from_millis(i64::MIN));
        assert_eq!(Time::from_millis(5).since(Time::from_millis(9)), Duration::ZERO);
    }
}
