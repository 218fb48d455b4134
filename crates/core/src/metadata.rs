//! Metadata of the provider (OIDC Discovery §3, RFC 8414 §2), derived from what is really on.

use grantor_jose::algorithm::Algorithm;
use grantor_jose::jwe::{ContentEncryption, KeyAlgorithm};
use serde::Serialize;

use crate::authorization::{RequestObjectSigning, ResponseMode, ResponseType};
use crate::claims;
use crate::client::Trust;
use crate::client_auth::{AssertionAlgorithm, ClientAuthMethod};
use crate::directory::Directory;
use crate::grant_type::GrantType;
use crate::policy::Policy;
use crate::provider::Provider;
use crate::session::{ACR_PASSWORD, ACR_UPSTREAM};
use crate::store::Store;
use crate::subject::SubjectType;
use crate::time::Time;

/// The path of the token endpoint below the issuer, which assertions may name.
pub const TOKEN_PATH: &str = "/token";

/// The paths of the endpoints below the issuer, as the routes have them.
#[derive(Clone, Copy, Debug)]
pub struct Endpoints {
    /// The authorization endpoint.
    pub authorization: &'static str,
    /// The frame by which apps watch whether the person is still signed in, where they may.
    pub check_session: Option<&'static str>,
    /// The logout endpoint.
    pub end_session: &'static str,
    /// The introspection endpoint.
    pub introspection: &'static str,
    /// The key set.
    pub jwks: &'static str,
    /// The registration endpoint; none where apps cannot register themselves.
    pub registration: Option<&'static str>,
    /// The revocation endpoint.
    pub revocation: &'static str,
    /// The token endpoint.
    pub token: &'static str,
    /// The userinfo endpoint.
    pub userinfo: &'static str,
}

/// The metadata document.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the wire has them")]
pub struct Metadata {
    // "The issuer returned by discovery MUST exactly match the value of "iss" in the ID Token." (OIDC Core §16.15)
    // "issuer REQUIRED." (OIDC Discovery §3)
    issuer: String,
    // "authorization_endpoint REQUIRED." (OIDC Discovery §3)
    authorization_endpoint: String,
    // "This is REQUIRED unless only the Implicit Flow is used." (OIDC Discovery §3)
    token_endpoint: String,
    // "userinfo_endpoint RECOMMENDED." (OIDC Discovery §3)
    userinfo_endpoint: String,
    // "jwks_uri REQUIRED." (OIDC Discovery §3)
    jwks_uri: String,
    // "registration_endpoint RECOMMENDED." (OIDC Discovery §3)
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_endpoint: Option<String>,
    revocation_endpoint: String,
    introspection_endpoint: String,
    // "end_session_endpoint REQUIRED. URL at the OP to which an RP can perform a redirect to request that the End-User be
    // logged out at the OP." (OIDC RP-Initiated Logout §2.1)
    end_session_endpoint: String,
    // "check_session_iframe REQUIRED. URL of an OP iframe that supports cross-origin communications for session state
    // information with the RP Client, using the HTML5 postMessage API." (OIDC Session Management §3.3)
    #[serde(skip_serializing_if = "Option::is_none")]
    check_session_iframe: Option<String>,
    frontchannel_logout_supported: bool,
    // "It SHOULD also register this related metadata value:" (OIDC Front-Channel Logout §3)
    frontchannel_logout_session_supported: bool,
    backchannel_logout_supported: bool,
    // "It SHOULD also register this related metadata value:" (OIDC Back-Channel Logout §2.1)
    backchannel_logout_session_supported: bool,
    // "scopes_supported RECOMMENDED." (OIDC Discovery §3)
    scopes_supported: Vec<String>,
    // "response_types_supported REQUIRED." (OIDC Discovery §3)
    response_types_supported: Vec<&'static str>,
    response_modes_supported: [&'static str; 3],
    grant_types_supported: Vec<&'static str>,
    // "The OpenID Provider's Discovery document MUST list its supported Subject Identifier types in the
    // "subject_types_supported" element." (OIDC Core §8)
    // "subject_types_supported REQUIRED." (OIDC Discovery §3)
    subject_types_supported: [&'static str; 2],
    // "id_token_signing_alg_values_supported REQUIRED." (OIDC Discovery §3)
    id_token_signing_alg_values_supported: Vec<Algorithm>,
    id_token_encryption_alg_values_supported: &'static [KeyAlgorithm],
    id_token_encryption_enc_values_supported: &'static [ContentEncryption],
    userinfo_signing_alg_values_supported: Vec<Algorithm>,
    userinfo_encryption_alg_values_supported: &'static [KeyAlgorithm],
    userinfo_encryption_enc_values_supported: &'static [ContentEncryption],
    token_endpoint_auth_methods_supported: Vec<&'static str>,
    token_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    revocation_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    introspection_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    introspection_signing_alg_values_supported: Vec<Algorithm>,
    code_challenge_methods_supported: [&'static str; 1],
    authorization_response_iss_parameter_supported: bool,
    // "claims_supported RECOMMENDED." (OIDC Discovery §3)
    claims_supported: Vec<String>,
    claim_types_supported: [&'static str; 1],
    claims_parameter_supported: bool,
    #[serde(flatten)]
    request_objects: RequestObjects,
    prompt_values_supported: Vec<&'static str>,
    display_values_supported: [&'static str; 1],
    acr_values_supported: Vec<&'static str>,
    ui_locales_supported: Vec<&'static str>,
}

/// What of it is about requests that apps sign.
#[derive(Debug, Serialize)]
struct RequestObjects {
    request_parameter_supported: bool,
    request_object_signing_alg_values_supported: Vec<&'static str>,
    request_object_encryption_alg_values_supported: &'static [KeyAlgorithm],
    request_object_encryption_enc_values_supported: &'static [ContentEncryption],
    request_uri_parameter_supported: bool,
    require_request_uri_registration: bool,
}

/// Builds the document for what is on at `now`.
pub fn metadata<S: Store>(
    provider: &Provider<S>,
    endpoints: &Endpoints,
    languages: &[&'static str],
    now: Time,
) -> Metadata {
    let (issuer, policy, directory) = (&provider.issuer, &provider.policy, &provider.store.directory());
    let signing = directory.keys.algorithms(now);
    let methods = |public: bool| {
        let offered =
            ClientAuthMethod::ALL.into_iter().filter(move |method| public || *method != ClientAuthMethod::None);
        offered.map(ClientAuthMethod::as_str).collect::<Vec<_>>()
    };
    Metadata {
        issuer: issuer.as_str().to_owned(),
        authorization_endpoint: issuer.at(endpoints.authorization),
        token_endpoint: issuer.at(endpoints.token),
        userinfo_endpoint: issuer.at(endpoints.userinfo),
        jwks_uri: issuer.at(endpoints.jwks),
        registration_endpoint: endpoints.registration.map(|path| issuer.at(path)),
        revocation_endpoint: issuer.at(endpoints.revocation),
        introspection_endpoint: issuer.at(endpoints.introspection),
        // "This OpenID Provider Metadata parameter MUST be included in the Server's discovery responses when RP-Initiated Logout
        // and Discovery are supported" (OIDC RP-Initiated Logout §2.1)
        end_session_endpoint: issuer.at(endpoints.end_session),
        // "This OpenID Provider Metadata parameter MUST be included in the Server's discovery responses when Session Management
        // and Discovery are supported" (OIDC Session Management §3.3)
        check_session_iframe: endpoints.check_session.map(|path| issuer.at(path)),
        frontchannel_logout_supported: true,
        frontchannel_logout_session_supported: true,
        backchannel_logout_supported: true,
        // "If supported, the sid Claim is also included in ID Tokens issued by the OP." (OIDC Back-Channel Logout §2.1)
        backchannel_logout_session_supported: true,
        scopes_supported: scopes(directory),
        response_types_supported: response_types(policy).map(ResponseType::as_str).collect(),
        response_modes_supported: ResponseMode::NAMES,
        grant_types_supported: grant_types(policy).map(GrantType::as_str).collect(),
        subject_types_supported: SubjectType::NAMES,
        id_token_signing_alg_values_supported: signing.clone(),
        id_token_encryption_alg_values_supported: KeyAlgorithm::ALL,
        id_token_encryption_enc_values_supported: ContentEncryption::ALL,
        userinfo_signing_alg_values_supported: signing.clone(),
        userinfo_encryption_alg_values_supported: KeyAlgorithm::ALL,
        userinfo_encryption_enc_values_supported: ContentEncryption::ALL,
        token_endpoint_auth_methods_supported: methods(true),
        token_endpoint_auth_signing_alg_values_supported: AssertionAlgorithm::names(),
        revocation_endpoint_auth_methods_supported: methods(true),
        revocation_endpoint_auth_signing_alg_values_supported: AssertionAlgorithm::names(),
        introspection_endpoint_auth_methods_supported: methods(false),
        introspection_endpoint_auth_signing_alg_values_supported: AssertionAlgorithm::names(),
        introspection_signing_alg_values_supported: signing,
        code_challenge_methods_supported: ["S256"],
        authorization_response_iss_parameter_supported: true,
        claims_supported: claims::supported(directory),
        claim_types_supported: ["normal"],
        claims_parameter_supported: true,
        request_objects: request_objects(directory, policy),
        prompt_values_supported: prompt_values(policy.self_registration),
        display_values_supported: ["page"],
        acr_values_supported: acr_values(directory),
        ui_locales_supported: languages.to_vec(),
    }
}

fn request_objects(directory: &Directory, policy: &Policy) -> RequestObjects {
    RequestObjects {
        request_parameter_supported: true,
        request_object_signing_alg_values_supported: request_object_algorithms(directory, policy),
        request_object_encryption_alg_values_supported: KeyAlgorithm::TO_US,
        request_object_encryption_enc_values_supported: ContentEncryption::ALL,
        request_uri_parameter_supported: true,
        require_request_uri_registration: true,
    }
}

fn prompt_values(may_create: bool) -> Vec<&'static str> {
    // "if this metadata element is defined by the OpenID Provider, the OP must also specify all other prompt values which it
    // supports." (OIDC Prompt Create §4.2)
    let create = may_create.then_some("create");
    ["none", "login", "consent", "select_account"].into_iter().chain(create).collect()
}

fn response_types(policy: &Policy) -> impl Iterator<Item = ResponseType> {
    let everything = policy.clients.allow_front_channel_tokens;
    ResponseType::ALL.into_iter().filter(move |kind| everything || !kind.is_front_channel())
}

fn grant_types(policy: &Policy) -> impl Iterator<Item = GrantType> {
    let everything = policy.clients.allow_front_channel_tokens;
    GrantType::ALL.into_iter().filter(move |grant_type| everything || *grant_type != GrantType::Implicit)
}

/// Those that any app may use, and `none` where one is declared for it, or each may that is registered for no other: an app that
/// finds it here may use it without having said so.
fn request_object_algorithms(directory: &Directory, policy: &Policy) -> Vec<&'static str> {
    // "Servers SHOULD support "none" and "RS256"." (OIDC Discovery §3)
    let unsecured = Some(RequestObjectSigning::Nobody);
    let is_used = directory
        .clients
        .values()
        .any(|client| client.trust != Trust::SelfRegistered && client.metadata.request_object_signing_alg == unsecured);
    let signed = Algorithm::ALL.iter().map(|algorithm| algorithm.as_str());
    let is_offered = is_used || policy.clients.allow_unsigned_request_objects;
    signed.chain(is_offered.then_some(RequestObjectSigning::Nobody.as_str())).collect()
}

fn acr_values(directory: &Directory) -> Vec<&'static str> {
    let is_used = directory.upstreams.values().any(|upstream| !upstream.definition.disabled);
    [ACR_PASSWORD].into_iter().chain(is_used.then_some(ACR_UPSTREAM)).collect()
}

fn scopes(directory: &Directory) -> Vec<String> {
    // "The server MUST support the "openid" scope value. Servers MAY choose not to advertise some supported scope values
    // even when this parameter is used, although those defined in [OpenID.Core] SHOULD be listed, if supported."
    // (OIDC Discovery §3)
    let declared = directory.scopes.keys().cloned();
    let of_apis = directory.resources.values().flat_map(|resource| resource.scopes.iter().map(str::to_owned));
    let mut scopes: Vec<String> = claims::standard_scopes().map(str::to_owned).chain(declared).chain(of_apis).collect();
    scopes.sort_unstable();
    scopes.dedup();
    scopes
}
