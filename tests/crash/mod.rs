//! What strikes a server in operation: many at once, on one node and on several; an end without warning; a database that is
//! gone for a while. Nothing given is lost, and nothing is given twice.
//!
//! More than in each run: `TEST_ROUNDS=1000` races, `TEST_KILLS=500` ends.

use crate::harness::server::Kind;

mod caller;
pub mod child;
mod cut;
mod holder;
mod kill;
mod proxy;
mod races;
mod rolling;

/// How often something is done: as the environment says, or as often as in each run.
fn times(name: &str, usual: usize) -> usize {
    std::env::var(name).map_or(usual, |text| text.parse().expect("a number"))
}

/// Makes a test of each rule on each database.
macro_rules! on_each_database {
    ($($rule:ident)*) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $rule() {
                super::$rule(crate::harness::server::Kind::Sqlite).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test]
            async fn $rule() {
                if crate::harness::server::Kind::Postgres.is_there() {
                    super::$rule(crate::harness::server::Kind::Postgres).await;
                }
            })*
        }
    };
}
pub(crate) use on_each_database;
