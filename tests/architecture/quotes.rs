//! Above each line that enforces a rule stands the rule: `// "… MUST NOT …" (RFC 6749 §4.1.2)`, so that `grep` makes the table of
//! what is kept.

use std::path::Path;

use super::{Complaints, tree};

/// The specifications, each by the one name that it has here. `#` stands for a number.
const SPECIFICATIONS: &[&str] = &[
    "RFC #",
    "OAuth 2.1",
    "OIDC Core",
    "OIDC Discovery",
    "OIDC Registration",
    "OIDC RP-Initiated Logout",
    "OIDC Front-Channel Logout",
    "OIDC Back-Channel Logout",
    "OIDC Session Management",
    "OIDC Prompt Create",
    "OAuth Form Post",
    "OAuth Multiple Response Types",
    "FAPI 2.0",
    "NIST SP 800-63B-4",
    "WebAuthn",
    "HTML",
    "Fetch",
    "CSP",
];

/// Quotes without a place, or with a place in another spelling.
pub fn misspelt(root: &Path) -> Complaints {
    let in_file = |(path, text): (String, String)| -> Complaints {
        let wrong = quotes(&text).into_iter().filter(|(_, quote)| !is_well_spelt(quote));
        wrong.map(|(line, quote)| format!("{path}:{line}: {quote}")).collect()
    };
    tree::rust(root).into_iter().flat_map(in_file).collect()
}

/// Each comment that begins with a quotation mark, whole, with the number of its first line. It ends with its place, or where
/// the comment does.
pub fn quotes(text: &str) -> Vec<(usize, String)> {
    let comments = text.lines().map(|line| line.trim().strip_prefix("// ").unwrap_or_default());
    let mut quotes: Vec<(usize, String)> = Vec::new();
    let mut goes_on = false;
    for (number, comment) in (1..).zip(comments) {
        match quotes.last_mut().filter(|_| goes_on && !comment.is_empty()) {
            Some((_, quote)) => *quote = format!("{quote} {comment}"),
            None if comment.starts_with('"') => quotes.push((number, comment.to_owned())),
            None => {}
        }
        goes_on = !comment.is_empty() && quotes.last().is_some_and(|(_, quote)| !is_well_spelt(quote));
    }
    quotes
}

/// `"…" (SPEC §n)`; a remark of ours may follow a full quote, as `"…" (SPEC §n); so we do`.
fn is_well_spelt(quote: &str) -> bool {
    let Some((_, rest)) = quote.rsplit_once("\" (") else { return false };
    let Some((place, _)) = rest.split_once(')') else { return false };
    let Some((specification, section)) = place.split_once(" §") else { return false };
    let parts = section.split('.');
    let numbered =
        parts.clone().all(|part| !part.is_empty() && part.chars().all(|letter| letter.is_ascii_alphanumeric()));
    numbered && SPECIFICATIONS.iter().any(|known| is_named(specification, known))
}

fn is_named(specification: &str, known: &str) -> bool {
    match known.strip_suffix('#') {
        Some(series) => specification
            .strip_prefix(series)
            .is_some_and(|number| !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())),
        None => specification == known,
    }
}
