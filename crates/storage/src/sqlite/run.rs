//! The statements, run on SQLite.

use std::sync::Arc;

use diesel::QueryResult;
use diesel::RunQueryDsl;
use diesel::query_dsl::methods::ExecuteDsl;
use diesel::sqlite::SqliteConnection;
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

define_apply!(SqliteConnection, [], [], []);
define_tell!(SqliteConnection, [], []);
define_enroll!(SqliteConnection, [], [], []);
define_expect!(SqliteConnection, [], [], [], []);
define_read_directory!(SqliteConnection, [], []);
