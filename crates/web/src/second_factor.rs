//! A code of a person's second factor: counted before it is looked at, compared, and spent by the same commit as what it allows.

use actix_web::cookie::Cookie;
use grantor_core::audit::{Event, EventKind};
use grantor_core::change::Change;
use grantor_core::error::{Decision, Error};
use grantor_core::second_factor::{self, SecondFactor, Typed, Used};
use grantor_core::sign_in::Begun;
use grantor_core::store::{Store, StoreError};
use grantor_core::time::Time;
use grantor_core::user::User;
use grantor_identity::recovery::RecoveryCode;
use grantor_identity::totp::{TotpCode, TotpKey};
use grantor_identity::username::Username;
use grantor_jose::id::Id;

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
    /// It is the very code that counted here a moment ago.
    Twice,
    /// It is not the code, or it was used before.
    Wrong,
}

/// Proves the second factor of a person, by the code of their app or a recovery code. What it allows is what `decide` says, and is
/// committed together with the notes that the code was used, and used in this `place`: a half sign-in, or a session.
///
/// # Errors
/// Those of the store.
pub(crate) async fn prove<T>(
    visit: &Visit,
    (user, place): (&User, Id),
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
        let typed = read(&factor, typed, visit.now);
        let Some((typed, by)) = typed.and_then(|typed| Some((typed, typed.proves(&factor)?))) else {
            // Counted before, and here: who sends it again guesses at nothing, and is let in to nothing by it.
            if has_counted(visit, (&factor, place), typed).await? {
                tries.take_back(counted).await;
                return Ok(Err(Problem::Twice));
            }
            let tells = counted.is_some_and(|counted| tries.is_last_free(counted));
            note(visit, EventKind::SignInFailed, user, tells).await?;
            return Ok(Err(Problem::Wrong));
        };
        let Decision { changes, reply } = decide(&factor, &by);
        let spent = by.spend(&factor, visit.app.id(), visit.call());
        let note = typed.note(&factor, place, visit.now);
        match store.commit(spent.into_iter().chain(changes).chain([note]).collect()).await {
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

/// What somebody typed; nothing where it is no recovery code, and no present code of the app, used or not.
fn read(factor: &SecondFactor, typed: &str, now: Time) -> Option<Typed> {
    if let Some(code) = TotpCode::parse(typed) {
        let key = TotpKey::parse(factor.key.expose())?;
        let after = |step| key.accepts(code, now.seconds(), step);
        return after(factor.last_step).or_else(|| after(i64::MIN)).map(Typed::Step);
    }
    Some(Typed::Recovery(RecoveryCode::parse(typed)?.hash(&factor.salt())))
}

/// Whether this counted in this place a moment ago. Only who knows a code that was used there learns anything by it.
async fn has_counted(visit: &Visit, (factor, place): (&SecondFactor, Id), typed: Option<Typed>) -> Result<bool, Error> {
    let Some(typed) = typed else { return Ok(false) };
    Ok(visit.app.provider.store.is_spent(&typed.digest(factor, place), visit.now).await?)
}

/// Whether this code raised the session that the browser still brings: it has ended by that, and its person has another one.
///
/// # Errors
/// Those of the store.
pub(crate) async fn has_raised(visit: &Visit, typed: &str) -> Result<bool, Error> {
    let Some((session, user)) = visit.ended_session().await? else { return Ok(false) };
    let Some(factor) = visit.app.provider.store.second_factor_of(user.id).await? else { return Ok(false) };
    has_counted(visit, (&factor, session.id), read(&factor, typed, visit.now)).await
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
