//! Answers that carry tokens through the browser: the implicit and the hybrid flow (OIDC Core §3.2 and §3.3).
//!
//! What the browser is given hangs on a grant of its own, which is kept before anything is signed: so that a sign-out, a
//! revocation and the person's page of apps know each token, and each app that took part in the session. It never has a refresh
//! token, and never outlives the session. The code of a hybrid answer becomes another grant, when it is redeemed.

use std::sync::Arc;
use std::time::Duration;

use super::respond::{context, make_code, reply, respond, seen};
use super::{Answer, Approved, AuthorizationRequest};
use crate::access_token;
use crate::account::ACCOUNT_TOKENS;
use crate::audience::{self, About, Target};
use crate::change::Change;
use crate::client::Client;
use crate::error::Error;
use crate::grant::{Grant, OFFLINE_ACCESS};
use crate::grant_type::access_token_row;
use crate::id_token::{self, Beside};
use crate::issuance::Issuance;
use crate::provider::{Call, Fresh, Provider};
use crate::reach::Reach;
use crate::session::Session;
use crate::store::Store;
use crate::user::User;

/// The longest life of an access token that came through the browser, whatever the policy and the API allow.
const LONGEST: Duration = Duration::from_mins(10);

/// What a browser is handed tokens for: proof that the approval is kept. Made only by [`keep`].
#[derive(Debug)]
pub(crate) struct Handed {
    client: Arc<Client>,
    user: User,
    promised: Promised,
}

/// What is decided to be handed out, and not kept yet.
#[derive(Debug)]
struct Promised {
    grant: Grant,
    target: Target,
    access: Fresh,
}

impl Handed {
    /// The app that the answer goes to.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// What is kept of the approval, and who approved.
    pub(crate) fn approval(&self) -> (&Grant, &User) {
        (&self.promised.grant, &self.user)
    }

    /// What the access token will be.
    pub(crate) fn target(&self) -> &Target {
        &self.promised.target
    }

    /// The identifier and, for an opaque access token, the secret.
    pub(crate) fn access(&self) -> &Fresh {
        &self.promised.access
    }
}

/// Answers an approved request: with a code, with tokens, or with both.
///
/// # Errors
/// `FrontChannelNetwork` or `OpenidMissing` where it asks for tokens that cannot be given, `SigningKeyMissing`, or those of the
/// store: with `Conflict`, what the approval hung on has changed meanwhile.
pub async fn answer<S: Store>(
    provider: &Provider<S>,
    request: &AuthorizationRequest,
    approved: &Approved,
    (session, user): (&Session, &User),
    call: Call<'_>,
) -> Result<Answer, Error> {
    let fresh = (provider.fresh(call.now), call.now);
    if !request.response_type.is_front_channel() {
        let decision = respond(request, approved, session, (&provider.issuer, &provider.policy.lifetimes), fresh);
        provider.store.commit(decision.changes).await?;
        return Ok(decision.reply);
    }
    let promised = decide(provider, request, approved, (session, user), call)?;
    let mut changes = seen(session, call.now);
    let code = request.response_type.has_code().then(|| {
        let (change, code) = make_code(request, approved, session, &provider.policy.lifetimes, fresh);
        changes.push(change);
        code
    });
    changes.extend(approved.expectation(request, session));
    let handed = keep(&provider.store, request, user, promised, changes).await?;
    let params = sign(provider, request, &handed, code, call)?;
    Ok(reply(request, &provider.issuer, params))
}

/// Decides what a browser will be handed.
fn decide<S: Store>(
    provider: &Provider<S>,
    request: &AuthorizationRequest,
    approved: &Approved,
    (session, user): (&Session, &User),
    call: Call<'_>,
) -> Result<Promised, Error> {
    let kind = request.response_type;
    let directory = provider.store.directory();
    let about =
        About { directory: &directory, policy: &provider.policy, issuer: &provider.issuer, client: &request.client };
    // Access that outlives the sign-in is for who can keep a refresh token: it comes of the code, if of anything.
    // So is what an app makes in the person's name.
    let scope = approved.scope().filter(|scope| scope != OFFLINE_ACCESS && scope != ACCOUNT_TOKENS);
    let target = audience::target(&about, &scope, &request.resources, &[])?;
    if scope.is_empty() || target.scope.is_empty() {
        return Err(Error::ScopeNotAllowed);
    }
    if kind.has_id_token() && !target.scope.contains("openid") {
        return Err(Error::OpenidMissing);
    }
    if kind.has_id_token() {
        request.client.check_id_token_encryption(call.client_keys)?;
    }
    let reach = Reach {
        directory: &directory,
        client: Some(&request.client),
        user: Some(user),
        audience: &target.audience,
        own: None,
    };
    reach.check(call.from()).map_err(|_| Error::FrontChannelNetwork)?;
    let grant = Grant {
        id: provider.mint.id(call.now.millis()),
        client_id: request.client.client_id.clone(),
        user_id: user.id,
        session_id: session.id,
        scope,
        context: context(request, session),
        created_at: call.now,
        ended: None,
    };
    let target = Target { lifetime: target.lifetime.min(LONGEST), ..target };
    Ok(Promised { grant, target, access: provider.fresh(call.now) })
}

/// Keeps the approval. What it hangs on must still hold: who signs out or takes access back ends the grants that are there.
async fn keep<S: Store>(
    store: &S,
    request: &AuthorizationRequest,
    user: &User,
    promised: Promised,
    mut changes: Vec<Change>,
) -> Result<Handed, Error> {
    let Promised { grant, target, access } = &promised;
    changes.push(Change::SessionExpect { id: grant.session_id });
    changes.push(Change::GrantInsert(Box::new(grant.clone())));
    if request.response_type.has_token() {
        changes.extend(access_token_row(&grant.client_id, target, access, (Some(grant.id), grant.created_at)));
    }
    store.commit(changes).await?;
    Ok(Handed { client: Arc::clone(&request.client), user: user.clone(), promised })
}

/// Signs what is handed out: the parameters of the answer, with the code that comes with it.
fn sign<S: Store>(
    provider: &Provider<S>,
    request: &AuthorizationRequest,
    handed: &Handed,
    code: Option<String>,
    call: Call<'_>,
) -> Result<Vec<(&'static str, String)>, Error> {
    let (kind, directory) = (request.response_type, provider.store.directory());
    let issuance = Issuance::handed(handed, kind);
    let mut params = Vec::new();
    // "access_token OAuth 2.0 Access Token. This is returned unless the "response_type" value used is "id_token"."
    // (OIDC Core §3.2.2.5)
    let token =
        kind.has_token().then(|| access_token::sign(&provider.issuer, &directory, &issuance, call.now)).transpose()?;
    // "id_token ID Token. This is returned when the "response_type" value used is "code id_token" or "code id_token token"."
    // (OIDC Core §3.3.2.5)
    // "id_token REQUIRED. ID Token." (OIDC Core §3.2.2.5)
    let id_token = if kind.has_id_token() {
        id_token::sign(provider, &issuance, Beside { access_token: token.as_deref(), code: code.as_deref() }, call)?
    } else {
        None
    };
    params.extend(code.map(|code| ("code", code)));
    if let Some(token) = token {
        let target = handed.target();
        params.push(("access_token", token));
        // "The value MUST be "Bearer" or another "token_type" value that the Client has negotiated with the Authorization
        // Server." (OIDC Core §3.2.2.5)
        params.push(("token_type", "Bearer".to_owned()));
        params.push(("expires_in", target.lifetime.as_secs().to_string()));
        // "scope OPTIONAL, if identical to the scope requested by the client; otherwise, REQUIRED." (RFC 6749 §4.2.2)
        params.push(("scope", target.scope.to_string()));
    }
    params.extend(id_token.map(|id_token| ("id_token", id_token)));
    Ok(params)
}

#[cfg(test)]
mod tests;
