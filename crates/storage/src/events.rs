//! Security events: those that are kept for long, and the ring of refusals.

use diesel::dsl;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use grantor_core::audit::{Event, EventKind};
use grantor_core::store::StoreError;
use grantor_core::time::Time;
use grantor_jose::id::Id;

use crate::column::Place;
use crate::schema::{events, refusals};
use crate::statement::Statement;

/// How many refusals are kept.
pub(crate) const REFUSALS: i64 = 10_000;

/// Which events are asked for; each member that is there narrows them.
#[derive(Clone, Debug)]
pub struct EventFilter {
    /// The one with this identifier, the case number of an error page.
    pub id: Option<Id>,
    /// Those of one kind.
    pub kind: Option<EventKind>,
    /// Those about one client.
    pub client_id: Option<String>,
    /// Those about one person.
    pub user_id: Option<Id>,
    /// Those since a moment.
    pub since: Option<Time>,
    /// At most so many, the newest.
    pub limit: u32,
}

impl Default for EventFilter {
    /// The newest hundred.
    fn default() -> Self {
        Self { id: None, kind: None, client_id: None, user_id: None, since: None, limit: 100 }
    }
}

/// The members of an [`EventFilter`] as columns are compared with them.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    ids: (i64, i64),
    since: i64,
    kind: (bool, &'a str),
    client_id: (bool, &'a str),
    user_id: (bool, i64),
    after: i64,
    limit: i64,
}

impl EventFilter {
    pub(crate) fn wanted(&self) -> Wanted<'_> {
        Wanted {
            ids: self.id.map_or((i64::MIN, i64::MAX), |id| (id.as_i64(), id.as_i64())),
            since: self.since.map_or(i64::MIN, Time::millis),
            kind: (self.kind.is_none(), self.kind.map_or("", EventKind::as_str)),
            client_id: (self.client_id.is_none(), self.client_id.as_deref().unwrap_or_default()),
            user_id: (self.user_id.is_none(), self.user_id.map_or(0, Id::as_i64)),
            after: i64::MIN,
            limit: self.limit.into(),
        }
    }

    /// The same of those with greater identifiers only.
    pub(crate) fn wanted_after(&self, after: Option<Id>) -> Wanted<'_> {
        Wanted { after: after.map_or(i64::MIN, Id::as_i64), ..self.wanted() }
    }
}

/// A row of either table.
#[derive(Insertable, Queryable)]
#[diesel(table_name = events, treat_none_as_default_value = false)]
pub(crate) struct Row {
    id: i64,
    at: i64,
    kind: String,
    reason: Option<String>,
    client_id: Option<String>,
    user_id: Option<i64>,
    address: Option<String>,
    detail: Option<String>,
}

impl Row {
    pub(crate) fn new(event: &Event) -> Self {
        Self {
            id: event.id.as_i64(),
            at: event.at.millis(),
            kind: event.kind.as_str().to_owned(),
            reason: event.reason.clone(),
            client_id: event.client_id.clone(),
            user_id: event.user_id.map(Id::as_i64),
            address: event.address.clone(),
            detail: event.detail.clone(),
        }
    }
}

impl TryFrom<Row> for Event {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let kind = EventKind::ALL.iter().copied().find(|kind| kind.as_str() == row.kind);
        Ok(Self {
            id: Id::from_i64(row.id),
            at: Time::from_millis(row.at),
            kind: kind.ok_or_else(|| Place::new("events", row.id).corrupt("kind"))?,
            reason: row.reason,
            client_id: row.client_id,
            user_id: row.user_id.map(Id::from_i64),
            address: row.address,
            detail: row.detail,
        })
    }
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn insert(row: Row) -> _ {
    dsl::insert_into(events::table).values(row)
}

macro_rules! selected {
    ($(#[$doc:meta])* $name:ident of $table:ident, $order:ident) => {
        $(#[$doc])*
        #[dsl::auto_type(no_type_alias)]
        pub(crate) fn $name<'a>(wanted: Wanted<'a>) -> _ {
            let (first, last): (i64, i64) = wanted.ids;
            let after: i64 = wanted.after;
            let since: i64 = wanted.since;
            let (any_kind, kind): (bool, &'a str) = wanted.kind;
            let (any_client, client_id): (bool, &'a str) = wanted.client_id;
            let (any_user, user_id): (bool, i64) = wanted.user_id;
            let limit: i64 = wanted.limit;
            $table::table
                .select((
                    $table::id,
                    $table::at,
                    $table::kind,
                    $table::reason,
                    $table::client_id,
                    $table::user_id,
                    $table::address,
                    $table::detail,
                ))
                .filter($table::id.between(first, last).and($table::id.gt(after)).and($table::at.ge(since)))
                .filter(any_kind.into_sql::<Bool>().or($table::kind.eq(kind)))
                .filter(any_client.into_sql::<Bool>().nullable().or($table::client_id.eq(client_id)))
                .filter(any_user.into_sql::<Bool>().nullable().or($table::user_id.eq(user_id)))
                .order($table::id.$order())
                .limit(limit)
        }
    };
}

selected!(
    /// The newest.
    find of events, desc
);
selected!(
    /// The newest refusals.
    find_refusals of refusals, desc
);
selected!(
    /// The oldest.
    find_oldest of events, asc
);
selected!(
    /// The oldest refusals.
    find_oldest_refusals of refusals, asc
);

/// Removes at most `limit` that are too old. `before` is an identifier of that time.
pub(crate) fn sweep(before: i64, happened_by: i64, limit: i64) -> impl Statement {
    let old = diesel::alias!(events as old);
    let over = old
        .select(old.field(events::id))
        .filter(old.field(events::id).lt(before).and(old.field(events::at).le(happened_by)))
        .order(old.field(events::id))
        .limit(limit);
    dsl::delete(events::table.filter(events::id.eq_any(over)))
}

/// A row of the ring.
#[derive(AsChangeset, Insertable)]
#[diesel(table_name = refusals, primary_key(slot), treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct Refusal {
    slot: i64,
    id: i64,
    at: i64,
    kind: String,
    reason: Option<String>,
    client_id: Option<String>,
    user_id: Option<i64>,
    address: Option<String>,
    detail: Option<String>,
}

impl Refusal {
    pub(crate) fn new(slot: i64, event: &Event) -> Self {
        let Row { id, at, kind, reason, client_id, user_id, address, detail } = Row::new(event);
        Self { slot, id, at, kind, reason, client_id, user_id, address, detail }
    }
}

/// Takes the place of the oldest.
pub(crate) fn put_refusal(refusal: &Refusal) -> impl Statement {
    dsl::insert_into(refusals::table).values(refusal).on_conflict(refusals::slot).do_update().set(refusal)
}

/// Lets the rings of a database whose slots were filled from elsewhere go on after the newest ones. For PostgreSQL, where
/// sequences count them.
pub(crate) fn resume_rings() -> String {
    let resume = |sequence: &str, from: i64, to: i64| {
        format!(
            "SELECT setval('{sequence}', coalesce((SELECT slot - {from} + 1 FROM refusals \
             WHERE slot >= {from} AND slot < {to} ORDER BY id DESC LIMIT 1), 0), false);"
        )
    };
    resume("refusals_next", 0, REFUSALS) + &resume("refused_sign_ins_next", REFUSALS, 2 * REFUSALS)
}

/// The slot that was written last.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn newest_slot(from: i64, to: i64) -> _ {
    refusals::table
        .select(refusals::slot)
        .filter(refusals::slot.ge(from).and(refusals::slot.lt(to)))
        .order(refusals::id.desc())
        .limit(1_i64)
}
