//! `grantor events --follow`: what happens, as it happens. The database is asked again each second, so that it works for both,
//! and for what other servers write.

use std::collections::BTreeSet;
use std::time::Duration;

use grantor_core::audit::Event;
use grantor_core::time::Time;
use grantor_jose::id::Id;
use grantor_storage::EventFilter;

use super::{Arguments, CommandError, asked, lines, people_of};
use crate::clock::system_time;
use crate::output::print;
use crate::settings::Opened;

/// How often the database is asked.
const EACH: Duration = Duration::from_secs(1);

/// How far back each question looks: servers' clocks differ, and what began earlier can be written later.
const LOOKS_BACK: Duration = Duration::from_secs(30);

/// How many events one question finds at most.
const MOST: u32 = 20_000;

/// What has been shown of the time that is looked back on.
#[derive(Debug, Default)]
pub struct Follower {
    seen: BTreeSet<Id>,
}

impl Follower {
    /// The events that match and were not given before, oldest first.
    ///
    /// # Errors
    /// What the store says.
    pub async fn new_ones(
        &mut self,
        opened: &Opened,
        filter: EventFilter,
        now: Time,
    ) -> Result<Vec<Event>, CommandError> {
        let since = now.minus(LOOKS_BACK);
        let found = opened.database.events(&EventFilter { since: Some(since), limit: MOST, ..filter }).await?;
        let mut fresh: Vec<Event> = found.into_iter().filter(|event| !self.seen.contains(&event.id)).collect();
        fresh.sort_by_key(|event| event.id);
        self.seen.extend(fresh.iter().map(|event| event.id));
        self.seen.retain(|id| Time::from_millis(id.created_ms()) >= since.minus(LOOKS_BACK));
        Ok(fresh)
    }

    /// Notes what is shown already.
    pub fn skip(&mut self, events: &[Event], now: Time) {
        let oldest = now.minus(LOOKS_BACK).minus(LOOKS_BACK);
        let looked_back_on = |id: &Id| Time::from_millis(id.created_ms()) >= oldest;
        self.seen.extend(events.iter().map(|event| event.id).filter(looked_back_on));
    }
}

/// Shows what happens, until somebody ends it.
pub(super) async fn follow(opened: &Opened, arguments: &Arguments, mut follower: Follower) -> Result<(), CommandError> {
    let filter = asked(opened, arguments, system_time()).await?;
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok(()),
            () = tokio::time::sleep(EACH) => {}
        }
        print(&round(opened, arguments, (&mut follower, &filter), system_time()).await?);
    }
}

/// What is shown of one question: a line for each event that was not shown before.
///
/// # Errors
/// What the store says.
pub async fn round(
    opened: &Opened,
    arguments: &Arguments,
    (follower, filter): (&mut Follower, &EventFilter),
    now: Time,
) -> Result<String, CommandError> {
    let events = follower.new_ones(opened, filter.clone(), now).await?;
    let people = people_of(opened, &events).await?;
    Ok(lines(&events, &people, arguments))
}
