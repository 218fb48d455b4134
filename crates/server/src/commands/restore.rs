//! `grantor restore`: a backup in the place of a database that is not there.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use grantor_core::audit::{Event, EventKind};
use grantor_core::change::Change;
use grantor_core::store::Store;
use grantor_core::time::Time;
use grantor_storage::{Contents, Database, Restoration};

use super::{CommandError, new_epoch};
use crate::clock::{self, system_time};
use crate::config::{Config, Hidden};
use crate::epoch;
use crate::output::{ProgressLine, print};
use crate::settings::{self, Opened, Role, Settings, key_encryption_key};

/// What is put back.
#[derive(Debug, Args)]
pub struct Arguments {
    /// A file that `grantor backup` made.
    file: PathBuf,
    /// End everything that was issued before, so that nothing that was spent since the backup counts again.
    #[arg(long)]
    new_epoch: bool,
}

/// Puts it back.
///
/// # Errors
/// Those of [`put_back`].
pub async fn run(settings: &Settings, arguments: &Arguments) -> Result<ExitCode, CommandError> {
    print(&put_back(settings.load()?, arguments).await?);
    Ok(ExitCode::SUCCESS)
}

/// Puts a backup where the database of `config` belongs; what there is to say of it.
///
/// # Errors
/// When it cannot be used, or a database is there already. Nothing is in place then.
pub async fn put_back(config: Config, arguments: &Arguments) -> Result<String, CommandError> {
    let place = Database::shown(config.database_url.expose());
    if Database::is_postgres(config.database_url.expose()) {
        return Err(CommandError::Refused(format!(
            "database_url names PostgreSQL, which is put back by pg_restore --dbname='{place}' FILE; then `grantor new-epoch` \
             ends what was issued before"
        )));
    }
    let key = key_encryption_key(&config)?;
    let mut line = ProgressLine::new();
    let told = &mut |what: &str, done, of| line.tell(what, done, of);
    let restoration = Restoration::begin(&arguments.file, config.database_url.expose(), &key, told)?;
    drop(line);
    let contents = restoration.contents().clone();
    let opened = settings::open(Config { database_url: Hidden::new(restoration.url()), ..config }, Role::Command)?;
    let changed = change(&opened, arguments.new_epoch, &contents, system_time()).await;
    opened.close().await;
    changed?;
    restoration.put_in_place()?;
    Ok(text(&place, arguments.new_epoch, &contents))
}

async fn change(opened: &Opened, new_epoch: bool, contents: &Contents, now: Time) -> Result<(), CommandError> {
    let event = Event::new(opened.mint.id(now.millis()), now, EventKind::DatabaseRestored);
    let event = event.detail(&format!("the newest thing in the backup is of {}", clock::text(contents.newest)));
    let event = Change::EventInsert(Box::new(event));
    if new_epoch {
        return epoch::begin(opened, vec![event], now).await;
    }
    Ok(opened.database.commit(vec![event]).await?)
}

fn text(place: &str, new_epoch: bool, contents: &Contents) -> String {
    let count = |table| contents.counts.iter().find(|(name, _)| *name == table).map_or(0, |(_, rows)| *rows);
    format!(
        "Put back at {place}, with users {}, clients {}, grants {}; the newest thing in it is of {}.\n{}{}",
        count("users"),
        count("clients"),
        count("grants"),
        clock::text(contents.newest),
        if new_epoch { new_epoch::ENDED } else { ALIVE },
        epoch::NOT_KNOWN
    )
}

const ALIVE: &str = "\
WARNING: what was spent, ended or revoked since counts again: codes, recovery codes, refresh tokens, sessions, access
tokens, client assertions. `grantor new-epoch` ends all of it, with everything else that was issued; best before the server starts.
";
