//! Keys of apps that had ended when their app was removed, or whose first secret had: nothing of them is kept but that.

use diesel::dsl;
use diesel::prelude::*;

use crate::schema::{api_tokens, ended_keys};
use crate::statement::Statement;

/// Those of these that are noted.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn find(ids: Vec<i64>) -> _ {
    ended_keys::table.select(ended_keys::id).filter(ended_keys::id.eq_any(ids))
}

/// Notes those keys of a client that have ended, or have had another secret: they are about to go with it, and a declaration that
/// still has the first secret shall not bring that back.
pub(crate) fn note(client_id: &str) -> impl Statement {
    let has_ended = api_tokens::ended_at.is_not_null().or(api_tokens::replaced_secret.is_not_null());
    let is_its = api_tokens::client_id.eq(client_id.to_owned()).assume_not_null();
    let ended_at = dsl::case_when(api_tokens::ended_at.is_not_null(), api_tokens::ended_at.assume_not_null())
        .otherwise(api_tokens::rotated_at);
    let ended = api_tokens::table.select((api_tokens::id, ended_at)).filter(is_its.and(has_ended));
    dsl::insert_into(ended_keys::table)
        .values(ended)
        .into_columns((ended_keys::id, ended_keys::ended_at))
        .on_conflict_do_nothing()
}
