//! `grantor apply`: makes what is kept what a file says.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::CommandError;
use crate::clock::system_time;
use crate::declare;
use crate::declare::apply::Outcome;
use crate::output::{self, print, printable};
use crate::place::Source;
use crate::settings::Settings;

/// What to apply.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The declaration; `-` reads it from standard input.
    file: PathBuf,
    /// Only say what would change.
    #[arg(long)]
    dry_run: bool,
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// Applies the file.
///
/// # Errors
/// All that is wrong with the file, or why nothing could be written.
pub async fn run(settings: &Settings, arguments: Arguments) -> Result<ExitCode, CommandError> {
    let declaration = declare::parse(&read(&arguments.file)?)?;
    let opened = settings.open()?;
    let outcome =
        declare::apply::apply(&opened.database, &declaration, opened.tools(system_time()), arguments.dry_run).await;
    opened.close().await;
    let outcome = outcome?;
    print(&if arguments.json {
        output::json(&machine(&outcome, arguments.dry_run))
    } else {
        people(&outcome, arguments.dry_run)
    });
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> Result<Source, CommandError> {
    let mut text = String::new();
    let name = file.display().to_string();
    let read = if name == "-" {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(file).map(|read| text = read)
    };
    read.map_err(|source| CommandError::File { path: file.to_owned(), source })?;
    Ok(Source::new(if name == "-" { "standard input" } else { &name }, &text))
}

/// What was done, for people.
fn people(outcome: &Outcome, dry_run: bool) -> String {
    let mut lines: Vec<String> =
        outcome.plan.warnings.iter().map(|warning| format!("! {}", printable(warning))).collect();
    for step in &outcome.plan.steps {
        let (kind, name) = (step.item.kind(), printable(step.item.name()));
        lines.push(match &step.fields {
            None => format!("+ {kind} {name}"),
            Some(fields) => format!("~ {kind} {name}: {}", fields.join(", ")),
        });
    }
    for (client_id, secret) in &outcome.secrets {
        lines.push(format!("  client_secret of {}, shown this once: {}", printable(client_id), secret.expose()));
    }
    let count = |new| outcome.plan.steps.iter().filter(|step| step.fields.is_none() == new).count();
    let would = if dry_run { " Nothing was written." } else { "" };
    lines.push(format!(
        "{} created, {} changed, {} unchanged.{would}",
        count(true),
        count(false),
        outcome.plan.unchanged
    ));
    lines.join("\n") + "\n"
}

/// What was done, for machines.
fn machine(outcome: &Outcome, dry_run: bool) -> Value {
    let steps = |new: bool| -> Vec<Value> {
        let of = outcome.plan.steps.iter().filter(|step| step.fields.is_none() == new);
        of.map(|step| match &step.fields {
            None => json!({"kind": step.item.kind(), "id": step.item.name()}),
            Some(fields) => json!({"kind": step.item.kind(), "id": step.item.name(), "fields": fields}),
        })
        .collect()
    };
    let secrets: serde_json::Map<_, _> =
        outcome.secrets.iter().map(|(id, secret)| (id.clone(), json!(secret.expose()))).collect();
    json!({
        "dry_run": dry_run,
        "created": steps(true),
        "changed": steps(false),
        "unchanged": outcome.plan.unchanged,
        "secrets": secrets,
        "warnings": outcome.plan.warnings,
    })
}
