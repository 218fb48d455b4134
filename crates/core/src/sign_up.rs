//! What changes when somebody makes an account for themselves.

use grantor_jose::id::Id;
use serde_json::Map;

use crate::audit::{Event, EventKind};
use crate::change::Change;
use crate::error::Decision;
use crate::network::Networks;
use crate::provider::{Call, Fresh};
use crate::sign_in::{self, Begun, Browser};
use crate::time::Time;
use crate::user::User;

/// The account of somebody who chose a name and a password, which comes as its hash in PHC text. Nothing else is known of them,
/// and nothing is proven.
pub fn account(username: String, password: String, (id, subject): (Id, String), now: Time) -> User {
    User {
        id,
        subject,
        username,
        password: Some(password),
        claims: Map::new(),
        groups: Vec::new(),
        networks: Networks::ANYWHERE,
        disabled: false,
        self_made: true,
        created_at: now,
        updated_at: now,
    }
}

/// Makes the account and begins its first session. The commit fails where the name has been
/// taken meanwhile.
pub fn begin(user: &User, fresh: &Fresh, made: Id, browser: Browser<'_>, call: Call<'_>) -> Decision<Begun> {
    let detail = format!("{} created by the person", user.username);
    let event = Event::new(made, call.now, EventKind::UserChanged).user(user.id).address(call.address).detail(&detail);
    let mut changes = vec![Change::UserPut(Box::new(user.clone())), Change::EventInsert(Box::new(event))];
    // Nobody has to be told that the browser is new to an account that is new itself.
    let begun = sign_in::begin(user, fresh, Browser { is_known: true, ..browser }, call);
    changes.extend(begun.changes);
    Decision { changes, reply: begun.reply }
}
