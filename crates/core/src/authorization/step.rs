//! What comes next: one pure function over the stored facts.

use std::time::Duration;

use grantor_jose::mac::MacKey;

use super::AuthorizationRequest;
use super::other::{self, Other};
use crate::change::Change;
use crate::consent::Consent;
use crate::error::Error;
use crate::level::{self, Level, Need};
use crate::policy::Lifetimes;
use crate::scope::Scope;
use crate::session::Session;
use crate::subject;
use crate::time::Time;
use crate::upstream::UpstreamSession;
use crate::user::User;

/// What is known of the browser when the step is chosen.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The session of the browser's cookie and its person, live or not.
    pub session: Option<(&'a Session, &'a User)>,
    /// Where that session began, if at an upstream; none, too, where the request does not ask when the person signed in.
    pub origin: Option<&'a UpstreamSession>,
    /// What the person answered about this app before.
    pub consent: Option<&'a Consent>,
    /// The level that the person can reach by proving a second factor; none where they have none, or where it was not asked because
    /// nothing hangs on it.
    pub reachable: Option<Level>,
    /// A person signed in beside, whom the request names.
    pub other: Option<Other<'a>>,
    /// The key of the subjects that apps know people by.
    pub subjects: &'a MacKey,
    /// How long sessions live.
    pub lifetimes: &'a Lifetimes,
    /// Now.
    pub now: Time,
}

/// How long a sign-in answers the request that asked for it.
const ANSWER_COUNTS_FOR: Duration = Duration::from_mins(10);

/// The next step of an authorization.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// The app gets what it asks for of the person signed in beside.
    Beside(Approved),
    /// The person is asked; `unanswered` is new to them.
    Consent {
        /// The scopes that the person has not been asked about.
        unanswered: Scope,
    },
    /// The person signs in.
    Login,
    /// The person is told, once, of a level that the request wishes for and that they cannot reach yet.
    OfferMore(Level),
    /// The person proves a second factor.
    Prove {
        /// Whether they may go on without.
        may_decline: bool,
    },
    /// The person is told that more is needed than they can prove, and how they could.
    ProveMore(Level),
    /// The app gets what it asks for, as far as it is approved.
    Respond(Approved),
    /// The person chooses the account.
    SelectAccount,
    /// The person makes an account.
    SignUp,
}

/// What is approved of a request, by the person or for apps that ask nobody: proof that nothing is left to be done. Made only by
/// [`next_step`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approved {
    scope: Scope,
    /// When the person answered; none where nobody is asked.
    answered_at: Option<Time>,
}

impl Approved {
    /// The scopes.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// That the person's answer is still the one that was read.
    pub(super) fn expectation(&self, request: &AuthorizationRequest, session: &Session) -> Option<Change> {
        let client_id = request.client.client_id.clone();
        let expect = |updated_at| Change::ConsentExpect { user_id: session.user_id, client_id, updated_at };
        self.answered_at.map(expect)
    }
}

/// Chooses the next step.
///
/// # Errors
/// With `prompt=none`, the error that stands for the page that would be needed; `HintMismatch` when another person than the
/// one asked for has just signed in; `ScopeNotAllowed` when the person can give nothing of what is asked for.
pub fn next_step(request: &AuthorizationRequest, situation: Situation<'_>) -> Result<Step, Error> {
    match situation.other.filter(|_| other::may_go_on(request, situation)) {
        Some(other) => other::next_step(request, other, situation),
        None => next_step_in_use(request, situation),
    }
}

/// The same for the person in use alone.
pub(super) fn next_step_in_use(request: &AuthorizationRequest, situation: Situation<'_>) -> Result<Step, Error> {
    let step = step(request, situation)?;
    if !request.prompt.none {
        return Ok(step);
    }
    // "The Authorization Server MUST NOT display any authentication or consent user interface pages. An error is returned
    // if an End-User is not already authenticated or the Client does not have pre-configured consent for the requested
    // Claims or does not fulfill other conditions for processing the request." (OIDC Core §3.1.2.1)
    // "The Authorization Server MUST NOT interact with the End-User in the following case: ... In this case, the
    // Authorization Server MUST return an error if an End-User is not already Authenticated or could not be silently
    // Authenticated." (OIDC Core §3.1.2.3)
    match step {
        // "the server SHOULD respond successfully when possible, even if it is not present." (OIDC Core §3.1.2.1)
        Step::Beside(_) | Step::Respond(_) => Ok(step),
        Step::Login | Step::Prove { .. } | Step::SignUp => Err(Error::LoginRequired),
        Step::OfferMore(_) | Step::ProveMore(_) => Err(Error::AcrUnmet),
        // "If it cannot obtain an account selection choice made by the End-User, it MUST return an error, typically
        // "account_selection_required"." (OIDC Core §3.1.2.1)
        Step::SelectAccount => Err(Error::SelectionRequired),
        // "If it cannot obtain consent, it MUST return an error, typically "consent_required"." (OIDC Core §3.1.2.1)
        Step::Consent { .. } => Err(Error::ConsentRequired),
    }
}

fn step(request: &AuthorizationRequest, situation: Situation<'_>) -> Result<Step, Error> {
    let live = situation.session.filter(|(session, user)| {
        session.is_live(situation.lifetimes, situation.now) && session.user_id == user.id && !user.disabled
    });
    // "A value of create indicates to the OpenID Provider that the client desires that the user be shown the account creation UX
    // rather than the login flow." (OIDC Prompt Create §4)
    let enter = if request.prompt.create { Step::SignUp } else { Step::Login };
    // "The Authorization Server MUST attempt to Authenticate the End-User in the following cases:" (OIDC Core §3.1.2.3)
    let Some((session, user)) = live else { return Ok(enter) };
    // What was chosen, proved or allowed as one person is never answered for another one, who has come into use meanwhile.
    if request.started.selected.is_some_and(|selected| selected != user.id) {
        return Ok(Step::SelectAccount);
    }
    // What the person did after the request had started answers it, for a while.
    let signed_in_for_this = is_signed_in_for(request, session, situation);
    if !signed_in_for_this {
        // "the Authorization Server MUST reauthenticate the End-User even if the End-User is already authenticated."
        // (OIDC Core §3.1.2.3)
        if request.prompt.create {
            return Ok(enter);
        }
        // "The Authorization Server SHOULD prompt the End-User for reauthentication." (OIDC Core §3.1.2.1)
        if request.prompt.login || too_old(request, session, situation) {
            return Ok(Step::Login);
        }
        // "The Authorization Server SHOULD prompt the End-User to select a user account." (OIDC Core §3.1.2.1)
        let is_unchosen = request.started.selected.is_none();
        if request.prompt.select_account && is_unchosen {
            return Ok(Step::SelectAccount);
        }
        // "Hint to the Authorization Server about the login identifier the End-User might use to log in" (OIDC Core §3.1.2.1): where
        // it is nobody's who is in use, the person says who it shall be. Without a page it stays a hint.
        if is_unchosen && !request.prompt.none && request.hints_at_another_than(situation.subjects, user) {
            return Ok(Step::SelectAccount);
        }
    }
    // "If the End-User identified by the ID Token is already logged in or is logged in as a result of the request ..., then
    // the Authorization Server returns a positive response; otherwise, it MUST return an error, such as "login_required"."
    // (OIDC Core §3.1.2.1)
    // The person is named as this app knows them.
    // "If the "sub" (subject) Claim is requested with a specific value for the ID Token, the Authorization Server MUST only
    // send a positive response if the End-User identified by that "sub" value has an active session with the Authorization
    // Server or has been Authenticated as a result of the request. The Authorization Server MUST NOT reply with an ID Token
    // or Access Token for a different user, even if they have an active session with the Authorization Server."
    // (OIDC Core §3.1.2.2)
    // "If the Claim was "sub", a mismatch MUST cause the authentication to fail, as described in Section 3.1.2.2."
    // (OIDC Core §5.5.1)
    let known = subject::of(situation.subjects, &request.client, user);
    let hinted = request.subject.as_ref().is_none_or(|subject| *subject == known);
    if !hinted || !request.claims.accepts_subject(&known) {
        return if signed_in_for_this { Err(Error::HintMismatch) } else { Ok(Step::Login) };
    }
    // "If this is an Essential Claim and the requirement cannot be met, then the Authorization Server MUST treat that outcome as a
    // failed authentication attempt." (OIDC Core §5.5.1.1)
    let asked = (&request.claims, request.client.metadata.least_level);
    match level::need(asked, session.level(), situation.reachable) {
        Need::Nothing => {
            if let Some(level) = offered(request, session) {
                return Ok(Step::OfferMore(level));
            }
        }
        // A wish is left where nobody may be asked.
        Need::Raise(_) if request.prompt.none && level::need(asked, session.level(), None) == Need::Nothing => {}
        // So it is where its person has chosen to go on without.
        Need::Raise(_) if request.started.declined && may_decline(request, session, situation) => {}
        Need::Raise(_) => return Ok(Step::Prove { may_decline: may_decline(request, session, situation) }),
        // Also where it is a password: another sign-in by the same way would bring the person here again.
        Need::Beyond(level) => return Ok(Step::ProveMore(level)),
    }
    // Nothing that was asked for is this person's to give.
    if request.scope.is_empty() {
        return Err(Error::ScopeNotAllowed);
    }
    Ok(consent_step(request, situation.consent))
}

/// Whether a person who can prove more may go on with the session that there is: where more is wished for and not needed, and the
/// session is none that the app had begun anew, which shall be as good as the app wishes.
fn may_decline(request: &AuthorizationRequest, session: &Session, situation: Situation<'_>) -> bool {
    let is_anew = request.asks_when() && is_signed_in_for(request, session, situation);
    !is_anew && level::is_wish((&request.claims, request.client.metadata.least_level), session.level())
}

/// The level that the person is told of: one that they have not reached, and have not declined.
fn offered(request: &AuthorizationRequest, session: &Session) -> Option<Level> {
    request.offered.filter(|level| session.level() < *level && !request.started.declined && !request.prompt.none)
}

/// Whether the person has signed in after the request had started, and so to answer it.
pub(super) fn is_signed_in_for(request: &AuthorizationRequest, session: &Session, situation: Situation<'_>) -> bool {
    let answers = |at: Time| at >= request.started.at && situation.now.since(at) < ANSWER_COUNTS_FOR;
    request.started.resumed && proved_at(request, session, situation).is_some_and(answers)
}

/// When the person proved who they are, for this request. Where it asks when that was, nobody has proved it by an upstream that tells no
/// time: whoever finds a browser open that is signed in there comes back from it without a question.
fn proved_at(request: &AuthorizationRequest, session: &Session, situation: Situation<'_>) -> Option<Time> {
    session.proved_at(situation.origin.filter(|_| request.asks_when()))
}

fn too_old(request: &AuthorizationRequest, session: &Session, situation: Situation<'_>) -> bool {
    // "If the elapsed time is greater than this value, the OP MUST attempt to actively re-authenticate the End-User. ...
    // Note that "max_age=0" is equivalent to "prompt=login"." (OIDC Core §3.1.2.1)
    // "OPs MUST support enforcing a maximum authentication age via the "max_age" parameter, as defined in Section 3.1.2."
    // (OIDC Core §15.1)
    let proved_at = proved_at(request, session, situation);
    let is_over = |seconds| proved_at.is_none_or(|at| situation.now.since(at) > Duration::from_secs(seconds));
    request.max_age.is_some_and(|max_age| max_age == 0 || is_over(max_age))
}

// "Once the End-User is authenticated, the Authorization Server MUST obtain an authorization decision before releasing
// information to the Relying Party." (OIDC Core §3.1.2.4)
fn consent_step(request: &AuthorizationRequest, consent: Option<&Consent>) -> Step {
    // "When offline access is requested, a "prompt" parameter value of "consent" MUST be used unless other conditions for
    // processing the request permitting offline access to the requested resources are in place. The OP MUST always obtain consent
    // to returning a Refresh Token that enables offline access to the requested resources." (OIDC Core §11)
    // "MUST ensure that the prompt parameter contains "consent" unless other conditions for processing the request permitting
    // offline access to the requested resources are in place; unless one or both of these conditions are fulfilled, then it MUST
    // ignore the "offline_access" request, ... MUST explicitly receive or have consent for offline access when the registered
    // "application_type" is "web", ... SHOULD explicitly receive or have consent for offline access when the registered
    // "application_type" is "native"." (OIDC Core §11): that consent is kept, and counts, or an administrator has given it for
    // everybody.
    // "unless the identity of the client can be proven, the request SHOULD be processed as if no previous request had been
    // approved." (RFC 8252 §8.6)
    let may_be_another = request.client.may_be_another(request.redirect_uri.as_str());
    if request.asks_nobody() {
        return Step::Respond(Approved { scope: request.scope.clone(), answered_at: None });
    }
    let answered_for_this =
        request.started.resumed && consent.is_some_and(|consent| consent.updated_at >= request.started.at);
    // "Note that even if the Claims are not available because the End-User did not authorize their release or they are not present,
    // the Authorization Server MUST NOT generate an error when Claims are not returned, whether they are Essential or Voluntary,
    // unless otherwise specified in the description of the specific claim." (OIDC Core §5.5.1): where nobody may be asked, a scope
    // that is there for such a claim alone is left out, unless the person has allowed it before.
    let is_left = |scope: &str| request.prompt.none && request.scopes_of_claims.contains(scope);
    let unanswered = Consent::unanswered(consent, &request.scope).filter(|scope| !is_left(scope));
    let granted = consent.map(|consent| request.scope.intersection(&consent.granted)).unwrap_or_default();
    let ask_again = (request.prompt.consent || may_be_another) && !answered_for_this;
    if ask_again || !unanswered.is_empty() || granted.is_empty() {
        Step::Consent { unanswered }
    } else {
        Step::Respond(Approved { scope: granted, answered_at: consent.map(|consent| consent.updated_at) })
    }
}

#[cfg(test)]
mod tests;
