//! Giving a parser its inputs: none may make it panic, and none may take it long.

use std::any::Any;
use std::borrow::Cow;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::mutation::{self, Grammar};
use crate::harness::amount::amount;

/// How long the slowest input may take. Measured in a release build only: another one has nothing to say about it.
const LONGEST: Duration = Duration::from_millis(10);
/// The parts of all shares.
const SHARES: usize = 1_000;
/// What all parsers get together in a run of all tests.
const TOTAL: usize = 60_000;

/// A parser with its grammar.
pub struct Parser<'a> {
    /// What it reads.
    pub name: &'static str,
    /// How much of all inputs it gets, in thousandths: the less, the slower it is.
    pub share: usize,
    /// What its inputs are made of.
    pub grammar: Grammar<'a>,
    /// Reads an input, as the server does. This is what may not take long.
    pub read: &'a dyn Fn(&[u8]),
    /// Checks what must hold of whatever is read.
    pub check: &'a dyn Fn(&[u8]),
}

/// The slowest input so far.
#[derive(Default)]
struct Slowest {
    took: Duration,
    number: u64,
    input: Vec<u8>,
}

impl Parser<'_> {
    /// Reads as many inputs as are due, and checks that each is read or refused, and at once.
    pub fn run(&self) {
        let count = amount("TEST_INPUTS", TOTAL) * self.share / SHARES;
        let mut slowest = Slowest::default();
        for number in 0..u64::try_from(count).unwrap() {
            let input = mutation::input(self.grammar, number);
            let took = self.give(self.read, number, &input);
            self.give(self.check, number, &input);
            if took > slowest.took {
                // Another program may have had the processor meanwhile: what counts is the best of some tries.
                let took = (0..5).map(|_| self.give(self.read, number, &input)).min().unwrap_or(took).min(took);
                if took > slowest.took {
                    slowest = Slowest { took, number, input };
                }
            }
        }
        self.tell(count, &slowest);
        let in_time = cfg!(debug_assertions) || slowest.took < LONGEST;
        assert!(in_time, "{}: {:?} for input {}: {}", self.name, slowest.took, slowest.number, shown(&slowest.input));
    }

    /// Gives an input to a function of the parser; how long that took.
    fn give(&self, function: &dyn Fn(&[u8]), number: u64, input: &[u8]) -> Duration {
        let begun = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| function(input)));
        let took = begun.elapsed();
        if let Err(panic) = outcome {
            panic!("{}: input {number} panics: {}\n{}", self.name, words(panic.as_ref()), shown(input));
        }
        took
    }

    fn tell(&self, count: usize, slowest: &Slowest) {
        let Slowest { took, number, input } = slowest;
        let (name, length) = (self.name, input.len());
        let begin = &input[..input.len().min(60)];
        // Written past the test runner, so that a long run shows how far it has come.
        let line =
            format!("{name}: {count} inputs; slowest {took:?}, input {number} of {length} bytes: {}", shown(begin));
        let _ = writeln!(std::io::stdout(), "{line}");
    }
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no words")
}

fn shown(input: &[u8]) -> String {
    input.escape_ascii().to_string()
}

/// Examples as inputs are.
pub fn texts(examples: &[&str]) -> Vec<Vec<u8>> {
    examples.iter().map(|example| example.as_bytes().to_vec()).collect()
}

/// An input as text.
pub fn text(input: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(input)
}
