//! Looking at other servers for `grantor doctor`, through the same door as the product.

use grantor_core::upstream::{Upstream, UpstreamKind};
use openidconnect::http::Request;
use openidconnect::{DiscoveryError, IssuerUrl};

use crate::outbound::{HttpClient, OutboundError};
use crate::upstream::Metadata;

/// What was found of an upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Examined {
    /// It answers as it should.
    Sound,
    /// It does not answer, or may not be asked: why.
    Unreachable(String),
    /// It answers as something else: what is wrong.
    Wrong(String),
}

/// Asks an upstream for its metadata and keys; or, where it has none, whether it answers at all.
pub async fn upstream(http: &HttpClient, upstream: &Upstream) -> Examined {
    let declared = &upstream.definition;
    match declared.kind {
        UpstreamKind::Oidc => by_discovery(http, declared.authority()).await,
        UpstreamKind::OAuth2 => by_answers(http, declared.token_endpoint.as_deref().unwrap_or_default()).await,
    }
}

async fn by_discovery(http: &HttpClient, issuer: &str) -> Examined {
    let Ok(issuer) = IssuerUrl::new(issuer.to_owned()) else {
        return Examined::Wrong("issuer is no address".to_owned());
    };
    match Metadata::discover_async(issuer, http).await {
        Ok(metadata) if metadata.token_endpoint().is_none() => Examined::Wrong("it names no token_endpoint".to_owned()),
        Ok(metadata) if metadata.jwks().keys().is_empty() => {
            Examined::Wrong("it has no keys that are known here".to_owned())
        }
        Ok(_) => Examined::Sound,
        Err(DiscoveryError::Request(error)) => Examined::Unreachable(error.to_string()),
        Err(error) => Examined::Wrong(error.to_string()),
    }
}

async fn by_answers(http: &HttpClient, address: &str) -> Examined {
    match Request::get(address).body(Vec::new()) {
        Ok(request) => match http.send(request, "installation").await {
            Ok(_) | Err(OutboundError::TooLarge(_)) => Examined::Sound,
            Err(error) => Examined::Unreachable(error.to_string()),
        },
        Err(error) => Examined::Wrong(error.to_string()),
    }
}
