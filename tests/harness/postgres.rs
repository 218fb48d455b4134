//! PostgreSQL databases for tests, in the server that `tests/run` starts and names in `TEST_POSTGRES`.

use std::io::Write;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio_postgres::{NoTls, SimpleQueryMessage};
use url::Url;

/// The address of the server; `None` where there is none, after saying so once. With `CI` set, that is a failure.
pub fn server() -> Option<&'static Url> {
    static SERVER: LazyLock<Option<Url>> = LazyLock::new(|| {
        let server = std::env::var("TEST_POSTGRES").ok().and_then(|url| url.parse().ok());
        if server.is_none() {
            assert!(std::env::var_os("CI").is_none(), "TEST_POSTGRES is missing: tests/run starts a server");
            // Written past the test runner, which keeps back what a passing test prints.
            let _ = writeln!(std::io::stderr(), "SKIPPED, not tested: no PostgreSQL; tests/run starts one");
        }
        server
    });
    SERVER.as_ref()
}

/// Whether the stories run on PostgreSQL; on SQLite otherwise.
pub fn is_chosen() -> bool {
    std::env::var("TEST_DATABASE").is_ok_and(|kind| kind == "postgres")
}

/// A database of its own, gone with the value.
pub struct Scratch {
    /// Its name.
    name: String,
    /// Its address.
    pub url: String,
}

impl Scratch {
    /// An empty one, or a copy of another one that nobody is connected to.
    pub fn new(server: &Url, template: Option<&Self>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let template = template.map_or("template0", |template| template.name.as_str());
        run(server, &format!("CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8'"));
        let mut url = server.clone();
        url.set_path(&name);
        Self { name, url: url.into() }
    }

    /// Whether nobody is connected to it.
    pub fn is_alone(&self) -> bool {
        self.connections("pid").is_empty()
    }

    /// Ends all connections to it; how many they were.
    pub fn cut(&self) -> usize {
        self.connections("pg_terminate_backend(pid)").len()
    }

    /// Lets nobody connect any more, or everybody again.
    pub fn allow(&self, allowed: bool) {
        let server = server().expect("the server is there");
        run(server, &format!("ALTER DATABASE {} ALLOW_CONNECTIONS {allowed}", self.name));
    }

    /// Something of each connection to it.
    fn connections(&self, what: &str) -> Vec<String> {
        let server = server().expect("the server is there");
        run(server, &format!("SELECT {what} FROM pg_stat_activity WHERE datname = '{}'", self.name))
    }

    /// A connection of the test's own, open while the value lives.
    pub async fn client(&self) -> tokio_postgres::Client {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.expect("PostgreSQL answers");
        tokio::spawn(connection);
        client
    }

    /// Everything that it holds: as SQL, and the bytes that SQL writes as digits.
    pub fn dump(&self) -> Vec<u8> {
        let dump = std::process::Command::new("pg_dump").args(["--inserts", &self.url]).output().expect("pg_dump runs");
        assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
        let text = String::from_utf8_lossy(&dump.stdout);
        let bytes =
            text.split(r"'\x").skip(1).flat_map(|literal| decode(literal.split('\'').next().unwrap_or_default()));
        let bytes: Vec<u8> = bytes.collect();
        [dump.stdout, bytes].concat()
    }
}

/// Runs a program of PostgreSQL's.
pub fn program(name: &str, arguments: &[&str]) {
    let output = std::process::Command::new(name).args(arguments).output().expect("it runs");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(server) = server()
            && !std::thread::panicking()
        {
            run(server, &format!("DROP DATABASE {} WITH (FORCE)", self.name));
        }
    }
}

fn decode(hexadecimal: &str) -> Vec<u8> {
    let pairs = hexadecimal.as_bytes().chunks(2).filter_map(|pair| std::str::from_utf8(pair).ok());
    pairs.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect()
}

/// Runs one statement on a connection of its own, also inside a runtime; the first column of what it gives.
fn run(server: &Url, statement: &str) -> Vec<String> {
    let work = async {
        let (client, connection) = tokio_postgres::connect(server.as_str(), NoTls).await.expect("PostgreSQL answers");
        let driver = tokio::spawn(connection);
        let told = client.simple_query(statement).await.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
        drop(client);
        driver.await.unwrap().unwrap();
        let rows =
            told.iter().filter_map(|told| if let SimpleQueryMessage::Row(row) = told { row.get(0) } else { None });
        rows.map(str::to_owned).collect()
    };
    std::thread::scope(|scope| scope.spawn(|| super::server::runtime().block_on(work)).join())
        .expect("the statement runs")
}
