//! The tables of what is told to people and to others.

diesel::table! {
    notices (id) {
        id -> BigInt,
        user_id -> BigInt,
        at -> BigInt,
        news -> Text,
        dismissed_at -> Nullable<BigInt>,
        kind -> Text,
    }
}

diesel::table! {
    outbox (target, id) {
        target -> Text,
        id -> BigInt,
        attempts -> BigInt,
        queued_at -> BigInt,
        due_at -> Nullable<BigInt>,
        error -> Text,
    }
}

diesel::table! {
    logout_notices (client_id, sid) {
        sid -> BigInt,
        client_id -> Text,
        user_id -> BigInt,
        subject -> Text,
        ended_at -> BigInt,
        queued_at -> BigInt,
        attempts -> BigInt,
        due_at -> Nullable<BigInt>,
        over_at -> Nullable<BigInt>,
        outcome -> Nullable<Text>,
        error -> Text,
    }
}
