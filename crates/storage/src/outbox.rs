//! Messages that are to be delivered, or were given up.

use diesel::dsl;
use diesel::prelude::*;
use grantor_core::outbox::{Message, MessageKey};
use grantor_core::store::StoreError;
use grantor_core::time::Time;
use grantor_jose::id::Id;

use crate::column::Place;
use crate::schema::outbox;
use crate::statement::Statement;

#[derive(AsChangeset, Insertable, Queryable)]
#[diesel(table_name = outbox, primary_key(target, id), treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct Row {
    target: String,
    id: i64,
    attempts: i64,
    queued_at: i64,
    due_at: Option<i64>,
    error: String,
}

impl Row {
    /// A message that was never tried.
    fn new(key: &MessageKey, due_at: Time) -> Self {
        let due_at = due_at.millis();
        let (target, id) = (key.target.to_string(), key.id.as_i64());
        Self { target, id, attempts: 0, queued_at: due_at, due_at: Some(due_at), error: String::new() }
    }
}

impl TryFrom<Row> for Message {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let place = Place::new("outbox", row.id);
        let target = row.target.parse().map_err(|()| place.corrupt("target"))?;
        Ok(Self {
            key: MessageKey { id: Id::from_i64(row.id), target },
            attempts: row.attempts.try_into().map_err(|_| place.corrupt("attempts"))?,
            queued_at: Time::from_millis(row.queued_at),
            due_at: row.due_at.map(Time::from_millis),
            error: row.error,
        })
    }
}

/// Queues a message, also one that was given up.
pub(crate) fn queue(key: &MessageKey, due_at: Time) -> impl Statement {
    let row = Row::new(key, due_at);
    let again = (
        outbox::attempts.eq(row.attempts),
        outbox::queued_at.eq(row.queued_at),
        outbox::due_at.eq(row.due_at),
        outbox::error.eq(""),
    );
    dsl::insert_into(outbox::table).values(row).on_conflict((outbox::target, outbox::id)).do_update().set(again)
}

/// No row where it is due at another moment by now, or is gone.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn claim<'a>(target: &'a str, id: i64, due_at: i64, until: i64) -> _ {
    let as_read = outbox::target.eq(target).and(outbox::id.eq(id)).and(outbox::due_at.eq(due_at));
    dsl::update(outbox::table.filter(as_read)).set(outbox::due_at.eq(until))
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn delivered<'a>(target: &'a str, id: i64) -> _ {
    dsl::delete(outbox::table.filter(outbox::target.eq(target).and(outbox::id.eq(id))))
}

/// No row where somebody else has claimed it since.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn failed<'a>(target: &'a str, id: i64, until: i64, next: Option<i64>, error: &'a str) -> _ {
    let ours = outbox::target.eq(target).and(outbox::id.eq(id)).and(outbox::due_at.eq(until));
    dsl::update(outbox::table.filter(ours)).set((
        outbox::due_at.eq(next),
        outbox::error.eq(error),
        outbox::attempts.eq(outbox::attempts + 1_i64),
    ))
}

/// What a target is to be told by now, the longest due first.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn due<'a>(target: &'a str, now: i64, most: i64) -> _ {
    outbox::table
        .filter(outbox::target.eq(target).and(outbox::due_at.le(now)))
        .order((outbox::due_at.asc(), outbox::id.asc()))
        .limit(most)
}

/// Messages of a target that were given up, the newest first.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn given_up<'a>(target: &'a str, most: i64) -> _ {
    outbox::table.filter(outbox::target.eq(target).and(outbox::due_at.is_null())).order(outbox::id.desc()).limit(most)
}

/// How many messages wait, to whomever.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn count_waiting() -> _ {
    outbox::table.filter(outbox::due_at.is_not_null()).select(dsl::count_star())
}

/// Since when the oldest of them does.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn waiting_since() -> _ {
    outbox::table
        .filter(outbox::due_at.is_not_null())
        .order(outbox::queued_at.asc())
        .select(outbox::queued_at)
        .limit(1_i64)
}

/// How many wait for one target.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn count_waiting_for<'a>(target: &'a str) -> _ {
    outbox::table.filter(outbox::target.eq(target).and(outbox::due_at.is_not_null())).select(dsl::count_star())
}

/// Since when the oldest of them does.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn waiting_for_since<'a>(target: &'a str) -> _ {
    outbox::table
        .filter(outbox::target.eq(target).and(outbox::due_at.is_not_null()))
        .order(outbox::queued_at.asc())
        .select(outbox::queued_at)
        .limit(1_i64)
}

/// How many were given up, to whomever.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn count_given_up() -> _ {
    outbox::table.filter(outbox::due_at.is_null()).select(dsl::count_star())
}

/// How many wait for a target, and how many were given up, of each target that has any.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn targets() -> _ {
    outbox::table
        .group_by(outbox::target)
        .select((outbox::target, dsl::count(outbox::due_at), dsl::count_star()))
        .order(outbox::target.asc())
}

/// Removes all messages of a target.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn forget<'a>(target: &'a str) -> _ {
    dsl::delete(outbox::table.filter(outbox::target.eq(target)))
}

/// Removes some `limit` messages that were queued by a moment and were given up since. What is still tried stays, however old
/// the fact is that it tells of.
pub(crate) fn sweep_given_up(queued_by: i64, limit: i64) -> impl Statement {
    let old = diesel::alias!(outbox as old);
    let is_over = old.field(outbox::due_at).is_null().and(old.field(outbox::queued_at).le(queued_by));
    let over = old.select(old.field(outbox::id)).filter(is_over).limit(limit);
    let this = outbox::due_at.is_null().and(outbox::queued_at.le(queued_by));
    dsl::delete(outbox::table.filter(this.and(outbox::id.eq_any(over))))
}

/// The same of messages to those who are not `named` any more, whom nobody delivers them to.
pub(crate) fn sweep_unnamed(named: &[String], queued_by: i64, limit: i64) -> impl Statement + use<> {
    let old = diesel::alias!(outbox as old);
    let is_over = old.field(outbox::target).ne_all(named.to_vec()).and(old.field(outbox::queued_at).le(queued_by));
    let over = old.select(old.field(outbox::id)).filter(is_over).limit(limit);
    let this = outbox::target.ne_all(named.to_vec()).and(outbox::queued_at.le(queued_by));
    dsl::delete(outbox::table.filter(this.and(outbox::id.eq_any(over))))
}
