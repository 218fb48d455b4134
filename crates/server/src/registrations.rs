//! Apps that registered themselves and that nobody has ever signed in to: they go after a while.

use grantor_core::audit::{Event, EventKind};
use grantor_core::change::Change;
use grantor_core::registration::{RegistrationChange, RegistrationPolicy};
use grantor_core::store::{Store, StoreError};
use grantor_core::time::Time;
use grantor_jose::random::Mint;
use grantor_storage::Database;

/// How many are looked up at a time.
const AT_ONCE: u8 = 16;

/// Removes those that have had their time; says how many.
///
/// # Errors
/// What the database says. What was removed stays removed.
pub async fn sweep(
    database: &Database,
    mint: &Mint,
    policy: &RegistrationPolicy,
    now: Time,
) -> Result<usize, StoreError> {
    if policy.unused_kept.is_zero() {
        return Ok(0);
    }
    let mut swept = 0;
    loop {
        let registered_by = now.minus(policy.unused_kept);
        let unused = database.registrations_unused(registered_by, AT_ONCE.into()).await?;
        let (found, before) = (unused.len(), swept);
        for client_id in unused {
            let event = Event::new(mint.id(now.millis()), now, EventKind::ClientChanged).client(&client_id);
            let event = Change::EventInsert(Box::new(event.detail("removed: it was never used")));
            let expected = RegistrationChange::Unused { client_id: client_id.clone(), registered_by };
            match database.commit(vec![expected.into(), Change::ClientRemove(client_id), event]).await {
                Ok(()) => swept += 1,
                // Somebody was let in to it just now, or another node was here first.
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        if found < usize::from(AT_ONCE) || swept == before {
            return Ok(swept);
        }
    }
}
