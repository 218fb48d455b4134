//! The names of people who were removed. Apps may keep by a name what was theirs, so nobody makes an account of it for themselves;
//! an administrator may give it to somebody.

use grantor_jose::id::Id;

use crate::audit::{Event, EventKind};
use crate::change::Change;
use crate::key::Secrets;
use crate::time::Time;
use crate::user::User;

/// What is kept of a name, in its normal form: a keyed hash, which tells nobody the name who has the database alone. It stays the
/// same in each epoch.
pub fn digest(secrets: &Secrets, username: &str) -> [u8; 32] {
    secrets.subjects.derive("retired usernames").tag(&[username.as_bytes()])
}

/// Removes a person with everything that hangs on them, and retires the name.
pub fn remove(user: &User, secrets: &Secrets, event_id: Id, now: Time) -> Vec<Change> {
    let event = Event::new(event_id, now, EventKind::UserChanged).user(user.id);
    let event = event.detail(&format!("{} removed", user.username));
    vec![
        // Apps are told of sessions that end, and not of such that were never there.
        Change::SessionsEnd { user_id: user.id, except: None, at: now },
        Change::UsernameRetire { digest: digest(secrets, &user.username), at: now },
        Change::UserRemove(user.id),
        Change::EventInsert(Box::new(event)),
    ]
}

#[cfg(test)]
mod tests {
    use grantor_jose::mac::MacKey;

    use super::*;

    #[test]
    fn a_name_stays_retired_in_another_epoch_and_no_other_name_is() {
        let (first, root) = (MacKey::new([1; 32]), MacKey::new([2; 32]));
        let later = Secrets::derive_with(&root, Secrets::first_subjects(&first));
        let retired = digest(&Secrets::derive(&first), "carol");
        assert_eq!(digest(&later, "carol"), retired);
        assert!(digest(&later, "caroline") != retired && digest(&Secrets::derive(&root), "carol") != retired);
    }
}
