//! OpenID Connect over HTTP, in the order of the specifications.

mod claims;
mod consent;
mod discovery;
mod hybrid;
mod implicit;
mod key_rotations;
pub mod keys;
mod logout;
mod logout_idle;
mod prompts;
mod relying_party;
mod request_object;
mod session;
mod sign_up;
mod userinfo;
mod webfinger;
