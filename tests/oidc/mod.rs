//! OpenID Connect over HTTP, in the order of the specifications.

mod claims;
mod consent;
mod discovery;
pub mod encrypted;
mod hybrid;
mod implicit;
mod key_rotations;
pub mod keys;
mod logout;
mod logout_idle;
mod pairwise;
mod prompts;
mod relying_party;
mod request_object;
mod session;
mod sign_up;
mod userinfo;
mod webfinger;
