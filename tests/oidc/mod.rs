//! OpenID Connect over HTTP, in the order of the specifications.

mod backchannel;
mod backchannel_outcomes;
mod claims;
mod claims_by_itself;
mod consent;
mod discovery;
pub mod encrypted;
mod frontchannel;
mod hybrid;
mod implicit;
mod key_rotations;
pub mod keys;
pub mod logout;
mod logout_idle;
pub mod pairwise;
mod prompts;
pub mod registration;
mod relying_party;
mod request_object;
mod request_object_encrypted;
mod request_object_keys;
mod request_uri;
mod session;
mod session_management;
mod sign_up;
mod userinfo;
mod webfinger;
