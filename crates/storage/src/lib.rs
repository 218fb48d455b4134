//! What is kept: the only crate that names `diesel`.
//!
//! # Map
//! * [`Database`]: the store that core asks for (`store`), what pages and commands read (`pages`, `outbox_pages`), the sweep (`sweep`).
//! * `sqlite`: opening and migrating, the one writer, the readers. `postgres`: the same with connections of each thread, and
//!   what nodes tell each other.
//! * `schema`: the tables. One file a table: its row, how it becomes a core type, its statements.
//! * `copy`: from SQLite to PostgreSQL, all tables alike. `sqlite/backup`: a copy of a file in use, and the way back.
//! * `apply`: from changes to statements, with `expect` for those that change nothing. `directory`: the snapshot. `sealing`: what is kept encrypted.
//!
//! # Invariants
//! * One write path: [`Store::commit`](grantor_core::store::Store::commit). All changes of a set, or none; durable when it
//!   returns. `copy` alone writes otherwise, into a database that nobody uses yet.
//! * Statements are values; none is written twice for two databases.
//! * A row becomes a core type by a full match. A row that cannot be is `StoreError::Corrupt`, never a guess.
//! * No clock, no environment: the time is handed in.

mod access_tokens;
mod api_token_watches;
mod api_tokens;
mod apply;
mod apply_told;
mod attempts;
mod authorization_codes;
mod clients;
mod column;
mod consents;
mod copy;
mod database;
mod directory;
mod directory_revision;
mod ended_keys;
mod enroll;
mod error;
mod events;
mod expect;
mod grants;
mod groups;
mod initial_access_tokens;
mod layout;
mod logout_notice_pages;
mod logout_notices;
mod meters;
mod notices;
mod open_error;
mod outbox;
mod outbox_pages;
mod pages;
mod postgres;
mod proxied_apps;
mod refresh_tokens;
mod registration_pages;
mod registrations;
mod resources;
mod retired_usernames;
mod revoked_access_tokens;
mod root_secret;
mod schema;
mod scopes;
mod sealing;
mod second_factors;
mod sessions;
mod signing_keys;
mod spent_assertions;
mod sqlite;
mod statement;
mod store;
mod sweep;
mod token_counts;
mod upstream_links;
mod upstream_sessions;
mod upstreams;
mod usages;
mod users;

use database::query;

pub use copy::{Copied, CopyError, Copying};
pub use database::{Database, DatabaseSettings};
pub use events::EventFilter;
pub use meters::{Meters, Stopwatch};
pub use open_error::OpenError;
pub use outbox_pages::{Held, Waiting};
pub use postgres::Postgres;
pub use sqlite::{BackupError, Contents, Restoration, Sqlite, back_up};
pub use usages::{MOST_SHOWN, UsagesOf};

/// Is told how far long work has come: what is counted, how many, and of how many.
pub type Progress<'a> = dyn FnMut(&str, u64, u64) + Send + 'a;
