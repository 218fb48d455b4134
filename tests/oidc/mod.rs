//! OpenID Connect over HTTP, in the order of the specifications.

mod prompts;
mod relying_party;
