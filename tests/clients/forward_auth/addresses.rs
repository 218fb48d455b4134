//! Where a request comes from, as the proxy sees it: what a client says of that changes nothing.

use std::time::Duration;

use super::{Guarded, shown};
use crate::tokens::token;

/// What is said of an address, each by another name.
const NAMES: [&str; 9] = [
    "X-Forwarded-For",
    "x-forwarded-for",
    "X_Forwarded_For",
    "X-Real-IP",
    "Forwarded",
    "True-Client-IP",
    "CF-Connecting-IP",
    "X-Client-IP",
    "X-Original-Forwarded-For",
];

#[tokio::test]
async fn nginx_believes_no_address_that_a_client_says_of_itself() {
    let Some(guarded) = Guarded::by_nginx().await else { return };
    guarded.believes_no_address_of_a_client().await;
}

#[tokio::test]
async fn caddy_believes_no_address_that_a_client_says_of_itself() {
    let Some(guarded) = Guarded::by_caddy().await else { return };
    guarded.believes_no_address_of_a_client().await;
}

impl Guarded {
    /// Declares an app for this machine's network, and one for another.
    async fn limit_apps(&self) {
        self.server.clock.advance(Duration::from_millis(1));
        let app = |name: &str, path: &str, network: &str| {
            format!(
                "[[apps]]\nname = \"{name}\"\norigins = [\"{}\"]\npaths = [\"{path}\"]\neverybody = true\n\
                 resource = \"https://notes.example/api\"\nnetworks = [\"{network}\"]\n",
                self.url
            )
        };
        let apps = [app("Here", "/here", "127.0.0.0/8"), app("There", "/there", "192.0.2.0/24")];
        self.server.apply(&apps.concat()).await;
    }

    async fn believes_no_address_of_a_client(&self) {
        self.limit_apps().await;
        let alice = self.alice().await;
        let bearer = format!("Bearer {}", token(&alice, &["notes.read"]).await);
        let bearer = ("authorization", bearer.as_str());
        assert_eq!(self.asks("GET", "/there", &[bearer]).await.status, 403);
        for name in NAMES {
            let values = match name {
                "Forwarded" => ["for=192.0.2.7", "for=192.0.2.7, for=127.0.0.1"],
                _ => ["192.0.2.7", "192.0.2.7, 127.0.0.1"],
            };
            for value in values {
                for spoofed in [&[bearer, (name, value)][..], &[bearer, (name, value), (name, value)]] {
                    let refused = self.asks("GET", "/there", spoofed).await;
                    assert_eq!((refused.status.as_u16(), refused.body.contains("<pre>")), (403, false), "{spoofed:?}");
                    let page = self.asks("GET", "/here", spoofed).await;
                    assert_eq!(page.status, 200, "{spoofed:?}: {}", page.body);
                    let seen = shown(&page);
                    let told: Vec<&str> =
                        seen.lines().filter_map(|line| line.strip_prefix("x-forwarded-for: ")).collect();
                    assert_eq!(told, ["127.0.0.1"], "what the app is told, for {spoofed:?}");
                }
            }
        }
        self.server.app.keep_uses().await.unwrap();
        let listed = alice.open("/account/tokens").await.text();
        assert!(listed.contains("from 127.0.0.1") && !listed.contains("192.0.2.7"), "{listed}");
        let events = self.server.events().await;
        assert!(events.iter().all(|event| event.address.as_deref() != Some("192.0.2.7")), "{events:?}");
    }
}
