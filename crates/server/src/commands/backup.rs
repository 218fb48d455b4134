//! `grantor backup`: a copy of the database, made while the server runs.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use grantor_storage::{Database, back_up};

use super::CommandError;
use crate::clock;
use crate::config::Config;
use crate::output::{ProgressLine, Table, print};
use crate::settings::{Settings, key_encryption_key};

/// Where the copy goes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The file to make.
    file: PathBuf,
}

/// Makes the copy.
///
/// # Errors
/// Those of [`make`].
pub fn run(settings: &Settings, arguments: &Arguments) -> Result<ExitCode, CommandError> {
    print(&make(&settings.load()?, arguments)?);
    Ok(ExitCode::SUCCESS)
}

/// Copies the database of `config`; what there is to say of it.
///
/// # Errors
/// When there is no backup, and why.
pub fn make(config: &Config, arguments: &Arguments) -> Result<String, CommandError> {
    let file = arguments.file.display();
    let url = config.database_url.expose();
    if Database::is_postgres(url) {
        let place = Database::shown(url);
        return Err(CommandError::Refused(format!(
            "database_url names PostgreSQL, which copies itself: pg_dump --format=custom --file={file} '{place}'"
        )));
    }
    let key = key_encryption_key(config)?;
    let mut line = ProgressLine::new();
    let contents = back_up(url, &arguments.file, &key, &mut |what, done, of| line.tell(what, done, of))?;
    drop(line);
    let mut table = Table::new(&["table", "rows"]);
    for (name, rows) in &contents.counts {
        table.row([(*name).to_owned(), rows.to_string()]);
    }
    let (layout, newest) = (contents.layout, clock::text(contents.newest));
    Ok(format!(
        "{}\nWrote {file}, whole, with layout {layout}; the newest thing in it is of {newest}.\n{KEEP}",
        table.render()
    ))
}

const KEEP: &str = "\
It opens only with the key-encryption key, which is not in it: keep that too, and keep it elsewhere. `grantor restore`
puts it back.
";
