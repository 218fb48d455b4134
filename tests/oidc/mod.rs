//! OpenID Connect over HTTP, in the order of the specifications.

mod backchannel;
mod backchannel_outcomes;
mod claims;
mod consent;
mod discovery;
mod frontchannel;
mod key_rotations;
pub mod keys;
pub mod logout;
mod logout_idle;
mod prompts;
mod relying_party;
mod session;
mod session_management;
mod userinfo;
