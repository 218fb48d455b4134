//! The tables, for both databases: whole numbers, text and bytes only. A test compares them with what the migrations make.

mod proved;
mod registered;
mod relations;
mod retired;
mod told;

pub(crate) use proved::second_factors;
pub(crate) use registered::{initial_access_tokens, registrations};
pub(crate) use relations::TABLES;
pub(crate) use retired::retired_usernames;
pub(crate) use told::{logout_notices, notices, outbox};

diesel::table! {
    directory_revision (id) {
        id -> BigInt,
        revision -> BigInt,
    }
}

diesel::table! {
    root_secret (id) {
        id -> BigInt,
        sealed -> Binary,
        created_at -> BigInt,
        epoch_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    signing_keys (id) {
        id -> BigInt,
        algorithm -> Text,
        sealed -> Binary,
        created_at -> BigInt,
        active_from -> BigInt,
        retired_at -> Nullable<BigInt>,
        remove_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    scopes (name) {
        name -> Text,
        definition -> Text,
    }
}

diesel::table! {
    groups (name) {
        name -> Text,
        definition -> Text,
    }
}

diesel::table! {
    resources (identifier) {
        identifier -> Text,
        definition -> Text,
    }
}

diesel::table! {
    proxied_apps (name) {
        name -> Text,
        definition -> Text,
    }
}

diesel::table! {
    clients (client_id) {
        client_id -> Text,
        metadata -> Text,
        trust -> Text,
        disabled -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
        backchannel_logout -> BigInt,
        frontchannel_logout -> BigInt,
        revision -> BigInt,
    }
}

diesel::table! {
    client_secrets (client_id, place) {
        client_id -> Text,
        place -> BigInt,
        hash -> Binary,
        created_at -> BigInt,
        expires_at -> Nullable<BigInt>,
        sealed -> Nullable<Binary>,
    }
}

diesel::table! {
    upstreams (id) {
        id -> BigInt,
        name -> Text,
        definition -> Text,
        sealed -> Nullable<Binary>,
    }
}

diesel::table! {
    users (id) {
        id -> BigInt,
        subject -> Text,
        username -> Text,
        password -> Nullable<Text>,
        claims -> Text,
        groups -> Text,
        disabled -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
        email -> Nullable<Text>,
        networks -> Text,
        self_made -> BigInt,
    }
}

diesel::table! {
    sessions (id) {
        id -> BigInt,
        secret -> Binary,
        user_id -> BigInt,
        auth_time -> BigInt,
        last_seen_at -> BigInt,
        acr -> Text,
        amr -> Text,
        address -> Text,
        user_agent -> Text,
        ended_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    upstream_links (id) {
        id -> BigInt,
        upstream_id -> BigInt,
        authority -> Text,
        subject -> Text,
        user_id -> BigInt,
        label -> Text,
        created_at -> BigInt,
        last_used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    upstream_sessions (session_id) {
        session_id -> BigInt,
        upstream_id -> BigInt,
        subject -> Text,
        sid -> Nullable<Text>,
        tells_time -> BigInt,
    }
}

diesel::table! {
    consents (user_id, client_id) {
        user_id -> BigInt,
        client_id -> Text,
        granted -> Text,
        declined -> Text,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    authorization_codes (id) {
        id -> BigInt,
        secret -> Binary,
        client_id -> Text,
        user_id -> BigInt,
        session_id -> BigInt,
        redirect_uri -> Text,
        redirect_uri_sent -> BigInt,
        code_challenge -> Nullable<Text>,
        scope -> Text,
        context -> Text,
        expires_at -> BigInt,
        spent_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    grants (id) {
        id -> BigInt,
        client_id -> Text,
        user_id -> BigInt,
        session_id -> BigInt,
        scope -> Text,
        offline -> BigInt,
        context -> Text,
        created_at -> BigInt,
        ended_at -> Nullable<BigInt>,
        ended_reason -> Nullable<Text>,
        sid -> BigInt,
    }
}

diesel::table! {
    refresh_tokens (grant_id) {
        grant_id -> BigInt,
        generation -> BigInt,
        secret -> Binary,
        rotated_at -> BigInt,
        idle_expires_at -> BigInt,
        absolute_expires_at -> BigInt,
    }
}

diesel::table! {
    access_tokens (id) {
        id -> BigInt,
        secret -> Binary,
        grant_id -> Nullable<BigInt>,
        client_id -> Text,
        scope -> Text,
        audience -> Text,
        issued_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    api_tokens (id) {
        id -> BigInt,
        user_id -> Nullable<BigInt>,
        client_id -> Nullable<Text>,
        name -> Text,
        secret -> Binary,
        replaced_secret -> Nullable<Binary>,
        replaced_until -> Nullable<BigInt>,
        scope -> Text,
        resource -> Nullable<Text>,
        networks -> Text,
        created_at -> BigInt,
        rotated_at -> BigInt,
        expires_at -> BigInt,
        ended_at -> Nullable<BigInt>,
        ended_reason -> Nullable<Text>,
        last_used_at -> Nullable<BigInt>,
        last_used_from -> Nullable<Text>,
    }
}

diesel::table! {
    api_token_watches (token_id) {
        token_id -> BigInt,
        expiry_told -> Nullable<BigInt>,
        networks -> Text,
        quiet_until -> BigInt,
        revision -> BigInt,
    }
}

diesel::table! {
    ended_keys (id) {
        id -> BigInt,
        ended_at -> BigInt,
    }
}

diesel::table! {
    revoked_access_tokens (id) {
        id -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    spent_assertions (digest) {
        digest -> Binary,
        expires_at -> BigInt,
    }
}

diesel::table! {
    attempts (slot) {
        slot -> BigInt,
        failures -> BigInt,
        window_started -> BigInt,
    }
}

diesel::table! {
    events (id) {
        id -> BigInt,
        at -> BigInt,
        kind -> Text,
        reason -> Nullable<Text>,
        client_id -> Nullable<Text>,
        user_id -> Nullable<BigInt>,
        address -> Nullable<Text>,
        detail -> Nullable<Text>,
    }
}

diesel::table! {
    refusals (slot) {
        slot -> BigInt,
        id -> BigInt,
        at -> BigInt,
        kind -> Text,
        reason -> Nullable<Text>,
        client_id -> Nullable<Text>,
        user_id -> Nullable<BigInt>,
        address -> Nullable<Text>,
        detail -> Nullable<Text>,
    }
}

diesel::table! {
    token_counts (client_id, day, grant_type) {
        day -> BigInt,
        client_id -> Text,
        grant_type -> Text,
        issued -> BigInt,
    }
}

diesel::table! {
    usages (origin, client_id, day, scope, audience, network) {
        origin -> BigInt,
        client_id -> Text,
        day -> BigInt,
        scope -> Text,
        audience -> Text,
        network -> Text,
        user_id -> Nullable<BigInt>,
        uses -> BigInt,
        last_at -> BigInt,
    }
}
