//! Logout tokens of apps whose ID tokens are encrypted (OIDC Back-Channel Logout §2.4).

use grantor_core::backchannel_logout::Standing;
use grantor_jose::jwe::{Curve, DecryptionKey, decrypt};
use grantor_jose::key::Typ;
use grantor_jose::random::Random;
use serde_json::{Value, json};

use super::backchannel::{all_over, declared, logout_token, receipts, sign_out, until};
use super::keys::is_signed;
use super::pairwise::Lists;
use crate::harness::app::{App, claims, header};
use crate::harness::folder::Folder;
use crate::harness::person::Person;
use crate::harness::receiver::Receiver;
use crate::harness::server::Server;
use crate::harness::tls;

/// A server with a wiki that is told at the receiver, and has its tokens encrypted to the key.
async fn encrypting(receiver: &Receiver, key: &DecryptionKey) -> Server {
    let server = Server::start_with(receiver.trusted()).await;
    server.clock.advance(std::time::Duration::from_secs(1));
    let jwk: Value = serde_json::to_value(key.jwk()).unwrap();
    let jwk: Vec<String> = jwk.as_object().unwrap().iter().map(|(name, value)| format!("{name} = {value}")).collect();
    let member =
        format!("jwks = {{ keys = [{{ {} }}] }}\nid_token_encrypted_response_alg = \"ECDH-ES\"\n", jwk.join(", "));
    let declared = declared(Some(&receiver.url), None);
    server.apply(&declared.replacen("redirect_uris", &format!("{member}redirect_uris"), 1)).await;
    server
}

// "A Logout Token MUST be signed and MAY also be encrypted. The same keys are used to sign and encrypt Logout Tokens as are used for ID
// Tokens. If the Logout Token is encrypted, it SHOULD replicate the "iss" (issuer) claim in the JWT Header Parameters, as specified in
// Section 5.3 of [JWT]." (OIDC Back-Channel Logout §2.4)
#[tokio::test]
async fn who_gets_encrypted_id_tokens_is_told_by_an_encrypted_token_that_names_the_issuer() {
    let (receiver, key) = (Receiver::start(), DecryptionKey::generate(Curve::P256, &Random::new()).unwrap());
    let server = encrypting(&receiver, &key).await;
    let person = Person::new(&server);
    let tokens = App::new(&server, "wiki").tokens_with(&person, "openid", &[]).await;
    sign_out(&server, &person).await;
    let token = logout_token(&receiver.wait_for(1).await[0]);
    let outside = header(&token);
    assert_eq!(
        (&outside["iss"], &outside["alg"], &outside["cty"]),
        (&json!(server.url), &json!("ECDH-ES"), &json!("JWT"))
    );
    assert_eq!(outside["kid"], header(tokens.id())["kid"], "the key of ID tokens");
    let inside = String::from_utf8(decrypt(&token, &[&key]).unwrap().plaintext.to_vec()).unwrap();
    assert!(is_signed(&server, &inside, Typ::LogoutJwt).await);
    assert_eq!((&claims(&inside)["aud"], &claims(&inside)["iss"]), (&json!("wiki"), &json!(server.url)));
    until(&server, all_over).await;
}

/// Its people may still be signed in there.
#[tokio::test]
async fn an_app_that_is_switched_off_and_publishes_its_keys_is_told_of_a_sign_out() {
    let (receiver, key) = (Receiver::start(), DecryptionKey::generate(Curve::P256, &Random::new()).unwrap());
    let site = Lists::start(&[("/keys", json!({ "keys": [key.jwk()] }).to_string())]);
    let folder = Folder::new();
    let file = folder.join("both.pem");
    let server = Server::start_with(|config| {
        receiver.trusted()(config);
        let of_receiver = config.outbound.ca_file.take().unwrap();
        let all = std::fs::read_to_string(of_receiver).unwrap() + &tls::certificate().pem;
        std::fs::write(&file, all).unwrap();
        config.outbound.ca_file = Some(file.clone());
        config.outbound.allow_hosts.push("127.0.0.1".parse().unwrap());
    })
    .await;
    let member = format!("jwks_uri = \"{}/keys\"\nid_token_encrypted_response_alg = \"ECDH-ES\"\n", site.url);
    let declared = declared(Some(&receiver.url), None);
    let wiki = declared.replacen("redirect_uris", &format!("{member}redirect_uris"), 1);
    server.clock.advance(std::time::Duration::from_secs(1));
    server.apply(&wiki).await;
    let person = Person::new(&server);
    App::new(&server, "wiki").tokens_with(&person, "openid", &[]).await;
    server.clock.advance(std::time::Duration::from_mins(5));
    server.apply(&wiki.replacen("redirect_uris", "disabled = true\nredirect_uris", 1)).await;
    sign_out(&server, &person).await;
    let token = logout_token(&receiver.wait_for(1).await[0]);
    let inside = String::from_utf8(decrypt(&token, &[&key]).unwrap().plaintext.to_vec()).unwrap();
    assert!(is_signed(&server, &inside, Typ::LogoutJwt).await);
    until(&server, all_over).await;
}

#[tokio::test]
async fn without_a_key_nobody_is_told_in_the_clear() {
    let (receiver, key) = (Receiver::start(), DecryptionKey::generate(Curve::P256, &Random::new()).unwrap());
    let server = encrypting(&receiver, &key).await;
    let person = Person::new(&server);
    App::new(&server, "wiki").tokens_with(&person, "openid", &[]).await;
    server.clock.advance(std::time::Duration::from_secs(1));
    // From now on its keys lie where nobody answers.
    let member = "jwks_uri = \"https://127.0.0.1:1/jwks\"\nid_token_encrypted_response_alg = \"ECDH-ES\"\n";
    let declared = declared(Some(&receiver.url), None);
    server.apply(&declared.replacen("redirect_uris", &format!("{member}redirect_uris"), 1)).await;
    sign_out(&server, &person).await;
    until(&server, |all| all.iter().any(|notice| notice.attempts > 0)).await;
    assert_eq!(receiver.messages().len(), 0);
    let notices = receipts(&server).await;
    assert!(notices.iter().all(|notice| matches!(notice.standing, Standing::Waiting(_))), "{notices:?}");
}
