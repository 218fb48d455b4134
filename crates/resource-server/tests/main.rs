//! The library as an API uses it, with an issuer of the tests' own on this machine.

#![expect(clippy::unwrap_used, reason = "tests")]
#![expect(unreachable_pub, reason = "no crate sees inside; `pub` is what one part offers to the others")]

mod answers;
mod api;
mod issuer;
mod keys;
mod load;
mod opaque;
