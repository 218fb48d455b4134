//! Sets of keys (RFC 7517 §5).

use serde::de::{Deserialize, Deserializer, Error};
use serde::{Deserialize as DeriveDeserialize, Serialize};

use super::read::Parts;
use super::{Jwk, JwkError};

/// How many keys a set may have.
pub const MAX_KEYS: usize = 64;

/// A set of public keys: a client's `jwks`, our own JWKS document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct JwkSet {
    /// The keys, in the order in which they stand.
    pub keys: Vec<Jwk>,
}

#[derive(DeriveDeserialize)]
struct Raw {
    keys: Vec<Parts>,
}

impl<'de> Deserialize<'de> for JwkSet {
    /// Reads at most [`MAX_KEYS`] keys. Those of unknown type are left out; a misshapen, weak or private one refuses the set.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Raw::deserialize(deserializer)?;
        if raw.keys.len() > MAX_KEYS {
            return Err(D::Error::custom(format_args!("a key set may have {MAX_KEYS} keys at most")));
        }
        let mut keys = Vec::with_capacity(raw.keys.len());
        for parts in raw.keys {
            match Jwk::try_from(parts) {
                Ok(key) => keys.push(key),
                // "Implementations SHOULD ignore JWKs within a JWK Set that use "kty" (key type) values that are not
                // understood by them" (RFC 7517 §5)
                Err(JwkError::Unsupported) => {}
                // Stricter than RFC 7517: because who declares a key that can never work should hear of it at once.
                Err(error) => return Err(D::Error::custom(error)),
            }
        }
        Ok(Self { keys })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn key() -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "x5c": [], "new": 1})
    }

    #[test]
    fn keys_of_unknown_type_are_left_out() {
        let set = json!({"keys": [{"kty": "AKP", "x": 5, "alg": {}}, key(), {"kty": "OKP", "crv": "X448", "x": "AA"}], "more": 1});
        assert_eq!(serde_json::from_value::<JwkSet>(set).unwrap().keys.len(), 1);
    }

    #[test]
    fn a_private_key_or_too_many_refuse_the_set() {
        let mut private = key();
        private["d"] = "AA".into();
        assert!(serde_json::from_value::<JwkSet>(json!({"keys": [key(), private]})).is_err());
        assert!(serde_json::from_value::<JwkSet>(json!({"keys": vec![key(); 65]})).is_err());
        assert!(serde_json::from_value::<JwkSet>(json!({"keys": vec![key(); 64]})).is_ok());
        assert!(serde_json::from_value::<JwkSet>(json!({})).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in r#"(\{|\}|\[|\]|"keys":|"kty":|"EC"|"RSA"|"n":|"AA"|,|1){0,20}"#) {
            let _ = serde_json::from_str::<JwkSet>(&text);
        }
    }
}
