//! What a person's answer at the consent page changes, and what taking it back does.

use grantor_jose::id::Id;

use crate::audit::{Event, EventKind};
use crate::authorization::AuthorizationRequest;
use crate::change::{Change, GrantsOf};
use crate::consent::Consent;
use crate::error::Error;
use crate::grant::GrantEnd;
use crate::provider::Call;
use crate::scope::Scope;

/// Whether a scope cannot be unticked: without `openid` the app learns nobody's name and has no use for the answer.
pub fn is_required(scope: &str) -> bool {
    scope == "openid"
}

/// Remembers what a person ticked, of what was offered.
///
/// # Errors
/// `ConsentDenied` when nothing at all is ticked.
pub fn approve(
    request: &AuthorizationRequest,
    (user_id, known): (Id, Option<&Consent>),
    ticked: &Scope,
    event_id: Id,
    call: Call<'_>,
) -> Result<Vec<Change>, Error> {
    // Only what was offered can be allowed, whatever the form says.
    let granted = request.scope.filter(|scope| is_required(scope) || ticked.contains(scope));
    if granted.is_empty() {
        return Err(Error::ConsentDenied);
    }
    let declined = request.scope.without(&granted);
    let consent = Consent {
        user_id,
        client_id: request.client.client_id.clone(),
        granted: known.map(|known| known.granted.without(&declined)).unwrap_or_default().union(&granted),
        declined: known.map(|known| known.declined.without(&granted)).unwrap_or_default().union(&declined),
        created_at: known.map_or(call.now, |known| known.created_at),
        updated_at: call.now,
    };
    let event =
        event(EventKind::ConsentGiven, &request.client.client_id, user_id, event_id, call).detail(granted.as_str());
    let expected = known.map(|known| known.updated_at);
    let put = Change::ConsentPut { consent: Box::new(consent), expected };
    Ok(std::iter::once(put).chain(request.client.expectation()).chain([Change::EventInsert(Box::new(event))]).collect())
}

/// Records that a person did not allow an app. Nothing is remembered: the next request asks again.
pub fn deny(client_id: &str, user_id: Id, event_id: Id, call: Call<'_>) -> Vec<Change> {
    vec![Change::EventInsert(Box::new(event(EventKind::ConsentDenied, client_id, user_id, event_id, call)))]
}

/// Takes an app's access back: the remembered answer, and every grant.
pub fn withdraw(client_id: &str, user_id: Id, event_id: Id, call: Call<'_>) -> Vec<Change> {
    let end = GrantEnd::RevokedByUser;
    let event = event(EventKind::GrantEnded, client_id, user_id, event_id, call).reason(end.as_str());
    vec![
        Change::ConsentRemove { user_id, client_id: client_id.to_owned() },
        Change::GrantsEnd { of: GrantsOf::UserAndClient(user_id, client_id.to_owned()), at: call.now, end },
        Change::EventInsert(Box::new(event)),
    ]
}

fn event(kind: EventKind, client_id: &str, user_id: Id, id: Id, call: Call<'_>) -> Event {
    Event::new(id, call.now, kind).client(client_id).user(user_id).address(call.address)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use grantor_jose::random::Mint;
    use proptest::prelude::*;

    use super::*;
    use crate::authorization::tests::request;
    use crate::time::Time;
    use crate::user::tests::ada;

    fn answered(offered: &str, ticked: &str, known: Option<&Consent>) -> Result<Consent, &'static str> {
        let request = AuthorizationRequest { scope: offered.parse().unwrap(), ..request() };
        let call = Call::new(Time::from_seconds(9), "::1");
        let ticked = ticked.parse().unwrap();
        let changes = approve(&request, (ada().id, known), &ticked, Mint::seeded(1).id(1), call);
        match changes.map_err(|error| error.reason())?.into_iter().next() {
            Some(Change::ConsentPut { consent, .. }) => Ok(*consent),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_answer_later_replaces_the_one_before() {
        let first = answered("openid email profile", "email", None).unwrap();
        assert_eq!((first.granted.as_str(), first.declined.as_str()), ("email openid", "profile"));
        let then = answered("openid email profile", "profile", Some(&first)).unwrap();
        assert_eq!((then.granted.as_str(), then.declined.as_str()), ("openid profile", "email"));
    }

    #[test]
    fn nothing_ticked_is_no_approval() {
        assert_eq!(answered("email", "", None), Err("ConsentDenied"));
    }

    proptest! {
        /// Whatever the form says: only what was offered and ticked, or allowed before and not offered now, is allowed.
        #[test]
        fn only_what_was_offered_is_allowed(offered in "(openid ?)?(a ?)?(b ?)?", ticked in "(a ?)?(b ?)?(c ?)?", before in "(b ?)?(d ?)?") {
            let known = answered(&format!("{before} x"), &format!("{before} x"), None).unwrap();
            let (scope, ticks): (Scope, Scope) = (offered.parse().unwrap(), ticked.parse().unwrap());
            if let Ok(consent) = answered(&offered, &ticked, Some(&known)) {
                for granted in consent.granted.iter() {
                    let now = scope.contains(granted) && (ticks.contains(granted) || is_required(granted));
                    prop_assert!(now || (known.granted.contains(granted) && !scope.contains(granted)));
                }
                prop_assert!(consent.granted.intersection(&consent.declined).is_empty());
            }
        }
    }
}
