//! One provider, wired: store, keys, background and HTTP put together, run, and ended in order.

use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use grantor_core::provider::{Issuer, Provider};
use grantor_identity::queue::HashQueue;
use grantor_jose::algorithm::Algorithm;
use grantor_jose::detached::DetachedKey;
use grantor_web::demo::{self, DemoSettings};
use grantor_web::locale::Language;
use grantor_web::mail::{MailSink, Mailer};
use grantor_web::metrics::Metrics;
use grantor_web::outbound::{HttpClient, OutboundSettings};
use grantor_web::{App, Clock, LeakReporter, Listener};

use crate::background::{Background, Duties};
use crate::clock::stopwatch;
use crate::commands::CommandError;
use crate::config::{Config, Limits, Outbound, Reporter};
use crate::declare;
use crate::dev;
use crate::key_schedule;
use crate::outgoing;
use crate::settings::{self, Opened, Role};
use crate::tls::Certificate;

/// A provider that is ready to answer: its keys are there, and the background works.
pub struct Running {
    /// The provider as it answers over HTTP.
    pub app: Arc<App>,
    config: Config,
    certificate: Option<Arc<Certificate>>,
    background: Background,
    demo: Option<DemoSettings>,
}

impl Running {
    /// Opens the database, makes the keys that most apps need, declares the demo with `--dev`, and starts the background.
    ///
    /// # Errors
    /// When a setting is wrong, the database cannot be opened, a key cannot be made, or the certificate cannot be used.
    pub async fn start(mut config: Config, is_dev: bool, clock: Clock) -> Result<Self, CommandError> {
        config.check()?;
        let certificate = match (&config.tls.certificate, &config.tls.key) {
            (Some(chain), Some(key)) => Some(Certificate::read(chain, key)?),
            _ => None,
        };
        config.mail.sunk |= is_dev;
        let opened = settings::open(config, Role::Server)?;
        // Few apps use PS256, and its key takes as long as that of RS256: it is made in the background's first round.
        let lifetimes = &opened.config.lifetimes;
        key_schedule::keep(&opened.database, &opened.mint, lifetimes, clock.now(), &[Algorithm::Ps256]).await?;
        let demo = if is_dev {
            let declaration = dev::declaration(&opened.config)?;
            declare::apply::apply(&opened.database, &declaration, opened.tools(clock.now()), false).await?;
            Some(dev::demo(&opened.config, &declaration, MailSink::default()))
        } else {
            None
        };
        let sink = demo.as_ref().map(|demo| demo.mails.clone());
        let (app, config) = wire(opened, clock, sink)?;
        let duties = Duties { app: Arc::clone(&app), certificate: certificate.clone() };
        let background = Background::start(duties).map_err(no_thread)?;
        Ok(Self { app, config, certificate, background, demo })
    }

    /// Answers on `listener`, and for the demo app on `demo_listener`, until `asked_to_stop`; then lets the requests in
    /// progress end, and closes the database.
    ///
    /// # Errors
    /// When a socket or the certificate cannot be used.
    pub async fn run(
        self,
        listener: TcpListener,
        demo_listener: Option<TcpListener>,
        asked_to_stop: impl Future<Output = ()>,
    ) -> Result<(), CommandError> {
        let answered = self.answer(listener, demo_listener, asked_to_stop).await;
        self.background.stop();
        if let Err(error) = self.app.keep_counts().await {
            tracing::error!(%error, "the last counts of tokens could not be kept");
        }
        if let Err(error) = self.app.keep_uses().await {
            tracing::error!(%error, "the last uses of API tokens could not be kept");
        }
        self.app.provider.store.shut_down().await;
        answered
    }

    async fn answer(
        &self,
        socket: TcpListener,
        demo_listener: Option<TcpListener>,
        asked_to_stop: impl Future<Output = ()>,
    ) -> Result<(), CommandError> {
        let tls = self.certificate.as_ref().map(Certificate::server_config).transpose()?;
        let server = grantor_web::serve(Arc::clone(&self.app), listener(&self.config, socket, tls));
        let server = server.map_err(CommandError::Socket)?;
        let handle = server.handle();
        let (demo, demo_handle) = match (demo_listener, self.demo.clone()) {
            (Some(socket), Some(settings)) => {
                let demo = demo::run(socket, settings).map_err(refused)?;
                let handle = demo.handle();
                (Some(demo), Some(handle))
            }
            _ => (None, None),
        };
        let (metrics, metrics_handle) = match self.config.metrics_listen {
            Some(address) => {
                let socket = listen("metrics_listen", address)?;
                let metrics =
                    grantor_web::metrics::serve(Arc::clone(&self.app), socket).map_err(CommandError::Socket)?;
                let handle = metrics.handle();
                (Some(metrics), Some(handle))
            }
            None => (None, None),
        };
        let metrics = async {
            if let Some(metrics) = metrics
                && let Err(error) = metrics.await
            {
                tracing::error!(%error, "metrics are shown no more");
            }
        };
        let demo = async {
            if let Some(demo) = demo
                && let Err(error) = demo.await
            {
                tracing::error!(%error, "the demo app has stopped");
            }
        };
        let stop = async {
            asked_to_stop.await;
            tracing::info!("stopping: requests in progress may end");
            if let Some(demo) = demo_handle {
                demo.stop(false).await;
            }
            if let Some(metrics) = metrics_handle {
                metrics.stop(false).await;
            }
            handle.stop(true).await;
        };
        let run = server.run();
        let beside = async { tokio::join!(stop, demo, metrics) };
        tokio::pin!(run, beside);
        tokio::select! {
            ended = &mut run => ended.map_err(CommandError::Socket),
            _ = &mut beside => run.await.map_err(CommandError::Socket),
        }
    }
}

/// The provider over HTTP, from settings and store.
fn wire(opened: Opened, clock: Clock, sink: Option<MailSink>) -> Result<(Arc<App>, Config), CommandError> {
    let Opened { config, database, mint, meters } = opened;
    let issuer = Issuer::parse(&config.issuer).map_err(refused)?;
    let provider = Provider { issuer, policy: config.policy(), store: database, mint };
    let passwords = HashQueue::start(config.limits.passwords()).map_err(no_thread)?;
    let settings = grantor_web::Settings {
        name: config.name.clone(),
        accent: config.accent.clone(),
        trusted_proxies: config.trusted_proxies.clone(),
        throttle: config.sign_in.throttle(),
        limits: config.limits.rates(),
        body_bytes: config.limits.body_bytes,
        leak_reporters: config.leak_reporters.iter().map(reporter).collect::<Result<_, _>>()?,
        webfinger_hosts: config.webfinger_hosts.clone(),
        language: Language::from_tag(&config.default_language).unwrap_or_default(),
        mailer: sink.map(Mailer::sunk).map_or_else(|| outgoing::mailer(&config), |sunk| Ok(Some(sunk)))?,
        expiry_notice: config.tokens.expiry_notice,
        webhooks: config.webhooks.iter().map(outgoing::webhook).collect::<Result<_, _>>()?,
    };
    let metrics = Metrics::new(stopwatch(), &meters);
    let outbound = outbound(&config)?;
    Ok((Arc::new(App::new(provider, settings, clock, (passwords, outbound), metrics)), config))
}

/// The door to other servers.
pub(crate) fn outbound(config: &Config) -> Result<HttpClient, CommandError> {
    let Outbound { allow_hosts, ca_file } = config.outbound.clone();
    let read = |path: &PathBuf| {
        std::fs::read(path).map_err(|source| refused(format!("outbound.ca_file: {}: {source}", path.display())))
    };
    let authorities = ca_file.as_ref().map(read).transpose()?;
    HttpClient::guarded(&OutboundSettings { allow_hosts, authorities })
        .map_err(|error| refused(format!("outbound.ca_file: {error}")))
}

/// A reporter with its key.
pub(crate) fn reporter(configured: &Reporter) -> Result<LeakReporter, CommandError> {
    let Reporter { name, key_id, public_key_file } = configured;
    let wrong = |why: &dyn std::fmt::Display| {
        let file = public_key_file.display();
        CommandError::Refused(format!("leak_reporters, \"{name}\": public_key_file {file}: {why}"))
    };
    let pem = std::fs::read_to_string(public_key_file).map_err(|error| wrong(&error))?;
    let key = DetachedKey::from_pem(&pem).map_err(|error| wrong(&error))?;
    Ok(LeakReporter { name: name.clone(), key_id: key_id.clone(), key })
}

fn listener(config: &Config, socket: TcpListener, tls: Option<rustls::ServerConfig>) -> Listener {
    let Limits { connections, shutdown_seconds, .. } = config.limits;
    Listener { socket, tls, workers: workers(config), connections, shutdown_seconds }
}

fn workers(config: &Config) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    if config.limits.workers == 0 { cores() } else { config.limits.workers }
}

/// Takes an address, or says which setting to change.
pub(crate) fn listen(key: &'static str, address: SocketAddr) -> Result<TcpListener, CommandError> {
    TcpListener::bind(address).map_err(|source| CommandError::Address { key, address, source })
}

fn refused(why: impl std::fmt::Display) -> CommandError {
    CommandError::Refused(why.to_string())
}

fn no_thread(error: impl std::fmt::Display) -> CommandError {
    CommandError::Refused(format!("the system gives no thread: {error}"))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};
    use std::time::Duration;

    use grantor_core::store::Store;
    use grantor_core::time::Time;
    use tokio::sync::oneshot;

    use super::*;
    use crate::background::round;
    use crate::config::Hidden;
    use crate::place::Source;
    use crate::scratch::Scratch;

    fn config(folder: &Scratch, listener: &TcpListener) -> Config {
        Config {
            issuer: format!("http://{}", listener.local_addr().unwrap()),
            database_url: Hidden::new(format!("sqlite:{}", folder.path("grantor.db").display())),
            key_encryption_key: Some(Hidden::new("DiarhFNwKL2nLqGpFEj0BktuuP6lGRqTYSvZrmLJpD4")),
            ..Config::default()
        }
    }

    fn in_a_runtime(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(tokio::task::LocalSet::new().run_until(test));
    }

    #[test]
    fn it_answers_until_it_is_stopped_and_keys_follow_the_clock() {
        in_a_runtime(async {
            let (folder, listener) = (Scratch::new(), TcpListener::bind("127.0.0.1:0").unwrap());
            let config = config(&folder, &listener);
            let (now, address) = (Arc::new(AtomicI64::new(2_000_000_000_000)), format!("{}/jwks", config.issuer));
            let clock = {
                let now = Arc::clone(&now);
                Clock::new(move || Time::from_millis(now.load(Ordering::Relaxed)))
            };
            let running = Running::start(config, false, clock).await.unwrap();
            let app = Arc::clone(&running.app);
            let (stop, stopped) = oneshot::channel::<()>();
            let ran = tokio::task::spawn_local(running.run(listener, None, async { drop(stopped.await) }));
            let _ = rustls::crypto::ring::default_provider().install_default();
            let keys = async || reqwest::get(&address).await.unwrap().json::<serde_json::Value>().await.unwrap();
            assert!(keys().await["keys"].as_array().unwrap().len() >= 3);

            let duties = Duties { app: Arc::clone(&app), certificate: None };
            now.fetch_add(
                i64::try_from(app.provider.policy.lifetimes.key_rotation.as_millis()).unwrap(),
                Ordering::Relaxed,
            );
            round(&duties).await;
            let ring = &app.provider.store.directory().keys;
            assert!(ring.keys.iter().any(|record| record.retired_at.is_some()), "a successor stands ready");
            stop.send(()).unwrap();
            tokio::time::timeout(Duration::from_secs(30), ran).await.unwrap().unwrap().unwrap();
        });
    }

    #[test]
    fn what_is_declared_comes_back_from_the_database() {
        in_a_runtime(async {
            let (folder, listener) = (Scratch::new(), TcpListener::bind("127.0.0.1:0").unwrap());
            let opened = settings::open(config(&folder, &listener), Role::Command).unwrap();
            let declaration = declare::parse(&Source::new("whole.toml", include_str!("declare/whole.toml"))).unwrap();
            let at = |seconds: i64| opened.tools(Time::from_seconds(2_000_000_000 + seconds));
            let dry = declare::apply::apply(&opened.database, &declaration, at(0), true).await.unwrap();
            assert!(dry.secrets.is_empty() && opened.database.directory().clients.is_empty());
            let first = declare::apply::apply(&opened.database, &declaration, at(0), false).await.unwrap();
            assert_eq!((first.plan.steps.len(), first.secrets.len()), (dry.plan.steps.len(), 1));
            let again = declare::apply::apply(&opened.database, &declaration, at(1), false).await.unwrap();
            assert_eq!(again.plan.steps.len(), 0, "{:?}", again.plan.steps);
            opened.close().await;
        });
    }
}
