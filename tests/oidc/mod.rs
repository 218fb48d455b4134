//! OpenID Connect over HTTP, in the order of the specifications.

mod claims;
mod consent;
mod logout;
mod prompts;
mod relying_party;
mod userinfo;
