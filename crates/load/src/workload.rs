//! The workloads of the budgets, each as one request after the other on each connection.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value;
use tokio::time::{sleep, sleep_until};

use crate::Failure;
use crate::http::{Answer, Connection};
use crate::process;
use crate::server::{PASSWORD, Server, username};

const SECRET: &str = "a-secret-for-the-load-program-alone";
/// How long the server keeps memory for passwords after the last one, and a little more.
const PASSWORD_MEMORY_KEPT: Duration = Duration::from_secs(6);
pub(crate) const AUTHORIZE: &str = "/authorize?client_id=app&response_type=code&redirect_uri=https%3A%2F%2Fapp.load.example%2Fcb&scope=openid%20profile%20email%20offline_access&state=s&nonce=n";

const EXCHANGE: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token";

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
    /// The claims of a JWT's person.
    Userinfo,
    /// Rotation with a new access token and a new ID token; durable.
    Refresh,
    /// Authorize with a live session and a remembered approval, then the token: two requests; durable.
    Code,
    /// One sign-in with a password.
    SignIn,
}

impl Workload {
    pub(crate) const ALL: [Self; 11] = [
        Self::Discovery,
        Self::Jwks,
        Self::ClientCredentials,
        Self::IntrospectOpaque,
        Self::IntrospectJwt,
        Self::IntrospectPat,
        Self::Exchange,
        Self::Userinfo,
        Self::Refresh,
        Self::Code,
        Self::SignIn,
    ];

    /// Whether somebody signs in before what is measured.
    fn signs_in_first(self) -> bool {
        matches!(self, Self::Exchange | Self::IntrospectPat | Self::Userinfo | Self::Refresh | Self::Code)
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
struct Counting {
    counts: AtomicBool,
    stop: AtomicBool,
    /// Microseconds each.
    times: Mutex<Vec<u32>>,
}

/// One connection with what its requests carry.
pub(crate) struct Driver {
    connection: Connection,
    workload: Workload,
    username: String,
    cookies: String,
    token: String,
}

impl Driver {
    /// With all that its first request needs.
    pub(crate) async fn ready(address: &str, workload: Workload, place: usize) -> Result<Self, Failure> {
        let connection = Connection::open(address).await?;
        let mut this =
            Self { connection, workload, username: username(place), cookies: String::new(), token: String::new() };
        match workload {
            Workload::Discovery | Workload::Jwks | Workload::ClientCredentials | Workload::SignIn => {}
            Workload::IntrospectOpaque => this.token = this.client_credentials("opaque").await?,
            Workload::IntrospectJwt => this.token = this.client_credentials("service").await?,
            Workload::Exchange | Workload::IntrospectPat => {
                this.sign_in().await?;
                this.token = this.personal_access_token().await?;
            }
            Workload::Userinfo | Workload::Refresh | Workload::Code => {
                this.sign_in().await?;
                let tokens = this.code().await?;
                let name = if workload == Workload::Refresh { "refresh_token" } else { "access_token" };
                this.token = text(&tokens, name)?;
            }
        }
        Ok(this)
    }

    /// What it does.
    pub(crate) fn workload(&self) -> Workload {
        self.workload
    }

    /// A request that could not begin when it was due, because the one before it was not answered yet, has waited since.
    async fn run(mut self, counting: Arc<Counting>, pace: Option<Duration>, first: Duration) -> Result<Self, Failure> {
        sleep(first).await;
        let mut due = Instant::now();
        while !counting.stop.load(Ordering::Relaxed) {
            due += pace.unwrap_or_default();
            let begun = match pace {
                Some(_) if due <= Instant::now() => due,
                Some(_) => {
                    // Who wakes up late has not waited for the server.
                    sleep_until(due.into()).await;
                    Instant::now()
                }
                None => Instant::now(),
            };
            self.once().await?;
            if counting.counts.load(Ordering::Relaxed) {
                let micros = u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX);
                counting.times.lock().unwrap_or_else(PoisonError::into_inner).push(micros);
            }
        }
        Ok(self)
    }

    /// One request of the workload.
    pub(crate) async fn once(&mut self) -> Result<(), Failure> {
        match self.workload {
            Workload::Discovery => {
                expect(self.connection.send("GET", "/.well-known/openid-configuration", "", "").await?, 200).map(drop)
            }
            Workload::Jwks => expect(self.connection.send("GET", "/jwks", "", "").await?, 200).map(drop),
            Workload::ClientCredentials => self.client_credentials("service").await.map(drop),
            Workload::Exchange => {
                let body = format!("{EXCHANGE}&subject_token={}", self.token);
                text(&self.post("/token", "service", &body).await?, "access_token").map(drop)
            }
            Workload::IntrospectOpaque | Workload::IntrospectJwt | Workload::IntrospectPat => {
                let body = format!("token={}", self.token);
                let client = if self.workload == Workload::IntrospectOpaque { "opaque" } else { "app" };
                let answer = self.post("/introspect", client, &body).await?;
                if answer["active"] == true { Ok(()) } else { Err("the token does not count".into()) }
            }
            Workload::Userinfo => {
                let headers = format!("authorization: Bearer {}\r\n", self.token);
                expect(self.connection.send("GET", "/userinfo", &headers, "").await?, 200).map(drop)
            }
            Workload::Refresh => {
                let body = format!("grant_type=refresh_token&refresh_token={}", self.token);
                self.token = text(&self.post("/token", "app", &body).await?, "refresh_token")?;
                Ok(())
            }
            Workload::Code => self.code().await.map(drop),
            Workload::SignIn => self.sign_in().await,
        }
    }

    async fn client_credentials(&mut self, client: &str) -> Result<String, Failure> {
        text(&self.post("/token", client, "grant_type=client_credentials").await?, "access_token")
    }

    async fn post(&mut self, path: &str, client: &str, body: &str) -> Result<Value, Failure> {
        let headers = format!("authorization: Basic {}\r\n", STANDARD.encode(format!("{client}:{SECRET}")));
        let answer = expect(self.connection.send("POST", path, &headers, body).await?, 200)?;
        Ok(serde_json::from_str(&answer.body)?)
    }

    /// Signs in by the form, as a browser does.
    async fn sign_in(&mut self) -> Result<(), Failure> {
        let page = expect(self.connection.send("GET", "/sign-in", "", "").await?, 200)?;
        let visit = page.cookies();
        let csrf = field(&page.body, "csrf")?;
        let body = form(&[("csrf", &csrf), ("request", ""), ("username", &self.username), ("password", PASSWORD)]);
        let answer = self.connection.send("POST", "/sign-in", &format!("cookie: {visit}\r\n"), &body).await?;
        self.cookies = visit + &expect(answer, 303)?.cookies();
        Ok(())
    }

    /// Makes a token by the form, as a browser does.
    async fn personal_access_token(&mut self) -> Result<String, Failure> {
        let headers = format!("cookie: {}\r\n", self.cookies);
        let page = expect(self.connection.send("GET", "/account/tokens/new", &headers, "").await?, 200)?;
        let (csrf, draft) = (field(&page.body, "csrf")?, field(&page.body, "draft")?);
        let pairs =
            [("csrf", csrf.as_str()), ("draft", &draft), ("name", "load"), ("scope", "api.read"), ("days", "30")];
        let page = self.connection.send("POST", "/account/tokens/new", &headers, &form(&pairs)).await?;
        value(&expect(page, 200)?.body, "id=\"token\"")
    }

    /// Authorizes and redeems; at the first time allows what is asked.
    async fn code(&mut self) -> Result<Value, Failure> {
        let headers = format!("cookie: {}\r\n", self.cookies);
        let mut answer = expect(self.connection.send("GET", AUTHORIZE, &headers, "").await?, 303)?;
        if answer.header("location").is_some_and(|to| to.starts_with("/consent")) {
            let consent = answer.header("location").unwrap_or_default().to_owned();
            let page = expect(self.connection.send("GET", &consent, &headers, "").await?, 200)?;
            let (csrf, request) = (field(&page.body, "csrf")?, field(&page.body, "request")?);
            let scopes = ["openid", "profile", "email", "offline_access"].map(|scope| ("scope", scope));
            let body = form(
                &[[("csrf", csrf.as_str()), ("request", &request), ("decision", "allow")].as_slice(), &scopes].concat(),
            );
            let allowed = expect(self.connection.send("POST", "/consent", &headers, &body).await?, 303)?;
            let back = allowed.header("location").unwrap_or_default().to_owned();
            answer = expect(self.connection.send("GET", &back, &headers, "").await?, 303)?;
        }
        let location = answer.header("location").unwrap_or_default();
        let code = location
            .split(['?', '&', '#'])
            .find_map(|part| part.strip_prefix("code="))
            .ok_or_else(|| format!("no code in {location}"))?;
        let body =
            format!("grant_type=authorization_code&code={code}&redirect_uri=https%3A%2F%2Fapp.load.example%2Fcb");
        self.post("/token", "app", &body).await
    }
}

fn expect(answer: Answer, status: u16) -> Result<Answer, Failure> {
    if answer.status == status {
        Ok(answer)
    } else {
        Err(format!("{status} expected: {}{}", answer.head, answer.body).into())
    }
}

fn text(value: &Value, name: &str) -> Result<String, Failure> {
    value[name].as_str().map(str::to_owned).ok_or_else(|| format!("no {name} in {value}").into())
}

/// The value of a hidden field.
fn field(page: &str, name: &str) -> Result<String, Failure> {
    value(page, &format!("name=\"{name}\""))
}

/// The value of the field that has this attribute.
fn value(page: &str, attribute: &str) -> Result<String, Failure> {
    let after = page.split(attribute).nth(1).ok_or_else(|| format!("no field with {attribute}"))?;
    let value = after.split("value=\"").nth(1).and_then(|rest| rest.split('"').next());
    value.map(str::to_owned).ok_or_else(|| format!("no value of {attribute}").into())
}

fn form(pairs: &[(&str, &str)]) -> String {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(pairs);
    text.finish()
}
