//! The table of sentences: what the OpenID specifications, and those of dynamic registration, say must or should be, where it is kept, and
//! which story shows it.
//!
//! `tests/sentences` has a list for each specification, a line a sentence: section, whom it binds, the sentence, and a remark.
//! `op` binds a provider, `rp` a relying party, `note` nothing that could be shown here. The table is made of the lists and of
//! the quotes that stand in the code above each line that keeps a rule, and above each story that shows it.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::{Complaints, quotes, tree};

const LISTS: [(&str, &str); 9] = [
    ("core", "OIDC Core"),
    ("discovery", "OIDC Discovery"),
    ("registration", "OIDC Registration"),
    ("dynamic_registration", "RFC 7591"),
    ("registration_management", "RFC 7592"),
    ("rp_initiated_logout", "OIDC RP-Initiated Logout"),
    ("front_channel_logout", "OIDC Front-Channel Logout"),
    ("back_channel_logout", "OIDC Back-Channel Logout"),
    ("session_management", "OIDC Session Management"),
];

const TABLE: &str = "tests/sentences/table.md";

/// Fewer letters say nothing.
const FEWEST: usize = 20;

/// A line of a list.
struct Sentence {
    section: String,
    whom: String,
    /// Before it, the parameter that it is about, where the specification lists parameters.
    text: String,
    remark: String,
}

/// A quote in the code.
struct Quote {
    specification: String,
    section: String,
    /// Its parts, as they are compared.
    parts: Vec<String>,
    /// The file, and of a story its name.
    place: String,
    is_shown: bool,
}

/// The lists that are not well-formed, and the table where it is not what lists and quotes make now.
pub fn stale(root: &Path) -> Complaints {
    let quotes: Vec<Quote> = tree::rust(root).iter().flat_map(|(path, text)| quotes_in(path, text)).collect();
    let mut complaints = Complaints::new();
    let mut made = String::from(HEAD);
    for (name, specification) in LISTS {
        let sentences = list(root, name, &mut complaints);
        section(&mut made, specification, &sentences, &quotes);
    }
    if fs::read_to_string(root.join(TABLE)).unwrap_or_default() != made {
        let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("table.md");
        fs::write(&fresh, &made).expect("a file");
        complaints.push(format!("{TABLE} is not of now: cp {} {TABLE}", tree::from_root(root, &fresh)));
    }
    complaints
}

const HEAD: &str = "# What the OpenID specifications and RFC 7591 and 7592 demand, where it is kept, and which story shows it\n\n\
    Made of `tests/sentences/*.tsv` and of the quotes in the code; `architecture::` says when it is not of now.\n";

fn list(root: &Path, name: &str, complaints: &mut Complaints) -> Vec<Sentence> {
    let path = format!("tests/sentences/{name}.tsv");
    let text = fs::read_to_string(root.join(&path)).unwrap_or_default();
    let mut sentences = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        match *line.split('\t').collect::<Vec<_>>() {
            [section, whom @ ("op" | "rp" | "note"), text] => sentences.push(sentence([section, whom, text, ""])),
            [section, whom @ ("op" | "rp" | "note"), text, remark] => {
                sentences.push(sentence([section, whom, text, remark]));
            }
            _ => complaints.push(format!("{path}:{number}: not section, op, rp or note, sentence, and a remark")),
        }
    }
    if sentences.is_empty() {
        complaints.push(format!("{path} has no sentence"));
    }
    sentences
}

fn sentence([section, whom, text, remark]: [&str; 4]) -> Sentence {
    let [section, whom, text, remark] = [section, whom, text, remark].map(str::to_owned);
    Sentence { section, whom, text, remark }
}

fn section(out: &mut String, specification: &str, sentences: &[Sentence], quotes: &[Quote]) {
    let ours: Vec<&Sentence> = sentences.iter().filter(|sentence| sentence.whom == "op").collect();
    let others = |whom: &str| sentences.iter().filter(|sentence| sentence.whom == whom).count();
    let rows: Vec<(&Sentence, [String; 2])> =
        ours.into_iter().map(|sentence| (sentence, places(specification, sentence, quotes))).collect();
    let open = rows.iter().filter(|(sentence, [kept, _])| kept.is_empty() && sentence.remark.is_empty()).count();
    let _ = write!(
        out,
        "\n## {specification}\n\n{} sentences bind a provider, {open} of them without a place yet; {} bind relying parties; {} say \
         nothing that a story could show.\n\n| § | sentence | kept in | shown by |\n|---|---|---|---|\n",
        rows.len(),
        others("rp"),
        others("note"),
    );
    for (sentence, [kept, shown]) in rows {
        let kept = [kept.as_str(), sentence.remark.as_str()].into_iter().filter(|text| !text.is_empty());
        let kept = kept.collect::<Vec<_>>().join("; ");
        let text = sentence.text.replace('|', "\\|");
        let _ = writeln!(out, "| {} | {text} | {kept} | {shown} |", sentence.section);
    }
}

/// Where a sentence is kept, and where it is shown.
fn places(specification: &str, sentence: &Sentence, quotes: &[Quote]) -> [String; 2] {
    let wanted = compared(&sentence.text);
    let of = |is_shown: bool| {
        let quoting = quotes.iter().filter(|quote| {
            quote.is_shown == is_shown
                && quote.specification == specification
                && quote.section == sentence.section
                && quote.parts.iter().any(|part| wanted.iter().any(|text| says(part, text)))
        });
        let places: BTreeSet<String> = quoting.map(|quote| format!("`{}`", quote.place)).collect();
        places.into_iter().collect::<Vec<_>>().join(" ")
    };
    [of(false), of(true)]
}

fn says(part: &str, sentence: &str) -> bool {
    part.contains(sentence) || (part.len() >= FEWEST && sentence.contains(part))
}

/// The ways in which a sentence may be quoted: by itself, or where that is too short after the name of its parameter.
fn compared(text: &str) -> Vec<String> {
    let named = text.split_once(": ").filter(|(name, _)| !name.contains(' '));
    let alone = named.map_or(text, |(_, sentence)| sentence);
    [alone.to_owned(), text.replacen(": ", " ", 1), text.to_owned()]
        .map(|text| plain(&text))
        .into_iter()
        .filter(|text| text.len() >= FEWEST || text.contains(' '))
        .collect()
}

/// Without quotation marks, references and the final stop.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut depth = 0;
    for letter in text.chars() {
        match letter {
            '[' => depth += 1,
            ']' => depth -= 1,
            '"' => {}
            _ if depth > 0 => {}
            _ => plain.push(letter),
        }
    }
    let words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    words.replace(" ,", ",").replace(" .", ".").trim_end_matches('.').to_owned()
}

fn quotes_in(path: &str, text: &str) -> Vec<Quote> {
    let lines: Vec<&str> = text.lines().collect();
    let inside = lines.iter().position(|line| line.trim() == "#[cfg(test)]").unwrap_or(lines.len());
    let all = quotes::quotes(text).into_iter();
    all.filter_map(|(number, quote)| {
        let (said, rest) = quote.rsplit_once("\" (")?;
        let (specification, section) = rest.split_once(')')?.0.rsplit_once(" §")?;
        let is_shown = path.starts_with("tests/") || number > inside || path.ends_with("/tests.rs");
        let story = is_shown.then(|| story(&lines, number)).flatten();
        Some(Quote {
            specification: specification.to_owned(),
            section: section.to_owned(),
            parts: said
                .split("...")
                .flat_map(|part| plain(part).split(". ").map(str::to_owned).collect::<Vec<_>>())
                .collect(),
            place: story.map_or_else(|| path.to_owned(), |story| format!("{path}: {story}")),
            is_shown,
        })
    })
    .collect()
}

/// The story that a quote stands above, or in.
fn story<'a>(lines: &[&'a str], number: usize) -> Option<&'a str> {
    let name = |line: &'a str| line.split_once("fn ")?.1.split(['(', '<']).next();
    let quote = lines.get(number - 1)?;
    let is_above =
        lines[number..].iter().find(|line| !line.trim().starts_with("//")).is_some_and(|line| line.contains("#["));
    if is_above {
        lines[number..].iter().find_map(|line| name(line))
    } else if quote.starts_with(' ') {
        lines[..number].iter().rev().find_map(|line| name(line))
    } else {
        None
    }
}
