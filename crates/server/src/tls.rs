//! TLS: the server's own certificate, read from PEM files and read again on demand.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// Why a certificate cannot be used: the file, what is wrong, what would be right.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file could not be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file does not hold what it should.
    #[error("{}: {message}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The two files do not belong together, or the key is of a kind that is not known.
    #[error("{} and {}: {source}", certificate.display(), key.display())]
    Unfit {
        /// The file with the certificate.
        certificate: PathBuf,
        /// The file with the key.
        key: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

/// A certificate on disk, and the one in use.
#[derive(Debug)]
pub struct Certificate {
    chain_file: PathBuf,
    key_file: PathBuf,
    current: RwLock<Arc<CertifiedKey>>,
}

impl Certificate {
    /// Reads the certificate and its key.
    ///
    /// # Errors
    /// When a file cannot be read, is not PEM, or the two do not belong together.
    pub fn read(chain_file: &Path, key_file: &Path) -> Result<Arc<Self>, TlsError> {
        let current = RwLock::new(Arc::new(certified(chain_file, key_file)?));
        Ok(Arc::new(Self { chain_file: chain_file.to_owned(), key_file: key_file.to_owned(), current }))
    }

    /// Reads the files again; what is in use stays when they are wrong.
    ///
    /// # Errors
    /// Those of [`Certificate::read`].
    pub fn reload(&self) -> Result<(), TlsError> {
        let fresh = Arc::new(certified(&self.chain_file, &self.key_file)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// TLS 1.2 and 1.3 with this certificate.
    ///
    /// # Errors
    /// Never with the versions that ring offers.
    pub fn server_config(self: &Arc<Self>) -> Result<ServerConfig, TlsError> {
        let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|source| self.unfit(source))?;
        let mut config =
            builder.with_no_client_auth().with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    fn unfit(&self, source: rustls::Error) -> TlsError {
        TlsError::Unfit { certificate: self.chain_file.clone(), key: self.key_file.clone(), source }
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn certified(chain_file: &Path, key_file: &Path) -> Result<CertifiedKey, TlsError> {
    let chain = CertificateDer::pem_slice_iter(&bytes(chain_file)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| wrong(chain_file, &format!("is not PEM: {error}")))?;
    if chain.is_empty() {
        return Err(wrong(chain_file, "holds no certificate (\"-----BEGIN CERTIFICATE-----\")"));
    }
    let key = PrivateKeyDer::from_pem_slice(&bytes(key_file)?).map_err(|error| match error {
        pem::Error::NoItemsFound => wrong(key_file, "holds no private key (\"-----BEGIN PRIVATE KEY-----\")"),
        error => wrong(key_file, &format!("is not PEM: {error}")),
    })?;
    CertifiedKey::from_der(chain, key, &default_provider()).map_err(|source| TlsError::Unfit {
        certificate: chain_file.to_owned(),
        key: key_file.to_owned(),
        source,
    })
}

fn bytes(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Unreadable { path: path.to_owned(), source })
}

fn wrong(path: &Path, message: &str) -> TlsError {
    TlsError::Wrong { path: path.to_owned(), message: message.to_owned() }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn an_error_names_the_file_and_what_is_wrong() {
        let folder = Scratch::new();
        let (chain, key) = (folder.write("chain.pem", ""), folder.path("none.pem"));
        let message = Certificate::read(&chain, &key).unwrap_err().to_string();
        assert!(message.contains("chain.pem: holds no certificate"), "{message}");
        let chain = folder.write("chain.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        let message = Certificate::read(&chain, &key).unwrap_err().to_string();
        assert!(message.contains("none.pem: cannot be read"), "{message}");
        let key = folder.write("key.pem", "no key");
        let message = Certificate::read(&chain, &key).unwrap_err().to_string();
        assert!(message.contains("key.pem: holds no private key"), "{message}");
    }

    /// A certificate for `localhost` that signs itself, and its key.
    fn pair(folder: &Scratch, name: &str) -> (PathBuf, PathBuf) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let chain = folder.write(&format!("{name}.pem"), &made.cert.pem());
        (chain, folder.write(&format!("{name}.key"), &made.signing_key.serialize_pem()))
    }

    #[test]
    fn a_certificate_goes_with_its_own_key_only() {
        let folder = Scratch::new();
        let ((chain, key), (_, other)) = (pair(&folder, "a"), pair(&folder, "b"));
        assert!(Certificate::read(&chain, &key).unwrap().server_config().is_ok());
        let message = Certificate::read(&chain, &other).unwrap_err().to_string();
        assert!(message.contains("a.pem and ") && message.contains("b.key: "), "{message}");
    }

    #[test]
    fn a_renewed_certificate_is_taken_and_a_broken_one_is_not() {
        let folder = Scratch::new();
        let (chain, key) = pair(&folder, "a");
        let certificate = Certificate::read(&chain, &key).unwrap();
        let in_use = || certificate.current.read().unwrap().cert[0].clone();
        let first = in_use();
        let _ = pair(&folder, "a");
        certificate.reload().unwrap();
        let second = in_use();
        assert_ne!(first, second);
        folder.write("a.pem", "broken");
        assert!(certificate.reload().is_err());
        assert_eq!(in_use(), second);
    }
}
