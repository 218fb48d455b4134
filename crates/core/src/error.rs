//! Refusals: each names its reason as a fact. This file has the only table from reasons to the codes of the RFCs.

use crate::admission::Exceeded;
use crate::change::Change;
use crate::store::StoreError;

/// What a client, or the developer behind it, is told about a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// The error code of the wire.
    pub code: &'static str,
    /// What was wrong and how to mend it, in one or two sentences. Never a value of the request.
    pub description: &'static str,
    /// The clause that the rule stands in.
    pub clause: &'static str,
}

macro_rules! reasons {
    ($($name:ident => $code:literal, $clause:literal, $description:literal;)*) => {
        /// Why a request was refused.
        #[derive(Debug, thiserror::Error)]
        #[non_exhaustive]
        pub enum Error {
            $(#[doc = $description] #[error($description)] $name,)*
            /// A parameter cannot be read: its name, as it was sent.
            #[error("The parameter {0} is not readable.")]
            MalformedEncoding(String),
            /// A member of a client's metadata breaks a rule: its name and what is wrong.
            #[error("{0}: {1}")]
            MetadataInvalid(&'static str, &'static str),
            /// A parameter that must be there is not.
            #[error("The parameter {0} is missing.")]
            ParameterMissing(&'static str),
            /// A parameter is sent more than once.
            #[error("The parameter {0} is sent more than once.")]
            ParameterRepeated(String),
            /// More requests came than are answered.
            #[error("More requests came than the limit {} allows.", .0.policy)]
            RateExceeded(Exceeded),
            /// A redirect URI cannot be registered: the rule it breaks.
            #[error("This redirect URI cannot be registered: {0}.")]
            RedirectUriUnsafe(&'static str),
            /// The store could not answer.
            #[error(transparent)]
            Store(#[from] StoreError),
        }

        impl Error {
            /// The reason's name, as events record it.
            pub fn reason(&self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                    Self::MalformedEncoding(_) => "MalformedEncoding",
                    Self::MetadataInvalid(..) => "MetadataInvalid",
                    Self::ParameterMissing(_) => "ParameterMissing",
                    Self::ParameterRepeated(_) => "ParameterRepeated",
                    Self::RateExceeded(_) => "RateExceeded",
                    Self::RedirectUriUnsafe(_) => "RedirectUriUnsafe",
                    Self::Store(StoreError::Busy) => "StoreBusy",
                    Self::Store(StoreError::Conflict) => "StoreConflict",
                    Self::Store(StoreError::Corrupt { .. }) => "StoreCorrupt",
                    Self::Store(StoreError::Failed(_)) => "StoreFailed",
                    Self::Store(StoreError::Unavailable) => "StoreUnavailable",
                }
            }

            /// What is told about the reason.
            pub fn told(&self) -> Told {
                let (code, description, clause) = match self {
                    $(Self::$name => ($code, $description, $clause),)*
                    Self::MalformedEncoding(_) => ("invalid_request", "A parameter is not readable: a broken percent sign, bytes that are not UTF-8, or a null character.", "RFC 6749 §3.1"),
                    Self::MetadataInvalid(..) => ("invalid_client_metadata", "A member of the metadata breaks a rule.", "RFC 7591 §3.2.2"),
                    Self::ParameterMissing(name) => ("invalid_request", missing(name), "RFC 6749 §4.1.2.1"),
                    Self::ParameterRepeated(_) => ("invalid_request", "A parameter is sent more than once.", "RFC 6749 §3.1"),
                    Self::RateExceeded(_) => ("temporarily_unavailable", "Too many requests came in a short time; wait for as many seconds as Retry-After says.", "RFC 6585 §4"),
                    Self::RedirectUriUnsafe(_) => ("invalid_redirect_uri", "A redirect URI cannot be registered.", "RFC 7591 §3.2.2"),
                    Self::Store(error) if error.is_passing() => ("temporarily_unavailable", "The server is busy; try again in a moment.", "RFC 6749 §4.1.2.1"),
                    Self::Store(_) => ("server_error", "The server could not answer; try again.", "RFC 6749 §4.1.2.1"),
                };
                Told { code, description, clause }
            }
        }

        #[cfg(test)]
        const TABLE: &[(&str, &str)] = &[$((stringify!($name), $description),)*];
    };
}

reasons! {
    AcrUnmet => "unmet_authentication_requirements", "OIDC Core §5.5.1.1", "The requested authentication context (acr) is essential and cannot be met.";
    ActorTokenUnsupported => "invalid_request", "RFC 8693 §2.1", "Acting for somebody else is not offered; leave out actor_token and actor_token_type.";
    ApiNetwork => "invalid_target", "RFC 8707 §2", "The API may not be used from this address.";
    AssertionAlgorithm => "invalid_client", "RFC 7523 §3", "The client could not be authenticated.";
    AssertionAudience => "invalid_client", "RFC 7523 §3", "The client could not be authenticated: the assertion's aud must be this issuer's identifier.";
    AssertionBeforeEpoch => "invalid_client", "RFC 7523 §3", "The client could not be authenticated: the server was restored, and for some minutes takes no assertion whose iat is missing or from before; make a new one.";
    AssertionExpired => "invalid_client", "RFC 7523 §3", "The client could not be authenticated: the assertion has expired.";
    AssertionLifetime => "invalid_client", "RFC 7523 §3", "The client could not be authenticated: the assertion lives too long; let exp be a few minutes ahead.";
    AssertionMalformed => "invalid_client", "RFC 7523 §3", "The client could not be authenticated: the assertion is not a signed JWT with iss, sub, aud, exp and jti.";
    AssertionReplayed => "invalid_client", "RFC 7523 §3", "The client could not be authenticated: an assertion counts once; use a new jti.";
    AssertionSignature => "invalid_client", "RFC 7523 §3", "The client could not be authenticated.";
    AssertionSubject => "invalid_client", "RFC 7523 §3", "The client could not be authenticated: iss and sub of the assertion must be the client_id.";
    AuthMethodMismatch => "invalid_client", "RFC 6749 §2.3", "The client could not be authenticated: it is registered for another method.";
    AuthMethodsMixed => "invalid_request", "RFC 6749 §2.3", "The request authenticates the client in more than one way; use one.";
    AuthorizationHeaderMalformed => "invalid_request", "RFC 6749 §2.3.1", "The Authorization header is not readable as Basic credentials with form-encoded parts.";
    BearerMalformed => "invalid_request", "RFC 6750 §2", "The access token must be sent once, in the Authorization header as \"Bearer\" or in the form body.";
    BearerMissing => "", "RFC 6750 §3.1", "An access token is needed.";
    BodyMalformed => "invalid_request", "RFC 8259 §2", "The body is no JSON object with the members that are described, sent as application/json.";
    ChallengeMalformed => "invalid_request", "RFC 7636 §4.2", "The code_challenge is not the base64url text of a SHA-256 hash (43 characters, no padding).";
    ChallengeMethodUnsupported => "invalid_request", "RFC 7636 §4.4.1", "The code_challenge_method must be S256.";
    ChallengeMissing => "invalid_request", "RFC 7636 §4.4.1", "This app must use PKCE: send code_challenge and code_challenge_method=S256.";
    ClaimsMalformed => "invalid_request", "OIDC Core §5.5", "The claims parameter is not the JSON object that OpenID Connect describes.";
    ClientAddressMalformed => "invalid_request", "RFC 7662 §2.1", "The parameter client_address is not an IP address.";
    ClientIdMismatch => "invalid_request", "RFC 6749 §3.2.1", "The client_id differs from the client that authenticated.";
    ClientKeysUnreachable => "invalid_client", "RFC 7591 §2", "The client could not be authenticated: its keys cannot be read from its jwks_uri now; they stand there as a JWK set, over https.";
    ClientMissing => "invalid_client", "RFC 6749 §3.2.1", "The request names no client.";
    ClientNetwork => "invalid_client", "RFC 6749 §5.2", "The client may not ask from this address.";
    ClientSecretMismatch => "invalid_client", "RFC 6749 §2.3.1", "The client could not be authenticated.";
    ClientUnknown => "invalid_client", "RFC 6749 §5.2", "The client could not be authenticated.";
    CodeClientMismatch => "invalid_grant", "RFC 6749 §4.1.3", "The code was not issued to this client.";
    CodeExpired => "invalid_grant", "RFC 6749 §4.1.2", "The code has expired; start again at the authorization endpoint.";
    CodeRedirectUriMismatch => "invalid_grant", "RFC 6749 §4.1.3", "The redirect_uri differs from that of the authorization request.";
    CodeReplayed => "invalid_grant", "RFC 6749 §4.1.2", "The code was used before; the tokens issued for it are revoked.";
    CodeUnknown => "invalid_grant", "RFC 6749 §5.2", "The code is not one of this server.";
    ConsentDenied => "access_denied", "RFC 6749 §4.1.2.1", "The person did not allow access.";
    ConsentRequired => "consent_required", "OIDC Core §3.1.2.6", "The person has to be asked, and prompt=none forbids it.";
    ConsentWithdrawn => "invalid_grant", "RFC 6749 §5.2", "The person has taken the access back since the code was issued.";
    DraftExpired => "invalid_request", "RFC 6749 §5.2", "The form is too old; open it again.";
    DraftUsed => "invalid_request", "RFC 6749 §5.2", "The form was sent before, and what it made cannot be shown again; open it again to make another.";
    EncryptionKeyMissing => "invalid_request", "OIDC Core §10.2", "The app is registered for encrypted answers, and has no public key that fits them; register one with use enc.";
    EntryAddressAmbiguous => "access_denied", "RFC 9110 §15.5.4", "The path of the request can be read in two ways, and what may be seen here depends on it; write it plainly.";
    EntryAddressUnknown => "access_denied", "RFC 9110 §15.5.4", "No app is declared at this address; add it to [[apps]].";
    EntryLevelMissing => "access_denied", "RFC 9110 §15.5.4", "The person was not known as surely as this app needs.";
    EntryMethodMissing => "access_denied", "RFC 9110 §15.5.4", "The sign-in did not use every method that this app asks for.";
    EntryNetwork => "access_denied", "RFC 9110 §15.5.4", "This app is not open to the network that the request comes from.";
    EntryRefused => "access_denied", "RFC 9110 §15.5.4", "This account may not enter this app.";
    EntryTicketInvalid => "access_denied", "RFC 9110 §15.5.4", "The ticket is not good any more; open the app again.";
    FormMissing => "invalid_request", "RFC 6749 §3.2", "Send the parameters in the body as application/x-www-form-urlencoded.";
    FormTooLarge => "invalid_request", "RFC 6749 §3.2", "The request is larger than this server reads.";
    FormTooSlow => "invalid_request", "RFC 6749 §3.2", "The body of the request did not come in time.";
    ForwardedMalformed => "access_denied", "RFC 9110 §15.5.4", "The proxy does not say clearly which request it asks about: X-Forwarded-Host and X-Forwarded-Uri, or X-Original-URL, once and not both.";
    ForwardedMissing => "access_denied", "RFC 9110 §15.5.4", "The proxy does not say which request it asks about: send X-Forwarded-Host and X-Forwarded-Uri, or X-Original-URL.";
    FrontChannelNetwork => "access_denied", "RFC 6749 §4.1.2.1", "Tokens for this app may not be had from this address.";
    FrontChannelOff => "unsupported_response_type", "RFC 9700 §2.1.2", "Tokens do not travel through the browser here; use response_type=code. The setting clients.allow_front_channel_tokens allows other response types.";
    GrantEnded => "invalid_grant", "RFC 6749 §5.2", "The approval behind this token has ended.";
    GrantTypeMissing => "invalid_request", "RFC 6749 §4.1.3", "The parameter grant_type is missing.";
    GrantTypeNotAllowed => "unauthorized_client", "RFC 6749 §5.2", "The client is not registered for this grant type.";
    GrantTypeUnsupported => "unsupported_grant_type", "RFC 6749 §5.2", "This grant type is not offered.";
    HintMismatch => "login_required", "OIDC Core §3.1.2.2", "The person signed in is not the one that the request asks for.";
    IdTokenHintInvalid => "invalid_request", "OIDC Core §3.1.2.1", "The id_token_hint is not an ID token of this issuer.";
    IdTokenHintEncrypted => "invalid_request", "OIDC Core §3.1.2.1", "The id_token_hint is encrypted; send the signed ID token that is inside it.";
    InteractionExpired => "invalid_request", "RFC 6749 §4.1.1", "The sign-in took too long or its address was changed; go back to the app and start again.";
    LoginRequired => "login_required", "OIDC Core §3.1.2.6", "The person has to sign in, and prompt=none forbids it.";
    MaxAgeMalformed => "invalid_request", "OIDC Core §3.1.2.1", "The parameter max_age must be a whole number of seconds.";
    MethodNotAllowed => "invalid_request", "RFC 6749 §3.2", "Use POST.";
    NetworkMalformed => "invalid_request", "RFC 4632 §3.1", "A network is written as an address and a length, as in 192.0.2.0/24 or 2001:db8::/32; a single address as itself.";
    NetworksTooMany => "invalid_request", "RFC 4632 §3.1", "So many networks cannot be named; name at most 32, or larger ones.";
    NonceMissing => "invalid_request", "OIDC Core §3.2.2.1", "An ID token that comes through the browser needs a nonce; send one that nobody can guess.";
    OpenidMissing => "invalid_scope", "OIDC Core §3.1.2.1", "The response_type asks for an ID token; the scope must hold openid, and the app must be registered for it.";
    ParameterTooLarge => "invalid_request", "RFC 6749 §3.1", "A parameter is larger than 8 KiB.";
    PromptInvalid => "invalid_request", "OIDC Core §3.1.2.1", "The parameter prompt takes none alone, or words of prompt_values_supported.";
    ProxyUntrusted => "access_denied", "RFC 9110 §15.5.4", "Only proxies that trusted_proxies lists may ask about requests to apps.";
    RedirectUriMismatch => "invalid_request", "RFC 6749 §3.1.2.3", "The redirect_uri is not one that is registered for this app, letter for letter.";
    RedirectUriMissing => "invalid_request", "RFC 6749 §3.1.2.3", "The parameter redirect_uri is missing, and the app has not exactly one.";
    RedirectUriRequired => "invalid_request", "OIDC Core §3.1.2.1", "The parameter redirect_uri is missing, which every request for openid or for tokens in the browser has.";
    RefreshTokenClientMismatch => "invalid_grant", "RFC 6749 §6", "The refresh token was not issued to this client.";
    RefreshTokenExpired => "invalid_grant", "RFC 6749 §5.2", "The refresh token has expired; start again at the authorization endpoint.";
    RefreshTokenReused => "invalid_grant", "RFC 9700 §4.14.2", "The refresh token was replaced before; the whole family is revoked.";
    RefreshTokenUnknown => "invalid_grant", "RFC 6749 §5.2", "The refresh token is not one of this server.";
    RegistrationForbidden => "insufficient_scope", "RFC 7592 §2.1", "An administrator has switched this app off.";
    RegistrationMalformed => "invalid_client_metadata", "RFC 7591 §3.1", "The body is no JSON object in which each name stands once, sent as application/json.";
    RegistrationNotSupported => "registration_not_supported", "OIDC Core §3.1.2.6", "The registration parameter is not offered.";
    RegistrationsOfAddress => "temporarily_unavailable", "RFC 7591 §3", "From this address have come as many apps as may; remove one, or ask an administrator.";
    RegistrationsTooMany => "temporarily_unavailable", "RFC 7591 §3", "There are as many apps as may register themselves here; ask an administrator.";
    ReportMalformed => "invalid_request", "RFC 8259 §2", "The report is no JSON array of findings, each with a token.";
    ReportSignature => "access_denied", "RFC 6749 §5.2", "The signature does not fit the report; sign the body as it is sent, with ECDSA on P-256 and SHA-256.";
    ReporterUnknown => "access_denied", "RFC 6749 §5.2", "Nobody with this key may report tokens here; an administrator can set leak_reporters.";
    RequestObjectAlgorithm => "invalid_request_object", "OIDC Core §6.3.2", "The request object is not signed by the algorithm that the app is registered with.";
    RequestObjectAmbiguous => "invalid_request", "OIDC Core §6", "The request has both request and request_uri; send one of them.";
    RequestObjectExpired => "invalid_request_object", "RFC 7519 §4.1.4", "The request object has expired, or is not good yet.";
    RequestObjectInvalid => "invalid_request_object", "OIDC Core §6.1", "The request object is not a JWT whose claims are the parameters of an authorization request.";
    RequestObjectKeysUnreachable => "invalid_request_object", "RFC 7591 §2", "The request object cannot be verified: the app's keys cannot be read from its jwks_uri now; they stand there as a JWK set, over https.";
    RequestObjectMismatch => "invalid_request_object", "OIDC Core §6.1", "The request object is of another app, for another server, or of another response_type than the request.";
    RequestObjectMissing => "invalid_request", "RFC 9101 §10.5", "This app must send its requests as signed request objects.";
    RequestObjectSignature => "invalid_request_object", "OIDC Core §6.3.2", "The request object is not signed by a key that is registered for this app.";
    RequestObjectUndecryptable => "invalid_request_object", "OIDC Core §6.3.1", "The request object is not a signed JWT, encrypted to this server's key in /jwks as its metadata say, with the cty JWT.";
    RequestUriChanged => "invalid_request_uri", "OIDC Core §6.2", "What lies at the request_uri is not what its fragment says, which is the SHA-256 hash of it in base64url.";
    RequestUriUnknown => "invalid_request_uri", "OIDC Core §6.2", "The request_uri is none of the app's registered request_uris, letter for letter; only the fragment may be added.";
    RequestUriUnreachable => "invalid_request_uri", "OIDC Core §6.2.3", "No request object can be read at the request_uri now; it lies there over https, without a redirect, and has at most 8 KiB.";
    RequestedTokenTypeUnsupported => "invalid_request", "RFC 8693 §2.1", "The requested_token_type must be that of an access token or of a JWT.";
    ResourceAmbiguous => "invalid_target", "RFC 8693 §2.1", "The token is for several APIs; name one of them with resource, or scopes of one alone.";
    ResourceMalformed => "invalid_request", "RFC 7033 §4.2", "The resource must be a URI, as in acct:ada@example.com or https://example.com/ada, of at most 2 KiB.";
    ResourceNotGranted => "invalid_target", "RFC 8707 §2.2", "The resource is not one that was approved.";
    ResourceNotOurs => "not_found", "RFC 7033 §4.2", "This server speaks for no such identifier; an administrator can set webfinger_hosts.";
    ResourceUnknown => "invalid_target", "RFC 8707 §2", "The resource is not an API that this server knows.";
    ResponseModeUnsafe => "invalid_request", "OAuth Multiple Response Types §7", "Tokens never travel in a query; use the response_mode fragment or form_post.";
    ResponseModeUnsupported => "invalid_request", "OAuth Multiple Response Types §2.1", "The response_mode must be query, fragment or form_post.";
    ResponseTypeNotAllowed => "unauthorized_client", "RFC 6749 §4.1.2.1", "The app is not registered for this response_type.";
    ResponseTypeUnsupported => "unsupported_response_type", "RFC 6749 §4.1.2.1", "The response_type must be code, or one of those with tokens that the metadata list.";
    ScopeInsufficient => "insufficient_scope", "RFC 6750 §3.1", "The access token does not allow this.";
    ScopeMalformed => "invalid_scope", "RFC 6749 §3.3", "The scope holds a character that scopes cannot have.";
    ScopeMissing => "invalid_scope", "RFC 6749 §3.3", "The parameter scope is missing.";
    ScopeNotAllowed => "invalid_scope", "RFC 6749 §3.3", "No scope of the request is one that this app may ask for.";
    ScopeWidened => "invalid_scope", "RFC 6749 §6", "The scope asks for more than was approved.";
    SelectionRequired => "account_selection_required", "OIDC Core §3.1.2.6", "The person has to choose an account, and prompt=none forbids it.";
    SigningKeyMissing => "server_error", "RFC 6749 §4.1.2.1", "The server has no key for the algorithm that this app is registered with.";
    SoftwareStatementInvalid => "invalid_software_statement", "RFC 7591 §3.2.2", "The software_statement is not a signed JWT with iss whose time has come and has not passed.";
    SoftwareStatementUnapproved => "unapproved_software_statement", "RFC 7591 §3.2.2", "The software_statement is not signed by an issuer that this server trusts.";
    SubjectTokenInvalid => "invalid_request", "RFC 8693 §2.2.2", "The subject_token is not valid: unknown, expired, revoked, not this client's, or not to be used from here.";
    SubjectTokenTypeUnsupported => "invalid_request", "RFC 8693 §2.1", "The subject_token_type must be urn:ietf:params:oauth:token-type:access_token, for a personal access token or an API key.";
    TokenEnded => "invalid_request", "RFC 6749 §5.2", "The token has expired or was revoked.";
    TokenLifetimeTooLong => "invalid_request", "RFC 6749 §5.2", "The token would live longer than tokens may here.";
    TokenMissing => "invalid_request", "RFC 7662 §2.1", "The parameter token is missing.";
    TokenNameInvalid => "invalid_request", "RFC 6749 §5.2", "The token needs a name of at most 80 characters.";
    TokenNetwork => "invalid_token", "RFC 6750 §3.1", "The token may not be used from this address.";
    TokenNotFound => "invalid_request", "RFC 6749 §5.2", "The person has no token with this identifier.";
    TokenScopeEmpty => "invalid_scope", "RFC 6749 §3.3", "The token needs at least one scope.";
    TokenScopeNotHeld => "invalid_scope", "RFC 6749 §3.3", "The token asks for a scope that its owner does not have.";
    TokenTypeUnsupported => "unsupported_token_type", "RFC 7009 §2.2.1", "Tokens of this kind cannot be revoked.";
    TokenUnknown => "invalid_token", "RFC 6750 §3.1", "The access token is not valid: unknown, expired or revoked.";
    TokensTooMany => "invalid_request", "RFC 6749 §5.2", "There are as many tokens as one owner may have; revoke one first.";
    TooManyParameters => "invalid_request", "RFC 6749 §3.1", "The request has more than 100 parameters.";
    UpstreamAccountMissing => "access_denied", "RFC 6749 §4.1.2.1", "Nobody here is linked with the account at the upstream; the person signs in here once to link it.";
    UpstreamAddressNotAllowed => "access_denied", "RFC 6749 §4.1.2.1", "The upstream vouches for no address in one of allowed_domains.";
    UpstreamAnswerMalformed => "server_error", "RFC 6749 §5.1", "The upstream's answer is not what its kind of provider answers.";
    UpstreamAuthTime => "access_denied", "OIDC Core §3.1.3.7", "The upstream does not say that the person signed in there as lately as was asked.";
    UpstreamDenied => "access_denied", "RFC 6749 §4.1.2.1", "The person, or the upstream, refused the sign-in.";
    UpstreamDisabled => "access_denied", "RFC 6749 §4.1.2.1", "There is no upstream of this name, or it is switched off.";
    UpstreamGroupNotAllowed => "access_denied", "RFC 6749 §4.1.2.1", "The upstream names none of allowed_groups.";
    UpstreamIdTokenAtHash => "server_error", "OIDC Core §3.1.3.8", "The upstream's ID token is of another access token.";
    UpstreamIdTokenAudience => "server_error", "OIDC Core §3.1.3.7", "The upstream's ID token is not for this server alone.";
    UpstreamIdTokenExpired => "server_error", "OIDC Core §3.1.3.7", "The upstream's ID token is not of this moment.";
    UpstreamIdTokenIssuer => "server_error", "OIDC Core §3.1.3.7", "The upstream's ID token is of another issuer.";
    UpstreamIdTokenMalformed => "server_error", "OIDC Core §2", "The upstream's ID token cannot be read, or lacks what it must have.";
    UpstreamIdTokenNonce => "server_error", "OIDC Core §3.1.3.7", "The upstream's ID token does not have the nonce of this sign-in.";
    UpstreamIssuerMismatch => "server_error", "RFC 9207 §2.4", "The answer is of another issuer than the request was sent to.";
    UpstreamLinkTaken => "access_denied", "RFC 6749 §4.1.2.1", "The account at the upstream is linked with another account here.";
    UpstreamLogoutToken => "invalid_request", "OIDC Back-Channel Logout §2.6", "The logout token is not one of this upstream for this server and this moment.";
    UpstreamRefused => "server_error", "RFC 6749 §4.1.2.1", "The upstream answered with an error.";
    UpstreamStateInvalid => "invalid_request", "RFC 6749 §10.12", "The answer belongs to no sign-in of this browser at this upstream, or it came too late.";
    UpstreamStateSpent => "invalid_request", "RFC 6749 §10.12", "The answer was used before.";
    UpstreamSubjectMismatch => "server_error", "OIDC Core §5.3.2", "The upstream's answers are about different people.";
    UpstreamTokenAlgorithm => "server_error", "OIDC Core §3.1.3.7", "The upstream's token is signed with an algorithm that is not taken.";
    UpstreamTokenSignature => "server_error", "OIDC Core §3.1.3.7", "The upstream's token is signed with none of its keys.";
    UpstreamUnreachable => "temporarily_unavailable", "RFC 6749 §4.1.2.1", "The upstream cannot be reached, or may not be asked.";
    UserDisabled => "invalid_grant", "RFC 6749 §5.2", "The account behind this token is switched off.";
    UserNetwork => "invalid_grant", "RFC 6749 §5.2", "The person behind this token may not be served from this address.";
    VerifierMalformed => "invalid_grant", "RFC 7636 §4.1", "The code_verifier must be 43 to 128 characters of letters, digits, \"-\", \".\", \"_\" and \"~\".";
    VerifierMismatch => "invalid_grant", "RFC 7636 §4.6", "The code_verifier does not fit the code_challenge of the authorization request.";
    VerifierMissing => "invalid_grant", "RFC 7636 §4.6", "The code was asked for with a code_challenge; send its code_verifier.";
    VerifierUnexpected => "invalid_grant", "RFC 9700 §2.1.1", "The code was asked for without a code_challenge, so no code_verifier fits it.";
}

fn missing(name: &str) -> &'static str {
    match name {
        "client_id" => "The parameter client_id is missing.",
        "code" => "The parameter code is missing.",
        "refresh_token" => "The parameter refresh_token is missing.",
        "response_type" => "The parameter response_type is missing.",
        _ => "A parameter is missing.",
    }
}

impl Error {
    /// The error code of the wire.
    pub fn code(&self) -> &'static str {
        self.told().code
    }
}

/// A refusal that changes something all the same: a replayed code ends its grant although the client gets an error.
#[derive(Debug)]
pub struct Refusal {
    /// Why.
    pub error: Error,
    /// What is written before the answer leaves.
    pub changes: Vec<Change>,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { error, changes: Vec::new() }
    }
}

/// What a decide function returns: what to write, and what to answer.
#[derive(Debug)]
pub struct Decision<R> {
    /// The changes to commit before the answer leaves.
    pub changes: Vec<Change>,
    /// The answer.
    pub reply: R,
}

#[cfg(test)]
mod tests {
    use super::*;

    // "Values for the "error_description" parameter MUST NOT include characters outside the set %x20-21 / %x23-5B /
    // %x5D-7E." (RFC 6749 §5.2)
    #[test]
    fn descriptions_keep_to_the_characters_of_the_wire() {
        for (reason, description) in TABLE {
            let bad = description.chars().find(|c| !matches!(c, ' '..='~') || *c == '\\');
            assert_eq!(bad, None, "{reason}");
        }
    }
}
