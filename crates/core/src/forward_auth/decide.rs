//! Whether a request may go on, and as whom.

use std::net::IpAddr;

use grantor_jose::id::Id;
use grantor_jose::key::Typ;
use serde::Serialize;

use super::{Known, Place};
use crate::access_token::{self, ALGORITHM, LiveAccessToken};
use crate::admission::{Account, By};
use crate::api_token::Owner;
use crate::api_token::live::{self as api_token, LiveApiToken, Shown};
use crate::directory::Directory;
use crate::error::Error;
use crate::level::Level;
use crate::provider::Provider;
use crate::reach;
use crate::scope::Scope;
use crate::session::Session;
use crate::store::Store;
use crate::time::Time;
use crate::token::Origin;
use crate::usage::{Held, Use};
use crate::user::User;

/// How long what an app is told about somebody is good for, in seconds: the request is on its way.
const IDENTITY_TOKEN_SECONDS: i64 = 60;

/// Who enters.
#[derive(Debug)]
pub struct Admitted {
    /// The person; none where a service enters for itself.
    pub user: Option<User>,
    /// `sub`: the person, or the client.
    pub subject: String,
    /// The scopes of the token; none where a browser enters.
    pub scope: Scope,
    /// The session of the browser.
    pub session: Option<Session>,
    /// The use of a token that this is, to be noted.
    pub used: Option<Use>,
}

impl Admitted {
    /// The account that the request counts for; none where a service enters for itself.
    pub fn account(&self) -> Option<Account<'_>> {
        let by = match (&self.session, &self.used) {
            (Some(_), _) => By::Session,
            (None, Some(Use { held: Held { origin: Origin::Grant(_), client_id, .. }, .. })) => By::Client(client_id),
            (None, _) => By::ApiToken,
        };
        Some(Account { user_id: self.user.as_ref()?.id, by })
    }
}

/// Lets a browser in whose cookie names a session.
///
/// # Errors
/// `LoginRequired` where the session does not count any more; `EntryNetwork` where its person may not be served from there;
/// those of [`ProxiedApp::admit_person`](super::ProxiedApp::admit_person)
/// and of the store.
pub async fn admit_session<S: Store>(
    provider: &Provider<S>,
    place: &Place,
    session_id: Id,
    (from, now): (IpAddr, Time),
) -> Result<Admitted, Error> {
    let found = provider.store.session_find(session_id).await?;
    let is_live = |(session, user): &(Session, User)| {
        session.is_live(&provider.policy.lifetimes, now) && session.user_id == user.id && !user.disabled
    };
    let (session, user) = found.filter(is_live).ok_or(Error::LoginRequired)?;
    if !reach::may_enter(&provider.store.directory(), &user, from) {
        return Err(Error::EntryNetwork);
    }
    place.app.admit_person(&user, Known::of(&session))?;
    let subject = user.subject.clone();
    Ok(Admitted { user: Some(user), subject, scope: Scope::EMPTY, session: Some(session), used: None })
}

/// Lets a program in by the token that it shows, of whatever kind.
///
/// # Errors
/// `TokenUnknown` where the token does not count, or not here; `ScopeInsufficient`; those of
/// [`ProxiedApp::admit_person`](super::ProxiedApp::admit_person) and of the store.
pub async fn admit_token<S: Store>(
    provider: &Provider<S>,
    place: &Place,
    presented: &str,
    (from, now): (IpAddr, Time),
) -> Result<Admitted, Error> {
    let directory = provider.store.directory();
    let audience = place.app.resource.as_slice();
    if api_token::is_api_token(presented) {
        let found = api_token::find(provider, presented, Shown { from: Some(from), at: now }).await?;
        let is_near = |live: &LiveApiToken| live.reach(&directory, audience).check(Some(from)).is_ok();
        let live = found.filter(is_near).ok_or(Error::TokenUnknown)?;
        place.app.admit_rights(
            (&directory, &live.rights.audience, &live.rights.scope),
            live.user.as_ref(),
            Known::default(),
        )?;
        let held = Held::of_api_token(&live);
        let client_id = match live.token.owner {
            Owner::Client(client_id) => client_id,
            Owner::User(_) => String::new(),
        };
        let subject = live.user.as_ref().map_or(client_id, |user| user.subject.clone());
        let used = Some(at_app((&directory, place), held, &live.rights.scope, (from, now)));
        return Ok(Admitted { user: live.user, subject, scope: live.rights.scope, session: None, used });
    }
    let found = access_token::find(provider, presented, now).await?;
    let is_near = |live: &LiveAccessToken| live.reach(&directory, audience).check(Some(from)).is_ok();
    let live = found.filter(is_near).ok_or(Error::TokenUnknown)?;
    let held = Held::of_access_token(&live);
    let (approval, exchanged) = (live.approval, live.api_token);
    let context = approval.as_ref().map(|approval| approval.grant.context.clone()).unwrap_or_default();
    let known = Known { level: Level::of_acr(&context.acr), amr: &context.amr };
    let user = approval.map(|approval| approval.user).or(exchanged.and_then(|exchanged| exchanged.user));
    place.app.admit_rights((&directory, &live.audience, &live.scope), user.as_ref(), known)?;
    let this_use = at_app((&directory, place), held, &live.scope, (from, now));
    // The app knows people by one subject, however they come.
    let subject = user.as_ref().map_or(live.subject, |user| user.subject.clone());
    Ok(Admitted { user, subject, scope: live.scope, session: None, used: Some(this_use) })
}

/// The use of a token at an app: with what it allows there.
fn at_app((directory, place): (&Directory, &Place), held: Held, scope: &Scope, (from, at): (IpAddr, Time)) -> Use {
    let audience: Vec<String> = place.app.resource.iter().cloned().collect();
    let apis = audience.iter().filter_map(|identifier| directory.resources.get(identifier));
    let scope = apis.map(|api| api.scopes.intersection(scope)).next().unwrap_or_default();
    Use { held, scope, audience, at, from: Some(from) }
}

/// What an app is told about who enters, signed: for the apps of one origin, and a minute.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    /// The app's name: apps that share an origin are told apart by it.
    app: &'a str,
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    groups: &'a [String],
    scope: &'a str,
}

/// The same as a signed JWT of a kind of its own, which nobody takes for an access token or an ID token.
///
/// # Errors
/// `SigningKeyMissing`.
pub fn identity_token<S: Store>(
    provider: &Provider<S>,
    place: &Place,
    admitted: &Admitted,
    now: Time,
) -> Result<String, Error> {
    let user = admitted.user.as_ref();
    let claims = Claims {
        iss: provider.issuer.as_str(),
        aud: &place.origin,
        sub: &admitted.subject,
        app: &place.app.name,
        iat: now.seconds(),
        exp: now.seconds() + IDENTITY_TOKEN_SECONDS,
        preferred_username: user.map(|user| user.username.as_str()),
        name: user.map(User::display_name),
        email: user.and_then(User::proved_email),
        groups: user.map_or(&[], |user| &user.groups),
        scope: admitted.scope.as_str(),
    };
    let key = provider.store.directory().keys.signer(ALGORITHM, now).ok_or(Error::SigningKeyMissing)?.clone();
    key.sign_compact(Typ::ForwardAuthJwt, &claims).map_err(|_| Error::SigningKeyMissing)
}
