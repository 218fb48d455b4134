//! What people and apps see: pages, and the endpoints of the protocol over HTTP.
//!
//! # The map
//! * [`routes`](self) is the whole URL map; `oauth/` has one file an endpoint, [`pages`] one a page.
//! * A request of a browser is a `Visit`: session, language and the proof for forms. Pages never choose the next page: they
//!   do their one thing and send the browser back to `/authorize`, where core decides.
//! * `accounts` are the people signed in in one browser, and the cookies that say so.
//! * `upstream/` is sign-in through other providers.
//! * `client_keys` reads the keys that apps publish, before core decides by them.
//! * [`limits`] counts requests before anything else is done for them.
//! * `forward_auth` answers proxies that ask about each request to an app behind them.
//! * [`outbound`] is the one door to other servers, [`examine`] looks through it; [`mail`] goes to that of the settings alone.
//! * [`sector`] looks whether a client belongs to the sector that it names.
//! * `delivery` tells people and [`webhooks`] what the outbox keeps for them; `watching` sees what people shall know of their tokens.
//! * `error` has the only status codes and `WWW-Authenticate`; `respond` the only page headers; `cookie` the only cookies.
//! * [`demo`] is a relying party that shows the flow; it stands outside of the provider and only speaks HTTP to it.
//!
//! # What this crate must not know
//! How anything is stored, and when a request is allowed: it asks core, and writes what core decided.

mod access;
mod account_api;
mod accounts;
mod api_tokens;
mod app;
mod client_keys;
pub mod cookie;
mod cors;
mod counts;
mod delivery;
pub mod demo;
mod error;
pub mod examine;
mod files;
mod form;
mod forward_auth;
mod health;
pub mod html;
mod http;
mod known_browser;
pub mod limits;
pub mod locale;
mod logout_notices;
pub mod mail;
pub mod metrics;
mod oauth;
pub mod outbound;
pub mod pages;
mod password_sign_in;
pub mod qr;
mod request_uri;
mod respond;
mod routes;
mod second_factor;
pub mod sector;
mod session_state;
mod sign_out;
pub mod statics;
mod tries;
mod unread;
mod upstream;
mod usage;
mod uses;
mod visit;
mod waiting;
mod watching;
pub mod webhooks;

pub use app::{App, Clock, Settings};
pub use http::{Listener, Server, serve};
pub use oauth::leaks::LeakReporter;
