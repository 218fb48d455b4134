//! Signing: the path of every token, so the header is encoded once a key, and the token is written once.

use ring::rand::SystemRandom;
use ring::signature::{self, RsaEncoding};
use serde::Serialize;

use super::{Pair, SigningKey};
use crate::algorithm::Algorithm;
use crate::base64url;

/// What kind of token a JWS is (its `typ`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Typ {
    /// An access token, `at+jwt` (RFC 9068 §2.1).
    AtJwt,
    /// What an app behind a proxy is told about who enters, `forward-auth+jwt`; ours.
    ForwardAuthJwt,
    /// An introspection response, `token-introspection+jwt` (RFC 9701 §5).
    IntrospectionJwt,
    /// An ID token, a userinfo response, or any other: `JWT`, or none when read.
    Jwt,
    /// A logout token, `logout+jwt` (OIDC Back-Channel Logout §2.4).
    LogoutJwt,
}

impl Typ {
    const ALL: [Self; 5] = [Self::AtJwt, Self::ForwardAuthJwt, Self::IntrospectionJwt, Self::Jwt, Self::LogoutJwt];

    /// The media type without `application/`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AtJwt => "at+jwt",
            Self::ForwardAuthJwt => "forward-auth+jwt",
            Self::IntrospectionJwt => "token-introspection+jwt",
            Self::Jwt => "JWT",
            Self::LogoutJwt => "logout+jwt",
        }
    }
}

/// Why nothing was signed, in alphabetical order.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The claims are not JSON.
    #[error("the claims cannot be written as JSON")]
    Claims(#[source] serde_json::Error),
    /// The signature failed, for which only the system's random source can be the reason.
    #[error("the signature failed")]
    Signature,
}

/// The encoded headers of a key, one for each `typ`, each with the dot behind it.
pub(super) struct Headers([String; 5]);

impl Headers {
    pub(super) fn new(algorithm: Algorithm, kid: &str) -> Self {
        // Nothing here needs escaping: names are ours, and `kid` is base64url.
        let json = |typ: Typ| format!(r#"{{"typ":"{}","alg":"{algorithm}","kid":"{kid}"}}"#, typ.as_str());
        Self(Typ::ALL.map(|typ| base64url::encode(json(typ).as_bytes()) + "."))
    }

    const fn get(&self, typ: Typ) -> &String {
        let [at, forward_auth, introspection, plain, logout] = &self.0;
        match typ {
            Typ::AtJwt => at,
            Typ::ForwardAuthJwt => forward_auth,
            Typ::IntrospectionJwt => introspection,
            Typ::Jwt => plain,
            Typ::LogoutJwt => logout,
        }
    }
}

impl SigningKey {
    /// The signature over `message`; for ECDSA as r and s side by side (RFC 7518 §3.4).
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.signature(message).map(|signature| signature.as_ref().to_vec())
    }

    /// `claims` as a signed token in compact serialization (RFC 7515 §3.1).
    pub fn sign_compact(&self, typ: Typ, claims: &impl Serialize) -> Result<String, SignError> {
        let payload = serde_json::to_vec(claims).map_err(SignError::Claims)?;
        let header = self.headers.get(typ);
        let length =
            header.len() + base64url::encoded_len(payload.len()) + 1 + base64url::encoded_len(self.signature_len());
        let mut token = String::with_capacity(length);
        token.push_str(header);
        base64url::encode_onto(&mut token, &payload);
        let signature = self.signature(token.as_bytes())?;
        token.push('.');
        base64url::encode_onto(&mut token, signature.as_ref());
        Ok(token)
    }

    fn signature(&self, message: &[u8]) -> Result<Signature, SignError> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ecdsa(pair) => pair.sign(&random, message).map(Signature::Short).map_err(|_| SignError::Signature),
            Pair::Ed25519(pair) => Ok(Signature::Short(pair.sign(message))),
            Pair::Rsa(pair) => {
                let padding: &dyn RsaEncoding = match self.algorithm {
                    Algorithm::Ps256 => &signature::RSA_PSS_SHA256,
                    _ => &signature::RSA_PKCS1_SHA256,
                };
                let mut bytes = vec![0; pair.public().modulus_len()];
                pair.sign(padding, &random, message, &mut bytes).map_err(|_| SignError::Signature)?;
                Ok(Signature::Long(bytes))
            }
        }
    }

    fn signature_len(&self) -> usize {
        match &self.pair {
            Pair::Ed25519(_) => 64,
            Pair::Ecdsa(_) if self.algorithm == Algorithm::Es256 => 64,
            Pair::Ecdsa(_) => 96,
            Pair::Rsa(pair) => pair.public().modulus_len(),
        }
    }
}

/// A signature: that of a curve stands in place, that of RSA in a vector.
enum Signature {
    Long(Vec<u8>),
    Short(signature::Signature),
}

impl AsRef<[u8]> for Signature {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Long(bytes) => bytes,
            Self::Short(signature) => signature.as_ref(),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::key::tests::samples;
    use serde_json::{Value, json};

    #[test]
    fn a_token_is_written_into_one_buffer_of_its_size() {
        for key in samples() {
            let token = key.sign_compact(Typ::AtJwt, &json!({"sub": "alice", "scope": "openid"})).unwrap();
            assert_eq!(token.len(), token.capacity());
            assert_eq!(token.split('.').count(), 3);
        }
    }

    #[test]
    fn the_header_names_kind_algorithm_and_key() {
        for (key, typ) in samples().iter().flat_map(|key| Typ::ALL.map(|typ| (key, typ))) {
            let token = key.sign_compact(typ, &json!({})).unwrap();
            let header = base64url::decode(token.split('.').next().unwrap()).unwrap();
            let header: Value = serde_json::from_slice(&header).unwrap();
            assert_eq!(header, json!({"typ": typ.as_str(), "alg": key.algorithm(), "kid": key.kid()}));
        }
    }

    #[test]
    fn the_ed25519_signature_is_that_of_rfc_8037() {
        let jwk = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
            "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let key = SigningKey::from_private_jwk(Algorithm::EdDsa, jwk).unwrap();
        let signature = key.sign(b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc").unwrap();
        let expected = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        assert_eq!(base64url::encode(&signature), expected);
    }
}
