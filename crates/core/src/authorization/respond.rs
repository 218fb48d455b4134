//! Answers of the authorization endpoint, to a proven address: the code, and errors.

use super::{Approved, AuthorizationRequest, ResponseMode};
use crate::change::Change;
use crate::error::{Decision, Error};
use crate::grant::{AuthorizationCode, OidcContext};
use crate::level;
use crate::policy::Lifetimes;
use crate::provider::{Fresh, Issuer};
use crate::redirect_uri::ValidRedirectUri;
use crate::session::Session;
use crate::time::Time;
use crate::token;

/// An answer on its way to an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Where it goes.
    pub redirect_uri: ValidRedirectUri,
    /// How it travels.
    pub mode: ResponseMode,
    /// Its parameters, in order.
    pub params: Vec<(&'static str, String)>,
}

impl Answer {
    /// The address for a redirect.
    pub fn location(&self) -> String {
        let params = self.params.iter().map(|(name, value)| (*name, value.as_str()));
        if self.mode == ResponseMode::Fragment {
            return self.redirect_uri.with_fragment(params);
        }
        // "When using the Authorization Code Flow, the Authorization Response MUST return the parameters defined in Section
        // 4.1.2 of OAuth 2.0 [RFC6749] by adding them as query parameters to the "redirect_uri" specified in the
        // Authorization Request using the "application/x-www-form-urlencoded" format, unless a different Response Mode was
        // specified." (OIDC Core §3.1.2.5)
        let address = self.redirect_uri.with_query(params);
        // "servers MAY prevent browsers from reattaching fragments to redirection URLs by attaching an arbitrary fragment
        // identifier, for example #_, to URLs in Location headers." (RFC 9700 §4.1.3)
        format!("{address}#_")
    }
}

/// Makes the code that an approval gives.
pub fn respond(
    request: &AuthorizationRequest,
    approved: &Approved,
    session: &Session,
    (issuer, lifetimes): (&Issuer, &Lifetimes),
    fresh: (Fresh, Time),
) -> Decision<Answer> {
    let mut changes = seen(session, fresh.1);
    let (change, code) = make_code(request, approved, session, lifetimes, fresh);
    changes.insert(0, change);
    Decision { changes, reply: reply(request, issuer, vec![("code", code)]) }
}

/// Makes a code: what is kept of it, and its text.
pub(super) fn make_code(
    request: &AuthorizationRequest,
    approved: &Approved,
    session: &Session,
    lifetimes: &Lifetimes,
    (fresh, now): (Fresh, Time),
) -> (Change, String) {
    let code = token::CODE.format(fresh.id, &fresh.secret);
    let row = AuthorizationCode {
        id: fresh.id,
        secret: fresh.secret.hash(),
        client_id: request.client.client_id.clone(),
        user_id: session.user_id,
        session_id: session.id,
        redirect_uri: request.redirect_uri.as_str().to_owned(),
        redirect_uri_sent: request.redirect_uri_sent,
        code_challenge: request.code_challenge.clone(),
        scope: approved.scope().clone(),
        context: context(request, session),
        // "To mitigate this threat, the token SHOULD include a timestamp and a short validity lifetime." (OIDC Core §16.9)
        expires_at: now.plus(lifetimes.authorization_code),
        spent_at: None,
    };
    (Change::CodeInsert(Box::new(row)), code)
}

/// What an approval in this session carries beside client, person and scope.
pub(super) fn context(request: &AuthorizationRequest, session: &Session) -> OidcContext {
    // "All Claims about the Authentication event present in either SHOULD be present in both." (OIDC Core §3.3.3.6)
    OidcContext {
        nonce: request.nonce.clone(),
        auth_time: session.auth_time,
        acr: level::told(&request.claims, session),
        amr: session.amr.clone(),
        sid: Some(session.id),
        claims: request.claims.clone(),
        scopes_of_claims: request.scopes_of_claims.clone(),
        claims_locales: request.claims_locales.clone(),
        resources: request.resources.clone(),
        max_age_asked: request.max_age.is_some(),
    }
}

/// Each approval is a use of its session, noted now and then.
pub(super) fn seen(session: &Session, now: Time) -> Vec<Change> {
    let is_stale = session.is_stale(now);
    is_stale.then_some(Change::SessionSeen { id: session.id, at: now }).into_iter().collect()
}

/// Makes the answer that holds `params`.
pub(super) fn reply(request: &AuthorizationRequest, issuer: &Issuer, params: Vec<(&'static str, String)>) -> Answer {
    answer(issuer, (&request.redirect_uri, request.response_mode, request.state.as_deref()), params)
}

/// Makes the answer that says no.
pub fn refuse(request: &AuthorizationRequest, issuer: &Issuer, error: &Error) -> Answer {
    refuse_at(issuer, (&request.redirect_uri, request.response_mode, request.state.as_deref()), error)
}

type To<'a> = (&'a ValidRedirectUri, ResponseMode, Option<&'a str>);

pub(super) fn refuse_at(issuer: &Issuer, to: To<'_>, error: &Error) -> Answer {
    let told = error.told();
    // "error REQUIRED." (OIDC Core §3.1.2.6)
    answer(issuer, to, vec![("error", told.code.to_owned()), ("error_description", told.description.to_owned())])
}

fn answer(issuer: &Issuer, (redirect_uri, mode, state): To<'_>, mut params: Vec<(&'static str, String)>) -> Answer {
    // "REQUIRED if the "state" parameter was present in the client authorization request. The exact value received from the
    // client." (RFC 6749 §4.1.2)
    // "REQUIRED if the Authorization Request included the "state" parameter." (OIDC Core §3.1.2.6)
    // "REQUIRED if the "state" parameter is present in the Authorization Request." (OIDC Core §3.2.2.5)
    if let Some(state) = state {
        params.push(("state", state.to_owned()));
    }
    // "In authorization responses to the client, including error responses, an authorization server supporting this
    // specification MUST indicate its identity by including the iss parameter in the response." (RFC 9207 §2)
    params.push(("iss", issuer.as_str().to_owned()));
    Answer { redirect_uri: redirect_uri.clone(), mode, params }
}
