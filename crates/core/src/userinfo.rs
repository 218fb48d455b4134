//! Userinfo: who the person behind an access token is, as far as they approved (OIDC Core §5.3).

use std::fmt;
use std::sync::Arc;

use grantor_jose::jwe::Content;
use grantor_jose::key::Typ;
use grantor_jose::random::Random;
use serde_json::{Map, Value};

use crate::access_token;
use crate::admission::{Account, By};
use crate::claims;
use crate::client::{Client, Encryption};
use crate::client_auth::PublishedKeys;
use crate::error::Error;
use crate::provider::{Call, Provider};
use crate::store::Store;
use crate::subject;
use crate::time::Time;
use crate::usage::{Held, Use};

/// An answer of the userinfo endpoint.
#[derive(Debug)]
pub enum Userinfo {
    /// Claims as JSON.
    Json(Map<String, Value>),
    /// Claims as a signed JWT.
    Jwt(String),
    /// Claims, signed or not, that are still to be encrypted.
    Unencrypted(Unencrypted),
}

/// An answer that must not leave as it is. Whoever has the client's keys encrypts it.
pub struct Unencrypted {
    client: Arc<Client>,
    encryption: Encryption,
    text: String,
    content: Content,
}

impl Unencrypted {
    /// The client whose keys are needed.
    pub fn client_id(&self) -> &str {
        &self.client.client_id
    }

    /// How it will be encrypted.
    pub fn encryption(&self) -> Encryption {
        self.encryption
    }

    /// The JWT that may leave, encrypted to the keys of the client: `published` where they are at an address.
    ///
    /// # Errors
    /// `EncryptionKeyMissing`.
    pub fn encrypt(self, published: Option<&PublishedKeys>, random: &Random) -> Result<String, Error> {
        let keys = self.client.public_keys(published);
        self.encryption.encrypt(&self.text, self.content, keys, random)
    }
}

impl fmt::Debug for Unencrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unencrypted({}, [redacted])", self.client_id())
    }
}

/// An answer, and the use of an access token that it is.
pub type Answered = (Userinfo, Use);

/// Answers a userinfo request with the access token that it presents.
///
/// # Errors
/// `TokenUnknown`, `ScopeInsufficient`, `RateExceeded`, or those of the store.
pub async fn userinfo<S: Store>(provider: &Provider<S>, presented: &str, call: Call<'_>) -> Result<Answered, Error> {
    let live = access_token::find(provider, presented, call.now).await?.ok_or(Error::TokenUnknown)?;
    let directory = provider.store.directory();
    live.reach(&directory, &[]).check(call.from()).map_err(|_| Error::TokenUnknown)?;
    let held = Held::of_access_token(&live);
    let Some(approval) = live.approval else { return Err(Error::ScopeInsufficient) };
    if !live.scope.contains("openid") || !live.audience.iter().any(|audience| audience == provider.issuer.as_str()) {
        return Err(Error::ScopeInsufficient);
    }
    // A token that is for an API does not count here: the API could use up with it what the app may ask.
    call.admit_account(Account { user_id: approval.user.id, by: By::Client(&live.client_id) })?;
    let client = directory.client(&live.client_id).ok_or(Error::TokenUnknown)?;
    let names = claims::userinfo_names(&directory, &live.scope, &approval.grant.context);
    let released = claims::release(&directory, &approval.user, &live.scope, &names);
    let mut answer = claims::for_userinfo(released, &approval.user, &approval.grant.context);
    // "The sub (subject) Claim MUST always be returned in the UserInfo Response." (OIDC Core §5.3.2)
    answer.insert("sub".into(), subject::of(&directory.secrets.subjects, client, &approval.user).into());
    let audience = vec![provider.issuer.as_str().to_owned()];
    let scope = live.scope.filter(|scope| claims::says_who(&directory, scope));
    let used = Use { held, scope, audience, at: call.now, from: call.from() };
    Ok((written(provider, client, answer, call.now)?, used))
}

/// The claims as the client wants them: as they are, signed, encrypted, or signed and then encrypted.
fn written<S: Store>(
    provider: &Provider<S>,
    client: &Arc<Client>,
    mut claims: Map<String, Value>,
    now: Time,
) -> Result<Userinfo, Error> {
    let (signature, encryption) = (client.metadata.userinfo_signed_response_alg, client.userinfo_encryption());
    if signature.is_none() && encryption.is_none() {
        // "The UserInfo Claims MUST be returned as the members of a JSON object unless a signed or encrypted response was
        // requested during Client Registration." (OIDC Core §5.3.2)
        return Ok(Userinfo::Json(claims));
    }
    // "If signed, the UserInfo Response MUST contain the Claims "iss" (issuer) and "aud" (audience) as members." (OIDC Core
    // §5.3.2); one that is only encrypted has them, too.
    // "The "iss" value MUST be the OP's Issuer Identifier URL." (OIDC Core §5.3.2)
    claims.insert("iss".into(), provider.issuer.as_str().into());
    // "The "aud" value MUST be or include the RP's Client ID value." (OIDC Core §5.3.2)
    claims.insert("aud".into(), client.client_id.clone().into());
    claims.insert("iat".into(), now.seconds().into());
    // "JWS "alg" algorithm [JWA] REQUIRED for signing UserInfo Responses." (OIDC Registration §2)
    let (text, content) = match signature {
        Some(algorithm) => {
            let directory = provider.store.directory();
            let key = directory.keys.signer(algorithm, now).ok_or(Error::SigningKeyMissing)?;
            (key.sign_compact(Typ::Jwt, &claims).map_err(|_| Error::SigningKeyMissing)?, Content::Token)
        }
        None => (Value::Object(claims).to_string(), Content::Claims),
    };
    // "If both signing and encryption are requested, the response MUST be signed then encrypted, with the result being a Nested JWT,
    // as defined in [JWT]." (OIDC Core §5.3.2)
    Ok(match encryption {
        Some(encryption) => {
            Userinfo::Unencrypted(Unencrypted { client: Arc::clone(client), encryption, text, content })
        }
        None => Userinfo::Jwt(text),
    })
}
