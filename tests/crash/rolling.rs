//! Two servers behind a balancer, restarted one after the other while apps go on: no request fails.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::caller::{Caller, Told};
use super::child::{Child, free_port};
use super::holder::signed_in;
use crate::harness::server::{Kind, Place};

/// How often the balancer looks which servers are ready: often enough for the time that they wait before they stop.
const LOOK: Duration = Duration::from_millis(100);

/// A balancer that knows nothing of HTTP: each connection goes to the next server that was ready when it looked.
struct Balancer {
    ready: [AtomicBool; 2],
    taken: [AtomicUsize; 2],
}

impl Balancer {
    async fn look(self: Arc<Self>, ports: [u16; 2]) {
        loop {
            for (server, port) in self.ready.iter().zip(ports) {
                let ask = || Caller::new(&format!("127.0.0.1:{port}"), "").get("/readyz", "");
                let asked = tokio::task::block_in_place(ask);
                server.store(asked.is_ok_and(|told| told.status == 200), Ordering::SeqCst);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn accept(self: Arc<Self>, listener: TcpListener, ports: [u16; 2]) {
        let mut connections = JoinSet::new();
        for turn in 0_usize.. {
            let (mut from, _) = listener.accept().await.unwrap();
            let place = [turn % 2, (turn + 1) % 2].into_iter().find(|place| self.ready[*place].load(Ordering::SeqCst));
            let place = place.expect("a server is ready");
            self.taken[place].fetch_add(1, Ordering::SeqCst);
            let port = ports[place];
            connections.spawn(async move {
                let mut to = TcpStream::connect(("127.0.0.1", port)).await?;
                copy_bidirectional(&mut from, &mut to).await
            });
        }
    }
}

/// An app that gets tokens of its own, asks for access, and refreshes, until it is told to stop; how often it was answered.
fn go_on(issuer: &str, cookies: &str, stop: &AtomicBool) -> io::Result<usize> {
    let (mut wiki, mut service) = (Caller::new(issuer, "wiki"), Caller::new(issuer, "service"));
    let good = |told: Told| {
        assert!(matches!(told.status, 200 | 303), "{told:?}");
        told
    };
    let mut answered = 0;
    while !stop.load(Ordering::SeqCst) {
        good(service.post("/token", &[("grant_type", "client_credentials"), ("scope", "notes.read")])?);
        let code = good(wiki.code(cookies)?).code();
        let first = good(wiki.redeem(&code)?).token("refresh_token");
        let second = good(wiki.refresh(&first)?).token("refresh_token");
        good(wiki.refresh(&second)?);
        answered += 5;
    }
    Ok(answered)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_are_restarted_one_after_the_other_without_a_failed_request() {
    if !Kind::Postgres.is_there() {
        return;
    }
    let place = Place::seeded(Kind::Postgres);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = place.config(listener.local_addr().unwrap().port());
    let ports = [free_port(), free_port()];
    let mut nodes = Vec::new();
    for port in ports {
        nodes.push(Child::start_behind(&config, &place, port).await.0);
    }
    let balancer = Arc::new(Balancer { ready: [true, true].map(AtomicBool::new), taken: Default::default() });
    let mut helpers = JoinSet::new();
    helpers.spawn(Arc::clone(&balancer).look(ports));
    helpers.spawn(Arc::clone(&balancer).accept(listener, ports));
    let (cookies, stop) = (signed_in(&config.issuer).await, Arc::new(AtomicBool::new(false)));
    let app = || {
        let (issuer, cookies, stop) = (config.issuer.clone(), cookies.clone(), Arc::clone(&stop));
        tokio::task::spawn_blocking(move || go_on(&issuer, &cookies, &stop))
    };
    let apps: Vec<_> = (0..4).map(|_| app()).collect();
    for (place_of, port) in ports.into_iter().enumerate() {
        let before = balancer.taken[1 - place_of].load(Ordering::SeqCst);
        nodes.remove(0).stop().await;
        nodes.push(Child::start_behind(&config, &place, port).await.0);
        tokio::time::sleep(3 * LOOK).await;
        let after = balancer.taken[1 - place_of].load(Ordering::SeqCst);
        assert!(after > before, "connections went over to the other server");
    }
    stop.store(true, Ordering::SeqCst);
    for app in apps {
        let answered = app.await.unwrap().expect("no request fails");
        assert!(answered > 0);
    }
}
