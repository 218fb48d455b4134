//! The statements, run on PostgreSQL.

use std::sync::Arc;

use diesel::sql_types::Bool;
use diesel::{QueryDsl, QueryResult};
use diesel_async::methods::ExecuteDsl;
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use grantor_core::api_token::{ApiTokenEnd, Owner};
use grantor_core::backchannel_logout::{NoticeChange, SessionsOf};
use grantor_core::change::{Change, GrantsOf};
use grantor_core::client::Client;
use grantor_core::directory::Directory;
use grantor_core::grant::GrantEnd;
use grantor_core::outbox::OutboxChange;
use grantor_core::registration::RegistrationChange;
use grantor_core::second_factor::SecondFactorChange;
use grantor_core::time::Time;
use grantor_core::upstream::UpstreamChange;
use grantor_jose::id::Id;

use crate::apply::{Context, define_apply, is_of_directory, one};
use crate::apply_told::define_tell;
use crate::directory::{self, define_read_directory};
use crate::enroll::define_enroll;
use crate::error::Failure;
use crate::events::Refusal;
use crate::expect::{define_expect, none};
use crate::refresh_tokens::Successor;
use crate::statement::Prepared;
use crate::sweep::{STEP, Step};
use crate::{
    access_tokens, api_token_watches, api_tokens, attempts, authorization_codes, clients, consents, directory_revision,
    ended_keys, events, grants, groups, initial_access_tokens, logout_notices, notices, outbox, proxied_apps,
    refresh_tokens, registrations, resources, retired_usernames, revoked_access_tokens, root_secret, scopes,
    second_factors, sessions, signing_keys, spent_assertions, token_counts, upstream_links, upstream_sessions,
    upstreams, usages, users,
};

define_apply!(&AsyncPgConnection, [async], [.await], [.for_no_key_update()]);
define_tell!(&AsyncPgConnection, [async], [.await]);
define_enroll!(&AsyncPgConnection, [async], [.await], [.for_no_key_update()]);
define_expect!(&AsyncPgConnection, [async], [.await], [.for_share()], [.for_no_key_update()]);
define_read_directory!(&AsyncPgConnection, [async], [.await]);

/// Reads what makes a snapshot as it is at one moment.
pub(super) async fn snapshot(
    last: &Arc<Directory>,
    mut connection: &AsyncPgConnection,
) -> Result<directory::Rows, Failure> {
    connection.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let rows = read_directory(last, &mut connection).await;
    connection.batch_execute("COMMIT").await?;
    Ok(rows?)
}

/// The lock that the sweeping node holds for the time of one step.
const SWEEPING: i64 = 0x6772_616e_746f_7201;

#[derive(diesel::QueryableByName)]
struct Held {
    #[diesel(sql_type = Bool)]
    held: bool,
}

/// Whether no other node is sweeping; none will until this transaction ends.
pub(super) async fn may_sweep(mut connection: &AsyncPgConnection) -> Result<bool, Failure> {
    let statement = diesel::sql_query(format!("SELECT pg_try_advisory_xact_lock({SWEEPING}) AS held"));
    let Held { held } = RunQueryDsl::get_result(statement, &mut connection).await?;
    Ok(held)
}
