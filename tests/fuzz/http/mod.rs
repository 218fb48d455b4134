//! Requests that nobody would send, to every endpoint, over real sockets, from clients that come far: they sign in, allow,
//! redeem and refresh, and do each of it wrongly, too. No answer may be a fault of the server, and each must come.

mod framing;
mod kept;
mod pocket;
mod target;
mod words;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use framing::{Form, Request};
use pocket::{Kind, Pocket};

use crate::forward_auth::APPS;
use crate::harness::amount::amount;
use crate::harness::app::App;
use crate::harness::assertion::Assertion;
use crate::harness::connection::{Answer, Connection};
use crate::harness::dice::Dice;
use crate::harness::server::{Server, unlimited};

/// What is sent in a run of all tests.
const TOTAL: usize = 3_000;
/// Clients at one time: fewer than passwords may wait to be checked, for beyond that the server rightly says that it is busy.
const CLIENTS: usize = 24;

/// Panics of the server's own threads, of whichever test. Their requests get no answer, but not each client notices that.
static PANICS: LazyLock<Arc<AtomicUsize>> = LazyLock::new(|| {
    let (panics, before) = (Arc::new(AtomicUsize::new(0)), std::panic::take_hook());
    let counted = Arc::clone(&panics);
    std::panic::set_hook(Box::new(move |panic| {
        let thread = std::thread::current();
        if thread.name().is_some_and(|name| ["actix", "grantor", "hash"].iter().any(|ours| name.starts_with(ours))) {
            counted.fetch_add(1, Ordering::SeqCst);
        }
        before(panic);
    }));
    panics
});

/// One client: its connection, and what it has picked up.
struct Client {
    server: Arc<Server>,
    host: String,
    connection: Option<Connection>,
    pocket: Pocket,
    dice: Dice,
    /// The last request that was answered, and its answer.
    last: String,
    /// How often each class of status came, by its first digit.
    statuses: [usize; 6],
}

impl Client {
    fn new(server: &Arc<Server>, number: u64) -> Self {
        let host = server.url.trim_start_matches("http://").to_owned();
        // One in four comes far; the others break more on the way.
        let (pocket, dice) = (Pocket::of(number.is_multiple_of(4)), Dice::new(number));
        Self { server: Arc::clone(server), host, connection: None, pocket, dice, last: String::new(), statuses: [0; 6] }
    }

    /// Sends so many requests; how often each class of status came, and each kind of thing that can be carried on.
    async fn run(mut self, requests: usize) -> ([usize; 6], BTreeMap<Kind, usize>) {
        let mut sent = 0;
        while sent < requests {
            sent += self.step().await;
        }
        (self.statuses, self.pocket.met)
    }

    /// Sends one request, or some without waiting for their answers; how many it were.
    async fn step(&mut self) -> usize {
        if self.dice.one_in(30) {
            self.pocket.put(Kind::Assertion, &Assertion::new(&self.server).signed());
        }
        let request = self.request();
        if request.form != Form::Whole {
            self.send_and_leave(&request).await;
            return 1;
        }
        let mut requests = vec![request];
        // The HTTP layer writes each answer in the way of the newest request that it has read, so that a HEAD behind another
        // request takes the body from its answer.
        let is_plain = |request: &Request| request.form == Form::Whole && !request.is_head && !request.is_last;
        while self.dice.one_in(12) && requests.iter().all(is_plain) {
            requests.push(self.request());
        }
        if !requests.iter().all(is_plain) {
            requests.truncate(1);
        }
        self.send(&requests).await;
        requests.len()
    }

    fn request(&mut self) -> Request {
        let target = target::next(&mut self.pocket, &mut self.dice);
        framing::write(&target, &self.pocket, &self.host, &mut self.dice)
    }

    /// Each request must be answered, unless an answer before it was the last.
    async fn send(&mut self, requests: &[Request]) {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open(&self.host).await,
        };
        let bytes: Vec<u8> = requests.iter().flat_map(|request| request.bytes.clone()).collect();
        connection.write(&bytes).await;
        for request in requests {
            let shown = request.bytes.escape_ascii();
            let answer = connection.answer(request.is_head).await;
            let answer = answer.unwrap_or_else(|| panic!("no answer to {shown}\nafter {}", self.last));
            self.last = format!("{shown}\nwith {}", answer.head);
            self.look_at(&answer, request);
            if answer.is_last() || request.is_last {
                return;
            }
        }
        self.connection = Some(connection);
    }

    fn look_at(&mut self, answer: &Answer, request: &Request) {
        let shown = request.bytes.escape_ascii();
        assert!(answer.status < 500, "{} {}\nto {shown}", answer.head, answer.body);
        let location = answer.header("location").unwrap_or_default();
        assert!(!location.contains("evil.example") || location.starts_with('/'), "{location}\nfor {shown}");
        assert!(!location.starts_with("//"), "{location}\nfor {shown}");
        self.statuses[usize::from(answer.status / 100)] += 1;
        self.pocket.take(answer, &mut self.dice);
    }

    /// On a connection of its own, whatever comes back; the server must close it.
    async fn send_and_leave(&mut self, request: &Request) {
        let mut connection = Connection::open(&self.host).await;
        connection.write(&request.bytes).await;
        // What is only unfinished must be given up by the server itself; that takes its time, so few are waited for.
        if request.form == Form::Broken || !self.dice.one_in(8) {
            connection.end().await;
        }
        let answers = connection.rest().await;
        let fault = answers.windows(10).any(|window| window == b"HTTP/1.1 5");
        assert!(!fault, "{}\nto {}", answers.escape_ascii(), request.bytes.escape_ascii());
    }
}

#[tokio::test]
async fn no_request_is_answered_by_a_fault_of_the_server() {
    let panics = PANICS.load(Ordering::SeqCst);
    let server = Server::start_with(|config| {
        config.sign_in.account_failures = 1_000_000;
        config.sign_in.address_failures = 1_000_000;
        config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        unlimited(config);
    });
    let server = server.await;
    for declared in [kept::DECLARED, APPS] {
        server.clock.advance(std::time::Duration::from_millis(1));
        server.apply(declared).await;
    }
    let server = Arc::new(server);
    let each = amount("TEST_REQUESTS", TOTAL).div_ceil(CLIENTS);
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..CLIENTS {
        clients.spawn(Client::new(&server, number.try_into().unwrap()).run(each));
    }
    let (mut statuses, mut met) = ([0; 6], BTreeMap::new());
    for (of_client, met_by_client) in clients.join_all().await {
        statuses.iter_mut().zip(of_client).for_each(|(all, one)| *all += one);
        for (kind, count) in met_by_client {
            *met.entry(kind).or_insert(0) += count;
        }
    }
    println!("answers by the first digit of their status: {statuses:?}; met on the way: {met:?}");
    assert_eq!(met.len(), Kind::ALL.len(), "the clients come far: {met:?}");
    assert_eq!(PANICS.load(Ordering::SeqCst), panics, "no thread of the server panics");
    let tokens = App::new(&server, "wiki").tokens("openid offline_access").await;
    assert_eq!(App::new(&server, "wiki").userinfo(tokens.access()).await.status, 200, "and it still serves");
}
