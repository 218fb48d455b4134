//! The tables together: their order, which refer to which, and which stand together in one statement.

use super::{
    access_tokens, api_token_watches, api_tokens, authorization_codes, client_secrets, clients, consents,
    directory_revision, grants, refresh_tokens, registrations, revoked_access_tokens, second_factors, sessions,
    token_counts, upstream_links, upstream_sessions, users,
};

/// All of them, in an order in which no row comes before one that it refers to.
pub(crate) const TABLES: &[&str] = &[
    "directory_revision",
    "root_secret",
    "signing_keys",
    "scopes",
    "groups",
    "resources",
    "proxied_apps",
    "clients",
    "client_secrets",
    "upstreams",
    "users",
    "sessions",
    "upstream_links",
    "upstream_sessions",
    "consents",
    "authorization_codes",
    "grants",
    "refresh_tokens",
    "access_tokens",
    "api_tokens",
    "api_token_watches",
    "ended_keys",
    "revoked_access_tokens",
    "spent_assertions",
    "attempts",
    "events",
    "refusals",
    "token_counts",
    "usages",
    "notices",
    "outbox",
    "logout_notices",
    "initial_access_tokens",
    "registrations",
    "second_factors",
    "retired_usernames",
];

diesel::joinable!(api_token_watches -> api_tokens (token_id));
diesel::joinable!(api_tokens -> users (user_id));
diesel::joinable!(client_secrets -> clients (client_id));
diesel::joinable!(grants -> users (user_id));
diesel::joinable!(refresh_tokens -> grants (grant_id));
diesel::joinable!(second_factors -> users (user_id));
diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(upstream_links -> users (user_id));
diesel::joinable!(upstream_sessions -> sessions (session_id));

diesel::allow_tables_to_appear_in_same_query!(
    access_tokens,
    api_token_watches,
    api_tokens,
    authorization_codes,
    clients,
    consents,
    grants,
    refresh_tokens,
    revoked_access_tokens,
    sessions,
    upstream_links,
    upstream_sessions,
    users,
);

diesel::allow_tables_to_appear_in_same_query!(client_secrets, clients);
diesel::allow_tables_to_appear_in_same_query!(clients, directory_revision);
diesel::allow_tables_to_appear_in_same_query!(registrations, consents);
diesel::allow_tables_to_appear_in_same_query!(registrations, grants);
diesel::allow_tables_to_appear_in_same_query!(registrations, token_counts);
