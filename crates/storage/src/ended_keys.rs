//! Keys of apps that had ended when their app was removed: nothing of them is kept but that they ended.

use diesel::dsl;
use diesel::prelude::*;

use crate::schema::{api_tokens, ended_keys};
use crate::statement::Statement;

/// Those of these that are noted.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn find(ids: Vec<i64>) -> _ {
    ended_keys::table.select(ended_keys::id).filter(ended_keys::id.eq_any(ids))
}

/// Notes those keys of a client that have ended: they are about to go with it.
pub(crate) fn note(client_id: &str) -> impl Statement {
    let has_ended = api_tokens::client_id.eq(client_id.to_owned()).and(api_tokens::ended_at.is_not_null());
    let ended = api_tokens::table.select((api_tokens::id, api_tokens::ended_at.assume_not_null())).filter(has_ended);
    dsl::insert_into(ended_keys::table)
        .values(ended)
        .into_columns((ended_keys::id, ended_keys::ended_at))
        .on_conflict_do_nothing()
}
