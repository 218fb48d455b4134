//! `grantor doctor`: what is wrong with this installation, and what mends it.

use std::fmt::Write;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::CommandError;
use crate::checkup::{self, Finding, Level};
use crate::clock::system_time;
use crate::output::{self, print, printable};
use crate::settings::Settings;

/// How to look.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Do not ask the issuer and upstreams whether they answer.
    #[arg(long)]
    offline: bool,
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
}

/// Looks at everything; fails when something is broken.
///
/// # Errors
/// Never: what cannot be looked at is a finding.
pub async fn run(settings: &Settings, arguments: Arguments) -> Result<ExitCode, CommandError> {
    let findings = checkup::everything(settings, arguments.offline, system_time()).await;
    print(&if arguments.json { output::json(&findings.iter().map(members).collect()) } else { people(&findings) });
    let broken = findings.iter().any(|finding| finding.level == Level::Broken);
    Ok(if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn people(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let mark = match finding.level {
            Level::Sound => "ok  ",
            Level::Doubtful => "warn",
            Level::Broken => "FAIL",
        };
        let _ = writeln!(text, "{mark}  {:9}  {}", finding.area, printable(&finding.message));
        if !finding.fix.is_empty() {
            let _ = writeln!(text, "                 fix: {}", printable(&finding.fix));
        }
    }
    text
}

fn members(finding: &Finding) -> serde_json::Value {
    let level = match finding.level {
        Level::Sound => "ok",
        Level::Doubtful => "warn",
        Level::Broken => "fail",
    };
    json!({"level": level, "area": finding.area, "message": finding.message, "fix": finding.fix})
}
