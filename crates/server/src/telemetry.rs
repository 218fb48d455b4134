//! Structured logs on standard error. What is logged is chosen where it happens; a secret has no `Debug` that shows it.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Starts logging; a second start changes nothing.
pub fn start(log: &Log) {
    // Libraries speak at their own warnings only, so that a level is chosen for Grantor's words. What cannot be read as HTTP
    // is answered and no error of ours: anybody could fill the log with it.
    let filter = format!(
        "warn,actix_http::h1::dispatcher=off,grantor={level},grantor_core={level},grantor_identity={level},grantor_storage={level},grantor_web={level},grantor_server={level}",
        level = log.level.as_str()
    );
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let _ = match log.format {
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init(),
        LogFormat::Text => builder.with_target(false).try_init(),
    };
}
