//! Attacks on pages and on HTTP: what must not work, in the order of what is attacked.

mod account_limits;
mod accounts;
mod clocks;
mod crowds;
mod database;
mod floods;
mod fresh_install;
mod guessed_codes;
mod guessing;
mod headers;
mod http;
mod injection;
mod leaks;
pub mod logout;
mod markup;
mod open_redirects;
mod other_sites;
mod outbound;
mod registration;
mod second_factor;
mod second_factor_twice;
mod session_cookies;
pub mod spoils;
pub mod wire;
