//! Client: "An application making protected resource requests on behalf of the resource owner and with its
//! authorization." (RFC 6749 §1.1). The metadata carry the names of RFC 7591 and OpenID Connect Registration.

use grantor_jose::algorithm::Algorithm;
use grantor_jose::secret::{SecretHash, SecretText};
use serde::{Deserialize, Serialize};

use crate::account::ACCOUNT_TOKENS;
use crate::authorization::ResponseType;
use crate::change::Change;
use crate::client_auth::ClientAuthMethod;
use crate::error::Error;
use crate::grant_type::GrantType;
use crate::redirect_uri::{self, ValidRedirectUri};
use crate::scope::Scope;
use crate::time::Time;

mod clients;
mod encryption;
mod logout;
mod metadata;
mod request_uri;

pub use clients::Clients;
pub use encryption::Encryption;
pub use metadata::ClientMetadata;

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

/// How many hosts of an app that registered itself people are told of at once.
const HOSTS_NAMED: usize = 5;

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
    /// The secret itself, where the client's method needs it; sealed where it is kept, and kept for such clients alone.
    pub text: Option<SecretText>,
    /// Since when it counts.
    pub created_at: Time,
    /// Until when it counts, once another one has replaced it.
    pub expires_at: Option<Time>,
}

impl ClientSecret {
    /// A secret of which the hash is enough, from `created_at` on.
    pub fn hashed(text: &SecretText, created_at: Time) -> Self {
        Self { hash: text.hash(), text: None, created_at, expires_at: None }
    }

    /// A secret as a client of this method needs it, from `created_at` on.
    pub fn new(text: &SecretText, method: ClientAuthMethod, created_at: Time) -> Self {
        Self { text: method.needs_secret_text().then(|| text.clone()), ..Self::hashed(text, created_at) }
    }
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

    /// That the client is still what was read, where it may change itself at any time: what is allowed is for what it was then.
    pub(crate) fn expectation(&self) -> Option<Change> {
        let expected = || Change::ClientExpect { client_id: self.client_id.clone(), updated_at: self.updated_at };
        (self.trust == Trust::SelfRegistered).then(expected)
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

    /// Whether the client is registered for a response type, and for the grants that it takes.
    pub fn allows_response_type(&self, response_type: ResponseType) -> bool {
        let is_registered = match &self.metadata.response_types {
            Some(types) => {
                types.iter().any(|known| known.parse().is_ok_and(|known: ResponseType| known == response_type))
            }
            // "If omitted, the default is that the Client will use only the "code" Response Type." (OIDC Registration §2)
            None => response_type == ResponseType::Code,
        };
        is_registered && GrantType::needed_for(response_type).all(|grant_type| self.allows(grant_type))
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
        // "The "alg" value SHOULD be the default of "RS256" or the algorithm sent by the Client in the
        // "id_token_signed_response_alg" parameter during Registration." (OIDC Core §3.1.3.7)
        // "JWS "alg" algorithm [JWA] REQUIRED for signing the ID Token issued to this Client." (OIDC Registration §2)
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

    /// The name for people who read `language`; the one without a language where there is none.
    pub fn name_in(&self, language: &str) -> &str {
        self.metadata.in_language("client_name", language).unwrap_or_else(|| self.name())
    }

    /// A page of the app, as `policy_uri`, for people who read `language`, where it may be linked while an answer goes to `redirect_uri`.
    /// Whoever registered itself leads people nowhere but to the origin of this address: it may register any other.
    // "The authorization server SHOULD check to see if the "logo_uri", "tos_uri", "client_uri", and "policy_uri" have the same host
    // and scheme as the those defined in the array of "redirect_uris"" (RFC 7591 §5)
    pub fn page_in(&self, member: &str, language: &str, redirect_uri: &ValidRedirectUri) -> Option<&str> {
        let page = self.page(member, language)?;
        (self.trust != Trust::SelfRegistered || is_of(page, redirect_uri)).then_some(page)
    }

    /// The origin of the privacy policy or the terms of an app that registered itself, where that is another than the one of
    /// `redirect_uri`: to be read, and not to be followed. What else stands in the address is a stranger's text, and no page has it.
    pub fn page_elsewhere(&self, member: &str, language: &str, redirect_uri: &ValidRedirectUri) -> Option<String> {
        let page = self.page(member, language).filter(|page| !is_of(page, redirect_uri))?;
        let is_told = self.trust == Trust::SelfRegistered && matches!(member, "policy_uri" | "tos_uri");
        redirect_uri::origin(page).filter(|_| is_told)
    }

    /// A page as it is registered.
    fn page(&self, member: &str, language: &str) -> Option<&str> {
        let plain = match member {
            "client_uri" => &self.metadata.client_uri,
            "policy_uri" => &self.metadata.policy_uri,
            "tos_uri" => &self.metadata.tos_uri,
            _ => &None,
        };
        let page = self.metadata.in_language(member, language).or(plain.as_deref())?;
        redirect_uri::web_page(page).map(|_| page)
    }

    /// Where a browser may be sent for the app to begin a sign-in at `issuer` (OpenID Connect Core §4).
    pub fn sign_in_page(&self, issuer: &str) -> Option<String> {
        let page = self.metadata.initiate_login_uri.as_deref()?;
        let mut url = redirect_uri::web_page(page).filter(|url| url.scheme() == "https")?;
        let origin = redirect_uri::origin(page);
        let is_own = self.metadata.redirect_uris.iter().any(|uri| redirect_uri::origin(uri) == origin);
        // "REQUIRED. Issuer Identifier for the OP that the RP is to send the Authentication Request to." (OIDC Core §4)
        // "iss REQUIRED. Issuer Identifier for the OP that the RP is to send the Authentication Request to. Its value MUST be a URL using the
        // "https" scheme." (OIDC Core §4)
        url.query_pairs_mut().append_pair("iss", issuer);
        (self.trust != Trust::SelfRegistered || is_own).then(|| url.into())
    }

    /// The host for people: that of the app's page, else of its first redirect URI. Who registered itself may name any page and any
    /// address beside its own; so all of its hosts are named, as far as they fit.
    pub fn host(&self) -> String {
        let addresses = &self.metadata.redirect_uris;
        if self.trust != Trust::SelfRegistered {
            let page = self.metadata.client_uri.as_ref().or(addresses.first());
            return page.map(|uri| redirect_uri::host(uri)).unwrap_or_default();
        }
        let mut hosts: Vec<String> = addresses.iter().map(|uri| redirect_uri::host(uri)).collect();
        hosts.sort_unstable();
        hosts.dedup();
        if hosts.len() > HOSTS_NAMED {
            hosts.splice(HOSTS_NAMED.., ["\u{2026}".to_owned()]);
        }
        hosts.join(", ")
    }

    /// The host for people while an answer goes to `redirect_uri`: of an app that registered itself, where that is.
    pub fn host_at(&self, redirect_uri: &ValidRedirectUri) -> String {
        if self.trust == Trust::SelfRegistered { redirect_uri.host() } else { self.host() }
    }

    /// Whether scripts of `origin` may read answers meant for this client.
    pub fn allows_origin(&self, origin: &str) -> bool {
        match &self.metadata.allowed_origins {
            Some(origins) => origins.iter().any(|known| known == origin),
            None => self.metadata.redirect_uris.iter().any(|uri| redirect_uri::origin(uri).as_deref() == Some(origin)),
        }
    }
}

/// Whether a page lies where an answer goes.
fn is_of(page: &str, address: &ValidRedirectUri) -> bool {
    redirect_uri::origin(page) == redirect_uri::origin(address.as_str())
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
