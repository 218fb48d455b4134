//! What is registered of a client, in the names of RFC 7591 §2 and OpenID Connect Registration §2.

use grantor_jose::algorithm::Algorithm;
use grantor_jose::jwk::JwkSet;
use serde::{Deserialize, Serialize};

use super::{AccessTokenFormat, logout};
use crate::client_auth::ClientAuthMethod;
use crate::error::Error;
use crate::grant_type::GrantType;
use crate::network::Networks;
use crate::redirect_uri::{self, ApplicationType};
use crate::scope::Scope;

/// What is registered of a client (RFC 7591 §2, OpenID Connect Registration §2, and our own members).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the wire has them")]
pub struct ClientMetadata {
    /// The name people are shown.
    pub client_name: String,
    /// The app's own page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    /// The app's logo; kept, not yet shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    /// The app's privacy policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    /// The app's terms of service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    /// Ways to reach the people behind the app.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<String>,
    /// `web` or `native`.
    pub application_type: ApplicationType,
    /// Where answers may be sent.
    pub redirect_uris: Vec<String>,
    /// Where a browser may be sent after sign-out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub post_logout_redirect_uris: Vec<String>,
    /// Where the app is told that a session has ended, from server to server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<String>,
    /// Whether the app must be told which session that was; it always is.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub backchannel_logout_session_required: bool,
    /// What the page of signing out frames, so that the app clears what the browser keeps for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_uri: Option<String>,
    /// Whether the frame must say which session that was, by `iss` and `sid`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub frontchannel_logout_session_required: bool,
    /// The grants that the client may use; default `authorization_code`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_types: Option<Vec<GrantType>>,
    /// The response types that the client may use; default `code`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_types: Option<Vec<String>>,
    /// How the client proves who it is at the token endpoint.
    pub token_endpoint_auth_method: ClientAuthMethod,
    /// The scopes that the client may ask for.
    pub scope: Scope,
    /// The client's public keys, for `private_key_jwt`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<JwkSet>,
    /// The algorithm of assertions at the token endpoint; any of ours when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_signing_alg: Option<Algorithm>,
    /// The algorithm of ID tokens; default RS256, as OpenID Connect Registration §2 has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_signed_response_alg: Option<Algorithm>,
    /// The algorithm of signed userinfo answers; plain JSON when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_signed_response_alg: Option<Algorithm>,
    /// The algorithm of signed introspection answers; default RS256, as RFC 9701 §6 has it. Those are signed whose
    /// request accepts `application/token-introspection+jwt`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introspection_signed_response_alg: Option<Algorithm>,
    /// The `max_age` of requests that name none, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<u64>,
    /// Whether ID tokens always carry `auth_time`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub require_auth_time: bool,
    /// The form of access tokens, where the API does not declare one.
    pub access_token_format: AccessTokenFormat,
    /// For the team's own apps: people are not asked.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub skip_consent: bool,
    /// Whether PKCE is required; the policy decides when absent. Public clients always need it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require_pkce: Option<bool>,
    /// Claims of granted scopes that go into the ID token too, for tools that never call userinfo.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub id_token_claims: Vec<String>,
    /// Web origins that may read token, userinfo and revocation answers; default the origins of the redirect URIs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_origins: Option<Vec<String>>,
    /// From where the client may ask for tokens, and from where they may be used; from anywhere when absent.
    #[serde(skip_serializing_if = "Networks::is_anywhere")]
    pub networks: Networks,
}

impl ClientMetadata {
    /// Checks the rules that hold between members.
    ///
    /// # Errors
    /// `MetadataInvalid` with the member and what is wrong, or `RedirectUriUnsafe`.
    pub fn check(&self) -> Result<(), Error> {
        for uri in &self.redirect_uris {
            redirect_uri::check(uri, self.application_type)?;
        }
        for uri in &self.post_logout_redirect_uris {
            redirect_uri::check(uri, self.application_type)?;
        }
        logout::check(self)?;
        let invalid = |member, why| Err(Error::MetadataInvalid(member, why));
        let grants = self.grant_types.as_deref().unwrap_or(&[GrantType::AuthorizationCode]);
        if grants.contains(&GrantType::AuthorizationCode) && self.redirect_uris.is_empty() {
            return invalid("redirect_uris", "authorization_code needs at least one");
        }
        if let Some(types) = &self.response_types
            && types.iter().any(|known| known != "code")
        {
            return invalid("response_types", "only \"code\" is offered");
        }
        let public = self.token_endpoint_auth_method == ClientAuthMethod::None;
        // "The client credentials grant type MUST only be used by confidential clients." (RFC 6749 §4.4)
        if public && grants.contains(&GrantType::ClientCredentials) {
            return invalid("grant_types", "client_credentials needs an app that authenticates");
        }
        if public && self.require_pkce == Some(false) {
            return invalid("require_pkce", "an app without authentication always needs PKCE");
        }
        if self.token_endpoint_auth_method == ClientAuthMethod::PrivateKeyJwt && self.jwks.is_none() {
            return invalid("jwks", "private_key_jwt needs the app's public keys");
        }
        Ok(())
    }
}
