//! Assertions of the app `signed`: right, or wrong in any one part (RFC 7523).

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_jose::algorithm::Algorithm;
use grantor_jose::hash::sha256;
use grantor_jose::key::SigningKey;
use serde_json::{Map, Value, json};

use super::seeds::SIGNED_KEY;
use super::server::Server;

/// The `client_assertion_type`.
pub const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// An assertion that is not signed yet.
#[derive(Clone)]
pub struct Assertion {
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl Assertion {
    /// A right one, with a `jti` of its own.
    pub fn new(server: &Server) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let now = server.clock.read().seconds();
        let jti = format!("assertion-{}", NEXT.fetch_add(1, Ordering::SeqCst));
        let claims =
            json!({ "iss": "signed", "sub": "signed", "aud": server.url, "exp": now + 60, "iat": now, "jti": jti });
        let header = json!({ "alg": "ES256", "kid": "signed-1", "typ": "JWT" });
        Self { header: header.as_object().unwrap().clone(), claims: claims.as_object().unwrap().clone() }
    }

    /// With a claim of another value; `null` removes it.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        put(&mut self.claims, name, value.into());
        self
    }

    /// With a member of the header of another value; `null` removes it.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        put(&mut self.header, name, value.into());
        self
    }

    /// Header and claims, encoded, as they are signed.
    pub fn unsigned(&self) -> String {
        let part = |members: &Map<String, Value>| URL_SAFE_NO_PAD.encode(serde_json::to_vec(members).unwrap());
        format!("{}.{}", part(&self.header), part(&self.claims))
    }

    /// Signed with the app's key.
    pub fn signed(&self) -> String {
        self.signed_with(SIGNED_KEY)
    }

    /// Signed with another key (ES256, a private JWK).
    pub fn signed_with(&self, jwk: &str) -> String {
        signed(&self.unsigned(), jwk)
    }
}

/// Claims of any kind, signed with the app's key.
pub fn signed_claims(claims: &Value) -> String {
    let part = |members: &Value| URL_SAFE_NO_PAD.encode(serde_json::to_vec(members).unwrap());
    signed(&format!("{}.{}", part(&json!({ "alg": "ES256", "kid": "signed-1" })), part(claims)), SIGNED_KEY)
}

/// `text` and its signature by a key (ES256, a private JWK).
pub fn signed(text: &str, jwk: &str) -> String {
    let key = SigningKey::from_private_jwk(Algorithm::Es256, jwk).unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(key.sign(text.as_bytes()).unwrap()))
}

/// `text` and its HMAC, as a forger makes it who takes a public key for a secret.
pub fn hs256(text: &str, secret: &[u8]) -> String {
    let mut key = [0; 64];
    let short = if secret.len() > key.len() { sha256(secret).to_vec() } else { secret.to_vec() };
    key[..short.len()].copy_from_slice(&short);
    let pad = |with: u8| key.map(|byte| byte ^ with);
    let inner = sha256(&[&pad(0x36)[..], text.as_bytes()].concat());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(sha256(&[&pad(0x5c)[..], &inner[..]].concat())))
}

/// The parameters that carry an assertion.
pub fn params(assertion: &str) -> [(&str, &str); 2] {
    [("client_assertion_type", TYPE), ("client_assertion", assertion)]
}

fn put(members: &mut Map<String, Value>, name: &str, value: Value) {
    members.remove(name);
    if !value.is_null() {
        members.insert(name.to_owned(), value);
    }
}
