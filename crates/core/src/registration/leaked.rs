//! Tokens of registration that somebody found where they should not be.

use grantor_jose::id::Id;
use grantor_jose::secret::Secret;

use super::{InitialToken, Registration, RegistrationChange};
use crate::audit::{Event, EventKind};
use crate::change::Change;
use crate::grant::GrantEnd;
use crate::leak::Found;
use crate::provider::Call;
use crate::token::{INITIAL, REGISTRATION};

/// What ends an initial access token: nothing where it does not count any more, none where it is not ours.
pub fn initial_token(
    found: &Found,
    known: Option<InitialToken>,
    (event_id, call): (Id, Call<'_>),
) -> Option<Vec<Change>> {
    let (_, secret) = INITIAL.parse(&found.token)?;
    let token = known.filter(|known| known.secret.matches(&secret))?;
    if !token.is_live(call.now) {
        return Some(Vec::new());
    }
    let told = format!("{} ({}), found by {}: {}", token.hint(), token.name, found.reporter, found.url);
    let event = Event::new(event_id, call.now, EventKind::InitialTokenChanged);
    let event = event.reason(GrantEnd::Leaked.as_str()).detail(&told);
    Some(vec![RegistrationChange::TokenEnd { id: token.id, at: call.now }.into(), Change::EventInsert(Box::new(event))])
}

/// What ends a registration access token: the hash of `nobodys`, a secret that nobody is told, takes its place, so that nobody manages
/// the app any more but an administrator. None where it opens no registration of ours.
pub fn registration_token(
    found: &Found,
    known: Option<Registration>,
    nobodys: &Secret,
    (event_id, call): (Id, Call<'_>),
) -> Option<Vec<Change>> {
    let (id, secret) = REGISTRATION.parse(&found.token)?;
    let opens = |known: &Registration| {
        known.secret.matches(&secret) || known.replaced.is_some_and(|replaced| replaced.matches(&secret, call.now))
    };
    let registration = known.filter(|known| known.id == id && opens(known))?;
    let told = format!("its registration access token was found by {}: {}", found.reporter, found.url);
    let event = Event::new(event_id, call.now, EventKind::ClientChanged).client(&registration.client_id).detail(&told);
    let expected = registration.secret;
    let ended = RegistrationChange::Secret { id, expected, secret: nobodys.hash(), replaced: None };
    Some(vec![ended.into(), Change::EventInsert(Box::new(event))])
}
