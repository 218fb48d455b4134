//! How many requests are answered, by endpoint: rates in settings.

use std::time::Duration;

use grantor_identity::rate::{Allowance, Rate};
use grantor_web::limits::{Allowances, Endpoint};
use serde::{Deserialize, Serialize};

use crate::config::Limits;

/// How many requests an endpoint answers to each address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddressRate {
    /// As in `600/m`: so many a second (`s`), minute (`m`), hour (`h`) or day (`d`); or `off`. IPv6 counts by /64.
    #[serde(with = "text")]
    pub per_address: Option<Rate>,
    /// As many as the rate gives in so long may come at once: with `600/m` and `10s`, that is 100.
    #[serde(with = "grantor_core::policy::lifetime")]
    pub burst: Duration,
}

/// How many requests an endpoint answers to each address, and to each client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientRate {
    /// As in `600/m`: so many a second (`s`), minute (`m`), hour (`h`) or day (`d`); or `off`. IPv6 counts by /64.
    #[serde(with = "text")]
    pub per_address: Option<Rate>,
    /// The same for each client. It counts what came with the client's secret, assertion or key, from wherever: who only names
    /// a client uses up nothing of it.
    #[serde(with = "text")]
    pub per_client: Option<Rate>,
    /// As many as the rate gives in so long may come at once: with `600/m` and `10s`, that is 100.
    #[serde(with = "grantor_core::policy::lifetime")]
    pub burst: Duration,
}

/// How many requests an endpoint answers to each address, and for each account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountRate {
    /// As in `600/m`: so many a second (`s`), minute (`m`), hour (`h`) or day (`d`); or `off`. IPv6 counts by /64.
    #[serde(with = "text")]
    pub per_address: Option<Rate>,
    /// The same for each account, once a session or a token has proved it: who only names an account uses up nothing of it. The
    /// person's browsers, the scripts with the person's tokens, and each app that the person let in are counted by themselves.
    #[serde(with = "text")]
    pub per_account: Option<Rate>,
    /// As many as the rate gives in so long may come at once: with `600/m` and `10s`, that is 100.
    #[serde(with = "grantor_core::policy::lifetime")]
    pub burst: Duration,
}

/// How many requests an endpoint answers to each address, to each client, and for each account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantRate {
    /// As in `600/m`: so many a second (`s`), minute (`m`), hour (`h`) or day (`d`); or `off`. IPv6 counts by /64.
    #[serde(with = "text")]
    pub per_address: Option<Rate>,
    /// The same for each client. It counts what came with the client's secret, assertion or key, from wherever: who only names
    /// a client uses up nothing of it.
    #[serde(with = "text")]
    pub per_client: Option<Rate>,
    /// The same for each account and each app that the person let in, once a code or a refresh token can be redeemed; and for
    /// all personal access tokens of the account together.
    #[serde(with = "text")]
    pub per_account: Option<Rate>,
    /// As many as the rate gives in so long may come at once: with `600/m` and `10s`, that is 100.
    #[serde(with = "grantor_core::policy::lifetime")]
    pub burst: Duration,
}

/// The burst of all that is not set otherwise.
const BURST: Duration = Duration::from_mins(1);

impl AddressRate {
    pub(super) const fn per_minute(requests: u32) -> Self {
        Self { per_address: Some(Rate::per_minute(requests)), burst: BURST }
    }

    fn allowances(&self) -> Allowances {
        Allowances { per_address: allowance(self.per_address, self.burst), ..Allowances::default() }
    }
}

impl ClientRate {
    pub(super) const fn per_minute(requests: u32) -> Self {
        let rate = Some(Rate::per_minute(requests));
        Self { per_address: rate, per_client: rate, burst: BURST }
    }

    fn allowances(&self) -> Allowances {
        let per_client = allowance(self.per_client, self.burst);
        Allowances { per_address: allowance(self.per_address, self.burst), per_client, per_account: None }
    }
}

impl AccountRate {
    /// So many for each address, and for each account.
    pub(super) const fn per_minute(requests: u32, for_account: u32) -> Self {
        let per_account = Some(Rate::per_minute(for_account));
        Self { per_address: Some(Rate::per_minute(requests)), per_account, burst: BURST }
    }

    fn allowances(&self) -> Allowances {
        let per_account = allowance(self.per_account, self.burst);
        Allowances { per_address: allowance(self.per_address, self.burst), per_client: None, per_account }
    }
}

impl GrantRate {
    /// So many for each address and each client, and for each account.
    pub(super) const fn per_minute(requests: u32, for_account: u32) -> Self {
        let rate = Some(Rate::per_minute(requests));
        let per_account = Some(Rate::per_minute(for_account));
        Self { per_address: rate, per_client: rate, per_account, burst: BURST }
    }

    fn allowances(&self) -> Allowances {
        Allowances {
            per_address: allowance(self.per_address, self.burst),
            per_client: allowance(self.per_client, self.burst),
            per_account: allowance(self.per_account, self.burst),
        }
    }
}

fn allowance(rate: Option<Rate>, burst: Duration) -> Option<Allowance> {
    Some(Allowance { rate: rate?, burst })
}

impl Limits {
    /// How many requests are answered, by endpoint.
    pub fn rates(&self) -> grantor_web::limits::Limits {
        let of = |endpoint| match endpoint {
            Endpoint::Authorization => self.authorization.allowances(),
            Endpoint::Documents => self.documents.allowances(),
            Endpoint::ForwardAuth => self.forward_auth.allowances(),
            Endpoint::Introspection => self.introspection.allowances(),
            Endpoint::LeakReports => self.leak_reports.allowances(),
            Endpoint::Pages => self.pages.allowances(),
            Endpoint::Registration => self.registration.allowances(),
            Endpoint::Revocation => self.revocation.allowances(),
            Endpoint::Token => self.token.allowances(),
            Endpoint::Userinfo => self.userinfo.allowances(),
        };
        Endpoint::ALL.into_iter().map(|endpoint| (endpoint, of(endpoint))).collect()
    }
}

/// Reading and writing of rates.
mod text {
    use grantor_identity::rate::Rate;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    const OFF: &str = "off";

    #[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
    pub(super) fn serialize<S: Serializer>(rate: &Option<Rate>, serializer: S) -> Result<S::Ok, S::Error> {
        match rate {
            Some(rate) => serializer.collect_str(rate),
            None => serializer.serialize_str(OFF),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Rate>, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.trim() == OFF {
            return Ok(None);
        }
        let wrong = |error| D::Error::custom(format!("\"{text}\": {error}, or \"off\""));
        text.parse().map(Some).map_err(wrong)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use grantor_web::limits::Endpoint;

    use crate::config::Config;
    use crate::config::load::parse;
    use crate::place::Source;

    fn read(text: &str) -> Result<Config, String> {
        parse(&Source::new("grantor.toml", text)).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_named_keeps_its_default() {
        let limits =
            read("[limits]\ntoken = { per_address = \"20/s\" }\npages.per_address = \"off\"\n").unwrap().limits;
        let defaults = Config::default().limits;
        assert_eq!(limits.token.per_address.unwrap().to_string(), "20/s");
        assert_eq!(limits.token.per_client, defaults.token.per_client);
        assert_eq!((limits.pages.per_address, limits.pages.burst), (None, defaults.pages.burst));
        assert_eq!(limits.userinfo, defaults.userinfo);
    }

    #[test]
    fn a_wrong_rate_is_named_with_its_place_and_what_would_be_right() {
        let error = read("[limits]\ntoken = { per_address = \"fast\" }\n").unwrap_err();
        assert!(error.starts_with("grantor.toml:2: ") && error.contains("\"fast\": it is no rate"), "{error}");
        let error = read("[limits]\npages = { per_client = \"1/s\" }\n").unwrap_err();
        assert!(error.contains("per_client"), "{error}");
        for endpoint in ["documents", "introspection", "leak_reports", "revocation"] {
            let error = read(&format!("[limits]\n{endpoint} = {{ per_account = \"1/s\" }}\n")).unwrap_err();
            assert!(error.starts_with("grantor.toml:2: ") && error.contains("per_account"), "{error}");
        }
    }

    #[test]
    fn every_endpoint_has_a_limit_for_each_address_by_default() {
        let limits = Config::default().limits;
        assert!(limits.rates().values().all(|allowances| allowances.per_address.is_some()));
        let of_accounts = limits.rates().into_iter().filter(|(_, allowances)| allowances.per_account.is_some());
        assert_eq!(
            of_accounts.map(|(endpoint, _)| endpoint).collect::<Vec<_>>(),
            [Endpoint::Authorization, Endpoint::ForwardAuth, Endpoint::Pages, Endpoint::Token, Endpoint::Userinfo]
        );
    }
}
