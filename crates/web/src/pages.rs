//! The pages people see: one file a page, with the struct its template is filled from.
//!
//! A page is given everything in words and numbers and knows nothing of the protocol. It posts to its own path, and what
//! stands in a hidden field comes back as it was given.

pub mod account;
pub mod app_links;
pub mod app_remove;
pub mod apps;
pub mod consent;
mod difference;
pub mod end_session;
pub mod enter;
pub mod form_post;
mod frame;
pub mod home;
pub(crate) mod language;
pub mod notice;
pub mod receipts;
pub mod refusal;
pub mod second_factor;
pub mod select_account;
pub mod sessions;
pub mod sign_in;
pub mod sign_in_code;
pub mod sign_in_more;
pub mod sign_in_ways;
pub mod sign_up;
pub mod signed_out;
pub mod status;
pub mod token_change;
pub mod token_made;
pub mod token_new;
pub mod tokens;
pub mod upstream_failed;
pub mod upstream_go;
pub mod upstream_link;
pub mod upstream_unlinked;
pub mod used;

#[cfg(test)]
mod every_page;
#[cfg(test)]
mod samples;

pub use self::frame::{App, Frame, Issuer, SignedIn};
