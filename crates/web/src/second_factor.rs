//! A code of a person's second factor: counted before it is looked at, compared, and spent by the same commit as what it allows.

use actix_web::cookie::Cookie;
use grantor_core::audit::{Event, EventKind};
use grantor_core::change::Change;
use grantor_core::error::{Decision, Error};
use grantor_core::second_factor::{self, SecondFactor, Used};
use grantor_core::sign_in::Begun;
use grantor_core::store::{Store, StoreError};
use grantor_core::time::Time;
use grantor_core::user::User;
use grantor_identity::recovery::RecoveryCode;
use grantor_identity::totp::{TotpCode, TotpKey};
use grantor_identity::username::Username;

use crate::accounts::{self, Account};
use crate::known_browser::Remembered;
use crate::tries::Tries;
use crate::visit::Visit;

/// How often a factor that is changed while its code is compared is looked at again.
const MAX_CHANGES: usize = 4;

/// Why a code did not work.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Problem {
    /// The page was open for too long, or what it was about is another one by now.
    Expired,
    /// The field was left empty.
    Incomplete,
    /// Too many tries; the next one counts after so many seconds.
    Throttled(i64),
    /// It is not the code, or it was used before.
    Wrong,
}

/// Proves the second factor of a person, by the code of their app or a recovery code. What it allows is what `decide` says, and is
/// committed together with the note that the code was used.
///
/// # Errors
/// Those of the store.
pub(crate) async fn prove<T>(
    visit: &Visit,
    user: &User,
    typed: &str,
    decide: impl Fn(&SecondFactor, &Used) -> Decision<T>,
) -> Result<Result<T, Problem>, Error> {
    if typed.trim().is_empty() {
        return Ok(Err(Problem::Incomplete));
    }
    let store = &visit.app.provider.store;
    let tries = Tries::at_code(visit, user.id);
    // Each try is counted before it is looked at: of many at once, each one counts.
    let counted = match tries.count().await? {
        Ok(counted) => counted,
        Err(seconds) => {
            note(visit, EventKind::SignInThrottled, user, false).await?;
            return Ok(Err(Problem::Throttled(seconds)));
        }
    };
    for _ in 0..MAX_CHANGES {
        let Some(factor) = store.second_factor_of(user.id).await? else {
            tries.not_counted().await;
            return Ok(Err(Problem::Expired));
        };
        let Some(by) = judge(&factor, typed, visit.now) else {
            let tells = counted.is_some_and(|counted| tries.is_last_free(counted));
            note(visit, EventKind::SignInFailed, user, tells).await?;
            return Ok(Err(Problem::Wrong));
        };
        let Decision { changes, reply } = decide(&factor, &by);
        let spent = by.spend(&factor, visit.app.id(), visit.call());
        match store.commit(spent.into_iter().chain(changes).collect()).await {
            Ok(()) => {
                tries.take_back(counted).await;
                return Ok(Ok(reply));
            }
            // Somebody else used a code, or the person is another one by now: it is read and judged again.
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Err(Problem::Expired))
}

/// What is proved by what somebody typed.
fn judge(factor: &SecondFactor, typed: &str, now: Time) -> Option<Used> {
    if let Some(code) = TotpCode::parse(typed) {
        let key = TotpKey::parse(factor.key.expose())?;
        return key.accepts(code, now.seconds(), factor.last_step).map(Used::Code);
    }
    let hash = RecoveryCode::parse(typed)?.hash(&factor.salt());
    let left: Vec<_> = factor.recovery.iter().filter(|kept| **kept != hash).copied().collect();
    (left.len() < factor.recovery.len()).then_some(Used::Recovery(left))
}

/// Tries go to the ring of fixed size, as those at passwords do. The person is told once in a while, where that is due: who tries
/// codes knows the password.
async fn note(visit: &Visit, kind: EventKind, user: &User, tells: bool) -> Result<(), Error> {
    let mut event = Event::new(visit.app.id(), visit.now, kind).address(&visit.address);
    if kind == EventKind::SignInFailed {
        event = event.user(user.id).reason("SecondFactorWrong");
    }
    let notice = second_factor::tell_of_guesses(user.id, event.id, visit.call());
    let changes = std::iter::once(Change::RefusalInsert(Box::new(event))).chain(tells.then_some(notice)).collect();
    Ok(visit.app.provider.store.commit(changes).await?)
}

/// The cookies of a browser in which a session of a person has just begun.
pub(crate) fn cookies(visit: &Visit, user: &User, others: &[Account], begun: &Begun) -> Vec<Cookie<'static>> {
    let remembered = Username::parse(&user.username)
        .ok()
        .map(|username| Remembered::of(visit).with(&username, user.id, user.password.as_deref()));
    accounts::begun(visit, others, begun).into_iter().chain(remembered).collect()
}
