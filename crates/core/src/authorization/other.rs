//! A person who is signed in beside the one in use, and whom a request names: by `id_token_hint` or a requested `sub`, which must be
//! them, or by `login_hint`, which would like it to be.
//!
//! A `login_hint` anybody can write, also into an address that has an app begin a sign-in. So it lets the person choose, and is never
//! answered for somebody whom they did not choose. They choose also where it names none of those who are signed in, and it is compared
//! with what those are known by alone: whether anybody has the account that it names is told to no app.
//!
//! No request changes who is in use: what a person does next in this browser would be done as somebody whom they did not choose, by
//! the will of whoever could send the browser here. So what needs no page is answered by the session beside, and the browser goes on
//! as it was, with `prompt=none` and without. What the person must be asked is asked when they have chosen the account themselves.

use grantor_jose::mac::MacKey;
use serde_json::Value;

use super::AuthorizationRequest;
use super::step::{Situation, Step, is_signed_in_for, next_step_in_use};
use crate::consent::Consent;
use crate::error::Error;
use crate::level::Level;
use crate::session::Session;
use crate::subject;
use crate::upstream::UpstreamSession;
use crate::user::User;

/// Somebody signed in beside the person in use, and what the request is for them.
#[derive(Clone, Copy, Debug)]
pub struct Other<'a> {
    /// The request, with the scopes that are theirs to give.
    pub request: &'a AuthorizationRequest,
    /// Their session.
    pub session: &'a Session,
    /// Where it began; see [`Situation::origin`].
    pub origin: Option<&'a UpstreamSession>,
    /// Who it is.
    pub user: &'a User,
    /// What they answered about this app before.
    pub consent: Option<&'a Consent>,
    /// The level that they can raise their session to; see [`Situation::reachable`].
    pub reachable: Option<Level>,
}

impl AuthorizationRequest {
    /// Whether it names anybody at all.
    pub fn names_somebody(&self) -> bool {
        self.must_be_somebody() || self.login_hint.is_some()
    }

    /// Whether it must not be answered for anybody but those whom it names.
    fn must_be_somebody(&self) -> bool {
        self.subject.is_some() || self.claims.names_subject()
    }

    /// Whether this is who it names. `subjects` is the key of the subjects that apps know people by.
    pub fn names(&self, subjects: &MacKey, user: &User) -> bool {
        if self.must_be_somebody() {
            let known = subject::of(subjects, &self.client, user);
            return self.subject.as_ref().is_none_or(|subject| *subject == known)
                && self.claims.accepts_subject(&known);
        }
        self.hints_at(subjects, user)
    }

    /// Whether `login_hint` is something that this person is known by here, in whatever spelling.
    // "The use of this parameter is left to the OP's discretion." (OIDC Core §3.1.2.1)
    fn hints_at(&self, subjects: &MacKey, user: &User) -> bool {
        let Some(hint) = self.login_hint.as_deref().map(str::trim) else { return false };
        let is_claim = |name: &str, plain: fn(&str) -> String| {
            let known = user.claim(name);
            known.as_ref().and_then(Value::as_str).is_some_and(|known| plain(known) == plain(hint))
        };
        self.hinted_names.contains(&user.username)
            || in_one_case(hint) == in_one_case(&user.username)
            || is_claim("email", in_one_case)
            || is_claim("preferred_username", in_one_case)
            || is_claim("phone_number", dialled)
            || hint == subject::of(subjects, &self.client, user)
    }

    /// Whether its `login_hint` would like to have somebody else than this person.
    pub(super) fn hints_at_another_than(&self, subjects: &MacKey, user: &User) -> bool {
        self.login_hint.is_some() && !self.must_be_somebody() && !self.hints_at(subjects, user)
    }
}

/// A text as it is compared where capital and small letters are one.
fn in_one_case(text: &str) -> String {
    text.to_uppercase().to_lowercase()
}

/// A telephone number as it is dialled, without what makes it easy to read.
fn dialled(number: &str) -> String {
    number.chars().filter(|sign| sign.is_alphanumeric() || *sign == '+').collect()
}

/// Whether a request may go on with somebody beside: not where anybody was chosen for it, nor where the person in use is named, too,
/// or has signed in for it.
pub(super) fn may_go_on(request: &AuthorizationRequest, situation: Situation<'_>) -> bool {
    let is_chosen = request.started.selected.is_some();
    let is_open = |(session, user): (&Session, &User)| {
        !is_signed_in_for(request, session, situation) && !request.names(situation.subjects, user)
    };
    !is_chosen && situation.session.is_none_or(is_open)
}

/// Chooses the next step where a person beside is named.
pub(super) fn next_step(
    request: &AuthorizationRequest,
    other: Other<'_>,
    situation: Situation<'_>,
) -> Result<Step, Error> {
    let Other { session, origin, user, consent, reachable, .. } = other;
    if !request.must_be_somebody() {
        // Without a page nobody chooses, and a new account is none of those that are here.
        let is_silent = request.prompt.none || request.prompt.create;
        let is_there = session.is_live(situation.lifetimes, situation.now) && !user.disabled;
        return if is_silent || !is_there { next_step_in_use(request, situation) } else { Ok(Step::SelectAccount) };
    }
    let theirs = Situation { session: Some((session, user)), origin, consent, other: None, reachable, ..situation };
    match next_step_in_use(other.request, theirs) {
        // "If the End-User identified by the ID Token is already logged in or is logged in as a result of the request ..., then
        // the Authorization Server returns a positive response" (OIDC Core §3.1.2.1)
        Ok(Step::Respond(approved)) => Ok(Step::Beside(approved)),
        Ok(Step::Consent { .. } | Step::OfferMore(_) | Step::Prove { .. } | Step::ProveMore(_)) => {
            Ok(Step::SelectAccount)
        }
        // An app that they never allowed does not learn that they are signed in here.
        Err(_) if request.prompt.none && !is_known(request, consent) => Err(Error::LoginRequired),
        other => other,
    }
}

/// Whether the app has something of the person, or asks nobody.
fn is_known(request: &AuthorizationRequest, consent: Option<&Consent>) -> bool {
    request.asks_nobody() || consent.is_some_and(|consent| !consent.granted.is_empty())
}
