//! RP-Initiated Logout: an app asks that the person be signed out (OIDC RP-Initiated Logout 1.0).

use std::sync::Arc;

use grantor_jose::mac::MacKey;

use crate::client::{Client, Trust};
use crate::error::Error;
use crate::frontchannel_logout::TookPart;
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

/// Somebody signed in in the browser that brings a logout request.
#[derive(Clone, Copy, Debug)]
pub struct Present<'a> {
    /// The session.
    pub session: &'a Session,
    /// Its person.
    pub user: &'a User,
    /// The apps of the session, each with the session as it knows it.
    pub took_part: &'a [TookPart],
}

/// Whom a logout request is about, by their place among those who are signed in in the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meant {
    /// The request names somebody, and does not prove that it may; they are asked.
    Named(usize),
    /// It names nobody here.
    Nobody,
    /// Its ID token belongs to their session.
    Proven(usize),
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
    logout_hint: Option<String>,
}

impl EndSession {
    /// Whom of those who are signed in in the browser it is about. Nobody else is signed out by it.
    pub fn meant(&self, present: &[Present<'_>]) -> Meant {
        let is_proven = |who: &Present<'_>| self.is_proven(who.session, who.user, who.took_part);
        let proven = present.iter().position(is_proven).map(Meant::Proven);
        let named = || present.iter().position(|who| self.is_about(who)).map(Meant::Named);
        proven.or_else(named).unwrap_or(Meant::Nobody)
    }

    /// Whether the app may be gone back to by a request that signs nobody out, so that nobody has said yes to it: an administrator
    /// knows the app, or an ID token shows that it had somebody signed in.
    // "the OP MUST NOT perform post-logout redirection unless the OP has other means of confirming the legitimacy of the
    // post-logout redirection target." (OIDC RP-Initiated Logout §3)
    pub fn is_vouched_for(&self) -> bool {
        self.hint.is_some() || self.client.as_ref().is_some_and(|client| client.trust == Trust::Administrator)
    }

    /// Whether the ID token or the hint is about them, whichever session of theirs that was.
    fn is_about(&self, who: &Present<'_>) -> bool {
        let is_subject = |hint: &Hint| {
            let known = self.client.as_ref().map(|client| subject::of(&self.subjects, client, who.user));
            known.as_ref() == Some(&hint.sub)
        };
        (self.hint.is_some() || self.logout_hint.is_some())
            && self.hint.as_ref().is_none_or(is_subject)
            && self.is_hinted(who.session, who.user)
    }

    /// Whether the person need not be asked: the ID token belongs to the session of this browser, or to one that it goes on with;
    /// `took_part` are the apps of the session, each with the session as it knows it.
    fn is_proven(&self, session: &Session, user: &User, took_part: &[TookPart]) -> bool {
        // "the OP MUST ask the End-User this question if an "id_token_hint" was not provided or if the supplied ID Token
        // does not belong to the current OP session with the RP and/or currently logged in End-User."
        // (OIDC RP-Initiated Logout §2)
        // "If the ID Token's "sid" claim does not correspond to the RP's current session or a recent session at the OP, the
        // OP SHOULD treat the logout request as suspect, and MAY decline to act upon it." (OIDC RP-Initiated Logout §2)
        let (Some(hint), Some(client)) = (&self.hint, &self.client) else { return false };
        let of_app = took_part.iter().filter(|(app, _)| *app == client.client_id).map(|(_, sid)| *sid);
        let mut sids =
            std::iter::once(session.id).chain(of_app).map(|sid| subject::session(&self.subjects, client, sid));
        hint.sub == subject::of(&self.subjects, client, user)
            && sids.any(|sid| hint.sid.as_deref() == Some(&sid))
            && self.is_hinted(session, user)
    }

    /// Whether the hint about who signs out, where there is one, is not about somebody else: "the value might contain an email
    /// address, phone number, username, or session identifier pertaining to the RP's session with the OP for the End-User"
    /// (OIDC RP-Initiated Logout §2).
    fn is_hinted(&self, session: &Session, user: &User) -> bool {
        let claim = |name: &str, value: &str| user.claim(name).is_some_and(|known| known.as_str() == Some(value));
        self.logout_hint.as_deref().is_none_or(|hint| {
            let names = |client: &Arc<Client>| {
                let sid = subject::session(&self.subjects, client, session.id);
                [subject::of(&self.subjects, client, user), sid].contains(&hint.to_owned())
            };
            let is_known = user.username == hint || self.client.as_ref().is_some_and(names);
            let of_session = self.hint.as_ref().is_some_and(|token| token.sid.as_deref() == Some(hint));
            is_known || of_session || claim("email", hint) || claim("phone_number", hint)
        })
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
            logout_hint: None,
        };
    }
    // "when the OP detects errors in the RP-Initiated Logout request, the OP MUST not perform post-logout redirection to an RP."
    // (OIDC RP-Initiated Logout §4)
    // "If any of the validation procedures defined in this specification fail, any operations requiring the information that
    // failed to correctly validate MUST be aborted and the information that failed to validate MUST NOT be used."
    // (OIDC RP-Initiated Logout §4)
    let client = if refused.is_some() { None } else { hinted.or(named).and_then(|id| directory.client(id)).cloned() };
    // "An "id_token_hint" carring an ID Token for the RP is also RECOMMENDED when requesting post-logout redirection; if it
    // is not supplied with "post_logout_redirect_uri", the OP MUST NOT perform post-logout redirection unless the OP has
    // other means of confirming the legitimacy of the post-logout redirection target." (OIDC RP-Initiated Logout §3)
    let asked = params.get("post_logout_redirect_uri");
    let redirect = match (asked, &client) {
        (Some(asked), Some(client)) => registered(client, asked, params.get("state")),
        _ => None,
    };
    if asked.is_some() && redirect.is_none() {
        refused = refused.or(Some(Error::RedirectUriMismatch));
    }
    let logout_hint = params.get("logout_hint").map(str::to_owned);
    EndSession { client, redirect, redirect_refused: refused, hint, subjects, logout_hint }
}

fn registered(client: &Client, asked: &str, state: Option<&str>) -> Option<PostLogoutRedirectUri> {
    // "The value MUST have been previously registered with the OP, either using the "post_logout_redirect_uris"
    // Registration parameter or via another mechanism." (OIDC RP-Initiated Logout §2)
    // "The OP also MUST NOT perform post-logout redirection if the "post_logout_redirect_uri" value supplied does not exactly match
    // one of the previously registered "post_logout_redirect_uris" values." (OIDC RP-Initiated Logout §3)
    let known = client.metadata.post_logout_redirect_uris.iter().any(|registered| registered == asked);
    // "If included in the logout request, the OP passes this value back to the RP using the "state" parameter when
    // redirecting the User Agent back to the RP." (OIDC RP-Initiated Logout §2)
    known.then(|| PostLogoutRedirectUri { uri: asked.to_owned(), state: state.map(str::to_owned) })
}
