//! What goes on beside requests: the newest directory twice a second, what is to be told to each target each second, the uses of
//! tokens each ten seconds, the sweep and the key schedule each minute, and the certificate when it is renewed.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use grantor_core::outbox::Target;
use grantor_web::App;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, LocalSet};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::key_schedule;
use crate::registrations;
use crate::tls::Certificate;

const REFRESH: Duration = Duration::from_millis(500);
const USES: Duration = Duration::from_secs(1);
/// What tokens were used for is kept at each so many of these, or sooner where it is much.
const USES_AT: u32 = 10;
const ROUND: Duration = Duration::from_mins(1);
const DELIVERY: Duration = Duration::from_secs(1);

/// How long what is being delivered is waited for at the end. What is cut off is delivered again by the next server.
const HANDED_OVER_WITHIN: Duration = Duration::from_secs(3);

/// What the background works on.
#[derive(Clone)]
pub struct Duties {
    /// The provider.
    pub app: Arc<App>,
    /// The server's own certificate, read again on SIGHUP.
    pub certificate: Option<Arc<Certificate>>,
}

/// The background's thread; it ends with [`Background::stop`].
pub struct Background {
    stop: oneshot::Sender<()>,
    thread: thread::JoinHandle<()>,
}

impl Background {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start(duties: Duties) -> std::io::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let work = move || {
            LocalSet::new().block_on(&runtime, run(duties, stopped));
            // A key that is being made is not waited for: it would only be thrown away.
            runtime.shutdown_background();
        };
        let thread = thread::Builder::new().name("grantor-background".into()).spawn(work)?;
        Ok(Self { stop, thread })
    }

    /// Ends it, and waits for what it is doing.
    pub fn stop(self) {
        let _ = self.stop.send(());
        if self.thread.join().is_err() {
            tracing::error!("the background work had broken off");
        }
    }
}

/// Each duty in a task of its own, so that making an RSA key keeps nothing waiting.
async fn run(duties: Duties, stopped: oneshot::Receiver<()>) {
    let (ending, end) = watch::channel(false);
    let targets = duties.app.targets().into_iter();
    let deliveries: Vec<_> =
        targets.map(|target| tokio::task::spawn_local(deliveries(duties.clone(), target, end.clone()))).collect();
    let apps = tokio::task::spawn_local(apps(duties.clone(), end.clone()));
    let keeping = tokio::task::spawn_local(uses(duties.clone(), end.clone()));
    let tasks = [
        tokio::task::spawn_local(refresh(duties.clone())),
        tokio::task::spawn_local(rounds(duties.clone())),
        tokio::task::spawn_local(renewals(duties)),
    ];
    let _ = stopped.await;
    for task in tasks {
        task.abort();
    }
    let _ = ending.send(true);
    let handed_over = async {
        let _ = keeping.await;
        let _ = apps.await;
        for delivery in deliveries {
            let _ = delivery.await;
        }
    };
    if timeout(HANDED_OVER_WITHIN, handed_over).await.is_err() {
        tracing::warn!("what was being delivered was cut off; it will be delivered again");
    }
}

/// Tells one target what it is to be told, until the end comes.
async fn deliveries(duties: Duties, target: Target, mut end: watch::Receiver<bool>) {
    let mut ticks = interval(DELIVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = end.changed() => return,
        }
        loop {
            match duties.app.deliver(&target).await {
                Ok(true) if !*end.borrow() => {}
                Ok(_) => break,
                Err(error) => {
                    tracing::error!(%error, %target, "messages could not be delivered; they are in the next round");
                    break;
                }
            }
        }
    }
}

/// Tells apps of ends of sessions until the end comes, each in a task of its own.
async fn apps(duties: Duties, mut end: watch::Receiver<bool>) {
    let mut ticks = interval(DELIVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told: HashMap<String, JoinHandle<()>> = HashMap::new();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = duties.app.look_for_apps_to_tell.notified() => {}
            _ = end.changed() => break,
        }
        told.retain(|_, task| !task.is_finished());
        match duties.app.apps_to_tell().await {
            Ok(due) => {
                for client_id in due {
                    let tell = || tokio::task::spawn_local(tell_app(duties.clone(), client_id.clone(), end.clone()));
                    told.entry(client_id.clone()).or_insert_with(tell);
                }
            }
            Err(error) => {
                tracing::error!(%error, "apps could not be told of sessions that ended; they are in the next round");
            }
        }
    }
    for task in told.into_values() {
        let _ = task.await;
    }
}

async fn tell_app(duties: Duties, client_id: String, end: watch::Receiver<bool>) {
    loop {
        match duties.app.tell_app(&client_id).await {
            Ok(true) if !*end.borrow() => {}
            Ok(_) => return,
            Err(error) => {
                tracing::error!(%error, client_id, "an app could not be told of sessions that ended; it is in the next round");
                return;
            }
        }
    }
}

async fn refresh(duties: Duties) {
    let mut ticks = interval(REFRESH);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = duties.app.provider.store.refresh_directory().await {
            tracing::error!(%error, "clients and keys could not be read again; the last known ones stay in use");
        }
    }
}

/// What is being kept of uses is kept to its end, when that comes.
async fn uses(duties: Duties, mut end: watch::Receiver<bool>) {
    let mut ticks = interval(USES);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for tick in (1..=USES_AT).cycle() {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = end.changed() => return,
        }
        if tick < USES_AT && !duties.app.uses_are_many() {
            continue;
        }
        if let Err(error) = duties.app.keep_uses().await {
            tracing::error!(%error, "the uses of tokens could not be kept; they are kept in the next round");
        }
    }
}

async fn rounds(duties: Duties) {
    let mut ticks = interval(ROUND);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        round(&duties).await;
    }
}

/// One round of what is done each minute.
pub async fn round(duties: &Duties) {
    let (provider, now) = (&duties.app.provider, duties.app.clock.now());
    let lifetimes = &provider.policy.lifetimes;
    match key_schedule::keep(&provider.store, &provider.mint, lifetimes, now, &[]).await {
        Ok(0) => {}
        Ok(steps) => tracing::info!(steps, "signing keys changed as scheduled"),
        Err(error) => tracing::error!(%error, "the key schedule could not be kept"),
    }
    if let Err(error) = duties.app.keep_counts().await {
        tracing::error!(%error, "the counts of tokens could not be kept; they are kept in the next round");
    }
    if let Err(error) = duties.app.tell_of_expiries().await {
        tracing::error!(%error, "people could not be told of tokens that expire; they are in the next round");
    }
    let registration = &provider.policy.registration;
    match registrations::sweep(&provider.store, &provider.mint, registration, now).await {
        Ok(0) => {}
        Ok(apps) => tracing::info!(apps, "apps were removed that registered themselves and were never used"),
        Err(error) => tracing::error!(%error, "unused apps could not be removed; they are in the next round"),
    }
    if let Err(error) = provider.store.sweep(now, lifetimes).await {
        tracing::error!(%error, "expired rows could not be swept");
    }
}

async fn renewals(duties: Duties) {
    // Caught without a certificate too, since the signal would end the process.
    let Ok(mut hangups) = signal(SignalKind::hangup()) else { return };
    while hangups.recv().await.is_some() {
        let Some(certificate) = &duties.certificate else { continue };
        match certificate.reload() {
            Ok(()) => tracing::info!("the certificate was read again"),
            Err(error) => tracing::error!(%error, "the certificate could not be read again; the last one stays in use"),
        }
    }
}
