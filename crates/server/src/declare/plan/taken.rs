//! What a declaration names that belongs to somebody else.

use grantor_core::client::Trust;
use grantor_core::directory::Directory;

use super::Current;
use crate::declare::{DeclaredApp, DeclaredClient, DeclaredUser};

/// What registered itself belongs to whoever registered it: a file that names it by accident takes nothing over.
pub(super) fn client(declared: &DeclaredClient, directory: &Directory) -> Option<String> {
    let before = directory.clients.get(&declared.client_id)?;
    let message =
        "registered itself, and is changed by itself alone; name another, or remove it with `grantor client remove`";
    (before.trust == Trust::SelfRegistered).then(|| declared.place.remark("client_id", message))
}

/// Whoever made an account for themselves may be anybody: a file that means somebody else gives it nothing. Commands, which name the
/// account that is there, may change it.
pub(super) fn user(declared: &DeclaredUser, current: &Current) -> Option<String> {
    current.users.get(&declared.username).filter(|before| before.self_made)?;
    let message = "was made by its person, whoever that is; name another, or remove it with `grantor user remove`";
    declared.place.fault("username", message).map(|fault| fault.to_string())
}

/// An app lets nobody in by a name that they gave themselves.
pub(super) fn let_in<'a>(declared: &'a DeclaredApp, current: &'a Current) -> impl Iterator<Item = String> + 'a {
    let is_self_made = |name: &&String| current.users.get(*name).is_some_and(|user| user.self_made);
    declared.app.users.iter().filter(is_self_made).map(|name| {
        let message = format!(
            "\"{name}\" was made by its person, whoever that is, and is not let in by the name; remove it with `grantor user remove`"
        );
        declared.place.remark("users", &message)
    })
}
