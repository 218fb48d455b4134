//! OpenID Connect over HTTP, in the order of the specifications.

mod backchannel;
mod claims;
mod consent;
mod discovery;
mod key_rotations;
pub mod keys;
mod logout;
mod logout_idle;
mod prompts;
mod relying_party;
mod session;
mod userinfo;
