//! ID tokens: "a security token that contains Claims about the Authentication of an End-User by an Authorization Server"
//! (OIDC Core §2). Built with openidconnect's types, signed by our own keys.

use grantor_jose::algorithm::Algorithm;
use grantor_jose::id::Id;
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
use crate::client::Client;
use crate::client_auth::AuthenticatedClient;
use crate::directory::Directory;
use crate::error::Error;
use crate::grant::Grant;
use crate::grant_type::Redeemed;
use crate::provider::Provider;
use crate::store::Store;
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

/// Makes the ID token of an approval that includes `openid`.
pub(crate) fn sign<S: Store>(
    provider: &Provider<S>,
    client: &AuthenticatedClient,
    redeemed: &Redeemed,
    access_token: &str,
    now: Time,
) -> Result<Option<String>, Error> {
    let Some((grant, user)) = redeemed.approval.as_ref().filter(|_| redeemed.target.scope.contains("openid")) else {
        return Ok(None);
    };
    let client = client.client();
    let directory = provider.store.directory();
    let key = directory.keys.signer(client.id_token_algorithm(), now).ok_or(Error::SigningKeyMissing)?;
    let claims = claims((provider, &directory), client, (grant, user), redeemed, now);
    let access_token = openidconnect::AccessToken::new(access_token.to_owned());
    let algorithm = key.algorithm().into();
    let token =
        Token::new(claims, key.as_ref(), algorithm, Some(&access_token), None).map_err(|_| Error::SigningKeyMissing)?;
    Ok(Some(token.to_string()))
}

fn claims<S>(
    (provider, directory): (&Provider<S>, &Directory),
    client: &Client,
    (grant, user): (&Grant, &User),
    redeemed: &Redeemed,
    now: Time,
) -> Claims {
    let context = &grant.context;
    let names = claims::id_token_names(&client.metadata.id_token_claims, context);
    let released = Released {
        sid: Some(grant.sid().to_string()),
        user: claims::release(directory, user, &redeemed.target.scope, &names),
    };
    let moment = |time: Time| chrono::DateTime::from_timestamp(time.seconds(), 0).unwrap_or_default();
    Claims::new(
        provider.issuer.to_claim(),
        vec![Audience::new(client.client_id.clone())],
        moment(now.plus(provider.policy.lifetimes.id_token)),
        moment(now),
        StandardClaims::new(SubjectIdentifier::new(user.subject.clone())),
        released,
    )
    // "If present in the Authentication Request, Authorization Servers MUST include a nonce Claim in the ID Token with the
    // Claim Value being the nonce value sent in the Authentication Request." (OIDC Core §2)
    .set_nonce(redeemed.nonce.clone().map(Nonce::new))
    // "When a max_age request is made or when auth_time is requested as an Essential Claim, then this Claim is REQUIRED;
    // otherwise, its inclusion is OPTIONAL." (OIDC Core §2)
    .set_auth_time(Some(moment(context.auth_time)))
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

impl Hint {
    /// The session's identifier.
    pub fn session_id(&self) -> Option<Id> {
        self.sid.as_deref().and_then(|sid| sid.parse().ok())
    }
}

/// Reads an ID token of ours that a client gives back, expired or not.
///
/// # Errors
/// `IdTokenHintInvalid`.
pub fn read_hint<S: Store>(provider: &Provider<S>, hint: &str, now: Time) -> Result<Hint, Error> {
    let directory = provider.store.directory();
    let expected = Expected { typ: TypRule::Is(Typ::Jwt), algorithms: Algorithm::ALL };
    let verified = verify(hint, &expected, &directory.keys.at(now)).map_err(|_| Error::IdTokenHintInvalid)?;
    let hint: Hint = verified.claims().map_err(|_| Error::IdTokenHintInvalid)?;
    // "When an "id_token_hint" parameter is present, the OP MUST validate that it was the issuer of the ID Token. The OP
    // SHOULD accept ID Tokens when the RP identified by the ID Token's "aud" claim and/or "sid" claim has a current session
    // or had a recent session at the OP, even when the "exp" time has passed." (OIDC RP-Initiated Logout §2)
    if hint.iss == provider.issuer.as_str() { Ok(hint) } else { Err(Error::IdTokenHintInvalid) }
}
