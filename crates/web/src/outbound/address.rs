//! Which addresses are not public, and what they are (the registries of special-purpose addresses of RFC 6890, and the addresses
//! at which clouds tell their machines secrets).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

const V4: &[(Ipv4Net, &str)] = &[
    (v4([0, 0, 0, 0], 8), "an address of this host"),
    (v4([10, 0, 0, 0], 8), "a private address"),
    (v4([100, 64, 0, 0], 10), "an address inside a carrier's network"),
    (v4([127, 0, 0, 0], 8), "a loopback address"),
    (v4([168, 63, 129, 16], 32), "a cloud's metadata address"),
    (v4([169, 254, 0, 0], 16), "a link-local address"),
    (v4([172, 16, 0, 0], 12), "a private address"),
    (v4([192, 0, 0, 0], 24), "an address for protocols"),
    (v4([192, 0, 2, 0], 24), "an address for documentation"),
    (v4([192, 88, 99, 0], 24), "an address of 6to4 relays"),
    (v4([192, 168, 0, 0], 16), "a private address"),
    (v4([198, 18, 0, 0], 15), "an address for benchmarks"),
    (v4([198, 51, 100, 0], 24), "an address for documentation"),
    (v4([203, 0, 113, 0], 24), "an address for documentation"),
    (v4([224, 0, 0, 0], 4), "a multicast address"),
    (v4([240, 0, 0, 0], 4), "a reserved address"),
];

const V6: &[(Ipv6Net, &str)] = &[
    (Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128), "an address of this host"),
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), "a loopback address"),
    (v6(0x0064_ff9b_0001_0000, 48), "an address of a private translation"),
    (v6(0x2001_0000_0000_0000, 23), "an address for protocols, as Teredo"),
    (v6(0x2001_0db8_0000_0000, 32), "an address for documentation"),
    (v6(0x2002_0000_0000_0000, 16), "a 6to4 address"),
    (v6(0x3fff_0000_0000_0000, 20), "an address for documentation"),
    (v6(0xfc00_0000_0000_0000, 7), "a private address"),
    (v6(0xfe80_0000_0000_0000, 10), "a link-local address"),
    (v6(0xff00_0000_0000_0000, 8), "a multicast address"),
];

/// Where all public IPv6 addresses are.
const GLOBAL: Ipv6Net = v6(0x2000_0000_0000_0000, 3);
/// IPv4 addresses as IPv6 networks see them (RFC 6052 §2.1).
const TRANSLATED: Ipv6Net = v6(0x0064_ff9b_0000_0000, 96);

const fn v4([a, b, c, d]: [u8; 4], length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

/// The network whose address begins with these 64 bits; zeros follow.
const fn v6(beginning: u128, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::from_bits(beginning << 64), length)
}

/// What an address is that is not public.
pub(super) fn special(address: IpAddr) -> Option<&'static str> {
    match address.to_canonical() {
        IpAddr::V4(address) => special_v4(address),
        IpAddr::V6(address) if TRANSLATED.contains(&address) => {
            let [.., a, b, c, d] = address.octets();
            special_v4(Ipv4Addr::new(a, b, c, d))
        }
        IpAddr::V6(address) => special_v6(address),
    }
}

fn special_v4(address: Ipv4Addr) -> Option<&'static str> {
    V4.iter().find(|(network, _)| network.contains(&address)).map(|(_, what)| *what)
}

fn special_v6(address: Ipv6Addr) -> Option<&'static str> {
    let known = V6.iter().find(|(network, _)| network.contains(&address)).map(|(_, what)| *what);
    known.or_else(|| (!GLOBAL.contains(&address)).then_some("no public address"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_public(address: &str) -> bool {
        special(address.parse().unwrap()).is_none()
    }

    #[test]
    fn what_is_not_public_is_known() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::2",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:0:127.0.0.1",
            "64:ff9b::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::8.8.8.8",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:808:808::1",
            "3fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "febf::1",
            "ff02::1",
        ] {
            assert!(!is_public(address), "{address}");
        }
    }

    #[test]
    fn what_is_public_is_not_kept_from_anybody() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "93.184.215.14",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.1",
            "168.63.129.15",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.1",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2400:cb00::1",
            "2606:4700::1111",
            "2a00:1450::1",
            "3ffe::1",
        ] {
            assert!(is_public(address), "{address} is {:?}", special(address.parse().unwrap()));
        }
    }

    proptest! {
        #[test]
        fn an_address_is_the_same_however_it_travels(bits in any::<u32>()) {
            let address = Ipv4Addr::from(bits);
            let translated = Ipv6Addr::from(u128::from(TRANSLATED.network()) | u128::from(bits));
            let expected = special(address.into());
            prop_assert_eq!(special(address.to_ipv6_mapped().into()), expected);
            prop_assert_eq!(special(translated.into()), expected);
        }

        #[test]
        fn nothing_that_the_standard_library_knows_as_local_is_public(bits in any::<u32>(), long in any::<u128>()) {
            let (v4, v6) = (Ipv4Addr::from(bits), Ipv6Addr::from(long));
            let local = v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_multicast()
                || v4.is_broadcast() || v4.is_documentation() || v4.is_unspecified();
            prop_assert!(!local || special(v4.into()).is_some());
            let local = v6.is_loopback() || v6.is_multicast() || v6.is_unique_local() || v6.is_unicast_link_local();
            prop_assert!(!local || special(v6.into()).is_some());
        }
    }
}
