//! What is asked of the server, and by whom; each is answered by the shipped function.

use super::cast::{ASKED, App, CHALLENGE, REDIRECT_URI, VERIFIER};
use super::family::Family;
use crate::authorization::{self, Situation, Started, Step};
use crate::error::Error;
use crate::params::Params;
use crate::provider::{Call, Provider};
use crate::revocation;
use crate::scope::Scope;
use crate::store::Store;
use crate::token::{self, TokenResponse};

/// What a refresh asks for beside a new token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Want {
    /// No more and no less than was approved.
    Same,
    /// One scope only.
    Narrower,
    /// A scope that the person allows the app, but that was not part of this approval.
    Wider,
    /// Another API.
    OtherApi,
}

/// One request. Families, refresh tokens and access tokens are named by their place in the story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Ask {
    /// The browser asks for a code.
    Authorize { family: usize },
    /// An app brings the code.
    Redeem { family: usize, by: App },
    /// An app brings a refresh token.
    Refresh { family: usize, generation: usize, by: App, want: Want },
    /// An app gives a refresh token back.
    RevokeRefresh { family: usize, generation: usize, by: App },
    /// An app gives an access token back.
    RevokeAccess { family: usize, token: usize, by: App },
}

/// An answer.
pub(super) enum Reply {
    Code(String),
    Done,
    Refused(Error),
    Tokens(Box<TokenResponse>),
}

impl Want {
    pub(super) const ALL: [Self; 4] = [Self::Same, Self::Narrower, Self::Wider, Self::OtherApi];

    /// The scope that is asked for, where one is named.
    pub(super) fn scope(self, family: usize) -> Option<Scope> {
        self.named(family).map(|scope| scope.parse().unwrap())
    }

    fn named(self, family: usize) -> Option<&'static str> {
        match self {
            Self::Same | Self::OtherApi => None,
            Self::Narrower => Some(ASKED[family].narrower),
            Self::Wider => Some("notes.delete"),
        }
    }

    fn resource(self, family: usize) -> Option<&'static str> {
        (self == Self::OtherApi).then_some(ASKED[family].other)
    }
}

impl Ask {
    /// The family that it is about.
    pub(super) fn family(self) -> usize {
        match self {
            Self::Authorize { family }
            | Self::Redeem { family, .. }
            | Self::Refresh { family, .. }
            | Self::RevokeRefresh { family, .. }
            | Self::RevokeAccess { family, .. } => family,
        }
    }

    /// The app that sends it.
    pub(super) fn by(self) -> App {
        match self {
            Self::Authorize { family } => ASKED[family].app,
            Self::Redeem { by, .. }
            | Self::Refresh { by, .. }
            | Self::RevokeRefresh { by, .. }
            | Self::RevokeAccess { by, .. } => by,
        }
    }

    /// The shipped answer.
    pub(super) async fn answer<S: Store>(self, told: &Family, provider: &Provider<S>, call: Call<'_>) -> Reply {
        let outcome = match self {
            Self::Authorize { family } => authorize(family, told, provider, call).await.map(Reply::Code),
            Self::Redeem { .. } | Self::Refresh { .. } => {
                let tokens = token::token(provider, &self.params(told), None, call).await;
                tokens.map(|tokens| Reply::Tokens(Box::new(tokens)))
            }
            Self::RevokeRefresh { .. } | Self::RevokeAccess { .. } => {
                revocation::revoke(provider, &self.params(told), None, call).await.map(|()| Reply::Done)
            }
        };
        outcome.unwrap_or_else(Reply::Refused)
    }

    fn params(self, told: &Family) -> Params {
        let mut pairs = self.by().credentials();
        match self {
            Self::Authorize { .. } => {}
            Self::Redeem { .. } => pairs.extend([
                ("grant_type", "authorization_code"),
                ("code", &told.code),
                ("redirect_uri", REDIRECT_URI),
                ("code_verifier", VERIFIER),
            ]),
            Self::Refresh { family, generation, want, .. } => {
                pairs.extend([("grant_type", "refresh_token"), ("refresh_token", &told.refresh[generation].text)]);
                pairs.extend(want.named(family).map(|scope| ("scope", scope)));
                pairs.extend(want.resource(family).map(|resource| ("resource", resource)));
            }
            Self::RevokeRefresh { generation, .. } => pairs.push(("token", &told.refresh[generation].text)),
            Self::RevokeAccess { token, .. } => pairs.push(("token", &told.access[token].text)),
        }
        Params::from_pairs(pairs).unwrap()
    }
}

/// `/authorize` as the browser meets it: what `web` does between the functions of core, for a person who is signed in.
async fn authorize<S: Store>(
    family: usize,
    told: &Family,
    provider: &Provider<S>,
    call: Call<'_>,
) -> Result<String, Error> {
    let asked = &ASKED[family];
    let scope = asked.scope();
    let mut pairs = vec![
        ("client_id", asked.app.id()),
        ("redirect_uri", REDIRECT_URI),
        ("response_type", "code"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("scope", scope.as_str()),
    ];
    pairs.extend(asked.resource.map(|resource| ("resource", resource)));
    let params = Params::from_pairs(pairs)?;
    let started = Started::now(call.now);
    let request =
        authorization::read(provider, &params, started, call.now).map_err(|_| Error::ResponseTypeNotAllowed)?;
    let (session, user) = provider.store.session_find(told.session).await?.ok_or(Error::LoginRequired)?;
    let consent = provider.store.consent_find(user.id, &request.client.client_id).await?;
    let lifetimes = &provider.policy.lifetimes;
    let (directory, session_there) = (provider.store.directory(), Some((&session, &user)));
    let subjects = &directory.secrets.subjects;
    let situation = Situation {
        session: session_there,
        origin: None,
        consent: consent.as_ref(),
        other: None,
        reachable: None,
        subjects,
        lifetimes,
        now: call.now,
    };
    let Step::Respond(granted) = authorization::next_step(&request, situation)? else {
        return Err(Error::ConsentRequired);
    };
    let fresh = (provider.fresh(call.now), call.now);
    let decision = authorization::respond(&request, &granted, &session, (&provider.issuer, lifetimes), fresh);
    provider.store.commit(decision.changes).await?;
    let code = decision.reply.params.into_iter().find(|(name, _)| *name == "code");
    code.map(|(_, code)| code).ok_or(Error::CodeUnknown)
}
