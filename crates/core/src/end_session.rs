//! RP-Initiated Logout: an app asks that the person be signed out (OIDC RP-Initiated Logout 1.0).

use std::sync::Arc;

use grantor_jose::mac::MacKey;

use crate::client::Client;
use crate::error::Error;
use crate::id_token::{self, Hint};
use crate::params::Params;
use crate::provider::Provider;
use crate::session::Session;
use crate::store::Store;
use crate::subject;
use crate::time::Time;
use crate::user::User;

/// Where the browser may go afterwards: proof that the client registered it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostLogoutRedirectUri {
    uri: String,
    state: Option<String>,
}

impl PostLogoutRedirectUri {
    /// The address, with `state` where one was sent.
    pub fn location(&self) -> String {
        let Some(state) = &self.state else { return self.uri.clone() };
        let separator = if self.uri.contains('?') { '&' } else { '?' };
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("state", state);
        format!("{}{separator}{}", self.uri, query.finish())
    }

    /// The registered address alone.
    pub fn as_str(&self) -> &str {
        &self.uri
    }
}

/// A logout request that is read.
#[derive(Debug)]
pub struct EndSession {
    /// The app that asks, where it is known.
    pub client: Option<Arc<Client>>,
    /// Where the browser may go afterwards, where that is proven.
    pub redirect: Option<PostLogoutRedirectUri>,
    /// Why a redirect that was asked for is not followed.
    pub redirect_refused: Option<Error>,
    hint: Option<Hint>,
    subjects: MacKey,
}

impl EndSession {
    /// Whether the person need not be asked: the ID token belongs to the session of this browser.
    pub fn is_proven(&self, session: &Session, user: &User) -> bool {
        // "the OP MUST ask the End-User this question if an "id_token_hint" was not provided or if the supplied ID Token
        // does not belong to the current OP session with the RP and/or currently logged in End-User."
        // (OIDC RP-Initiated Logout §2)
        let (Some(hint), Some(client)) = (&self.hint, &self.client) else { return false };
        let sid = subject::session(&self.subjects, client, session.id);
        hint.sub == subject::of(&self.subjects, client, user) && hint.sid.as_deref() == Some(&sid)
    }
}

/// Reads a logout request. What is wrong with it never stops a person from signing out: it only makes us ask, and not follow.
pub fn read<S: Store>(provider: &Provider<S>, params: &Params, now: Time) -> EndSession {
    let directory = provider.store.directory();
    let subjects = directory.secrets.subjects.clone();
    let hint = params.get("id_token_hint").map(|hint| id_token::read_hint(provider, hint, now));
    let (hint, mut refused) = match hint {
        Some(Ok(hint)) => (Some(hint), None),
        Some(Err(error)) => (None, Some(error)),
        None => (None, None),
    };
    let hinted = hint.as_ref().and_then(|hint| hint.aud.first()).map(String::as_str);
    let named = params.get("client_id");
    // "When both "client_id" and "id_token_hint" are present, the OP MUST verify that the Client Identifier matches the one
    // used when issuing the ID Token." (OIDC RP-Initiated Logout §2)
    if let (Some(hinted), Some(named)) = (hinted, named)
        && hinted != named
    {
        return EndSession {
            client: None,
            redirect: None,
            redirect_refused: Some(Error::ClientIdMismatch),
            hint: None,
            subjects,
        };
    }
    let client = if refused.is_some() { None } else { hinted.or(named).and_then(|id| directory.client(id)).cloned() };
    let asked = params.get("post_logout_redirect_uri");
    let redirect = match (asked, &client) {
        (Some(asked), Some(client)) => registered(client, asked, params.get("state")),
        _ => None,
    };
    if asked.is_some() && redirect.is_none() {
        refused = refused.or(Some(Error::RedirectUriMismatch));
    }
    EndSession { client, redirect, redirect_refused: refused, hint, subjects }
}

fn registered(client: &Client, asked: &str, state: Option<&str>) -> Option<PostLogoutRedirectUri> {
    // "The value MUST have been previously registered with the OP, either using the "post_logout_redirect_uris"
    // Registration parameter or via another mechanism." (OIDC RP-Initiated Logout §2)
    let known = client.metadata.post_logout_redirect_uris.iter().any(|registered| registered == asked);
    // "If included in the logout request, the OP passes this value back to the RP using the "state" parameter when
    // redirecting the User Agent back to the RP." (OIDC RP-Initiated Logout §2)
    known.then(|| PostLogoutRedirectUri { uri: asked.to_owned(), state: state.map(str::to_owned) })
}
