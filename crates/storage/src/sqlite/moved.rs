//! A database whose rows are somewhere else now: it can be read, and nothing can be written to it any more.
//!
//! What would be written would be lost, and what would be spent here would still be good there. So the database itself
//! refuses, by triggers: also a server that was not told yet, and also one of an earlier version. Nothing looks at the
//! triggers otherwise, so they cost nothing where there are none.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;

use crate::error::MOVED;
use crate::schema::TABLES;

const BEGINNING: &str = "moved_before_";

#[derive(QueryableByName)]
struct Trigger {
    #[diesel(sql_type = Text)]
    name: String,
}

fn triggers(connection: &mut SqliteConnection) -> QueryResult<Vec<Trigger>> {
    let named = format!("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name GLOB '{BEGINNING}*'");
    sql_query(named).load(connection)
}

/// Whether the rows are somewhere else.
pub(super) fn has_moved(connection: &mut SqliteConnection) -> QueryResult<bool> {
    Ok(!triggers(connection)?.is_empty())
}

/// Takes no more writes, from the commit of this transaction on.
pub(super) fn close(connection: &mut SqliteConnection) -> QueryResult<()> {
    for table in TABLES {
        for change in ["INSERT", "UPDATE", "DELETE"] {
            connection.batch_execute(&format!(
                "CREATE TRIGGER {BEGINNING}{change}_{table} BEFORE {change} ON {table} \
                 BEGIN SELECT RAISE(ABORT, '{MOVED}'); END"
            ))?;
        }
    }
    Ok(())
}

/// Takes writes again; says whether it took none.
pub(super) fn reopen(connection: &mut SqliteConnection) -> QueryResult<bool> {
    connection.immediate_transaction(|connection| {
        let triggers = triggers(connection)?;
        for Trigger { name } in &triggers {
            connection.batch_execute(&format!("DROP TRIGGER {name}"))?;
        }
        Ok(!triggers.is_empty())
    })
}
