//! `grantor migrate`: the database's layout, and its way from SQLite to PostgreSQL.

use std::fmt::Write;
use std::process::ExitCode;

use clap::Args;
use grantor_storage::{Copied, Copying, Database};

use super::CommandError;
use crate::config::{Config, Hidden};
use crate::output::{ProgressLine, Table, print};
use crate::passwords;
use crate::settings::{self, Opened, Role, Settings};

/// Where to.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Move to this empty PostgreSQL database: postgres://USER:PASSWORD@HOST/DATABASE, or `-` to read that from the first line
    /// of standard input, so that the password stands in no list of processes.
    #[arg(long, value_name = "URL", value_parser = hidden)]
    to: Option<Hidden>,
    /// Copy and verify, and take it back: shows that it works, and how long it takes. The server is not disturbed.
    #[arg(long, requires = "to")]
    dry_run: bool,
    /// Go back: let a SQLite database that has moved take writes again. What PostgreSQL was given since is not in it, and what
    /// was spent there since counts again; `grantor new-epoch` ends all of that.
    #[arg(long, conflicts_with = "to")]
    reopen: bool,
}

#[expect(clippy::unnecessary_wraps, reason = "clap's signature")]
fn hidden(text: &str) -> Result<Hidden, String> {
    Ok(Hidden::new(text))
}

/// Opens the database, which brings it to this version's layout under a lock, and moves it where that was asked for.
///
/// # Errors
/// Those of [`work`].
pub async fn run(settings: &Settings, arguments: Arguments) -> Result<ExitCode, CommandError> {
    print(&work(settings.load()?, arguments).await?);
    Ok(ExitCode::SUCCESS)
}

/// Does it for the database of `config`; what there is to say of it.
///
/// # Errors
/// When the database cannot be opened, changed or copied. A copy that was not made changes nothing.
pub async fn work(config: Config, arguments: Arguments) -> Result<String, CommandError> {
    if arguments.reopen {
        return reopen(&config);
    }
    let opened = settings::open(config, Role::Command)?;
    let done = match &arguments.to {
        None => layout(&opened),
        Some(to) => move_to(&opened, to, arguments.dry_run),
    };
    opened.close().await;
    done
}

fn layout(opened: &Opened) -> Result<String, CommandError> {
    Ok(format!("The database has layout {}.\n", opened.database.schema_version()?))
}

fn reopen(config: &Config) -> Result<String, CommandError> {
    let was_closed = Database::reopen(config.database_url.expose())?;
    Ok(if was_closed { REOPENED } else { "The database has not moved, and takes writes.\n" }.to_owned())
}

fn move_to(opened: &Opened, to: &Hidden, dry_run: bool) -> Result<String, CommandError> {
    let read;
    let to = if to.expose() == "-" {
        read = Hidden::new(passwords::ask(true)?.expose());
        &read
    } else {
        to
    };
    if !Database::is_postgres(to.expose()) {
        return Err(CommandError::Refused("--to: write it as postgres://USER:PASSWORD@HOST/DATABASE".into()));
    }
    let target = settings::database_settings(&opened.config, to, opened.meters.clone())?;
    let copying = if dry_run { Copying::Rehearsal } else { Copying::ForGood };
    let mut line = ProgressLine::new();
    let copied = opened.database.copy_to(&target, copying, &mut |what, done, of| line.tell(what, done, of))?;
    let mut text = table(&copied);
    text.push_str(VERIFIED);
    if dry_run {
        text.push_str(REHEARSED);
    } else {
        let from = Database::shown(opened.config.database_url.expose());
        let _ = write!(text, "{}", switch(&from, &Database::shown(to.expose())));
    }
    Ok(text)
}

fn table(copied: &[Copied]) -> String {
    let mut table = Table::new(&["table", "rows", "SHA-256 of all rows"]);
    for Copied { table: name, rows, hash } in copied {
        let digits = hash.iter().fold(String::new(), |mut digits, byte| {
            let _ = write!(digits, "{byte:02x}");
            digits
        });
        table.row([(*name).to_owned(), rows.to_string(), digits]);
    }
    table.render()
}

fn switch(from: &str, to: &str) -> String {
    format!(
        "\
PostgreSQL has them now, and {from} takes no more writes. What to switch, now:
  1. database_url = \"{to}\", with the password,
     in grantor.toml, or as GRANTOR_DATABASE_URL in the environment, which goes first where both are set. Everything
     else stays, the key-encryption key above all.
  2. Restart the server; until then it answers what it would have to write with 503. `grantor doctor` sees the rest.
Keep the file until all is well: `grantor migrate --reopen` goes back to it, without what PostgreSQL was given since.
"
    )
}

const VERIFIED: &str = "
Copied and read back: number and hash of the rows of each table are the same on both sides.
";

const REHEARSED: &str = "\
This was a rehearsal: PostgreSQL has kept nothing but an empty layout, and nothing has changed here.
";

const REOPENED: &str = "\
The database takes writes again. If PostgreSQL was in use meanwhile: what it was given is not here, and what was spent there
counts again here; `grantor new-epoch` ends all that was issued.
";
