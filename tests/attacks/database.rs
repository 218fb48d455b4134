//! A stolen database: nothing in it opens anything.

use grantor_core::store::Store;

use super::spoils::{Spoils, Surroundings};
use crate::harness::app::App;
use crate::harness::server::Server;

fn dump(server: &Server) -> Vec<u8> {
    let dump = server.place().dump();
    assert!(dump.len() > 10_000, "{}", dump.len());
    dump
}

fn has(dump: &[u8], wanted: &[u8]) -> bool {
    assert!(wanted.len() >= 8, "{wanted:?} is too short to be looked for");
    dump.windows(wanted.len()).any(|window| window == wanted)
}

#[tokio::test]
async fn no_secret_of_any_flow_is_in_the_database() {
    let server = Server::start().await;
    let spoils = Spoils::of(&server).await;
    let dump = dump(&server);
    assert!(has(&dump, b"alice@example.com"), "it is the right database");
    for (what, secret) in spoils.0 {
        assert!(!has(&dump, secret.as_bytes()), "{what}: {secret}");
    }
}

#[tokio::test]
async fn no_secret_of_kept_tokens_and_upstreams_is_in_the_database() {
    let around = Surroundings::start();
    let server = Server::start_with(|config| around.configure(config)).await;
    let spoils = Spoils::of_kept_tokens(&server, &around).await;
    let dump = dump(&server);
    assert!(has(&dump, b"Backup script") && has(&dump, b"ada-there"), "it is the right database");
    for (what, secret) in spoils.0 {
        assert!(!has(&dump, secret.as_bytes()), "{what}: {secret}");
    }
}

#[tokio::test]
async fn no_private_key_is_in_the_database() {
    let server = Server::start().await;
    App::new(&server, "wiki").tokens("openid").await;
    let dump = dump(&server);
    let directory = server.database.directory();
    assert!(!directory.keys.keys.is_empty());
    for record in &directory.keys.keys {
        let private = record.key.to_pkcs8();
        // The document's end is the private part, or a part of it, whatever the kind of key; its middle, too.
        let (middle, end) = (&private[private.len() / 3..][..16], &private[private.len() - 16..]);
        let public = has(&dump, end) && is_public(record, end);
        assert!(!has(&dump, &private) && !has(&dump, middle), "{:?}", record.key);
        assert!(!has(&dump, end) || public, "{:?}", record.key);
    }
}

/// Whether these bytes are of the public key, which may stand anywhere.
fn is_public(record: &grantor_core::key::KeyRecord, bytes: &[u8]) -> bool {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let jwk = serde_json::to_value(record.key.jwk()).unwrap();
    let members = ["x", "y", "n"].iter().filter_map(|member| URL_SAFE_NO_PAD.decode(jwk[*member].as_str()?).ok());
    members.into_iter().any(|member| member.windows(bytes.len()).any(|window| window == bytes))
}

#[tokio::test]
async fn a_password_is_kept_as_a_slow_hash_with_a_salt_of_its_own() {
    let server = Server::start().await;
    server.apply("[[users]]\nusername = \"twin\"\npassword = \"correct horse battery staple\"\n").await;
    let hash = async |username: &str| {
        server.database.user_find_by_username(username).await.unwrap().unwrap().password.unwrap()
    };
    let (alice, twin) = (hash("alice").await, hash("twin").await);
    assert!(alice.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{alice}");
    assert_ne!(alice, twin);
}

#[tokio::test]
async fn the_key_that_seals_is_not_in_the_database() {
    let server = Server::start().await;
    let dump = dump(&server);
    assert!(!has(&dump, b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"));
    assert!(!has(&dump, &(0..32).collect::<Vec<u8>>()));
}
