//! The authorization server as the app knows it: discovered, never configured by hand.

use openidconnect::{
    AdditionalProviderMetadata, AsyncHttpClient, ClientId, ClientSecret, DiscoveryError, EndSessionUrl,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IntrospectionUrl, IssuerUrl, ProviderMetadata, RedirectUrl,
    RevocationUrl,
    core::{
        CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod, CoreGrantType, CoreIdToken,
        CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode,
        CoreResponseType, CoreSubjectIdentifierType,
    },
};
use serde::{Deserialize, Serialize};

use super::{Demo, exchange::Recorder};
use crate::outbound::OutboundError;

/// What discovery brought.
#[derive(Debug)]
pub(super) struct Provider {
    pub(super) client: DemoClient,
    pub(super) endpoints: Endpoints,
}

/// The app as a client of the server.
pub(super) type DemoClient =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// The members of the metadata that the crate does not read.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Endpoints {
    pub(super) end_session_endpoint: Option<EndSessionUrl>,
    pub(super) introspection_endpoint: Option<IntrospectionUrl>,
    pub(super) revocation_endpoint: Option<RevocationUrl>,
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Endpoints {}

type Metadata = ProviderMetadata<
    Endpoints,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

impl Provider {
    /// Asks the server for its metadata and its keys.
    pub(super) async fn discover(demo: &Demo, recorder: &Recorder<'_>) -> Result<Self, DiscoveryError<OutboundError>> {
        let settings = &demo.settings;
        let metadata = metadata(&demo.issuer, recorder).await?;
        let endpoints = metadata.additional_metadata().clone();
        let secret = settings.client_secret.clone().map(ClientSecret::new);
        let client = CoreClient::from_provider_metadata(metadata, ClientId::new(settings.client_id.clone()), secret)
            .set_redirect_uri(RedirectUrl::from_url(demo.address("callback")));
        Ok(Self { client, endpoints })
    }

    /// Whether the key that signed this token is among those that were asked for. The server may have newer ones.
    pub(super) fn has_key_of(&self, id_token: &CoreIdToken) -> bool {
        id_token.signing_key(&self.client.id_token_verifier()).is_ok()
    }
}

/// Where an API of this server asks about tokens.
pub(super) async fn introspection_endpoint<C>(issuer: &IssuerUrl, http: &C) -> Option<IntrospectionUrl>
where
    C: for<'c> AsyncHttpClient<'c, Error = OutboundError>,
{
    metadata(issuer, http).await.ok()?.additional_metadata().introspection_endpoint.clone()
}

async fn metadata<C>(issuer: &IssuerUrl, http: &C) -> Result<Metadata, DiscoveryError<OutboundError>>
where
    C: for<'c> AsyncHttpClient<'c, Error = OutboundError>,
{
    Metadata::discover_async(issuer.clone(), http).await
}
