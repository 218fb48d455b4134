//! An upstream whose metadata lead to what only this server can reach.

use std::net::TcpListener;
use std::time::Duration;

use serde_json::json;

use super::{sign_in, start, with};
use crate::harness::person::Person;

/// Something on this machine that nobody may reach. The upstream itself is at 127.0.0.1, which is allowed.
struct Inside(TcpListener);

impl Inside {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.2:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    /// Its address in several spellings, others inside, and one that is allowed but for https.
    fn addresses(&self) -> [String; 6] {
        let port = self.0.local_addr().unwrap().port();
        let addresses = [
            "https://127.0.0.2:PORT/x",
            "https://0x7f.2:PORT/x",
            "https://[::ffff:127.0.0.2]:PORT/x",
            "https://10.0.0.1/x",
            "https://169.254.169.254/x",
            "http://127.0.0.1:PORT/x",
        ];
        addresses.map(|address| address.replace("PORT", &port.to_string()))
    }

    fn was_reached(&self) -> bool {
        self.0.accept().is_ok()
    }
}

#[tokio::test]
async fn an_endpoint_that_was_discovered_leads_nowhere_inside() {
    let (server, fake) = with("create_accounts = true").await;
    let inside = Inside::start();
    for endpoint in ["token_endpoint", "jwks_uri"] {
        for address in inside.addresses() {
            // What was discovered counts for an hour, and a failure for a moment.
            server.clock.advance(Duration::from_mins(61));
            fake.script(|script| script.metadata = [(endpoint.to_owned(), json!(address))].into_iter().collect());
            let person = Person::new(&server);
            let going = start(&person).await;
            let page = if going.has("a#continue") { person.open(fake.consents(&going)).await } else { going };
            assert_eq!(page.name(), "upstream-failed", "{endpoint} {address}: {}", page.body);
            assert_eq!(person.open("/account").await.name(), "sign-in", "{endpoint} {address}");
            assert!(server.reasons().await[..2].contains(&"UpstreamUnreachable".to_owned()), "{endpoint} {address}");
        }
    }
    assert!(!inside.was_reached());
    server.clock.advance(Duration::from_mins(61));
    fake.script(|script| script.metadata.clear());
    assert_eq!(
        sign_in(&Person::new(&server), &fake).await.name(),
        "account",
        "the same upstream, when it says what is right"
    );
}

#[tokio::test]
async fn userinfo_that_was_discovered_leads_nowhere_inside() {
    let (server, fake) = with("create_accounts = true\nallowed_groups = [\"staff\"]").await;
    let inside = Inside::start();
    fake.script(|script| script.profile = json!({"sub": "ada-there", "groups": ["staff"]}));
    assert_eq!(sign_in(&Person::new(&server), &fake).await.name(), "account", "the groups stand in userinfo");
    let asked = fake.asked("/me");
    assert!(asked > 0);
    for address in inside.addresses() {
        server.clock.advance(Duration::from_mins(61));
        fake.script(|script| {
            script.metadata = [("userinfo_endpoint".to_owned(), json!(address))].into_iter().collect();
        });
        let page = sign_in(&Person::new(&server), &fake).await;
        assert_eq!(page.name(), "upstream-failed", "{address}: {}", page.body);
    }
    assert!(!inside.was_reached() && fake.asked("/me") == asked);
}
