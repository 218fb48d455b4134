//! What a proved sign-in, and a sign-out, change.

use grantor_jose::id::Id;

use crate::audit::{Event, EventKind, printable};
use crate::change::{Change, GrantsOf};
use crate::error::Decision;
use crate::grant::GrantEnd;
use crate::provider::{Call, Fresh};
use crate::session::{ACR_PASSWORD, Session};
use crate::token;
use crate::user::User;

/// What is kept of the browser, in characters.
const MAX_USER_AGENT: usize = 256;

/// Begins the session of a person who has proved a password; the reply is the cookie's value.
///
/// `replaced` is the session that the browser had before: the identifier changes at each sign-in.
pub fn begin(
    user: &User,
    fresh: &Fresh,
    user_agent: &str,
    replaced: Option<&Session>,
    call: Call<'_>,
) -> Decision<String> {
    let session = Session {
        id: fresh.id,
        secret: fresh.secret.hash(),
        user_id: user.id,
        auth_time: call.now,
        last_seen_at: call.now,
        acr: ACR_PASSWORD.to_owned(),
        // "pwd: Password-based authentication" (RFC 8176 §2)
        amr: vec!["pwd".to_owned()],
        address: call.address.to_owned(),
        user_agent: printable_agent(user_agent),
        ended_at: None,
    };
    let event = Event::new(fresh.id, call.now, EventKind::SignInSucceeded).user(user.id).address(call.address);
    let mut changes = vec![Change::SessionInsert(Box::new(session)), Change::EventInsert(Box::new(event))];
    // The same person signing in again goes on with the grants of the old session; another person ends it.
    if let Some(old) = replaced {
        changes.push(Change::SessionEnd { id: old.id, at: call.now });
        if old.user_id != user.id {
            changes.push(Change::GrantsEnd { of: GrantsOf::Session(old.id), at: call.now, end: GrantEnd::SignedOut });
        }
    }
    Decision { changes, reply: token::SESSION.format(fresh.id, &fresh.secret) }
}

/// Ends one session and what does not outlive it.
pub fn sign_out(session: &Session, event_id: Id, call: Call<'_>) -> Vec<Change> {
    let event = Event::new(event_id, call.now, EventKind::SignedOut).user(session.user_id).address(call.address);
    vec![
        Change::SessionEnd { id: session.id, at: call.now },
        Change::GrantsEnd { of: GrantsOf::Session(session.id), at: call.now, end: GrantEnd::SignedOut },
        Change::EventInsert(Box::new(event)),
    ]
}

/// Ends all sessions of a person but one.
pub fn sign_out_others(user_id: Id, except: Id, event_id: Id, call: Call<'_>) -> Vec<Change> {
    let event = Event::new(event_id, call.now, EventKind::SignedOut)
        .user(user_id)
        .address(call.address)
        .detail("all other sessions");
    vec![
        Change::SessionsEnd { user_id, except: Some(except), at: call.now },
        Change::GrantsEnd { of: GrantsOf::UserExceptSession(user_id, except), at: call.now, end: GrantEnd::SignedOut },
        Change::EventInsert(Box::new(event)),
    ]
}

fn printable_agent(user_agent: &str) -> String {
    let cut: String = user_agent.chars().take(MAX_USER_AGENT).collect();
    printable(&cut)
}
