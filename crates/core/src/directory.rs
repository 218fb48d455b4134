//! The directory: clients, scopes, APIs and keys as one immutable snapshot, so that a request reads them without a query.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use grantor_jose::id::Id;
use grantor_jose::jwk::JwkSet;
use serde::{Deserialize, Serialize};

use crate::client::{AccessTokenFormat, Client, Clients};
use crate::fault::{Fault, seeded};
use crate::forward_auth::Apps;
use crate::key::{KeyRing, Secrets};
use crate::network::Networks;
use crate::policy::lifetime;
use crate::scope::Scope;
use crate::time::Time;
use crate::upstream::Upstream;
use crate::user::User;

/// A scope as declared: what it is called, what people read at consent, which claims it releases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeDefinition {
    /// The scope token.
    pub name: String,
    /// The sentence shown at consent, by language tag (`en`, `de`).
    #[serde(default)]
    pub description: BTreeMap<String, String>,
    /// The claims that the scope releases.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<String>,
    /// Only people in one of these groups may give the scope to an app or have it in a token of their own; everybody when
    /// absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
}

impl ScopeDefinition {
    /// The sentence in `language`, else in English, else the scope's own name.
    pub fn sentence(&self, language: &str) -> &str {
        self.description.get(language).or_else(|| self.description.get("en")).map_or(&self.name, String::as_str)
    }
}

/// A group as declared. People can be in groups that nobody has declared: those have a name only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The name, as people's accounts have it.
    pub name: String,
    /// From where its people may sign in and be served; from anywhere when absent.
    #[serde(default, skip_serializing_if = "Networks::is_anywhere")]
    pub networks: Networks,
}

/// An API that receives access tokens, "protected resource" (RFC 8707, RFC 9728).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// The identifier: an absolute URI without fragment; the `aud` of its tokens.
    pub identifier: String,
    /// The name people are shown.
    #[serde(default)]
    pub name: String,
    /// The scopes that belong to it.
    #[serde(default)]
    pub scopes: Scope,
    /// The form of its access tokens; that of the client when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token_format: Option<AccessTokenFormat>,
    /// The life of its access tokens; that of the policy when absent.
    #[serde(default, with = "optional_lifetime", skip_serializing_if = "Option::is_none")]
    pub access_token_lifetime: Option<Duration>,
    /// The clients that may introspect its tokens: the API's own credentials.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub introspection_clients: Vec<String>,
    /// Whether people may make tokens of their own for it. Default false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub personal_access_tokens: bool,
    /// From where its tokens may be had and used; from anywhere when absent.
    #[serde(default, skip_serializing_if = "Networks::is_anywhere")]
    pub networks: Networks,
}

#[cfg(test)]
impl Resource {
    /// An API without scopes and limits.
    pub(crate) fn named(identifier: &str) -> Self {
        Self {
            identifier: identifier.to_owned(),
            name: String::new(),
            scopes: Scope::EMPTY,
            access_token_format: None,
            access_token_lifetime: None,
            introspection_clients: Vec::new(),
            personal_access_tokens: false,
            networks: Networks::ANYWHERE,
        }
    }
}

mod optional_lifetime {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    #[derive(Deserialize)]
    struct Wrapped(#[serde(with = "super::lifetime")] Duration);

    #[expect(clippy::ref_option, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(lifetime: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match lifetime {
            Some(lifetime) => super::lifetime::serialize(lifetime, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<Wrapped>::deserialize(deserializer)?.map(|wrapped| wrapped.0))
    }
}

/// Clients, scopes, groups, APIs, apps behind proxies and keys at one moment.
#[derive(Debug, Default)]
pub struct Directory {
    /// Grows with each change; two snapshots of one revision are equal.
    pub revision: i64,
    /// The clients by identifier, the disabled ones too.
    pub clients: Clients,
    /// The declared scopes by name.
    pub scopes: BTreeMap<String, ScopeDefinition>,
    /// The declared groups by name.
    pub groups: BTreeMap<String, Group>,
    /// The declared APIs by identifier.
    pub resources: BTreeMap<String, Resource>,
    /// The apps behind proxies.
    pub apps: Apps,
    /// The upstreams by name, the disabled ones too.
    pub upstreams: BTreeMap<String, Arc<Upstream>>,
    /// The signing keys.
    pub keys: KeyRing,
    /// The provider's own symmetric keys.
    pub secrets: Secrets,
    /// When everything that had been issued was ended, as after a restore; none where that never was.
    pub epoch: Option<Time>,
}

impl Directory {
    /// The client, unless it is switched off.
    pub fn client(&self, client_id: &str) -> Option<&Arc<Client>> {
        self.clients.get(client_id).filter(|client| !client.disabled || seeded(Fault::DisabledClientCounts))
    }

    /// The public keys at `now`, as the key set shows them: those that sign, then those that others encrypt to.
    pub fn jwks(&self, now: Time) -> JwkSet {
        let mut jwks = self.keys.jwks(now);
        jwks.keys.extend(self.secrets.request_objects.iter().map(|key| key.jwk().clone()));
        jwks
    }

    /// The upstream of a name, unless it is switched off.
    pub fn upstream(&self, name: &str) -> Option<&Arc<Upstream>> {
        self.upstreams.get(name).filter(|upstream| !upstream.definition.disabled)
    }

    /// The upstream with an identifier, switched off or not.
    pub fn upstream_by_id(&self, id: Id) -> Option<&Arc<Upstream>> {
        self.upstreams.values().find(|upstream| upstream.id == id)
    }

    /// Whether any client allows scripts of `origin` to read its answers.
    pub fn allows_origin(&self, origin: &str) -> bool {
        self.clients.allow_origin(origin)
    }

    /// Whether a person may give a scope away: it is open to everybody, or to a group of theirs.
    pub fn may_have(&self, user: &User, scope: &str) -> bool {
        self.scopes.get(scope).is_none_or(|definition| {
            definition.groups.is_empty() || definition.groups.iter().any(|group| user.groups.contains(group))
        })
    }

    /// Whether `scope` is one this provider knows: a standard one or a declared one.
    pub fn knows_scope(&self, scope: &str) -> bool {
        crate::claims::is_standard_scope(scope)
            || self.scopes.contains_key(scope)
            || self.resources.values().any(|resource| resource.scopes.contains(scope))
    }
}
