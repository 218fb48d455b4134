//! The server as its users see it, and the house as its builders see it.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![expect(unreachable_pub, reason = "no crate sees inside; `pub` is what the harness offers to the stories")]

mod architecture;
mod attacks;
mod clients;
mod crash;
mod forward_auth;
mod fuzz;
mod harness;
mod nodes;
mod notices;
mod oauth;
mod oidc;
mod operations;
mod pages;
mod profiles;
mod storage;
mod tokens;
mod upstreams;
mod webhooks;
