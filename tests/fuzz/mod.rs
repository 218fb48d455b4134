//! Inputs that nobody would think of, in numbers: whatever is read from outside, and whole requests.
//!
//! Each input has a number, and is the same each time; what fails says which one it was. A run of all tests takes some
//! thousands of them. `TEST_INPUTS=10000000` gives the parsers so many together, `TEST_REQUESTS=100000`
//! sends so many requests; both are meant for `--release`, with `--nocapture` for the figures.

mod encrypted;
mod files;
mod headers;
mod http;
mod mutation;
mod parser;
mod requests;
mod tokens;
