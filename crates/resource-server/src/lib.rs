//! For APIs: lets through only calls whose access token a Grantor server has issued for this API, and counts.
//!
//! ```no_run
//! # #[cfg(feature = "actix")]
//! # mod example {
//! use actix_web::{App, HttpServer, Responder, get, web};
//! use grantor_resource_server::actix::{Protect, describe};
//! use grantor_resource_server::{RequiredScope, Scoped, Verifier};
//!
//! struct NotesRead;
//!
//! impl RequiredScope for NotesRead {
//!     const SCOPE: &str = "notes.read";
//! }
//!
//! #[get("/notes")]
//! async fn notes(call: Scoped<NotesRead>) -> impl Responder {
//!     format!("the notes of {}", call.subject)
//! }
//!
//! # async fn main() -> std::io::Result<()> {
//! let verifier = Verifier::builder("https://id.example.com", "https://notes.example.com/api")
//!     .introspection("notes-api", "the secret of the API") // for opaque tokens; JWTs need nobody
//!     .build()
//!     .map_err(std::io::Error::other)?;
//! HttpServer::new(move || {
//!     App::new()
//!         .configure(describe(&verifier))
//!         .service(web::scope("/api").wrap(Protect::new(verifier.clone())).service(notes))
//! })
//! .bind("127.0.0.1:8081")?
//! .run()
//! .await
//! # }
//! # }
//! ```
//!
//! Whole programs, for actix-web and for axum, stand in `examples`.
//!
//! # What happens to a token
//!
//! It is taken from the `Authorization` header, which must stand there once (RFC 6750). Three parts with dots between are a JWT: its
//! kind, algorithm, signature, issuer, audience and dates are checked here, with keys that are read in the background (RFC 9068 §4).
//! A JWT that was revoked counts until it expires. Everything else is opaque, and the issuer is asked about it (RFC 7662), with the
//! caller's address beside. Its answers are kept as long as they allow, and never longer than ten seconds: so long may a revoked
//! token be taken. A token that is limited to networks is taken from there only. What begins as one of Grantor's and is none is
//! refused without asking; callers of one address keep none of most others waiting; an issuer that asks for a rest gets it.
//!
//! # What a refused call is told
//!
//! | reason | status | `WWW-Authenticate` |
//! |---|---|---|
//! | no token | 401 | no error |
//! | several headers, or bearer credentials that are none | 400 | `invalid_request` |
//! | a token that does not count here | 401 | `invalid_token` |
//! | scopes are missing | 403 | `insufficient_scope`, with the scopes |
//! | the person must sign in anew, or in another way | 401 | `insufficient_user_authentication`, with `acr_values` and `max_age` (RFC 9470) |
//! | it cannot be told now | 503 | none; `Retry-After` |
//!
//! Each challenge points to the API's description of itself (RFC 9728), which `actix::describe` serves, or a route of axum at
//! [`ResourceMetadata::path`].
//!
//! # When the issuer cannot be reached
//!
//! JWTs count on, for a day at most; then nothing is let through. Opaque tokens count as long as an answer about them may be kept.
//! A call about which nothing can be learned is answered 503: a client that got 401 would throw away a good token.
//!
//! # Map
//!
//! [`Verifier`] judges. [`Builder`] has its settings, [`Access`] what it finds out, [`Denied`] what it refuses and how that is told,
//! [`RequiredScope`], [`Scoped`] and [`Demand`] what a handler asks for. `actix` and `tower` have the middleware, `axum` its parameters.
//!
//! # Invariants
//!
//! * What is not known, not understood or not checked refuses the call.
//! * Whatever tokens come, memory stays bounded, and so does how often the issuer is asked for keys.
//! * No token is kept, logged or shown: answers are kept under its hash.
//! * It knows `grantor-jose` and nothing else of the server.

#![warn(missing_docs)]

mod access;
mod address;
mod bearer;
mod bounded;
mod builder;
mod claims;
mod clock;
mod demand;
mod denied;
mod fetch;
mod introspection;
mod issuer;
mod jwt;
mod metadata;
mod verifier;

#[cfg(feature = "actix")]
pub mod actix;
#[cfg(feature = "axum")]
mod axum;
#[cfg(any(feature = "actix", feature = "tower"))]
mod call;
#[cfg(feature = "tower")]
pub mod tower;

pub use access::{Access, Scope};
pub use builder::{BuildError, Builder};
#[cfg(any(feature = "actix", feature = "tower"))]
pub use call::{Call, Scoped};
pub use clock::Clock;
pub use demand::{Demand, RequiredScope};
pub use denied::{Denied, Fault, Reason};
pub use grantor_jose::algorithm::Algorithm;
pub use ipnet::IpNet;
pub use metadata::ResourceMetadata;
pub use verifier::Verifier;
