//! The certification profiles of OpenID Connect, walked as the conformance suite of the OpenID Foundation walks them: its plans, module
//! by module, with the requests that it sends and the checks that it makes. `README.md` and `dynamic.md` beside this file have the
//! tables of them.
//!
//! The server is started with the settings and the declaration of `crates/server/examples/conformance`, which are what the suite
//! itself is run against. What the suite calls a failure or a warning fails the story.

mod claims;
mod config;
mod driver;
mod driver_answer;
mod driver_tokens;
mod dynamic;
mod dynamic_documents;
mod dynamic_registration;
mod dynamic_suite;
mod dynamic_tokens;
mod flows;
mod logout;
mod logout_channels;
mod request_objects;
mod sign_in;
mod suite;
