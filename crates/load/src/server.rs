//! A server of its own: started on a free port with a fresh database, declared, and ended.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};

use crate::Failure;
use crate::http::Connection;
use crate::process;

const DECLARATION: &str = include_str!("declaration.toml");
/// One address asks for everything here, as fast as it can.
const WITHOUT_LIMITS: &str = r#"[limits]
authorization = { per_address = "off", per_account = "off" }
documents = { per_address = "off" }
forward_auth = { per_address = "off", per_account = "off" }
introspection = { per_address = "off", per_client = "off" }
pages = { per_address = "off", per_account = "off" }
revocation = { per_address = "off", per_client = "off" }
token = { per_address = "off", per_client = "off", per_account = "off" }
userinfo = { per_address = "off", per_account = "off" }
"#;
/// How many people there are; each connection is one of them, and the next ones are the first again.
const PEOPLE: usize = 64;
pub(crate) const PASSWORD: &str = "a password for the load program";
const READY_WITHIN: Duration = Duration::from_mins(1);

/// A running server.
pub(crate) struct Server {
    /// Host and port.
    pub(crate) address: String,
    /// Its process.
    pub(crate) pid: u32,
    /// From start to the first answer, with an existing database.
    pub(crate) ready_ms: u128,
    child: Child,
    folder: PathBuf,
}

impl Server {
    pub(crate) async fn start(program: &Path, database_url: Option<&str>) -> Result<Self, Failure> {
        let program = fs::canonicalize(program).map_err(|error| format!("{}: {error}", program.display()))?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let address = format!("127.0.0.1:{port}");
        let folder = std::env::temp_dir().join(format!("grantor-load-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let own = format!("sqlite:{}", folder.join("grantor.db").display());
        write(&folder, &address, database_url.unwrap_or(&own))?;
        // The first start makes the keys; what is measured is the second.
        run(&program, &folder, &["apply", "declaration.toml"]).await?;
        let first = spawn(&program, &folder)?;
        answered(&address).await?;
        end(first).await?;
        let begun = Instant::now();
        let child = spawn(&program, &folder)?;
        answered(&address).await?;
        let ready_ms = begun.elapsed().as_millis();
        let pid = child.id().ok_or("the server has ended")?;
        Ok(Self { address, pid, ready_ms, child, folder })
    }

    pub(crate) fn rss_mib(&self) -> Result<f64, Failure> {
        process::memory_mib(self.pid, "VmRSS")
    }

    /// The size of the database with its log.
    pub(crate) fn database_kib(&self) -> Result<u64, Failure> {
        let files = fs::read_dir(&self.folder)?.filter_map(|file| Some(file.ok()?.path()));
        let of_database = files.filter(|path| path.to_string_lossy().contains("grantor.db"));
        Ok(of_database.filter_map(|path| Some(fs::metadata(path).ok()?.len())).sum::<u64>() / 1024)
    }

    pub(crate) async fn stop(self) -> Result<(), Failure> {
        end(self.child).await?;
        fs::remove_dir_all(&self.folder)?;
        Ok(())
    }
}

/// Whom a connection signs in.
pub(crate) fn username(connection: usize) -> String {
    format!("load-{}", connection % PEOPLE)
}

fn write(folder: &Path, address: &str, database_url: &str) -> Result<(), Failure> {
    let person = |number| {
        let username = username(number);
        format!(
            "[[users]]\nusername = \"{username}\"\npassword = \"{PASSWORD}\"\nname = \"Load\"\nemail = \"{username}@example.com\"\n"
        )
    };
    let people: String = (0..PEOPLE).map(person).collect();
    fs::write(folder.join("declaration.toml"), people + DECLARATION)?;
    let settings = format!(
        "issuer = \"http://{address}\"\nlisten = \"{address}\"\ndatabase_url = \"{database_url}\"\n\
         key_encryption_key = \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\"\ntrusted_proxies = [\"127.0.0.1/32\"]\n[log]\nlevel = \"warn\"\n\
         [sign_in]\naccount_failures = 1000000\naddress_failures = 1000000\n{WITHOUT_LIMITS}"
    );
    Ok(fs::write(folder.join("grantor.toml"), settings)?)
}

async fn run(program: &Path, folder: &Path, arguments: &[&str]) -> Result<(), Failure> {
    let output = Command::new(program).args(arguments).current_dir(folder).output().await?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr)).into())
}

fn spawn(program: &Path, folder: &Path) -> Result<Child, Failure> {
    Ok(Command::new(program).arg("serve").current_dir(folder).kill_on_drop(true).spawn()?)
}

async fn answered(address: &str) -> Result<(), Failure> {
    let begun = Instant::now();
    while begun.elapsed() < READY_WITHIN {
        if let Ok(mut connection) = Connection::open(address).await
            && connection.send("GET", "/readyz", "", "").await.is_ok_and(|answer| answer.status == 200)
        {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Err("the server does not become ready".into())
}

async fn end(mut child: Child) -> Result<(), Failure> {
    let pid = child.id().ok_or("the server has ended")?;
    Command::new("kill").args(["-TERM", &pid.to_string()]).status().await?;
    child.wait().await?;
    Ok(())
}
