//! What commands print: a table for people, JSON for machines.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use grantor_core::audit::is_shown;
use serde_json::Value;

/// Rows under headings, each column as wide as its widest cell.
pub struct Table {
    headings: &'static [&'static str],
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table.
    pub fn new(headings: &'static [&'static str]) -> Self {
        Self { headings, rows: Vec::new() }
    }

    /// With one more row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| printable(&cell)).collect());
    }

    /// The text.
    pub fn render(&self) -> String {
        let headings: Vec<String> = self.headings.iter().map(|heading| heading.to_uppercase()).collect();
        let lines = || std::iter::once(&headings).chain(&self.rows);
        let width = |column: usize| {
            lines().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..headings.len()).map(width).collect();
        lines().map(|line| render_line(line, &widths)).collect::<Vec<_>>().join("\n") + "\n"
    }
}

fn render_line(line: &[String], widths: &[usize]) -> String {
    let cells: Vec<String> = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
    cells.join("  ").trim_end().to_owned()
}

/// Text that cannot steer a terminal, nor say what it does not.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if is_shown(c) { c } else { '\u{FFFD}' }).collect()
}

/// Writes to standard output; a reader that has gone away is no error.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// How far long work has come, on standard error: a line that changes on a terminal, and now and then a line elsewhere.
pub struct ProgressLine {
    on_terminal: bool,
    last: Instant,
    shown: bool,
}

impl ProgressLine {
    /// Nothing yet.
    pub fn new() -> Self {
        Self { on_terminal: std::io::stderr().is_terminal(), last: Instant::now(), shown: false }
    }

    /// Tells that so many of so many are done, unless it was told just now.
    pub fn tell(&mut self, what: &str, done: u64, of: u64) {
        let often = if self.on_terminal { Duration::from_millis(100) } else { Duration::from_secs(10) };
        if of == 0 || self.last.elapsed() < often {
            return;
        }
        let (begin, end) = if self.on_terminal { ("\r\u{1b}[K", "") } else { ("", "\n") };
        let percent = done.min(of).saturating_mul(100) / of;
        let _ = write!(std::io::stderr(), "{begin}{}: {done} of {of}, {percent} %{end}", printable(what));
        self.last = Instant::now();
        self.shown = true;
    }
}

impl Default for ProgressLine {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for ProgressLine {
    /// What is written next begins at the beginning of the line.
    fn drop(&mut self) {
        if self.shown && self.on_terminal {
            let _ = write!(std::io::stderr(), "\r\u{1b}[K");
        }
    }
}

/// A value as JSON for machines, on several lines.
pub fn json(value: &Value) -> String {
    format!("{value:#}\n")
}

/// Names and values of one thing, one a line.
pub fn sheet(value: &Value) -> String {
    let Some(members) = value.as_object() else { return printable(&value.to_string()) };
    let width = members.keys().map(|name| name.chars().count()).max().unwrap_or(0);
    let line = |(name, value): (&String, &Value)| format!("{name:width$}  {}\n", words(value));
    members.iter().map(line).collect()
}

fn words(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::String(text) => printable(text),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().map(words).collect::<Vec<_>>().join(" ")
        }
        other => printable(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_hostile_text_stays_text() {
        let mut table = Table::new(&["id", "name"]);
        table.row(["wiki".into(), "Wiki".into()]);
        table.row(["a".into(), "\u{1b}[31mred".into()]);
        table.row(["b".into(), "\u{202E}der\u{2028}".into()]);
        let rendered = "ID    NAME\nwiki  Wiki\na     \u{FFFD}[31mred\nb     \u{FFFD}der\u{FFFD}\n";
        assert_eq!(table.render(), rendered);
    }
}
