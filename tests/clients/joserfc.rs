//! Encrypted and signed tokens, both ways, with joserfc, which knows nothing of us.

use std::io::Write;
use std::process::{Command, Stdio};

use grantor_jose::algorithm::Algorithm;
use grantor_jose::jwe::{self, Content, ContentEncryption, Curve, DecryptionKey, KeyAlgorithm, Recipient};
use grantor_jose::jwk::Jwk;
use grantor_jose::key::{SigningKey, Typ};
use grantor_jose::random::Random;
use grantor_jose::verify::{Expected, TypRule, verify};
use serde_json::{Value, json};

use super::ready;
use crate::harness::app::App;
use crate::harness::person::Person;
use crate::harness::server::Server;
use crate::oidc::encrypted::{declare, verified};

const TEXT: &str = r#"{"sub":"alice"}"#;

/// What the program answers. `None` where it is not ready.
fn joserfc(command: &str, given: &Value) -> Option<Value> {
    let folder = ready::folder("python")?;
    let mut program = Command::new(folder.join("venv/bin/python"));
    program.arg(folder.join("jose.py")).arg(command).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = program.spawn().unwrap();
    let mut stdin = process.stdin.take().unwrap();
    stdin.write_all(given.to_string().as_bytes()).unwrap();
    drop(stdin);
    let ended = process.wait_with_output().unwrap();
    assert!(ended.status.success(), "joserfc could not {command}");
    Some(serde_json::from_slice(&ended.stdout).unwrap())
}

/// Each algorithm that a key is good for, with each encryption of the content.
fn ways(key: &Jwk) -> impl Iterator<Item = (KeyAlgorithm, ContentEncryption)> {
    let fitting = KeyAlgorithm::ALL.iter().filter(|algorithm| key.supports_encryption(**algorithm));
    fitting.flat_map(|one| ContentEncryption::ALL.iter().map(move |two| (*one, *two)))
}

#[test]
fn tokens_go_both_ways_with_joserfc() {
    let Some(keys) = joserfc("keys", &Value::Null) else { return };
    let random = Random::new();
    let mut encrypted = Vec::new();
    for pair in keys["encryption"].as_array().unwrap() {
        let jwk: Jwk = serde_json::from_value(pair["public"].clone()).unwrap();
        for (algorithm, encryption) in ways(&jwk) {
            let recipient = Recipient { algorithm, encryption, key: &jwk };
            let token = jwe::encrypt(TEXT.as_bytes(), Content::Claims, &recipient, &random).unwrap();
            encrypted.push(
                json!({"key": pair["private"], "alg": algorithm, "enc": encryption, "token": token, "text": TEXT}),
            );
        }
    }
    // Three curves with three algorithms and RSA with one, four encryptions each.
    assert_eq!(encrypted.len(), (3 * 3 + 1) * 4);
    let claims = json!({"sub": "alice"});
    let ours = |algorithm: &Algorithm| SigningKey::generate(*algorithm, &random).unwrap();
    let signed: Vec<Value> = Algorithm::ALL
        .iter()
        .map(ours)
        .map(|key| json!({"key": key.jwk(), "alg": key.algorithm(), "claims": claims, "token": key.sign_compact(Typ::Jwt, &claims).unwrap()}))
        .collect();
    let read_by: Vec<DecryptionKey> =
        Curve::ALL.iter().map(|curve| DecryptionKey::generate(*curve, &random).unwrap()).collect();
    let encrypt: Vec<Value> = read_by
        .iter()
        .flat_map(|key| {
            ways(key.jwk()).map(|(alg, enc)| json!({"key": key.jwk(), "alg": alg, "enc": enc, "text": TEXT}))
        })
        .collect();
    let sign = |alg: &Algorithm| json!({"key": keys["signature"][alg.as_str()]["private"], "alg": alg, "text": TEXT});
    let sign: Vec<Value> = Algorithm::ALL.iter().map(sign).collect();
    let given = json!({"encrypted": encrypted, "signed": signed, "encrypt": encrypt, "sign": sign});
    let made = joserfc("exchange", &given).unwrap();

    let read_by: Vec<&DecryptionKey> = read_by.iter().collect();
    for token in made["encrypted"].as_array().unwrap() {
        assert_eq!(&*jwe::decrypt(token.as_str().unwrap(), &read_by).unwrap().plaintext, TEXT.as_bytes());
    }
    for (algorithm, token) in Algorithm::ALL.iter().zip(made["signed"].as_array().unwrap()) {
        let jwk: Jwk = serde_json::from_value(keys["signature"][algorithm.as_str()]["public"].clone()).unwrap();
        let expected = Expected { typ: TypRule::Any, algorithms: &[*algorithm] };
        assert_eq!(verify(token.as_str().unwrap(), &expected, &jwk).unwrap().payload, TEXT.as_bytes());
    }
    assert_eq!((made["encrypted"].as_array().unwrap().len(), made["signed"].as_array().unwrap().len()), (36, 5));
}

#[tokio::test]
async fn an_app_on_joserfc_reads_the_answers_that_are_encrypted_to_it() {
    let Some(keys) = joserfc("keys", &Value::Null) else { return };
    let server = Server::start().await;
    for pair in keys["encryption"].as_array().unwrap() {
        let jwk: Jwk = serde_json::from_value(pair["public"].clone()).unwrap();
        let is_rsa = jwk.supports_encryption(KeyAlgorithm::RsaOaep256);
        let (alg, enc) = if is_rsa { ("RSA-OAEP-256", "A128CBC-HS256") } else { ("ECDH-ES+A256KW", "A256CBC-HS512") };
        let members = ["id_token", "userinfo"].map(|answer| {
            format!("{answer}_encrypted_response_alg = \"{alg}\"\n{answer}_encrypted_response_enc = \"{enc}\"\n")
        });
        let signed = "userinfo_signed_response_alg = \"ES256\"";
        declare(&server, &jwk, &format!("{}{signed}", members.concat())).await;
        let portal = App::new(&server, "portal");
        let tokens = portal.tokens_with(&Person::new(&server), "openid email", &[]).await;
        let userinfo = portal.userinfo(tokens.access()).await.body;
        let given = [tokens.id(), &userinfo];
        let given = given.map(|token| json!({"key": pair["private"], "alg": alg, "enc": enc, "token": token}));
        let read = joserfc("read", &json!(given)).unwrap();
        let (id_token, userinfo) = (&read[0], &read[1]);
        assert_eq!((&id_token["header"]["cty"], &userinfo["header"]["cty"]), (&json!("JWT"), &json!("JWT")));
        let subject = verified(&server, id_token["text"].as_str().unwrap()).await["sub"].clone();
        assert_eq!(verified(&server, userinfo["text"].as_str().unwrap()).await["sub"], subject);
    }
}
