//! From settings to what goes out by itself: the mailer, and the webhooks with their secrets.

use std::path::Path;

use grantor_jose::message_key::MessageKey;
use grantor_jose::secret::SecretText;
use grantor_web::mail::{MailSettings, Mailer};
use grantor_web::webhooks::Webhook;
use url::Url;

use crate::commands::CommandError;
use crate::config::outgoing::{self, Mail};
use crate::config::{Config, Hidden};

/// Where a secret for webhooks comes from.
const HOW_TO_MAKE_A_SECRET: &str = "make one with `echo whsec_$(openssl rand -base64 32)`";

/// Who carries notices to people, where the settings name a server.
///
/// # Errors
/// When a setting cannot be used.
pub fn mailer(config: &Config) -> Result<Option<Mailer>, CommandError> {
    let Mail { server: Some(server), port, security, username, from, ca_file, .. } = &config.mail else {
        return Ok(None);
    };
    let credentials = username.clone().zip(password(&config.mail)?);
    let authorities = match ca_file {
        Some(path) => Some(read(path)?.into_bytes()),
        None => None,
    };
    let settings = MailSettings {
        server: server.clone(),
        port: port.unwrap_or_else(|| security.port()),
        security: security.of_mailer(),
        credentials,
        from: from.clone().unwrap_or_default(),
        authorities,
        hello: host(&config.issuer),
    };
    let mailer = Mailer::new(settings).map_err(|error| CommandError::Refused(format!("mail.{error}")))?;
    Ok(Some(mailer))
}

/// The host of the issuer, by which this server greets others.
fn host(issuer: &str) -> String {
    let host = Url::parse(issuer).ok().and_then(|url| url.host_str().map(str::to_owned));
    host.unwrap_or_else(|| "localhost".to_owned())
}

fn password(mail: &Mail) -> Result<Option<SecretText>, CommandError> {
    let text = match (&mail.password, &mail.password_file) {
        (Some(text), _) => Some(text.expose().to_owned()),
        (None, Some(path)) => Some(read(path)?.trim_end_matches(['\r', '\n']).to_owned()),
        (None, None) => None,
    };
    Ok(text.map(SecretText::new))
}

/// A webhook with its secrets.
///
/// # Errors
/// When a secret cannot be read, or is none.
pub fn webhook(configured: &outgoing::Webhook) -> Result<Webhook, CommandError> {
    let outgoing::Webhook { name, url, secret, secret_file, .. } = configured;
    let text = match (secret.as_ref().map(Hidden::expose), secret_file) {
        (Some(text), _) => text.to_owned(),
        (None, Some(path)) => read(path)?,
        (None, None) => String::new(),
    };
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let keys: Vec<MessageKey> = lines.map(MessageKey::parse).collect::<Option<_>>().unwrap_or_default();
    if keys.is_empty() {
        let why = format!("webhooks, \"{name}\": the secret is no secret for webhooks; {HOW_TO_MAKE_A_SECRET}");
        return Err(CommandError::Refused(why));
    }
    Ok(Webhook { name: name.clone(), url: url.clone(), keys, events: configured.kinds() })
}

fn read(path: &Path) -> Result<String, CommandError> {
    std::fs::read_to_string(path).map_err(|source| CommandError::File { path: path.to_owned(), source })
}
