//! What is registered of a client, in the names of RFC 7591 §2 and OpenID Connect Registration §2.

use std::collections::BTreeMap;

use grantor_jose::algorithm::Algorithm;
use grantor_jose::jwe::{ContentEncryption, KeyAlgorithm};
use grantor_jose::jwk::JwkSet;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{AccessTokenFormat, logout, request_uri};
use crate::authorization::{RequestObjectSigning, ResponseType};
use crate::client_auth::{AssertionAlgorithm, ClientAuthMethod};
use crate::error::Error;
use crate::grant_type::GrantType;
use crate::level::Level;
use crate::network::Networks;
use crate::redirect_uri::{self, ApplicationType};
use crate::scope::Scope;
use crate::subject::SubjectType;

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
    /// Whether the frame must say which session that was, by `iss` and `sid`; it always does.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub frontchannel_logout_session_required: bool,
    /// The grants that the client may use; default `authorization_code`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_types: Option<Vec<GrantType>>,
    /// The response types that the client may use; default `code`. Those with tokens need the grant type `implicit`, too, and
    /// the setting `clients.allow_front_channel_tokens`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_types: Option<Vec<String>>,
    /// How the client proves who it is at the token endpoint.
    pub token_endpoint_auth_method: ClientAuthMethod,
    /// The scopes that the client may ask for.
    pub scope: Scope,
    /// The client's public keys: for `private_key_jwt`, and those that answers are encrypted to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<JwkSet>,
    /// Where the client publishes them, in place of `jwks`: they are read from there, and again when an assertion names another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// The algorithm of assertions at the token endpoint; any of ours that the method has when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_signing_alg: Option<AssertionAlgorithm>,
    /// The algorithm of ID tokens; default RS256, as OpenID Connect Registration §2 has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_signed_response_alg: Option<Algorithm>,
    /// The algorithm of signed userinfo answers; plain JSON when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_signed_response_alg: Option<Algorithm>,
    /// How the key of encrypted ID tokens reaches the app: `ECDH-ES`, `ECDH-ES+A128KW`, `ECDH-ES+A256KW` or `RSA-OAEP-256`; not
    /// encrypted when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_encrypted_response_alg: Option<KeyAlgorithm>,
    /// How ID tokens are encrypted: `A128CBC-HS256` (default), `A256CBC-HS512`, `A128GCM` or `A256GCM`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_encrypted_response_enc: Option<ContentEncryption>,
    /// The same for userinfo answers as `id_token_encrypted_response_alg`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_encrypted_response_alg: Option<KeyAlgorithm>,
    /// The same for userinfo answers as `id_token_encrypted_response_enc`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_encrypted_response_enc: Option<ContentEncryption>,
    /// By what people are known to the app: `public`, the same for all apps, or `pairwise`, another for each sector. A change gives
    /// everybody another subject there, and ends what they have allowed the app so far.
    #[serde(skip_serializing_if = "SubjectType::is_public")]
    pub subject_type: SubjectType,
    /// An https address whose host is the sector of the app, for apps of several hosts; a list of all their redirect URIs lies there.
    /// What an administrator declares is believed and not fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sector_identifier_uri: Option<String>,
    /// The algorithm of signed introspection answers; default RS256, as RFC 9701 §6 has it. Those are signed whose
    /// request accepts `application/token-introspection+jwt`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introspection_signed_response_alg: Option<Algorithm>,
    /// The algorithm of request objects; any of ours when absent. With `none` they are not signed, and anybody can make them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_object_signing_alg: Option<RequestObjectSigning>,
    /// How the app may encrypt its request objects to this server: `ECDH-ES`, `ECDH-ES+A128KW` or `ECDH-ES+A256KW`. Whatever stands here,
    /// it may use each of them, and none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_object_encryption_alg: Option<KeyAlgorithm>,
    /// The same for the encryption of the content: `A128CBC-HS256`, `A256CBC-HS512`, `A128GCM` or `A256GCM`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_object_encryption_enc: Option<ContentEncryption>,
    /// The https addresses at which request objects of the app may lie (`request_uri`); no other is ever asked. The fragment, where there
    /// is one, is the SHA-256 hash of the object, in base64url.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub request_uris: Vec<String>,
    /// Whether each authorization request must be a signed request object, beside which nothing counts (RFC 9101 §10.5).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub require_signed_request_object: bool,
    /// The `max_age` of requests that name none, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<u64>,
    /// The authentication contexts (`acr`) wished for by requests that name none, the preferred one first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub default_acr_values: Vec<String>,
    /// How surely people must be known who come in: `password`, `two-factors` or `phishing-resistant`; in any way when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least_level: Option<Level>,
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
    /// Claims of granted scopes that go into the ID token too, for tools that never call userinfo; in one language as `name#de`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub id_token_claims: Vec<String>,
    /// Web origins that may read token, userinfo and revocation answers; default the origins of the redirect URIs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_origins: Option<Vec<String>>,
    /// From where the client may ask for tokens, and from where they may be used; from anywhere when absent.
    #[serde(skip_serializing_if = "Networks::is_anywhere")]
    pub networks: Networks,
    /// Where others may send a browser for the app to begin a sign-in (OpenID Connect Core §4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiate_login_uri: Option<String>,
    /// What tells the software from others, the same for all its installations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_id: Option<String>,
    /// The version of the software.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_version: Option<String>,
    /// What somebody whom we trust says of the software, as it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software_statement: Option<String>,
    /// Name and addresses for people in other languages, as `client_name#de` and `policy_uri#fr`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub localized: BTreeMap<String, String>,
}

impl ClientMetadata {
    /// What a member says in a language, where it says something in this one: `de` finds `de`, then `de-CH`; `de-CH` finds itself,
    /// then `de`, then `de-AT`.
    // "However, since BCP 47 language tag values are case-insensitive, implementations SHOULD interpret the language tag values
    // supplied in a case insensitive manner." (RFC 7591 §2.2)
    // "If such a human-readable field is sent without a language tag, parties using it MUST NOT make any assumptions about the
    // language, character set, or script of the string value, and the string value MUST be used as-is wherever it is presented in a
    // user interface." (OIDC Registration §2.1)
    // "If any human-readable field is sent without a language tag, parties using it MUST NOT make any assumptions about the
    // language, character set, or script of the string value, and the string value MUST be used as is wherever it is presented in a
    // user interface." (RFC 7591 §2.2)
    pub fn in_language(&self, member: &str, language: &str) -> Option<&str> {
        let wanted = language.to_ascii_lowercase();
        let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_owned();
        let fits = |tag: &str, rank: usize| match rank {
            0 => tag == wanted,
            1 => tag == primary(&wanted),
            _ => primary(tag) == primary(&wanted),
        };
        let says = |name: &str, rank: usize| {
            let tag = name.split_once('#').filter(|(known, _)| *known == member);
            tag.is_some_and(|(_, tag)| fits(&tag.to_ascii_lowercase(), rank))
        };
        (0..3).find_map(|rank| self.localized.iter().find(|(name, _)| says(name, rank)).map(|(_, text)| text.as_str()))
    }

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
        // "redirect_uris REQUIRED. Array of Redirection URI values used by the Client." (OIDC Registration §2)
        if grants.contains(&GrantType::AuthorizationCode) && self.redirect_uris.is_empty() {
            // "Authorization servers that support dynamic registration for redirect-based flows MUST implement support for this
            // metadata value." (RFC 7591 §2)
            // "For clients that use redirect-based grant types such as "authorization_code" and "implicit", authorization servers
            // MUST require clients to register their redirection URI values." (RFC 7591 §5)
            return invalid("redirect_uris", "authorization_code needs at least one");
        }
        self.check_front_channel(grants)?;
        let public = self.token_endpoint_auth_method == ClientAuthMethod::None;
        // "The client credentials grant type MUST only be used by confidential clients." (RFC 6749 §4.4)
        if public && grants.contains(&GrantType::ClientCredentials) {
            return invalid("grant_types", "client_credentials needs an app that authenticates");
        }
        if public && self.require_pkce == Some(false) {
            return invalid("require_pkce", "an app without authentication always needs PKCE");
        }
        let has_keys = self.jwks.is_some() || self.jwks_uri.is_some();
        if self.token_endpoint_auth_method == ClientAuthMethod::PrivateKeyJwt && !has_keys {
            return invalid("jwks", "private_key_jwt needs the app's public keys, or their address in jwks_uri");
        }
        self.check_jwks_uri()?;
        self.check_assertions()?;
        self.check_request_objects()?;
        request_uri::check(&self.request_uris)?;
        self.check_encryption()?;
        self.check_subjects()
    }

    fn check_jwks_uri(&self) -> Result<(), Error> {
        let Some(uri) = &self.jwks_uri else { return Ok(()) };
        let invalid = |why| Err(Error::MetadataInvalid("jwks_uri", why));
        // "The "jwks_uri" and "jwks" parameters MUST NOT both be present in the same request or response." (RFC 7591 §2)
        // "The "jwks_uri" and "jwks" parameters MUST NOT be used together." (OIDC Registration §2)
        if self.jwks.is_some() {
            return invalid("stands beside jwks; the keys are in one place");
        }
        // "URL for the Client's JWK Set [JWK] document, which MUST use the "https" scheme." (OIDC Registration §2)
        let url = Url::parse(uri).ok().filter(|url| url.scheme() == "https" && url.has_host());
        match url {
            None => invalid("is no https URL"),
            Some(url) if !url.username().is_empty() || url.password().is_some() => invalid("has user information"),
            Some(url) if url.fragment().is_some() => invalid("has a fragment"),
            Some(_) => Ok(()),
        }
    }

    /// Each algorithm belongs to one method.
    fn check_assertions(&self) -> Result<(), Error> {
        let why = match (self.token_endpoint_auth_method, self.token_endpoint_auth_signing_alg) {
            (ClientAuthMethod::PrivateKeyJwt, Some(AssertionAlgorithm::Mac(_))) => {
                "is for client_secret_jwt; private_key_jwt is signed by the app's key"
            }
            (ClientAuthMethod::ClientSecretJwt, Some(AssertionAlgorithm::Signature(_))) => {
                "is for private_key_jwt; client_secret_jwt is signed by HS256, HS384 or HS512"
            }
            _ => return Ok(()),
        };
        Err(Error::MetadataInvalid("token_endpoint_auth_signing_alg", why))
    }

    fn check_request_objects(&self) -> Result<(), Error> {
        let invalid = |member, why| Err(Error::MetadataInvalid(member, why));
        match self.request_object_signing_alg {
            _ if !self.require_signed_request_object => Ok(()),
            // "It MUST also reject the request if the Request Object uses an "alg" value of "none" when this server metadata value
            // is "true"." (RFC 9101 §10.5)
            Some(RequestObjectSigning::Nobody) => invalid(
                "request_object_signing_alg",
                "\"none\" signs nothing, and require_signed_request_object asks for it",
            ),
            _ if self.jwks.is_none() && self.jwks_uri.is_none() => invalid(
                "jwks",
                "require_signed_request_object needs the app's public keys, or their address in jwks_uri",
            ),
            _ => Ok(()),
        }
    }

    /// The rules for tokens that travel through the browser.
    fn check_front_channel(&self, grants: &[GrantType]) -> Result<(), Error> {
        let invalid = |member, why| Err(Error::MetadataInvalid(member, why));
        for known in self.response_types.iter().flatten() {
            let Ok(known) = known.parse::<ResponseType>() else {
                return invalid(
                    "response_types",
                    "each is one of \"code\", \"id_token\", \"id_token token\", \"code id_token\", \"code token\" and \"code id_token token\"",
                );
            };
            // "The following table lists the correspondence between "response_type" values that the Client will use and
            // "grant_type" values that MUST be included in the registered "grant_types" list:" (OIDC Registration §2)
            // Laxer than OIDC Registration: an app that never asks for a code may still list it, as it always could.
            if known.is_front_channel() && !GrantType::needed_for(known).all(|needed| grants.contains(&needed)) {
                return invalid(
                    "grant_types",
                    "response types with tokens need \"implicit\", and those with a code \"authorization_code\" beside it",
                );
            }
        }
        if !grants.contains(&GrantType::Implicit) {
            return Ok(());
        }
        if self.redirect_uris.is_empty() {
            return invalid("redirect_uris", "implicit needs at least one");
        }
        // "Web Clients using the OAuth Implicit Grant Type MUST only register URLs using the "https" scheme as "redirect_uris";
        // they MUST NOT use "localhost" as the hostname." (OIDC Registration §2)
        // "When using this flow, the Redirection URI MUST NOT use the "http" scheme unless the Client is a native
        // application, in which case it MAY use the "http" scheme with "localhost" or the IP loopback literals "127.0.0.1"
        // or "[::1]" as the hostname." (OIDC Core §3.2.2.1)
        let is_remote =
            |uri: &String| uri.starts_with("https:") && redirect_uri::host(uri).split(':').next() != Some("localhost");
        if self.application_type == ApplicationType::Web && !self.redirect_uris.iter().all(is_remote) {
            return invalid(
                "redirect_uris",
                "a web app with the grant type implicit needs https and another host than localhost",
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_fault(response_types: &[&str], grant_types: &[GrantType], redirect_uri: &str) -> Option<&'static str> {
        let metadata = ClientMetadata {
            redirect_uris: vec![redirect_uri.to_owned()],
            grant_types: Some(grant_types.to_vec()),
            response_types: Some(response_types.iter().map(|kind| (*kind).to_owned()).collect()),
            ..ClientMetadata::default()
        };
        match metadata.check() {
            Err(Error::MetadataInvalid(member, _)) => Some(member),
            _ => None,
        }
    }

    #[test]
    fn who_must_sign_requests_can() {
        let metadata = |signing, jwks| ClientMetadata {
            redirect_uris: vec![HTTPS.to_owned()],
            require_signed_request_object: true,
            request_object_signing_alg: signing,
            jwks,
            ..ClientMetadata::default()
        };
        let keys = || Some(JwkSet::default());
        assert!(metadata(Some(RequestObjectSigning::By(Algorithm::Es256)), keys()).check().is_ok());
        assert!(metadata(Some(RequestObjectSigning::Nobody), keys()).check().is_err());
        assert!(metadata(None, None).check().is_err());
    }

    const HTTPS: &str = "https://wiki.example/cb";

    #[test]
    fn response_types_and_grant_types_agree() {
        let (code, implicit) = (GrantType::AuthorizationCode, GrantType::Implicit);
        assert_eq!(at_fault(&["code", "token id_token", "code id_token"], &[code, implicit], HTTPS), None);
        assert_eq!(at_fault(&["id_token"], &[implicit], HTTPS), None);
        assert_eq!(at_fault(&["id_token"], &[code], HTTPS), Some("grant_types"));
        assert_eq!(at_fault(&["code token"], &[implicit], HTTPS), Some("grant_types"));
        for unknown in ["token", "none", "", "code code"] {
            assert_eq!(at_fault(&[unknown], &[code, implicit], HTTPS), Some("response_types"), "{unknown}");
        }
    }

    // "Web Clients using the OAuth Implicit Grant Type MUST only register URLs using the "https" scheme as "redirect_uris";
    // they MUST NOT use "localhost" as the hostname." (OIDC Registration §2)
    // "When using this flow, the Redirection URI MUST NOT use the "http" scheme unless the Client is a native application,
    // in which case it MAY use the "http" scheme with "localhost" or the IP loopback literals "127.0.0.1" or "[::1]" as the
    // hostname." (OIDC Core §3.2.2.1)
    #[test]
    fn tokens_through_the_browser_go_to_https_addresses_of_web_apps() {
        for uri in ["http://localhost:8080/cb", "http://127.0.0.1/cb", "https://localhost/cb", "https://localhost:1/cb"]
        {
            assert_eq!(at_fault(&["id_token"], &[GrantType::Implicit], uri), Some("redirect_uris"), "{uri}");
            assert_eq!(at_fault(&["code"], &[GrantType::AuthorizationCode], uri), None, "{uri}");
        }
    }
}
