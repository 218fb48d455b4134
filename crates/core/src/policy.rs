//! Every lifetime and limit of a provider, with its default. The doc comment of a field is its manual.
//!
//! Lifetimes are written as `"90s"`, `"10m"`, `"12h"` or `"30d"`, or as a whole number of seconds.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::registration::RegistrationPolicy;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The settings of one provider that the protocol decides by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// How long things live: section `[lifetimes]`.
    pub lifetimes: Lifetimes,
    /// What an app may do unless its declaration says otherwise: section `[clients]`.
    pub clients: ClientPolicy,
    /// Personal access tokens and API keys: section `[tokens]`.
    pub tokens: TokenPolicy,
    /// Whether people may make accounts for themselves: `self_registration` of section `[sign_in]`.
    pub self_registration: bool,
    /// Apps that register themselves: section `[registration]`.
    pub registration: RegistrationPolicy,
    /// Whether apps may watch from their own pages whether the person is still signed in.
    pub session_management: bool,
}

/// How long things live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lifetimes {
    /// An authorization code, from the answer to its redemption. At most 10 minutes; default 60 s.
    #[serde(with = "lifetime")]
    pub authorization_code: Duration,
    /// An access token; at most an hour is advised. Default 10 minutes.
    #[serde(with = "lifetime")]
    pub access_token: Duration,
    /// An ID token. Default 10 minutes.
    #[serde(with = "lifetime")]
    pub id_token: Duration,
    /// A refresh token that is not used. Default 30 days.
    #[serde(with = "lifetime")]
    pub refresh_token_idle: Duration,
    /// A family of refresh tokens, however often it is used. Default 90 days.
    #[serde(with = "lifetime")]
    pub refresh_token_absolute: Duration,
    /// How long after a rotation the replaced refresh token gives the same successor again, for an app whose answer was
    /// lost on the way. `0` ends the family at once; where the database may be away for longer, a rotation may have been the
    /// last that it did. Default 10 s.
    #[serde(with = "lifetime")]
    pub refresh_token_grace: Duration,
    /// A sign-in that is not used. Default 12 hours.
    #[serde(with = "lifetime")]
    pub session_idle: Duration,
    /// A sign-in, however often it is used. Default 7 days.
    #[serde(with = "lifetime")]
    pub session_absolute: Duration,
    /// How long a started authorization may wait on the sign-in and consent pages. Default 1 hour.
    #[serde(with = "lifetime")]
    pub authorization_request: Duration,
    /// How far ahead of its first use a signing key is published, so that every cached JWKS holds it. Longer than
    /// `jwks_cache`. Default 1 hour.
    #[serde(with = "lifetime")]
    pub key_publication: Duration,
    /// How long a signing key signs before the next one follows by itself. Default 90 days.
    #[serde(with = "lifetime")]
    pub key_rotation: Duration,
    /// How long others may keep the JWKS and the metadata. Default 15 minutes.
    #[serde(with = "lifetime")]
    pub jwks_cache: Duration,
    /// The difference of clocks that is allowed for in what others signed. At most 60 s; default 30 s.
    #[serde(with = "lifetime")]
    pub clock_skew: Duration,
    /// The longest life of a client assertion (`exp` ahead of now). Default 5 minutes.
    #[serde(with = "lifetime")]
    pub client_assertion: Duration,
    /// How long a replaced client secret still works. Default 1 day.
    #[serde(with = "lifetime")]
    pub client_secret_overlap: Duration,
    /// How long spent codes and ended grants are kept to recognise a replay. Default 1 day.
    #[serde(with = "lifetime")]
    pub spent_kept: Duration,
    /// How long security events are kept; with webhooks at least 3 days, for so long a message is tried. Default 400 days.
    #[serde(with = "lifetime")]
    pub events_kept: Duration,
    /// How long it is kept what apps and tokens were used for; of a person it goes with their account. `0` keeps none. Default
    /// 90 days.
    #[serde(with = "lifetime")]
    pub usage_kept: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            authorization_code: Duration::from_mins(1),
            access_token: Duration::from_secs(10 * MINUTE),
            id_token: Duration::from_secs(10 * MINUTE),
            refresh_token_idle: Duration::from_secs(30 * DAY),
            refresh_token_absolute: Duration::from_secs(90 * DAY),
            refresh_token_grace: Duration::from_secs(10),
            session_idle: Duration::from_secs(12 * HOUR),
            session_absolute: Duration::from_secs(7 * DAY),
            authorization_request: Duration::from_secs(HOUR),
            key_publication: Duration::from_secs(HOUR),
            key_rotation: Duration::from_secs(90 * DAY),
            jwks_cache: Duration::from_secs(15 * MINUTE),
            clock_skew: Duration::from_secs(30),
            client_assertion: Duration::from_secs(5 * MINUTE),
            client_secret_overlap: Duration::from_secs(DAY),
            spent_kept: Duration::from_secs(DAY),
            events_kept: Duration::from_secs(400 * DAY),
            usage_kept: Duration::from_secs(90 * DAY),
        }
    }
}

impl Lifetimes {
    /// The longest time for which anything signed now can be shown to us or to others.
    pub fn longest_signed(&self) -> Duration {
        self.access_token.max(self.id_token).saturating_add(self.clock_skew)
    }

    /// What is wrong with these lifetimes: the key and why, or nothing.
    pub fn findings(&self) -> Vec<(&'static str, &'static str)> {
        let rules = [
            // "A maximum authorization code lifetime of 10 minutes is RECOMMENDED." (RFC 6749 §4.1.2)
            (
                "authorization_code",
                self.authorization_code > Duration::from_secs(10 * MINUTE),
                "is longer than 10 minutes",
            ),
            ("authorization_code", self.authorization_code.is_zero(), "is zero"),
            ("access_token", self.access_token.is_zero(), "is zero"),
            ("access_token", self.access_token > Duration::from_secs(DAY), "is longer than a day"),
            ("id_token", self.id_token.is_zero(), "is zero"),
            ("refresh_token_grace", self.refresh_token_grace > Duration::from_secs(MINUTE), "is longer than a minute"),
            ("clock_skew", self.clock_skew > Duration::from_secs(MINUTE), "is longer than 60 s"),
            // "The cache duration SHOULD also be coordinated with the issuance of new signing keys, as described in Section
            // 10.1.1." (OIDC Core §10.2.1)
            ("key_publication", self.key_publication <= self.jwks_cache, "is not longer than jwks_cache"),
            ("session_idle", self.session_idle > self.session_absolute, "is longer than session_absolute"),
        ];
        let longest = [
            ("client_assertion", self.client_assertion, DAY),
            ("client_secret_overlap", self.client_secret_overlap, 400 * DAY),
            ("id_token", self.id_token, DAY),
            ("refresh_token_absolute", self.refresh_token_absolute, 4000 * DAY),
            ("session_absolute", self.session_absolute, 400 * DAY),
            ("usage_kept", self.usage_kept, 4000 * DAY),
        ];
        let rules =
            rules.into_iter().chain(longest.map(|(key, lifetime, most)| {
                (key, lifetime > Duration::from_secs(most), "is longer than anybody needs")
            }));
        rules.filter(|(_, broken, _)| *broken).map(|(key, _, why)| (key, why)).collect()
    }
}

/// What an app may do unless its declaration says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "settings, each with a name of its own")]
pub struct ClientPolicy {
    /// Whether confidential apps need PKCE too, unless declared with `require_pkce = false`. Default true.
    pub require_pkce: bool,
    /// Whether apps that are declared for it may get tokens through the browser, where others can read them: the implicit and
    /// the hybrid flow. Such access tokens live for 10 minutes at most. Default false.
    pub allow_front_channel_tokens: bool,
    /// Whether assertions by which apps authenticate must name this issuer's identifier as their `aud`. By default they may name the
    /// address of the token endpoint, too, as OpenID Connect Core §9 has it and many libraries do. Where an app has one key for
    /// several servers, one of them can give itself that address, and have the app make assertions that count here. Default
    /// false.
    pub require_issuer_audience: bool,
    /// Whether an app that is registered with no `request_object_signing_alg` may send request objects that nobody has signed
    /// (`none`), as OpenID Connect Registration §2 has it. They prove no more than parameters do. By default only an app that is
    /// registered with `none` may. Default false.
    pub allow_unsigned_request_objects: bool,
}

impl Default for ClientPolicy {
    fn default() -> Self {
        Self {
            require_pkce: true,
            allow_front_channel_tokens: false,
            require_issuer_audience: false,
            allow_unsigned_request_objects: false,
        }
    }
}

/// Personal access tokens and API keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenPolicy {
    /// The longest life of a token, from its issue or its last rotation; none is without an end. Default 366 days.
    #[serde(with = "lifetime")]
    pub longest: Duration,
    /// How long the secret that a rotation has replaced still counts. Default 1 day.
    #[serde(with = "lifetime")]
    pub rotation_overlap: Duration,
    /// How long an API may keep the answer to an introspection, and so the longest time for which it may take a token that was
    /// revoked or found in public. At most 60 s; `0` forbids it. Default 3 s, with which a token that is reported is refused
    /// everywhere within 5 s; who sets more waits for as much. `grantor-resource-server` keeps no answer longer than 10 s.
    #[serde(with = "lifetime")]
    pub introspection_cache: Duration,
    /// How many tokens one person, or one client, may have at a time. Default 100.
    pub per_owner: usize,
    /// How long before a token expires its owner is told, once: a person in their account, and of an API key an event tells, as
    /// of every other token. `0` tells nobody. Default 7 days.
    #[serde(with = "lifetime")]
    pub expiry_notice: Duration,
}

impl Default for TokenPolicy {
    fn default() -> Self {
        Self {
            longest: Duration::from_secs(366 * DAY),
            rotation_overlap: Duration::from_secs(DAY),
            introspection_cache: Duration::from_secs(3),
            per_owner: 100,
            expiry_notice: Duration::from_secs(7 * DAY),
        }
    }
}

impl TokenPolicy {
    /// What is wrong with this section: the key and why, or nothing.
    pub fn findings(&self) -> Vec<(&'static str, &'static str)> {
        let rules = [
            ("longest", self.longest.is_zero(), "is zero"),
            ("longest", self.longest > Duration::from_secs(4000 * DAY), "is longer than anybody needs"),
            ("rotation_overlap", self.rotation_overlap > Duration::from_secs(90 * DAY), "is longer than 90 days"),
            ("introspection_cache", self.introspection_cache > Duration::from_secs(MINUTE), "is longer than 60 s"),
            ("per_owner", self.per_owner == 0, "is zero"),
            ("expiry_notice", self.expiry_notice > Duration::from_secs(90 * DAY), "is longer than 90 days"),
        ];
        rules.into_iter().filter(|(_, broken, _)| *broken).map(|(key, _, why)| (key, why)).collect()
    }
}

/// Reading and writing of lifetimes in settings.
pub mod lifetime {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Seconds(u64),
        Text(String),
    }

    /// Writes a lifetime as seconds, `"600s"`.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(lifetime: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{}s", lifetime.as_secs()))
    }

    /// Reads `"10m"`, or a number of seconds.
    ///
    /// # Errors
    /// When the text is neither.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Seconds(seconds) => Ok(Duration::from_secs(seconds)),
            Written::Text(text) => parse(&text).ok_or_else(|| {
                D::Error::custom(format!("\"{text}\" is no lifetime; write it as \"90s\", \"10m\", \"12h\" or \"30d\""))
            }),
        }
    }

    /// Reads the text of a lifetime.
    pub fn parse(text: &str) -> Option<Duration> {
        let text = text.trim();
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let factor = match unit.trim() {
            "" | "s" => 1,
            "m" => super::MINUTE,
            "h" => super::HOUR,
            "d" => super::DAY,
            _ => return None,
        };
        number.parse::<u64>().ok()?.checked_mul(factor).map(Duration::from_secs)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_keep_their_own_rules() {
        assert_eq!(Lifetimes::default().findings(), []);
        assert_eq!(TokenPolicy::default().findings(), []);
    }

    #[test]
    fn lifetimes_are_read_in_words() {
        assert_eq!(lifetime::parse("12h"), Some(Duration::from_hours(12)));
        assert_eq!(lifetime::parse("12 weeks"), None);
        assert_eq!(lifetime::parse("99999999999999999999d"), None);
        let read: Lifetimes = serde_json::from_str(r#"{"access_token":"5m","id_token":30}"#).unwrap();
        assert_eq!((read.access_token.as_secs(), read.id_token.as_secs()), (300, 30));
        assert!(serde_json::from_str::<Lifetimes>(r#"{"acces_token":"5m"}"#).is_err());
    }
}
