//! Places in TOML files, so that errors name the file, the line and the key.

use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A TOML file: its name for messages, and its text.
#[derive(Clone, Debug)]
pub struct Source {
    name: String,
    text: String,
    /// Where each line ends: a file may hold any number of things, and each is told with its line.
    ends: Vec<usize>,
}

/// What is wrong at one place of a file: `grantor.toml:12: clients[2].redirect_uris: …`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Fault {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The key with those above it; empty where the text is not TOML at all.
    pub key: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: ", self.file, self.line)?;
        if !self.key.is_empty() {
            write!(out, "{}: ", self.key)?;
        }
        out.write_str(&self.message)
    }
}

impl Source {
    /// The file `name` with `text`.
    pub fn new(name: &str, text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect();
        Self { name: name.to_owned(), text: text.to_owned(), ends }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text as TOML, each part with its place.
    ///
    /// # Errors
    /// The first place that is not TOML.
    pub fn parse(&self) -> Result<Spanned<DeTable<'_>>, Fault> {
        DeTable::parse(&self.text).map_err(|error| {
            let span = error.span().unwrap_or_default();
            self.fault(&span, "", error.message())
        })
    }

    /// What is wrong at `span`, under `key`.
    pub fn fault(&self, span: &Range<usize>, key: &str, message: &str) -> Fault {
        let line = self.line(span.start);
        Fault { file: self.name.clone(), line, key: key.to_owned(), message: message.trim().replace('\n', " ") }
    }

    /// What is wrong with the key at `path`, if the file holds it.
    pub fn fault_at(&self, path: &[String], message: &str) -> Option<Fault> {
        let table = self.parse().ok()?;
        let mut span = None;
        let mut here = Some(table.get_ref());
        for name in path {
            // A step into an array or below a scalar stays at the key that holds it.
            let Some((key, value)) = here.and_then(|table| table.iter().find(|(key, _)| key.get_ref() == name)) else {
                break;
            };
            span = Some(key.span());
            here = value.get_ref().as_table();
        }
        Some(self.fault(&span?, &path.join("."), message))
    }

    fn line(&self, offset: usize) -> usize {
        self.ends.partition_point(|end| *end < offset) + 1
    }
}

/// A known name close to one that is not known, as the end of a sentence.
pub struct Suggestion(Option<String>);

impl Suggestion {
    /// The name of `known` that `unknown` most likely stands for.
    pub fn of(unknown: &str, known: &[&str]) -> Self {
        let length = unknown.chars().count();
        let far = 2 + length / 8;
        // Names of other lengths are not measured at all: to measure one costs the product of both lengths.
        let near = known.iter().filter(|name| name.chars().count().abs_diff(length) <= far);
        let measured = near.map(|name| (strsim::damerau_levenshtein(name, unknown), *name));
        let nearest = measured.filter(|(distance, _)| *distance <= far).min();
        Self(nearest.map(|(_, name)| name.to_owned()))
    }
}

impl fmt::Display for Suggestion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |name| write!(out, "; did you mean \"{name}\"?"))
    }
}

/// What a TOML value is, in words.
pub fn kind(value: &DeValue) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_the_line_of_its_first_character() {
        let source = Source::new("a.toml", "a = 1\n\nb = 2\n");
        let lines = [0, 5, 6, 7, 12, 13].map(|at| source.fault(&(at..at), "", "").line);
        assert_eq!(lines, [1, 1, 2, 3, 3, 4]);
    }

    #[test]
    fn only_a_near_name_is_suggested() {
        let known = ["redirect_uris", "scope"];
        assert_eq!(Suggestion::of("redirect_uri", &known).to_string(), "; did you mean \"redirect_uris\"?");
        assert_eq!(Suggestion::of("colour", &known).to_string(), "");
        assert_eq!(Suggestion::of(&"redirect_uris".repeat(10_000), &known).to_string(), "");
    }
}
