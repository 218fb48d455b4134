//! The rules between settings. Each finding names the key, what is wrong and what would be right.

use std::fmt;
use std::net::SocketAddr;

use grantor_core::provider::Issuer;

use crate::config::Config;
use crate::config::load::ConfigError;

/// What is wrong with one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The key.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub fix: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}; {}", self.key, self.message, self.fix)
    }
}

fn finding(key: &str, message: impl Into<String>, fix: impl Into<String>) -> Finding {
    Finding { key: key.to_owned(), message: message.into(), fix: fix.into() }
}

/// How to make and place a key-encryption key, in words.
pub const HOW_TO_MAKE_A_KEY: &str = "make one with `grantor key generate-encryption-key > /etc/grantor/encryption.key`, \
    `chmod 600` it, and set key_encryption_key_file = \"/etc/grantor/encryption.key\"";

impl Config {
    /// What is wrong with these settings; nothing when the server can start with them.
    pub fn findings(&self) -> Vec<Finding> {
        let rules = [
            self.issuer_finding(),
            self.key_finding(),
            self.listen_finding(),
            self.tls_finding(),
            self.database_finding(),
            self.accent_finding(),
            self.language_finding(),
            self.limits_finding(),
            self.reporters_finding(),
            self.webfinger_finding(),
            self.mail_fault().map(|(key, why)| finding(key, why, "see [mail] in `grantor config example`")),
            self.webhooks_fault().map(|why| finding("webhooks", why, "see webhooks in `grantor config example`")),
        ];
        let of = |section: &'static str, findings: Vec<(&'static str, &'static str)>| {
            let named = move |(key, why)| finding(&format!("{section}.{key}"), why, "see `grantor config example`");
            findings.into_iter().map(named)
        };
        let lifetimes = of("lifetimes", self.lifetimes.findings());
        let registration = of("registration", self.registration.findings());
        let tokens = of("tokens", self.tokens.findings());
        rules.into_iter().flatten().chain(lifetimes).chain(tokens).chain(registration).collect()
    }

    /// Refuses settings with which the server must not start.
    ///
    /// # Errors
    /// All findings, one line each.
    pub fn check(&self) -> Result<(), ConfigError> {
        let findings = self.findings();
        if findings.is_empty() {
            Ok(())
        } else {
            Err(ConfigError::Wrong(findings.iter().map(ToString::to_string).collect()))
        }
    }

    /// Whether the server speaks TLS itself.
    pub fn speaks_tls(&self) -> bool {
        self.tls.certificate.is_some() && self.tls.key.is_some()
    }

    fn reporters_finding(&self) -> Option<Finding> {
        let key_ids = || self.leak_reporters.iter().map(|reporter| &reporter.key_id);
        let twice = key_ids().find(|key_id| key_ids().filter(|other| other == key_id).count() > 1)?;
        let why = format!("has the key_id \"{twice}\" twice");
        Some(finding("leak_reporters", why, "give each reporter the name of its own key"))
    }

    fn webfinger_finding(&self) -> Option<Finding> {
        let is_host = |host: &str| {
            let url = url::Url::parse(&format!("https://{host}/")).ok();
            url.is_some_and(|url| url.host_str() == Some(host) && url.port().is_none())
        };
        let wrong = self.webfinger_hosts.iter().find(|host| !is_host(host))?;
        let why = format!("\"{wrong}\" is not the name of a host in small letters");
        Some(finding("webfinger_hosts", why, "write each as \"example.com\", without scheme, port and path"))
    }

    fn issuer_finding(&self) -> Option<Finding> {
        if self.issuer.is_empty() {
            return Some(finding(
                "issuer",
                "is missing",
                "set the address by which apps reach this server, as \"https://id.example.com\"",
            ));
        }
        let why = Issuer::parse(&self.issuer).err()?;
        Some(finding(
            "issuer",
            format!("\"{}\" cannot be used: {why}", self.issuer),
            "write it as \"https://id.example.com\"",
        ))
    }

    fn key_finding(&self) -> Option<Finding> {
        match (&self.key_encryption_key, &self.key_encryption_key_file) {
            (None, None) => Some(finding("key_encryption_key_file", "is missing", HOW_TO_MAKE_A_KEY)),
            (Some(_), Some(_)) => {
                Some(finding("key_encryption_key", "is set beside key_encryption_key_file", "set one of the two"))
            }
            _ => None,
        }
    }

    // Stricter than RFC 6749 §3.1 and §3.2, which ask for TLS at the endpoints: plain HTTP leaves this host only to a proxy
    // that was named, because else passwords and tokens would cross the network in the clear by one wrong setting.
    fn listen_finding(&self) -> Option<Finding> {
        let open = !is_loopback(&self.listen) && !self.speaks_tls() && self.trusted_proxies.is_empty();
        open.then(|| {
            finding(
                "listen",
                format!("{} is reached from other hosts by plain HTTP", self.listen),
                "set tls.certificate and tls.key, or name the proxy in trusted_proxies, or listen on 127.0.0.1",
            )
        })
    }

    fn tls_finding(&self) -> Option<Finding> {
        match (&self.tls.certificate, &self.tls.key) {
            (Some(_), None) => {
                Some(finding("tls.key", "is missing", "name the file with the certificate's private key"))
            }
            (None, Some(_)) => Some(finding("tls.certificate", "is missing", "name the file with the certificate")),
            _ => None,
        }
    }

    fn database_finding(&self) -> Option<Finding> {
        let known = ["sqlite:", "postgres://", "postgresql://"];
        let place = known.iter().find_map(|scheme| self.database_url.expose().strip_prefix(scheme));
        let how = "write it as \"sqlite:grantor.db\", or as \"postgres://USER:PASSWORD@HOST/DATABASE\"";
        place.is_none_or(str::is_empty).then(|| finding("database_url", "is not known", how))
    }

    fn accent_finding(&self) -> Option<Finding> {
        let accent = self.accent.as_ref()?;
        let digits = accent.strip_prefix('#').unwrap_or_default();
        let colour = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        (!colour).then(|| finding("accent", format!("\"{accent}\" is no colour"), "write it as \"#0b6b5d\""))
    }

    fn language_finding(&self) -> Option<Finding> {
        let offered = ["en", "de"].contains(&self.default_language.as_str());
        (!offered).then(|| finding("default_language", "is not offered", "write \"en\" or \"de\""))
    }

    fn limits_finding(&self) -> Option<Finding> {
        if self.limits.body_bytes < 1024 {
            return Some(finding("limits.body_bytes", "is too small for any form", "allow at least 1024"));
        }
        let none = self.limits.connections == 0 || self.limits.password_queue == 0;
        none.then(|| finding("limits", "let nobody in: connections or password_queue is 0", "allow at least 1"))
    }
}

/// Whether an address is reached from this host only.
pub fn is_loopback(address: &SocketAddr) -> bool {
    address.ip().is_loopback()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::config::Hidden;

    fn sound() -> Config {
        Config {
            issuer: "https://id.example.com".into(),
            key_encryption_key: Some(Hidden::new("x")),
            ..Config::default()
        }
    }

    fn keys(config: &Config) -> Vec<String> {
        config.findings().into_iter().map(|finding| finding.key).collect()
    }

    #[test]
    fn nothing_starts_by_default() {
        assert_eq!(keys(&Config::default()), ["issuer", "key_encryption_key_file"]);
        let message = Config::default().check().unwrap_err().to_string();
        assert!(message.contains("grantor key generate-encryption-key"), "{message}");
        assert_eq!(keys(&sound()), [""; 0]);
    }

    // "Communication with the Authorization Endpoint MUST utilize TLS." (OIDC Core §3.1.2)
    // "Communication with the Token Endpoint MUST utilize TLS." (OIDC Core §3.1.3)
    // "Communication with the UserInfo Endpoint MUST utilize TLS." (OIDC Core §5.3)
    // "all communication with the Registration Endpoint MUST utilize TLS." (OIDC Registration §9)
    // "Since requests to the client registration endpoint result in the transmission of clear-text credentials (in the HTTP request
    // and response), the authorization server MUST require the use of a transport-layer security mechanism when sending requests to
    // the registration endpoint." (RFC 7591 §5)
    // "Since requests to the client configuration endpoint result in the transmission of clear-text credentials (in the HTTP
    // request and response), the authorization server MUST require the use of a transport-layer security mechanism when sending
    // requests to the endpoint." (RFC 7592 §5)
    // "The client registration endpoint MUST be protected by a transport-layer security mechanism, as described in Section 5." (RFC
    // 7591 §3)
    // "The client configuration endpoint MUST be protected by a transport-layer security mechanism, as described in Section 5."
    // (RFC 7592 §2)
    #[test]
    fn plain_http_leaves_the_host_only_to_a_named_proxy() {
        let open = Config { listen: "0.0.0.0:8080".parse().unwrap(), ..sound() };
        assert_eq!(keys(&open), ["listen"]);
        let behind = Config { trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()], ..open.clone() };
        assert_eq!(keys(&behind), [""; 0]);
        let tls = crate::config::Tls { certificate: Some("c.pem".into()), key: Some("k.pem".into()) };
        assert_eq!(keys(&Config { tls, ..open }), [""; 0]);
    }

    #[test]
    fn an_issuer_on_the_network_is_https() {
        assert_eq!(keys(&Config { issuer: "http://id.example.com".into(), ..sound() }), ["issuer"]);
        assert_eq!(keys(&Config { issuer: "http://localhost:8080".into(), ..sound() }), [""; 0]);
        assert_eq!(keys(&Config { issuer: "https://id.example.com/".into(), ..sound() }), ["issuer"]);
    }

    #[test]
    fn each_wrong_setting_is_named() {
        let wrong = Config {
            accent: Some("red".into()),
            default_language: "fr".into(),
            database_url: Hidden::new("mysql:x"),
            ..sound()
        };
        assert_eq!(keys(&wrong), ["database_url", "accent", "default_language"]);
    }
}
