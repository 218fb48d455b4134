//! Why a step did not end well, in words for a developer.

use openidconnect::{
    ClaimsVerificationError, ConfigurationError, DiscoveryError, RequestTokenError, StandardErrorResponse,
    UserInfoError, core::CoreErrorResponseType,
};

use crate::outbound::OutboundError;

/// A request to the token or introspection endpoint that brought no answer to use.
pub(super) type TokenError = RequestTokenError<OutboundError, StandardErrorResponse<CoreErrorResponseType>>;

/// Why a step did not end well.
#[derive(Debug, thiserror::Error)]
pub(super) enum StepError {
    #[error(transparent)]
    Claims(#[from] ClaimsVerificationError),
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    #[error(transparent)]
    Discovery(#[from] DiscoveryError<OutboundError>),
    #[error("the server's metadata has no `{0}`")]
    NoEndpoint(&'static str),
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    #[error("there is no refresh token: it comes with the scope offline_access")]
    NoRefreshToken,
    #[error("the request cannot be made: {0}")]
    Request(#[from] openidconnect::http::Error),
    #[error("the answer is {0}")]
    Status(openidconnect::http::StatusCode),
    #[error(transparent)]
    Token(Box<TokenError>),
    #[error(transparent)]
    UserInfo(#[from] UserInfoError<OutboundError>),
}

impl From<TokenError> for StepError {
    fn from(error: TokenError) -> Self {
        Self::Token(Box::new(error))
    }
}

/// Why the demo does not start.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// An address in the settings is not a URL.
    #[error("the demo's {setting} is not a URL: {reason}")]
    Address {
        /// Which one.
        setting: &'static str,
        /// What is wrong with it.
        reason: url::ParseError,
    },
    /// The port cannot be listened on.
    #[error("the demo cannot listen: {0}")]
    Listen(#[from] std::io::Error),
}
