//! `refresh_token`: the app keeps its access without asking the person again, and each token is good once.
//!
//! One row is the whole family. The successor's secret is a keyed hash of the presented one, so:
//! * the row needs only the current hash, and nothing is kept in the clear;
//! * a token presented a second time within the grace window gives the very successor that the lost answer held;
//! * an older token can be proved genuine by deriving forward, and only a genuine one ends the family: a guess cannot.

use grantor_jose::mac::MacKey;
use grantor_jose::secret::Secret;
use oxide_auth::code_grant::refresh::{Input, Output, Refresh};
use oxide_auth::primitives::grant::Extensions;

use super::{Redeemed, Request};
use crate::audience::About;
use crate::audit::{Event, EventKind};
use crate::change::Change;
use crate::consent::{self, Consent};
use crate::error::{Decision, Error, Refusal};
use crate::fault::{Fault, seeded};
use crate::grant::{Grant, GrantEnd, OFFLINE_ACCESS, RefreshToken};
use crate::kernel;
use crate::policy::Lifetimes;
use crate::provider::{Call, Fresh, Provider};
use crate::scope::Scope;
use crate::session::Session;
use crate::store::{RefreshTokenFacts, Store};
use crate::time::Time;
use crate::token;
use crate::user::User;

/// How many rotations back a token is recognised; older ones are unknown.
const MAX_LOOK_BACK: u32 = 1000;

/// What the decision is taken by.
pub(crate) struct Facts {
    pub(crate) presented: Secret,
    pub(crate) row: RefreshToken,
    pub(crate) grant: Grant,
    pub(crate) user: User,
    /// The session that the grant hangs on, as it is now.
    pub(crate) session: Option<Session>,
    /// What the person allows the app now.
    pub(crate) consent: Option<Consent>,
    pub(crate) access: Fresh,
    pub(crate) address: String,
}

/// Which generation a presented secret is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Generation {
    Current,
    Previous,
    Older,
}

impl Generation {
    /// Whether it gives tokens: the current one, and for a while the one before, whose answer may have been lost.
    pub(crate) fn is_good(self, row: &RefreshToken, lifetimes: &Lifetimes, now: Time) -> bool {
        match self {
            Self::Current => true,
            Self::Previous => {
                now.since(row.rotated_at) < lifetimes.refresh_token_grace || seeded(Fault::GraceWithoutEnd)
            }
            Self::Older => false,
        }
    }
}

/// Loads the family and decides.
pub(crate) async fn redeem<S: Store>(
    provider: &Provider<S>,
    request: &Request<'_>,
    call: Call<'_>,
) -> Result<Decision<Redeemed>, Refusal> {
    let presented = request.params.required("refresh_token")?;
    let (grant_id, presented) = token::REFRESH.parse(presented).ok_or(Error::RefreshTokenUnknown)?;
    let found =
        provider.store.refresh_token_find(grant_id).await.map_err(Error::from)?.ok_or(Error::RefreshTokenUnknown)?;
    let RefreshTokenFacts { token: row, grant, user, session, consent } = found;
    let (access, address) = (provider.fresh(call.now), call.address.to_owned());
    decide(request, Facts { presented, row, grant, user, session, consent, access, address })
}

/// Decides whether a refresh token gives new tokens.
pub(crate) fn decide(request: &Request<'_>, facts: Facts) -> Result<Decision<Redeemed>, Refusal> {
    let Facts { presented, row, grant, user, session, consent, access, address } = facts;
    let lifetimes = &request.about.policy.lifetimes;
    let rotation = &request.directory.secrets.rotation;
    let generation = generation(&presented, &row, rotation).ok_or(Error::RefreshTokenUnknown)?;
    // "the authorization server MUST ... ensure that the refresh token was issued to the authenticated client" (RFC 6749 §6)
    // "The Authorization Server MUST validate the Refresh Token, MUST verify that it was issued to the Client, and must
    // verify that the Client successfully authenticated it has a Client Authentication method." (OIDC Core §12.1)
    if grant.client_id != request.client.client_id && !seeded(Fault::AnyClientRefreshes) {
        return Err(Error::RefreshTokenClientMismatch.into());
    }
    if grant.ended.is_some() && !seeded(Fault::EndedGrantRefreshes) {
        return Err(Error::GrantEnded.into());
    }
    // "If a refresh token is compromised and subsequently used by both the attacker and the legitimate client, one of them
    // will present an invalidated refresh token, which will inform the authorization server of the breach." (RFC 6749 §10.4)
    if !generation.is_good(&row, lifetimes, request.now) && !seeded(Fault::ReuseUnnoticed) {
        return Err(reused(&grant, &access, &address, request.now));
    }
    let family = Family { row: &row, grant: &grant, user: &user, session, consent };
    let InForce { scope: allowed, .. } = in_force(&request.about, family, request.now)?;
    let scope = run_kernel(request, &grant, &user)?.intersection(&allowed);
    let target = request.target(&scope, &grant.context.resources)?;
    if target.scope.is_empty() {
        return Err(
            if request.params.get("scope").is_some() { Error::ScopeNotAllowed } else { Error::GrantEnded }.into()
        );
    }
    let successor = presented.successor(rotation);
    let refresh_token = Some(token::REFRESH.format(grant.id, &successor));
    let mut changes: Vec<Change> = request.access_token_row(&target, &access, Some(grant.id)).into_iter().collect();
    if generation == Generation::Current {
        changes.push(Change::RefreshTokenRotate {
            grant_id: grant.id,
            generation: row.generation,
            successor: successor.hash(),
            at: request.now,
            idle_expires_at: request.now.plus(lifetimes.refresh_token_idle),
        });
    }
    // "it SHOULD NOT have a "nonce" Claim, even when the ID Token issued at the time of the original authentication
    // contained "nonce"; however, if it is present, its value MUST be the same as in the ID Token issued at the time of the
    // original authentication, and" (OIDC Core §12.2)
    let reply = Redeemed { target, approval: Some((grant, user)), api_token: None, access, refresh_token, nonce: None };
    Ok(Decision { changes, reply })
}

/// A refresh token's row and what it hangs on.
pub(crate) struct Family<'a> {
    pub(crate) row: &'a RefreshToken,
    pub(crate) grant: &'a Grant,
    pub(crate) user: &'a User,
    /// The session that the grant hangs on, as it is now.
    pub(crate) session: Option<Session>,
    /// What the person allows the app now.
    pub(crate) consent: Option<Consent>,
}

/// What a grant gives now.
#[derive(Debug)]
pub(crate) struct InForce {
    pub(crate) scope: Scope,
    /// When its current refresh token ends, unless it is used before.
    pub(crate) until: Time,
}

/// What a grant that has not ended gives now; an error where its refresh token gives nothing any more.
pub(crate) fn in_force(about: &About<'_>, family: Family<'_>, now: Time) -> Result<InForce, Error> {
    let Family { row, grant, user, session, consent } = family;
    let mut until = row.idle_expires_at.min(row.absolute_expires_at);
    if now >= until {
        return Err(Error::RefreshTokenExpired);
    }
    if user.disabled && !seeded(Fault::DisabledUserRefreshes) {
        return Err(Error::UserDisabled);
    }
    let scope = consent::still_allowed((about.directory, about.client, user), &grant.scope, consent.as_ref())?;
    // Without offline_access, access lasts while the person is signed in: until they sign out, at most as long as a sign-in may,
    // and idle at most as long. What an administrator has taken from the app for a while counts again when it is given back.
    if !scope.contains(OFFLINE_ACCESS) {
        let ends_at = session.and_then(|session| session.ends_at(session.used_at(row), &about.policy.lifetimes));
        until = until.min(ends_at.filter(|ends_at| now < *ends_at).ok_or(Error::GrantEnded)?);
    }
    if scope.is_empty() { Err(Error::GrantEnded) } else { Ok(InForce { scope, until }) }
}

/// Finds out which generation `presented` is of; `None` when it never belonged to the family.
pub(crate) fn generation(presented: &Secret, row: &RefreshToken, rotation: &MacKey) -> Option<Generation> {
    if row.secret.matches(presented) {
        return Some(Generation::Current);
    }
    let mut derived = presented.successor(rotation);
    for step in 1..=row.generation.min(MAX_LOOK_BACK) {
        if row.secret.matches(&derived) {
            return Some(if step == 1 { Generation::Previous } else { Generation::Older });
        }
        derived = derived.successor(rotation);
    }
    None
}

/// Runs oxide-auth's machine to the point where it asks to refresh; returns the scope, never wider than approved.
fn run_kernel(request: &Request<'_>, grant: &Grant, user: &User) -> Result<Scope, Error> {
    let asked: Option<Scope> = request.params.get("scope").map(str::parse).transpose()?;
    // "The requested scope MUST NOT include any scope not originally granted by the resource owner" (RFC 6749 §6)
    if asked.as_ref().is_some_and(|asked| !asked.is_subset(&grant.scope)) && !seeded(Fault::ScopeWidened) {
        return Err(Error::ScopeWidened);
    }
    let view = kernel::Request {
        params: request.params,
        client_id: &request.client.client_id,
        redirect_uri: None,
        scope: asked.as_ref().map(Scope::as_str),
    };
    let mut machine = Refresh::new(&view);
    let mut input = Input::None;
    loop {
        input = match machine.advance(input) {
            Output::Unauthenticated { .. } => Input::Authenticated { scope: None },
            Output::RecoverRefresh { .. } => Input::Recovered {
                scope: view.scope.map(std::borrow::Cow::Borrowed),
                grant: Some(kernel::grant(kernel::Kept {
                    owner: &user.subject,
                    client_id: &grant.client_id,
                    scope: &grant.scope,
                    redirect_uri: kernel::NO_ADDRESS,
                    in_force: grant.ended.is_none(),
                    extensions: Extensions::new(),
                })?),
            },
            Output::Refresh { grant, .. } => return Ok(kernel::own_scope(&grant.scope)),
            Output::Ok(_) | Output::Err(_) => return Err(Error::ScopeWidened),
        };
    }
}

fn reused(grant: &Grant, fresh: &Fresh, address: &str, now: Time) -> Refusal {
    let end = GrantEnd::RefreshTokenReused;
    let event = Event::new(fresh.id, now, EventKind::GrantEnded)
        .reason(end.as_str())
        .client(&grant.client_id)
        .user(grant.user_id)
        .address(address);
    Refusal {
        error: Error::RefreshTokenReused,
        changes: vec![Change::GrantEnd { id: grant.id, at: now, end }, Change::EventInsert(Box::new(event))],
    }
}

#[cfg(test)]
mod tests;
