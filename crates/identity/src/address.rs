//! The client's address. Only proxies that are listed are believed, and only about who is before them; the default lists none.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;

/// So many proxies are followed at most.
const MAX_HOPS: usize = 16;

/// The address a request came from. `x_forwarded_for` are the header's lines in their order; each may list several addresses.
///
/// Each proxy appends who asked it. So the list is read from the right, as long as the one who wrote an entry is trusted; what stands
/// left of that is what a stranger claims (RFC 7239 §8.1). An entry that is no address ends the reading at the proxy that wrote it.
pub fn client_address(peer: IpAddr, x_forwarded_for: &[&[u8]], trusted: &[IpNet]) -> IpAddr {
    // A stranger may write what is no text at all; what the proxy wrote behind it in the same line still counts.
    let entries = x_forwarded_for.iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
    let mut client = peer.to_canonical();
    for entry in entries.take(MAX_HOPS) {
        if !trusted.iter().any(|net| net.contains(&client)) {
            break;
        }
        let entry = std::str::from_utf8(entry).ok();
        let Some(before) = entry.and_then(|entry| parse_entry(entry.trim())) else { break };
        client = before;
    }
    client
}

/// The addresses that count as one: an IPv4 address, or the /64 of an IPv6 address, because whoever has one has them all.
pub fn counted_as(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address @ IpAddr::V4(_) => address,
    }
}

/// An address, perhaps in brackets, perhaps with a port.
fn parse_entry(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    let address = bare.parse().or_else(|_| entry.parse::<SocketAddr>().map(|address| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn through(peer: &str, lines: &[&str]) -> IpAddr {
        let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
        through_bytes(peer, &lines)
    }

    fn through_bytes(peer: &str, lines: &[&[u8]]) -> IpAddr {
        client_address(ip(peer), lines, &["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()])
    }

    #[test]
    fn a_peer_that_is_not_listed_is_the_client_whatever_it_says() {
        assert_eq!(through("203.0.113.7", &["198.51.100.1"]), ip("203.0.113.7"));
        assert_eq!(client_address(ip("127.0.0.1"), &[b"198.51.100.1"], &[]), ip("127.0.0.1"));
    }

    #[test]
    fn the_list_is_read_from_the_right() {
        assert_eq!(through("10.0.0.1", &["198.51.100.1"]), ip("198.51.100.1"));
        assert_eq!(through("10.0.0.1", &["6.6.6.6, 198.51.100.1"]), ip("198.51.100.1"));
        assert_eq!(through("10.0.0.1", &["6.6.6.6", "198.51.100.1 ,10.0.0.2"]), ip("198.51.100.1"));
        assert_eq!(through("10.0.0.1", &["10.6.6.6, 198.51.100.1, fd00::2"]), ip("198.51.100.1"));
        assert_eq!(through("10.0.0.1", &[]), ip("10.0.0.1"));
    }

    #[test]
    fn an_entry_that_is_no_address_ends_the_reading() {
        for bad in ["unknown", "", "_hidden", "198.51.100.1.9", "6.6.6.6, "] {
            assert_eq!(through("10.0.0.1", &[bad]), ip("10.0.0.1"), "{bad:?}");
        }
    }

    #[test]
    fn what_is_no_text_hides_nobody_behind_the_proxy() {
        assert_eq!(through_bytes("10.0.0.1", &[b"\xff, 198.51.100.1"]), ip("198.51.100.1"));
        assert_eq!(through_bytes("10.0.0.1", &[b"10.0.0.9, \xff, 198.51.100.1 , 10.0.0.2"]), ip("198.51.100.1"));
        assert_eq!(through_bytes("10.0.0.1", &[b"198.51.100.1, \xff"]), ip("10.0.0.1"));
    }

    #[test]
    fn ports_brackets_and_mapped_addresses_are_understood() {
        assert_eq!(through("10.0.0.1", &["198.51.100.1:4711"]), ip("198.51.100.1"));
        assert_eq!(through("10.0.0.1", &["[2001:db8::1]:4711"]), ip("2001:db8::1"));
        assert_eq!(through("10.0.0.1", &["[2001:db8::1]"]), ip("2001:db8::1"));
        assert_eq!(through("::ffff:10.0.0.1", &["::ffff:198.51.100.1"]), ip("198.51.100.1"));
    }

    #[test]
    fn an_ipv6_network_of_64_bits_counts_as_one() {
        assert_eq!(counted_as(ip("2001:db8:1:2:3:4:5:6")), counted_as(ip("2001:db8:1:2::")));
        assert_ne!(counted_as(ip("2001:db8:1:3::")), counted_as(ip("2001:db8:1:2::")));
        assert_eq!(counted_as(ip("::ffff:198.51.100.1")), ip("198.51.100.1"));
    }

    proptest! {
        #[test]
        fn what_stands_left_of_a_stranger_changes_nothing(claims in "[0-9a-f.:, \\[\\]]{0,60}") {
            prop_assert_eq!(through("10.0.0.1", &[&claims, "198.51.100.1"]), ip("198.51.100.1"));
        }

        #[test]
        fn any_header_gives_an_address(lines in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..4)) {
            let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
            let _ = through_bytes("10.0.0.1", &lines);
        }
    }
}
