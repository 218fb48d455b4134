//! What `grantor doctor` and opening want to know of the whole database.

use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::{dsl, sql_query};
use grantor_core::store::StoreError;

use super::Sqlite;
use crate::error::failed;
use crate::{layout, schema};

#[derive(QueryableByName)]
struct Finding {
    #[diesel(sql_type = Text)]
    integrity_check: String,
}

#[derive(QueryableByName)]
struct Orphan {
    #[diesel(sql_type = Text)]
    table: String,
}

impl Sqlite {
    pub(crate) fn integrity_check(&self) -> Result<(), StoreError> {
        self.read(complaint)?.map_or(Ok(()), |complaint| Err(failed(complaint)))
    }

    pub(crate) fn schema_version(&self) -> Result<i64, StoreError> {
        self.read(layout::version)
    }

    pub(crate) fn data_counts(&self) -> Result<Vec<(&'static str, i64)>, StoreError> {
        macro_rules! count {
            ($($table:ident)*) => {
                self.read(|connection| Ok(vec![$((stringify!($table), schema::$table::table.count().get_result(connection)?)),*]))
            };
        }
        count!(users clients consents sessions authorization_codes grants refresh_tokens access_tokens api_tokens ended_keys upstreams upstream_links events refusals notices outbox usages logout_notices initial_access_tokens registrations second_factors retired_usernames)
    }
}

/// The first thing that is not sound.
pub(super) fn complaint(connection: &mut SqliteConnection) -> QueryResult<Option<String>> {
    let findings: Vec<Finding> = sql_query("PRAGMA integrity_check").load(connection)?;
    let broken = findings.into_iter().map(|finding| finding.integrity_check).find(|text| text != "ok");
    if broken.is_some() {
        return Ok(broken);
    }
    let orphans: Vec<Orphan> = sql_query("PRAGMA foreign_key_check").load(connection)?;
    Ok(orphans.first().map(|orphan| format!("a row of {} refers to one that is not there", orphan.table)))
}

/// The newest identifier of any table that each layout has, so that no later one sorts before it.
pub(super) fn newest_id(connection: &mut SqliteConnection) -> QueryResult<i64> {
    macro_rules! newest {
        ($($table:ident)*) => {
            [$(schema::$table::table.select(dsl::max(schema::$table::id)).first::<Option<i64>>(connection)?),*]
        };
    }
    let all = newest!(users sessions authorization_codes grants access_tokens events refusals signing_keys);
    Ok(all.into_iter().flatten().max().unwrap_or_default())
}

/// The newest identifier of what backups of earlier layouts do not have.
pub(super) fn newest_later_id(connection: &mut SqliteConnection) -> QueryResult<i64> {
    macro_rules! newest {
        ($($table:ident)*) => {
            [$(schema::$table::table.select(dsl::max(schema::$table::id)).first::<Option<i64>>(connection)?),*]
        };
    }
    let all = newest!(notices upstreams upstream_links initial_access_tokens registrations second_factors);
    Ok(all.into_iter().flatten().max().unwrap_or_default())
}
