//! Other systems that are told of events.

mod delivery;
mod replay;

use std::io::Write;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::person::Person;
use crate::harness::receiver::{Message, Receiver, SECRET};
use crate::harness::server::Server;

impl Message {
    /// A header.
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("{name} in {:?}", self.headers))
    }

    /// Whether the signature is that of the message by this secret, as `openssl` makes it; `None` where there is none.
    fn is_signed_with(&self, secret: &str) -> Option<bool> {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let hex: Vec<String> = key.iter().map(|byte| format!("{byte:02x}")).collect();
        let signed = format!("{}.{}.{}", self.header("webhook-id"), self.header("webhook-timestamp"), self.body);
        let mut signing = Command::new("openssl")
            .args(["dgst", "-sha256", "-mac", "HMAC", "-macopt", &format!("hexkey:{}", hex.concat()), "-binary"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        signing.stdin.take().unwrap().write_all(signed.as_bytes()).unwrap();
        let signature = format!("v1,{}", STANDARD.encode(signing.wait_with_output().unwrap().stdout));
        Some(self.header("webhook-signature").split(' ').any(|known| known == signature))
    }
}

#[tokio::test]
async fn an_event_is_told_as_json_with_a_signature_that_others_can_check() {
    let receiver = Receiver::start();
    let server = Server::start_with(receiver.configure(&["sign_in_succeeded"])).await;
    Person::new(&server).sign_in().await;
    let message = receiver.wait_for(1).await.remove(0);
    let event = server.events().await.into_iter().find(|event| event.kind.as_str() == "sign_in_succeeded").unwrap();
    let body: Value = serde_json::from_str(&message.body).unwrap();
    assert_eq!(body["case"], json!(event.id.to_string()));
    assert_eq!((&body["kind"], &body["username"]), (&json!("sign_in_succeeded"), &json!("alice")));
    assert_eq!(message.header("content-type"), "application/json");
    assert_eq!(message.header("webhook-id"), format!("evt_{}", event.id));
    assert_eq!(message.header("webhook-timestamp"), server.clock.read().seconds().to_string());
    assert_ne!(message.is_signed_with(SECRET), Some(false));
    assert_ne!(message.is_signed_with("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), Some(true), "another secret fails");
    let told_differently = Message { body: message.body.replace("alice", "mallory"), ..message };
    assert_ne!(told_differently.is_signed_with(SECRET), Some(true));
}

#[tokio::test]
async fn only_what_was_asked_for_is_told() {
    let receiver = Receiver::start();
    let server = Server::start_with(receiver.configure(&["user_changed"])).await;
    Person::new(&server).sign_in().await;
    server.apply("[[users]]\nusername = \"alice\"\nname = \"Alice L.\"\n").await;
    let message = receiver.wait_for(1).await.remove(0);
    crate::notices::delivery::until_empty(&server).await;
    assert!(message.body.contains("user_changed") && receiver.messages().len() == 1, "{:?}", receiver.messages());
}

#[tokio::test]
async fn both_secrets_sign_while_one_takes_the_place_of_the_other() {
    let receiver = Receiver::start();
    let folder = crate::harness::folder::Folder::new();
    let next = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    std::fs::write(folder.join("secrets"), format!("{SECRET}\n\n{next}\n")).unwrap();
    let (configure, file) = (receiver.configure(&["sign_in_succeeded"]), folder.join("secrets"));
    let server = Server::start_with(|config| {
        configure(config);
        (config.webhooks[0].secret, config.webhooks[0].secret_file) = (None, Some(file));
    });
    let server = server.await;
    Person::new(&server).sign_in().await;
    let message = receiver.wait_for(1).await.remove(0);
    for secret in [SECRET, next] {
        assert_ne!(message.is_signed_with(secret), Some(false));
    }
}
