//! How many wrong passwords are too many.
//!
//! # What is counted
//!
//! A table of fixed size has 65,536 slots for accounts, as many for addresses, for known browsers, and for codes of second factors.
//! A slot's number is a keyed hash of the normalised name, of the address (IPv6 by its /64), of the browser's proof. So an account that
//! does not exist is counted like one that does, a flood of names leaves a bounded number of rows, and the table tells no name. Two names
//! share a slot once in 65,536 times: then they share their limit.
//!
//! A stranger's attempt counts on the account and on the address. An attempt from a browser that this account knows
//! ([`KnownBrowser`]) counts on that browser alone: guessing elsewhere does not lock its owner out.
//!
//! A code of a second factor counts on its person alone, in whichever browser. Who gives one knows the password already, and could have
//! come with it in many browsers: slots of their own would be so many limits.
//!
//! # In which order
//!
//! 1. Load the attempts of [`Slots::stranger`] or [`Slots::known_browser`].
//! 2. [`decide`]. On `Wait`, the password is not even looked at.
//! 3. Commit [`after_failure`] for both slots, **before** the password is checked: of many attempts at once each must count. The commit
//!    should expect what was loaded, and start again from 1 when it finds something else.
//! 4. Check the password.
//! 5. If it was right, commit [`after_success`] for the account's (or browser's) slot and [`taken_back`] for the address's. One good
//!    account must not wipe out what its owner guesses at others, so an address gets back only what this attempt took. So does the
//!    slot of codes, by [`given_back`]: two people may share it.
//!
//! Times are milliseconds since the epoch.

use std::net::IpAddr;
use std::time::Duration;

use grantor_jose::mac::MacKey;

use crate::address::counted_as;
use crate::browser::KnownBrowser;
use crate::username::Username;

/// How many slots each kind has.
const SLOTS_OF_A_KIND: i64 = 65_536;
/// Above the limit, waits stop growing long before so many more failures.
const MOST_BEYOND_LIMIT: i64 = 64;

/// A row of the table of attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotKey(i64);

impl SlotKey {
    /// The row's number: 0 to 65,535 for accounts, from there as many for addresses, then for known browsers, then for codes.
    pub const fn number(self) -> i64 {
        self.0
    }

    fn new(key: &MacKey, kind: i64, what: &[u8]) -> Self {
        let [high, low, ..] = key.tag(&[b"attempts", &kind.to_be_bytes(), what]);
        Self(kind * SLOTS_OF_A_KIND + i64::from(u16::from_be_bytes([high, low])))
    }
}

/// Where an attempt counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots {
    /// The slot of the account, or of the browser that it knows. None when what was typed cannot be a name.
    pub account: Option<SlotKey>,
    /// The slot of the address; none for a known browser.
    pub address: Option<SlotKey>,
}

impl Slots {
    /// Where the attempt of a stranger counts.
    pub fn stranger(username: Option<&Username>, address: IpAddr, key: &MacKey) -> Self {
        let octets = match counted_as(address) {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        let account = username.map(|username| SlotKey::new(key, 0, username.as_str().as_bytes()));
        Self { account, address: Some(SlotKey::new(key, 1, &octets)) }
    }

    /// Where a code of a second factor counts that somebody gives who has proved the password, or is signed in; `user` is what names
    /// the person. Not where passwords count: whoever guesses at those locks nobody out of their codes.
    pub fn second_factor(user: &str, key: &MacKey) -> Self {
        Self { account: Some(SlotKey::new(key, 3, user.as_bytes())), address: None }
    }

    /// Where the attempt of a known browser counts.
    pub fn known_browser(browser: KnownBrowser, key: &MacKey) -> Self {
        Self { account: Some(SlotKey::new(key, 2, browser.as_bytes())), address: None }
    }
}

/// What a slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts {
    /// How many failed, or are not decided yet.
    pub failures: i64,
    /// Below the limit: since when they are counted. From the limit on: when the last one failed, since the wait begins there.
    pub window_started: i64,
}

/// The limit of one kind of slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// So many attempts may fail within a window; then come waits. At least 1.
    pub failures: u32,
    /// How long a window is.
    pub window: Duration,
    /// The wait after the last free failure. It doubles with each failure after it.
    pub first_wait: Duration,
    /// The longest wait.
    pub longest_wait: Duration,
    /// After how long without a failure everything is forgotten, once the limit was reached.
    pub forgotten_after: Duration,
}

/// The limits on wrong passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThrottlePolicy {
    /// For an account, and for each browser that it knows. Default: 10 in 15 minutes, then waits of 30 seconds doubling up to
    /// 15 minutes, forgotten after a day: about a hundred guesses a day.
    pub account: Limit,
    /// For an address. Default: 50 in 15 minutes, then a wait of 15 minutes.
    pub address: Limit,
    /// For the codes of a person's second factor. Default: 10 in a day, then waits of 30 seconds doubling up to an hour, forgotten
    /// after a day: about forty guesses a day at one in some 300,000.
    pub code: Limit,
}

impl ThrottlePolicy {
    /// The same, where the account's slot is one of codes.
    #[must_use]
    pub const fn of_codes(self) -> Self {
        Self { account: self.code, ..self }
    }
}

const QUARTER: Duration = Duration::from_mins(15);

impl Default for ThrottlePolicy {
    fn default() -> Self {
        let day = Duration::from_hours(24);
        let account = Limit {
            failures: 10,
            window: QUARTER,
            first_wait: Duration::from_secs(30),
            longest_wait: QUARTER,
            forgotten_after: day,
        };
        let address = Limit { failures: 50, first_wait: QUARTER, forgotten_after: QUARTER, ..account };
        let code = Limit { window: day, longest_wait: Duration::from_hours(1), ..account };
        Self { account, address, code }
    }
}

/// Whether a password may be checked now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may.
    Allow,
    /// Not now.
    Wait {
        /// After how many seconds it may; at least 1. For people and for `Retry-After`.
        seconds: u64,
    },
}

/// Whether an attempt may be made, given what its slots hold.
pub fn decide(account: Option<Attempts>, address: Option<Attempts>, policy: &ThrottlePolicy, now: i64) -> Decision {
    let wait = |attempts: Option<Attempts>, limit| attempts.map_or(0, |attempts| wait_left(attempts, limit, now));
    match wait(account, &policy.account).max(wait(address, &policy.address)) {
        0 => Decision::Allow,
        milliseconds => Decision::Wait { seconds: milliseconds.div_ceil(1000) },
    }
}

/// What a slot holds after one more failure, or before an attempt that may become one.
pub fn after_failure(attempts: Option<Attempts>, limit: &Limit, now: i64) -> Attempts {
    let Some(attempts) = attempts.filter(|attempts| counts(*attempts, limit, now)) else {
        return Attempts { failures: 1, window_started: now };
    };
    let (most, limit) = (i64::from(limit.failures) + MOST_BEYOND_LIMIT, i64::from(limit.failures));
    let failures = attempts.failures.saturating_add(1).min(most);
    Attempts { failures, window_started: if failures < limit { attempts.window_started } else { now } }
}

/// What the slot of an account, or of a browser that it knows, holds after a right password: nothing.
pub const fn after_success(now: i64) -> Attempts {
    Attempts { failures: 0, window_started: now }
}

/// What the slot of an address holds when the attempt counted by [`after_failure`] did not fail.
#[must_use]
pub fn taken_back(attempts: Attempts) -> Attempts {
    Attempts { failures: attempts.failures.saturating_sub(1).max(0), ..attempts }
}

/// What a slot of codes holds after a right one: what it held `before` the attempt was counted, where nothing was counted since, so that
/// the wait is the one that it was.
#[must_use]
pub fn given_back(before: Option<Attempts>, counted: Attempts, now_held: Attempts) -> Attempts {
    match before {
        Some(before) if now_held == counted => before,
        _ => taken_back(now_held),
    }
}

/// Whether this is the attempt with which the free ones of a window are used up.
pub fn is_last_free(attempts: Attempts, limit: &Limit) -> bool {
    attempts.failures == i64::from(limit.failures)
}

/// How many milliseconds are left to wait.
fn wait_left(attempts: Attempts, limit: &Limit, now: i64) -> u64 {
    if attempts.failures < i64::from(limit.failures.max(1)) || !counts(attempts, limit, now) {
        return 0;
    }
    let beyond = attempts.failures.saturating_sub(i64::from(limit.failures)).clamp(0, MOST_BEYOND_LIMIT);
    let doubled = u32::try_from(beyond).ok().and_then(|beyond| 1_u64.checked_shl(beyond)).unwrap_or(u64::MAX);
    let wait = milliseconds(limit.first_wait).saturating_mul(doubled).min(milliseconds(limit.longest_wait));
    wait.saturating_sub(age(attempts, now))
}

/// Whether what a slot holds still counts.
fn counts(attempts: Attempts, limit: &Limit, now: i64) -> bool {
    let below = attempts.failures < i64::from(limit.failures.max(1));
    let kept = if below { limit.window } else { limit.forgotten_after.max(limit.longest_wait) };
    attempts.failures > 0 && age(attempts, now) < milliseconds(kept)
}

/// How far away the slot's moment is. A moment that lies ahead, because the clock was set back, is as far away as one that long ago:
/// a small step back keeps a wait, a large one does not make it endless.
fn age(attempts: Attempts, now: i64) -> u64 {
    now.abs_diff(attempts.window_started)
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use grantor_jose::id::Id;

    use crate::browser::{BrowserCookie, Holder};
    use grantor_jose::random::Random;
    use proptest::prelude::*;

    const NOW: i64 = 1_800_000_000_000;
    const SECOND: i64 = 1000;

    fn policy() -> ThrottlePolicy {
        ThrottlePolicy::default()
    }

    fn name(text: &str) -> Username {
        Username::parse(text).unwrap()
    }

    fn slots(username: &str, address: &str) -> Slots {
        Slots::stranger(Some(&name(username)), address.parse().unwrap(), &MacKey::new([1; 32]))
    }

    fn failed(times: usize, limit: &Limit, now: i64) -> Option<Attempts> {
        (0..times).fold(None, |attempts, _| Some(after_failure(attempts, limit, now)))
    }

    #[test]
    fn the_eleventh_guess_waits_and_waits_double() {
        let policy = policy();
        let decide = |attempts, now| decide(attempts, None, &policy, now);
        assert_eq!(decide(failed(9, &policy.account, NOW), NOW), Decision::Allow);
        let mut attempts = failed(10, &policy.account, NOW);
        let mut now = NOW;
        for seconds in [30_i64, 60, 120, 240, 480, 900, 900, 900] {
            assert_eq!(decide(attempts, now), Decision::Wait { seconds: seconds.cast_unsigned() });
            now += seconds * SECOND;
            assert_eq!(decide(attempts, now - 1), Decision::Wait { seconds: 1 });
            assert_eq!(decide(attempts, now), Decision::Allow);
            attempts = Some(after_failure(attempts, &policy.account, now));
        }
        assert_eq!(after_failure(attempts, &policy.account, now + 24 * 3600 * SECOND).failures, 1);
    }

    #[test]
    fn an_address_waits_after_fifty() {
        let policy = policy();
        let decide = |attempts, now| decide(None, attempts, &policy, now);
        assert_eq!(decide(failed(49, &policy.address, NOW), NOW), Decision::Allow);
        let attempts = failed(50, &policy.address, NOW);
        assert_eq!(decide(attempts, NOW), Decision::Wait { seconds: 900 });
        assert_eq!(decide(attempts, NOW + 900 * SECOND), Decision::Allow);
        assert_eq!(after_failure(attempts, &policy.address, NOW + 900 * SECOND).failures, 1);
    }

    #[test]
    fn the_longer_wait_counts() {
        let policy = policy();
        let both = decide(failed(10, &policy.account, NOW), failed(50, &policy.address, NOW), &policy, NOW);
        assert_eq!(both, Decision::Wait { seconds: 900 });
    }

    #[test]
    fn a_right_password_clears_the_account_but_not_the_address() {
        let policy = policy();
        assert_eq!(decide(Some(after_success(NOW)), None, &policy, NOW), Decision::Allow);
        assert_eq!(after_failure(Some(after_success(NOW)), &policy.account, NOW).failures, 1);
        let address = failed(20, &policy.address, NOW);
        assert_eq!(taken_back(after_failure(address, &policy.address, NOW)), address.unwrap());
    }

    #[test]
    fn nine_codes_in_each_quarter_of_an_hour_wait_like_any_others() {
        let policy = policy().of_codes();
        let (mut attempts, mut now, mut looked_at) = (None, NOW, 0);
        for _ in 0..96 {
            for _ in 0..9 {
                if decide(attempts, None, &policy, now) == Decision::Allow {
                    attempts = Some(after_failure(attempts, &policy.account, now));
                    looked_at += 1;
                }
            }
            now += 15 * 60 * SECOND;
        }
        assert!((10..50).contains(&looked_at), "{looked_at}");
    }

    #[test]
    fn a_right_code_gives_back_what_it_took_and_nothing_else() {
        let limit = policy().code;
        let before = failed(12, &limit, NOW).unwrap();
        let counted = after_failure(Some(before), &limit, NOW + 500 * SECOND);
        assert_eq!(given_back(Some(before), counted, counted), before);
        let more = after_failure(Some(counted), &limit, NOW + 900 * SECOND);
        assert_eq!(given_back(Some(before), counted, more).failures, counted.failures, "what others guess stays");
        let first = after_failure(None, &limit, NOW);
        assert_eq!(given_back(None, first, first).failures, 0);
        let is_told = |times: &usize| is_last_free(failed(*times, &limit, NOW).unwrap(), &limit);
        assert_eq!((1..20).filter(is_told).collect::<Vec<_>>(), [10]);
    }

    #[test]
    fn codes_count_on_their_person() {
        let key = MacKey::new([1; 32]);
        let of = |user| Slots::second_factor(user, &key);
        assert_eq!(of("7"), of("7"));
        assert_ne!(of("7"), of("8"));
        assert!(of("7").address.is_none() && of("7").account.unwrap().number() >= 3 * 65_536);
    }

    #[test]
    fn a_clock_set_back_neither_frees_nor_locks_for_ever() {
        let policy = policy();
        let attempts = failed(10, &policy.account, NOW);
        assert_eq!(decide(attempts, None, &policy, NOW - 10 * SECOND), Decision::Wait { seconds: 20 });
        assert_eq!(decide(attempts, None, &policy, NOW - 365 * 24 * 3600 * SECOND), Decision::Allow);
    }

    #[test]
    fn spellings_of_a_name_and_addresses_of_a_network_share_a_slot() {
        let one = slots("alice", "2001:db8::1");
        assert_eq!(one, slots("  ALICE\u{A0}", "2001:db8::ffff:2"));
        assert_ne!(one.account, slots("bob", "2001:db8::1").account);
        assert_ne!(one.address, slots("alice", "2001:db8:0:1::1").address);
        assert_eq!(slots("alice", "::ffff:192.0.2.1"), slots("alice", "192.0.2.1"));
    }

    #[test]
    fn a_known_browser_counts_on_itself_alone() {
        let key = MacKey::new([1; 32]);
        let cookie = BrowserCookie::new(&Random::seeded(1)).remembering(
            &name("alice"),
            Holder { user_id: Id::from_i64(7), password: None },
            &key,
        );
        let slots = Slots::known_browser(cookie.known(&name("alice"), &key).unwrap(), &key);
        assert_eq!(slots.address, None);
        assert!(slots.account.unwrap().number() >= 2 * 65_536);
    }

    fn limits() -> impl Strategy<Value = Limit> {
        (1_u32..20, 1_u64..2000, 1_u64..100, 1_u64..2000, 1_u64..100_000).prop_map(
            |(failures, window, first, longest, forgotten)| Limit {
                failures,
                window: Duration::from_secs(window),
                first_wait: Duration::from_secs(first),
                longest_wait: Duration::from_secs(longest.max(first)),
                forgotten_after: Duration::from_secs(forgotten),
            },
        )
    }

    proptest! {
        #[test]
        fn never_more_than_the_limit_within_a_window(limit in limits(), steps in proptest::collection::vec(0_i64..100_000, 1..300)) {
            let policy = ThrottlePolicy { account: limit, ..policy() };
            let (mut attempts, mut now) = (None, NOW);
            let (mut started, mut made) = (NOW, 0_u32);
            for step in steps {
                now += step;
                if decide(attempts, None, &policy, now) != Decision::Allow {
                    continue;
                }
                let next = after_failure(attempts, &limit, now);
                if next.failures == 1 {
                    (started, made) = (now, 0);
                }
                made += 1;
                if now.abs_diff(started) < milliseconds(limit.window.min(limit.first_wait)) {
                    prop_assert!(made <= limit.failures);
                }
                attempts = Some(next);
            }
        }

        #[test]
        fn beyond_the_limit_attempts_are_a_wait_apart(limit in limits(), steps in proptest::collection::vec(0_i64..100_000, 1..300)) {
            let policy = ThrottlePolicy { account: limit, ..policy() };
            let (mut attempts, mut now): (Option<Attempts>, i64) = (None, NOW);
            for step in steps {
                now += step;
                let last = attempts.filter(|attempts| attempts.failures >= i64::from(limit.failures));
                if decide(attempts, None, &policy, now) == Decision::Allow {
                    if let Some(last) = last {
                        prop_assert!(now.abs_diff(last.window_started) >= milliseconds(limit.first_wait));
                    }
                    attempts = Some(after_failure(attempts, &limit, now));
                }
            }
        }

        #[test]
        fn more_failures_never_wait_less_and_time_never_makes_it_worse(
            limit in limits(), failures in 0_i64..200, more in 0_i64..200, after in 0_i64..10_000_000, later in 0_i64..10_000_000
        ) {
            let wait = |failures, now| wait_left(Attempts { failures, window_started: NOW }, &limit, now);
            prop_assert!(wait(failures, NOW + after) <= wait(failures + more, NOW + after));
            prop_assert!(wait(failures, NOW + after) >= wait(failures, NOW + after + later));
        }

        #[test]
        fn any_row_at_any_time_gives_a_bounded_wait(failures in any::<i64>(), window_started in any::<i64>(), now in any::<i64>()) {
            let (policy, attempts) = (policy(), Some(Attempts { failures, window_started }));
            if let Decision::Wait { seconds } = decide(attempts, attempts, &policy, now) {
                prop_assert!((1..=900).contains(&seconds));
            }
            let next = after_failure(attempts, &policy.account, now);
            prop_assert!((1..=74).contains(&next.failures));
            let _ = taken_back(next);
        }
    }
}
