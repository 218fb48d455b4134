//! axe-core in the page: what people with other eyes, ears or hands would stumble over.

use std::fmt;
use std::path::PathBuf;

use fantoccini::Client;
use serde_json::Value;

use super::{must, target};

/// Runs every rule, and answers with the violations.
const RUN: &str = "
    const done = arguments[arguments.length - 1];
    axe.run(document, { resultTypes: ['violations'] }).then(
        (results) => done({ violations: results.violations }),
        (error) => done({ error: String(error) }),
    );";

/// A rule that the page breaks, and where.
#[derive(PartialEq, Eq)]
pub struct Violation {
    /// The rule's name, as `color-contrast`.
    pub id: String,
    /// `minor`, `moderate`, `serious` or `critical`.
    pub impact: String,
    /// The HTML of each element that breaks it, and how to mend it.
    pub nodes: Vec<String>,
}

impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.id, self.impact)?;
        self.nodes.iter().try_for_each(|node| write!(f, "\n    {node}"))
    }
}

/// Where `tests/run` puts the script.
pub fn path() -> PathBuf {
    target().join("axe/node_modules/axe-core/axe.min.js")
}

/// Tells all violations. Scripts that WebDriver runs are not bound by the page's content security policy.
pub async fn run(client: &Client) -> Vec<Violation> {
    let script = std::fs::read_to_string(path()).expect("axe-core is there");
    must(client.execute(&script, Vec::new()).await, "loading axe-core");
    let answer = must(client.execute_async(RUN, Vec::new()).await, "running axe-core");
    assert!(answer["error"].is_null(), "axe-core: {}", answer["error"]);
    elements(&answer["violations"]).map(violation).collect()
}

fn violation(found: &Value) -> Violation {
    let node =
        |node: &Value| format!("{}\n      {}", text(&node["html"]), text(&node["failureSummary"]).replace('\n', " "));
    Violation {
        id: text(&found["id"]),
        impact: text(&found["impact"]),
        nodes: elements(&found["nodes"]).map(node).collect(),
    }
}

fn elements(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
