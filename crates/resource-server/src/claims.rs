//! What is said of a token, by itself or by its issuer, and whether that makes it count here.

use std::net::IpAddr;

use grantor_jose::algorithm::Algorithm;
use ipnet::IpNet;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use crate::access::{Access, Scope};
use crate::denied::Fault;

/// What a token is measured by.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// The issuer, letter for letter.
    pub(crate) issuer: String,
    /// This API.
    pub(crate) audience: String,
    /// How many seconds clocks may differ.
    pub(crate) skew: i64,
    /// The algorithms that were chosen; otherwise those that the issuer's keys are bound to.
    pub(crate) algorithms: Option<Vec<Algorithm>>,
}

/// The claims of a JWT access token (RFC 9068 §2.2), or the members of an introspection answer (RFC 7662 §2.2).
#[derive(Debug, Deserialize)]
pub(crate) struct Told {
    pub(crate) iss: Option<String>,
    pub(crate) sub: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) exp: Option<i64>,
    pub(crate) iat: Option<i64>,
    pub(crate) jti: Option<String>,
    #[serde(default, deserialize_with = "one_or_many")]
    aud: Vec<String>,
    nbf: Option<i64>,
    username: Option<String>,
    #[serde(default)]
    scope: String,
    acr: Option<String>,
    auth_time: Option<i64>,
    networks: Option<Vec<Network>>,
    token_type: Option<String>,
    #[serde(default, deserialize_with = "present")]
    cnf: bool,
}

impl Told {
    /// What the token allows, if it counts here at `now`.
    pub(crate) fn admitted(self, rules: &Rules, now: i64) -> Result<Access, Fault> {
        // "The issuer identifier for the authorization server (which is typically obtained during discovery) MUST exactly match
        // the value of the "iss" claim." (RFC 9068 §4)
        if self.iss.as_ref().is_some_and(|issuer| *issuer != rules.issuer) {
            return Err(Fault::IssuerMismatch);
        }
        // "The JWT access token MUST be rejected if "aud" does not contain a resource indicator of the current resource server as
        // a valid audience." (RFC 9068 §4) Stricter than RFC 7662: an answer without `aud` is refused, too, because it may
        // be about a token for anybody, or about none that is for APIs.
        if !self.aud.contains(&rules.audience) {
            return Err(Fault::AudienceMismatch);
        }
        // "The current time MUST be before the time represented by the "exp" claim. Implementers MAY provide for some small
        // leeway, usually no more than a few minutes, to account for clock skew." (RFC 9068 §4)
        if self.exp.is_some_and(|exp| now >= exp.saturating_add(rules.skew)) {
            return Err(Fault::Expired);
        }
        // "the current date/time MUST be after or equal to the not-before date/time listed in the "nbf" claim" (RFC 7519 §4.1.5)
        if self.nbf.is_some_and(|nbf| now.saturating_add(rules.skew) < nbf) {
            return Err(Fault::NotYetValid);
        }
        // Nothing here checks who holds a key, so a token that needs its key would be a bearer token for whoever stole it.
        if self.cnf || self.token_type.as_ref().is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
            return Err(Fault::KeyBound);
        }
        // Whoever is nobody would share what is kept for nobody.
        if [&self.sub, &self.client_id].into_iter().flatten().all(String::is_empty) {
            return Err(Fault::ClaimMissing("sub"));
        }
        Ok(self.into())
    }
}

impl From<Told> for Access {
    fn from(told: Told) -> Self {
        let client_id = told.client_id.unwrap_or_default();
        Self {
            subject: told.sub.filter(|subject| !subject.is_empty()).unwrap_or_else(|| client_id.clone()),
            client_id,
            username: told.username,
            scope: Scope::new(told.scope),
            audience: told.aud,
            expires_at: told.exp,
            acr: told.acr,
            auth_time: told.auth_time,
            networks: told.networks.map(|networks| networks.into_iter().map(|Network(network)| network).collect()),
        }
    }
}

/// A network as text: an address with the length of its prefix, or one address.
#[derive(Debug)]
struct Network(IpNet);

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        // What is not understood allows nothing: the whole token is refused.
        network.map(Self).map_err(|_| serde::de::Error::custom("a network is not in CIDR notation"))
    }
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Read {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Read::deserialize(deserializer)? {
        Read::One(one) => vec![one],
        Read::Many(many) => many,
    })
}

/// Whether a member stands there, whatever it says.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
pub(crate) mod tests {
    use super::*;
    use serde_json::{Value, json};

    pub(crate) fn rules() -> Rules {
        Rules {
            issuer: "https://id.example".into(),
            audience: "https://api.example".into(),
            skew: 10,
            algorithms: None,
        }
    }

    fn admitted(changes: &Value) -> Result<Access, Fault> {
        let mut told = json!({"iss": "https://id.example", "aud": "https://api.example", "exp": 1_000, "sub": "alice"});
        told.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        serde_json::from_value::<Told>(told).unwrap().admitted(&rules(), 990)
    }

    #[test]
    fn what_is_for_us_and_lives_is_admitted() {
        let access =
            admitted(&json!({"scope": "a b", "client_id": "app", "networks": ["10.0.0.0/8", "::1"], "new": {}}))
                .unwrap();
        assert_eq!(
            (access.subject.as_str(), access.client_id.as_str(), access.expires_at),
            ("alice", "app", Some(1_000))
        );
        assert!(access.scope.has("a") && access.scope.has("b"));
        assert_eq!(access.networks.unwrap().len(), 2);
        assert!(admitted(&json!({"aud": ["https://other.example", "https://api.example"]})).is_ok());
    }

    #[test]
    fn another_issuer_or_audience_is_refused_letter_for_letter() {
        for issuer in ["https://id.example/", "https://ID.example", "http://id.example", ""] {
            assert_eq!(admitted(&json!({"iss": issuer})).unwrap_err(), Fault::IssuerMismatch);
        }
        for audience in [json!("https://api.example/"), json!([]), json!(["https://other.example"]), json!("")] {
            assert_eq!(admitted(&json!({"aud": audience})).unwrap_err(), Fault::AudienceMismatch);
        }
    }

    #[test]
    fn clocks_may_differ_by_the_skew_and_no_more() {
        assert!(admitted(&json!({"exp": 981, "nbf": 1_000})).is_ok());
        assert_eq!(admitted(&json!({"exp": 980})).unwrap_err(), Fault::Expired);
        assert_eq!(admitted(&json!({"nbf": 1_001})).unwrap_err(), Fault::NotYetValid);
        assert_eq!(admitted(&json!({"exp": i64::MIN})).unwrap_err(), Fault::Expired);
        assert!(admitted(&json!({"exp": i64::MAX, "nbf": i64::MIN})).is_ok());
    }

    #[test]
    fn a_token_that_is_bound_to_a_key_is_no_bearer_token() {
        assert_eq!(admitted(&json!({"cnf": {"jkt": "x"}})).unwrap_err(), Fault::KeyBound);
        assert_eq!(admitted(&json!({"cnf": null})).unwrap_err(), Fault::KeyBound);
        assert_eq!(admitted(&json!({"token_type": "DPoP"})).unwrap_err(), Fault::KeyBound);
        assert!(admitted(&json!({"token_type": "bearer"})).is_ok());
    }

    #[test]
    fn a_token_speaks_for_somebody() {
        let of_client = admitted(&json!({"sub": "", "client_id": "app"})).unwrap();
        assert_eq!(of_client.subject, "app");
        for nobody in [json!({"sub": ""}), json!({"sub": null}), json!({"sub": null, "client_id": ""})] {
            assert_eq!(admitted(&nobody).unwrap_err(), Fault::ClaimMissing("sub"));
        }
    }

    #[test]
    fn networks_that_are_none_refuse_everything() {
        for bad in [json!(["10.0.0.0/33"]), json!(["10.0.0.0/8", "all"]), json!("10.0.0.0/8"), json!([1]), json!([""])]
        {
            assert!(serde_json::from_value::<Told>(json!({"networks": bad})).is_err());
        }
    }
}
