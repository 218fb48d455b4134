//! `grantor events`: what happened, and why something was refused.

pub mod follow;
mod shown;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::process::ExitCode;

use clap::Args;
use grantor_core::audit::{Event, EventKind};
use grantor_core::policy::lifetime;
use grantor_core::store::Store;
use grantor_core::time::Time;
use grantor_jose::id::Id;
use grantor_storage::EventFilter;

use follow::Follower;

use super::CommandError;
use crate::clock::system_time;
use crate::output::{self, print};
use crate::settings::{Opened, Settings};

/// How many events are shown where nothing else is asked for.
const SHOWN: u32 = 50;

/// How many events an export reads at a time.
const PAGE: u32 = 1000;

/// Which events.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "the command line has them")]
pub struct Arguments {
    /// The event with the case number of an error page.
    #[arg(long, value_name = "NUMBER")]
    case: Option<Id>,
    /// Events of one type, as refused, sign_in_failed, consent_given or client_changed; --types shows all.
    #[arg(long = "type", visible_alias = "kind", value_name = "TYPE", value_parser = kind)]
    kind: Option<EventKind>,
    /// Events about one app.
    #[arg(long, value_name = "CLIENT_ID")]
    client: Option<String>,
    /// Events about one person.
    #[arg(long, value_name = "USERNAME")]
    user: Option<String>,
    /// Events of the last 15m, 1h, 7d …
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<std::time::Duration>,
    /// How many, the newest of them; 50 where nothing is said, and all with --json-lines.
    #[arg(long)]
    limit: Option<u32>,
    /// Print JSON for machines.
    #[arg(long)]
    json: bool,
    /// Export: each event as one line of JSON, oldest first, all of them unless --limit says otherwise.
    #[arg(long, conflicts_with = "json")]
    json_lines: bool,
    /// Go on with what happens, as it happens; with --json as lines.
    #[arg(long, conflicts_with = "case")]
    follow: bool,
    /// Show what types of events there are, what they mean and what they carry.
    #[arg(long)]
    types: bool,
}

impl Arguments {
    /// Whether everything that matches is shown, not the newest only.
    fn is_export(&self) -> bool {
        self.json_lines && self.limit.is_none()
    }
}

fn kind(word: &str) -> Result<EventKind, String> {
    let known = EventKind::ALL.iter().find(|kind| kind.as_str() == word);
    known.copied().ok_or_else(|| {
        format!("known are {}", EventKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", "))
    })
}

fn since(text: &str) -> Result<std::time::Duration, String> {
    lifetime::parse(text).ok_or_else(|| "write it as \"15m\", \"1h\" or \"7d\"".into())
}

/// The names of the people in a listing, those who still have an account.
type People = HashMap<Id, String>;

/// Prints the events, oldest first.
///
/// # Errors
/// When the person is not there, or the store fails.
pub async fn run(settings: &Settings, arguments: Arguments) -> Result<ExitCode, CommandError> {
    if arguments.types {
        print(&shown::types(arguments.json || arguments.json_lines));
        return Ok(ExitCode::SUCCESS);
    }
    let opened = settings.open()?;
    let done = show(&opened, &arguments).await;
    opened.close().await;
    done
}

async fn show(opened: &Opened, arguments: &Arguments) -> Result<ExitCode, CommandError> {
    if arguments.follow {
        let follower = begin_to_follow(opened, arguments, system_time(), &mut |line| print(line)).await?;
        follow::follow(opened, arguments, follower).await?;
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.is_export() {
        export(opened, arguments, system_time(), &mut |events, people| print(&lines(events, people, arguments)))
            .await?;
        return Ok(ExitCode::SUCCESS);
    }
    let (events, people) = find(opened, arguments, system_time()).await?;
    print(&text(&events, &people, arguments));
    let unknown = arguments.case.is_some() && events.is_empty();
    Ok(if unknown && !arguments.json { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Shows what one who follows is shown first, and says who follows from there.
///
/// # Errors
/// Those of [`run`].
pub async fn begin_to_follow(
    opened: &Opened,
    arguments: &Arguments,
    now: Time,
    out: &mut dyn FnMut(&str),
) -> Result<Follower, CommandError> {
    let mut follower = Follower::default();
    // Before the listing, so that nothing falls between the two.
    follower.new_ones(opened, asked(opened, arguments, now).await?, now).await?;
    if arguments.is_export() {
        let each = &mut |events: &[Event], people: &People| {
            out(&lines(events, people, arguments));
            follower.skip(events, now);
        };
        export(opened, arguments, now, each).await?;
    } else {
        let (events, people) = find(opened, arguments, now).await?;
        out(&lines(&events, &people, arguments));
        follower.skip(&events, now);
    }
    Ok(follower)
}

/// The text that a command prints, but for one that follows.
///
/// # Errors
/// Those of [`run`].
pub async fn answer(opened: &Opened, arguments: &Arguments, now: Time) -> Result<String, CommandError> {
    if arguments.types {
        return Ok(shown::types(arguments.json || arguments.json_lines));
    }
    if arguments.is_export() {
        let mut exported = String::new();
        let each = &mut |events: &[Event], people: &People| exported.push_str(&lines(events, people, arguments));
        export(opened, arguments, now, each).await?;
        return Ok(exported);
    }
    let (events, people) = find(opened, arguments, now).await?;
    Ok(text(&events, &people, arguments))
}

/// Each as a line: of JSON where that is asked for.
fn lines(events: &[Event], people: &People, arguments: &Arguments) -> String {
    let as_json = arguments.json || arguments.json_lines;
    let line = |event| if as_json { shown::json_line(event, people) } else { shown::line(event, people) };
    events.iter().map(line).collect()
}

fn text(events: &[Event], people: &People, arguments: &Arguments) -> String {
    if arguments.json {
        output::json(&events.iter().map(|event| shown::members(event, people)).collect())
    } else if arguments.json_lines {
        lines(events, people, arguments)
    } else if events.is_empty() {
        "No such events.\n".to_owned()
    } else {
        shown::table(events, people)
    }
}

/// Everything that matches, oldest first, a page at a time.
async fn export(
    opened: &Opened,
    arguments: &Arguments,
    now: Time,
    each: &mut dyn FnMut(&[Event], &People),
) -> Result<(), CommandError> {
    let filter = EventFilter { limit: PAGE, ..asked(opened, arguments, now).await? };
    let (mut after, mut people) = (None, People::new());
    loop {
        let page = opened.database.events_after(&filter, after).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.id);
        know(opened, &page, &mut people).await?;
        each(&page, &people);
    }
}

/// What is asked for, as the store knows it.
async fn asked(opened: &Opened, arguments: &Arguments, now: Time) -> Result<EventFilter, CommandError> {
    let user_id = match &arguments.user {
        Some(name) => Some(super::user::find(opened, name).await?.id),
        None => None,
    };
    Ok(EventFilter {
        id: arguments.case,
        kind: arguments.kind,
        client_id: arguments.client.clone(),
        user_id,
        since: arguments.since.map(|lifetime| now.minus(lifetime)),
        limit: arguments.limit.unwrap_or(SHOWN),
    })
}

/// The newest that match, oldest first.
async fn find(opened: &Opened, arguments: &Arguments, now: Time) -> Result<(Vec<Event>, People), CommandError> {
    let mut events = opened.database.events(&asked(opened, arguments, now).await?).await?;
    events.sort_by_key(|event| event.id);
    let people = people_of(opened, &events).await?;
    Ok((events, people))
}

async fn people_of(opened: &Opened, events: &[Event]) -> Result<People, CommandError> {
    let mut people = People::new();
    know(opened, events, &mut people).await?;
    Ok(people)
}

/// Looks up the names of those in `events` who are not known yet.
async fn know(opened: &Opened, events: &[Event], people: &mut People) -> Result<(), CommandError> {
    for id in events.iter().filter_map(|event| event.user_id) {
        if let Entry::Vacant(unknown) = people.entry(id)
            && let Some(user) = opened.database.user_find(id).await?
        {
            unknown.insert(user.username);
        }
    }
    Ok(())
}
