//! What a story needs around it.

pub mod browser;
