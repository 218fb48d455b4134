//! 24 at once with one code, one refresh token, one client assertion: each is good once, on one node and over two.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Barrier;
use std::time::Duration;

use grantor_core::audit::EventKind;
use grantor_core::grant::GrantEnd;
use grantor_core::store::{RefreshTokenFacts, Store};
use grantor_core::token::REFRESH;
use grantor_server::config::Config;
use grantor_storage::EventFilter;

use super::caller::{Caller, Told};
use super::{Kind, times};
use crate::harness::app::App;
use crate::harness::assertion::{self, Assertion};
use crate::harness::person::Person;
use crate::harness::server::{Place, Server};

const THREADS: usize = 24;

/// How a code, a token or an assertion is presented.
type Present = fn(&mut Caller, &str) -> io::Result<Told>;

/// The nodes of one issuer, and how often they are asked.
struct Contest {
    nodes: Vec<Server>,
    rounds: usize,
}

impl Contest {
    async fn new((kind, nodes): (Kind, usize), change: fn(&mut Config)) -> Self {
        let settings = |config: &mut Config| {
            config.limits.workers = 2;
            change(config);
        };
        let first = Server::start_in(Place::seeded(kind), settings).await;
        let mut nodes_of_issuer = Vec::from([first]);
        for _ in 1..nodes {
            let issuer = nodes_of_issuer[0].url.clone();
            let settings = |config: &mut Config| {
                settings(config);
                config.issuer = issuer;
            };
            nodes_of_issuer.push(nodes_of_issuer[0].another_node_with(settings).await);
        }
        Self { nodes: nodes_of_issuer, rounds: times("TEST_ROUNDS", 100) }
    }

    fn server(&self) -> &Server {
        &self.nodes[0]
    }

    /// A code for each round.
    async fn codes(&self) -> Vec<String> {
        let (app, person) = (App::new(self.server(), "spa"), Person::new(self.server()));
        let mut codes = Vec::new();
        for _ in 0..self.rounds {
            codes.push(app.approved_by(&person, "openid offline_access").await.param("code"));
        }
        codes
    }

    /// A refresh token for each round.
    async fn refresh_tokens(&self) -> Vec<String> {
        let (app, mut tokens) = (App::new(self.server(), "spa"), Vec::new());
        for code in self.codes().await {
            tokens.push(app.redeem(&code).await.json()["refresh_token"].as_str().unwrap().to_owned());
        }
        tokens
    }

    /// Lets all threads, which ask one node each, present the prize of each round at once; the answers of each round.
    fn run(&self, client_id: &'static str, prizes: &[String], present: Present) -> Vec<Vec<Told>> {
        let start = &Barrier::new(THREADS);
        let ask = |thread: usize| {
            let mut caller = Caller::new(&self.nodes[thread % self.nodes.len()].address, client_id);
            let answer = |prize: &String| {
                start.wait();
                present(&mut caller, prize).unwrap()
            };
            prizes.iter().map(answer).collect::<Vec<_>>()
        };
        let by_thread: Vec<Vec<Told>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || ask(thread))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        (0..prizes.len()).map(|round| by_thread.iter().map(|answers| answers[round].clone()).collect()).collect()
    }

    /// How many events of a kind there are, and their reasons.
    async fn events(&self, kind: EventKind) -> (usize, BTreeSet<String>) {
        let filter = EventFilter { kind: Some(kind), limit: 1_000_000, ..EventFilter::default() };
        let events = self.server().database.events(&filter).await.unwrap();
        (events.len(), events.into_iter().filter_map(|event| event.reason).collect())
    }

    /// The family of a refresh token as it is kept.
    async fn family(&self, refresh_token: &str) -> RefreshTokenFacts {
        let (grant_id, _) = REFRESH.parse(refresh_token).unwrap();
        self.server().database.refresh_token_find(grant_id).await.unwrap().unwrap()
    }
}

/// How often each answer was given.
fn tally(answers: &[Told]) -> BTreeMap<String, usize> {
    let mut tally = BTreeMap::new();
    for answer in answers {
        *tally.entry(answer.brief()).or_default() += 1;
    }
    tally
}

fn once_beside(refusal: &str) -> BTreeMap<String, usize> {
    BTreeMap::from([("200".to_owned(), 1), (refusal.to_owned(), THREADS - 1)])
}

fn reasons<const N: usize>(reasons: [&str; N]) -> BTreeSet<String> {
    reasons.map(str::to_owned).into()
}

async fn of_24_at_once_with_one_code_one_gets_tokens(setup: (Kind, usize)) {
    let contest = Contest::new(setup, |_| ()).await;
    for answers in &contest.run("spa", &contest.codes().await, Caller::redeem) {
        assert_eq!(tally(answers), once_beside("400 invalid_grant"));
        let winner = answers.iter().find(|answer| answer.status == 200).unwrap();
        let family = contest.family(&winner.token("refresh_token")).await;
        assert_eq!((family.grant.ended.unwrap().1, family.token.generation), (GrantEnd::CodeReplayed, 0));
    }
    assert_eq!(contest.events(EventKind::Refused).await.1, reasons(["CodeReplayed"]));
    assert_eq!(contest.events(EventKind::GrantEnded).await, (contest.rounds, reasons(["code_replayed"])));
}

async fn of_24_at_once_with_one_refresh_token_all_get_the_same_successor(setup: (Kind, usize)) {
    let contest = Contest::new(setup, |_| ()).await;
    let tokens = contest.refresh_tokens().await;
    for (token, answers) in tokens.iter().zip(&contest.run("spa", &tokens, Caller::refresh)) {
        assert_eq!(tally(answers), BTreeMap::from([("200".to_owned(), THREADS)]));
        let successors: BTreeSet<String> = answers.iter().map(|answer| answer.token("refresh_token")).collect();
        assert!(successors.len() == 1 && !successors.contains(token), "{successors:?}");
        let (_, successor) = REFRESH.parse(successors.first().unwrap()).unwrap();
        let family = contest.family(token).await;
        assert!(family.token.secret.matches(&successor) && family.grant.ended.is_none());
        assert_eq!(family.token.generation, 1);
    }
    assert_eq!(contest.events(EventKind::Refused).await.0, 0);
    assert_eq!(contest.events(EventKind::GrantEnded).await.0, 0);
}

async fn without_grace_of_24_at_once_with_one_refresh_token_one_gets_tokens(setup: (Kind, usize)) {
    let contest = Contest::new(setup, |config| config.lifetimes.refresh_token_grace = Duration::ZERO).await;
    let tokens = contest.refresh_tokens().await;
    for (token, answers) in tokens.iter().zip(&contest.run("spa", &tokens, Caller::refresh)) {
        assert_eq!(tally(answers), once_beside("400 invalid_grant"));
        let family = contest.family(token).await;
        assert_eq!((family.grant.ended.unwrap().1, family.token.generation), (GrantEnd::RefreshTokenReused, 1));
    }
    assert_eq!(contest.events(EventKind::Refused).await.1, reasons(["GrantEnded", "RefreshTokenReused"]));
    assert_eq!(contest.events(EventKind::GrantEnded).await, (contest.rounds, reasons(["refresh_token_reused"])));
}

async fn of_24_at_once_with_one_client_assertion_one_is_believed(setup: (Kind, usize)) {
    let contest = Contest::new(setup, |_| ()).await;
    let assertions: Vec<String> = (0..contest.rounds).map(|_| Assertion::new(contest.server()).signed()).collect();
    let present: Present = |caller, assertion| {
        let request = [("grant_type", "client_credentials"), ("scope", "notes.read")];
        caller.post("/token", &[request, assertion::params(assertion)].concat())
    };
    for answers in contest.run("signed", &assertions, present) {
        assert_eq!(tally(&answers), once_beside("401 invalid_client"));
    }
    assert_eq!(contest.events(EventKind::Refused).await.1, reasons(["AssertionReplayed"]));
}

/// Makes a test of each rule on each database, with one node and with two.
macro_rules! everywhere {
    ($($rule:ident)*) => {
        mod one_node {
            $(async fn $rule(kind: super::Kind) {
                super::$rule((kind, 1)).await;
            })*
            crate::crash::on_each_database! { $($rule)* }
        }
        mod two_nodes {
            $(async fn $rule(kind: super::Kind) {
                super::$rule((kind, 2)).await;
            })*
            crate::crash::on_each_database! { $($rule)* }
        }
    };
}

everywhere! {
    of_24_at_once_with_one_client_assertion_one_is_believed
    of_24_at_once_with_one_code_one_gets_tokens
    of_24_at_once_with_one_refresh_token_all_get_the_same_successor
    without_grace_of_24_at_once_with_one_refresh_token_one_gets_tokens
}
