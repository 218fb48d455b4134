//! What people and apps see: pages, and the endpoints of the protocol over HTTP.
//!
//! # The map
//! * [`routes`](self) is the whole URL map; `oauth/` has one file an endpoint, [`pages`] one a page.
//! * A request of a browser is a `Visit`: session, language and the proof for forms. Pages never choose the next page: they
//!   do their one thing and send the browser back to `/authorize`, where core decides.
//! * [`limits`] counts requests before anything else is done for them.
//! * [`outbound`] is the one door to other servers.
//! * `error` has the only status codes and `WWW-Authenticate`; `respond` the only page headers; `cookie` the only cookies.
//! * [`demo`] is a relying party that shows the flow; it stands outside of the provider and only speaks HTTP to it.
//!
//! # What this crate must not know
//! How anything is stored, and when a request is allowed: it asks core, and writes what core decided.

mod access;
mod account_api;
mod api_tokens;
mod app;
pub mod cookie;
mod cors;
mod counts;
pub mod demo;
mod error;
mod files;
mod form;
mod health;
pub mod html;
mod http;
pub mod limits;
pub mod locale;
pub mod metrics;
mod oauth;
pub mod outbound;
pub mod pages;
mod password_sign_in;
mod respond;
mod routes;
pub mod statics;
mod unread;
mod uses;
mod visit;

pub use app::{App, Clock, Settings};
pub use http::{Listener, Server, serve};
pub use oauth::leaks::LeakReporter;
