//! Why a call is refused, and how that is said over HTTP: the only place with status codes and `WWW-Authenticate`.

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use grantor_jose::verify::VerifyError;

/// A call that is refused.
#[derive(Clone, Debug)]
pub struct Denied {
    reason: Reason,
    api: Arc<Api>,
}

/// What a challenge says of the API itself.
#[derive(Debug, Default)]
pub(crate) struct Api {
    /// Its identifier.
    pub(crate) realm: String,
    /// Where it describes itself, if it does.
    pub(crate) metadata: Option<String>,
}

/// Why a call is refused, in alphabetical order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The person has not signed in in the way, or as recently, as the call needs.
    InsufficientAuthentication {
        /// The ways that would do, with spaces between.
        acr_values: String,
        /// How long ago that may be.
        max_age: Option<Duration>,
    },
    /// The token does not have all of these scopes.
    InsufficientScope(String),
    /// The token does not count.
    InvalidToken(Fault),
    /// The credentials are in no shape, or there are several.
    Malformed,
    /// No token came with the call.
    Missing,
    /// The route asks who calls, and nothing before it has checked that: a mistake of the API's.
    Unprotected,
    /// It cannot be told now whether the token counts.
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
}

/// Why a token does not count, in alphabetical order. Each sentence is told to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Its networks do not hold the caller's address.
    #[error("The token may not be used from this address.")]
    AddressNotAllowed,
    /// It is limited to networks, and nobody knows where the call comes from.
    #[error("The token is limited to networks, and the address of the caller is not known here.")]
    AddressUnknown,
    /// It is for other APIs.
    #[error("The token is not for this API.")]
    AudienceMismatch,
    /// A claim that it must have is missing.
    #[error("The token lacks the claim {0}.")]
    ClaimMissing(&'static str),
    /// It has ended by its own date.
    #[error("The token has expired.")]
    Expired,
    /// The issuer says that it does not count.
    #[error("The token is unknown, or has ended.")]
    Inactive,
    /// It is of another issuer.
    #[error("The token is of another issuer.")]
    IssuerMismatch,
    /// It is bound to a key, and this API takes bearer tokens only.
    #[error("The token is bound to a key, and this API takes bearer tokens only.")]
    KeyBound,
    /// Its shape shows that nobody issued it.
    #[error("The token is misspelt.")]
    Misspelt,
    /// It does not count yet.
    #[error("The token does not count yet.")]
    NotYetValid,
    /// It is no JWT, and this API asks nobody about tokens.
    #[error("This API takes JWTs only.")]
    OpaqueNotTaken,
    /// It is a JWT whose form, kind, algorithm or signature is wrong.
    #[error("The token is refused: {0}.")]
    Unverified(VerifyError),
}

impl From<Fault> for Reason {
    fn from(fault: Fault) -> Self {
        Self::InvalidToken(fault)
    }
}

impl Reason {
    /// The error code; empty where none is told.
    const fn code(&self) -> &'static str {
        match self {
            Self::InsufficientAuthentication { .. } => "insufficient_user_authentication",
            Self::InsufficientScope(_) => "insufficient_scope",
            // "in case of any failure in the validation checks listed above, the authorization server response MUST include the
            // error code "invalid_token"" (RFC 9068 §4)
            Self::InvalidToken(_) => "invalid_token",
            Self::Malformed => "invalid_request",
            // "If the request lacks any authentication information (e.g., the client was unaware that authentication is necessary
            // or attempted using an unsupported authentication method), the resource server SHOULD NOT include an error code or
            // other error information." (RFC 6750 §3.1)
            Self::Missing => "",
            Self::Unprotected => "server_error",
            Self::Unavailable { .. } => "temporarily_unavailable",
        }
    }

    const fn status(&self) -> u16 {
        match self {
            // "The resource server SHOULD respond with the HTTP 400 (Bad Request) status code." (RFC 6750 §3.1)
            Self::Malformed => 400,
            // "The resource SHOULD respond with the HTTP 401 (Unauthorized) status code." (RFC 6750 §3.1)
            Self::InvalidToken(_) | Self::Missing | Self::InsufficientAuthentication { .. } => 401,
            // "The resource server SHOULD respond with the HTTP 403 (Forbidden) status code" (RFC 6750 §3.1)
            Self::InsufficientScope(_) => 403,
            Self::Unprotected => 500,
            Self::Unavailable { .. } => 503,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InsufficientAuthentication { .. } => f.write_str("The person must sign in anew, or in another way."),
            Self::InsufficientScope(scope) => write!(f, "The token lacks a scope of: {scope}."),
            Self::InvalidToken(fault) => fault.fmt(f),
            Self::Malformed => {
                f.write_str("The Authorization header must stand there once: Bearer, a space, and the token.")
            }
            Self::Missing => f.write_str("A token is needed, in the Authorization header."),
            Self::Unprotected => f.write_str("The route is not behind Protect, so nobody has checked who calls."),
            Self::Unavailable { .. } => f.write_str("It cannot be told now whether the token counts; try again."),
        }
    }
}

impl Denied {
    pub(crate) fn new(reason: Reason, api: &Arc<Api>) -> Self {
        Self { reason, api: Arc::clone(api) }
    }

    /// For a route that is not behind the middleware.
    #[cfg(any(feature = "actix", feature = "axum"))]
    pub(crate) fn unprotected() -> Self {
        let denied = Self { reason: Reason::Unprotected, api: Arc::default() };
        tracing::error!("{denied}");
        denied
    }

    /// Why.
    pub const fn reason(&self) -> &Reason {
        &self.reason
    }

    /// The status of the answer.
    pub const fn status(&self) -> u16 {
        self.reason.status()
    }

    /// The headers of the answer.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        // A refusal is of this call alone.
        let mut headers = vec![("cache-control", "no-store".to_owned())];
        if !self.reason.code().is_empty() {
            headers.push(("content-type", "application/json".to_owned()));
        }
        // "If the protected resource request does not include authentication credentials or does not contain an access token that
        // enables access to the protected resource, the resource server MUST include the HTTP "WWW-Authenticate" response header
        // field" (RFC 6750 §3)
        match &self.reason {
            Reason::Unavailable { retry_after } => {
                headers.push(("retry-after", retry_after.as_secs().max(1).to_string()));
            }
            Reason::Unprotected => {}
            _ => headers.push(("www-authenticate", self.challenge())),
        }
        headers
    }

    /// The body of the answer: JSON, or empty where no token came.
    pub fn body(&self) -> String {
        match self.reason.code() {
            "" => String::new(),
            code => serde_json::json!({ "error": code, "error_description": self.reason.to_string() }).to_string(),
        }
    }

    /// The challenge of `WWW-Authenticate`.
    fn challenge(&self) -> String {
        // "All challenges defined by this specification MUST use the auth-scheme value "Bearer". This scheme MUST be followed by
        // one or more auth-param values." (RFC 6750 §3)
        let mut challenge = format!("Bearer realm=\"{}\"", quotable(&self.api.realm));
        let mut add = |name: &str, value: &str| {
            // Writing to a `String` cannot fail.
            let _ = write!(challenge, ", {name}=\"{}\"", quotable(value));
        };
        let code = self.reason.code();
        if !code.is_empty() {
            add("error", code);
            add("error_description", &self.reason.to_string());
        }
        match &self.reason {
            Reason::InsufficientScope(scope) => add("scope", scope),
            Reason::InsufficientAuthentication { acr_values, max_age } => {
                // "A space-separated string listing the authentication context class reference values in order of preference. The
                // protected resource requires one of these values for the authentication event associated with the access
                // token." (RFC 9470 §3)
                if !acr_values.is_empty() {
                    add("acr_values", acr_values);
                }
                if let Some(max_age) = max_age {
                    add("max_age", &max_age.as_secs().to_string());
                }
            }
            _ => {}
        }
        // "resource_metadata: The URL of the protected resource metadata." (RFC 9728 §5.1)
        if let Some(metadata) = &self.api.metadata {
            add("resource_metadata", metadata);
        }
        challenge
    }
}

// "Values for the "error" and "error_description" attributes (specified in Appendixes A.7 and A.8 of [RFC6749]) MUST NOT include
// characters outside the set %x20-21 / %x23-5B / %x5D-7E." (RFC 6750 §3)
fn quotable(text: &str) -> String {
    let is_allowed = |letter: char| matches!(letter, ' '..='!' | '#'..='[' | ']'..='~');
    text.chars().map(|letter| if is_allowed(letter) { letter } else { '\'' }).collect()
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl std::error::Error for Denied {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(reason: impl Into<Reason>) -> (u16, String) {
        let metadata = Some("https://api.example/.well-known/oauth-protected-resource".to_owned());
        let api = Arc::new(Api { realm: "https://api.example".into(), metadata });
        let denied = Denied::new(reason.into(), &api);
        let told = denied.headers().into_iter().find(|(name, _)| ["www-authenticate", "retry-after"].contains(name));
        (denied.status(), told.map(|(_, value)| value).unwrap_or_default())
    }

    #[test]
    fn each_refusal_has_its_status_and_challenge() {
        let metadata = r#"resource_metadata="https://api.example/.well-known/oauth-protected-resource""#;
        let realm = r#"Bearer realm="https://api.example""#;
        assert_eq!(said(Reason::Missing), (401, format!("{realm}, {metadata}")));
        let expired = r#"error="invalid_token", error_description="The token has expired.""#;
        assert_eq!(said(Fault::Expired), (401, format!("{realm}, {expired}, {metadata}")));
        let (status, challenge) = said(Reason::InsufficientScope("a b".into()));
        assert!(
            status == 403
                && challenge.contains(r#"error="insufficient_scope""#)
                && challenge.contains(r#", scope="a b", "#)
        );
        assert!(said(Reason::Malformed).0 == 400 && said(Reason::Malformed).1.contains(r#"error="invalid_request""#));
        assert_eq!(said(Reason::Unavailable { retry_after: Duration::from_secs(3) }), (503, "3".into()));
        assert_eq!(said(Reason::Unavailable { retry_after: Duration::ZERO }), (503, "1".into()));
        assert_eq!(said(Reason::Unprotected), (500, String::new()));
    }

    #[test]
    fn a_step_up_says_what_would_do() {
        let (status, challenge) = said(Reason::InsufficientAuthentication {
            acr_values: "passkey mfa".into(),
            max_age: Some(Duration::from_mins(5)),
        });
        assert_eq!(status, 401);
        assert!(challenge.contains(r#"error="insufficient_user_authentication""#));
        assert!(challenge.contains(r#"acr_values="passkey mfa", max_age="300""#));
        let (_, challenge) =
            said(Reason::InsufficientAuthentication { acr_values: String::new(), max_age: Some(Duration::ZERO) });
        assert!(!challenge.contains("acr_values") && challenge.contains(r#"max_age="0""#));
    }

    #[test]
    fn an_api_that_does_not_describe_itself_points_nowhere() {
        let api = Arc::new(Api { realm: "urn:notes".into(), metadata: None });
        let headers = Denied::new(Reason::Missing, &api).headers();
        assert!(headers.contains(&("www-authenticate", "Bearer realm=\"urn:notes\"".into())));
    }

    proptest! {
        #[test]
        fn no_text_leaves_its_quotes(text in ".{0,40}") {
            let (_, challenge) = said(Reason::InsufficientScope(text));
            prop_assert_eq!(challenge.matches('"').count(), 10);
            prop_assert!(challenge.bytes().all(|byte| (0x20..0x7f).contains(&byte)) && !challenge.contains('\\'));
        }
    }
}
