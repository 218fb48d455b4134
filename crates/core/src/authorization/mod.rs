//! The authorization endpoint: who asks, what for, and what comes next.
//!
//! The browser's way, with each URL once:
//! * `/authorize` reads the request ([`Arrived`] where it is signed, then [`read`]), loads session and consent, and asks [`next_step`].
//! * `Login` sends the browser to `/sign-in`, `SelectAccount` to `/select-account`, `Consent` to `/consent`. Each page does
//!   its one thing and sends the browser back to `/authorize?resume=…`, where `next_step` decides again.
//! * `Respond` makes the code ([`respond`]) and sends the browser to the app. Where the request asks for tokens, too,
//!   `front_channel` keeps the approval and signs them ([`answer()`]).
//!
//! Where the request names somebody who is signed in in this browser beside the person in use, it is about them: [`Other`].
//!
//! With `prompt=none` every step that would need the person is an error instead.

mod arrived;
mod front_channel;
mod other;
mod read;
mod request;
mod request_object;
mod respond;
mod response_type;
mod step;
mod unreadable;

pub use arrived::Arrived;
pub(crate) use front_channel::Handed;
pub use front_channel::answer;
pub use other::Other;
pub use read::read;
pub use request::{AuthorizationRequest, Prompt, Refused, Started};
pub use request_object::RequestObjectSigning;
pub use respond::{Answer, refuse, respond};
pub use response_type::{ResponseMode, ResponseType};
pub use step::{Approved, Situation, Step, next_step};
pub use unreadable::refuse_unreadable;

#[cfg(test)]
pub(crate) mod tests;
