//! Events as they are shown: a table for people, JSON for machines, and the catalogue of what there is.

use grantor_core::audit::catalogue::{Carried, carried};
use grantor_core::audit::{Event, EventKind};
use grantor_web::webhooks::event_members;
use serde_json::{Value, json};

use super::People;
use crate::clock;
use crate::output::{self, Table, printable};

/// Events as a table.
pub(super) fn table(events: &[Event], people: &People) -> String {
    let mut table = Table::new(&["when", "case", "what", "why", "app", "person", "from", "detail"]);
    for event in events {
        table.row(cells(event, people));
    }
    table.render()
}

/// One event on a line, for a table that grows.
pub(super) fn line(event: &Event, people: &People) -> String {
    format!("{}\n", cells(event, people).map(|cell| printable(&cell)).join("  "))
}

fn cells(event: &Event, people: &People) -> [String; 8] {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    let person = event.user_id.map(|id| people.get(&id).cloned().unwrap_or_else(|| id.to_string()));
    [
        clock::text(event.at),
        event.id.to_string(),
        event.kind.as_str().to_owned(),
        or_none(&event.reason),
        or_none(&event.client_id),
        or_none(&person),
        or_none(&event.address),
        printable(&or_none(&event.detail)),
    ]
}

/// An event as JSON: `case` and `at` name it and its moment, `type` its kind, and all else is null where it has none.
pub(super) fn members(event: &Event, people: &People) -> Value {
    let username = event.user_id.and_then(|id| people.get(&id));
    event_members(event, username.map(String::as_str))
}

/// An event as one line of JSON.
pub(super) fn json_line(event: &Event, people: &People) -> String {
    format!("{}\n", members(event, people))
}

/// The catalogue, for people or for machines.
pub(super) fn types(json: bool) -> String {
    if json {
        return output::json(&EventKind::ALL.iter().map(|kind| entry(*kind)).collect());
    }
    let mut table = Table::new(&["type", "what happened", "carries"]);
    for kind in EventKind::ALL {
        let fields: Vec<String> = carried(*kind).iter().map(named).collect();
        table.row([kind.as_str().to_owned(), kind.sentence().to_owned(), fields.join(", ")]);
    }
    table.render()
}

fn named(carried: &Carried) -> String {
    format!("{}{}", carried.field.name(), if carried.always { "" } else { "?" })
}

fn entry(kind: EventKind) -> Value {
    let field = |carried: &Carried| {
        json!({
            "name": carried.field.name(),
            "value": carried.field.value(),
            "always": carried.always,
            "meaning": carried.meaning,
        })
    };
    json!({
        "type": kind.as_str(),
        "sentence": kind.sentence(),
        "fields": carried(kind).iter().map(field).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of the README.
    fn markdown() -> String {
        let row = |kind: &EventKind| {
            let field = |carried: &Carried| format!("`{}`: {}", named(carried), carried.meaning);
            let fields: Vec<String> = carried(*kind).iter().map(field).collect();
            let fields = if fields.is_empty() { "nothing more".to_owned() } else { fields.join("; ") };
            format!("| `{}` | {} | {} |\n", kind.as_str(), kind.sentence(), fields)
        };
        let rows: String = EventKind::ALL.iter().map(row).collect::<Vec<_>>().concat();
        format!("| type | what happened | carries |\n|---|---|---|\n{rows}")
    }

    #[test]
    fn the_readme_has_the_catalogue() {
        let readme = include_str!("../../../../../README.md");
        assert!(readme.contains(&markdown()), "the table of README.md should be:\n{}", markdown());
    }

    #[test]
    fn machines_can_read_the_catalogue() {
        let read: Value = serde_json::from_str(&types(true)).unwrap_or_default();
        assert_eq!(read.as_array().map(Vec::len), Some(EventKind::ALL.len()));
        assert!(types(false).contains("sign_in_succeeded"), "{}", types(false));
    }
}
