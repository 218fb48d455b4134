//! What `grantor doctor` and opening want to know of the whole database.

use std::sync::Arc;

use diesel::dsl;
use diesel::sql_types::Text;
use diesel::{QueryDsl, QueryableByName};
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use grantor_core::store::StoreError;
use tokio::sync::Notify;

use super::open::aside;
use super::{Link, Postgres};
use crate::error::{Failure, failed};
use crate::open_error::OpenError;
use crate::{layout, schema};

#[derive(QueryableByName)]
struct Unsound {
    #[diesel(sql_type = Text)]
    name: String,
}

impl Postgres {
    /// PostgreSQL keeps its pages sound itself; what is asked for are rules that are not in force.
    pub(crate) fn integrity_check(&self) -> Result<(), StoreError> {
        let rules = "SELECT conname::text AS name FROM pg_constraint WHERE NOT convalidated \
                     UNION ALL SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid";
        let unsound: Vec<Unsound> =
            self.examine(async |mut connection| Ok(diesel::sql_query(rules).load(&mut connection).await?))?;
        match unsound.as_slice().first() {
            None => Ok(()),
            Some(Unsound { name }) => Err(failed(format!("{name} is not in force"))),
        }
    }

    pub(crate) fn schema_version(&self) -> Result<i64, StoreError> {
        let version = aside(|runtime| {
            let link = runtime.block_on(self.connect())?;
            let mut connection = AsyncConnectionWrapper::<AsyncPgConnection>::from(link.connection);
            Ok(layout::version(&mut connection)?)
        });
        version.map_err(|error| failed(error.to_string()))
    }

    pub(crate) fn data_counts(&self) -> Result<Vec<(&'static str, i64)>, StoreError> {
        self.examine(async |mut connection| {
            macro_rules! count {
                ($($table:ident)*) => {
                    Ok(vec![$((stringify!($table), schema::$table::table.count().get_result(&mut connection).await?)),*])
                };
            }
count!(users clients consents sessions authorization_codes grants refresh_tokens access_tokens api_tokens ended_keys upstreams upstream_links events refusals notices outbox usages logout_notices initial_access_tokens registrations second_factors retired_usernames)
        })
    }

    /// Asks on a connection and a thread made for it, since the caller cannot wait as others do.
    fn examine<T: Send>(
        &self,
        work: impl AsyncFn(&AsyncPgConnection) -> Result<T, Failure> + Sync,
    ) -> Result<T, StoreError> {
        let examined = aside(|runtime| {
            runtime.block_on(async {
                let link = self.connect().await?;
                Ok(work(&link.connection).await?)
            })
        });
        examined.map_err(|error| failed(error.to_string()))
    }

    async fn connect(&self) -> Result<Link, OpenError> {
        let connected = Link::connect(&self.shared.address, Arc::new(Notify::new())).await;
        connected.map_err(|error| OpenError::Unreachable(error.to_string()))
    }
}

/// The newest identifier of any table, so that no later one sorts before it.
pub(super) async fn newest_id(mut connection: &AsyncPgConnection) -> Result<i64, Failure> {
    macro_rules! newest {
        ($($table:ident)*) => {
            [$(schema::$table::table.select(dsl::max(schema::$table::id)).first::<Option<i64>>(&mut connection).await?),*]
        };
    }
    let all = newest!(users sessions authorization_codes grants access_tokens events refusals signing_keys notices upstreams upstream_links initial_access_tokens registrations second_factors);
    Ok(all.into_iter().flatten().max().unwrap_or_default())
}
