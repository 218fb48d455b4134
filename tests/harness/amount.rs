//! How much of something a test does: little in a run of all tests, as much as is asked for in a run of its own.

/// The number that the variable of this name holds, or this one.
pub fn amount(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}
