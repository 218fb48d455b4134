//! Reach: from where something may be used. The person, their groups, the client, the API and the token itself can each be
//! limited to networks, and all of these limits hold together.
//!
//! They hold for whoever acts: the browser that signs in, the app that gets tokens, and who calls an API with them.

use std::iter;
use std::net::IpAddr;

use crate::client::Client;
use crate::directory::Directory;
use crate::error::Error;
use crate::network::Networks;
use crate::provider::Call;
use crate::user::User;

/// What a token hangs on, as far as it limits where the token may be used from.
#[derive(Clone, Copy, Debug)]
pub struct Reach<'a> {
    /// Groups and APIs.
    pub directory: &'a Directory,
    /// The client that it was issued to.
    pub client: Option<&'a Client>,
    /// The person whom it speaks for.
    pub user: Option<&'a User>,
    /// The APIs that it is for.
    pub audience: &'a [String],
    /// The limits of the token itself.
    pub own: Option<&'a Networks>,
}

impl<'a> Reach<'a> {
    /// Refuses an address that one of the limits does not hold; an address that is not known is held by none.
    ///
    /// # Errors
    /// `ClientNetwork`, `UserNetwork`, `ApiNetwork` or, for the limits of the token itself, `TokenNetwork`.
    pub fn check(&self, from: Option<IpAddr>) -> Result<(), Error> {
        let allow = |networks: &Networks| networks.allow(from);
        if !self.of_client().all(allow) {
            return Err(Error::ClientNetwork);
        }
        if !self.of_user().all(allow) {
            return Err(Error::UserNetwork);
        }
        if !self.of_apis().all(allow) {
            return Err(Error::ApiNetwork);
        }
        if self.own.is_none_or(allow) { Ok(()) } else { Err(Error::TokenNetwork) }
    }

    /// The networks that all limits hold; `None` where there is no such network, so that nobody may use the token.
    pub fn common(&self) -> Option<Networks> {
        let limits = self.of_client().chain(self.of_user()).chain(self.of_apis()).chain(self.own);
        let mut limits = limits.filter(|networks| !networks.is_anywhere());
        limits.try_fold(Networks::ANYWHERE, |common, networks| common.intersection(networks))
    }

    fn of_client(&self) -> impl Iterator<Item = &'a Networks> {
        self.client.map(|client| &client.metadata.networks).into_iter()
    }

    fn of_user(&self) -> impl Iterator<Item = &'a Networks> {
        self.user.into_iter().flat_map(|user| of_person(self.directory, user))
    }

    fn of_apis(&self) -> impl Iterator<Item = &'a Networks> {
        let directory = self.directory;
        self.audience.iter().filter_map(|name| directory.resources.get(name)).map(|api| &api.networks)
    }
}

/// The limits of a person and of each of their groups.
fn of_person<'a>(directory: &'a Directory, user: &'a User) -> impl Iterator<Item = &'a Networks> {
    let groups = user.groups.iter().filter_map(|group| directory.groups.get(group));
    iter::once(&user.networks).chain(groups.map(|group| &group.networks))
}

/// Whether a person may sign in, and go on in a session, from an address.
pub fn may_enter(directory: &Directory, user: &User, from: IpAddr) -> bool {
    of_person(directory, user).all(|networks| networks.allow(Some(from)))
}

/// Refuses a client that acts from outside of its networks. The address is read only where there is a limit.
///
/// # Errors
/// `ClientNetwork`.
pub(crate) fn check_client(client: &Client, call: Call<'_>) -> Result<(), Error> {
    let networks = &client.metadata.networks;
    if networks.is_anywhere() || networks.allow(call.from()) { Ok(()) } else { Err(Error::ClientNetwork) }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::client::tests::sample;
    use crate::directory::{Group, Resource};
    use crate::network::tests::{address, blocks};
    use crate::user::tests::ada;

    /// Limits of each kind, in the order of the errors: client, person, group, API, token.
    #[derive(Debug)]
    struct Limits([Networks; 5]);

    impl Limits {
        fn judge<T>(&self, judge: impl FnOnce(&Reach<'_>) -> T) -> T {
            let [client, user, group, api, own] = self.0.clone();
            let mut app = sample("wiki");
            app.metadata.networks = client;
            let person = User { networks: user, groups: vec!["staff".into(), "unlimited".into()], ..ada() };
            let mut directory = Directory::default();
            directory.groups.insert("staff".into(), Group { name: "staff".into(), networks: group });
            let notes = Resource { networks: api, ..Resource::named("https://notes") };
            directory.resources.insert(notes.identifier.clone(), notes);
            judge(&Reach {
                directory: &directory,
                client: Some(&app),
                user: Some(&person),
                audience: &["https://notes".to_owned(), "https://id.example".to_owned()],
                own: Some(&own),
            })
        }
    }

    fn only(place: usize) -> Limits {
        let mut limits = [const { Networks::ANYWHERE }; 5];
        limits[place] = Networks::parse("10.0.0.0/8 2001:db8::/32").unwrap();
        Limits(limits)
    }

    #[test]
    fn each_limit_is_refused_by_its_name() {
        let reasons = ["ClientNetwork", "UserNetwork", "UserNetwork", "ApiNetwork", "TokenNetwork"];
        for (place, reason) in reasons.into_iter().enumerate() {
            let refused = |from: Option<&str>| {
                let from = from.map(|text| text.parse().unwrap());
                only(place).judge(|reach| reach.check(from).map_err(|error| error.reason()))
            };
            assert_eq!(refused(Some("11.0.0.1")), Err(reason));
            assert_eq!(refused(None), Err(reason), "from nowhere that is known");
            assert_eq!((refused(Some("10.1.2.3")), refused(Some("::ffff:10.1.2.3"))), (Ok(()), Ok(())));
        }
    }

    fn networks() -> impl Strategy<Value = Networks> {
        let near = (0_u32..4, 0_u32..=32).prop_map(|(host, length)| {
            format!("{}/{length}", std::net::Ipv4Addr::from_bits(0x0A00_0000 | host << 8 | host))
        });
        prop::collection::vec(near, 0..4).prop_map(|texts| Networks::parse(&texts.join(" ")).unwrap())
    }

    proptest! {
        /// Both families, and both ways to write an IPv4 address; as `ipnet` has it.
        #[test]
        fn so_it_is_for_ipv6_beside_ipv4(
            texts in prop::array::uniform5(prop_oneof![Just(Vec::new()), blocks()]),
            asked in address(),
            mapped in any::<bool>(),
        ) {
            let holds = |text: &String| text.parse::<ipnet::IpNet>().unwrap().contains(&asked);
            let every = texts.iter().all(|texts| texts.is_empty() || texts.iter().any(holds));
            let limits = Limits(texts.each_ref().map(|texts| Networks::parse(&texts.join(" ")).unwrap()));
            let from = match asked {
                IpAddr::V4(four) if mapped => IpAddr::from(four.to_ipv6_mapped()),
                other => other,
            };
            prop_assert_eq!(limits.judge(|reach| reach.check(Some(from)).is_ok()), every);
            let unlimited = texts.iter().all(Vec::is_empty);
            let (holds, fits) = limits.judge(|reach| {
                let common = reach.common();
                let holds = common.as_ref().is_some_and(|common| common.allow(Some(from)));
                (holds, common.is_none_or(|common| common.is_anywhere() == unlimited))
            });
            prop_assert_eq!(holds, every);
            prop_assert!(fits, "no limits have none in common, and others some");
        }

        #[test]
        fn an_address_is_in_the_common_networks_where_every_limit_holds_it(
            limits in prop::array::uniform5(networks()),
            host in 0_u32..0x400,
        ) {
            let from = IpAddr::from(std::net::Ipv4Addr::from_bits(0x0A00_0000 | host));
            let every = limits.iter().all(|networks| networks.allow(Some(from)));
            let limits = Limits(limits);
            prop_assert_eq!(limits.judge(|reach| reach.check(Some(from)).is_ok()), every);
            let holds = limits.judge(|reach| reach.common().is_some_and(|common| common.allow(Some(from))));
            prop_assert_eq!(holds, every);
        }
    }
}
