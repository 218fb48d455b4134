//! The life of signing keys as apps see it (OIDC Core §10.1.1): published before they sign, and for as long as what they signed.

use std::collections::HashSet;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_core::audit::EventKind;
use grantor_core::change::Change;
use grantor_core::policy::Lifetimes;
use grantor_core::store::Store;
use grantor_jose::algorithm::Algorithm;
use grantor_jose::jwk::JwkSet;
use grantor_jose::key::Typ;
use grantor_jose::verify::{Expected, TypRule, verify};
use grantor_server::key_schedule;
use grantor_server::keys::{self, OFFERED};
use serde_json::Value;

use crate::harness::app::{Answer, App, Tokens, header};
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::server::Server;

async fn document(server: &Server, path: &str) -> Page {
    Page::of(reqwest::get(server.at(path)).await.unwrap()).await
}

pub async fn jwks(server: &Server) -> Value {
    document(server, "/jwks").await.json()
}

async fn kids(server: &Server) -> Vec<String> {
    let jwks = jwks(server).await;
    let signing = jwks["keys"].as_array().unwrap().iter().filter(|key| key["use"] == "sig");
    signing.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

pub fn kid(jwt: &str) -> String {
    header(jwt)["kid"].as_str().unwrap().to_owned()
}

/// Puts a new key in the place of the one that signs, as `grantor key rotate` does.
pub async fn rotate(server: &Server, algorithm: Algorithm, at_once: bool) {
    let (directory, now) = (server.database.directory(), server.clock.read());
    let lifetimes = keys::longest(&Lifetimes::default(), &directory);
    let steps = keys::plan_succession(&directory.keys, algorithm, at_once, &lifetimes, now);
    key_schedule::carry_out(&server.database, &server.app.provider.mint, &lifetimes, now, &steps).await.unwrap();
}

/// Does what is due, as the background does each minute.
pub async fn keep_schedule(server: &Server) {
    let (mint, now) = (&server.app.provider.mint, server.clock.read());
    key_schedule::keep(&server.database, mint, &Lifetimes::default(), now, &[]).await.unwrap();
}

/// Removes a key at once, as `grantor key remove` does.
async fn remove(server: &Server, kid: &str) {
    let directory = server.database.directory();
    let record = directory.keys.keys.iter().find(|record| record.key.kid() == kid).unwrap();
    server.database.commit(vec![Change::KeyRemove(record.id)]).await.unwrap();
}

/// Whether one of the published keys has signed a token of this type.
pub async fn is_signed(server: &Server, jwt: &str, typ: Typ) -> bool {
    let keys: JwkSet = serde_json::from_value(jwks(server).await).unwrap();
    verify(jwt, &Expected { typ: TypRule::Is(typ), algorithms: Algorithm::ALL }, &keys).is_ok()
}

fn verifies(id_token: &str, jwks: &Value) -> bool {
    let keys: JwkSet = serde_json::from_value(jwks.clone()).unwrap();
    verify(id_token, &Expected { typ: TypRule::Is(Typ::Jwt), algorithms: Algorithm::ALL }, &keys).is_ok()
}

// "These OPs MUST publish their public keys as bare JWK keys (which MAY also be accompanied by X.509 representations of
// those keys)." (OIDC Core §15.2)
// "When both signing and encryption keys are made available, a "use" (public key use) parameter value is REQUIRED for all keys in
// the referenced JWK Set to indicate each key's intended usage. ... The JWK Set MUST NOT contain private or symmetric key values."
// (OIDC Discovery §3)
// "Although some algorithms allow the same key to be used for both signatures and encryption, doing so is NOT RECOMMENDED, as it is
// less secure." (OIDC Discovery §3)
// "When used, the bare key values MUST still be present and MUST match those in the certificate." (OIDC Discovery §3)
#[tokio::test]
async fn the_key_set_has_public_members_only_and_each_key_a_name_of_its_own() {
    let server = Server::start().await;
    let jwks = jwks(&server).await;
    let keys = jwks["keys"].as_array().unwrap();
    let uses = |name: &str| keys.iter().filter(|key| key["use"] == name).count();
    assert_eq!((uses("sig"), uses("enc"), keys.len()), (OFFERED.len(), 1, OFFERED.len() + 1));
    for key in keys {
        let allowed = ["alg", "crv", "e", "kid", "kty", "n", "use", "x", "y"];
        assert!(key.as_object().unwrap().keys().all(|member| allowed.contains(&member.as_str())), "{key}");
        if let Some(modulus) = key["n"].as_str() {
            assert!(URL_SAFE_NO_PAD.decode(modulus).unwrap().len() >= 256, "2048 bits at least");
        }
    }
    // "When "kid" values are used within a JWK Set, different keys within the JWK Set SHOULD use distinct "kid" values."
    // (RFC 7517 §4.5)
    let distinct: HashSet<&str> = keys.iter().filter_map(|key| key["kid"].as_str()).collect();
    assert_eq!(distinct.len(), keys.len());
}

// "The "jwks_uri" SHOULD include a "Cache-Control" header in the response that contains a "max-age" directive, as defined in
// RFC 7234 [RFC7234], which enables the encrypting party to safely cache the JWK Set and not have to re-retrieve the
// document for every encryption event. ... The cache duration SHOULD also be coordinated with the issuance of new signing
// keys, as described in Section 10.1.1." (OIDC Core §10.2.1)
#[tokio::test]
async fn the_key_set_may_be_kept_for_less_time_than_a_new_key_waits() {
    let server = Server::start().await;
    let page = document(&server, "/jwks").await;
    assert_eq!(page.header("cache-control"), Some("public, max-age=900"));
    assert!(Lifetimes::default().key_publication > Duration::from_mins(15));
}

// "The JWK Set document at the "jwks_uri" SHOULD retain recently decommissioned signing keys for a reasonable period of time to
// facilitate a smooth transition." (OIDC Core §10.1.1)
#[tokio::test]
async fn a_new_key_is_published_before_it_signs_and_the_old_one_stays_for_what_it_signed() {
    let server = Server::start().await;
    let portal = App::new(&server, "portal");
    let old = kid(portal.tokens("openid").await.id());
    rotate(&server, Algorithm::Rs256, false).await;
    assert_eq!(kids(&server).await.len(), OFFERED.len() + 1, "the new key is published");
    server.clock.advance(Duration::from_hours(1) - Duration::from_millis(1));
    let last = portal.tokens("openid").await;
    assert_eq!(kid(last.id()), old, "and does not sign yet");
    server.clock.advance(Duration::from_millis(1));
    let first = portal.tokens("openid").await;
    assert_ne!(kid(first.id()), old);
    server.clock.advance(Duration::from_mins(10));
    let published = jwks(&server).await;
    assert!(verifies(last.id(), &published) && verifies(first.id(), &published), "the last old token has just expired");
    server.clock.advance(Duration::from_secs(30));
    assert!(!kids(&server).await.contains(&old), "nothing that it signed lives any more");
}

#[tokio::test]
async fn an_app_that_keeps_the_key_set_for_an_hour_never_meets_an_unknown_key() {
    let server = Server::start().await;
    let (person, wiki) = (Person::new(&server), App::new(&server, "wiki"));
    let mut tokens = wiki.tokens_with(&person, "openid offline_access", &[]).await;
    let mut kept = jwks(&server).await;
    let mut seen = HashSet::new();
    for minute in 0..36 {
        if minute == 5 {
            rotate(&server, Algorithm::Es256, false).await;
        }
        if minute % 6 == 0 {
            kept = jwks(&server).await;
        }
        tokens = Tokens(wiki.refresh(tokens.refresh()).await.json());
        assert!(verifies(tokens.id(), &kept), "{minute}0 minutes");
        assert_eq!(wiki.userinfo(tokens.access()).await.status, 200);
        seen.insert(kid(tokens.id()));
        server.clock.advance(Duration::from_mins(10));
    }
    assert_eq!(seen.len(), 2);
}

#[tokio::test]
async fn all_nodes_of_one_database_publish_the_same_keys() {
    let server = Server::start().await;
    let second = server.another_node().await;
    rotate(&server, Algorithm::Rs256, false).await;
    // As each node does twice a second.
    second.database.refresh_directory().await.unwrap();
    assert_eq!(jwks(&server).await, jwks(&second).await);
    for node in [&server, &second] {
        node.clock.advance(Duration::from_hours(1));
    }
    let (one, other) =
        (App::new(&server, "portal").tokens("openid").await, App::new(&second, "portal").tokens("openid").await);
    assert_eq!(kid(one.id()), kid(other.id()));
    assert!(verifies(one.id(), &jwks(&second).await) && verifies(other.id(), &jwks(&server).await));
}

#[tokio::test]
async fn access_tokens_count_through_a_rotation_until_they_expire() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let old = wiki.tokens("openid").await;
    rotate(&server, Algorithm::Es256, true).await;
    let new = wiki.tokens("openid").await;
    assert_ne!(kid(old.access()), kid(new.access()));
    server.clock.advance(Duration::from_secs(599));
    for tokens in [&old, &new] {
        assert_eq!(wiki.userinfo(tokens.access()).await.status, 200);
    }
    server.clock.advance(Duration::from_secs(1));
    assert_eq!(wiki.userinfo(old.access()).await.status, 401);
}

#[tokio::test]
async fn in_an_emergency_the_new_key_signs_at_once() {
    let server = Server::start().await;
    let portal = App::new(&server, "portal");
    let before = portal.tokens("openid").await;
    rotate(&server, Algorithm::Rs256, true).await;
    let after = portal.tokens("openid").await;
    assert_ne!(kid(after.id()), kid(before.id()));
    let published = jwks(&server).await;
    assert!(verifies(before.id(), &published) && verifies(after.id(), &published));
    assert!(server.events().await.iter().any(|event| event.kind == EventKind::KeyChanged));
}

#[tokio::test]
async fn keys_follow_one_another_by_themselves() {
    let server = Server::start().await;
    let lifetimes = Lifetimes::default();
    let before = kids(&server).await;
    assert_eq!(lifetimes.key_rotation, Duration::from_hours(90 * 24));
    // The keys are as old as the seeds, which were made before, at whatever time that was.
    let keys = server.database.directory().keys.clone();
    let made_at = keys.keys.iter().map(|record| record.active_from).max().unwrap();
    server.clock.advance(made_at.plus(Duration::from_hours(90 * 24 - 2)).since(server.clock.read()));
    keep_schedule(&server).await;
    assert_eq!(kids(&server).await, before, "nothing is due yet");
    server.clock.advance(Duration::from_hours(1));
    keep_schedule(&server).await;
    assert_eq!(kids(&server).await.len(), 2 * OFFERED.len(), "each key has a successor");
    server.clock.advance(lifetimes.key_publication + lifetimes.longest_signed());
    keep_schedule(&server).await;
    let after = kids(&server).await;
    assert_eq!((after.len(), after.iter().any(|kid| before.contains(kid))), (OFFERED.len(), false));
}

// "The OP SHOULD accept ID Tokens when the RP identified by the ID Token's "aud" claim and/or "sid" claim has a current session
// or had a recent session at the OP, even when the "exp" time has passed." (OIDC RP-Initiated Logout §2)
#[tokio::test]
async fn an_id_token_of_a_key_that_is_published_no_more_still_says_who_it_was_for_a_sessions_life() {
    let server = Server::start().await;
    let (person, portal) = (Person::new(&server), App::new(&server, "portal"));
    let tokens = portal.tokens_with(&person, "openid", &[]).await;
    for algorithm in OFFERED {
        rotate(&server, algorithm, true).await;
    }
    server.clock.advance(Duration::from_hours(2));
    keep_schedule(&server).await;
    assert!(!kids(&server).await.contains(&kid(tokens.id())));
    assert_eq!(portal.userinfo(tokens.access()).await.status, 401);
    let hinted = portal.authorize_url("openid", &[("id_token_hint", tokens.id()), ("prompt", "none")]);
    assert!(Answer::of(&person.open(&hinted).await).has("code"));
    server.clock.advance(Lifetimes::default().session_absolute);
    keep_schedule(&server).await;
    person.sign_in().await;
    assert_eq!(Answer::of(&person.open(&hinted).await).param("error"), "invalid_request");
}

#[tokio::test]
async fn what_a_removed_key_signed_is_refused_at_once() {
    let server = Server::start().await;
    let (person, wiki) = (Person::new(&server), App::new(&server, "wiki"));
    let tokens = wiki.tokens_with(&person, "openid notes.read", &[]).await;
    assert_eq!(App::new(&server, "notes-api").introspect(tokens.access()).await["active"], true);
    rotate(&server, Algorithm::Es256, true).await;
    server.clock.advance(Duration::from_secs(1));
    remove(&server, &kid(tokens.access())).await;
    assert!(!kids(&server).await.contains(&kid(tokens.access())));
    assert_eq!(wiki.userinfo(tokens.access()).await.status, 401);
    assert_eq!(App::new(&server, "notes-api").introspect(tokens.access()).await["active"], false);
    let page = person.open(wiki.authorize_url("openid", &[("id_token_hint", tokens.id())])).await;
    assert_eq!(Answer::of(&page).param("error"), "invalid_request");
    assert_eq!(server.reasons().await[0], "IdTokenHintInvalid");
    assert_eq!(wiki.userinfo(wiki.tokens_with(&person, "openid", &[]).await.access()).await.status, 200);
}

#[tokio::test]
async fn an_algorithm_without_a_key_is_offered_no_longer() {
    let server = Server::start().await;
    let offered = async || {
        let metadata = document(&server, "/.well-known/openid-configuration").await.json();
        metadata["id_token_signing_alg_values_supported"].as_array().unwrap().contains(&"PS256".into())
    };
    assert!(offered().await);
    let directory = server.database.directory();
    let kid = directory.keys.signer(Algorithm::Ps256, server.clock.read()).unwrap().kid().to_owned();
    remove(&server, &kid).await;
    assert!(!offered().await);
}

#[tokio::test]
async fn a_token_that_names_another_key_than_its_own_is_refused() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let tokens = wiki.tokens("openid").await;
    let (_, rest) = tokens.access().split_once('.').unwrap();
    let others = kids(&server).await.into_iter().filter(|other| *other != kid(tokens.access()));
    for other in others.chain([String::new(), "../../etc/passwd".to_owned()]) {
        let header = serde_json::json!({ "typ": "at+jwt", "alg": "ES256", "kid": other }).to_string();
        let renamed = format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header));
        assert_eq!(wiki.userinfo(&renamed).await.status, 401, "{other}");
    }
}
