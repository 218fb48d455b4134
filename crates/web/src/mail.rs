//! E-mail: the one way out of the house that is not HTTP.
//!
//! It does not go through [`crate::outbound`]. What that door guards against is an address that somebody else has named; the
//! mail server is named by the operator, in the settings of this server, stays the same for all mail, and is a private one more
//! often than not. What others have a say in, a person's address and the names of their tokens, never chooses where a
//! connection goes: it only stands in the envelope and in the text.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use grantor_jose::secret::SecretText;
use lettre::message::Mailbox;
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

mod letter;
mod sink;

pub use letter::Letter;
pub(crate) use letter::Sender;
pub use sink::{MailSink, SunkMail};

/// How long the server may take for a command. A whole delivery takes a few of them, and less than the lease of a message.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a whole delivery may take.
const WHOLE: Duration = Duration::from_mins(1);

/// How many connections there are at most, and how long one is kept that is not used.
const CONNECTIONS: u32 = 4;
const KEPT_FOR: Duration = Duration::from_secs(20);

/// How the connection to the mail server is kept from others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MailSecurity {
    /// TLS from the first byte.
    #[default]
    Tls,
    /// TLS after the greeting; without it nothing is sent.
    StartTls,
    /// None: whoever is on the way reads the password and every mail.
    None,
}

/// Where mail goes.
#[derive(Clone, Debug)]
pub struct MailSettings {
    /// The mail server's name.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept from others.
    pub security: MailSecurity,
    /// The name and the password that the server wants, if it does.
    pub credentials: Option<(String, SecretText)>,
    /// Who writes, as in `Grantor <no-reply@example.com>`.
    pub from: String,
    /// Authorities that the server's certificate may be of beside the public ones, in PEM.
    pub authorities: Option<Vec<u8>>,
    /// The name by which this server greets: the host of the issuer.
    pub hello: String,
}

/// Why a mail was not sent, or cannot be.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// A setting cannot be used: the key, and why.
    #[error("{0}: {1}")]
    Setting(&'static str, String),
    /// The mail cannot be written as one.
    #[error("the mail cannot be written: {0}")]
    Unwritable(String),
    /// The server cannot be reached, or did not take it.
    #[error("the mail server did not take it: {reason}")]
    NotTaken {
        /// Why.
        reason: String,
        /// Whether it refused for good.
        is_refused: bool,
    },
}

impl MailError {
    /// Whether trying again is of little use.
    pub(crate) const fn is_refused(&self) -> bool {
        matches!(self, Self::Unwritable(_) | Self::NotTaken { is_refused: true, .. })
    }
}

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// Sends mail. Cheap to clone; all clones share their connections.
#[derive(Clone, Debug)]
pub struct Mailer(Way);

#[derive(Clone, Debug)]
enum Way {
    Server(Arc<Server>),
    Sink(MailSink),
}

/// A mail server.
struct Server {
    settings: MailSettings,
    from: Mailbox,
    tls: Tls,
    /// Made for the first mail, in the runtime of whoever sends it: its connections live there.
    transport: OnceLock<Transport>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Server").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Mailer {
    /// A mailer that sends through a server. Nothing is connected yet.
    ///
    /// # Errors
    /// When a setting cannot be used.
    pub fn new(settings: MailSettings) -> Result<Self, MailError> {
        let from = settings.from.parse().map_err(|error: lettre::address::AddressError| {
            MailError::Setting("from", format!("\"{}\" is no address: {error}", settings.from))
        })?;
        let tls = tls(&settings)?;
        Ok(Self(Way::Server(Arc::new(Server { settings, from, tls, transport: OnceLock::new() }))))
    }

    /// A mailer whose mail stays here, to be looked at.
    pub fn sunk(sink: MailSink) -> Self {
        Self(Way::Sink(sink))
    }

    /// Sends a letter.
    ///
    /// # Errors
    /// When it cannot be written, or the server does not take it within a minute.
    pub async fn send(&self, letter: &Letter) -> Result<(), MailError> {
        match &self.0 {
            Way::Sink(sink) => {
                sink.take(letter);
                Ok(())
            }
            Way::Server(server) => {
                let message = letter.to_message(&server.from)?;
                let sent = tokio::time::timeout(WHOLE, server.transport().send(message)).await;
                sent.map_err(|_| not_answered())?.map(drop).map_err(|error| not_taken(&error))
            }
        }
    }

    /// Whether the mail server answers and takes the password.
    ///
    /// # Errors
    /// When it does not.
    pub async fn try_out(&self) -> Result<(), MailError> {
        let Way::Server(server) = &self.0 else { return Ok(()) };
        match tokio::time::timeout(PATIENCE, server.build().test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) | Err(_) => Err(not_answered()),
            Ok(Err(error)) => Err(not_taken(&error)),
        }
    }
}

impl Server {
    fn transport(&self) -> &Transport {
        self.transport.get_or_init(|| self.build())
    }

    fn build(&self) -> Transport {
        let MailSettings { server, port, credentials, hello, .. } = &self.settings;
        let pool = PoolConfig::new().min_idle(0).max_size(CONNECTIONS).idle_timeout(KEPT_FOR);
        let builder = Transport::builder_dangerous(server.as_str())
            .port(*port)
            .tls(self.tls.clone())
            .hello_name(ClientId::Domain(hello.clone()))
            .timeout(Some(PATIENCE))
            .pool_config(pool);
        match credentials {
            Some((name, password)) => builder.credentials(Credentials::new(name.clone(), password.expose().to_owned())),
            None => builder,
        }
        .build()
    }
}

fn tls(settings: &MailSettings) -> Result<Tls, MailError> {
    let mut parameters = TlsParameters::builder(settings.server.clone());
    if let Some(pem) = &settings.authorities {
        let wrong = |why: String| MailError::Setting("ca_file", why);
        for authority in certificates(pem).map_err(wrong)? {
            parameters = parameters.add_root_certificate(authority);
        }
    }
    let parameters = parameters.build().map_err(|error| MailError::Setting("server", error.to_string()));
    match settings.security {
        MailSecurity::Tls => parameters.map(Tls::Wrapper),
        MailSecurity::StartTls => parameters.map(Tls::Required),
        MailSecurity::None => Ok(Tls::None),
    }
}

/// lettre reads one certificate at a time.
fn certificates(pem: &[u8]) -> Result<Vec<Certificate>, String> {
    const END: &str = "-----END CERTIFICATE-----";
    let text = std::str::from_utf8(pem).map_err(|error| error.to_string())?;
    let each = text.split_inclusive(END).filter(|part| part.contains(END));
    let read = each.map(|part| Certificate::from_pem(part.as_bytes()).map_err(|error| error.to_string()));
    let certificates = read.collect::<Result<Vec<_>, _>>()?;
    if certificates.is_empty() { Err("there is no certificate in it".to_owned()) } else { Ok(certificates) }
}

fn not_answered() -> MailError {
    MailError::NotTaken { reason: "it does not answer in time".to_owned(), is_refused: false }
}

/// A server that refuses the password may be given another one; what it refuses of a mail stays refused.
fn not_taken(error: &lettre::transport::smtp::Error) -> MailError {
    const PASSWORD: std::ops::RangeInclusive<u16> = 530..=538;
    let code = error.status().map(u16::from);
    let is_refused = error.is_permanent() && !code.is_some_and(|code| PASSWORD.contains(&code));
    let chain = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    let reason = chain.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    MailError::NotTaken { reason: grantor_core::audit::printable(&reason), is_refused }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn settings() -> MailSettings {
        MailSettings {
            server: "mail.example.com".to_owned(),
            port: 465,
            security: MailSecurity::Tls,
            credentials: Some(("grantor".to_owned(), SecretText::new("a very secret word".to_owned()))),
            from: "Grantor <no-reply@example.com>".to_owned(),
            authorities: None,
            hello: "id.example.com".to_owned(),
        }
    }

    #[test]
    fn a_sender_that_is_none_is_refused() {
        for from in ["", "Grantor", "a@b\r\nBcc: c@d", "<a@b> <c@d>"] {
            assert!(Mailer::new(MailSettings { from: from.to_owned(), ..settings() }).is_err(), "{from}");
        }
    }

    #[test]
    fn the_password_is_shown_to_nobody() {
        let shown = format!("{:?}", Mailer::new(settings()).unwrap());
        assert!(shown.contains("mail.example.com") && !shown.contains("very secret"), "{shown}");
    }

    #[test]
    fn authorities_are_certificates() {
        for pem in ["", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            let authorities = Some(pem.as_bytes().to_vec());
            assert!(Mailer::new(MailSettings { authorities, ..settings() }).is_err(), "{pem}");
        }
        let made = rcgen::generate_simple_self_signed(["mail.example.com".to_owned()]).unwrap().cert.pem();
        let authorities = Some(format!("{made}{made}").into_bytes());
        assert!(Mailer::new(MailSettings { authorities, ..settings() }).is_ok());
    }
}
