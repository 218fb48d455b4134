//! How many requests are too many: one limit, and one decision by it.
//!
//! The rule is the generic cell rate algorithm. Each request costs a time, 100 ms where 600 a minute are allowed; what somebody
//! owes goes down as time passes, and nobody may owe more than the burst. So a limit of 600 a minute with a burst of ten
//! seconds answers 100 at once and then one each 100 ms, and one number is all that has to be kept of anybody.
//!
//! # Several servers
//!
//! Each server counts for itself. Where there are `n`, a request costs each of them `(n + 1) / 2` times as much: together they
//! allow `2 n / (n + 1)` of the limit, which is less than twice, also while one of them does not know of another one yet, or is
//! not known to the others any more: `n` that each think they are `n`, and one more that knows of all, allow
//! `2 n / (n + 1) + 2 / (n + 2)`, which is less than 2. Who always speaks to the same server may ask it `2 / (n + 1)` of the limit.
//!
//! Times are nanoseconds.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

/// So many requests in a time: `600/m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    requests: NonZeroU32,
    per: Period,
}

/// What a rate counts by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Period {
    Second,
    Minute,
    Hour,
    Day,
}

impl Period {
    const ALL: [Self; 4] = [Self::Second, Self::Minute, Self::Hour, Self::Day];

    const fn letter(self) -> &'static str {
        match self {
            Self::Second => "s",
            Self::Minute => "m",
            Self::Hour => "h",
            Self::Day => "d",
        }
    }

    const fn duration(self) -> Duration {
        match self {
            Self::Second => Duration::from_secs(1),
            Self::Minute => Duration::from_mins(1),
            Self::Hour => Duration::from_hours(1),
            Self::Day => Duration::from_hours(24),
        }
    }
}

impl Rate {
    /// `requests` a minute; at least one.
    pub const fn per_minute(requests: u32) -> Self {
        match NonZeroU32::new(requests) {
            Some(requests) => Self { requests, per: Period::Minute },
            None => Self { requests: NonZeroU32::MIN, per: Period::Minute },
        }
    }
}

/// Text that is no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no rate; write it as \"20/s\", \"600/m\", \"10000/h\" or \"50000/d\"")]
pub struct RateTextError;

impl FromStr for Rate {
    type Err = RateTextError;

    fn from_str(text: &str) -> Result<Self, RateTextError> {
        let (requests, letter) = text.split_once('/').ok_or(RateTextError)?;
        let per = Period::ALL.into_iter().find(|period| period.letter() == letter.trim()).ok_or(RateTextError)?;
        let requests = requests.trim();
        if !requests.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(RateTextError);
        }
        Ok(Self { requests: requests.parse().map_err(|_| RateTextError)?, per })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.requests, self.per.letter())
    }
}

/// A limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// How many requests in the long run.
    pub rate: Rate,
    /// As many as the rate gives in so long may come at once; at least one.
    pub burst: Duration,
}

impl Allowance {
    /// The limit as one of `nodes` servers keeps it.
    pub fn price(&self, nodes: u32) -> Price {
        // Rounded up: never a little more than the limit.
        let shares = u64::from(nodes.max(1)) + 1;
        let cost = nanoseconds(self.rate.per.duration()).saturating_mul(shares);
        let cost = cost.div_ceil(2 * u64::from(self.rate.requests.get()));
        Price { cost, most: nanoseconds(self.burst).max(cost) }
    }
}

/// What a request costs, and how much anybody may owe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    cost: u64,
    most: u64,
}

impl Price {
    /// What somebody owes who owed `owed` and asks once more; how long they have to wait where that is too much.
    ///
    /// # Errors
    /// The wait.
    pub fn charge(self, owed: u64) -> Result<u64, Wait> {
        let after = owed.min(self.most).saturating_add(self.cost);
        if after <= self.most { Ok(after) } else { Err(Wait(after - self.most)) }
    }

    /// The most that somebody may owe.
    pub const fn most(self) -> u64 {
        self.most
    }

    /// The most that somebody may owe whose next request is answered.
    pub const fn most_before(self) -> u64 {
        self.most - self.cost
    }

    /// How many requests may come at once from somebody who owes nothing.
    pub const fn quota(self) -> u64 {
        self.most / self.cost
    }

    /// In how many seconds as many are allowed again; at least 1.
    pub const fn window(self) -> u64 {
        whole_seconds(self.most)
    }
}

/// How long somebody has to wait, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait(u64);

impl Wait {
    /// In whole seconds, at least 1: for `Retry-After`.
    pub const fn seconds(self) -> u64 {
        whole_seconds(self.0)
    }
}

const fn whole_seconds(nanoseconds: u64) -> u64 {
    let seconds = nanoseconds.div_ceil(1_000_000_000);
    if seconds == 0 { 1 } else { seconds }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: u64 = 1_000_000_000;

    fn allowance(rate: &str, burst: u64) -> Allowance {
        Allowance { rate: rate.parse().unwrap(), burst: Duration::from_secs(burst) }
    }

    /// How many of the requests at these moments are answered.
    fn answered(price: Price, moments: impl IntoIterator<Item = u64>) -> u64 {
        let mut until = 0_u64;
        let answered = |now: u64| match price.charge(until.saturating_sub(now)) {
            Ok(owed) => {
                until = now + owed;
                true
            }
            Err(_) => false,
        };
        moments.into_iter().map(answered).filter(|answered| *answered).count() as u64
    }

    #[test]
    fn a_rate_is_read_as_it_is_written() {
        for text in ["1/s", "600/m", "10000/h", "4294967295/d"] {
            assert_eq!(text.parse::<Rate>().unwrap().to_string(), text);
        }
        for text in ["", "600", "600/", "/m", "0/m", "-1/m", "+1/m", "1.5/s", "600/minute", "600 per m", "4294967296/s"]
        {
            assert_eq!(text.parse::<Rate>(), Err(RateTextError), "{text}");
        }
    }

    #[test]
    fn a_burst_comes_at_once_and_then_one_by_one() {
        let price = allowance("600/m", 10).price(1);
        assert_eq!((price.quota(), price.window()), (100, 10));
        assert_eq!(answered(price, std::iter::repeat_n(SECOND, 1000)), 100);
        let each_ten_milliseconds = (0..1000).map(|number| SECOND + number * SECOND / 100);
        assert_eq!(answered(price, each_ten_milliseconds), 100 + 99);
    }

    #[test]
    fn the_wait_is_told_in_whole_seconds_and_is_enough() {
        let price = allowance("2/m", 30).price(1);
        let owed = price.charge(0).unwrap();
        let wait = price.charge(owed).unwrap_err();
        assert_eq!(wait.seconds(), 30);
        assert!(price.charge(owed - wait.seconds() * SECOND).is_ok());
        assert_eq!(allowance("1000/s", 1).price(1).charge(u64::MAX).unwrap_err().seconds(), 1);
    }

    #[test]
    fn one_request_is_always_answered_of_somebody_who_owes_nothing() {
        for nodes in [1, 2, 50] {
            let price = allowance("1/d", 0).price(nodes);
            assert_eq!((price.quota(), price.charge(0)), (1, Ok(price.most())));
        }
    }

    proptest! {
        #[test]
        fn servers_together_allow_at_most_twice_the_limit(
            nodes in 1..96_u32, requests in 1..1_000_000_u32, burst in 1..4000_u64, letter in "[smhd]"
        ) {
            let allowance = allowance(&format!("{requests}/{letter}"), burst);
            let (period, burst) = (allowance.rate.per.duration().as_nanos(), allowance.burst.as_nanos());
            prop_assume!(u128::from(allowance.price(nodes + 1).cost) <= burst);
            let together = |count: u32, known: u32| u128::from(count) * u128::from(allowance.price(known).quota());
            let is_within = |quota: u128| quota * period <= 2 * burst * u128::from(requests);
            prop_assert!(is_within(together(nodes, nodes)));
            prop_assert!(is_within(together(nodes, nodes) + together(1, nodes + 1)), "one that the others do not know");
            prop_assert!(is_within(together(nodes, nodes + 1) + together(1, nodes)), "one that knows too few");
        }

        #[test]
        fn in_any_time_at_most_the_burst_and_the_rate_are_answered(
            requests in 1..10_000_u32, burst in 0..100_u64, nodes in 1..8_u32,
            steps in proptest::collection::vec(0..2 * SECOND, 1..200)
        ) {
            let price = allowance(&format!("{requests}/m"), burst).price(nodes);
            let moments: Vec<u64> =
                steps.iter().scan(SECOND, |now, step| { *now += step; Some(*now) }).collect();
            let took = moments.last().unwrap() - moments.first().unwrap();
            prop_assert!(answered(price, moments) <= (price.most + took) / price.cost);
        }
    }
}
