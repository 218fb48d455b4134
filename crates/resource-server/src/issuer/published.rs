//! The key set of an issuer, as far as it can be used: what is odd in it is passed over, so that one key that nobody here can read
//! takes no other from anybody.

use grantor_jose::jwk::{Jwk, JwkSet, MAX_KEYS};
use serde::Deserialize;
use serde_json::Value;

/// A key set, read key by key.
#[derive(Debug, Deserialize)]
#[serde(from = "Raw")]
pub(super) struct Published(pub(super) JwkSet);

#[derive(Deserialize)]
struct Raw {
    keys: Vec<Value>,
}

impl From<Raw> for Published {
    fn from(raw: Raw) -> Self {
        let read = |key: Value| match serde_json::from_value::<Jwk>(key) {
            Ok(key) => Some(key),
            Err(error) => {
                tracing::debug!(%error, "a key of the issuer is passed over");
                None
            }
        };
        // A set is at most so large as an answer may be; more keys than these are nobody's.
        Self(JwkSet { keys: raw.keys.into_iter().filter_map(read).take(MAX_KEYS).collect() })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_odd_key_is_passed_over_and_a_set_that_is_none_is_refused() {
        let good =
            json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "a"});
        let mut private = good.clone();
        private["d"] = "AA".into();
        let weak = json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"});
        let odd =
            [json!(null), json!(7), json!({}), json!({"kty": 5}), json!({"kty": "EC", "crv": "P-256"}), weak, private];
        let keys: Vec<Value> = odd.into_iter().chain([good]).collect();
        let Published(set) = serde_json::from_value(json!({"keys": keys})).unwrap();
        assert_eq!(set.keys.len(), 1);
        assert!(serde_json::from_value::<Published>(json!({"keys": {}})).is_err());
        assert!(serde_json::from_value::<Published>(json!([])).is_err());
    }
}
