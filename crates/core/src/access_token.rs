//! Access tokens: signed JWTs (RFC 9068) or references; and what a presented one turns out to be.

use grantor_jose::algorithm::Algorithm;
use grantor_jose::id::Id;
use grantor_jose::key::Typ;
use grantor_jose::verify::{Expected, TypRule, verify};
use serde::{Deserialize, Serialize};

use crate::api_token::live::{self as api_token, LiveApiToken};
use crate::client::AccessTokenFormat;
use crate::directory::Directory;
use crate::error::Error;
use crate::fault::{Fault, seeded};
use crate::grant::AccessToken;
use crate::issuance::Issuance;
use crate::network::Networks;
use crate::provider::{Issuer, Provider};
use crate::reach::Reach;
use crate::scope::Scope;
use crate::store::{AccessTokenFacts, GrantFacts, Store};
use crate::subject;
use crate::time::Time;
use crate::token::{self, Jti, Origin};
use crate::user::User;

/// The algorithm of our own access tokens: the fastest to sign that every client knows.
pub const ALGORITHM: Algorithm = Algorithm::Es256;

/// The claims of a JWT access token (RFC 9068 §2.2).
#[derive(Debug, Serialize)]
struct Claims<'a> {
    iss: &'a str,
    exp: i64,
    aud: OneOrMany<'a>,
    sub: &'a str,
    client_id: &'a str,
    iat: i64,
    jti: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    scope: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "str::is_empty")]
    acr: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    amr: &'a [String],
    #[serde(skip_serializing_if = "Networks::is_anywhere")]
    networks: Networks,
}

/// One value as text, several as an array.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum OneOrMany<'a> {
    One(&'a str),
    Many(&'a [String]),
}

impl<'a> From<&'a [String]> for OneOrMany<'a> {
    fn from(values: &'a [String]) -> Self {
        match values {
            [one] => Self::One(one),
            many => Self::Many(many),
        }
    }
}

/// Makes the text of an access token.
pub(crate) fn sign(
    issuer: &Issuer,
    directory: &Directory,
    issuance: &Issuance<'_>,
    now: Time,
) -> Result<String, Error> {
    let (target, jti) = (issuance.target(), issuance.jti());
    if target.format == AccessTokenFormat::Opaque {
        return Ok(token::ACCESS.format(jti.token_id, issuance.secret()));
    }
    let client = issuance.client();
    let client_id = client.client_id.as_str();
    let context = issuance.approval().map(|(grant, _)| &grant.context);
    let reach = issuance.reach(directory);
    let subject = reach.user.map(|user| subject::of(&directory.secrets.subjects, client, user));
    let claims = Claims {
        iss: issuer.as_str(),
        exp: now.plus(target.lifetime).seconds(),
        aud: target.audience.as_slice().into(),
        // "In case of access tokens obtained through grants where no resource owner is involved, such as the client
        // credentials grant, the value of "sub" SHOULD correspond to an identifier the authorization server uses to
        // indicate the client application." (RFC 9068 §2.2)
        sub: subject.as_deref().unwrap_or(client_id),
        client_id,
        iat: now.seconds(),
        jti: jti.to_string(),
        scope: target.scope.as_str(),
        auth_time: context.map(|context| context.auth_time.seconds()),
        acr: context.map_or("", |context| &context.acr),
        amr: context.map_or(&[], |context| &context.amr),
        networks: reach.common().ok_or(Error::UserNetwork)?,
    };
    let key = directory.keys.signer(ALGORITHM, now).ok_or(Error::SigningKeyMissing)?;
    // "JWT access tokens MUST include this media type in the "typ" header parameter" (RFC 9068 §2.1)
    key.sign_compact(Typ::AtJwt, &claims).map_err(|_| Error::SigningKeyMissing)
}

/// What a token of ours says, read back.
#[derive(Debug, Deserialize)]
struct ReadClaims {
    iss: String,
    exp: i64,
    #[serde(deserialize_with = "one_or_many")]
    aud: Vec<String>,
    sub: String,
    client_id: String,
    iat: i64,
    jti: String,
    #[serde(default)]
    scope: Scope,
}

pub(crate) fn one_or_many<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Read {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Read::deserialize(deserializer)? {
        Read::One(one) => vec![one],
        Read::Many(many) => many,
    })
}

/// An access token that counts now, and what hangs on it.
#[derive(Debug)]
pub struct LiveAccessToken {
    /// The token's identifier.
    pub id: Id,
    /// The client it was issued to.
    pub client_id: String,
    /// What it allows.
    pub scope: Scope,
    /// The APIs it is for.
    pub audience: Vec<String>,
    /// Whom it speaks for, as its client knows them.
    pub subject: String,
    /// Its `jti`.
    pub jti: Jti,
    /// When it was issued.
    pub issued_at: Time,
    /// Until when it counts.
    pub expires_at: Time,
    /// The approval behind it, if it has one.
    pub approval: Option<GrantFacts>,
    /// The API token that was exchanged for it, if one was.
    pub api_token: Option<LiveApiToken>,
}

impl LiveAccessToken {
    /// From where it may be used at these of its APIs.
    pub fn reach<'a>(&'a self, directory: &'a Directory, audience: &'a [String]) -> Reach<'a> {
        let api_token = self.api_token.as_ref();
        Reach {
            directory,
            client: directory.client(&self.client_id).map(AsRef::as_ref),
            user: self.person(),
            audience,
            own: api_token.map(|live| &live.token.networks),
        }
    }

    /// The person whom it speaks for; none where it speaks for its client.
    pub fn person(&self) -> Option<&User> {
        let exchanged = self.api_token.as_ref().and_then(|live| live.user.as_ref());
        self.approval.as_ref().map(|approval| &approval.user).or(exchanged)
    }
}

/// Finds what a presented access token is; `None` when it does not count, for whatever reason.
///
/// # Errors
/// Those of the store.
pub async fn find<S: Store>(
    provider: &Provider<S>,
    presented: &str,
    now: Time,
) -> Result<Option<LiveAccessToken>, Error> {
    let Some((token, facts)) = find_genuine(provider, presented, now).await? else { return Ok(None) };
    match token.jti.origin {
        Origin::ApiToken(id) => {
            let exchanged = provider.store.api_token_find(id).await?;
            let live = live(provider, token, facts, now);
            let exchanged = exchanged.and_then(|exchanged| api_token::judge(provider, exchanged, now));
            let directory = provider.store.directory();
            Ok(live.zip(exchanged).and_then(|(token, exchanged)| of_exchange(&directory, token, exchanged)))
        }
        Origin::Client | Origin::Grant(_) => Ok(live(provider, token, facts, now)),
    }
}

/// A token of ours, whether it counts or not, and what hangs on it.
pub(crate) async fn find_genuine<S: Store>(
    provider: &Provider<S>,
    presented: &str,
    now: Time,
) -> Result<Option<(LiveAccessToken, AccessTokenFacts)>, Error> {
    if let Some((id, secret)) = token::ACCESS.parse(presented) {
        let found = provider.store.access_token_find(id).await?;
        let found = found.filter(|(row, _)| row.secret.matches(&secret));
        return Ok(found.map(|(row, facts)| (from_row(row), facts)));
    }
    let Some(token) = read_jwt(provider, presented, now) else { return Ok(None) };
    let facts = provider.store.access_token_facts(token.id, token.jti.grant_id()).await?;
    Ok(Some((token, facts)))
}

/// The token with the API token that was exchanged for it, cut to what that one allows now; none where nothing is left.
pub(crate) fn of_exchange(
    directory: &Directory,
    token: LiveAccessToken,
    exchanged: LiveApiToken,
) -> Option<LiveAccessToken> {
    let is_for = |api: &String| exchanged.rights.audience.contains(api);
    let scope = token.scope.intersection(&exchanged.rights.scope);
    if scope.is_empty() || !token.audience.iter().all(is_for) {
        return None;
    }
    let told = |user: &User| subject::known_to(directory, &token.client_id, user);
    let subject = exchanged.user.as_ref().map_or_else(|| token.client_id.clone(), told);
    Some(LiveAccessToken { scope, subject, api_token: Some(exchanged), ..token })
}

/// The token with its approval, if it counts.
fn live<S: Store>(
    provider: &Provider<S>,
    token: LiveAccessToken,
    AccessTokenFacts { revoked, approval }: AccessTokenFacts,
    now: Time,
) -> Option<LiveAccessToken> {
    // "The current time MUST be before the time represented by the "exp" claim." (RFC 9068 §4)
    let directory = provider.store.directory();
    let enabled = directory.client(&token.client_id).is_some();
    if now >= token.expires_at || !enabled || (revoked && !seeded(Fault::RevokedCounts)) {
        return None;
    }
    if token.jti.grant_id().is_none() {
        return Some(token);
    }
    let approval = approval?;
    let in_force = approval.grant.ended.is_none() || seeded(Fault::EndedGrantCounts);
    let is_on = !approval.user.disabled || seeded(Fault::DisabledUserCounts);
    let counts = in_force && is_on && approval.grant.client_id == token.client_id;
    // Who loses a group loses with it what only the group may give away.
    let scope = token.scope.filter(|scope| directory.may_have(&approval.user, scope));
    let counts = counts && (!scope.is_empty() || token.scope.is_empty());
    let subject = subject::known_to(&directory, &token.client_id, &approval.user);
    counts.then_some(LiveAccessToken { scope, subject, approval: Some(approval), ..token })
}

fn from_row(row: AccessToken) -> LiveAccessToken {
    LiveAccessToken {
        id: row.id,
        jti: Jti { origin: row.grant_id.map_or(Origin::Client, Origin::Grant), token_id: row.id },
        subject: row.client_id.clone(),
        client_id: row.client_id,
        scope: row.scope,
        audience: row.audience,
        issued_at: row.issued_at,
        expires_at: row.expires_at,
        approval: None,
        api_token: None,
    }
}

fn read_jwt<S: Store>(provider: &Provider<S>, presented: &str, now: Time) -> Option<LiveAccessToken> {
    let directory = provider.store.directory();
    // "The resource server MUST verify that the "typ" header value is "at+jwt" or "application/at+jwt" and reject tokens
    // carrying any other value." (RFC 9068 §4)
    let expected = Expected { typ: TypRule::Is(Typ::AtJwt), algorithms: &[ALGORITHM] };
    let claims: ReadClaims = verify(presented, &expected, &directory.keys.at(now)).ok()?.claims().ok()?;
    // "The issuer identifier for the authorization server ... MUST exactly match the value of the "iss" claim."
    // (RFC 9068 §4)
    if claims.iss != provider.issuer.as_str() {
        return None;
    }
    let jti: Jti = claims.jti.parse().ok()?;
    Some(LiveAccessToken {
        id: jti.token_id,
        client_id: claims.client_id,
        scope: claims.scope,
        audience: claims.aud,
        subject: claims.sub,
        jti,
        issued_at: Time::from_seconds(claims.iat),
        expires_at: Time::from_seconds(claims.exp),
        approval: None,
        api_token: None,
    })
}
