//! Failed sign-ins, counted in a fixed number of slots.

use diesel::dsl;
use diesel::prelude::*;

use crate::schema::attempts;
use crate::statement::Statement;

#[dsl::auto_type(no_type_alias)]
pub(crate) fn find(slot: i64) -> _ {
    attempts::table.select((attempts::failures, attempts::window_started)).filter(attempts::slot.eq(slot))
}

/// Fails where the slot is in use.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn insert(slot: i64, failures: i64, window_started: i64) -> _ {
    dsl::insert_into(attempts::table).values((
        attempts::slot.eq(slot),
        attempts::failures.eq(failures),
        attempts::window_started.eq(window_started),
    ))
}

/// Changes the slot where it is as it was read.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn update(slot: i64, expected: (i64, i64), failures: i64, window_started: i64) -> _ {
    let (expected_failures, expected_start): (i64, i64) = expected;
    let as_read = attempts::slot
        .eq(slot)
        .and(attempts::failures.eq(expected_failures))
        .and(attempts::window_started.eq(expected_start));
    dsl::update(attempts::table.filter(as_read))
        .set((attempts::failures.eq(failures), attempts::window_started.eq(window_started)))
}

/// Removes at most `limit` whose window began long ago.
pub(crate) fn sweep(started_by: i64, limit: i64) -> impl Statement {
    let old = diesel::alias!(attempts as old);
    let over =
        old.select(old.field(attempts::slot)).filter(old.field(attempts::window_started).le(started_by)).limit(limit);
    dsl::delete(attempts::table.filter(attempts::slot.eq_any(over)))
}

/// Removes all.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn clear() -> _ {
    dsl::delete(attempts::table)
}
