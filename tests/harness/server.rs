//! A true server on a free port, with a database and a clock of its own.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use grantor_core::audit::Event;
use grantor_core::time::Time;
use grantor_server::clock::system_time;
use grantor_server::config::{Config, Hidden};
use grantor_server::declare::{self, apply::Tools};
use grantor_server::place::Source;
use grantor_server::running::Running;
use grantor_storage::{Database, EventFilter};
use grantor_web::Clock;
use tokio::sync::oneshot;

use super::seeds;

/// The key-encryption key of every test server.
const KEY_ENCRYPTION_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// The time of one server; it stands still until it is moved.
#[derive(Clone)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    fn now() -> Self {
        Self(Arc::new(AtomicI64::new(system_time().millis())))
    }

    /// Moves the time on.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// The time as the server reads it.
    pub fn read(&self) -> Time {
        Time::from_millis(self.0.load(Ordering::SeqCst))
    }

    fn clock(&self) -> Clock {
        let time = Arc::clone(&self.0);
        Clock::new(move || Time::from_millis(time.load(Ordering::SeqCst)))
    }
}

/// A running server.
pub struct Server {
    /// The issuer, `http://127.0.0.1:PORT`.
    pub url: String,
    /// Its time.
    pub clock: TestClock,
    /// What it keeps.
    pub database: Database,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    folder: PathBuf,
}

impl Server {
    /// Starts one with the people, apps and APIs of [`seeds`].
    pub async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    /// Starts one with other settings.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = new_folder();
        fs::copy(TEMPLATE.join("grantor.db"), folder.join("grantor.db")).unwrap();
        let clock = TestClock::now();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut config = config(&folder, listener.local_addr().unwrap().port());
        change(&mut config);
        let url = config.issuer.clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let (started, database) = oneshot::channel();
        let time = clock.clock();
        let thread = std::thread::spawn(move || {
            runtime().block_on(async move {
                let running = Running::start(config, false, time).await.unwrap();
                assert!(started.send(running.app.provider.store.clone()).is_ok());
                let asked_to_stop = async { drop(stopped.await) };
                running.run(listener, None, asked_to_stop).await.unwrap();
            });
        });
        let database = database.await.expect("the server starts");
        Self { url, clock, database, stop: Some(stop), thread: Some(thread), folder }
    }

    /// The address of a path.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Applies a declaration, as `grantor apply` does.
    pub async fn apply(&self, declaration: &str) {
        let declaration = declare::parse(&Source::new("test.toml", declaration)).expect("the declaration is right");
        let lifetimes = grantor_core::policy::Lifetimes::default();
        let mint = grantor_jose::random::Mint::new(1);
        let tools = Tools { mint: &mint, lifetimes: &lifetimes, now: self.clock.read() };
        declare::apply::apply(&self.database, &declaration, tools, false).await.expect("the declaration is applied");
    }

    /// The security events, the newest first.
    pub async fn events(&self) -> Vec<Event> {
        self.database.events(&EventFilter { limit: 100, ..EventFilter::default() }).await.unwrap()
    }

    /// The reasons of the security events, the newest first.
    pub async fn reasons(&self) -> Vec<String> {
        self.events().await.into_iter().filter_map(|event| event.reason).collect()
    }

    /// The folder with the database.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            if !std::thread::panicking() {
                ended.expect("the server ends as it should");
            }
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A database with keys and seeds, made once and copied for each server: keys and passwords take their time.
static TEMPLATE: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = new_folder();
    let config = config(&folder, 1);
    let making = std::thread::spawn(move || {
        runtime().block_on(async move {
            let running = Running::start(config, false, Clock::new(system_time)).await.unwrap();
            let app = Arc::clone(&running.app);
            let declaration = declare::parse(&Source::new("seeds.toml", seeds::DECLARATION)).expect("the seeds are right");
            let lifetimes = &app.provider.policy.lifetimes;
            let tools = Tools { mint: &app.provider.mint, lifetimes, now: system_time() };
            declare::apply::apply(&app.provider.store, &declaration, tools, false).await.unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            running.run(listener, None, async {}).await.unwrap();
        });
    });
    making.join().expect("the template is made");
    folder
});

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn config(folder: &Path, port: u16) -> Config {
    let mut config = Config {
        issuer: format!("http://127.0.0.1:{port}"),
        database_url: Hidden::new(format!("sqlite:{}", folder.join("grantor.db").display())),
        key_encryption_key: Some(Hidden::new(KEY_ENCRYPTION_KEY)),
        ..Config::default()
    };
    config.limits.workers = 1;
    config.limits.password_workers = 1;
    config
}

fn new_folder() -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = format!("grantor-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
    let folder = std::env::temp_dir().join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}
