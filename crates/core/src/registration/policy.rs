//! Who may register apps without an administrator, and what such an app may be.

use std::time::Duration;

use grantor_jose::jwk::JwkSet;
use serde::{Deserialize, Serialize};

use crate::grant_type::GrantType;
use crate::policy::lifetime;
use crate::scope::Scope;

const DAY: u64 = 24 * 60 * 60;

/// Apps that register themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RegistrationPolicy {
    /// Who may register an app at `/register`: `off`, nobody; `initial_access_token`, who has a token that `grantor registration
    /// token add` made; `open`, anybody. Default `off`.
    pub mode: Mode,
    /// The scopes that such an app may ask for, and has where it names none. Default: the standard ones of `OpenID` Connect.
    pub scopes: Scope,
    /// The grant types that it may use. Default `authorization_code` and `refresh_token`. With `implicit` it may have tokens through
    /// the browser, where `clients.allow_front_channel_tokens` is set, too.
    pub grant_types: Vec<GrantType>,
    /// How many such apps there may be. Each takes some kilobytes of memory. Default 1000.
    pub most: usize,
    /// How many of them one address (or IPv6 /64 network) may have registered. Default 100.
    pub per_address: usize,
    /// How long after its registration an app is removed that nobody has signed in to. `0` keeps it. Default 30 days.
    #[serde(with = "lifetime")]
    pub unused_kept: Duration,
    /// How long a client secret lives; an app that updates itself in the second half of that time gets a new one. `0` is without
    /// an end. Default 0.
    #[serde(with = "lifetime")]
    pub client_secret: Duration,
    /// Who may sign software statements, and with which keys. Default: nobody.
    pub software_statements: Vec<StatementIssuer>,
}

/// Who may register apps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Nobody but administrators.
    #[default]
    Off,
    /// Who has an initial access token.
    InitialAccessToken,
    /// Anybody.
    Open,
}

/// Who vouches for software.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatementIssuer {
    /// The `iss` of its statements.
    pub issuer: String,
    /// Its public keys.
    pub jwks: JwkSet,
}

impl Default for RegistrationPolicy {
    fn default() -> Self {
        Self {
            mode: Mode::Off,
            scopes: ["openid", "profile", "email", "address", "phone", "offline_access"].into_iter().collect(),
            grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
            most: 1000,
            per_address: 100,
            unused_kept: Duration::from_secs(30 * DAY),
            client_secret: Duration::ZERO,
            software_statements: Vec::new(),
        }
    }
}

impl RegistrationPolicy {
    /// Whether anybody may register an app.
    pub fn is_on(&self) -> bool {
        self.mode != Mode::Off
    }

    /// What is wrong with this section: the key and why, or nothing.
    pub fn findings(&self) -> Vec<(&'static str, &'static str)> {
        let rules = [
            ("most", self.most > 100_000, "is more than 100000, and each app is held in memory"),
            ("grant_types", self.grant_types.is_empty(), "is empty"),
            ("client_secret", self.client_secret > Duration::from_secs(4000 * DAY), "is longer than anybody needs"),
            (
                "software_statements",
                self.software_statements.iter().any(|issuer| issuer.jwks.keys.is_empty()),
                "has an issuer without a key that can be used",
            ),
        ];
        rules.into_iter().filter(|(_, broken, _)| *broken).map(|(key, _, why)| (key, why)).collect()
    }
}
