//! What a token that counts allows.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::denied::Fault;

/// What a token that counts allows, and whom it speaks for.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Access {
    /// Whom it speaks for: a person, or the client itself.
    pub subject: String,
    /// The client it was issued to.
    pub client_id: String,
    /// The name that the person signs in with, where the issuer told it.
    pub username: Option<String>,
    /// What it allows.
    pub scope: Scope,
    /// The APIs it is for; this one is among them.
    pub audience: Vec<String>,
    /// Until when it counts, in seconds since 1970. Only a token that was asked about may have no end.
    pub expires_at: Option<i64>,
    /// How the person has proved who they are (`acr`).
    pub acr: Option<String>,
    /// When the person did so, in seconds since 1970.
    pub auth_time: Option<i64>,
    /// From where it may be used; from anywhere where that is not said.
    pub networks: Option<Vec<IpNet>>,
}

/// A set of scopes, as the wire has it: names with spaces between.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope(String);

impl Access {
    /// Whether a call from this address may use it. Without a known address, a token that is limited to networks may not be used.
    pub(crate) fn may_be_used_from(&self, address: Option<IpAddr>) -> Result<(), Fault> {
        let Some(networks) = &self.networks else { return Ok(()) };
        let address = address.ok_or(Fault::AddressUnknown)?.to_canonical();
        if networks.iter().any(|network| network.contains(&address)) { Ok(()) } else { Err(Fault::AddressNotAllowed) }
    }
}

impl Scope {
    /// The set that this text is.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether it holds this scope, letter for letter.
    pub fn has(&self, name: &str) -> bool {
        self.iter().any(|known| known == name)
    }

    /// Its scopes.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|name| !name.is_empty())
    }

    /// The text on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn limited(networks: &[&str]) -> Access {
        let networks = networks.iter().map(|network| network.parse().unwrap()).collect();
        Access { networks: Some(networks), ..Access::default() }
    }

    #[test]
    fn a_limited_token_is_used_from_its_networks_only() {
        let access = limited(&["192.0.2.0/24", "2001:db8::/32"]);
        for good in ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8:1::1"] {
            assert_eq!(access.may_be_used_from(Some(good.parse().unwrap())), Ok(()), "{good}");
        }
        for bad in ["192.0.3.7", "::1", "2001:db9::1", "::ffff:192.0.3.7"] {
            assert_eq!(access.may_be_used_from(Some(bad.parse().unwrap())), Err(Fault::AddressNotAllowed), "{bad}");
        }
        assert_eq!(access.may_be_used_from(None), Err(Fault::AddressUnknown));
    }

    #[test]
    fn a_list_without_networks_allows_no_address_and_no_list_allows_any() {
        let anywhere = Some("192.0.2.7".parse().unwrap());
        assert_eq!(limited(&[]).may_be_used_from(anywhere), Err(Fault::AddressNotAllowed));
        assert_eq!(Access::default().may_be_used_from(anywhere), Ok(()));
        assert_eq!(Access::default().may_be_used_from(None), Ok(()));
    }

    #[test]
    fn scopes_are_compared_as_a_whole() {
        let scope = Scope::new("notes.read  notes.readwrite");
        assert!(scope.has("notes.read") && scope.has("notes.readwrite"));
        assert!(!scope.has("notes") && !scope.has("Notes.read") && !scope.has("") && !scope.has("notes.read "));
    }

    proptest! {
        #[test]
        fn a_network_contains_what_its_mask_says(network in any::<[u8; 4]>(), length in 0_u8..=32, address in any::<[u8; 4]>()) {
            let net = ipnet::Ipv4Net::new(network.into(), length).unwrap();
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            let inside = u32::from_be_bytes(network) & mask == u32::from_be_bytes(address) & mask;
            let access = Access { networks: Some(vec![net.into()]), ..Access::default() };
            prop_assert_eq!(access.may_be_used_from(Some(IpAddr::from(address))).is_ok(), inside);
        }
    }
}
