//! What is told of API tokens without asking: that one expires soon, and that one is used where it never was before. An event
//! tells of both; the person whose token it is reads it in their account, too.

use std::net::IpAddr;
use std::time::Duration;

use grantor_jose::id::Id;
use ipnet::IpNet;

use super::issue::event_of;
use super::{ApiToken, Owner};
use crate::audit::{Event, EventKind};
use crate::change::Change;
use crate::notice::{News, Notice, TokenNamed};
use crate::time::Time;

/// So many networks of a token are known, the newest.
pub const KNOWN: usize = 8;

/// How long nothing is said of further new networks of a token once something was: whoever has it and moves about shall not
/// fill its owner's letter box. They stay unknown, and are told of when they are used again.
pub const QUIET_FOR: Duration = Duration::from_hours(1);

/// What is known of a token beside itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// The token.
    pub token_id: Id,
    /// The expiry that its owner was told of; a token that lives on has another one.
    pub expiry_told: Option<Time>,
    /// The networks that it was used in, the newest last.
    pub networks: Vec<IpNet>,
    /// Until when nothing is said of new networks.
    pub quiet_until: Time,
    /// How often this was written.
    pub revision: i64,
}

/// A token that was used, and what is known of it.
#[derive(Clone, Debug)]
pub struct Watched {
    /// The token.
    pub token_id: Id,
    /// Whose it is.
    pub owner: Owner,
    /// What the owner calls it.
    pub name: String,
    /// What is known; none where nothing is.
    pub watch: Option<Watch>,
}

/// The network that an address stands for: /24 of IPv4, /48 of IPv6.
pub fn network_of(address: IpAddr) -> IpNet {
    let address = address.to_canonical();
    let length = if address.is_ipv4() { 24 } else { 48 };
    IpNet::new(address, length).unwrap_or_else(|_| IpNet::from(address)).trunc()
}

/// Notes where a token was used, and tells of the first network that is new; nothing to do where none is. The very
/// first network of a token is no news.
pub fn used_from(watched: &Watched, addresses: &[(IpAddr, Time)], id: Id) -> Vec<Change> {
    let mut watch = watched.watch.clone().unwrap_or_else(|| Watch::new(watched.token_id));
    let mut told = None;
    let before = watch.clone();
    for (address, at) in addresses {
        let network = network_of(*address);
        if watch.networks.contains(&network) {
            continue;
        }
        if !watch.networks.is_empty() {
            if *at < watch.quiet_until || told.is_some() {
                continue;
            }
            told = Some((*address, *at));
            watch.quiet_until = at.plus(QUIET_FOR);
        }
        watch.networks.push(network);
    }
    if watch == before {
        return Vec::new();
    }
    let excess = watch.networks.len().saturating_sub(KNOWN);
    watch.networks.drain(..excess);
    let told = told.map(|(address, at)| watched.used_elsewhere(&address.to_canonical().to_string(), (id, at)));
    [watch.put()].into_iter().chain(told.into_iter().flatten()).collect()
}

/// Tells that a token expires, once for each expiry, and not before half of its life is over: whoever makes a token for a day
/// knows that.
pub fn expires(token: &ApiToken, watch: Option<Watch>, (id, now): (Id, Time)) -> Vec<Change> {
    let mut watch = watch.unwrap_or_else(|| Watch::new(token.id));
    let is_young = now.since(token.rotated_at) < token.expires_at.since(token.rotated_at) / 2;
    if is_young || !token.is_live(now) || watch.expiry_told == Some(token.expires_at) {
        return Vec::new();
    }
    watch.expiry_told = Some(token.expires_at);
    let event = event_of(Event::new(id, now, EventKind::ApiTokenExpires), &token.owner).detail(&token.hint());
    let news = News::TokenExpires { token: token.named(), expires_at: token.expires_at };
    let notice = notice_to(&token.owner, (id, now), news);
    [watch.put(), Change::EventInsert(Box::new(event))].into_iter().chain(notice).collect()
}

/// The notice to a person; none to a client, which has no account to read it in.
fn notice_to(owner: &Owner, (id, at): (Id, Time), news: News) -> Option<Change> {
    let Owner::User(user_id) = owner else { return None };
    Some(Change::NoticeInsert(Box::new(Notice { id, user_id: *user_id, at, news })))
}

impl Watched {
    fn hint(&self) -> String {
        format!("{}_{}", self.owner.kind().prefix(), self.token_id)
    }

    fn used_elsewhere(&self, address: &str, (id, at): (Id, Time)) -> Vec<Change> {
        let event = Event::new(id, at, EventKind::ApiTokenUsedElsewhere).address(address).detail(&self.hint());
        let token = TokenNamed { name: self.name.clone(), hint: self.hint() };
        let news = News::TokenUsedElsewhere { token, address: address.to_owned() };
        let event = Change::EventInsert(Box::new(event_of(event, &self.owner)));
        [event].into_iter().chain(notice_to(&self.owner, (id, at), news)).collect()
    }
}

impl Watch {
    fn new(token_id: Id) -> Self {
        Self { token_id, expiry_told: None, networks: Vec::new(), quiet_until: Time::default(), revision: 0 }
    }

    fn put(mut self) -> Change {
        let expected = (self.revision > 0).then_some(self.revision);
        self.revision += 1;
        Change::ApiTokenWatchPut { expected, watch: Box::new(self) }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOON: Time = Time::from_seconds(43_200);

    fn watched(watch: Option<Watch>) -> Watched {
        Watched { token_id: Id::from_i64(9), owner: Owner::User(Id::from_i64(1)), name: "Backup".into(), watch }
    }

    /// What is known after a use, and whether the owner is told.
    fn used(watch: Option<Watch>, addresses: &[&str], at: Time) -> (Option<Watch>, bool) {
        let addresses: Vec<(IpAddr, Time)> = addresses.iter().map(|text| (text.parse().unwrap(), at)).collect();
        let changes = used_from(&watched(watch.clone()), &addresses, Id::from_i64(3));
        let put = changes.iter().find_map(|change| match change {
            Change::ApiTokenWatchPut { watch, .. } => Some((**watch).clone()),
            _ => None,
        });
        (put.or(watch), changes.iter().any(|change| matches!(change, Change::NoticeInsert(_))))
    }

    #[test]
    fn the_first_network_is_no_news_and_a_new_one_is_told_once() {
        let (known, told) = used(None, &["192.0.2.7"], NOON);
        assert!(!told);
        let (known, told) = used(known, &["192.0.2.200", "::ffff:192.0.2.1"], NOON);
        assert!(!told, "it is the same network");
        let (known, told) = used(known, &["198.51.100.1"], NOON);
        assert!(told);
        let (_, told) = used(known, &["198.51.100.9"], NOON);
        assert!(!told);
    }

    #[test]
    fn a_flood_of_networks_is_told_of_once_an_hour_and_none_is_forgotten() {
        let (known, _) = used(None, &["192.0.2.7"], NOON);
        let (known, told) = used(known, &["198.51.100.1", "203.0.113.1"], NOON);
        assert!(told);
        let (known, told) = used(known, &["203.0.113.1"], NOON.plus(QUIET_FOR / 2));
        assert!(!told);
        let (_, told) = used(known, &["203.0.113.1"], NOON.plus(QUIET_FOR));
        assert!(told, "what was not said is said later");
    }

    #[test]
    fn an_ipv6_network_is_a_48() {
        assert_eq!(network_of("2001:db8:1:2::3".parse().unwrap()).to_string(), "2001:db8:1::/48");
        assert_eq!(network_of("::ffff:192.0.2.1".parse().unwrap()).to_string(), "192.0.2.0/24");
    }

    proptest! {
        #[test]
        fn few_networks_are_kept(octets in proptest::collection::vec(any::<u8>(), 1..60)) {
            let (mut known, mut at) = (None, NOON);
            for octet in octets {
                at = at.plus(QUIET_FOR);
                known = used(known, &[&format!("10.0.{octet}.1")], at).0;
                let networks = &known.as_ref().unwrap().networks;
                prop_assert!(networks.len() <= KNOWN);
                let newest = network_of(format!("10.0.{octet}.9").parse().unwrap());
                prop_assert!(networks.contains(&newest));
            }
        }
    }
}
