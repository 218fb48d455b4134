//! What is known of API tokens beside themselves.

use diesel::dsl;
use diesel::prelude::*;
use grantor_core::api_token::watch::Watch;
use grantor_core::store::StoreError;
use grantor_core::time::Time;
use grantor_jose::id::Id;

use crate::column::{Place, json};
use crate::error::Failure;
use crate::schema::{api_token_watches, api_tokens};

#[derive(AsChangeset, Insertable, Queryable)]
#[diesel(table_name = api_token_watches, primary_key(token_id), treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct Row {
    token_id: i64,
    expiry_told: Option<i64>,
    networks: String,
    quiet_until: i64,
    revision: i64,
}

impl Row {
    pub(crate) fn new(watch: &Watch) -> Result<Self, Failure> {
        Ok(Self {
            token_id: watch.token_id.as_i64(),
            expiry_told: watch.expiry_told.map(Time::millis),
            networks: json(&watch.networks)?,
            quiet_until: watch.quiet_until.millis(),
            revision: watch.revision,
        })
    }
}

impl TryFrom<Row> for Watch {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            token_id: Id::from_i64(row.token_id),
            expiry_told: row.expiry_told.map(Time::from_millis),
            networks: Place::new("api_token_watches", row.token_id).json("networks", &row.networks)?,
            quiet_until: Time::from_millis(row.quiet_until),
            revision: row.revision,
        })
    }
}

/// Fails where something is known already.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn insert(row: Row) -> _ {
    dsl::insert_into(api_token_watches::table).values(row)
}

/// No row where another revision was written since.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn replace(row: Row, expected: i64) -> _ {
    let token_id: i64 = row.token_id;
    let as_read = api_token_watches::token_id.eq(token_id).and(api_token_watches::revision.eq(expected));
    dsl::update(api_token_watches::table.filter(as_read)).set(row)
}

#[dsl::auto_type(no_type_alias)]
pub(crate) fn of_tokens(ids: Vec<i64>) -> _ {
    api_tokens::table.left_join(api_token_watches::table).filter(api_tokens::id.eq_any(ids))
}

/// Tokens that expire after `after` and until `through`, and of which nobody was told, those that expire first.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn expiring(after: i64, through: i64, most: i64) -> _ {
    let not_told = api_token_watches::expiry_told
        .is_null()
        .or(api_token_watches::expiry_told.ne(api_tokens::expires_at.nullable()));
    api_tokens::table
        .left_join(api_token_watches::table)
        .filter(api_tokens::expires_at.gt(after).and(api_tokens::expires_at.le(through)))
        .filter(api_tokens::ended_at.is_null())
        .filter(not_told)
        .order(api_tokens::expires_at.asc())
        .limit(most)
}
