//! Reading a key: what is missing, misshapen, too small or private is refused by name.

use openidconnect::JsonWebKeyId;
use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Value;

use super::{Alg, Jwk, KeyUse, Material};
use crate::base64url;

const MAX_KID: usize = 256;
const MAX_EXPONENT: usize = 5;

/// Why a text is no public key, in alphabetical order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwkError {
    /// A member is missing, has the wrong type, the wrong length, or another spelling than base64url without padding.
    #[error("the member `{0}` of the key is missing or misshapen")]
    Member(&'static str),
    /// A private or symmetric key, which must never leave its owner.
    #[error(
        "a private key was pasted (its member `{0}` is secret): give the public key only, and replace this one, since it is known now"
    )]
    PrivateKey(&'static str),
    /// An RSA key under 2048 or over 8192 bits.
    #[error("an RSA key must have 2048 to 8192 bits")]
    RsaSize,
    /// A type or curve that we do not know.
    #[error(
        "keys of this type or curve are not supported; supported are EC (P-256, P-384), OKP (Ed25519, X25519) and RSA"
    )]
    Unsupported,
}

/// A key as it is read: members that we know, of any type; those of types that we do not know may mean something else.
#[derive(serde::Deserialize)]
pub(super) struct Parts {
    kty: Option<Value>,
    kid: Option<Value>,
    alg: Option<Value>,
    #[serde(rename = "use")]
    key_use: Option<Value>,
    crv: Option<Value>,
    x: Option<Value>,
    y: Option<Value>,
    n: Option<Value>,
    e: Option<Value>,
    d: Option<Value>,
    p: Option<Value>,
    q: Option<Value>,
    dp: Option<Value>,
    dq: Option<Value>,
    qi: Option<Value>,
    oth: Option<Value>,
    k: Option<Value>,
}

impl TryFrom<Parts> for Jwk {
    type Error = JwkError;

    fn try_from(parts: Parts) -> Result<Self, JwkError> {
        parts.refuse_private()?;
        let material = parts.material()?;
        let text = |name, value: &Option<Value>| match value {
            None => Ok(None),
            Some(Value::String(text)) if text.len() <= MAX_KID => Ok(Some(text.clone())),
            Some(_) => Err(JwkError::Member(name)),
        };
        Ok(Self {
            kid: text("kid", &parts.kid)?.map(JsonWebKeyId::new),
            alg: text("alg", &parts.alg)?.map_or(Alg::Any, |name| name.parse().map_or(Alg::Unknown(name), Alg::Only)),
            key_use: text("use", &parts.key_use)?.map_or(KeyUse::Any, |name| match name.as_str() {
                "sig" => KeyUse::Signature,
                _ => KeyUse::Other(name),
            }),
            material,
        })
    }
}

impl Parts {
    // Stricter than RFC 7517: because a private key that was pasted must be replaced, not silently read as a public one.
    fn refuse_private(&self) -> Result<(), JwkError> {
        let members = [
            ("d", &self.d),
            ("p", &self.p),
            ("q", &self.q),
            ("dp", &self.dp),
            ("dq", &self.dq),
            ("qi", &self.qi),
            ("oth", &self.oth),
            ("k", &self.k),
        ];
        members.iter().find(|(_, value)| value.is_some()).map_or(Ok(()), |(name, _)| Err(JwkError::PrivateKey(name)))
    }

    fn material(&self) -> Result<Material, JwkError> {
        let text = |value: &Option<Value>| value.as_ref().and_then(Value::as_str).map(str::to_owned);
        let (kty, crv) = (text(&self.kty).ok_or(JwkError::Member("kty"))?, text(&self.crv));
        match (kty.as_str(), crv.as_deref()) {
            ("EC", Some("P-256")) => self.point::<32, 65>().map(Material::P256),
            ("EC", Some("P-384")) => self.point::<48, 97>().map(Material::P384),
            ("OKP", Some("Ed25519")) => fixed("x", self.x.as_ref()).map(Material::Ed25519),
            ("OKP", Some("X25519")) => fixed("x", self.x.as_ref()).map(Material::X25519),
            ("EC" | "OKP", None) => Err(JwkError::Member("crv")),
            ("RSA", _) => self.rsa(),
            _ => Err(JwkError::Unsupported),
        }
    }

    fn point<const HALF: usize, const WHOLE: usize>(&self) -> Result<[u8; WHOLE], JwkError> {
        // "The length of this octet string MUST be the full size of a coordinate for the curve specified in the "crv"
        // parameter." (RFC 7518 §6.2.1.2)
        let (x, y) = (fixed::<HALF>("x", self.x.as_ref())?, fixed::<HALF>("y", self.y.as_ref())?);
        let mut point = [4; WHOLE];
        point[1..=HALF].copy_from_slice(&x);
        point[1 + HALF..].copy_from_slice(&y);
        Ok(point)
    }

    fn rsa(&self) -> Result<Material, JwkError> {
        let (n, e) = (number("n", self.n.as_ref())?, number("e", self.e.as_ref())?);
        // "A key of size 2048 bits or larger MUST be used with these algorithms." (RFC 7518 §3.3)
        let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
        if !(2048..=8192).contains(&bits) {
            return Err(JwkError::RsaSize);
        }
        let odd = e.last().is_some_and(|last| last % 2 == 1);
        if !odd || e == [1] || e.len() > MAX_EXPONENT {
            return Err(JwkError::Member("e"));
        }
        Ok(Material::Rsa { n, e })
    }
}

fn fixed<const N: usize>(name: &'static str, value: Option<&Value>) -> Result<[u8; N], JwkError> {
    value.and_then(Value::as_str).and_then(base64url::decode_array).ok_or(JwkError::Member(name))
}

/// A number, big-endian. Leading zeros, which some write although none should stand there, are dropped.
fn number(name: &'static str, value: Option<&Value>) -> Result<Vec<u8>, JwkError> {
    let bytes = value.and_then(Value::as_str).and_then(base64url::decode).ok_or(JwkError::Member(name))?;
    Ok(bytes.into_iter().skip_while(|byte| *byte == 0).collect())
}

impl<'de> Deserialize<'de> for Jwk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(Parts::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn refusal(key: Value) -> JwkError {
        let parts: Parts = serde_json::from_value(key).unwrap();
        Jwk::try_from(parts).unwrap_err()
    }

    #[test]
    fn a_private_key_is_refused_and_named_as_such() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        assert_eq!(refusal(json!({"kty": "OKP", "crv": "Ed25519", "x": x, "d": x})), JwkError::PrivateKey("d"));
        assert_eq!(refusal(json!({"kty": "oct", "k": x})), JwkError::PrivateKey("k"));
        let said = serde_json::from_value::<Jwk>(json!({"kty": "oct", "k": x})).unwrap_err().to_string();
        assert!(said.contains("private key was pasted") && !said.contains(x), "{said}");
    }

    #[test]
    fn rsa_keys_have_2048_to_8192_bits() {
        let rsa = |length: usize, first: u8| {
            let mut n = vec![255; length];
            n[0] = first;
            json!({"kty": "RSA", "n": base64url::encode(&n), "e": "AQAB"})
        };
        for (length, first) in [(1, 0), (128, 255), (256, 127), (256, 0), (1025, 1)] {
            assert_eq!(refusal(rsa(length, first)), JwkError::RsaSize);
        }
        for (length, first) in [(256, 128), (257, 0), (1024, 255)] {
            assert!(serde_json::from_value::<Jwk>(rsa(length, first)).is_ok());
        }
        let e = |e: &str| refusal(json!({"kty": "RSA", "n": base64url::encode(&[255; 256]), "e": e}));
        assert_eq!([e("AQ"), e("Ag"), e("AAAA"), e("AQAAAAAB")], [JwkError::Member("e"); 4]);
    }

    #[test]
    fn missing_misshapen_and_foreign_members_are_named() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        assert_eq!(refusal(json!({})), JwkError::Member("kty"));
        assert_eq!(refusal(json!({"kty": "EC", "x": x})), JwkError::Member("crv"));
        assert_eq!(refusal(json!({"kty": "EC", "crv": "P-256", "x": x})), JwkError::Member("y"));
        assert_eq!(refusal(json!({"kty": "EC", "crv": "P-384", "x": x, "y": x})), JwkError::Member("x"));
        assert_eq!(refusal(json!({"kty": "OKP", "crv": "Ed25519", "x": format!("{x}=")})), JwkError::Member("x"));
        assert_eq!(refusal(json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": 5})), JwkError::Member("kid"));
        assert_eq!(refusal(json!({"kty": "EC", "crv": "P-521", "x": x, "y": x})), JwkError::Unsupported);
        assert_eq!(refusal(json!({"kty": "AKP", "x": 5})), JwkError::Unsupported);
    }

    #[test]
    fn a_repeated_member_is_refused() {
        let text = r#"{"kty":"OKP","kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        assert!(serde_json::from_str::<Jwk>(text).is_err());
    }

    proptest! {
        #[test]
        fn any_key_that_is_read_is_written_as_one_that_is_read(
            kty in "EC|OKP|RSA|oct", crv in "P-256|P-384|Ed25519|X25519|", x in any::<[u8; 32]>(), y in any::<[u8; 48]>(), n in "[A-Za-z0-9_-]{340,344}",
        ) {
            let (long, short) = (base64url::encode(&y), base64url::encode(&x));
            let (x, y) = if crv == "P-384" { (long.clone(), long) } else { (short.clone(), short) };
            let key = json!({"kty": kty, "crv": crv, "x": x, "y": y, "n": n, "e": "AQAB"});
            if let Ok(jwk) = serde_json::from_value::<Jwk>(key) {
                let again: Jwk = serde_json::from_value(serde_json::to_value(&jwk).unwrap()).unwrap();
                prop_assert_eq!(again, jwk);
            }
        }
    }
}
