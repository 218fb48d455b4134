//! Records to keep.

use std::collections::BTreeMap;
use std::time::Duration;

use grantor_core::audit::{Event, EventKind};
use grantor_core::change::Change;
use grantor_core::client::{Client, ClientMetadata, ClientSecret, Trust};
use grantor_core::grant::{AccessToken, AuthorizationCode, Grant, OidcContext, RefreshToken};
use grantor_core::pkce::CodeChallenge;
use grantor_core::scope::Scope;
use grantor_core::session::Session;
use grantor_core::store::{GrantFacts, Store};
use grantor_core::time::Time;
use grantor_core::user::User;
use grantor_jose::id::Id;
use grantor_jose::random::Mint;
use grantor_jose::secret::{Secret, SecretHash};
use grantor_storage::Database;
use serde_json::json;

pub const NOW: Time = Time::from_seconds(1_800_000_000);
pub const HOUR: Duration = Duration::from_hours(1);
pub const DAY: Duration = Duration::from_hours(24);

/// The identifier of a row made at a moment; `place` tells those of one moment apart.
pub fn id_at(moment: Time, place: i64) -> Id {
    Id::from_i64(Mint::new(0).id(moment.millis()).as_i64() + place)
}

pub fn hash(byte: u8) -> SecretHash {
    Secret::from_bytes([byte; 32]).hash()
}

pub fn scope(text: &str) -> Scope {
    text.parse().unwrap()
}

pub fn user(id: i64) -> User {
    User {
        id: Id::from_i64(id),
        subject: format!("subject-{id}"),
        username: format!("user{id}"),
        password: Some("$argon2id$not-a-real-one".into()),
        claims: [("name".to_owned(), json!("Ada Lövelace")), ("address".to_owned(), json!({"country": "UK"}))]
            .into_iter()
            .collect(),
        groups: vec!["staff".into(), "a \"quoted\" one".into()],
        networks: grantor_core::network::Networks::parse("10.0.0.0/8 2001:db8::/32").unwrap(),
        disabled: false,
        self_made: false,
        created_at: NOW,
        updated_at: NOW.plus(HOUR),
    }
}

pub fn client(client_id: &str) -> Client {
    let secret = |byte, expires_at| ClientSecret { hash: hash(byte), text: None, created_at: NOW, expires_at };
    Client {
        client_id: client_id.into(),
        metadata: ClientMetadata {
            client_name: "Wiki".into(),
            redirect_uris: vec!["https://wiki.example/cb".into()],
            scope: scope("openid email"),
            default_max_age: Some(60),
            ..ClientMetadata::default()
        },
        secrets: vec![secret(1, None), secret(2, Some(NOW.plus(DAY)))],
        trust: Trust::SelfRegistered,
        disabled: true,
        created_at: NOW,
        updated_at: NOW.plus(HOUR),
    }
}

pub fn session(id: Id, user_id: i64) -> Session {
    let began = Time::from_millis(id.created_ms());
    Session {
        id,
        secret: hash(3),
        user_id: Id::from_i64(user_id),
        auth_time: began,
        last_seen_at: began,
        acr: "urn:example:acr".into(),
        amr: vec!["pwd".into(), "otp".into()],
        address: "2001:db8::1".into(),
        user_agent: "Firefox ☃".into(),
        ended_at: None,
    }
}

pub fn context() -> OidcContext {
    OidcContext {
        nonce: Some("n-0S6_WzA2Mj".into()),
        auth_time: NOW,
        acr: "urn:example:acr".into(),
        amr: vec!["pwd".into()],
        sid: Some(Id::from_i64(9)),
        resources: vec!["https://api.example".into()],
        max_age_asked: true,
        ..OidcContext::default()
    }
}

pub fn code(id: Id) -> AuthorizationCode {
    AuthorizationCode {
        id,
        secret: hash(4),
        client_id: "wiki".into(),
        user_id: Id::from_i64(7),
        session_id: Id::from_i64(9),
        redirect_uri: "https://wiki.example/cb".into(),
        redirect_uri_sent: true,
        code_challenge: Some(CodeChallenge::from_stored("a challenge".into())),
        scope: scope("openid email"),
        context: context(),
        expires_at: Time::from_millis(id.created_ms()).plus(Duration::from_mins(1)),
        spent_at: None,
    }
}

pub fn grant(id: Id) -> Grant {
    Grant {
        id,
        client_id: "wiki".into(),
        user_id: Id::from_i64(7),
        session_id: Id::from_i64(9),
        scope: scope("openid email"),
        context: context(),
        created_at: Time::from_millis(id.created_ms()),
        ended: None,
    }
}

pub fn offline(grant: Grant) -> Grant {
    Grant { scope: scope("openid offline_access"), ..grant }
}

pub fn refresh_token(grant_id: Id) -> RefreshToken {
    let began = Time::from_millis(grant_id.created_ms());
    RefreshToken {
        grant_id,
        generation: 0,
        secret: hash(5),
        rotated_at: began,
        idle_expires_at: began.plus(30 * DAY),
        absolute_expires_at: began.plus(90 * DAY),
    }
}

pub fn access_token(id: Id, grant_id: Option<Id>) -> AccessToken {
    let issued_at = Time::from_millis(id.created_ms());
    AccessToken {
        id,
        secret: hash(6),
        grant_id,
        client_id: "wiki".into(),
        scope: scope("email"),
        audience: vec!["https://api.example".into(), "https://other.example".into()],
        issued_at,
        expires_at: issued_at.plus(Duration::from_mins(10)),
    }
}

pub fn event(id: Id, kind: EventKind) -> Event {
    Event::new(id, Time::from_millis(id.created_ms()), kind)
}

pub fn session_insert(session: Session) -> Change {
    Change::SessionInsert(Box::new(session))
}

pub fn grant_insert(grant: Grant) -> Change {
    Change::GrantInsert(Box::new(grant))
}

/// Commits changes that nothing stands in the way of.
pub async fn keep(database: &Database, changes: impl IntoIterator<Item = Change>) {
    database.commit(changes.into_iter().collect()).await.unwrap();
}

/// A database with the client `wiki` and the person 7.
pub async fn with_wiki_and_user(database: &Database) {
    keep(database, [Change::ClientPut(Box::new(client("wiki"))), Change::UserPut(Box::new(user(7)))]).await;
}

/// A grant as it is kept, with its person.
pub async fn grant_find(database: &Database, id: Id) -> Option<GrantFacts> {
    database.access_token_facts(id, Some(id)).await.unwrap().approval
}

/// Whether a note says that an access token was revoked.
pub async fn is_revoked(database: &Database, id: Id) -> bool {
    database.access_token_facts(id, None).await.unwrap().revoked
}

/// How many rows each table has that has any.
pub fn counts(database: &Database) -> BTreeMap<&'static str, i64> {
    database.data_counts().unwrap().into_iter().filter(|(_, rows)| *rows > 0).collect()
}

/// Whether two records are the same, as far as they show themselves.
pub fn assert_same<T: std::fmt::Debug>(left: &T, right: &T) {
    assert_eq!(format!("{left:?}"), format!("{right:?}"));
}
