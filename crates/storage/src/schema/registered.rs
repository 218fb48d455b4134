//! The tables of apps that register themselves.

diesel::table! {
    initial_access_tokens (id) {
        id -> BigInt,
        name -> Text,
        secret -> Binary,
        created_at -> BigInt,
        expires_at -> BigInt,
        uses -> BigInt,
        uses_left -> BigInt,
        ended_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    registrations (id) {
        id -> BigInt,
        client_id -> Text,
        secret -> Binary,
        replaced_secret -> Nullable<Binary>,
        address -> Text,
        initial_access_token_id -> Nullable<BigInt>,
        created_at -> BigInt,
        replaced_until -> Nullable<BigInt>,
    }
}
