//! What apps that register themselves cost: how long a commit takes for one more, and how much memory each takes:
//!
//!     cargo run --release -p grantor-storage --example registration_cost -- sqlite:many.db 10000

#![expect(clippy::disallowed_methods, reason = "it measures, and reads the command line")]

use std::error::Error;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use grantor_core::change::Change;
use grantor_core::client::{Client, ClientMetadata, ClientSecret, Trust};
use grantor_core::store::Store;
use grantor_core::time::Time;
use grantor_jose::random::Mint;
use grantor_jose::secret::Secret;
use grantor_storage::{Database, DatabaseSettings, Meters};

type Failure = Box<dyn Error + Send + Sync>;

const KEY_ENCRYPTION_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const NOW: Time = Time::from_seconds(1_800_000_000);
/// Apps in one commit, while the database is filled.
const BATCH: u64 = 1000;
/// How many commits are measured.
const MEASURED: u64 = 100;

fn client(number: u64) -> Change {
    let uri = |path: &str| format!("https://app{number}.example/{path}");
    let metadata = ClientMetadata {
        client_name: format!("An app of the usual kind, number {number}"),
        client_uri: Some(uri("")),
        policy_uri: Some(uri("privacy")),
        contacts: vec![format!("ops@app{number}.example")],
        redirect_uris: vec![uri("callback"), uri("silent")],
        scope: ["openid", "profile", "email", "offline_access"].into_iter().collect(),
        ..ClientMetadata::default()
    };
    Change::ClientPut(Box::new(Client {
        client_id: format!("reg_{number:011}"),
        metadata,
        secrets: vec![ClientSecret {
            hash: Secret::from_bytes([7; 32]).hash(),
            text: None,
            created_at: NOW,
            expires_at: None,
        }],
        trust: Trust::SelfRegistered,
        disabled: false,
        created_at: NOW,
        updated_at: NOW,
    }))
}

/// What the process has in memory, in kibibytes.
fn resident() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(apps)) = (arguments.next(), arguments.next()) else {
        return Err("usage: registration_cost URL NUMBER".into());
    };
    let (apps, runtime) = (apps.parse::<u64>()?, tokio::runtime::Builder::new_current_thread().enable_all().build()?);
    let settings = DatabaseSettings {
        url,
        certificates: None,
        meters: Meters::default(),
        key_encryption_key: KEY_ENCRYPTION_KEY.parse()?,
    };
    let database = Database::open(&settings, Arc::new(Mint::new(90)), NOW)?;
    let before = resident()?;
    for first in (0..apps).step_by(1000) {
        let batch = (first..apps.min(first + BATCH)).map(client).collect();
        runtime.block_on(database.commit(batch))?;
    }
    let each = (resident()? - before) * 1024 / apps.max(1);
    let mut took: Vec<Duration> = Vec::new();
    for number in apps..apps + MEASURED {
        let begun = Instant::now();
        runtime.block_on(database.commit(vec![client(number)]))?;
        took.push(begun.elapsed());
    }
    took.sort_unstable();
    let median = took[took.len() / 2];
    writeln!(
        std::io::stdout(),
        "{apps} apps: {each} bytes each; one more takes {median:?}, at most {:?}",
        took[took.len() - 1]
    )?;
    Ok(())
}
