//! Forward auth: a proxy asks, before each request to an app behind it, whether that request may go on, and as whom.
//!
//! A program asks with a token in its `Authorization` header ([`admit_token`]). A browser asks with a cookie of the app's own
//! host, which the session's cookie of the issuer never reaches; so it is sent around once:
//!
//! 1. The proxy asks about a request without such a cookie. The browser is sent to `/enter` at the issuer with an [`Entry`]:
//!    where it wanted to go, and a hash of a mark that it keeps at the app's host.
//! 2. There the person signs in, or is signed in, and is judged ([`ProxiedApp::admit_person`]). The browser is sent back to the
//!    app's host with a [`Ticket`]: for this host, this session and that mark, good for a minute and once.
//! 3. At the app's host it becomes the [cookie](cookie::seal): the session's number, signed for this host. It opens nothing
//!    elsewhere, and dies with the session, so that signing out ends it everywhere.
//!
//! The app decides nothing of this and holds no secret. What it is told are headers, by the proxy alone.

mod app;
mod apps;
pub mod cookie;
mod decide;
mod entry;
mod path;

pub use app::{Known, ProxiedApp};
pub use apps::{Apps, Place};
pub use decide::{Admitted, admit_session, admit_token, identity_token};
pub use entry::{Entry, Problem, TICKET_LIFETIME, Ticket};
