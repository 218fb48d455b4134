//! Apps that registered themselves and that nobody has ever signed in to: they go after a while.

use grantor_core::audit::{Event, EventKind};
use grantor_core::change::Change;
use grantor_core::registration::RegistrationPolicy;
use grantor_core::store::{Store, StoreError};
use grantor_core::time::Time;
use grantor_jose::random::Mint;
use grantor_storage::Database;

/// How many go in one set of changes.
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
        let unused = database.registrations_unused(now.minus(policy.unused_kept), AT_ONCE.into()).await?;
        swept += unused.len();
        let is_last = unused.len() < usize::from(AT_ONCE);
        let changes = unused.into_iter().flat_map(|client_id| {
            let event = Event::new(mint.id(now.millis()), now, EventKind::ClientChanged).client(&client_id);
            let event = event.detail("removed: it was never used");
            [Change::ClientRemove(client_id), Change::EventInsert(Box::new(event))]
        });
        database.commit(changes.collect()).await?;
        if is_last {
            return Ok(swept);
        }
    }
}
