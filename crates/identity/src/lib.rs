//! Who the user is: names, passwords, and the limits that keep guessing hopeless.
//!
//! # Map
//!
//! * [`address`] the client's address, through trusted proxies only.
//! * [`browser`] the proof that somebody signed in to an account with this browser before.
//! * [`device`] a browser in a few words, for people.
//! * [`memory`] the working memory of password hashes, used again and again.
//! * [`password`] passwords and their hashes.
//! * [`password_policy`] which new passwords are refused, and why.
//! * [`queue`] the bounded queue in which passwords are hashed.
//! * [`rate`] how many requests are too many, and [`rate_table`] what everybody has asked, in a memory of fixed size.
//! * [`recovery`] the codes that stand in for a lost authenticator app.
//! * [`throttle`] how many wrong passwords are too many.
//! * [`totp`] the codes of an authenticator app.
//! * [`upstream`] who somebody from another provider is here.
//! * [`username`] the one normal form of a sign-in name.
//!
//! # Invariants
//!
//! * Decisions are plain functions of what is handed to them: no clock, no database, no HTTP, no environment.
//! * Whether an account exists changes nothing that can be seen: neither which counters count, nor how long a check takes.
//! * A password is never cut, never shown, and never kept but as its hash.
//! * What comes from outside is measured before it is read.

pub mod address;
mod base32;
pub mod browser;
pub mod device;
pub mod memory;
pub mod password;
pub mod password_policy;
pub mod queue;
pub mod rate;
pub mod rate_table;
pub mod recovery;
pub mod throttle;
pub mod totp;
pub mod upstream;
pub mod username;
