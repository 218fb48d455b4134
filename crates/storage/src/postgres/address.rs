//! Where the database is, and how it is spoken to. Over a network that is TLS with a certificate that is checked, unless the
//! URL says `sslmode=disable`.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::open_error::OpenError;

const CONNECT: Duration = Duration::from_secs(2);
/// How long the network may keep an answer before the connection counts as broken.
const SILENCE: Duration = Duration::from_secs(5);

/// Where the database is.
pub(super) struct Address {
    pub(super) config: Config,
    pub(super) tls: MakeRustlsConnect,
}

impl Address {
    /// Reads a `postgres://` URL; `certificates` is a PEM file with the authorities that the database's certificate may be of,
    /// beside the public ones.
    pub(super) fn parse(url: &str, certificates: Option<&Path>) -> Result<Self, OpenError> {
        let mut config: Config =
            url.parse().map_err(|error: tokio_postgres::Error| OpenError::Address(told(&error)))?;
        if config.get_hosts().is_empty() {
            return Err(OpenError::Address("it names no host".to_owned()));
        }
        // Where an address is given beside the name, it is what is connected to.
        let local = config.get_hosts().iter().all(is_local) && config.get_hostaddrs().iter().all(IpAddr::is_loopback);
        // With `prefer`, whoever stands in between could have the password sent in the clear.
        match (config.get_ssl_mode(), local) {
            (SslMode::Prefer, true) => config.ssl_mode(SslMode::Disable),
            (SslMode::Prefer, false) => config.ssl_mode(SslMode::Require),
            _ => &mut config,
        };
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        config
            .application_name("grantor")
            .tcp_user_timeout(SILENCE)
            .keepalives_idle(2 * SILENCE)
            .target_session_attrs(TargetSessionAttrs::ReadWrite);
        Ok(Self { config, tls: MakeRustlsConnect::new(client_config(certificates)?) })
    }
}

/// The address that a URL means, without its password and without what else it says.
pub(crate) fn shown(url: &str) -> Option<String> {
    let config: Config = url.parse().ok()?;
    let ports = config.get_ports().iter().chain(std::iter::repeat(config.get_ports().last().unwrap_or(&5432)));
    let hosts = config.get_hosts().iter().zip(ports).map(|(host, port)| match host {
        Host::Tcp(name) if name.contains(':') => format!("[{name}]:{port}"),
        Host::Tcp(name) => format!("{name}:{port}"),
        Host::Unix(folder) => format!("{}:{port}", folder.display().to_string().replace('/', "%2F")),
    });
    let hosts = hosts.collect::<Vec<_>>().join(",");
    let user = config.get_user()?;
    Some(format!("postgres://{user}@{hosts}/{}", config.get_dbname().unwrap_or(user)))
}

/// An error without the URL, which holds a password.
fn told(error: &tokio_postgres::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
    }
}

fn client_config(certificates: Option<&Path>) -> Result<ClientConfig, OpenError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = certificates {
        let refused = |reason: String| OpenError::Certificates { path: path.to_owned(), reason };
        let file = CertificateDer::pem_file_iter(path).map_err(|error| refused(error.to_string()))?;
        for certificate in file {
            let certificate = certificate.map_err(|error| refused(error.to_string()))?;
            roots.add(certificate).map_err(|error| refused(error.to_string()))?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| OpenError::Address(error.to_string()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn mode(url: &str) -> SslMode {
        Address::parse(url, None).map(|address| address.config.get_ssl_mode()).unwrap()
    }

    #[test]
    fn a_database_elsewhere_is_spoken_to_by_tls_unless_the_url_says_otherwise() {
        assert_eq!(mode("postgres://u@db.example.com/g"), SslMode::Require);
        assert_eq!(mode("postgres://u@db.example.com/g?sslmode=prefer"), SslMode::Require);
        assert_eq!(mode("postgres://u@127.0.0.1,10.0.0.2/g"), SslMode::Require);
        assert_eq!(mode("postgres://u@db.example.com/g?sslmode=disable"), SslMode::Disable);
        assert_eq!(mode("postgres://u@[::1]/g"), SslMode::Disable);
        assert_eq!(mode("postgres://u@%2Frun%2Fpostgresql/g"), SslMode::Disable);
        assert_eq!(mode("postgres://u@localhost/g?sslmode=require"), SslMode::Require);
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        for (url, said) in [
            ("postgres://u:hidden@db.example/g", "postgres://u@db.example:5432/g"),
            ("postgres://u:12?hidden@h/g", "postgres://u@h:5432/g"),
            ("postgresql://u:hid/den@h:1,[::1]:2/g?password=hidden", "postgres://u@h:1,[::1]:2/g"),
            ("postgres://u@%2Frun%2Fpg/g?password=a@hidden", "postgres://u@%2Frun%2Fpg:5432/g"),
            ("postgres://u:hidden@h", "postgres://u@h:5432/u"),
        ] {
            assert_eq!(shown(url).as_deref(), Some(said), "{url}");
        }
        assert_eq!(shown("postgres://u:hidden@h:port/g"), None);
    }

    #[test]
    fn an_error_about_a_url_keeps_its_password() {
        for url in ["postgres://u:hidden@h:port/g", "postgres://u:hidden@h/g?nonsense=1", "postgres:///g"] {
            let error = Address::parse(url, None).err().unwrap().to_string();
            assert!(!error.contains("hidden") && error.contains("postgres://"), "{error}");
        }
    }
}
