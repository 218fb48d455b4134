//! What real proxies make of a limit that is met.

use super::Guarded;
use crate::harness::page::Page;

#[tokio::test]
async fn caddy_tells_who_asks_too_often_when_to_come_again() {
    let Some(guarded) = Guarded::by_caddy().await else { return };
    let page = guarded.asked_too_often().await;
    assert_eq!((page.status.as_u16(), page.header("retry-after")), (429, Some("1")));
}

// nginx knows of no other refusals than 401 and 403.
#[tokio::test]
async fn nginx_lets_nobody_in_who_asks_too_often() {
    let Some(guarded) = Guarded::by_nginx().await else { return };
    assert_eq!(guarded.asked_too_often().await.status, 500);
}

impl Guarded {
    /// The first answer to Alice's browser that is no page of the app.
    async fn asked_too_often(&self) -> Page {
        let alice = self.alice().await;
        for _ in 0..501 {
            let page = alice.get(self.at("/page")).await;
            if page.status != 200 {
                return page;
            }
        }
        panic!("a limit is met");
    }
}
