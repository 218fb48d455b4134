//! Usage facts: which approval, API token or client used which scopes, on which day, at which APIs and from which networks, how
//! often and when last. People see in them what an app or a script really does with what it may; and what nobody uses can be
//! taken away.
//!
//! A use is what we are asked about: a token shown to us, introspected or judged for a proxy, and a token that is asked for with
//! something lasting (a refresh token, a client's own credentials, an API token that is exchanged). An API that checks JWTs by
//! itself asks nobody, so what it serves is told by what was asked for. Redeeming a code is the beginning of an approval and no use
//! of it.
//!
//! The scopes are those of the token that was used, as far as the place where it was used knows them: nobody tells us which of
//! them a call needed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;

use grantor_jose::id::Id;

use crate::access_token::LiveAccessToken;
use crate::api_token::Owner;
use crate::api_token::live::LiveApiToken;
use crate::api_token::watch::network_of;
use crate::scope::Scope;
use crate::time::Time;
use crate::token::Origin;

/// So many combinations of scopes, APIs and networks of one origin are told apart on one day.
pub const APART_A_DAY: usize = 64;

/// So many more where networks are not told apart any more; whatever is beyond is not kept. Only who asks for tokens in ever new
/// combinations of scopes comes there.
pub const MORE_A_DAY: usize = 32;

/// What was used, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Held {
    /// The approval, the API token, or the client by itself.
    pub origin: Origin,
    /// The client that holds it; empty for a personal access token.
    pub client_id: String,
    /// The person behind it; none where a client acts for itself.
    pub user_id: Option<Id>,
}

impl Held {
    /// What kind it is, in the words of introspection.
    pub const fn kind(&self) -> &'static str {
        match (self.origin, self.user_id) {
            (Origin::Client, _) => "client",
            (Origin::Grant(_), _) => "grant",
            (Origin::ApiToken(_), Some(_)) => "personal_access_token",
            (Origin::ApiToken(_), None) => "api_key",
        }
    }

    /// That of an API token.
    pub fn of_api_token(live: &LiveApiToken) -> Self {
        let client_id = match &live.token.owner {
            Owner::Client(client_id) => client_id.clone(),
            Owner::User(_) => String::new(),
        };
        Self { origin: Origin::ApiToken(live.token.id), client_id, user_id: live.user.as_ref().map(|user| user.id) }
    }

    /// That of what an access token hangs on.
    pub fn of_access_token(live: &LiveAccessToken) -> Self {
        if let Some(exchanged) = &live.api_token {
            return Self::of_api_token(exchanged);
        }
        let user_id = live.approval.as_ref().map(|approval| approval.user.id);
        Self { origin: live.jti.origin, client_id: live.client_id.clone(), user_id }
    }
}

/// One use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// What was used.
    pub held: Held,
    /// With which scopes.
    pub scope: Scope,
    /// At which APIs, by their identifiers.
    pub audience: Vec<String>,
    /// When.
    pub at: Time,
    /// From where, as far as that is known.
    pub from: Option<IpAddr>,
}

/// The uses of one day that do not differ but in their time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// What was used.
    pub held: Held,
    /// Whole days since 1970.
    pub day: i64,
    /// With which scopes.
    pub scope: Scope,
    /// At which APIs, by their identifiers.
    pub audience: Vec<String>,
    /// From which network, in CIDR; empty where that is not known, or not told apart.
    pub network: String,
    /// How often.
    pub uses: i64,
    /// When last.
    pub last_at: Time,
}

impl From<Use> for Usage {
    fn from(used: Use) -> Self {
        let Use { held, scope, audience, at, from } = used;
        let network = from.map(|address| network_of(address).to_string()).unwrap_or_default();
        Self { held, day: at.day(), scope, audience, network, uses: 1, last_at: at }.cut()
    }
}

/// The scopes of one usage take at most so many bytes, and so do its APIs; the rest of them is not told. More stands in no key of an
/// index, and hardly any token has as many.
const MAX_TEXT: usize = 1000;

impl Usage {
    fn cut(mut self) -> Self {
        let mut left = MAX_TEXT;
        let mut fits = |text: &str| {
            left = left.saturating_sub(text.len() + 1);
            left > 0
        };
        if self.scope.as_str().len() > MAX_TEXT {
            self.scope = self.scope.filter(&mut fits);
        }
        let mut left = MAX_TEXT;
        self.audience.retain(|api| {
            left = left.saturating_sub(api.len() + 1);
            left > 0
        });
        self
    }

    /// The order in which usages are kept, on each node alike, so that two that keep theirs do not wait for each other.
    pub fn order(&self) -> (&Held, i64, &str, &[String], &str) {
        (&self.held, self.day, self.scope.as_str(), &self.audience, &self.network)
    }
}

/// What tells usages of one origin and day apart.
type Apart = (Scope, Vec<String>, String);

/// What is to be kept of what was noted, where `known` is kept already for the same origins and days: few rows for each, so that
/// whoever moves about, or has a great many addresses, fills no database. In the order of [`Usage::order`].
pub fn to_keep(noted: Vec<Usage>, known: Vec<Usage>) -> Vec<Usage> {
    let mut days: HashMap<(Held, i64), HashSet<Apart>> = HashMap::new();
    for usage in known {
        days.entry((usage.held, usage.day)).or_default().insert((usage.scope, usage.audience, usage.network));
    }
    let mut kept = Vec::with_capacity(noted.len());
    for mut usage in noted {
        let day = days.entry((usage.held.clone(), usage.day)).or_default();
        if !fits(day, &usage, APART_A_DAY) {
            usage.network.clear();
            if !fits(day, &usage, APART_A_DAY + MORE_A_DAY) {
                continue;
            }
        }
        kept.push(usage);
    }
    kept.sort_by(|one, other| one.order().cmp(&other.order()));
    kept
}

/// Whether a usage is known, or can be.
fn fits(day: &mut HashSet<Apart>, usage: &Usage, most: usize) -> bool {
    let apart = (usage.scope.clone(), usage.audience.clone(), usage.network.clone());
    day.contains(&apart) || (day.len() < most && day.insert(apart))
}

/// What several usages say together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How often.
    pub uses: i64,
    /// When last.
    pub last_at: Time,
    /// How often on each day, in days since 1970.
    pub days: BTreeMap<i64, i64>,
    /// The networks, and when it was last used from each; an empty one where that is not known.
    pub networks: BTreeMap<String, Time>,
    /// The APIs.
    pub audience: BTreeSet<String>,
    /// The people.
    pub people: BTreeSet<Id>,
}

impl Summary {
    /// With one more.
    pub fn add(&mut self, usage: &Usage) {
        self.uses = self.uses.saturating_add(usage.uses);
        self.last_at = self.last_at.max(usage.last_at);
        *self.days.entry(usage.day).or_default() += usage.uses;
        let network = self.networks.entry(usage.network.clone()).or_default();
        *network = usage.last_at.max(*network);
        self.audience.extend(usage.audience.iter().cloned());
        self.people.extend(usage.held.user_id);
    }

    /// The networks that are known, the last used first.
    pub fn newest_networks(&self) -> Vec<(&str, Time)> {
        let known = self.networks.iter().filter(|(network, _)| !network.is_empty());
        let mut networks: Vec<(&str, Time)> = known.map(|(network, at)| (network.as_str(), *at)).collect();
        networks.sort_by_key(|(_, at)| std::cmp::Reverse(*at));
        networks
    }
}

impl<'a> FromIterator<&'a Usage> for Summary {
    fn from_iter<I: IntoIterator<Item = &'a Usage>>(usages: I) -> Self {
        let mut summary = Self::default();
        usages.into_iter().for_each(|usage| summary.add(usage));
        summary
    }
}

/// What usages say of each scope by itself.
pub fn by_scope<'a>(usages: impl IntoIterator<Item = &'a Usage>) -> BTreeMap<String, Summary> {
    let mut scopes: BTreeMap<String, Summary> = BTreeMap::new();
    for usage in usages {
        for scope in usage.scope.iter() {
            scopes.entry(scope.to_owned()).or_default().add(usage);
        }
    }
    scopes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOON: Time = Time::from_seconds(43_200);

    fn used(scope: &str, api: &str, from: &str) -> Usage {
        let held = Held { origin: Origin::Grant(Id::from_i64(9)), client_id: "wiki".into(), user_id: None };
        let (scope, audience) = (scope.parse().unwrap_or_default(), vec![api.to_owned()]);
        Use { held, scope, audience, at: NOON, from: from.parse().ok() }.into()
    }

    #[test]
    fn a_network_stands_for_its_addresses_and_an_unknown_one_for_none() {
        assert_eq!(used("a", "api", "::ffff:192.0.2.7").network, "192.0.2.0/24");
        assert_eq!(used("a", "api", "2001:db8:1:2::3").network, "2001:db8:1::/48");
        assert_eq!(used("a", "api", "").network, "");
    }

    #[test]
    fn a_scope_is_told_of_by_itself() {
        let usages = [used("notes:read notes:write", "a", "192.0.2.7"), used("notes:read", "b", "198.51.100.7")];
        let scopes = by_scope(&usages);
        assert_eq!(scopes["notes:read"].uses, 2);
        assert_eq!(scopes["notes:read"].audience, ["a", "b"].map(str::to_owned).into());
        assert_eq!(scopes["notes:write"].uses, 1);
        assert_eq!(scopes["notes:write"].newest_networks(), [("192.0.2.0/24", NOON)]);
    }

    #[test]
    fn networks_without_end_are_not_told_apart_and_every_use_counts() {
        let noted: Vec<Usage> = (0..=255).map(|n| used("a", "api", &format!("10.0.{n}.1"))).collect();
        let kept = to_keep(noted, Vec::new());
        assert_eq!(kept.len(), 256);
        let apart: BTreeSet<&str> = kept.iter().map(|usage| usage.network.as_str()).collect();
        assert_eq!(apart.len(), APART_A_DAY + 1);
    }

    #[test]
    fn what_is_known_goes_on_being_counted_where_nothing_new_is() {
        let known: Vec<Usage> = (0..=255).map(|n| used(&format!("s{n}"), "api", "192.0.2.7")).collect();
        let known = known.into_iter().take(APART_A_DAY + MORE_A_DAY).collect();
        let kept = to_keep(vec![used("s1", "api", "192.0.2.7"), used("new", "api", "192.0.2.7")], known);
        assert_eq!(kept, [used("s1", "api", "192.0.2.7")]);
    }

    #[test]
    fn a_token_of_a_thousand_scopes_is_told_of_as_far_as_an_index_can_hold() {
        let scopes: Vec<String> = (0..1000).map(|n| format!("scope:{n}")).collect();
        let usage = used(&scopes.join(" "), &"a".repeat(2000), "192.0.2.7");
        assert!(usage.scope.iter().count() > 50 && usage.scope.as_str().len() <= MAX_TEXT && usage.audience.is_empty());
    }

    proptest! {
        #[test]
        fn few_rows_are_kept_of_a_day(
            rounds in proptest::collection::vec(proptest::collection::vec((0_u8..9, 0_u8..4, any::<u8>()), 0..40), 0..12)
        ) {
            let mut rows: Vec<Usage> = Vec::new();
            for round in rounds {
                let noted = round.iter().map(|(s, a, n)| used(&format!("s{s}"), &format!("a{a}"), &format!("10.0.{n}.1")));
                for usage in to_keep(noted.collect(), rows.clone()) {
                    if !rows.contains(&usage) {
                        rows.push(usage);
                    }
                }
            }
            prop_assert!(rows.len() <= APART_A_DAY + MORE_A_DAY);
        }
    }
}
