//! The protocol: it decides.
//!
//! # The one idea
//! Every flow has three beats. **Load** reads facts through [`store::Store`]. **Decide** is a plain function over those
//! facts, the policy and the moment handed in. **Commit** applies the decision's changes, all or none. A lost race is loaded
//! and decided again.
//!
//! # The map
//! * the frame: [`store`], [`change`], [`error`], [`params`], [`policy`], [`audit`], [`provider`], [`admission`], [`time`];
//! * values: [`level`], [`scope`], [`redirect_uri`], [`pkce`], [`claims`], [`audience`], [`network`], [`reach`], [`interaction`];
//! * records: [`client`], [`user`], [`subject`], [`session`], [`consent`], [`grant`], [`api_token`], [`key`], [`upstream`],
//!   [`second_factor`], [`directory`];
//! * endpoints: [`authorization`], [`token`], [`introspection`], [`revocation`], [`userinfo`], [`account`], [`metadata`],
//!   [`end_session`], [`webfinger`], [`leak`], [`forward_auth`], [`registration`]; what people do there: [`sign_in`], [`sign_up`],
//!   [`approval`], several of them in one browser [`accounts`]; what is told to them and to
//!   others: [`notice`], [`outbox`], [`backchannel_logout`], [`frontchannel_logout`], [`session_state`];
//! * [`client_auth`] and [`grant_type`], one file a method; tokens: [`access_token`], [`id_token`], made only of an `issuance`;
//! * for tests: `model`, which goes through every order of what may happen, and the faults (`fault`) that it must find.
//!
//! # Words
//! A *session* is one sign-in of one person in one browser. A *consent* is a remembered answer. A *grant* is an approval in
//! force, born from a redeemed code, with the code's id, or from an answer that holds tokens itself; a *family* is its refresh token through all rotations.
//!
//! # What this crate must not know
//! No HTTP, no SQL, no runtime, no clock, no random source, no environment. oxide-auth's types stay inside `kernel`.

pub mod access_token;
pub mod account;
pub mod accounts;
pub mod admission;
pub mod api_token;
pub mod approval;
pub mod audience;
pub mod audit;
pub mod authorization;
pub mod backchannel_logout;
pub mod change;
pub mod claims;
pub mod client;
pub mod client_auth;
pub mod consent;
pub mod directory;
pub mod end_session;
pub mod error;
mod fault;
pub mod forward_auth;
pub mod frontchannel_logout;
pub mod grant;
pub mod grant_type;
pub mod id_token;
pub mod interaction;
pub mod introspection;
mod issuance;
mod kernel;
pub mod key;
pub mod leak;
pub mod level;
pub mod metadata;
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod model;
pub mod network;
pub mod notice;
pub mod outbox;
pub mod params;
pub mod pkce;
pub mod policy;
pub mod provider;
pub mod reach;
pub mod redirect_uri;
pub mod registration;
pub mod retired_username;
pub mod revocation;
pub mod scope;
pub mod second_factor;
pub mod session;
pub mod session_state;
pub mod sign_in;
pub mod sign_up;
mod signed;
pub mod store;
pub mod subject;
pub mod time;
pub mod token;
pub mod upstream;
pub mod usage;
pub mod user;
pub mod userinfo;
pub mod webfinger;
