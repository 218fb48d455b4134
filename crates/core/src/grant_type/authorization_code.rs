//! `authorization_code`: the app brings the code that the browser carried, and shows that it is the app that asked.
//!
//! The code's row *is* the lock: spending it expects exactly one unspent row, in the same commit that makes the grant. Who
//! loses the race reads a spent code and is answered as any replay: the grant, which has the code's id, ends.

use oxide_auth::code_grant::accesstoken::{AccessToken, Input, Output};
use oxide_auth::primitives::grant::Extensions;

use super::{Redeemed, Request};
use crate::audit::{Event, EventKind};
use crate::change::Change;
use crate::client::Trust;
use crate::consent::Consent;
use crate::error::{Decision, Error, Refusal};
use crate::fault::{Fault, seeded};
use crate::grant::{AuthorizationCode, Grant, GrantEnd, RefreshToken};
use crate::grant_type::GrantType;
use crate::kernel;
use crate::pkce;
use crate::provider::{Call, Fresh, Provider};
use crate::scope::Scope;
use crate::store::Store;
use crate::time::Time;
use crate::token;
use crate::user::User;

/// What the decision is taken by.
pub(crate) struct Facts {
    pub(crate) code: AuthorizationCode,
    pub(crate) user: User,
    /// Whether the session in which the code was given has ended.
    pub(crate) session_ended: bool,
    /// Whether the grant of a code that is spent has ended already.
    pub(crate) grant_ended: bool,
    /// What the person allows the app now.
    pub(crate) consent: Option<Consent>,
    pub(crate) access: Fresh,
    /// The refresh token's secret, and the identifier of the event that a replay writes.
    pub(crate) refresh: Fresh,
    /// The address the request came from, for that event.
    pub(crate) address: String,
}

/// Loads the code and decides.
pub(crate) async fn redeem<S: Store>(
    provider: &Provider<S>,
    request: &Request<'_>,
    call: Call<'_>,
) -> Result<Decision<Redeemed>, Refusal> {
    let presented = request.params.required("code")?;
    let (id, secret) = token::CODE.parse(presented).ok_or(Error::CodeUnknown)?;
    let found = provider.store.code_find(id).await.map_err(Error::from)?.ok_or(Error::CodeUnknown)?;
    if !found.code.secret.matches(&secret) {
        return Err(Error::CodeUnknown.into());
    }
    let facts = Facts {
        session_ended: found.session.is_none_or(|session| session.ended_at.is_some()),
        grant_ended: found.code.spent_at.is_some() && found.grant.is_none_or(|grant| grant.ended.is_some()),
        code: found.code,
        user: found.user,
        consent: found.consent,
        access: provider.fresh(call.now),
        refresh: provider.fresh(call.now),
        address: call.address.to_owned(),
    };
    decide(request, facts)
}

/// Decides whether a code becomes a grant.
pub(crate) fn decide(request: &Request<'_>, facts: Facts) -> Result<Decision<Redeemed>, Refusal> {
    let Facts { code, user, session_ended, grant_ended, consent, access, refresh, address } = facts;
    // "ensure that the authorization code was issued to the authenticated confidential client, or if the client is public,
    // ensure that the code was issued to "client_id" in the request" (RFC 6749 §4.1.3)
    if code.client_id != request.client.client_id && !seeded(Fault::AnyClientRedeems) {
        return Err(Error::CodeClientMismatch.into());
    }
    // "If an authorization code is used more than once, the authorization server MUST deny the request and SHOULD revoke
    // (when possible) all tokens previously issued based on that authorization code." (RFC 6749 §4.1.2)
    if code.spent_at.is_some() && !seeded(Fault::ReplayUnnoticed) {
        // A replay is noted once, when it ends something.
        if grant_ended {
            return Err(Error::CodeReplayed.into());
        }
        return Err(replayed(&code, &refresh, &address, request.now));
    }
    // "The authorization code MUST expire shortly after it is issued to mitigate the risk of leaks." (RFC 6749 §4.1.2)
    if request.now >= code.expires_at {
        return Err(Error::CodeExpired.into());
    }
    check_redirect_uri(request, &code)?;
    check_client(request, &code)?;
    // A session also ends when a password is changed or an account is taken from somebody: a code from before then, even
    // one for offline access, gives nothing any more.
    if session_ended {
        return Err(Error::GrantEnded.into());
    }
    if user.disabled && !seeded(Fault::DisabledUserRedeems) {
        return Err(Error::UserDisabled.into());
    }
    // What the person took back since the code was issued counts for it as for a grant.
    let allows = |consent: &Consent| code.scope.is_subset(&consent.granted);
    let asks_nobody = request.client.asks_nobody(&code.redirect_uri, &code.scope);
    if !asks_nobody && !consent.as_ref().is_some_and(allows) && !seeded(Fault::ConsentUnchecked) {
        return Err(Error::ConsentWithdrawn.into());
    }
    let scope = run_kernel(request, &code, &user)?.filter(|scope| request.directory.may_have(&user, scope));
    let target = request.target(&scope, &code.context.resources)?;
    if scope.is_empty() || target.scope.is_empty() {
        return Err(Error::GrantEnded.into());
    }
    let grant = Grant {
        id: code.id,
        client_id: code.client_id,
        user_id: code.user_id,
        session_id: code.session_id,
        scope,
        context: code.context,
        created_at: request.now,
        ended: None,
    };
    // What was read must still hold when the grant is made: signing out and taking access back end the grants that are there.
    let mut changes =
        vec![Change::CodeSpend { id: code.id, at: request.now }, Change::SessionExpect { id: code.session_id }];
    changes.extend(consent.filter(|_| !asks_nobody).map(expect));
    changes.extend(request.client.expectation());
    changes.push(Change::GrantInsert(Box::new(grant.clone())));
    changes.extend(request.access_token_row(&target, &access, Some(grant.id)));
    let refresh_token = request.client.allows(GrantType::RefreshToken).then(|| {
        changes.push(Change::RefreshTokenInsert(Box::new(first_refresh_token(request, &grant, &refresh))));
        token::REFRESH.format(grant.id, &refresh.secret)
    });
    let nonce = grant.context.nonce.clone();
    Ok(Decision {
        changes,
        reply: Redeemed { target, approval: Some((grant, user)), api_token: None, access, refresh_token, nonce },
    })
}

fn expect(consent: Consent) -> Change {
    Change::ConsentExpect { user_id: consent.user_id, client_id: consent.client_id, updated_at: consent.updated_at }
}

fn check_redirect_uri(request: &Request<'_>, code: &AuthorizationCode) -> Result<(), Error> {
    // "ensure that the "redirect_uri" parameter is present if the "redirect_uri" parameter was included in the initial
    // authorization request as described in Section 4.1.1, and if included ensure that their values are identical."
    // (RFC 6749 §4.1.3)
    match request.params.get("redirect_uri") {
        Some(sent) if sent == code.redirect_uri => Ok(()),
        // Laxer than RFC 6749 §4.1.3: because PKCE binds the code to the request, its redirect_uri need not be named again, as
        // OAuth 2.1 has it.
        None if !code.redirect_uri_sent || code.code_challenge.is_some() => Ok(()),
        _ => Err(Error::CodeRedirectUriMismatch),
    }
}

/// What the person allowed was for the app as it was then: where it has changed itself since, it asks again. One that administrators
/// change keeps its codes, but for those of addresses that are not its own any more.
fn check_client(request: &Request<'_>, code: &AuthorizationCode) -> Result<(), Error> {
    let issued_at = Time::from_millis(code.id.created_ms());
    let is_changed = request.client.trust == Trust::SelfRegistered && request.client.updated_at > issued_at;
    if is_changed || request.client.redirect_uri(Some(&code.redirect_uri)).is_err() {
        return Err(Error::CodeExpired);
    }
    Ok(())
}

/// Runs oxide-auth's machine to the point where it asks to issue; returns the approved scope.
fn run_kernel(request: &Request<'_>, code: &AuthorizationCode, user: &User) -> Result<Scope, Error> {
    let view = kernel::Request {
        params: request.params,
        client_id: &request.client.client_id,
        redirect_uri: Some(&code.redirect_uri),
        scope: None,
    };
    let mut machine = AccessToken::new(&view);
    let mut input = Input::None;
    loop {
        input = match machine.advance(input) {
            // The client is authenticated before any grant is looked at.
            Output::Authenticate { .. } => Input::Authenticated,
            Output::Recover { .. } => Input::Recovered(Some(kernel::grant(kernel::Kept {
                owner: &user.subject,
                client_id: &code.client_id,
                scope: &code.scope,
                redirect_uri: &code.redirect_uri,
                in_force: request.now < code.expires_at,
                extensions: Extensions::new(),
            })?)),
            Output::Extend { .. } => {
                pkce::verify(code.code_challenge.as_ref(), request.params.get("code_verifier"))?;
                Input::Extended { access_extensions: Extensions::new() }
            }
            Output::Issue { grant } => return Ok(kernel::own_scope(&grant.scope)),
            Output::Ok(_) | Output::Err(_) => return Err(Error::CodeUnknown),
        };
    }
}

fn first_refresh_token(request: &Request<'_>, grant: &Grant, refresh: &Fresh) -> RefreshToken {
    let lifetimes = &request.about.policy.lifetimes;
    let absolute = request.now.plus(lifetimes.refresh_token_absolute);
    // What people are told when they approve: without `offline_access`, access lasts no longer than the sign-in may.
    let session = grant.context.auth_time.plus(lifetimes.session_absolute);
    RefreshToken {
        grant_id: grant.id,
        generation: 0,
        secret: refresh.secret.hash(),
        rotated_at: request.now,
        idle_expires_at: request.now.plus(lifetimes.refresh_token_idle),
        absolute_expires_at: if grant.is_offline() { absolute } else { absolute.min(session) },
    }
}

fn replayed(code: &AuthorizationCode, fresh: &Fresh, address: &str, now: Time) -> Refusal {
    let end = GrantEnd::CodeReplayed;
    let event = Event::new(fresh.id, now, EventKind::GrantEnded)
        .reason(end.as_str())
        .client(&code.client_id)
        .user(code.user_id)
        .address(address);
    Refusal {
        error: Error::CodeReplayed,
        changes: vec![Change::GrantEnd { id: code.id, at: now, end }, Change::EventInsert(Box::new(event))],
    }
}

#[cfg(test)]
mod tests;
