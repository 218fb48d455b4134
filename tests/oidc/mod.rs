//! OpenID Connect over HTTP, in the order of the specifications.

mod claims;
mod consent;
mod discovery;
pub mod encrypted;
mod key_rotations;
pub mod keys;
mod logout;
mod logout_idle;
mod pairwise;
mod prompts;
mod relying_party;
mod session;
mod userinfo;
