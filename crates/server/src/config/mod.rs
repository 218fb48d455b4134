//! The settings of a server: defaults, then `grantor.toml`, then `GRANTOR_*` of the environment, by the same names.
//!
//! The doc comment of a field is its manual; `grantor.example.toml` shows each with its default, and a test compares the two.
//! A name of a section follows two underscores in the environment: `GRANTOR_TLS__CERTIFICATE`.

pub mod check;
pub mod example;
pub mod load;
pub mod outgoing;
pub mod rates;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use grantor_core::policy::{ClientPolicy, Lifetimes, Policy, TokenPolicy};
use grantor_core::registration::RegistrationPolicy;
use grantor_identity::queue::QueueLimits;
use grantor_identity::throttle::{Limit, ThrottlePolicy};
use grantor_web::outbound::AllowedHost;
use ipnet::IpNet;
use outgoing::{Mail, Webhook};
use rates::{AccountRate, AddressRate, ClientRate, GrantRate};
use serde::{Deserialize, Serialize};

/// All settings of one server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The address by which apps and people know this server, as in `https://id.example.com`. It stands in every token as
    /// `iss` and never changes once apps rely on it. Needed outside `--dev`.
    pub issuer: String,
    /// The address and port to listen on. Default `127.0.0.1:8080`; another host than this one is only reached with `tls`,
    /// or behind `trusted_proxies`.
    pub listen: SocketAddr,
    /// Where everything is kept: `sqlite:` and the path of a file, or `postgres://USER:PASSWORD@HOST/DATABASE`, which any
    /// number of servers may share. Default `sqlite:grantor.db`.
    pub database_url: Hidden,
    /// The file, in PEM, of the authorities that a PostgreSQL database's certificate may be of, beside the public ones.
    pub database_ca_file: Option<PathBuf>,
    /// The key that seals the signing keys in the database: 32 bytes in base64url, made by
    /// `grantor key generate-encryption-key`. Better kept in a file of its own.
    pub key_encryption_key: Option<Hidden>,
    /// The file that holds the key-encryption key, readable by the server's user only.
    pub key_encryption_key_file: Option<PathBuf>,
    /// The name people read on every page. Default `Grantor`.
    pub name: String,
    /// The accent colour of pages, `#rrggbb`. Default: that of the built-in look.
    pub accent: Option<String>,
    /// The language of people whose browser asks for none that is offered: `en` or `de`. Default `en`.
    pub default_language: String,
    /// The networks of the proxies before this server, as in `10.0.0.0/8`: only theirs `X-Forwarded-For` counts, and only
    /// they may speak plain HTTP to it from another host. Default none.
    pub trusted_proxies: Vec<IpNet>,
    /// The address and port of the demo app, with `--dev` only. Default `127.0.0.1:8081`.
    pub demo_listen: SocketAddr,
    /// The address and port where Prometheus reads what is measured, at `/metrics`, in plain HTTP and without a password.
    /// Default none.
    pub metrics_listen: Option<SocketAddr>,
    /// The server's own certificate: section `[tls]`.
    pub tls: Tls,
    /// What is written about requests and events: section `[log]`.
    pub log: Log,
    /// What one request or all together may take: section `[limits]`.
    pub limits: Limits,
    /// How failed sign-ins are slowed down: section `[sign_in]`.
    pub sign_in: SignIn,
    /// Which other servers are asked: section `[outbound]`.
    pub outbound: Outbound,
    /// How notices reach people by e-mail: section `[mail]`.
    pub mail: Mail,
    /// Which other systems are told of events. Default: none.
    pub webhooks: Vec<Webhook>,
    /// How long things live: section `[lifetimes]`.
    pub lifetimes: Lifetimes,
    /// What an app may do unless its declaration says otherwise: section `[clients]`.
    pub clients: ClientPolicy,
    /// Personal access tokens and API keys: section `[tokens]`.
    pub tokens: TokenPolicy,
    /// Apps that register themselves: section `[registration]`.
    pub registration: RegistrationPolicy,
    /// Whether apps may watch from their own pages whether the person is still signed in here (OpenID Connect Session Management):
    /// by a frame of ours, and a cookie that scripts read and that holds nothing. Most browsers keep cookies from frames of
    /// other sites, and apps then learn nothing: logout tokens reach them always. What an app does next, a request with
    /// `prompt=none`, it does in its window: in frames of other sites nobody is signed in. Default `false`.
    pub session_management: bool,
    /// Who may report tokens that were found in public, to `/leak-reports`. Default: nobody.
    pub leak_reporters: Vec<Reporter>,
    /// The hosts for whose people this server is the provider, beside its own: `example.com` for `ada@example.com`. Apps ask
    /// that host at `/.well-known/webfinger`, which has to lead here. Default: none.
    pub webfinger_hosts: Vec<String>,
}

/// Who may report tokens that were found in public.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reporter {
    /// The name for events.
    pub name: String,
    /// The name of the key, as the reporter sends it in `Github-Public-Key-Identifier`.
    pub key_id: String,
    /// The file with the public key, P-256, in PEM.
    pub public_key_file: PathBuf,
}

/// The server's own certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// The file with the certificate and those that sign it, in PEM.
    pub certificate: Option<PathBuf>,
    /// The file with the certificate's private key, in PEM. Both files are read again on SIGHUP.
    pub key: Option<PathBuf>,
}

/// What is written about requests and events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `json`, a line an entry, or `text`. Default `json`; `text` with `--dev`.
    pub format: LogFormat,
    /// `error`, `warn`, `info`, `debug` or `trace`. Default `info`.
    pub level: LogLevel,
}

/// How a log entry is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For machines.
    #[default]
    Json,
    /// For people.
    Text,
}

/// How much is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What failed.
    Error,
    /// And what may fail soon.
    Warn,
    /// And one line a request.
    #[default]
    Info,
    /// And what helps to find a fault.
    Debug,
    /// Everything.
    Trace,
}

/// What one request or all together may take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The largest body of a request, in bytes. Default 65536.
    pub body_bytes: usize,
    /// Threads that answer requests; `0` is one for each core. Default 0.
    pub workers: usize,
    /// Connections that may be open at one time, for each thread. Default 4096.
    pub connections: usize,
    /// Passwords checked at one time; each takes a core and 19 MiB. `0` is one for each core. Default 0.
    pub password_workers: usize,
    /// Passwords that may wait to be checked; beyond it people are asked to try again. Default 64.
    pub password_queue: usize,
    /// Seconds between SIGTERM and the last new request. `/readyz` says 503 meanwhile, so that a balancer sends requests to
    /// other servers. Default 3; Ctrl-C does not wait.
    pub drain_seconds: u64,
    /// Seconds for which requests in progress may go on after the server was told to stop. Default 20.
    pub shutdown_seconds: u64,
    /// How many requests `/authorize` answers, for each address, and for each account where somebody is signed in. Default
    /// `60000/m` and `6000/m`; these and those below are met by floods alone.
    pub authorization: AccountRate,
    /// The same for keys, metadata, styles and scripts, which are only copied. Default `300000/m`.
    pub documents: AddressRate,
    /// The same for proxies that ask about requests to apps behind them, for each address that such a request comes from, and
    /// for each account at each app. Default `300000/m` and `60000/m`.
    pub forward_auth: AccountRate,
    /// The same for introspection, for each address and each client; APIs ask, whatever people do. Default `300000/m`.
    pub introspection: ClientRate,
    /// The same for reports of tokens that were found in public. Default `600/m`.
    pub leak_reports: AddressRate,
    /// The same for every page, and every path that nobody has, and for each account where somebody is signed in; the pages
    /// that end sessions do not count for the account. Default `60000/m` and `6000/m`. Failed sign-ins have limits of their own:
    /// section `[sign_in]`.
    pub pages: AccountRate,
    /// The same for registration, and for apps that manage themselves there. Default `600/m`.
    pub registration: AddressRate,
    /// The same for revocation, for each address and each client. Default `60000/m`.
    pub revocation: ClientRate,
    /// The same for the token endpoint, for each address and each client, and for each account. Default `60000/m`, and `6000/m`
    /// for accounts.
    pub token: GrantRate,
    /// The same for userinfo, for each address, and for each account and app. Default `60000/m` and `6000/m`.
    pub userinfo: AccountRate,
}

/// How failed sign-ins are slowed down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignIn {
    /// Failed sign-ins to one account before the next has to wait. Default 10.
    pub account_failures: u32,
    /// Failed sign-ins from one address (or IPv6 /64 network) before the next has to wait. Default 50.
    pub address_failures: u32,
    /// How long failures count. Default 15 minutes.
    #[serde(with = "grantor_core::policy::lifetime")]
    pub window: Duration,
    /// Whether anybody may make an account for themselves, by a link on the sign-in page and by `prompt=create`. Nothing of
    /// them is checked; names that look like e-mail addresses are not taken. Default false.
    pub self_registration: bool,
}

/// Which other servers are asked, where an app or the settings name one: by https, at public addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Outbound {
    /// Those that may be asked although their address is not public: a host's full name, as `idp.internal.example`, which is
    /// trusted whatever its address is, or a network, as `10.2.0.0/16`. Https stays needed. Default none.
    pub allow_hosts: Vec<AllowedHost>,
    /// The file, in PEM, of the authorities that their certificates may be of, beside the public ones.
    pub ca_file: Option<PathBuf>,
}

impl Config {
    /// The part of the settings that the protocol decides by.
    pub fn policy(&self) -> Policy {
        Policy {
            lifetimes: self.lifetimes.clone(),
            clients: self.clients.clone(),
            tokens: self.tokens.clone(),
            self_registration: self.sign_in.self_registration,
            registration: self.registration.clone(),
            session_management: self.session_management,
        }
    }
}

impl Limits {
    /// How many passwords are checked at one time, and how many may wait.
    pub fn passwords(&self) -> QueueLimits {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let threads = if self.password_workers == 0 { cores } else { self.password_workers };
        QueueLimits { threads, waiting: self.password_queue, ..QueueLimits::default() }
    }
}

impl SignIn {
    /// How failed sign-ins are slowed down.
    pub fn throttle(&self) -> ThrottlePolicy {
        let ThrottlePolicy { account, address, code } = ThrottlePolicy::default();
        ThrottlePolicy {
            account: Limit { failures: self.account_failures, window: self.window, ..account },
            address: Limit { failures: self.address_failures, window: self.window, ..address },
            code,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            database_url: Hidden::new("sqlite:grantor.db"),
            database_ca_file: None,
            key_encryption_key: None,
            key_encryption_key_file: None,
            name: "Grantor".into(),
            accent: None,
            default_language: "en".into(),
            trusted_proxies: Vec::new(),
            demo_listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8081)),
            metrics_listen: None,
            tls: Tls::default(),
            log: Log::default(),
            limits: Limits::default(),
            sign_in: SignIn::default(),
            outbound: Outbound::default(),
            mail: Mail::default(),
            webhooks: Vec::new(),
            lifetimes: Lifetimes::default(),
            clients: ClientPolicy::default(),
            tokens: TokenPolicy::default(),
            registration: RegistrationPolicy::default(),
            session_management: false,
            leak_reporters: Vec::new(),
            webfinger_hosts: Vec::new(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 64 * 1024,
            workers: 0,
            connections: 4096,
            password_workers: 0,
            password_queue: 64,
            drain_seconds: 3,
            shutdown_seconds: 20,
            authorization: AccountRate::per_minute(60_000, 6_000),
            documents: AddressRate::per_minute(300_000),
            forward_auth: AccountRate::per_minute(300_000, 60_000),
            introspection: ClientRate::per_minute(300_000),
            leak_reports: AddressRate::per_minute(600),
            pages: AccountRate::per_minute(60_000, 6_000),
            registration: AddressRate::per_minute(600),
            revocation: ClientRate::per_minute(60_000),
            token: GrantRate::per_minute(60_000, 6_000),
            userinfo: AccountRate::per_minute(60_000, 6_000),
        }
    }
}

impl Default for SignIn {
    fn default() -> Self {
        Self { account_failures: 10, address_failures: 50, window: Duration::from_mins(15), self_registration: false }
    }
}

impl LogLevel {
    /// The word that filters know it by.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// Text that may hold a secret: it is read, and never written or shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hidden(String);

impl Hidden {
    /// Hides `text`.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("[redacted]")
    }
}
