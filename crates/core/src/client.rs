//! Client: "An application making protected resource requests on behalf of the resource owner and with its
//! authorization." (RFC 6749 §1.1). The metadata carry the names of RFC 7591 and OpenID Connect Registration.

use grantor_jose::algorithm::Algorithm;
use grantor_jose::jwk::JwkSet;
use grantor_jose::secret::SecretHash;
use serde::{Deserialize, Serialize};

use crate::account::ACCOUNT_TOKENS;
use crate::client_auth::ClientAuthMethod;
use crate::error::Error;
use crate::grant_type::GrantType;
use crate::network::Networks;
use crate::redirect_uri::{self, ApplicationType, ValidRedirectUri};
use crate::scope::Scope;
use crate::time::Time;

/// The form of an access token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccessTokenFormat {
    /// A signed JWT that carries its own facts (RFC 9068); no row is written for it.
    #[default]
    Jwt,
    /// A reference that only introspection can read.
    Opaque,
}

/// How an app came to be known, which people are told at consent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// Declared by an administrator.
    #[default]
    Administrator,
    /// Proved to own the origin of its `client_uri`.
    VerifiedOwner,
    /// Registered itself; nobody has checked it.
    SelfRegistered,
}

/// A secret of a confidential client, as its hash.
#[derive(Clone, Debug)]
pub struct ClientSecret {
    /// SHA-256 of the secret: a generated secret has entropy of its own and needs no slow hash.
    pub hash: SecretHash,
    /// Since when it counts.
    pub created_at: Time,
    /// Until when it counts, once another one has replaced it.
    pub expires_at: Option<Time>,
}

/// What is registered of a client (RFC 7591 §2, OpenID Connect Registration §2, and our own members).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
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

/// A registered client.
#[derive(Clone, Debug)]
pub struct Client {
    /// The identifier, as it stands in requests.
    pub client_id: String,
    /// What is registered of it.
    pub metadata: ClientMetadata,
    /// Its secrets: the current one, and replaced ones until their overlap ends.
    pub secrets: Vec<ClientSecret>,
    /// How it came to be known.
    pub trust: Trust,
    /// Whether it is switched off.
    pub disabled: bool,
    /// When it was registered.
    pub created_at: Time,
    /// When it was last changed.
    pub updated_at: Time,
}

impl Client {
    /// The proof that `received` is an address of this client.
    ///
    /// # Errors
    /// `RedirectUriMissing` without one, `RedirectUriMismatch` for another.
    pub fn redirect_uri(&self, received: Option<&str>) -> Result<ValidRedirectUri, Error> {
        let known = &self.metadata.redirect_uris;
        match (received, known.as_slice()) {
            (Some(received), _) => known
                .iter()
                .any(|registered| redirect_uri::matches(registered, received, self.metadata.application_type))
                .then(|| ValidRedirectUri::proven(received))
                .ok_or(Error::RedirectUriMismatch),
            // "If multiple redirection URIs have been registered, if only part of the redirection URI has been registered, or
            // if no redirection URI has been registered, the client MUST include a redirection URI with the authorization
            // request using the "redirect_uri" request parameter." (RFC 6749 §3.1.2.3)
            (None, [only]) => Ok(ValidRedirectUri::proven(only)),
            (None, _) => Err(Error::RedirectUriMissing),
        }
    }

    /// Whether the client cannot keep a secret (RFC 6749 §2.1).
    pub fn is_public(&self) -> bool {
        self.metadata.token_endpoint_auth_method == ClientAuthMethod::None
    }

    /// Whether the client is registered for a grant type.
    pub fn allows(&self, grant_type: GrantType) -> bool {
        match &self.metadata.grant_types {
            Some(registered) => registered.contains(&grant_type),
            None => grant_type == GrantType::AuthorizationCode,
        }
    }

    /// Whether the client is registered for `response_type=code`.
    pub fn allows_code(&self) -> bool {
        self.allows(GrantType::AuthorizationCode)
            && self.metadata.response_types.as_ref().is_none_or(|types| types.iter().any(|known| known == "code"))
    }

    /// Whether the client must use PKCE.
    pub fn requires_pkce(&self, policy: bool) -> bool {
        self.is_public() || self.metadata.require_pkce.unwrap_or(policy)
    }

    /// Whether people are not asked for `scope` when the answer goes to `redirect_uri`. Before an app makes tokens in their name,
    /// they always are.
    pub fn asks_nobody(&self, redirect_uri: &str, scope: &Scope) -> bool {
        self.metadata.skip_consent && !self.may_be_another(redirect_uri) && !scope.contains(ACCOUNT_TOKENS)
    }

    /// Whether any app of the same machine could pose as this client, since nothing proves who answers at `redirect_uri`.
    pub fn may_be_another(&self, redirect_uri: &str) -> bool {
        self.is_public() && !redirect_uri.starts_with("https:")
    }

    /// The algorithm of this client's ID tokens.
    pub fn id_token_algorithm(&self) -> Algorithm {
        // "The default, if omitted, is RS256." (OIDC Registration §2)
        self.metadata.id_token_signed_response_alg.unwrap_or(Algorithm::Rs256)
    }

    /// The algorithm of signed introspection answers to this client.
    pub fn introspection_algorithm(&self) -> Algorithm {
        // RS256 where none is registered (RFC 9701 §6). ES256 costs a twentieth of it: for APIs that ask often.
        self.metadata.introspection_signed_response_alg.unwrap_or(Algorithm::Rs256)
    }

    /// The name for people; the identifier where none is registered.
    pub fn name(&self) -> &str {
        if self.metadata.client_name.is_empty() { &self.client_id } else { &self.metadata.client_name }
    }

    /// The host for people: that of the app's page, else of its first redirect URI.
    pub fn host(&self) -> String {
        let page = self.metadata.client_uri.as_ref().or(self.metadata.redirect_uris.first());
        page.map(|uri| redirect_uri::host(uri)).unwrap_or_default()
    }

    /// Whether scripts of `origin` may read answers meant for this client.
    pub fn allows_origin(&self, origin: &str) -> bool {
        match &self.metadata.allowed_origins {
            Some(origins) => origins.iter().any(|known| known == origin),
            None => self.metadata.redirect_uris.iter().any(|uri| redirect_uri::origin(uri).as_deref() == Some(origin)),
        }
    }
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

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A confidential web app with one address and the usual grants.
    pub(crate) fn sample(client_id: &str) -> Client {
        Client {
            client_id: client_id.into(),
            metadata: ClientMetadata {
                client_name: "Wiki".into(),
                redirect_uris: vec!["https://wiki.example/cb".into()],
                grant_types: Some(vec![GrantType::AuthorizationCode, GrantType::RefreshToken]),
                scope: "openid profile email offline_access".parse().unwrap(),
                ..ClientMetadata::default()
            },
            secrets: Vec::new(),
            trust: Trust::Administrator,
            disabled: false,
            created_at: Time::default(),
            updated_at: Time::default(),
        }
    }

    #[test]
    fn no_redirect_uri_with_several_registered_is_no_guess() {
        let mut client = sample("wiki");
        assert!(client.redirect_uri(None).is_ok());
        client.metadata.redirect_uris.push("https://wiki.example/other".into());
        assert!(matches!(client.redirect_uri(None), Err(Error::RedirectUriMissing)));
    }

    #[test]
    fn a_public_client_always_needs_pkce() {
        let mut client = sample("spa");
        client.metadata.token_endpoint_auth_method = ClientAuthMethod::None;
        client.metadata.require_pkce = Some(false);
        assert!(client.requires_pkce(false));
        assert!(client.metadata.check().is_err());
    }

    proptest! {
        #[test]
        fn only_the_registered_address_is_proven(received in any::<String>()) {
            let proven = sample("wiki").redirect_uri(Some(&received)).is_ok();
            prop_assert_eq!(proven, received == "https://wiki.example/cb");
        }
    }
}
