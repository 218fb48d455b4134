//! Crowds: how long others wait, and what the server holds, while very many are slow, sign in, or go away on the way.
//!
//! Two apps go on at an even pace, one asks for tokens and one about a token, on a thread that the crowd does not keep waiting.
//! What they wait is compared with what they wait when nobody else is there. They go on when the crowd has gone: memory is
//! given back while there is something to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::Failure;
use crate::driver::{AUTHORIZE, Driver};
use crate::http::Connection;
use crate::process;
use crate::server::Server;
use crate::workload::{Workload, percentile};

/// Connections that never end their request.
const SLOW: usize = 5_000;
/// From one of them to the next.
const ARRIVAL: Duration = Duration::from_millis(2);
/// People who sign in at one time, one time after the other.
const PEOPLE: usize = 50;
/// Authorizations that are begun and left.
const ABANDONED: usize = 100_000;
/// Connections on which they are begun.
const BEGINNERS: usize = 16;
/// From one request of an app to its next.
const PACE: Duration = Duration::from_millis(10);
/// How long the server has to give back what a crowd took: longer than it waits for any of them.
const REST: Duration = Duration::from_secs(20);

/// What the half of a request is: nothing, a part of its head, or a part of its body.
const HALVES: [&str; 3] = [
    "",
    "GET /sign-in HTTP/1.1\r\nHost: x\r\nX-Slow",
    "POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 99\r\n\r\ngrant",
];

/// Who comes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Crowd {
    /// Nobody, to compare with.
    Nobody,
    /// Connections that never end their request.
    Slow,
    /// People who sign in.
    People,
    /// Authorizations that are begun and left.
    Abandoned,
}

impl Crowd {
    pub(crate) const ALL: [Self; 4] = [Self::Nobody, Self::Slow, Self::People, Self::Abandoned];
}

/// What is shared with everybody who takes part.
#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    /// The crowd has gone, and what the others wait counts no more.
    rest: AtomicBool,
    /// How often one of the crowd came.
    came: AtomicUsize,
}

impl Shared {
    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// The head of the table.
pub(crate) const HEAD: &str = "crowd           came   token p50 ms    p99   introspection p50 ms    p99   RSS MiB before  most  after   database KiB before  after";

/// Lets a crowd come for so long, or until it is done; a row of the table.
pub(crate) async fn measure(server: &Server, crowd: Crowd, seconds: u64) -> Result<String, Failure> {
    let (rss, kept) = (server.rss_mib()?, server.database_kib()?);
    let shared = Arc::new(Shared::default());
    let mut others = JoinSet::new();
    for workload in [Workload::ClientCredentials, Workload::IntrospectJwt] {
        let (address, shared) = (server.address.clone(), Arc::clone(&shared));
        others.spawn_blocking(move || alone(&address, workload, &shared));
    }
    let mut members = gather(server, crowd, &shared).await?;
    let (begun, mut most) = (Instant::now(), rss);
    let is_done = |members: &JoinSet<_>| matches!(crowd, Crowd::Abandoned) && members.is_empty();
    while begun.elapsed() < Duration::from_secs(seconds) || matches!(crowd, Crowd::Abandoned) && !is_done(&members) {
        most = most.max(process::memory_mib(server.pid, "VmRSS")?);
        while let Some(ended) = members.try_join_next() {
            ended??;
        }
        sleep(Duration::from_millis(100)).await;
    }
    shared.rest.store(true, Ordering::Relaxed);
    members.shutdown().await;
    sleep(REST).await;
    let (rss_after, kept_after) = (server.rss_mib()?, server.database_kib()?);
    shared.stop.store(true, Ordering::Relaxed);
    let mut waits = [Vec::new(), Vec::new()];
    while let Some(other) = others.join_next().await {
        let (workload, times) = other??;
        waits[usize::from(workload != Workload::ClientCredentials)] = times;
    }
    let [token, introspection] =
        waits.map(|times| format!("{:>8.2} {:>8.2}", percentile(&times, 50), percentile(&times, 99)));
    let came = shared.came.load(Ordering::Relaxed);
    let name = format!("{crowd:?}");
    Ok(format!(
        "{name:<10} {came:>9}      {token}              {introspection}         {rss:>7.1} {most:>7.1} {rss_after:>6.1}          {kept:>10} {kept_after:>6}"
    ))
}

/// An app on a thread of its own.
fn alone(address: &str, workload: Workload, shared: &Shared) -> Result<(Workload, Vec<u32>), Failure> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async { go_on(Driver::ready(address, workload, 0).await?, shared).await })
}

/// An app that asks at an even pace; how long it waited each time, in microseconds, sorted. A request that could not begin in
/// time, because the one before it was not answered yet, has waited since.
async fn go_on(mut driver: Driver, shared: &Shared) -> Result<(Workload, Vec<u32>), Failure> {
    let (mut ticks, mut times) = (interval(PACE), Vec::new());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    while !shared.is_over() {
        let due = ticks.tick().await;
        driver.once().await?;
        if !shared.rest.load(Ordering::Relaxed) {
            times.push(u32::try_from(due.elapsed().as_micros()).unwrap_or(u32::MAX));
        }
    }
    times.sort_unstable();
    Ok((driver.workload(), times))
}

async fn gather(server: &Server, crowd: Crowd, shared: &Arc<Shared>) -> Result<JoinSet<Result<(), Failure>>, Failure> {
    let mut members = JoinSet::new();
    match crowd {
        Crowd::Nobody => {}
        Crowd::Slow => {
            for number in 0..SLOW {
                let (address, shared) = (server.address.clone(), Arc::clone(shared));
                let half = HALVES[number % HALVES.len()];
                members.spawn(async move {
                    // One after the other, as people come, so that the server does not give all of them up in one moment.
                    sleep(ARRIVAL * u32::try_from(number)?).await;
                    be_slow(address, half, shared).await
                });
            }
        }
        Crowd::People => {
            for place in 0..PEOPLE {
                members
                    .spawn(sign_in(Driver::ready(&server.address, Workload::SignIn, place).await?, Arc::clone(shared)));
            }
        }
        Crowd::Abandoned => {
            for _ in 0..BEGINNERS {
                members.spawn(begin(Connection::open(&server.address).await?, Arc::clone(shared)));
            }
        }
    }
    Ok(members)
}

/// Begins a request, waits until the server gives it up, and comes again.
async fn be_slow(address: String, half: &'static str, shared: Arc<Shared>) -> Result<(), Failure> {
    while !shared.is_over() {
        let mut stream = TcpStream::connect(&address).await?;
        stream.write_all(half.as_bytes()).await?;
        shared.came.fetch_add(1, Ordering::Relaxed);
        let mut answer = Vec::new();
        // The server may cut it off in any way.
        let _ = stream.read_to_end(&mut answer).await;
    }
    Ok(())
}

async fn sign_in(mut driver: Driver, shared: Arc<Shared>) -> Result<(), Failure> {
    while !shared.is_over() {
        driver.once().await?;
        shared.came.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

async fn begin(mut connection: Connection, shared: Arc<Shared>) -> Result<(), Failure> {
    for _ in 0..ABANDONED / BEGINNERS {
        let answer = connection.send("GET", AUTHORIZE, "", "").await?;
        if answer.status != 303 {
            return Err(format!("303 expected: {}", answer.head).into());
        }
        shared.came.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}
