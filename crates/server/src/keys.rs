//! The life of signing keys: published before first use, signing, retired, removed. This file decides; `key_schedule` does.

use grantor_core::directory::Directory;
use grantor_core::key::{KeyRecord, KeyRing};
use grantor_core::policy::Lifetimes;
use grantor_core::time::Time;
use grantor_jose::algorithm::Algorithm;
use grantor_jose::id::Id;

/// The algorithms that a provider always signs with. One more has its schedule too, once a key for it is added.
// "OPs MUST support signing ID Tokens with the RSA SHA-256 algorithm (an "alg" value of "RS256"), unless the OP only
// supports returning ID Tokens from the Token Endpoint (as is the case for the Authorization Code Flow) and only allows
// Clients to register specifying "none" as the requested ID Token signing algorithm." (OIDC Core §15.1)
// "The algorithm "RS256" MUST be included." (OIDC Discovery §3)
pub const OFFERED: [Algorithm; 4] = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256, Algorithm::Ps256];

/// One thing to do with keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Make a key that signs from then on.
    Generate {
        /// What it signs with.
        algorithm: Algorithm,
        /// Since when it signs.
        active_from: Time,
    },
    /// Another key signs in this one's place from then on.
    Retire {
        /// The key.
        id: Id,
        /// Since when the successor signs.
        successor_from: Time,
    },
    /// The last token signed with it has expired.
    Remove {
        /// The key.
        id: Id,
    },
}

/// What is due at `now`.
pub fn plan_rotation(keys: &KeyRing, lifetimes: &Lifetimes, now: Time) -> Vec<Step> {
    let used = |algorithm: &&Algorithm| OFFERED.contains(algorithm) || living(keys, **algorithm, now).next().is_some();
    let algorithms = Algorithm::ALL.iter().filter(used);
    algorithms
        .flat_map(|algorithm| schedule(keys, *algorithm, lifetimes, now))
        .chain(removals(keys, lifetimes, now))
        .collect()
}

/// A new key for `algorithm`: published now and signing once every cached JWKS holds it; or, when the old one is no longer
/// to be trusted with new signatures, `at_once`.
pub fn plan_succession(
    keys: &KeyRing,
    algorithm: Algorithm,
    at_once: bool,
    lifetimes: &Lifetimes,
    now: Time,
) -> Vec<Step> {
    let active_from = if at_once { now } else { now.plus(lifetimes.key_publication) };
    let replaced = living(keys, algorithm, now).filter(|record| record.retired_at.is_none_or(|at| at > active_from));
    let retire = replaced.map(|record| Step::Retire { id: record.id, successor_from: active_from });
    std::iter::once(Step::Generate { algorithm, active_from }).chain(retire).collect()
}

/// A key that signs at once for each algorithm in use, where none of the old ones is left.
pub fn plan_new_ring(keys: &KeyRing, now: Time) -> Vec<Step> {
    let used = |algorithm: &&Algorithm| OFFERED.contains(algorithm) || living(keys, **algorithm, now).next().is_some();
    let algorithms = Algorithm::ALL.iter().filter(used);
    algorithms.map(|algorithm| Step::Generate { algorithm: *algorithm, active_from: now }).collect()
}

/// The lifetimes with the longest access token of any API, since a key stays published as long as any token it signed.
pub fn longest(lifetimes: &Lifetimes, directory: &Directory) -> Lifetimes {
    let apis = directory.resources.values().filter_map(|resource| resource.access_token_lifetime);
    let access_token = apis.chain([lifetimes.access_token]).max().unwrap_or(lifetimes.access_token);
    Lifetimes { access_token, ..lifetimes.clone() }
}

fn schedule(keys: &KeyRing, algorithm: Algorithm, lifetimes: &Lifetimes, now: Time) -> Vec<Step> {
    let Some(signer) = keys.record(algorithm, now) else {
        let awaited = living(keys, algorithm, now).next().is_some();
        return if awaited { Vec::new() } else { vec![Step::Generate { algorithm, active_from: now }] };
    };
    let stragglers = living(keys, algorithm, now)
        .filter(|record| record.active_from <= now && record.id != signer.id && record.retired_at.is_none())
        .map(|record| Step::Retire { id: record.id, successor_from: signer.active_from });
    let due = signer.active_from.plus(lifetimes.key_rotation);
    let published_by = now.plus(lifetimes.key_publication);
    let mut steps: Vec<Step> = stragglers.collect();
    let waits = |record: &&KeyRecord| record.active_from > now && record.id != signer.id;
    match living(keys, algorithm, now).filter(waits).min_by_key(|record| record.active_from) {
        Some(successor) if signer.retired_at.is_none() => {
            steps.push(Step::Retire { id: signer.id, successor_from: successor.active_from });
        }
        None if published_by >= due => {
            let active_from = published_by.max(due);
            steps.push(Step::Generate { algorithm, active_from });
            steps.push(Step::Retire { id: signer.id, successor_from: active_from });
        }
        _ => {}
    }
    steps
}

fn removals(keys: &KeyRing, lifetimes: &Lifetimes, now: Time) -> impl Iterator<Item = Step> {
    let gone = keys.keys.iter().filter(move |record| record.is_over(now, lifetimes));
    gone.map(|record| Step::Remove { id: record.id })
}

fn living(keys: &KeyRing, algorithm: Algorithm, now: Time) -> impl Iterator<Item = &KeyRecord> {
    keys.published(now).filter(move |record| record.key.algorithm() == algorithm)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::{Arc, LazyLock};
    use std::time::Duration;

    use grantor_jose::key::SigningKey;
    use grantor_jose::random::Random;
    use proptest::prelude::*;

    use super::*;

    /// One key an algorithm is enough here: only dates are decided.
    static KEYS: LazyLock<Vec<Arc<SigningKey>>> = LazyLock::new(|| {
        OFFERED
            .iter()
            .map(|algorithm| Arc::new(SigningKey::generate(*algorithm, &Random::seeded(1)).unwrap()))
            .collect()
    });

    fn key(algorithm: Algorithm) -> Arc<SigningKey> {
        KEYS.iter().find(|key| key.algorithm() == algorithm).cloned().unwrap()
    }

    /// Carries steps out in memory.
    fn carry_out(ring: &mut KeyRing, steps: &[Step], lifetimes: &Lifetimes, now: Time) {
        for step in steps {
            match *step {
                Step::Generate { algorithm, active_from } => {
                    let id = Id::from_i64(i64::try_from(ring.keys.len()).unwrap() + now.millis());
                    ring.keys.push(KeyRecord::fresh(id, key(algorithm), now, active_from));
                }
                Step::Retire { id, successor_from } => {
                    let record = ring.keys.iter_mut().find(|record| record.id == id).unwrap();
                    *record = record.retired(successor_from, lifetimes);
                }
                Step::Remove { id } => ring.keys.retain(|record| record.id != id),
            }
        }
    }

    const START: Time = Time::from_seconds(2_000_000_000);

    fn started(lifetimes: &Lifetimes) -> KeyRing {
        let mut ring = KeyRing::default();
        let steps = plan_rotation(&ring, lifetimes, START);
        carry_out(&mut ring, &steps, lifetimes, START);
        ring
    }

    #[test]
    fn the_first_start_makes_a_key_for_each_algorithm_and_is_then_done() {
        let lifetimes = Lifetimes::default();
        let ring = started(&lifetimes);
        assert_eq!(ring.algorithms(START).len(), OFFERED.len());
        assert_eq!(plan_rotation(&ring, &lifetimes, START), []);
    }

    #[test]
    fn a_successor_is_published_before_it_signs() {
        let lifetimes = Lifetimes::default();
        let mut ring = started(&lifetimes);
        let due = START.plus(lifetimes.key_rotation);
        let announced = due.minus(lifetimes.key_publication);
        assert_eq!(plan_rotation(&ring, &lifetimes, announced.minus(Duration::from_secs(1))), []);
        let steps = plan_rotation(&ring, &lifetimes, announced);
        assert!(steps.contains(&Step::Generate { algorithm: Algorithm::Es256, active_from: due }));
        carry_out(&mut ring, &steps, &lifetimes, announced);
        assert_eq!(plan_rotation(&ring, &lifetimes, announced), []);
        assert_eq!(ring.record(Algorithm::Es256, due.minus(Duration::from_millis(1))).unwrap().active_from, START);
        assert_eq!(ring.record(Algorithm::Es256, due).unwrap().active_from, due);
        assert_eq!(ring.published(due).count(), 2 * OFFERED.len());
        // Published until the last token has expired, remembered for a session longer.
        let gone = due.plus(lifetimes.longest_signed());
        let steps = plan_rotation(&ring, &lifetimes, gone);
        carry_out(&mut ring, &steps, &lifetimes, gone);
        assert_eq!((ring.published(gone).count(), ring.keys.len()), (OFFERED.len(), 2 * OFFERED.len()));
        let over = gone.plus(lifetimes.session_absolute);
        let steps = plan_rotation(&ring, &lifetimes, over);
        carry_out(&mut ring, &steps, &lifetimes, over);
        assert_eq!(ring.keys.len(), OFFERED.len());
    }

    #[test]
    fn in_an_emergency_the_new_key_signs_at_once() {
        let lifetimes = Lifetimes::default();
        let mut ring = started(&lifetimes);
        let now = START.plus(Duration::from_mins(1));
        let steps = plan_succession(&ring, Algorithm::Rs256, true, &lifetimes, now);
        carry_out(&mut ring, &steps, &lifetimes, now);
        assert_eq!(ring.record(Algorithm::Rs256, now).unwrap().active_from, now);
        assert_eq!(plan_rotation(&ring, &lifetimes, now), []);
    }

    #[test]
    fn a_new_ring_signs_at_once_with_each_algorithm_that_the_old_one_had() {
        let steps = |ring: &KeyRing| plan_new_ring(ring, START);
        let generate = |algorithm| Step::Generate { algorithm, active_from: START };
        assert_eq!(steps(&started(&Lifetimes::default())), steps(&KeyRing::default()));
        assert_eq!(steps(&KeyRing::default()).len(), OFFERED.len());
        let key = Arc::new(SigningKey::generate(Algorithm::Es384, &Random::seeded(1)).unwrap());
        let ring = KeyRing { keys: vec![KeyRecord::fresh(Id::from_i64(1), key, START, START)] };
        assert!(steps(&ring).contains(&generate(Algorithm::Es384)));
    }

    #[test]
    fn a_key_stays_as_long_as_the_longest_token_of_any_api() {
        let mut directory = Directory::default();
        let api = serde_json::json!({"identifier": "https://api.example", "access_token_lifetime": "2h"});
        directory.resources.insert("https://api.example".into(), serde_json::from_value(api).unwrap());
        assert_eq!(longest(&Lifetimes::default(), &directory).access_token, Duration::from_hours(2));
    }

    proptest! {
        /// However rarely the schedule is looked at: each algorithm always has a signer, every signer was published for
        /// `key_publication` before it signed (the first aside), and no key goes while a token it signed may live.
        #[test]
        fn there_is_always_a_signer_that_was_published_before(waits in prop::collection::vec(1_u64..60 * 24 * 30, 1..60)) {
            let lifetimes = Lifetimes { key_rotation: Duration::from_hours(7 * 24), ..Lifetimes::default() };
            let mut ring = started(&lifetimes);
            let mut now = START;
            for wait in waits {
                now = now.plus(Duration::from_secs(60 * wait));
                let last_signer = ring.record(Algorithm::Es256, now).map(|record| record.id);
                let steps = plan_rotation(&ring, &lifetimes, now);
                carry_out(&mut ring, &steps, &lifetimes, now);
                prop_assert_eq!(plan_rotation(&ring, &lifetimes, now), []);
                for algorithm in OFFERED {
                    let since = ring.record(algorithm, now).map(|signer| (signer.created_at, signer.active_from));
                    let in_time = |(made, active): (Time, Time)| active == START || active >= made.plus(lifetimes.key_publication);
                    prop_assert!(since.is_some_and(in_time), "{}", algorithm);
                }
                prop_assert!(last_signer.is_some_and(|id| ring.keys.iter().any(|record| record.id == id)));
                prop_assert!(ring.keys.len() <= 3 * OFFERED.len());
            }
        }
    }
}
