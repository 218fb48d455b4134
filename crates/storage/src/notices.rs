//! Notices as they stand in people's accounts.

use diesel::dsl;
use diesel::prelude::*;
use grantor_core::notice::Notice;
use grantor_core::store::StoreError;
use grantor_core::time::Time;
use grantor_jose::id::Id;

use crate::column::{Place, json};
use crate::error::Failure;
use crate::schema::notices;
use crate::statement::Statement;

/// So many of a person are read, the newest: sign-ins, of which whoever knows the password makes as many as they like, and all
/// others, which those shall not push out.
pub(crate) const MOST_SIGN_INS: i64 = 10;
pub(crate) const MOST_OTHERS: i64 = 50;

#[derive(Insertable, Queryable)]
#[diesel(table_name = notices, treat_none_as_default_value = false)]
pub(crate) struct Row {
    id: i64,
    user_id: i64,
    at: i64,
    news: String,
    dismissed_at: Option<i64>,
    kind: String,
}

impl Row {
    pub(crate) fn new(notice: &Notice) -> Result<Self, Failure> {
        Ok(Self {
            id: notice.id.as_i64(),
            user_id: notice.user_id.as_i64(),
            at: notice.at.millis(),
            news: json(&notice.news)?,
            dismissed_at: None,
            kind: notice.news.kind().to_owned(),
        })
    }
}

impl TryFrom<Row> for Notice {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: Id::from_i64(row.id),
            user_id: Id::from_i64(row.user_id),
            at: Time::from_millis(row.at),
            news: Place::new("notices", row.id).json("news", &row.news)?,
        })
    }
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn insert(row: Row) -> _ {
    dsl::insert_into(notices::table).values(row)
}

/// No row where the person has none of this identifier, or has dismissed it.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn dismiss(id: i64, user_id: i64, at: i64) -> _ {
    let theirs = notices::id.eq(id).and(notices::user_id.eq(user_id)).and(notices::dismissed_at.is_null());
    dsl::update(notices::table.filter(theirs)).set(notices::dismissed_at.eq(at))
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn find(id: i64) -> _ {
    notices::table.filter(notices::id.eq(id))
}

/// Those of one kind that a person has not dismissed, the newest first.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn of_kind<'a>(user_id: i64, kind: &'a str, most: i64) -> _ {
    notices::table
        .filter(notices::user_id.eq(user_id).and(notices::dismissed_at.is_null()).and(notices::kind.eq(kind)))
        .order(notices::id.desc())
        .limit(most)
}

/// Those of all other kinds.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn of_other_kinds<'a>(user_id: i64, kind: &'a str, most: i64) -> _ {
    notices::table
        .filter(notices::user_id.eq(user_id).and(notices::dismissed_at.is_null()).and(notices::kind.ne(kind)))
        .order(notices::id.desc())
        .limit(most)
}

/// The first of a kind that a person was told between two identifiers, the second one not included, dismissed or not.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn first_between<'a>(user_id: i64, kind: &'a str, from: i64, before: i64) -> _ {
    notices::table
        .filter(notices::user_id.eq(user_id).and(notices::kind.eq(kind)))
        .filter(notices::id.ge(from).and(notices::id.lt(before)))
        .order(notices::id.asc())
        .limit(1_i64)
}

/// Removes at most `limit` that are too old. `before` is an identifier of that time.
pub(crate) fn sweep(before: i64, limit: i64) -> impl Statement {
    let old = diesel::alias!(notices as old);
    let over = old.select(old.field(notices::id)).filter(old.field(notices::id).lt(before)).limit(limit);
    dsl::delete(notices::table.filter(notices::id.eq_any(over)))
}
