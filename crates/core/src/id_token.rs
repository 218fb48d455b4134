//! ID tokens: "a security token that contains Claims about the Authentication of an End-User by an Authorization Server"
//! (OIDC Core §2). Built with openidconnect's types, signed by our own keys.

use grantor_jose::algorithm::Algorithm;
use grantor_jose::jwe::{self, Content};
use grantor_jose::key::Typ;
use grantor_jose::verify::{Expected, TypRule, verify};
use openidconnect::core::{CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm};
use openidconnect::{
    AdditionalClaims, Audience, AuthenticationContextClass, AuthenticationMethodReference, IdToken, IdTokenClaims,
    Nonce, StandardClaims, SubjectIdentifier,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::claims;
use crate::directory::Directory;
use crate::error::Error;
use crate::grant::Grant;
use crate::issuance::Issuance;
use crate::provider::{Call, Provider};
use crate::store::Store;
use crate::subject;
use crate::time::Time;
use crate::user::User;

/// The claims that an ID token of ours has beside those of the specification.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Released {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    #[serde(flatten)]
    user: Map<String, Value>,
}

impl AdditionalClaims for Released {}

type Claims = IdTokenClaims<Released, CoreGenderClaim>;
type Token = IdToken<Released, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;

/// What an ID token travels with, and shows to belong to it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Beside<'a> {
    /// The access token.
    pub(crate) access_token: Option<&'a str>,
    /// The authorization code.
    pub(crate) code: Option<&'a str>,
}

/// Makes the ID token of an approval that includes `openid`.
pub(crate) fn sign<S: Store>(
    provider: &Provider<S>,
    issuance: &Issuance<'_>,
    beside: Beside<'_>,
    call: Call<'_>,
) -> Result<Option<String>, Error> {
    let Some(approval) = issuance.approval().filter(|_| issuance.target().scope.contains("openid")) else {
        return Ok(None);
    };
    let (directory, client, now) = (provider.store.directory(), issuance.client(), call.now);
    // "The signing party MUST select a signature algorithm based on the algorithms supported by the recipient."
    // (OIDC Core §10.1)
    let key = directory.keys.signer(client.id_token_algorithm(), now).ok_or(Error::SigningKeyMissing)?;
    let claims = claims((provider, &directory), issuance, approval, now);
    // "If the ID Token is issued from the Authorization Endpoint with an "access_token" value, which is the case for the
    // "response_type" value "id_token token", this is REQUIRED" (OIDC Core §3.2.2.10)
    // "If the ID Token is issued from the Authorization Endpoint with an "access_token" value, which is the case for the
    // "response_type" value "code id_token token", this is REQUIRED; otherwise, its inclusion is OPTIONAL."
    // (OIDC Core §3.3.2.11)
    let access_token = beside.access_token.map(|token| openidconnect::AccessToken::new(token.to_owned()));
    // "If the ID Token is issued from the Authorization Endpoint with a "code", which is the case for the "response_type" values
    // "code id_token" and "code id_token token", this is REQUIRED" (OIDC Core §3.3.2.11)
    let code = beside.code.map(|code| openidconnect::AuthorizationCode::new(code.to_owned()));
    let algorithm = key.algorithm().into();
    let token = Token::new(claims, key.as_ref(), algorithm, access_token.as_ref(), code.as_ref());
    let token = token.map_err(|_| Error::SigningKeyMissing)?.to_string();
    // "If the ID Token is encrypted, it MUST be signed then encrypted, with the result being a Nested JWT, as defined in [JWT]."
    // (OIDC Core §2)
    // "When the message is both signed and encrypted, it MUST be signed first and then encrypted, per Section 16.14, with
    // the result being a Nested JWT, as specified in [JWT]." (OIDC Core §10)
    Ok(Some(match client.id_token_encryption() {
        Some(encryption) => {
            let keys = client.public_keys(call.client_keys);
            encryption.encrypt(&token, Content::Token, keys, provider.mint.random())?
        }
        None => token,
    }))
}

fn claims<S>(
    (provider, directory): (&Provider<S>, &Directory),
    issuance: &Issuance<'_>,
    (grant, user): (&Grant, &User),
    now: Time,
) -> Claims {
    let (client, context, scope) = (issuance.client(), &grant.context, &issuance.target().scope);
    // "If either ID Token contains Claims about the End-User, any that are present in both SHOULD have the same values in both."
    // (OIDC Core §3.3.3.6)
    let which = (client.metadata.id_token_claims.as_slice(), issuance.is_id_token_alone());
    let names = claims::id_token_names(directory, scope, context, which);
    let user_claims = claims::for_id_token(claims::release(directory, user, scope, &names), user, context);
    let sid = subject::session(&directory.secrets.subjects, client, grant.sid());
    let released = Released { sid: Some(sid), user: user_claims };
    let moment = |time: Time| chrono::DateTime::from_timestamp(time.seconds(), 0).unwrap_or_default();
    Claims::new(
        // "iss REQUIRED. Issuer Identifier for the Issuer of the response." (OIDC Core §2)
        provider.issuer.to_claim(),
        // "aud REQUIRED. Audience(s) that this ID Token is intended for. It MUST contain the OAuth 2.0 "client_id" of the
        // Relying Party as an audience value." (OIDC Core §2)
        vec![Audience::new(client.client_id.clone())],
        // "exp REQUIRED." (OIDC Core §2)
        moment(now.plus(provider.policy.lifetimes.id_token)),
        // "its "iat" Claim MUST represent the time that the new ID Token is issued," (OIDC Core §12.2)
        // "iat REQUIRED. Time at which the JWT was issued." (OIDC Core §2)
        moment(now),
        // "If an ID Token is returned from both the Authorization Endpoint and from the Token Endpoint, which is the case
        // for the "response_type" values "code id_token" and "code id_token token", the "iss" and "sub" Claim Values MUST be
        // identical in both ID Tokens." (OIDC Core §3.3.3.6)
        // "sub REQUIRED. Subject Identifier." (OIDC Core §2)
        StandardClaims::new(SubjectIdentifier::new(subject::of(&directory.secrets.subjects, client, user))),
        released,
    )
    // "If present in the Authentication Request, Authorization Servers MUST include a nonce Claim in the ID Token with the
    // Claim Value being the nonce value sent in the Authentication Request." (OIDC Core §2)
    // "If a "nonce" parameter is present in the Authentication Request, Authorization Servers MUST include a "nonce" Claim
    // in the ID Token." (OIDC Core §3.3.2.11)
    // "Use of the "nonce" Claim is REQUIRED for this flow." (OIDC Core §3.2.2.10)
    .set_nonce(issuance.nonce().map(|nonce| Nonce::new(nonce.to_owned())))
    // "When a max_age request is made or when auth_time is requested as an Essential Claim, then this Claim is REQUIRED;
    // otherwise, its inclusion is OPTIONAL." (OIDC Core §2)
    // "When "max_age" is used, the ID Token returned MUST include an "auth_time" Claim Value." (OIDC Core §3.1.2.1)
    // "OPs MUST support returning the time at which the End-User authenticated via the "auth_time" Claim, when requested, as
    // defined in Section 2." (OIDC Core §15.1)
    // "if the ID Token contains an "auth_time" Claim, its value MUST represent the time of the original authentication - not
    // the time that the new ID token is issued," (OIDC Core §12.2)
    .set_auth_time(Some(moment(context.auth_time)))
    // "If the Claim is not Essential and a requested value cannot be provided, the Authorization Server SHOULD return the
    // session's current "acr" as the value of the "acr" Claim." (OIDC Core §5.5.1.1)
    .set_auth_context_ref(Some(AuthenticationContextClass::new(context.acr.clone())))
    .set_auth_method_refs(Some(context.amr.iter().cloned().map(AuthenticationMethodReference::new).collect()))
}

/// What an `id_token_hint` tells us.
#[derive(Debug, Deserialize)]
pub struct Hint {
    iss: String,
    /// What tells an ID token from a signed userinfo answer, which has none; it may have passed.
    #[serde(rename = "exp")]
    _exp: i64,
    /// The person.
    pub sub: String,
    /// The clients.
    #[serde(deserialize_with = "crate::access_token::one_or_many")]
    pub aud: Vec<String>,
    /// The session.
    #[serde(default)]
    pub sid: Option<String>,
}

/// Reads an ID token of ours that a client gives back, expired or not.
///
/// # Errors
/// `IdTokenHintInvalid`, or `IdTokenHintEncrypted`.
pub fn read_hint<S: Store>(provider: &Provider<S>, hint: &str, now: Time) -> Result<Hint, Error> {
    // "If the ID Token received by the RP from the OP is encrypted, to use it as an "id_token_hint", the Client MUST decrypt the signed
    // ID Token contained within the encrypted ID Token." (OIDC Core §3.1.2.1)
    if jwe::is_encrypted(hint) {
        return Err(Error::IdTokenHintEncrypted);
    }
    let directory = provider.store.directory();
    let expected = Expected { typ: TypRule::Is(Typ::Jwt), algorithms: Algorithm::ALL };
    let keys = directory.keys.remembered(now, &provider.policy.lifetimes);
    let verified = verify(hint, &expected, &keys).map_err(|_| Error::IdTokenHintInvalid)?;
    let hint: Hint = verified.claims().map_err(|_| Error::IdTokenHintInvalid)?;
    // "When an "id_token_hint" parameter is present, the OP MUST validate that it was the issuer of the ID Token. The OP
    // SHOULD accept ID Tokens when the RP identified by the ID Token's "aud" claim and/or "sid" claim has a current session
    // or had a recent session at the OP, even when the "exp" time has passed." (OIDC RP-Initiated Logout §2)
    // "When an "id_token_hint" is present, the OP MUST validate that it was the issuer of the ID Token. The OP SHOULD accept
    // ID Tokens when the RP identified by the ID Token has a current session or had a recent session at the OP, even when
    // the "exp" time has passed." (OIDC Core §3.1.2.2)
    if hint.iss == provider.issuer.as_str() { Ok(hint) } else { Err(Error::IdTokenHintInvalid) }
}
