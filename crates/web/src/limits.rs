//! How many requests are answered: of each address before anything is looked at, of each client once it has proved who it is, and
//! for each account once something has proved it.
//!
//! # Whose an account's limit is
//! Nobody can use up what somebody else may ask. So an account counts only once a session, a personal access token, an access
//! token, or a code or refresh token that can be redeemed has proved it; never by a name in a form. And of one account, each
//! that asks is counted by itself ([`By`]), or an app that asks without end would keep the person out of all others: what a
//! client does with what the person approved counts for this client; what scripts do with personal access tokens counts for
//! them, so that one gone wild, or stolen, leaves the person's browsers alone; and so does what a page of somebody else has
//! the browser load behind the person's back, for which cookies go along where that page is a neighbour. At an app behind a
//! proxy each of them is counted for that app alone, for the same reason.
//!
//! A thief with a session asks as the person, and is counted with them. The pages where sessions end are therefore never
//! refused for the account's sake, and neither is the revocation endpoint.
//!
//! Where several people are signed in in one browser, a request of an app counts for the one in use, whomever it names; and
//! for somebody beside them where it is they who are answered for. Nothing is counted for them, and nothing of them is read, where
//! the one in use has asked too often.
//!
//! APIs ask at introspection about tokens that they were shown, as often as that happens: the person has no part in it, and
//! no limit there.
//!
//! # What is kept
//! What is counted lives in memory and ends with the server; failed sign-ins are counted elsewhere, and outlive it. A refusal
//! is told with `Retry-After` and the fields of draft-ietf-httpapi-ratelimit-headers-11; other answers have none of them. An
//! event says that there are refusals, once a minute for each limit; how many there are, the metrics know.

use std::collections::BTreeMap;
use std::hash::{Hash, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use grantor_core::admission::{Account, Admission, By, Exceeded};
use grantor_core::client::Client;
use grantor_core::error::Error;
use grantor_core::time::Time;
use grantor_core::user::User;
use grantor_identity::address::counted_as;
use grantor_identity::rate::Allowance;
use grantor_identity::rate_table::RateTable;

use crate::app::App;
use crate::pages::status::Kind;
use crate::visit::Visit;
use crate::{cors, error, respond, routes};

/// How many that ask for accounts.
const ACCOUNTS: usize = 4096;
/// How many addresses that still owe something are told apart, for each endpoint.
const ADDRESSES: usize = 4096;
/// How many clients.
const CLIENTS: usize = 1024;
/// How often an event says that a limit is met.
const SAID_EVERY: Duration = Duration::from_mins(1);

/// The endpoints that are limited, each by itself. A new one has a path in [`Endpoint::of`], its names, and an entry in the
/// settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// Where apps send browsers.
    Authorization,
    /// Keys and metadata, styles and scripts: what is only copied.
    Documents,
    /// Where proxies ask about requests to apps behind them.
    ForwardAuth,
    /// Where APIs ask about tokens.
    Introspection,
    /// Where tokens are reported that were found in public.
    LeakReports,
    /// Pages for people, and paths that nobody has.
    Pages,
    /// Where apps register and manage themselves.
    Registration,
    /// Where clients give tokens back.
    Revocation,
    /// Where clients get tokens.
    Token,
    /// Who somebody is.
    Userinfo,
}

impl Endpoint {
    /// Every endpoint.
    pub const ALL: [Self; 10] = [
        Self::Authorization,
        Self::Documents,
        Self::ForwardAuth,
        Self::Introspection,
        Self::LeakReports,
        Self::Pages,
        Self::Registration,
        Self::Revocation,
        Self::Token,
        Self::Userinfo,
    ];

    /// The endpoint of a path; none for what says whether the server is well, which is never refused.
    fn of(path: &str) -> Option<Self> {
        Some(match path {
            routes::AUTHORIZE => Self::Authorization,
            routes::FORWARD_AUTH => Self::ForwardAuth,
            routes::INTROSPECT | routes::INTROSPECT_BATCH => Self::Introspection,
            routes::JWKS
            | routes::OAUTH_METADATA
            | routes::OPENID_CONFIGURATION
            | routes::THEME
            | routes::WEBFINGER => Self::Documents,
            routes::LEAK_REPORTS => Self::LeakReports,
            routes::REGISTER => Self::Registration,
            routes::REVOKE => Self::Revocation,
            routes::TOKEN => Self::Token,
            routes::USERINFO => Self::Userinfo,
            "/livez" | "/readyz" => return None,
            path if path.starts_with("/static/") => Self::Documents,
            path if path.starts_with("/register/") => Self::Registration,
            path if path.starts_with("/forward-auth/") => Self::ForwardAuth,
            _ => Self::Pages,
        })
    }

    /// The names of its limits: for each address, each client, and each account.
    const fn policies(self) -> [&'static str; 3] {
        match self {
            Self::Authorization => {
                ["authorization-per-address", "authorization-per-client", "authorization-per-account"]
            }
            Self::Documents => ["documents-per-address", "documents-per-client", "documents-per-account"],
            Self::ForwardAuth => ["forward-auth-per-address", "forward-auth-per-client", "forward-auth-per-account"],
            Self::Introspection => {
                ["introspection-per-address", "introspection-per-client", "introspection-per-account"]
            }
            Self::LeakReports => ["leak-reports-per-address", "leak-reports-per-client", "leak-reports-per-account"],
            Self::Pages => ["pages-per-address", "pages-per-client", "pages-per-account"],
            Self::Registration => ["registration-per-address", "registration-per-client", "registration-per-account"],
            Self::Revocation => ["revocation-per-address", "revocation-per-client", "revocation-per-account"],
            Self::Token => ["token-per-address", "token-per-client", "token-per-account"],
            Self::Userinfo => ["userinfo-per-address", "userinfo-per-client", "userinfo-per-account"],
        }
    }
}

/// What is allowed at an endpoint; without, everything is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowances {
    /// For each address.
    pub per_address: Option<Allowance>,
    /// For each client that proves who it is.
    pub per_client: Option<Allowance>,
    /// For each account that something has proved, by whom asks for it.
    pub per_account: Option<Allowance>,
}

/// What is allowed at all endpoints; at those that are not there, everything is.
pub type Limits = BTreeMap<Endpoint, Allowances>;

/// A limit, and what everybody has asked.
#[derive(Debug)]
struct Limit {
    allowance: Allowance,
    policy: &'static str,
    asked: RateTable<RandomState>,
}

/// The limits of one server.
#[derive(Debug)]
pub(crate) struct Limiter {
    per_address: BTreeMap<Endpoint, Limit>,
    per_client: BTreeMap<Endpoint, Limit>,
    per_account: BTreeMap<Endpoint, Limit>,
    /// When an event last said that a limit is met, and how often it was since.
    said: Mutex<BTreeMap<&'static str, (Time, u64)>>,
}

impl Limiter {
    /// Nobody has asked anything yet.
    pub(crate) fn new(limits: &Limits) -> Self {
        let all = |kind: usize, cells: usize, of: fn(&Allowances) -> Option<Allowance>| {
            let limit = |(endpoint, allowances): (&Endpoint, &Allowances)| {
                let allowance = of(allowances)?;
                let asked = RateTable::new(cells, RandomState::new());
                Some((*endpoint, Limit { allowance, policy: endpoint.policies()[kind], asked }))
            };
            limits.iter().filter_map(limit).collect()
        };
        Self {
            per_address: all(0, ADDRESSES, |allowances| allowances.per_address),
            per_client: all(1, CLIENTS, |allowances| allowances.per_client),
            per_account: all(2, ACCOUNTS, |allowances| allowances.per_account),
            said: Mutex::default(),
        }
    }

    /// How often a limit was met since an event said so, where it is time to say it again.
    pub(crate) fn to_say(&self, policy: &'static str, now: Time) -> Option<u64> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        match said.get_mut(policy) {
            // A clock that was set back says it once more.
            Some((last, unsaid)) if now >= *last && now.since(*last) < SAID_EVERY => {
                *unsaid += 1;
                None
            }
            known => {
                let count = known.map_or(1, |(_, unsaid)| *unsaid + 1);
                said.insert(policy, (now, 0));
                Some(count)
            }
        }
    }
}

impl Limit {
    fn charge(&self, key: &impl Hash, nodes: u32, now: Time) -> Result<(), Exceeded> {
        let price = self.allowance.price(nodes);
        let nanoseconds = now.millis().max(0).cast_unsigned().saturating_mul(1_000_000);
        self.asked.charge(key, price, nanoseconds).map_err(|wait| Exceeded {
            policy: self.policy,
            quota: price.quota(),
            window: seconds(price.window()),
            wait: seconds(wait.seconds()),
            user_id: None,
        })
    }
}

/// Seconds as they are told; a refusal stays small where it is handed on.
fn seconds(seconds: u64) -> u32 {
    seconds.try_into().unwrap_or(u32::MAX)
}

impl App {
    fn charge(&self, limit: Option<&Limit>, key: &impl Hash, now: Time) -> Result<(), Exceeded> {
        let Some(limit) = limit else { return Ok(()) };
        let charged = limit.charge(key, self.provider.store.nodes(), now);
        if let Err(exceeded) = &charged {
            self.metrics.refused_by(exceeded.policy);
        }
        charged
    }

    /// Counts a request for an account at an endpoint; where that is an app behind a proxy, at this one.
    ///
    /// # Errors
    /// The limit that is met.
    pub(crate) fn admit_account(
        &self,
        (endpoint, app): (Endpoint, Option<&str>),
        account: Account<'_>,
        now: Time,
    ) -> Result<(), Exceeded> {
        let charged = self.charge(self.limiter.per_account.get(&endpoint), &(account, app), now);
        charged.map_err(|exceeded| Exceeded { user_id: Some(account.user_id), ..exceeded })
    }

    /// Who counts how often clients ask at an endpoint, and for whom.
    pub(crate) const fn gate(&self, endpoint: Endpoint) -> Gate<'_> {
        Gate { app: self, endpoint }
    }
}

/// Counts how often clients ask at an endpoint, and for whom.
#[derive(Debug)]
pub(crate) struct Gate<'a> {
    app: &'a App,
    endpoint: Endpoint,
}

impl Admission for Gate<'_> {
    fn admit(&self, client: &Client, now: Time) -> Result<(), Exceeded> {
        self.app.charge(self.app.limiter.per_client.get(&self.endpoint), &client.client_id, now)
    }

    fn admit_account(&self, account: Account<'_>, now: Time) -> Result<(), Exceeded> {
        self.app.admit_account((self.endpoint, None), account, now)
    }
}

/// The refusal of a request from an address that has asked too often. Nothing of it is looked at but its path.
pub(crate) async fn refuse(app: &Data<App>, request: &HttpRequest) -> Option<HttpResponse> {
    // The path as the routes read it: with whatever needed no percent sign decoded.
    let endpoint = Endpoint::of(request.match_info().as_str())?;
    let limit = app.limiter.per_address.get(&endpoint)?;
    let (address, now) = (app.address(request), app.clock.now());
    let key: IpAddr = counted_as(address);
    let exceeded = app.charge(Some(limit), &key, now).err()?;
    let told = address.to_string();
    app.record(&Error::RateExceeded(exceeded), None, app.call(&told)).await;
    Some(answer(app, request, endpoint, exceeded))
}

/// The refusal of a visit to a page, where its person has asked too often in browsers.
pub(crate) async fn refuse_visit(visit: &Visit) -> Option<HttpResponse> {
    let path = visit.request.match_info().as_str();
    // Here somebody ends the session of a thief, who could otherwise keep them from it with that very session.
    let ends_sessions = matches!(path, routes::END_SESSION | routes::SESSIONS | routes::SIGN_OUT);
    // At the authorization endpoint it is counted when it is known for which app.
    if ends_sessions || Endpoint::of(path) != Some(Endpoint::Pages) {
        return None;
    }
    let (_, user) = visit.session()?;
    refuse_person(visit, user, Endpoint::Pages, By::Session).await
}

/// The refusal of a browser that was sent by an app too often, where somebody is signed in. Who goes around in circles with
/// one app can still sign in to another.
pub(crate) async fn refuse_sent(visit: &Visit, user: &User, client: &Client) -> Option<HttpResponse> {
    refuse_person(visit, user, Endpoint::Authorization, By::Client(&client.client_id)).await
}

async fn refuse_person(visit: &Visit, user: &User, endpoint: Endpoint, by: By<'_>) -> Option<HttpResponse> {
    let by = if visit.is_seen() { by } else { By::OtherSite };
    let account = Account { user_id: user.id, by };
    let exceeded = visit.app.admit_account((endpoint, None), account, visit.now).err()?;
    visit.app.record(&Error::RateExceeded(exceeded), None, visit.call()).await;
    Some(page(visit, exceeded))
}

/// 429: in words for people, as JSON for machines.
fn answer(app: &Data<App>, request: &HttpRequest, endpoint: Endpoint, exceeded: Exceeded) -> HttpResponse {
    let json = || error::json(&Error::RateExceeded(exceeded));
    match endpoint {
        // What apps do there for people counts with the pages; its refusals are for machines.
        Endpoint::Pages if request.path().starts_with(routes::ACCOUNT_API_TOKENS) => json(),
        Endpoint::Authorization | Endpoint::Pages => page(&Visit::unread(app.clone(), request.clone()), exceeded),
        Endpoint::Documents | Endpoint::Registration => cors::everyone(json()),
        Endpoint::ForwardAuth | Endpoint::Introspection | Endpoint::LeakReports => json(),
        Endpoint::Revocation | Endpoint::Token | Endpoint::Userinfo => cors::allowed(app, request, json()),
    }
}

/// 429 in words.
fn page(visit: &Visit, exceeded: Exceeded) -> HttpResponse {
    let mut page = respond::status_page(visit, Kind::TooMany(exceeded.wait.into()), None);
    error::limited(page.headers_mut(), exceeded);
    page
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use grantor_identity::rate::Rate;
    use grantor_jose::id::Id;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_path_but_those_of_health_is_limited() {
        assert_eq!(Endpoint::of("/token"), Some(Endpoint::Token));
        assert_eq!(Endpoint::of("/static/grantor.css"), Some(Endpoint::Documents));
        for path in ["/", "/sign-in", "/nowhere", "//token", "/token/", ""] {
            assert_eq!(Endpoint::of(path), Some(Endpoint::Pages), "{path}");
        }
        assert_eq!((Endpoint::of("/livez"), Endpoint::of("/readyz")), (None, None));
    }

    #[test]
    fn a_limit_that_is_met_is_said_once_a_minute_with_how_often() {
        let limiter = Limiter::new(&Limits::new());
        let at = Time::from_seconds;
        assert_eq!(limiter.to_say("a", at(100)), Some(1));
        assert_eq!((limiter.to_say("a", at(101)), limiter.to_say("a", at(159))), (None, None));
        assert_eq!(limiter.to_say("b", at(159)), Some(1));
        assert_eq!(limiter.to_say("a", at(160)), Some(3));
        assert_eq!(limiter.to_say("a", at(50)), Some(1), "the clock was set back");
    }

    const ASKING: [By<'static>; 5] = [By::ApiToken, By::Client("chat"), By::Client("wiki"), By::OtherSite, By::Session];

    /// All that may ask for two accounts.
    fn everybody() -> Vec<Account<'static>> {
        let ids = [1, 2].map(Id::from_i64);
        ids.into_iter().flat_map(|user_id| ASKING.map(|by| Account { user_id, by })).collect()
    }

    proptest! {
        #[test]
        fn nobody_uses_up_what_somebody_else_may_ask(
            burst in 0_u64..90, steps in proptest::collection::vec((0_usize..10, 0_i64..40), 1..200)
        ) {
            let allowance = Allowance { rate: Rate::per_minute(3), burst: Duration::from_secs(burst) };
            let allowances = Allowances { per_account: Some(allowance), ..Allowances::default() };
            let limiter = || Limiter::new(&Limits::from([(Endpoint::Pages, allowances)]));
            let everybody = everybody();
            let together = limiter();
            let alone: Vec<Limiter> = everybody.iter().map(|_| limiter()).collect();
            let mut now = Time::from_seconds(1_800_000_000);
            for (who, pause) in steps {
                now = now.plus(Duration::from_secs(pause.cast_unsigned()));
                let charge = |limiter: &Limiter| limiter.per_account[&Endpoint::Pages].charge(&everybody[who], 1, now);
                prop_assert_eq!(charge(&together), charge(&alone[who]));
            }
        }
    }

    #[test]
    fn the_limits_of_an_endpoint_are_its_own() {
        let allowance = Allowance { rate: Rate::per_minute(1), burst: Duration::ZERO };
        let allowances = Allowances { per_address: Some(allowance), ..Allowances::default() };
        let limiter = Limiter::new(&Limits::from([(Endpoint::Token, allowances), (Endpoint::Pages, allowances)]));
        assert!(limiter.per_client.is_empty() && limiter.per_account.is_empty());
        let (token, pages) = (&limiter.per_address[&Endpoint::Token], &limiter.per_address[&Endpoint::Pages]);
        let now = Time::from_seconds(1_800_000_000);
        assert_eq!((token.charge(&1, 1, now), pages.charge(&1, 1, now)), (Ok(()), Ok(())));
        let exceeded = token.charge(&1, 1, now).unwrap_err();
        assert_eq!(exceeded, Exceeded { policy: "token-per-address", quota: 1, window: 60, wait: 60, user_id: None });
    }
}
