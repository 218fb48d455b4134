//! The system's clock: the one place that reads it.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use grantor_core::time::Time;
use grantor_storage::Stopwatch;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// This moment, by the system's clock.
pub fn system_time() -> Time {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

/// How long this process has been measuring.
pub fn stopwatch() -> Stopwatch {
    let begun = Instant::now();
    Stopwatch::new(move || begun.elapsed())
}

/// A moment for people and machines: `2026-11-24T09:31:00Z`.
pub fn text(time: Time) -> String {
    let moment = OffsetDateTime::from_unix_timestamp(time.seconds()).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    moment.format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_to_the_second() {
        assert_eq!(text(Time::from_millis(1_795_512_660_999)), "2026-11-24T09:31:00Z");
        assert_eq!(text(Time::from_millis(i64::MAX)), "1970-01-01T00:00:00Z");
    }
}
