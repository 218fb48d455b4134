//! The workloads of the budgets, each as one request after the other on each connection.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use serde::Serialize;
use tokio::time::sleep;

use crate::Failure;
use crate::driver::Driver;
use crate::process;
use crate::server::Server;

/// How long the server keeps memory for passwords after the last one, and a little more.
const PASSWORD_MEMORY_KEPT: Duration = Duration::from_secs(6);

/// A workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Workload {
    /// GET of the metadata.
    Discovery,
    /// GET of the keys.
    Jwks,
    /// One JWT for a client itself; nothing is written.
    ClientCredentials,
    /// An opaque token, by its identifier.
    IntrospectOpaque,
    /// A JWT, its signature checked.
    IntrospectJwt,
    /// A personal access token, by its identifier.
    IntrospectPat,
    /// A JWT for a personal access token; nothing is written.
    Exchange,
    /// A proxy asks about a browser's request.
    ForwardAuthSession,
    /// A proxy asks about a request with a personal access token.
    ForwardAuthPat,
    /// A proxy asks about a request with a JWT.
    ForwardAuthJwt,
    /// The claims of a JWT's person.
    Userinfo,
    /// The same, encrypted to a key on P-256.
    UserinfoEncrypted,
    /// Rotation with a new access token and a new ID token; durable.
    Refresh,
    /// The same, the ID token encrypted to an RSA key.
    RefreshEncrypted,
    /// Authorize with a live session and a remembered approval, then the token: two requests; durable.
    Code,
    /// One sign-in with a password.
    SignIn,
}

impl Workload {
    pub(crate) const ALL: [Self; 16] = [
        Self::Discovery,
        Self::Jwks,
        Self::ClientCredentials,
        Self::IntrospectOpaque,
        Self::IntrospectJwt,
        Self::IntrospectPat,
        Self::Exchange,
        Self::ForwardAuthSession,
        Self::ForwardAuthPat,
        Self::ForwardAuthJwt,
        Self::Userinfo,
        Self::UserinfoEncrypted,
        Self::Refresh,
        Self::RefreshEncrypted,
        Self::Code,
        Self::SignIn,
    ];

    /// Whether somebody signs in before what is measured.
    fn signs_in_first(self) -> bool {
        use Workload::{
            Code, Exchange, ForwardAuthPat, ForwardAuthSession, IntrospectPat, Refresh, RefreshEncrypted, Userinfo,
            UserinfoEncrypted,
        };
        matches!(
            self,
            Code | Exchange
                | ForwardAuthPat
                | ForwardAuthSession
                | IntrospectPat
                | Refresh
                | RefreshEncrypted
                | Userinfo
                | UserinfoEncrypted
        )
    }

    /// The app that signs people in.
    pub(crate) fn app(self) -> &'static str {
        if matches!(self, Self::RefreshEncrypted | Self::UserinfoEncrypted) { "sealed" } else { "app" }
    }
}

/// What was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Measured {
    workload: Workload,
    answered: u64,
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    /// While requests come half as often, at an even pace.
    #[serde(skip_serializing_if = "Option::is_none")]
    p99_ms_at_half_load: Option<f64>,
    /// Of the server.
    cpu_us: f64,
    /// Of PostgreSQL, where it runs on this machine.
    postgres_cpu_us: f64,
    peak_rss_mib: f64,
}

impl Measured {
    pub(crate) const HEADING: &str =
        "workload             req/s    p50 ms    p99 ms   at half   CPU µs/req   postgres   peak RSS MiB";

    pub(crate) fn row(&self) -> String {
        let name = format!("{:?}", self.workload);
        let half = self.p99_ms_at_half_load.map_or_else(String::new, |half| format!("{half:.2}"));
        format!(
            "{name:<18} {:>8.0} {:>9.2} {:>9.2} {half:>9} {:>12.1} {:>10.1} {:>14.1}",
            self.per_second, self.p50_ms, self.p99_ms, self.cpu_us, self.postgres_cpu_us, self.peak_rss_mib
        )
    }
}

/// How a workload is driven.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// Keep-alive connections, each with one request after the other.
    pub(crate) connections: u32,
    /// How long it counts; a fifth of that comes first, to warm up.
    pub(crate) seconds: u64,
    /// Whether it is driven a second time, half as hard.
    pub(crate) and_half: bool,
}

/// Runs a workload.
pub(crate) async fn measure(server: &Server, workload: Workload, load: Load) -> Result<Measured, Failure> {
    let mut drivers = Vec::new();
    for place in 0..usize::try_from(load.connections)? {
        drivers.push(Driver::ready(&server.address, workload, place).await?);
    }
    if workload.signs_in_first() {
        // Signing in took memory for passwords, which is not what is measured.
        sleep(PASSWORD_MEMORY_KEPT).await;
    }
    let (drivers, ran) = drive(server, drivers, None, load.seconds).await?;
    let half = if load.and_half {
        let pace = Duration::from_secs_f64(2.0 * f64::from(load.connections) / ran.per_second());
        let (_, half) = drive(server, drivers, Some(pace), load.seconds).await?;
        Some(percentile(&half.times, 99))
    } else {
        None
    };
    Ok(Measured {
        workload,
        answered: u64::try_from(ran.times.len())?,
        per_second: ran.per_second(),
        p50_ms: percentile(&ran.times, 50),
        p99_ms: percentile(&ran.times, 99),
        p99_ms_at_half_load: half,
        cpu_us: ran.cpu * 1e6 / ran.count(),
        postgres_cpu_us: ran.postgres * 1e6 / ran.count(),
        peak_rss_mib: ran.peak_rss_mib,
    })
}

/// What was seen while a workload ran.
struct Ran {
    /// How long each request took, in microseconds, sorted.
    times: Vec<u32>,
    /// How long all together took, in seconds.
    took: f64,
    /// CPU seconds of the server.
    cpu: f64,
    /// CPU seconds of PostgreSQL.
    postgres: f64,
    peak_rss_mib: f64,
}

impl Ran {
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    fn count(&self) -> f64 {
        self.times.len().max(1) as f64
    }

    fn per_second(&self) -> f64 {
        self.count() / self.took
    }
}

/// Lets the drivers go, each at its own pace or as fast as it can; gives them back for more.
async fn drive(
    server: &Server,
    drivers: Vec<Driver>,
    pace: Option<Duration>,
    seconds: u64,
) -> Result<(Vec<Driver>, Ran), Failure> {
    let counting = Arc::new(Counting::default());
    let count = u32::try_from(drivers.len())?;
    let start = |(place, driver): (u32, Driver)| {
        let first = pace.unwrap_or_default() * place / count;
        tokio::spawn(driver.run(Arc::clone(&counting), pace, first))
    };
    let tasks: Vec<_> = (0..).zip(drivers).map(start).collect();
    sleep(Duration::from_millis(seconds * 200)).await;
    process::forget_peak(server.pid)?;
    let (cpu, postgres, begun) = (process::cpu_seconds(server.pid)?, process::postgres_cpu_seconds()?, Instant::now());
    counting.counts.store(true, Ordering::SeqCst);
    sleep(Duration::from_secs(seconds)).await;
    counting.counts.store(false, Ordering::SeqCst);
    let (cpu, took) = (process::cpu_seconds(server.pid)? - cpu, begun.elapsed().as_secs_f64());
    let postgres = process::postgres_cpu_seconds()? - postgres;
    let peak_rss_mib = process::memory_mib(server.pid, "VmHWM")?;
    counting.stop.store(true, Ordering::SeqCst);
    let mut drivers = Vec::new();
    for task in tasks {
        drivers.push(task.await??);
    }
    let mut times = std::mem::take(&mut *counting.times.lock().unwrap_or_else(PoisonError::into_inner));
    times.sort_unstable();
    Ok((drivers, Ran { times, took, cpu, postgres, peak_rss_mib }))
}

/// A percentile of sorted microseconds, in milliseconds.
pub(crate) fn percentile(times: &[u32], percent: usize) -> f64 {
    times.get(times.len().saturating_sub(1) * percent / 100).map_or(0.0, |time| f64::from(*time) / 1000.0)
}

#[derive(Default)]
pub(crate) struct Counting {
    pub(crate) counts: AtomicBool,
    pub(crate) stop: AtomicBool,
    /// Microseconds each.
    pub(crate) times: Mutex<Vec<u32>>,
}
