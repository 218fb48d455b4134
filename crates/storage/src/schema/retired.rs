//! The table of names that nobody takes for themselves.

diesel::table! {
    retired_usernames (digest) {
        digest -> Binary,
        retired_at -> BigInt,
    }
}
