//! The certification profiles of OpenID Connect, walked as the conformance suite of the OpenID Foundation walks them: its plans, module
//! by module, with the requests that it sends and the checks that it makes. `README.md` beside this file has the table of them.
//!
//! The server is started with the settings and the declaration of `crates/server/examples/conformance`, which are what the suite
//! itself is run against. What the suite calls a failure or a warning fails the story.

mod claims;
mod config;
mod driver;
mod driver_answer;
mod driver_tokens;
mod flows;
mod request_objects;
mod sign_in;
mod suite;
