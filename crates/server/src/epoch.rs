//! A new epoch: nothing that was issued before counts any more.
//!
//! A backup knows nothing of what came after it: a code that was redeemed, a refresh token that was rotated, a session, a grant or
//! a token that was ended stands in it as good as new. Which ones is not known, so all of them end. A signed token has no row to
//! end; so every signing key is another one, and the root secret is, from which authorizations and forms in browsers are
//! authenticated. Recovery codes that were used since would count again: none is left, and their people make new ones. An assertion
//! of an app that may have been used before is refused (`client_auth`).

use grantor_core::audit::{Event, EventKind};
use grantor_core::change::Change;
use grantor_core::store::Store;
use grantor_core::time::Time;

use crate::commands::CommandError;
use crate::key_schedule;
use crate::keys;
use crate::settings::Opened;

/// What neither a restore nor a new epoch can know.
pub const NOT_KNOWN: &str = "\
What a backup brings back is as it was in it: passwords, second factors, client secrets, accounts, apps and approvals.
Those that were changed or removed since have to be changed or removed again.
";

/// Begins one, in one commit; `first` goes into it before.
///
/// # Errors
/// When a key cannot be made or the store fails. Nothing has changed then.
pub async fn begin(opened: &Opened, first: Vec<Change>, now: Time) -> Result<(), CommandError> {
    let Opened { config, database, mint, .. } = opened;
    let steps = keys::plan_new_ring(&database.directory().keys, now);
    let keys = key_schedule::prepare(database, mint, &config.lifetimes, now, &steps).await?;
    let event = Event::new(mint.id(now.millis()), now, EventKind::EpochBegun);
    let mut changes = first;
    changes.extend([Change::EpochBegin { at: now }, Change::EventInsert(Box::new(event))]);
    changes.extend(keys);
    Ok(database.commit(changes).await?)
}
