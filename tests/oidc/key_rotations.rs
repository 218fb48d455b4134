//! Twenty successions of signing keys while apps go on: an app that keeps the key set for exactly as long as it may never
//! meets a token that it cannot verify, and is never told to come back.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use grantor_core::time::Time;
use grantor_jose::algorithm::Algorithm;
use grantor_jose::jwk::JwkSet;
use grantor_jose::key::Typ;
use grantor_jose::verify::{Expected, TypRule, verify};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::keys::{keep_schedule, kid, rotate};
use crate::harness::amount::amount;
use crate::harness::app::{App, Tokens};
use crate::harness::page::Page;
use crate::harness::server::Server;

const ROTATIONS: usize = 20;
/// The minutes from one rotation to the next, again and again: the next key may follow before the last one signs, and long after.
const PAUSES: [usize; 5] = [75, 6, 60, 30, 150];
/// How many minutes pass at one time: no token is verified much later than it was signed.
const STEP: usize = 3;
/// Requests in a run of all tests.
const TOTAL: usize = 3_000;

/// An app's key set, kept as its headers allow.
struct Kept {
    keys: JwkSet,
    asked_at: Time,
    max_age: Duration,
}

impl Kept {
    async fn fetch(server: &Server) -> Self {
        // "corrected_age_value = age_value + response_delay;" (RFC 9111 §4.2.3): a set is as old as the request for it.
        let asked_at = server.clock.read();
        let page = Page::of(reqwest::get(server.at("/jwks")).await.unwrap()).await;
        let cache_control = page.header("cache-control").unwrap();
        let max_age = cache_control.split("max-age=").nth(1).unwrap().parse().unwrap();
        Self { keys: serde_json::from_str(&page.body).unwrap(), asked_at, max_age: Duration::from_secs(max_age) }
    }

    /// Verifies a token that has just come; fetches the set anew only when it may be kept no longer.
    async fn verify(&mut self, server: &Server, token: &str, typ: Typ) {
        let now = server.clock.read();
        if now.since(self.asked_at) >= self.max_age {
            *self = Self::fetch(server).await;
        }
        let verified = verify(token, &Expected { typ: TypRule::Is(typ), algorithms: Algorithm::ALL }, &self.keys);
        let age = now.since(self.asked_at);
        assert!(verified.is_ok(), "{:?} of {} with a key set {age:?} old: {token}", verified.err(), kid(token));
    }
}

/// Goes on with requests until the rotations are done: each one is counted, each token verified.
struct Work {
    server: Arc<Server>,
    done: Arc<AtomicBool>,
    count: Arc<Semaphore>,
}

impl Work {
    /// A service that asks in its own name; the names of the keys that it met.
    async fn of_service(self) -> HashSet<String> {
        let service = App::new(&self.server, "service");
        let (mut kept, mut met) = (Kept::fetch(&self.server).await, HashSet::new());
        while !self.done.load(Ordering::SeqCst) {
            let tokens = Tokens(service.client_credentials("notes.read").await.json());
            kept.verify(&self.server, tokens.access(), Typ::AtJwt).await;
            met.insert(kid(tokens.access()));
            self.count.add_permits(1);
        }
        met
    }

    /// An app that refreshes; the names of the keys of its ID tokens.
    async fn of_app(self, client_id: &'static str, mut tokens: Tokens) -> HashSet<String> {
        let app = App::new(&self.server, client_id);
        let (mut kept, mut met) = (Kept::fetch(&self.server).await, HashSet::new());
        while !self.done.load(Ordering::SeqCst) {
            tokens = Tokens(app.refresh(tokens.refresh()).await.json());
            kept.verify(&self.server, tokens.access(), Typ::AtJwt).await;
            kept.verify(&self.server, tokens.id(), Typ::Jwt).await;
            met.insert(kid(tokens.id()));
            self.count.add_permits(1);
        }
        met
    }
}

/// The time goes on by a step, after so many requests; keys follow one another as `grantor key rotate` lets them.
async fn rotate_many(server: &Server, count: &Semaphore, a_step: u32) {
    for rotation in 0..ROTATIONS {
        rotate(server, Algorithm::Es256, false).await;
        // A new RSA key takes its time to be made.
        if rotation % 5 == 0 {
            rotate(server, Algorithm::Rs256, false).await;
        }
        for _ in 0..PAUSES[rotation % PAUSES.len()] / STEP {
            // What was asked before these minutes began does not let them pass.
            count.forget_permits(count.available_permits());
            count.acquire_many(a_step).await.unwrap().forget();
            server.clock.advance(Duration::from_mins(STEP.try_into().unwrap()));
            keep_schedule(server).await;
        }
    }
}

#[tokio::test]
async fn twenty_rotations_never_show_an_app_an_unknown_key() {
    let server = Arc::new(Server::start().await);
    let minutes = PAUSES.iter().sum::<usize>() * ROTATIONS / PAUSES.len();
    let total = amount("TEST_REQUESTS", TOTAL);
    let (done, count) = (Arc::new(AtomicBool::new(false)), Arc::new(Semaphore::new(0)));
    let work = || Work { server: Arc::clone(&server), done: Arc::clone(&done), count: Arc::clone(&count) };
    let mut met = JoinSet::new();
    for client_id in ["wiki", "spa"] {
        let tokens = App::new(&server, client_id).tokens("openid offline_access").await;
        met.spawn(work().of_app(client_id, tokens));
    }
    met.spawn(work().of_service());
    met.spawn(work().of_service());
    let begun = Instant::now();
    let rotating = rotate_many(&server, &count, total.div_ceil(minutes / STEP).try_into().unwrap());
    tokio::select! {
        () = rotating => {}
        Some(ended) = met.join_next() => panic!("{:?}", ended.err()),
    }
    done.store(true, Ordering::SeqCst);
    let met: Vec<HashSet<String>> = met.join_all().await;
    println!(
        "{total} requests and {ROTATIONS} rotations in {minutes} minutes of the server, {:?} of ours",
        begun.elapsed()
    );
    assert!(met.iter().map(HashSet::len).max() >= Some(ROTATIONS), "each new key has signed");
}
