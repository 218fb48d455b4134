//! Dates and durations in words. Times are seconds since the epoch, in UTC; "now" is handed in.

use time::OffsetDateTime;

use super::{Arguments, Language, text, text_with};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The day: "12 March 2026".
pub fn date(language: Language, at: i64) -> String {
    let Ok(moment) = OffsetDateTime::from_unix_timestamp(at) else {
        return text(language, "date-unknown");
    };
    let arguments = Arguments::from([
        ("day", moment.day().to_string().into()),
        ("month", format!("m{}", u8::from(moment.month())).into()),
        ("year", moment.year().to_string().into()),
    ]);
    text_with(language, "date-day", &arguments)
}

/// The time of the day, in UTC: "09:40".
pub fn time(at: i64) -> String {
    let minutes = at.div_euclid(MINUTE).rem_euclid(DAY / MINUTE);
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// How long ago: "just now", "3 hours ago", "yesterday", "12 days ago"; after a month, the day.
pub fn ago(language: Language, at: i64, now: i64) -> String {
    let passed = now.saturating_sub(at);
    match passed {
        ..120 => text(language, "ago-now"),
        120..HOUR => counted(language, "ago-minutes", passed / MINUTE),
        HOUR..DAY => counted(language, "ago-hours", passed / HOUR),
        _ if passed < 2 * DAY => text(language, "ago-yesterday"),
        _ if passed < 31 * DAY => counted(language, "ago-days", passed / DAY),
        _ => date(language, at),
    }
}

/// How long: "45 seconds", "10 minutes", "12 hours", "30 days", rounded up to whole ones.
pub fn duration(language: Language, seconds: i64) -> String {
    let up = |unit: i64| seconds.saturating_add(unit - 1) / unit;
    match seconds {
        ..=90 => counted(language, "span-seconds", seconds.max(1)),
        91..=5400 => counted(language, "span-minutes", up(MINUTE)),
        5401..=172_800 => counted(language, "span-hours", up(HOUR)),
        _ => counted(language, "span-days", up(DAY)),
    }
}

/// For `<time datetime>`: "2026-03-12T09:30:00Z".
pub fn machine_readable(at: i64) -> String {
    OffsetDateTime::from_unix_timestamp(at)
        .ok()
        .and_then(|moment| moment.format(&time::format_description::well_known::Rfc3339).ok())
        .unwrap_or_default()
}

fn counted(language: Language, key: &str, count: i64) -> String {
    text_with(language, key, &Arguments::from([("count", count.into())]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_773_308_400; // 12 March 2026, 09:40 UTC

    #[test]
    fn a_time_is_told_as_people_tell_it() {
        let told = |passed| ago(Language::En, NOW - passed, NOW);
        assert_eq!(told(-30), "just now");
        assert_eq!(told(HOUR - 1), "59 minutes ago");
        assert_eq!(told(HOUR), "1 hour ago");
        assert_eq!(told(DAY), "yesterday");
        assert_eq!(told(3 * DAY), "3 days ago");
        assert_eq!(told(40 * DAY), "31 January 2026");
        assert_eq!(ago(Language::De, NOW - 3 * DAY, NOW), "vor 3 Tagen");
        assert_eq!(date(Language::De, NOW), "12. März 2026");
        assert_eq!((time(NOW), time(NOW - 10 * HOUR)), ("09:40".to_owned(), "23:40".to_owned()));
    }

    #[test]
    fn a_duration_is_rounded_up() {
        assert_eq!(duration(Language::En, 0), "1 second");
        assert_eq!(duration(Language::En, 91), "2 minutes");
        assert_eq!(duration(Language::De, 12 * HOUR), "12 Stunden");
        assert_eq!(duration(Language::De, 30 * DAY), "30 Tage");
    }

    #[test]
    fn impossible_times_do_not_fall_over() {
        for at in [i64::MIN, i64::MAX, 0] {
            let _ =
                (date(Language::En, at), ago(Language::De, at, NOW), machine_readable(at), duration(Language::En, at));
            let _ = time(at);
        }
    }
}
