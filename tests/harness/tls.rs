//! One certificate for all servers on this machine that speak TLS, of an authority that only tests trust.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use grantor_server::config::Config;

use super::folder::Folder;

/// The files.
pub struct Certificate {
    folder: Folder,
    /// What is trusted, in PEM.
    pub pem: String,
}

static CERTIFICATE: LazyLock<Certificate> = LazyLock::new(|| {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let names = ["127.0.0.1", "localhost"].map(str::to_owned);
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let folder = Folder::new();
    fs::write(folder.join("certificate.pem"), made.cert.pem()).unwrap();
    fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    Certificate { folder, pem: made.cert.pem() }
});

/// The certificate of tests.
pub fn certificate() -> &'static Certificate {
    &CERTIFICATE
}

impl Certificate {
    /// The file of the certificate, which is its own authority.
    pub fn file(&self) -> PathBuf {
        self.folder.join("certificate.pem")
    }

    /// The file of its private key.
    pub fn key_file(&self) -> PathBuf {
        self.folder.join("key.pem")
    }

    /// What a server of these tests speaks TLS with.
    pub fn server_config(&self) -> rustls::ServerConfig {
        grantor_server::tls::Certificate::read(&self.file(), &self.key_file()).unwrap().server_config().unwrap()
    }
}

/// Lets a server ask others on this machine.
pub fn trusting(config: &mut Config) {
    config.outbound.allow_hosts = vec!["127.0.0.1".parse().unwrap()];
    config.outbound.ca_file = Some(certificate().file());
}

/// Lets a server speak TLS.
pub fn speaking(config: &mut Config) {
    config.issuer = config.issuer.replace("http://", "https://");
    config.tls.certificate = Some(certificate().file());
    config.tls.key = Some(certificate().key_file());
}

/// A browser that trusts the certificate.
pub fn browser() -> reqwest::ClientBuilder {
    let certificate = reqwest::Certificate::from_pem(certificate().pem.as_bytes()).unwrap();
    reqwest::Client::builder().add_root_certificate(certificate).redirect(reqwest::redirect::Policy::none())
}
