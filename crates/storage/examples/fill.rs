//! Fills a database, to see what a server costs when it has grown:
//!
//!     cargo run --release -p grantor-storage --example fill -- sqlite:full.db --users 1000000 --tokens 10
//!
//! Each person gets a session, a consent, a grant with its refresh token, and opaque access tokens. The key-encryption key is
//! that of the load program, which can be started on the database then: `grantor-load --database-url sqlite:full.db`.

#![expect(clippy::disallowed_methods, reason = "a program for measurements reads the clock and the command line")]

use std::error::Error;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use grantor_core::change::Change;
use grantor_core::client::{Client, ClientMetadata, Trust};
use grantor_core::consent::Consent;
use grantor_core::grant::{AccessToken, Grant, OidcContext, RefreshToken};
use grantor_core::level::Level;
use grantor_core::scope::Scope;
use grantor_core::session::Session;
use grantor_core::store::Store;
use grantor_core::time::Time;
use grantor_core::user::User;
use grantor_jose::id::Id;
use grantor_jose::random::Mint;
use grantor_storage::{Database, DatabaseSettings, Meters};
use serde_json::json;

type Failure = Box<dyn Error + Send + Sync>;

const KEY_ENCRYPTION_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const CLIENT: &str = "filler";
/// People in one commit.
const BATCH: u64 = 50;
const YEAR: Duration = Duration::from_hours(365 * 24);

struct Wanted {
    url: String,
    users: u64,
    tokens: u64,
}

fn wanted() -> Result<Wanted, Failure> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or("usage: fill URL [--users N] [--tokens N]: access tokens for each person")?;
    let mut wanted = Wanted { url, users: 1_000_000, tokens: 9 };
    while let (Some(name), Some(value)) = (arguments.next(), arguments.next()) {
        match name.as_str() {
            "--users" => wanted.users = value.parse()?,
            "--tokens" => wanted.tokens = value.parse()?,
            _ => return Err(format!("{name} is not known").into()),
        }
    }
    Ok(wanted)
}

fn main() -> Result<(), Failure> {
    let wanted = wanted()?;
    let mint = Arc::new(Mint::new(90));
    let settings = DatabaseSettings {
        url: wanted.url.clone(),
        certificates: None,
        meters: Meters::default(),
        key_encryption_key: KEY_ENCRYPTION_KEY.parse()?,
    };
    let now = Time::from_millis(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?);
    let database = Database::open(&settings, Arc::clone(&mint), now)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        database.commit(vec![Change::ClientPut(Box::new(client(now)?))]).await?;
        for first in (0..wanted.users).step_by(usize::try_from(BATCH)?) {
            let mut changes = Vec::new();
            for number in first..wanted.users.min(first + BATCH) {
                person(&mut changes, number, wanted.tokens, (&mint, now))?;
            }
            database.commit(changes).await?;
            if first % 10_000 == 0 {
                write!(std::io::stdout(), "\r{first} of {} people", wanted.users)?;
                std::io::stdout().flush()?;
            }
        }
        database.shut_down().await;
        writeln!(std::io::stdout(), "\r{0} of {0} people", wanted.users)?;
        Ok(())
    })
}

fn client(now: Time) -> Result<Client, Failure> {
    let metadata: ClientMetadata = serde_json::from_value(json!({
        "client_name": "Filler",
        "redirect_uris": ["https://filler.example/cb"],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": "openid profile email offline_access",
    }))?;
    Ok(Client {
        client_id: CLIENT.to_owned(),
        metadata,
        secrets: Vec::new(),
        trust: Trust::Administrator,
        disabled: false,
        created_at: now,
        updated_at: now,
    })
}

fn user(id: Id, number: u64, now: Time) -> User {
    User {
        id,
        subject: format!("filled-{number}"),
        username: format!("filled-{number}"),
        password: None,
        claims: [("name", format!("Person {number}")), ("email", format!("person{number}@example.com"))]
            .map(|(name, value)| (name.to_owned(), value.into()))
            .into_iter()
            .collect(),
        groups: vec!["staff".to_owned()],
        networks: grantor_core::network::Networks::ANYWHERE,
        disabled: false,
        self_made: false,
        created_at: now,
        updated_at: now,
    }
}

fn session(id: Id, user_id: Id, (mint, now): (&Mint, Time)) -> Session {
    Session {
        id,
        secret: mint.secret().hash(),
        user_id,
        auth_time: now,
        last_seen_at: now,
        acr: Level::Password.acr().to_owned(),
        amr: vec!["pwd".to_owned()],
        address: "192.0.2.7".to_owned(),
        user_agent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)".to_owned(),
        ended_at: None,
    }
}

/// A person with what hangs on them.
fn person(changes: &mut Vec<Change>, number: u64, tokens: u64, (mint, now): (&Mint, Time)) -> Result<(), Failure> {
    let [user_id, session_id, grant_id] = std::array::from_fn(|_| mint.id(now.millis()));
    let scope: Scope = "openid profile email offline_access".parse()?;
    let user = user(user_id, number, now);
    let session = session(session_id, user_id, (mint, now));
    let consent = Consent {
        user_id,
        client_id: CLIENT.to_owned(),
        granted: scope.clone(),
        declined: Scope::EMPTY,
        created_at: now,
        updated_at: now,
    };
    let grant = Grant {
        id: grant_id,
        client_id: CLIENT.to_owned(),
        user_id,
        session_id,
        scope: scope.clone(),
        context: OidcContext { auth_time: now, acr: Level::Password.acr().to_owned(), ..OidcContext::default() },
        created_at: now,
        ended: None,
    };
    let refresh_token = RefreshToken {
        grant_id,
        generation: 0,
        secret: mint.secret().hash(),
        rotated_at: now,
        idle_expires_at: now.plus(YEAR),
        absolute_expires_at: now.plus(YEAR),
    };
    changes.extend([
        Change::UserPut(Box::new(user)),
        Change::SessionInsert(Box::new(session)),
        Change::ConsentPut { consent: Box::new(consent), expected: None },
        Change::GrantInsert(Box::new(grant)),
        Change::RefreshTokenInsert(Box::new(refresh_token)),
    ]);
    changes.extend((0..tokens).map(|_| {
        Change::AccessTokenInsert(Box::new(AccessToken {
            id: mint.id(now.millis()),
            secret: mint.secret().hash(),
            grant_id: Some(grant_id),
            client_id: CLIENT.to_owned(),
            scope: scope.clone(),
            audience: vec!["https://api.load.example".to_owned()],
            issued_at: now,
            expires_at: now.plus(YEAR),
        }))
    }));
    Ok(())
}
