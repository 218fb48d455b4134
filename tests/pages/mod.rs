//! The pages: walked through by a real browser, and read by a browser without scripts.

mod account;
mod accounts;
mod consent;
mod dead_ends;
mod errors;
mod forms;
mod keyboard;
mod languages;
pub mod looks;
mod second_factor;
mod unchecked;
mod walk;
