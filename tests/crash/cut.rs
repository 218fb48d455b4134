//! PostgreSQL is gone for a while: connections are cut, nobody is let in, nothing comes back. Whoever asks is told to come
//! again; nothing is half done; and what is back is used again by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use grantor_server::config::Hidden;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::Kind;
use super::holder::{self, Holder, Seen, Tally};
use super::proxy::Proxy;
use crate::harness::app::App;
use crate::harness::postgres::Scratch;
use crate::harness::server::{Place, Server};

const MOMENT: Duration = Duration::from_millis(100);

/// Apps at work on a server.
struct Load {
    server: Server,
    at_work: JoinHandle<Vec<Holder>>,
    orders: Arc<Orders>,
}

/// What the apps at work are told.
#[derive(Default)]
struct Orders {
    /// The database may be gone, so that a request may be told to come again.
    bear: AtomicBool,
    /// It is enough.
    stop: AtomicBool,
}

impl Load {
    /// On a server whose database is at `url`.
    async fn on(place: Place, url: &str) -> Self {
        let settings = |config: &mut grantor_server::config::Config| {
            config.database_url = Hidden::new(url);
            config.limits.workers = 2;
        };
        let server = Server::start_in(place, settings).await;
        let (orders, holders) = (Arc::new(Orders::default()), holder::eight(&server.url).await);
        let heard = Arc::clone(&orders);
        let at_work = tokio::spawn(holder::each(holders, move |holder| heard.carry_out(holder)));
        sleep(MOMENT).await;
        orders.bear.store(true, Ordering::SeqCst);
        Self { server, at_work, orders }
    }

    fn database(&self) -> &Scratch {
        self.server.place().postgres.as_ref().unwrap()
    }

    /// From a second after the database is back every request is done. Then all is as the apps were told.
    async fn end(self) -> Tally {
        sleep(Duration::from_secs(1)).await;
        self.orders.bear.store(false, Ordering::SeqCst);
        sleep(5 * MOMENT).await;
        self.orders.stop.store(true, Ordering::SeqCst);
        let mut holders = self.at_work.await.unwrap();
        for holder in &mut holders {
            holder.examine(&self.server.database, usize::MAX).await;
        }
        holders = holder::each(holders, |holder| holder.verify(usize::MAX)).await;
        holder::tally(&holders)
    }
}

impl Orders {
    fn carry_out(&self, holder: &mut Holder) {
        let may_fail = || self.bear.load(Ordering::SeqCst);
        while !self.stop.load(Ordering::SeqCst) {
            let began_in_trouble = may_fail();
            let done = holder.go_on();
            assert!(done || began_in_trouble || may_fail(), "the database is there");
        }
    }
}

/// A place on PostgreSQL; none where there is none.
fn place() -> Option<(Place, String)> {
    let place = Kind::Postgres.is_there().then(|| Place::seeded(Kind::Postgres))?;
    let url = place.postgres.as_ref()?.url.clone();
    Some((place, url))
}

#[tokio::test]
async fn connections_that_were_cut_are_made_anew() {
    let Some((place, url)) = place() else { return };
    let load = Load::on(place, &url).await;
    let mut cut = 0;
    for _ in 0..10 {
        cut += load.database().cut();
        sleep(MOMENT).await;
    }
    assert!(load.end().await.contains_key(&Seen::Lost) && cut > 20, "{cut}");
}

#[tokio::test]
async fn while_the_database_lets_nobody_in_apps_are_told_to_come_again() {
    let Some((place, url)) = place() else { return };
    let load = Load::on(place, &url).await;
    load.database().allow(false);
    load.database().cut();
    sleep(15 * MOMENT).await;
    load.database().allow(true);
    let tally = load.end().await;
    assert!(tally[&Seen::Lost] > 20, "{tally:?}");
}

#[tokio::test]
async fn a_database_that_falls_silent_keeps_nobody_waiting_for_long() {
    let Some((place, url)) = place() else { return };
    let proxy = Proxy::before(&url);
    let load = Load::on(place, &proxy.url).await;
    proxy.fall_silent(true);
    // Long enough to wait in vain for an answer, and then for a connection.
    sleep(Duration::from_secs(11)).await;
    proxy.fall_silent(false);
    let tally = load.end().await;
    assert!(tally[&Seen::Lost] >= 16, "{tally:?}");
}

/// Rows that somebody else holds: whoever is told to come again does not find it done later.
#[tokio::test]
async fn what_was_given_up_is_not_done_later() {
    let Some((place, url)) = place() else { return };
    let server = Server::start_in(place, |config| config.database_url = Hidden::new(&url)).await;
    let app = App::new(&server, "wiki");
    // One statement to refresh, and several to redeem a code.
    let tokens = app.tokens("openid").await;
    let code = app.code("openid").await;
    let mut client = server.place().postgres.as_ref().unwrap().client().await;
    let held = client.transaction().await.unwrap();
    held.execute("SELECT 1 FROM refresh_tokens, authorization_codes FOR UPDATE", &[]).await.unwrap();
    assert_eq!(app.refresh(tokens.refresh()).await.status, 503);
    assert_eq!(app.redeem(&code).await.status, 503);
    held.rollback().await.unwrap();
    sleep(10 * MOMENT).await;
    let generation: i64 = client.query_one("SELECT max(generation) FROM refresh_tokens", &[]).await.unwrap().get(0);
    assert_eq!(generation, 0, "nobody was told of a successor");
    assert_eq!(app.refresh(tokens.refresh()).await.status, 200);
    assert_eq!(app.redeem(&code).await.status, 200);
}
