//! What a story needs around it.

pub mod app;
pub mod browser;
pub mod page;
pub mod person;
pub mod seeds;
pub mod server;
