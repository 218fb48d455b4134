//! Changes to an input: what a cable, a bad library or an attacker would make of it.

use crate::harness::dice::Dice;

/// What inputs of one grammar are made of.
#[derive(Clone, Copy)]
pub struct Grammar<'a> {
    /// Right inputs, and inputs that are wrong in a known way.
    pub examples: &'a [Vec<u8>],
    /// Words that mean something in it.
    pub words: &'a [&'static str],
    /// What opens and closes in it.
    pub brackets: &'a [(&'static str, &'static str)],
    /// The most bytes that reach its parser.
    pub longest: usize,
}

/// What means something in most grammars.
const WORDS: [&str; 24] = [
    "", " ", "\t", "\r\n", "\n", "\0", "%", "%00", "%ff", "+", "&", "=", ";", ",", ".", ":", "/", "\\", "\"", "'", "#",
    "?", "\u{feff}", "\u{202e}",
];

/// What is hard to read: the ends of numbers, marks without letters, characters that fold into many, bytes that are no text.
const HARD: [&[u8]; 16] = [
    b"-1",
    b"0",
    b"9223372036854775808",
    b"99999999999999999999999999999999",
    b"1e999",
    b"-0.0000000000000000000000000000000000000001",
    b"NaN",
    "\u{301}\u{301}\u{301}\u{301}".as_bytes(),
    "\u{fdfa}\u{fdfa}".as_bytes(),
    "\u{1f468}\u{200d}\u{1f469}".as_bytes(),
    "\u{130}\u{df}\u{149}".as_bytes(),
    b"\xff\xfe",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\x80",
];

/// The input with this number.
pub fn input(grammar: Grammar<'_>, number: u64) -> Vec<u8> {
    let mut dice = Dice::new(number);
    let mut input = grammar.examples[dice.roll(grammar.examples.len())].clone();
    // Most inputs stay near the grammar: far from it, the first letter is where reading ends.
    for _ in 0..dice.small(7) {
        change(&mut input, grammar, &mut dice);
    }
    if dice.one_in(250) {
        fill(&mut input, grammar, &mut dice);
    }
    input.truncate(grammar.longest);
    input
}

fn change(input: &mut Vec<u8>, grammar: Grammar<'_>, dice: &mut Dice) {
    let (from, to) = range(input.len(), dice);
    match dice.roll(12) {
        0 | 1 => flip(input, dice),
        2 => drop(input.drain(from..to)),
        3 => input.truncate(to),
        4 => {
            let part = input[from..to].to_vec();
            insert(input, &part, dice);
        }
        5 => repeat(input, (from, to), dice),
        6 | 7 => insert(input, word(grammar, dice).as_bytes(), dice),
        8 => drop(input.splice(from..to, word(grammar, dice).bytes())),
        9 => insert(input, dice.pick(&HARD), dice),
        10 => splice(input, grammar, dice),
        _ => nest(input, grammar, dice),
    }
}

/// A part of a text of this length; most parts are short.
fn range(length: usize, dice: &mut Dice) -> (usize, usize) {
    let from = dice.roll(length + 1);
    let most = if dice.one_in(4) { length - from } else { (length - from).min(12) };
    (from, from + dice.roll(most + 1))
}

fn word(grammar: Grammar<'_>, dice: &mut Dice) -> &'static str {
    let own = !grammar.words.is_empty() && !dice.one_in(3);
    dice.pick(if own { grammar.words } else { &WORDS })
}

fn flip(input: &mut [u8], dice: &mut Dice) {
    if input.is_empty() {
        return;
    }
    let at = dice.roll(input.len());
    input[at] = if dice.one_in(2) { input[at] ^ 1 << dice.roll(8) } else { dice.byte() };
}

fn insert(input: &mut Vec<u8>, part: &[u8], dice: &mut Dice) {
    let at = dice.roll(input.len() + 1);
    input.splice(at..at, part.iter().copied());
}

fn repeat(input: &mut Vec<u8>, (from, to): (usize, usize), dice: &mut Dice) {
    let part = input[from..to].repeat(dice.small(40));
    input.splice(to..to, part);
}

/// The beginning of this one, and the end of another one.
fn splice(input: &mut Vec<u8>, grammar: Grammar<'_>, dice: &mut Dice) {
    let other = &grammar.examples[dice.roll(grammar.examples.len())];
    input.truncate(dice.roll(input.len() + 1));
    input.extend_from_slice(&other[dice.roll(other.len() + 1)..]);
}

/// Brackets around a part of it, perhaps very many.
fn nest(input: &mut Vec<u8>, grammar: Grammar<'_>, dice: &mut Dice) {
    let Some((open, close)) = (!grammar.brackets.is_empty()).then(|| dice.pick(grammar.brackets)) else { return };
    let (from, to) = range(input.len(), dice);
    let depth = if dice.one_in(20) { grammar.longest / (open.len() + 1) } else { dice.small(20) };
    let closed = if dice.one_in(8) { 0 } else { depth };
    input.splice(to..to, close.repeat(closed).into_bytes());
    input.splice(from..from, open.repeat(depth).into_bytes());
}

/// As long as it may be: a part of it, a word or a hard text again and again.
fn fill(input: &mut Vec<u8>, grammar: Grammar<'_>, dice: &mut Dice) {
    let (from, to) = range(input.len(), dice);
    let part = match dice.roll(4) {
        0 => word(grammar, dice).as_bytes().to_vec(),
        1 => dice.pick(&HARD).to_vec(),
        2 => grammar.examples[dice.roll(grammar.examples.len())].clone(),
        _ => input[from..to].to_vec(),
    };
    if !part.is_empty() && input.len() < grammar.longest {
        let times = (grammar.longest - input.len()) / part.len() + 1;
        insert(input, &part.repeat(times), dice);
    }
}
