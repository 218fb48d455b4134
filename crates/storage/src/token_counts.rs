//! Tokens issued, counted by day, app and grant type.

use diesel::dsl;
use diesel::prelude::*;

use crate::schema::token_counts;
use crate::statement::Statement;

/// Adds to a count.
pub(crate) fn add(day: i64, client_id: &str, grant_type: &'static str, issued: i64) -> impl Statement {
    dsl::insert_into(token_counts::table)
        .values((
            token_counts::day.eq(day),
            token_counts::client_id.eq(client_id),
            token_counts::grant_type.eq(grant_type),
            token_counts::issued.eq(issued),
        ))
        .on_conflict((token_counts::client_id, token_counts::day, token_counts::grant_type))
        .do_update()
        .set(token_counts::issued.eq(token_counts::issued + issued))
}

/// The counts of an app from a day on.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn of_client<'a>(client_id: &'a str, since: i64) -> _ {
    token_counts::table
        .select((token_counts::day, token_counts::grant_type, token_counts::issued))
        .filter(token_counts::client_id.eq(client_id).and(token_counts::day.ge(since)))
        .order(token_counts::day)
}

/// The days from a day on that each app was issued a token on.
#[dsl::auto_type(no_type_alias)]
pub(crate) fn days(since: i64) -> _ {
    token_counts::table.select((token_counts::client_id, token_counts::day)).filter(token_counts::day.ge(since))
}
