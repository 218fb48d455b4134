//! The table of what people prove themselves with beside their password.

diesel::table! {
    second_factors (id) {
        id -> BigInt,
        user_id -> BigInt,
        sealed -> Binary,
        last_step -> BigInt,
        recovery -> Binary,
        created_at -> BigInt,
    }
}
