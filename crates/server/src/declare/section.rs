//! One table of a declaration: its keys are taken one by one, and what is wrong is kept with its place.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::de::{DeserializeOwned, IntoDeserializer};
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use crate::place::{Fault, Source, Suggestion, kind};

/// Where something was declared, for findings that come later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Nothing for what was declared by a command.
    start: Option<Fault>,
}

impl Place {
    /// What is to be said about `key` of what was declared here.
    pub fn remark(&self, key: &str, message: &str) -> String {
        self.fault(key, message).map_or_else(|| format!("{key}: {message}"), |fault| fault.to_string())
    }

    /// What is wrong with `key` of what was declared here, if that was in a file.
    pub(super) fn fault(&self, key: &str, message: &str) -> Option<Fault> {
        let start = self.start.as_ref()?;
        Some(Fault { key: format!("{}.{key}", start.key), message: message.to_owned(), ..start.clone() })
    }
}

/// A table with its place, its keys not yet taken, and what is wrong with it.
pub(super) struct Section<'s> {
    source: &'s Source,
    path: String,
    span: Range<usize>,
    table: DeTable<'s>,
    spans: BTreeMap<String, Range<usize>>,
    faults: Vec<Fault>,
}

impl<'s> Section<'s> {
    /// The table at `path`, as in `clients[2]`.
    pub(super) fn new(source: &'s Source, path: String, table: Spanned<DeTable<'s>>) -> Self {
        let span = table.span();
        let table = table.into_inner();
        let spans =
            table.iter().map(|(key, value)| (key.get_ref().to_string(), key.span().start..value.span().end)).collect();
        Self { source, path, span, table, spans, faults: Vec::new() }
    }

    /// The tables of the list `name`, each with its path.
    pub(super) fn tables(&mut self, name: &str) -> Vec<Section<'s>> {
        let Some(value) = self.remove(name) else { return Vec::new() };
        let span = value.span();
        let DeValue::Array(items) = value.into_inner() else {
            self.fault_span(&span, name, &format!("is not a list of tables; write [[{name}]]"));
            return Vec::new();
        };
        let mut sections = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            let (span, path) = (item.span(), format!("{name}[{index}]"));
            match item.into_inner() {
                DeValue::Table(table) => sections.push(Section::new(self.source, path, Spanned::new(span, table))),
                other => self.fault_span(&span, &path, &format!("is {}, not a table; write [[{name}]]", kind(&other))),
            }
        }
        sections
    }

    /// The value of `name`, if it is there and of the right kind.
    pub(super) fn take<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let value = self.remove(name)?;
        match T::deserialize(ValueDeserializer::from(value)) {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(name, error.message());
                None
            }
        }
    }

    /// The value of `name`, which must be there and not empty.
    pub(super) fn required(&mut self, name: &str) -> Option<String> {
        if !self.spans.contains_key(name) {
            self.fault(name, "is missing");
            return None;
        }
        let value = self.take::<String>(name)?;
        if value.is_empty() {
            self.fault(name, "is empty");
        }
        (!value.is_empty()).then_some(value)
    }

    /// The tables' own keys, as one value of `T`; a key that is wrong is left out, so that all that are wrong are found.
    pub(super) fn rest<T: DeserializeOwned>(&mut self) -> Option<T> {
        loop {
            let whole = Spanned::new(self.span.clone(), DeValue::Table(self.table.clone()));
            let error = match T::deserialize(whole.into_deserializer()) {
                Ok(value) => return Some(value),
                Err(error) => error,
            };
            let place = error.span().unwrap_or_else(|| self.span.clone());
            let holds = |(key, value): (&Spanned<_>, &Spanned<DeValue>)| {
                key.span().start <= place.start && place.start < value.span().end
            };
            let name = self.table.iter().find(|pair| holds(*pair)).map(|(key, _)| key.get_ref().to_string());
            let Some(name) = name else {
                self.fault("", error.message());
                return None;
            };
            self.fault(&name, error.message());
            self.remove(&name);
        }
    }

    /// Finds fault with each key that is not among `known`, and leaves it out.
    pub(super) fn only(&mut self, known: &[&[&str]]) {
        let known: Vec<&str> = known.iter().flat_map(|names| names.iter().copied()).collect();
        let unknown: Vec<String> = self.spans.keys().filter(|name| !known.contains(&name.as_str())).cloned().collect();
        for name in unknown {
            self.fault(&name, &format!("is not known here{}", Suggestion::of(&name, &known)));
            self.remove(&name);
        }
    }

    /// Whether the key `name` is there, taken or not.
    pub(super) fn has(&self, name: &str) -> bool {
        self.spans.contains_key(name)
    }

    /// The keys not yet taken.
    pub(super) fn keys(&self) -> Vec<String> {
        self.table.keys().map(|key| key.get_ref().to_string()).collect()
    }

    /// Keeps that the key `name` is wrong; with an empty name, that the table is.
    pub(super) fn fault(&mut self, name: &str, message: &str) {
        let name_of_key = name.split(['.', '[']).next().unwrap_or_default();
        let span = self.spans.get(name_of_key).unwrap_or(&self.span).clone();
        self.fault_span(&span, &self.path_of(name), message);
    }

    fn fault_span(&mut self, span: &Range<usize>, key: &str, message: &str) {
        let fault = self.source.fault(span, key, message);
        self.faults.push(fault);
    }

    fn path_of(&self, name: &str) -> String {
        let dot = if self.path.is_empty() || name.is_empty() { "" } else { "." };
        format!("{}{dot}{name}", self.path)
    }

    /// Where the table stands.
    pub(super) fn place(&self) -> Place {
        Place { start: Some(self.source.fault(&self.span, &self.path, "")) }
    }

    /// What is wrong, so far.
    pub(super) fn into_faults(self) -> Vec<Fault> {
        self.faults
    }

    /// Takes over what is wrong in a table within.
    pub(super) fn adopt(&mut self, faults: Vec<Fault>) {
        self.faults.extend(faults);
    }

    fn remove(&mut self, name: &str) -> Option<Spanned<DeValue<'s>>> {
        self.table.remove(name)
    }
}
