//! The token endpoint: five numbered steps that all grants share. A grant holds only what is its own and cannot forget one.

use std::str::FromStr;
use std::sync::Arc;

use grantor_jose::api_token_text::ApiTokenText;
use grantor_jose::id::Id;
use grantor_jose::secret::Secret;
use grantor_jose::token_text::TokenText;
use serde::Serialize;

use crate::access_token;
use crate::client::Client;
use crate::client_auth::{self, AuthenticatedClient};
use crate::error::Error;
use crate::grant_type::token_exchange::issued_token_type;
use crate::grant_type::{self, GrantType, Redeemed};
use crate::id_token::{self, Beside};
use crate::issuance::Issuance;
use crate::params::Params;
use crate::provider::{Call, Provider};
use crate::store::Store;
use crate::usage::Use;

/// A kind of token by the prefix it carries, so that a leaked one is recognised.
#[derive(Clone, Copy, Debug)]
pub struct TokenKind(&'static str);

/// Authorization codes.
pub const CODE: TokenKind = TokenKind("gtr_ac");
/// Refresh tokens.
pub const REFRESH: TokenKind = TokenKind("gtr_rt");
/// Opaque access tokens.
pub const ACCESS: TokenKind = TokenKind("gtr_at");
/// Session cookies.
pub const SESSION: TokenKind = TokenKind("gtr_se");
/// Forms that make something once.
pub const DRAFT: TokenKind = TokenKind("gtr_dr");
/// Initial access tokens, which clients are registered with.
pub const INITIAL: TokenKind = TokenKind("gtr_ia");
/// Registration access tokens, with which clients manage themselves.
pub const REGISTRATION: TokenKind = TokenKind("gtr_ra");

impl TokenKind {
    /// The text of a token of this kind.
    pub fn format(self, id: Id, secret: &Secret) -> String {
        TokenText::format(self.0, id, secret)
    }

    /// The beginning of the text of a token of this kind, which gives nothing away.
    pub fn hint(self, id: Id) -> String {
        format!("{}_{id}", self.0)
    }

    /// Reads a token of this kind; any other text is `None`.
    pub fn parse(self, text: &str) -> Option<(Id, Secret)> {
        TokenText::parse(self.0, text)
    }
}

/// A kind of token that is kept for long, by its prefix; its text has a checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiTokenKind {
    prefix: &'static str,
    name: &'static str,
}

/// Personal access tokens.
pub const PERSONAL_ACCESS_TOKEN: ApiTokenKind = ApiTokenKind { prefix: "gtr_pat", name: "personal_access_token" };
/// API keys.
pub const API_KEY: ApiTokenKind = ApiTokenKind { prefix: "gtr_key", name: "api_key" };

impl ApiTokenKind {
    /// What its text begins with.
    pub const fn prefix(self) -> &'static str {
        self.prefix
    }

    /// What it is called where programs read it.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The text of a token of this kind.
    pub fn format(self, id: Id, secret: &Secret) -> String {
        ApiTokenText::format(self.prefix, id, secret)
    }

    /// Reads a token of this kind; any other text is `None`, and so is one with a slip in it.
    pub fn parse(self, text: &str) -> Option<(Id, Secret)> {
        ApiTokenText::parse(self.prefix, text)
    }
}

/// A successful answer of the token endpoint (RFC 6749 §5.1, OIDC Core §3.1.3.3).
#[derive(Debug, Serialize)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// The access token's life in seconds.
    pub expires_in: u64,
    /// The refresh token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// The ID token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
    /// What was issued, where the grant asks to say so (RFC 8693 §2.2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued_token_type: Option<&'static str>,
    /// What the access token allows.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// Whom and by which grant it was issued, for the count.
    #[serde(skip)]
    pub issued: (Arc<Client>, GrantType),
    /// The use of something lasting that this was, to be noted.
    #[serde(skip)]
    pub used: Option<Use>,
}

/// Answers a token request. `authorization` is its Authorization header.
///
/// # Errors
/// Any reason of client authentication and of the grants.
pub async fn token<S: Store>(
    provider: &Provider<S>,
    params: &Params,
    authorization: Option<&str>,
    call: Call<'_>,
) -> Result<TokenResponse, Error> {
    // 1. The client proves who it is.
    let client = client_auth::authenticate_for_token(provider, params, authorization, call).await?;
    // 2. The grant type is one that the client may use.
    let grant_type = GrantType::read(params, client.client())?;
    // Nothing is spent for an answer that cannot be written.
    if matches!(grant_type, GrantType::AuthorizationCode | GrantType::RefreshToken) {
        client.client().check_id_token_encryption(call.client_keys)?;
    }
    // 3. The grant proves itself and is spent; from here on it cannot be spent again.
    let redeemed = grant_type::redeem(provider, grant_type, &client, params, call).await?;
    // 4. and 5. The tokens are signed and handed out.
    let response = respond(provider, (&client, grant_type), redeemed, call)?;
    // "issued_token_type REQUIRED. An identifier, as described in Section 3, for the representation of the issued security
    // token." (RFC 8693 §2.2.1)
    let issued = (grant_type == GrantType::TokenExchange).then(|| issued_token_type(params));
    Ok(TokenResponse { issued_token_type: issued, ..response })
}

/// Signs what was redeemed. Both proofs are needed: a token without them does not compile.
fn respond<S: Store>(
    provider: &Provider<S>,
    (client, grant_type): (&AuthenticatedClient, GrantType),
    redeemed: Redeemed,
    call: Call<'_>,
) -> Result<TokenResponse, Error> {
    let directory = provider.store.directory();
    let issuance = Issuance::redeemed(client, &redeemed);
    let access_token = access_token::sign(&provider.issuer, &directory, &issuance, call.now)?;
    let beside = Beside { access_token: Some(&access_token), code: None };
    // "In addition to the response parameters specified by OAuth 2.0, the following parameters MUST be included in the
    // response:" (OIDC Core §3.1.3.3)
    let id_token = id_token::sign(provider, &issuance, beside, call)?;
    // A code that is redeemed is the beginning of an approval, and no use of it.
    let used = (grant_type != GrantType::AuthorizationCode).then(|| redeemed.used(client.client(), call));
    Ok(TokenResponse {
        access_token,
        // "The OAuth 2.0 "token_type" response parameter value MUST be "Bearer", as specified in OAuth 2.0 Bearer Token
        // Usage [RFC6750], unless another Token Type has been negotiated with the Client." (OIDC Core §3.1.3.3)
        token_type: "Bearer",
        expires_in: redeemed.target.lifetime.as_secs(),
        refresh_token: redeemed.refresh_token,
        id_token,
        issued_token_type: None,
        used,
        scope: redeemed.target.scope.into(),
        issued: (Arc::clone(client.client()), grant_type),
    })
}

/// What an access token hangs on: it ends with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// An API token that was exchanged.
    ApiToken(Id),
    /// The client alone.
    Client,
    /// An approval.
    Grant(Id),
}

/// The identifiers that a `jti` of ours holds: what the token hangs on, and the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jti {
    /// What it hangs on.
    pub origin: Origin,
    /// The token.
    pub token_id: Id,
}

impl Jti {
    /// The grant, for an approval.
    pub const fn grant_id(&self) -> Option<Id> {
        match self.origin {
            Origin::Grant(id) => Some(id),
            Origin::ApiToken(_) | Origin::Client => None,
        }
    }
}

impl FromStr for Jti {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let id = |text: &str| text.parse::<Id>().map_err(drop);
        let (origin, token_id) = if let Some((grant_id, token_id)) = text.split_once('.') {
            (Origin::Grant(id(grant_id)?), token_id)
        } else if let Some((api_token_id, token_id)) = text.split_once('-') {
            (Origin::ApiToken(id(api_token_id)?), token_id)
        } else {
            (Origin::Client, text)
        };
        Ok(Self { origin, token_id: id(token_id)? })
    }
}

impl std::fmt::Display for Jti {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.origin {
            Origin::ApiToken(api_token_id) => write!(out, "{api_token_id}-{}", self.token_id),
            Origin::Client => self.token_id.fmt(out),
            Origin::Grant(grant_id) => write!(out, "{grant_id}.{}", self.token_id),
        }
    }
}
