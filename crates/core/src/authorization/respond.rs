//! Answers of the authorization endpoint: a code, or an error, to a proven address.

use super::{AuthorizationRequest, ResponseMode};
use crate::change::Change;
use crate::error::{Decision, Error};
use crate::grant::{AuthorizationCode, OidcContext};
use crate::policy::Lifetimes;
use crate::provider::{Fresh, Issuer};
use crate::redirect_uri::ValidRedirectUri;
use crate::scope::Scope;
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
        let address = self.redirect_uri.with_query(self.params.iter().map(|(name, value)| (*name, value.as_str())));
        // "servers MAY prevent browsers from reattaching fragments to redirection URLs by attaching an arbitrary fragment
        // identifier, for example #_, to URLs in Location headers." (RFC 9700 §4.1.3)
        format!("{address}#_")
    }
}

/// Makes the code that an approval of `granted` gives.
pub fn respond(
    request: &AuthorizationRequest,
    granted: Scope,
    session: &Session,
    (issuer, lifetimes): (&Issuer, &Lifetimes),
    (fresh, now): (Fresh, Time),
) -> Decision<Answer> {
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
        scope: granted,
        context: OidcContext {
            nonce: request.nonce.clone(),
            auth_time: session.auth_time,
            acr: session.acr.clone(),
            amr: session.amr.clone(),
            sid: Some(session.id),
            claims: request.claims.clone(),
            claims_locales: request.claims_locales.clone(),
            resources: request.resources.clone(),
            max_age_asked: request.max_age.is_some(),
        },
        expires_at: now.plus(lifetimes.authorization_code),
        spent_at: None,
    };
    let mut changes = vec![Change::CodeInsert(Box::new(row))];
    if session.is_stale(now) {
        changes.push(Change::SessionSeen { id: session.id, at: now });
    }
    let to = (&request.redirect_uri, request.response_mode, request.state.as_deref());
    Decision { changes, reply: answer(issuer, to, vec![("code", code)]) }
}

/// Makes the answer that says no.
pub fn refuse(request: &AuthorizationRequest, issuer: &Issuer, error: &Error) -> Answer {
    refuse_at(issuer, (&request.redirect_uri, request.response_mode, request.state.as_deref()), error)
}

type To<'a> = (&'a ValidRedirectUri, ResponseMode, Option<&'a str>);

pub(super) fn refuse_at(issuer: &Issuer, to: To<'_>, error: &Error) -> Answer {
    let told = error.told();
    answer(issuer, to, vec![("error", told.code.to_owned()), ("error_description", told.description.to_owned())])
}

fn answer(issuer: &Issuer, (redirect_uri, mode, state): To<'_>, mut params: Vec<(&'static str, String)>) -> Answer {
    // "REQUIRED if the "state" parameter was present in the client authorization request. The exact value received from the
    // client." (RFC 6749 §4.1.2)
    if let Some(state) = state {
        params.push(("state", state.to_owned()));
    }
    // "In authorization responses to the client, including error responses, an authorization server supporting this
    // specification MUST indicate its identity by including the iss parameter in the response." (RFC 9207 §2)
    params.push(("iss", issuer.as_str().to_owned()));
    Answer { redirect_uri: redirect_uri.clone(), mode, params }
}
