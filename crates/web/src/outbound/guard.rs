//! Which hosts may be asked.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::address::special;

/// A host that a team trusts although its address is not public.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum AllowedHost {
    /// A host by its name, whatever its address is: whoever answers for the name is trusted, too.
    Name(String),
    /// All hosts of a network.
    Network(IpNet),
}

/// Text that is no host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is neither a host's full name nor a network; write it as \"idp.internal.example\" or \"10.2.0.0/16\"")]
pub struct AllowedHostError(String);

impl FromStr for AllowedHost {
    type Err = AllowedHostError;

    fn from_str(text: &str) -> Result<Self, AllowedHostError> {
        if let Ok(network) = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)) {
            return Ok(Self::Network(network));
        }
        match Host::parse(text) {
            // A star is a character of names, and no name has it.
            Ok(Host::Domain(name)) if !name.contains('*') => Ok(Self::Name(bare(&name).to_owned())),
            _ => Err(AllowedHostError(text.to_owned())),
        }
    }
}

impl TryFrom<String> for AllowedHost {
    type Error = AllowedHostError;

    fn try_from(text: String) -> Result<Self, AllowedHostError> {
        text.parse()
    }
}

impl From<AllowedHost> for String {
    fn from(host: AllowedHost) -> Self {
        host.to_string()
    }
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => out.write_str(name),
            Self::Network(network) => network.fmt(out),
        }
    }
}

/// Why a host may not be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is not spoken to by https: its origin.
    #[error("{0}: only https is asked; name an https address")]
    NotHttps(String),
    /// Its address is not public.
    #[error("{host} is at {address}, {what}; where it is trusted, name it in outbound.allow_hosts")]
    NotPublic {
        /// The host as it is named.
        host: String,
        /// The address that is not public.
        address: IpAddr,
        /// What it is.
        what: &'static str,
    },
    /// The URL has a user name or a password: its origin.
    #[error("{0}: the address has a user name or a password in it; leave them out")]
    UserInformation(String),
}

impl Refusal {
    /// The reason's name, as events record it.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NotHttps(_) => "NotHttps",
            Self::NotPublic { .. } => "NotPublic",
            Self::UserInformation(_) => "UserInformation",
        }
    }
}

/// Knows what may be asked.
#[derive(Debug)]
pub(crate) struct Guard {
    allowed: Vec<AllowedHost>,
}

impl Guard {
    /// A guard that lets through what is public, and these.
    pub(super) const fn new(allowed: Vec<AllowedHost>) -> Self {
        Self { allowed }
    }

    /// Refuses what can be refused by the URL alone; the addresses of a name are not known yet.
    pub(super) fn check(&self, url: &Url) -> Result<(), Refusal> {
        let origin = || url.origin().ascii_serialization();
        if url.scheme() != "https" {
            return Err(Refusal::NotHttps(origin()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::UserInformation(origin()));
        }
        match url.host() {
            Some(Host::Ipv4(address)) => self.check_address(&address.to_string(), address.into()),
            Some(Host::Ipv6(address)) => self.check_address(&address.to_string(), address.into()),
            // Https has a host always.
            Some(Host::Domain(_)) | None => Ok(()),
        }
    }

    /// Refuses a host that is at an address that is not public.
    pub(super) fn check_address(&self, host: &str, address: IpAddr) -> Result<(), Refusal> {
        let Some(what) = special(address) else { return Ok(()) };
        if self.allowed.iter().any(|allowed| allowed.is(host, address.to_canonical())) {
            return Ok(());
        }
        Err(Refusal::NotPublic { host: host.to_owned(), address, what })
    }
}

impl AllowedHost {
    fn is(&self, host: &str, address: IpAddr) -> bool {
        match self {
            Self::Name(name) => bare(host).eq_ignore_ascii_case(name),
            Self::Network(network) => network.contains(&address),
        }
    }
}

/// A name without the dot of the root.
fn bare(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn guard(allowed: &[&str]) -> Guard {
        Guard::new(allowed.iter().map(|text| text.parse().unwrap()).collect())
    }

    #[test]
    fn a_host_is_a_full_name_or_a_network() {
        let read = |text: &str| text.parse::<AllowedHost>().map(|host| host.to_string());
        for (text, shown) in [
            ("IdP.Internal.", "idp.internal"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("10.2.0.0/16", "10.2.0.0/16"),
            ("10.2.3.4", "10.2.3.4/32"),
            ("fd00::/8", "fd00::/8"),
            ("fd00::7", "fd00::7/128"),
        ] {
            assert_eq!(read(text).unwrap(), shown);
        }
        for text in
            ["", "*.example.com", "https://idp.internal", "idp.internal:443", "idp internal", "10.2.0.0/33", "127.1"]
        {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_name_is_trusted_letter_for_letter_and_a_network_by_its_addresses() {
        let guard = guard(&["idp.internal", "10.2.0.0/16"]);
        let is_allowed = |host: &str, address: &str| guard.check_address(host, address.parse().unwrap()).is_ok();
        assert!(is_allowed("idp.internal", "192.168.0.9") && is_allowed("IDP.internal.", "127.0.0.1"));
        assert!(!is_allowed("sub.idp.internal", "192.168.0.9") && !is_allowed("idp.internal.evil.example", "10.3.0.1"));
        assert!(is_allowed("anything.example", "10.2.3.4") && is_allowed("anything.example", "::ffff:10.2.3.4"));
        assert!(!is_allowed("anything.example", "10.3.0.0"));
        assert!(is_allowed("anything.example", "8.8.8.8"), "what is public needs no trust");
    }

    #[test]
    fn a_refusal_says_what_is_wrong_and_how_to_mend_it() {
        let refusal = guard(&[]).check(&"https://169.254.169.254/latest".parse().unwrap()).unwrap_err();
        assert_eq!(refusal.reason(), "NotPublic");
        assert_eq!(
            refusal.to_string(),
            "169.254.169.254 is at 169.254.169.254, a link-local address; where it is trusted, name it in outbound.allow_hosts"
        );
    }
}
