//! Ends without warning: the server is killed at any moment while apps redeem codes and refresh, and started again.

use std::fs;
use std::io::Write;
use std::time::Duration;

use grantor_jose::random::Random;
use grantor_server::config::Hidden;
use grantor_server::settings::{self, Opened, Role};

use super::child::{Child, free_port};
use super::holder::{self, Holder, Seen};
use super::{Kind, on_each_database, times};
use crate::harness::server::Place;

/// How long after the load is on the server is killed at the latest, in milliseconds.
const LATEST: u16 = 150;

/// In which time a server is to be ready again.
const READY: Duration = Duration::from_secs(2);

/// How many of what is over are looked at after each kill; after the last one all are.
const LOOK_BACK: usize = 3;

async fn what_was_answered_outlives_each_kill(kind: Kind) {
    let (place, port, kills) = (Place::seeded(kind), free_port(), times("TEST_KILLS", 25));
    let (mut child, _) = Child::start(&place, port).await;
    let mut holders = holder::eight(&place.config(port).issuer).await;
    let mut starts = Vec::new();
    for kill in 1..=kills {
        let many = if kill == kills { usize::MAX } else { LOOK_BACK };
        holders = work_until_killed(holders, child).await;
        let left = left_behind(&place).await;
        for holder in &mut holders {
            holder.examine(&left.database, many).await;
        }
        left.close().await;
        let took;
        (child, took) = Child::start(&place, port).await;
        starts.push(took);
        holders = holder::each(holders, Holder::ask_again).await;
        holders = holder::each(holders, move |holder| holder.verify(many)).await;
    }
    report(kind, starts, &holders);
}

async fn work_until_killed(holders: Vec<Holder>, child: Child) -> Vec<Holder> {
    let moment = u16::from_ne_bytes(Random::new().bytes()) % (LATEST + 1);
    let kill = async {
        tokio::time::sleep(Duration::from_millis(moment.into())).await;
        child.kill();
    };
    tokio::join!(holder::each(holders, Holder::work), kill).0
}

/// Opens what a killed server has left. A file is copied first: opening mends it, and that is for the next server to do.
async fn left_behind(place: &Place) -> Opened {
    let mut config = place.config(0);
    if let Some(database) = &place.postgres {
        // What had reached the database goes on there until it finds the connection broken.
        while !database.is_alone() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    } else {
        let file = |name: &str| place.folder().join(name);
        let _ = fs::remove_file(file("left.db-shm"));
        fs::copy(file("grantor.db"), file("left.db")).unwrap();
        fs::copy(file("grantor.db-wal"), file("left.db-wal")).unwrap();
        config.database_url = Hidden::new(format!("sqlite:{}", file("left.db").display()));
    }
    let left = settings::open(config, Role::Command).unwrap();
    left.database.integrity_check().unwrap();
    left
}

/// Says what happened.
fn report(kind: Kind, mut starts: Vec<Duration>, holders: &[Holder]) {
    starts.sort();
    let (kills, median, longest) = (starts.len(), starts[starts.len() / 2], starts[starts.len() - 1]);
    let tally = holder::tally(holders);
    // Written past the test runner, which keeps back what a passing test prints.
    let said = format!("{kind:?}: {kills} kills, {tally:?}; ready again after {median:.0?}, at most {longest:.0?}\n");
    let _ = std::io::stderr().write_all(said.as_bytes());
    assert!(tally.contains_key(&Seen::RecoveredDone), "answers were lost to what was done");
    assert!(median <= READY, "ready again after {median:?}");
}

on_each_database! { what_was_answered_outlives_each_kill }
