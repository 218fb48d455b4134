//! Networks that something is limited to, as CIDR blocks (RFC 4632) of IPv4 and IPv6.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The most networks that one limit names.
pub const MAX_NETWORKS: usize = 32;

/// The networks from which something may be used; from anywhere where there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// No limit.
    pub const ANYWHERE: Self = Self(Vec::new());

    /// Reads networks and single addresses, with spaces, commas or line breaks between them. A network is kept as the whole
    /// block that it lies in: `10.1.2.3/8` is `10.0.0.0/8`.
    ///
    /// # Errors
    /// `NetworkMalformed`, `NetworksTooMany`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::of(text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty()))
    }

    fn of<'a>(words: impl Iterator<Item = &'a str>) -> Result<Self, Error> {
        let mut networks = words.map(network).collect::<Result<Vec<_>, _>>()?;
        networks.sort_unstable();
        networks.dedup();
        if networks.len() > MAX_NETWORKS { Err(Error::NetworksTooMany) } else { Ok(Self(networks)) }
    }

    /// Whether there is no limit.
    pub fn is_anywhere(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `address` may use it; who has no address known to us may use only what is not limited. An IPv4 address that is
    /// written as an IPv6 one counts as what it is.
    pub fn allow(&self, address: Option<IpAddr>) -> bool {
        let within = |address: IpAddr| self.0.iter().any(|network| network.contains(&address));
        self.is_anywhere() || address.is_some_and(|address| within(address.to_canonical()))
    }

    /// The networks that are in both; `None` where no address is.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        if self.is_anywhere() || other.is_anywhere() {
            return Some(if self.is_anywhere() { other.clone() } else { self.clone() });
        }
        // Two blocks are apart, or one is a part of the other.
        let narrower = |one: IpNet, two: IpNet| match (one.contains(&two), two.contains(&one)) {
            (true, _) => Some(two),
            (false, true) => Some(one),
            (false, false) => None,
        };
        let pairs = self.0.iter().flat_map(|one| other.0.iter().filter_map(|two| narrower(*one, *two)));
        let both = IpNet::aggregate(&pairs.collect());
        (!both.is_empty()).then_some(Self(both))
    }

    /// The networks as text.
    pub fn to_texts(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

fn network(word: &str) -> Result<IpNet, Error> {
    let network = word.parse::<IpNet>().ok().or_else(|| word.parse::<IpAddr>().ok().map(IpNet::from));
    let network = network.ok_or(Error::NetworkMalformed)?;
    Ok(canonical(network).trunc())
}

/// `::ffff:10.0.0.0/104` is `10.0.0.0/8`.
fn canonical(network: IpNet) -> IpNet {
    const MAPPED: u8 = 96;
    let IpNet::V6(six) = network else { return network };
    let mapped = |address: Ipv6Addr| address.to_ipv4_mapped();
    let four = six.prefix_len().checked_sub(MAPPED).zip(mapped(six.addr()));
    let four = four.and_then(|(length, address)| Ipv4Net::new(address, length).ok());
    four.map_or(network, IpNet::V4)
}

impl fmt::Display for Networks {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.to_texts().join(" "))
    }
}

impl TryFrom<Vec<String>> for Networks {
    type Error = Error;

    /// Each text is one network. One that is empty is none, and no word for "anywhere": it comes from a place that was left
    /// empty by mistake.
    fn try_from(texts: Vec<String>) -> Result<Self, Error> {
        Self::of(texts.iter().map(String::as_str))
    }
}

impl From<Networks> for Vec<String> {
    fn from(networks: Networks) -> Self {
        networks.to_texts()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    fn allows(networks: &str, address: &str) -> bool {
        Networks::parse(networks).unwrap().allow(Some(address.parse().unwrap()))
    }

    #[test]
    fn networks_are_read_in_every_usual_spelling() {
        let read = |text: &str| Networks::parse(text).unwrap().to_string();
        assert_eq!(read("10.1.2.3/8, 192.0.2.7\n2001:db8::1/32"), "10.0.0.0/8 192.0.2.7/32 2001:db8::/32");
        assert_eq!(read("::ffff:10.0.0.0/104 10.9.9.9/8"), "10.0.0.0/8");
        assert_eq!(read(" ,\n"), "");
        for bad in ["10.0.0.0/33", "10.0.0", "example.com", "10.0.0.0/-1", "::1/129", "010.0.0.1"] {
            assert!(matches!(Networks::parse(bad), Err(Error::NetworkMalformed)), "{bad}");
        }
        assert!(matches!(Networks::parse(&numbered(MAX_NETWORKS + 1)), Err(Error::NetworksTooMany)));
        assert!(Networks::parse(&numbered(MAX_NETWORKS)).is_ok());
    }

    #[test]
    fn each_text_of_a_list_is_one_network() {
        let read = |texts: &[&str]| Networks::try_from(texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>());
        assert_eq!(read(&[]).unwrap(), Networks::ANYWHERE);
        assert_eq!(read(&["10.0.0.0/8", "192.0.2.7"]).unwrap().to_string(), "10.0.0.0/8 192.0.2.7/32");
        for bad in [&[""] as &[&str], &["10.0.0.0/8", ""], &[" "], &[","], &["10.0.0.0/8 192.0.2.0/24"]] {
            assert!(matches!(read(bad), Err(Error::NetworkMalformed)), "{bad:?}");
        }
        let many: Vec<String> = (0..=MAX_NETWORKS).map(|n| format!("10.0.{n}.0/24")).collect();
        assert!(matches!(Networks::try_from(many), Err(Error::NetworksTooMany)));
    }

    fn numbered(count: usize) -> String {
        (0..count).map(|n| format!("10.0.{n}.0/24")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn an_address_counts_as_what_it_is() {
        assert!(allows("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert!(!allows("10.0.0.0/8", "11.0.0.0"));
        assert!(!allows("::/0", "10.0.0.1"));
        assert!(Networks::ANYWHERE.allow(None));
        assert!(!Networks::parse("0.0.0.0/0 ::/0").unwrap().allow(None));
    }

    /// The same by counting bits.
    fn within(address: u128, network: u128, length: u32, width: u32) -> bool {
        length == 0 || (address >> (width - length)) == (network >> (width - length))
    }

    /// An address of either family, near others; not one that is an IPv4 address in another form.
    pub(crate) fn address() -> impl Strategy<Value = IpAddr> {
        let four = (0_u32..0x400).prop_map(|host| IpAddr::from(std::net::Ipv4Addr::from_bits(0x0A00_0000 | host)));
        let six = (0_u128..4, 0_u128..0x400)
            .prop_map(|(net, host)| IpAddr::from(Ipv6Addr::from_bits(0x2001_0DB8 << 96 | net << 64 | host)));
        prop_oneof![four, six]
    }

    /// Some blocks around such addresses.
    pub(crate) fn blocks() -> impl Strategy<Value = Vec<String>> {
        let block = (address(), 0_u8..=128).prop_map(|(address, length)| {
            let longest = if address.is_ipv4() { 32 } else { 128 };
            // Short ones hold everything and say little: half of them are long.
            format!("{address}/{}", if length > longest { length % (longest + 1) } else { length })
        });
        prop::collection::vec(block, 1..5)
    }

    proptest! {
        #[test]
        fn a_block_holds_what_shares_its_first_bits(network in any::<u32>(), flips in any::<u32>(), length in 0_u32..=32) {
            let address = network ^ (flips >> (length / 2));
            let text = format!("{}/{length}", std::net::Ipv4Addr::from_bits(network));
            let asked = std::net::Ipv4Addr::from_bits(address).to_string();
            prop_assert_eq!(allows(&text, &asked), within(address.into(), network.into(), length, 32));
            let mapped = format!("::ffff:{}/{}", std::net::Ipv4Addr::from_bits(network), length + 96);
            prop_assert_eq!(allows(&mapped, &asked), within(address.into(), network.into(), length, 32));
        }

        #[test]
        fn so_does_one_of_ipv6(network in any::<u128>(), flips in any::<u128>(), length in 0_u32..=128) {
            let address = network ^ (flips >> (length / 2));
            prop_assume!(Ipv6Addr::from_bits(address).to_ipv4_mapped().is_none() && Ipv6Addr::from_bits(network).to_ipv4_mapped().is_none());
            let text = format!("{}/{length}", Ipv6Addr::from_bits(network));
            prop_assert_eq!(allows(&text, &Ipv6Addr::from_bits(address).to_string()), within(address, network, length, 128));
        }

        #[test]
        fn what_is_in_both_is_in_the_intersection(
            one in prop::collection::vec((any::<u16>(), 0_u8..=32), 1..5),
            two in prop::collection::vec((any::<u16>(), 0_u8..=32), 1..5),
            asked in any::<u16>(),
        ) {
            let near = |low: u16| std::net::Ipv4Addr::from_bits(0x0A00_0000 | u32::from(low & 0x0FFF));
            let text = |nets: &[(u16, u8)]| nets.iter().map(|(low, length)| format!("{}/{length}", near(*low))).collect::<Vec<_>>().join(" ");
            let reference = |nets: &[(u16, u8)]| nets.iter().any(|(low, length)| {
                Ipv4Net::new(near(*low), *length).unwrap().contains(&near(asked))
            });
            let both = Networks::parse(&text(&one)).unwrap().intersection(&Networks::parse(&text(&two)).unwrap());
            let holds = both.as_ref().is_some_and(|both| both.allow(Some(near(asked).into())));
            prop_assert_eq!(holds, reference(&one) && reference(&two));
            prop_assert!(both.is_none_or(|both| !both.is_anywhere() && both.0.len() <= one.len() + two.len()));
        }

        /// The same for both families at once, by the networks as `ipnet` reads them.
        #[test]
        fn so_is_it_for_ipv6_beside_ipv4(one in blocks(), two in blocks(), asked in address()) {
            let holds = |texts: &[String]| texts.iter().any(|text| text.parse::<IpNet>().unwrap().contains(&asked));
            let read = |texts: &[String]| Networks::parse(&texts.join(" ")).unwrap();
            prop_assert_eq!((read(&one).allow(Some(asked)), read(&two).allow(Some(asked))), (holds(&one), holds(&two)));
            let both = read(&one).intersection(&read(&two));
            prop_assert_eq!(both.as_ref().is_some_and(|both| both.allow(Some(asked))), holds(&one) && holds(&two));
            prop_assert_eq!(&both, &read(&two).intersection(&read(&one)));
            prop_assert!(both.is_none_or(|both| !both.is_anywhere() && both.0.len() <= one.len() + two.len()));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9a-f.:/, ]{0,40}|.{0,40}") {
            if let Ok(networks) = Networks::parse(&text) {
                prop_assert_eq!(Networks::parse(&networks.to_string()).unwrap(), networks);
            }
        }
    }
}
