//! When an address is asked, and whose answer counts.

use std::sync::atomic::{AtomicI64, Ordering};

use grantor_jose::jwk::JwkSet;

use super::*;

const URI: &str = "https://app.example/keys";
const ELSEWHERE: &str = "https://app.example/other";

/// The keys of clients, and a clock that is moved by hand.
struct Desk {
    keys: ClientKeys,
    seconds: Arc<AtomicI64>,
    clock: Clock,
}

impl Desk {
    fn new() -> Self {
        let seconds = Arc::new(AtomicI64::new(1_000_000));
        let read = Arc::clone(&seconds);
        let clock = Clock::new(move || Time::from_seconds(read.load(Ordering::SeqCst)));
        Self { keys: ClientKeys::default(), seconds, clock }
    }

    fn pass(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    fn look(&self, uri: &str) -> Option<Arc<PublishedKeys>> {
        self.keys.look("app", uri, &self.clock)
    }

    /// What is to be done for a request for which the keys do, or not.
    fn next(&self, uri: &str, do_they: bool) -> Next {
        let seen = self.look(uri);
        self.keys.next(("app", uri), (seen.as_ref(), do_they && seen.is_some()), &self.clock)
    }

    fn asked(&self, uri: &str, do_they: bool) -> Option<Question> {
        match self.next(uri, do_they) {
            Next::Ask(question, _) => Some(question),
            _ => None,
        }
    }

    fn give(&self, question: &Question, bytes: usize) {
        let keys = PublishedKeys { uri: question.uri.clone(), keys: JwkSet::default() };
        self.keys.settle(question, Some((keys, bytes)));
    }
}

#[test]
fn of_several_first_requests_one_asks_and_the_others_wait() {
    let desk = Desk::new();
    let question = desk.asked(URI, false).unwrap();
    let Next::Wait(known) = desk.next(URI, false) else { unreachable!() };
    assert!(known.has_changed().is_ok());
    desk.give(&question, 100);
    drop(question);
    assert!(known.has_changed().is_err(), "it is known what came of it");
    assert!(matches!(desk.next(URI, true), Next::Use(Some(_))));
}

#[test]
fn keys_are_read_again_beside_the_requests_and_count_for_an_hour() {
    let desk = Desk::new();
    desk.give(&desk.asked(URI, false).unwrap(), 100);
    desk.pass(14 * 60);
    assert!(matches!(desk.next(URI, true), Next::Use(Some(_))));
    desk.pass(60);
    let Next::Ask(question, Meanwhile::Use(_)) = desk.next(URI, true) else { unreachable!() };
    assert!(matches!(desk.next(URI, true), Next::Use(Some(_))), "nobody waits, and nobody asks twice");
    desk.keys.settle(&question, None);
    assert!(desk.asked(URI, true).is_none(), "not within a minute");
    desk.pass(44 * 60);
    assert!(desk.look(URI).is_some());
    desk.pass(60);
    assert!(desk.look(URI).is_none() && matches!(desk.next(URI, false), Next::Ask(_, Meanwhile::Wait(_))));
}

#[test]
fn keys_that_do_not_do_are_read_again_once_a_minute() {
    let desk = Desk::new();
    desk.give(&desk.asked(URI, false).unwrap(), 100);
    desk.pass(59);
    assert!(matches!(desk.next(URI, false), Next::Use(Some(_))));
    desk.pass(1);
    let question = desk.asked(URI, false).unwrap();
    assert!(matches!(desk.next(URI, false), Next::Wait(_)), "who needs another key waits");
    assert!(matches!(desk.next(URI, true), Next::Use(Some(_))), "who does not goes on");
    desk.keys.settle(&question, None);
    assert!(matches!(desk.next(URI, false), Next::Use(Some(_))), "what was kept counts still");
}

#[test]
fn an_answer_of_a_former_address_does_not_count() {
    let desk = Desk::new();
    let mut former = desk.asked(URI, false).unwrap();
    assert!(former.wanted.try_recv() == Err(oneshot::error::TryRecvError::Empty));
    let question = desk.asked(ELSEWHERE, false).unwrap();
    assert!(former.wanted.try_recv() == Err(oneshot::error::TryRecvError::Closed), "nobody wants to know it");
    desk.give(&former, 100);
    assert!(desk.look(URI).is_none() && desk.look(ELSEWHERE).is_none());
    desk.give(&question, 100);
    desk.give(&former, 100);
    assert_eq!(desk.look(ELSEWHERE).map(|keys| keys.uri.clone()).as_deref(), Some(ELSEWHERE));
}

#[test]
fn an_address_that_gives_none_is_asked_ever_less_often() {
    let desk = Desk::new();
    for seconds in [5, 10, 20, 40, 60, 60] {
        desk.keys.settle(&desk.asked(URI, false).unwrap(), None);
        desk.pass(seconds - 1);
        assert!(matches!(desk.next(URI, false), Next::Use(None)), "{seconds}");
        desk.pass(1);
    }
    desk.give(&desk.asked(URI, false).unwrap(), 100);
    assert!(desk.look(URI).is_some());
}

#[test]
fn a_clock_that_is_set_back_takes_no_keys_away_and_gives_them_no_longer_life() {
    let desk = Desk::new();
    desk.give(&desk.asked(URI, false).unwrap(), 100);
    desk.pass(-86_400);
    assert!(matches!(desk.next(URI, true), Next::Use(Some(_))));
    desk.pass(60);
    assert!(desk.asked(URI, false).is_some(), "it is asked again as at any other time");
    desk.pass(3540);
    assert!(desk.look(URI).is_none());
}

#[test]
fn all_keys_together_have_a_bound_and_the_largest_make_room() {
    let desk = Desk::new();
    let put = |client_id: &str, bytes: usize| {
        let Next::Ask(question, _) = desk.keys.next((client_id, URI), (None, false), &desk.clock) else {
            unreachable!()
        };
        desk.give(&question, bytes);
    };
    put("modest", 2000);
    for number in 0..400 {
        put(&format!("client {number}"), 64 * 1024);
        assert!(desk.keys.look(&format!("client {number}"), URI, &desk.clock).is_some());
    }
    let all: usize = desk.keys.lock().of.values().map(Entry::bytes).sum();
    assert!(all <= MOST_BYTES && all > MOST_BYTES / 2, "{all}");
    assert!(desk.keys.look("modest", URI, &desk.clock).is_some());
    desk.keys.retain(|client_id, _| client_id == "modest");
    assert_eq!(desk.keys.lock().of.len(), 1);
}
