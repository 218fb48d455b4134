//! A true server on a free port, with a database and a clock of its own.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use grantor_core::audit::{Event, catalogue};
use grantor_core::time::Time;
use grantor_server::clock::system_time;
use grantor_server::config::{Config, Hidden};
use grantor_server::declare::{self, apply::Tools};
use grantor_server::dev;
use grantor_server::key_schedule;
use grantor_server::place::Source;
use grantor_server::running::Running;
use grantor_server::settings::{self, Role};
use grantor_storage::{Database, EventFilter};
use grantor_web::{App, Clock};
use tokio::sync::oneshot;

use super::folder::Folder;
use super::{postgres, seeds};

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

    /// Moves the time on to that of commands, which have no other clock than the system's.
    pub fn catch_up(&self) {
        self.0.fetch_max(system_time().millis(), Ordering::SeqCst);
    }

    /// Sets the time back.
    pub fn step_back(&self, by: Duration) {
        self.0.fetch_sub(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
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
    /// Where it listens: the issuer's address, but for another node of the same issuer.
    pub address: String,
    /// Its time.
    pub clock: TestClock,
    /// What it keeps.
    pub database: Database,
    /// The provider as it answers.
    pub app: Arc<App>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    config: Config,
    place: Arc<Place>,
}

/// A server that was stopped, with what it left behind.
pub struct Stopped {
    /// Its settings, as it is started again with.
    pub config: Config,
    clock: TestClock,
    place: Arc<Place>,
}

impl Stopped {
    /// Starts it again at the same address and time.
    pub async fn start(self) -> Server {
        let Self { config, clock, place } = self;
        let address = config.issuer.strip_prefix("http://").unwrap().to_owned();
        Server::launch(config, (place, clock), TcpListener::bind(address).unwrap(), None).await
    }
}

/// The kinds of databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    Sqlite,
    /// A database of the PostgreSQL server for tests.
    Postgres,
}

impl Kind {
    /// The one that stories run on.
    fn chosen() -> Self {
        if postgres::is_chosen() { Self::Postgres } else { Self::Sqlite }
    }

    /// Whether it can be had here; where it cannot, that has been said.
    pub fn is_there(self) -> bool {
        self == Self::Sqlite || postgres::server().is_some()
    }
}

/// Where a server's database is: a folder, and a database of PostgreSQL's where that is chosen.
pub struct Place {
    folder: Folder,
    /// The database of PostgreSQL's.
    pub postgres: Option<postgres::Scratch>,
}

impl Place {
    /// An empty one.
    pub fn new() -> Self {
        Self::like(Kind::chosen(), None)
    }

    /// One of a certain kind, with the people, apps and APIs of [`seeds`].
    pub fn seeded(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => Self::like(kind, Some(&ON_SQLITE)),
            Kind::Postgres => Self::like(kind, Some(&ON_POSTGRES)),
        }
    }

    fn like(kind: Kind, template: Option<&Self>) -> Self {
        let folder = Folder::new();
        let of = |server| postgres::Scratch::new(server, template.and_then(|template| template.postgres.as_ref()));
        let chosen = (kind == Kind::Postgres).then(|| postgres::server().expect("TEST_POSTGRES names a server"));
        if let (Some(template), None) = (template, chosen) {
            fs::copy(template.folder.join("grantor.db"), folder.join("grantor.db")).unwrap();
        }
        Self { folder, postgres: chosen.map(of) }
    }

    /// The folder of its own.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The settings of a server there.
    pub fn config(&self, port: u16) -> Config {
        let sqlite = || format!("sqlite:{}", self.folder.join("grantor.db").display());
        let mut config = Config {
            issuer: format!("http://127.0.0.1:{port}"),
            database_url: Hidden::new(self.postgres.as_ref().map_or_else(sqlite, |scratch| scratch.url.clone())),
            key_encryption_key: Some(Hidden::new(KEY_ENCRYPTION_KEY)),
            ..Config::default()
        };
        config.limits.workers = 1;
        config.limits.password_workers = 1;
        config
    }

    /// All that the database keeps, as whoever steals it finds it.
    pub fn dump(&self) -> Vec<u8> {
        if let Some(scratch) = &self.postgres {
            return scratch.dump();
        }
        let files = fs::read_dir(&*self.folder).unwrap().map(|file| file.unwrap().path());
        files.flat_map(|file| fs::read(file).unwrap()).collect()
    }
}

impl Server {
    /// Starts one with the people, apps and APIs of [`seeds`].
    pub async fn start() -> Self {
        Self::start_with(|_| ()).await
    }

    /// Starts one with other settings.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_in(Place::seeded(Kind::chosen()), change).await
    }

    /// Starts one in a place, with other settings.
    pub async fn start_in(place: Place, change: impl FnOnce(&mut Config)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut config = place.config(listener.local_addr().unwrap().port());
        change(&mut config);
        Self::launch(config, (Arc::new(place), TestClock::now()), listener, None).await
    }

    /// Starts one as `grantor serve --dev` does, with the demo app beside it; returns the demo's address, too.
    pub async fn start_dev() -> (Self, String) {
        let place = Place::like(Kind::chosen(), Some(&EMPTY));
        let (listener, demo) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
        let port = listener.local_addr().unwrap().port();
        let mut config = place.config(port);
        config.issuer = format!("http://localhost:{port}");
        config.demo_listen = demo.local_addr().unwrap();
        let address = dev::demo_origin(&config);
        (Self::launch(config, (Arc::new(place), TestClock::now()), listener, Some(demo)).await, address)
    }

    async fn launch(
        config: Config,
        (place, clock): (Arc<Place>, TestClock),
        listener: TcpListener,
        demo: Option<TcpListener>,
    ) -> Self {
        let kept = config.clone();
        let url = config.issuer.clone();
        let scheme = if config.speaks_tls() { "https" } else { "http" };
        let listens = format!("{scheme}://{}", listener.local_addr().unwrap());
        // The demo's server has a name, and is only itself by that name.
        let address = if demo.is_some() { url.clone() } else { listens };
        let (stop, stopped) = oneshot::channel::<()>();
        let (started, app) = oneshot::channel();
        let time = clock.clock();
        let thread = std::thread::spawn(move || {
            runtime().block_on(async move {
                let running = Running::start(config, demo.is_some(), time).await.unwrap();
                assert!(started.send(Arc::clone(&running.app)).is_ok());
                let asked_to_stop = async { drop(stopped.await) };
                running.run(listener, demo, asked_to_stop).await.unwrap();
            });
        });
        let app = app.await.expect("the server starts");
        let database = app.provider.store.clone();
        Self { url, address, clock, database, app, stop: Some(stop), thread: Some(thread), config: kept, place }
    }

    /// Its settings, for commands beside it.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Stops it.
    pub fn stop(self) -> Stopped {
        Stopped { config: self.config.clone(), clock: self.clock.clone(), place: Arc::clone(&self.place) }
    }

    /// The address of a path.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// Applies a declaration, as `grantor apply` does.
    pub async fn apply(&self, declaration: &str) {
        self.try_apply(declaration).await.expect("the declaration is applied");
    }

    /// The same of one that may be wrong; why, where it is.
    pub async fn try_apply(&self, declaration: &str) -> Result<(), String> {
        let source = Source::new("test.toml", declaration);
        let declaration = declare::parse(&source).map_err(|faults| faults.to_string())?;
        let lifetimes = grantor_core::policy::Lifetimes::default();
        let mint = grantor_jose::random::Mint::new(1);
        let tokens = &self.config.tokens;
        let tools = Tools { mint: &mint, lifetimes: &lifetimes, tokens, now: self.clock.read() };
        let applied = declare::apply::apply(&self.database, &declaration, tools, false).await;
        applied.map(drop).map_err(|error| error.to_string())
    }

    /// The security events, the newest first.
    pub async fn events(&self) -> Vec<Event> {
        let events = self.database.events(&EventFilter { limit: 100, ..EventFilter::default() }).await.unwrap();
        for event in &events {
            assert_eq!(catalogue::misfit(event), None, "as the catalogue has it: {event:?}");
        }
        events
    }

    /// The reasons of the security events, the newest first.
    pub async fn reasons(&self) -> Vec<String> {
        self.events().await.into_iter().filter_map(|event| event.reason).collect()
    }

    /// The newest reason of the security events; empty where there is none.
    pub async fn reason(&self) -> String {
        self.reasons().await.into_iter().next().unwrap_or_default()
    }

    /// How many rows each table has that grows with use, the ring of refusals aside.
    pub fn rows(&self) -> Vec<(&'static str, i64)> {
        let mut rows = self.database.data_counts().unwrap();
        rows.retain(|(table, _)| *table != "refusals");
        rows
    }

    /// Where its database is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Another node on the same database.
    pub async fn another_node(&self) -> Self {
        self.another_node_with(|_| ()).await
    }

    /// Another node on the same database, with other settings.
    pub async fn another_node_with(&self, change: impl FnOnce(&mut Config)) -> Self {
        let database = self.place.config(0).database_url;
        let change = |config: &mut Config| {
            config.database_url = database;
            change(config);
        };
        Self::start_in(Place::seeded(Kind::Sqlite), change).await
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
    }
}

/// Lets any number of requests be answered: for what sends very many while the time stands still.
pub fn unlimited(config: &mut Config) {
    let limits = &mut config.limits;
    limits.documents.per_address = None;
    limits.registration.per_address = None;
    for rate in [&mut limits.authorization, &mut limits.pages, &mut limits.userinfo] {
        (rate.per_address, rate.per_account) = (None, None);
    }
    for rate in [&mut limits.introspection, &mut limits.revocation] {
        (rate.per_address, rate.per_client) = (None, None);
    }
    let token = &mut limits.token;
    (token.per_address, token.per_client, token.per_account) = (None, None, None);
}

/// A database with keys and seeds, made once and copied for each server: keys and passwords take their time.
static ON_SQLITE: LazyLock<Place> = LazyLock::new(|| template(Kind::Sqlite, Some(seeds::DECLARATION)));

/// The same on PostgreSQL.
static ON_POSTGRES: LazyLock<Place> = LazyLock::new(|| template(Kind::Postgres, Some(seeds::DECLARATION)));

/// A database with keys alone.
static EMPTY: LazyLock<Place> = LazyLock::new(|| template(Kind::chosen(), None));

fn template(kind: Kind, seeds: Option<&'static str>) -> Place {
    // Persons and apps ask by a client that takes the process's TLS, although no server here speaks it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let place = Place::like(kind, None);
    let config = place.config(1);
    let making = std::thread::spawn(move || {
        runtime().block_on(async move {
            let opened = settings::open(config, Role::Server).unwrap();
            let (lifetimes, now) = (&opened.config.lifetimes, system_time());
            // Every key, also the one that a server makes in the background: so that no test waits for it, nor any server.
            key_schedule::keep(&opened.database, &opened.mint, lifetimes, now, &[]).await.unwrap();
            if let Some(seeds) = seeds {
                let declaration = declare::parse(&Source::new("seeds.toml", seeds)).expect("the seeds are right");
                declare::apply::apply(&opened.database, &declaration, opened.tools(now), false).await.unwrap();
            }
            opened.close().await;
        });
    });
    making.join().expect("the template is made");
    place
}

/// What servers and commands run on.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}
