//! The settings of what goes out by itself: mail to people, and messages to webhooks.

use std::path::PathBuf;

use grantor_core::audit::EventKind;
use grantor_core::outbox::{NOT_SENT, Subscriptions, TRIED_FOR};
use grantor_web::mail::MailSecurity;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{Config, Hidden};

/// How notices reach people by e-mail: those with a proved address, each in their language. Without a server they stand in the
/// account alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mail {
    /// The mail server's name, as in `mail.example.com`. Default none. It is yours to choose, so `[outbound]` says nothing of it: it
    /// may be a host of this machine or of a network that is not public.
    pub server: Option<String>,
    /// Its port. Default 465; with `starttls` 587; without any security 25.
    pub port: Option<u16>,
    /// How the connection is kept from others: `tls`, from the first byte; `starttls`, after a greeting in the clear; or
    /// `none_on_a_trusted_network`, where whoever is on the way reads the password and every mail. Default `tls`, and safer than
    /// `starttls`: there, whoever is on the way can put answers before the TLS that are taken for the server's after it.
    pub security: Security,
    /// The name that the mail server wants to know. Default none.
    pub username: Option<String>,
    /// The password that goes with it. Better kept in a file of its own.
    pub password: Option<Hidden>,
    /// The file that holds the password, readable by the server's user only.
    pub password_file: Option<PathBuf>,
    /// Who writes, as in `Grantor <no-reply@example.com>`. Needed with a server.
    pub from: Option<String>,
    /// The file, in PEM, of the authorities that the mail server's certificate may be of, beside the public ones.
    pub ca_file: Option<PathBuf>,
    /// Whether mail stays in memory, to be looked at: with `--dev`.
    #[serde(skip)]
    pub sunk: bool,
}

/// How the connection to the mail server is kept from others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Security {
    /// TLS from the first byte.
    #[default]
    Tls,
    /// TLS after the greeting.
    Starttls,
    /// None.
    NoneOnATrustedNetwork,
}

/// Another system that is told of events, as Standard Webhooks has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// The name for commands: small letters, digits and hyphens.
    pub name: String,
    /// Where it is told, by https. The guard of `[outbound]` stands before it.
    pub url: String,
    /// What its messages are signed with: `whsec_` and 24 to 64 bytes in base64. Better kept in a file of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Hidden>,
    /// The file that holds it, readable by the server's user only. Several lines are several secrets, while one takes the place
    /// of another: each signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_file: Option<PathBuf>,
    /// The kinds of events that it is told of, as `grantor events` names them. What strangers cause at will is not sent:
    /// `refused`, `sign_in_failed`, `sign_in_throttled`, `fetch_refused`.
    pub events: Vec<String>,
}

/// So many webhooks may be named: each has a worker of its own.
const MOST_WEBHOOKS: usize = 32;

impl Security {
    /// As the mailer names it.
    pub fn of_mailer(self) -> MailSecurity {
        match self {
            Self::Tls => MailSecurity::Tls,
            Self::Starttls => MailSecurity::StartTls,
            Self::NoneOnATrustedNetwork => MailSecurity::None,
        }
    }

    /// The port that mail servers have for it.
    pub fn port(self) -> u16 {
        match self {
            Self::Tls => 465,
            Self::Starttls => 587,
            Self::NoneOnATrustedNetwork => 25,
        }
    }
}

impl Webhook {
    /// The kinds of events that it is told of.
    pub fn kinds(&self) -> Vec<EventKind> {
        self.events.iter().filter_map(|word| kind(word)).collect()
    }

    fn fault(&self) -> Option<String> {
        let name_fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if self.name.is_empty() || self.name.len() > 40 || !self.name.bytes().all(name_fits) {
            return Some(format!("\"{}\" is no name: write small letters, digits and hyphens", self.name));
        }
        let told = |what: &str| Some(format!("\"{}\": {what}", self.name));
        let url = Url::parse(&self.url).ok().filter(|url| url.scheme() == "https" && url.host().is_some());
        let Some(url) = url else { return told("url is no https address") };
        if !url.username().is_empty() || url.password().is_some() {
            return told("url has a user name or a password in it, with which nobody is asked");
        }
        if self.secret.is_some() == self.secret_file.is_some() {
            return told("set one of secret and secret_file");
        }
        if self.events.is_empty() {
            return told("events names none");
        }
        let unknown = self.events.iter().find(|word| kind(word).is_none());
        if let Some(word) = unknown {
            return told(&format!("\"{word}\" is no kind of event; `grantor events --help` and its table name them"));
        }
        let not_sent = self.kinds().into_iter().find(|kind| NOT_SENT.contains(kind))?;
        told(&format!(
            "\"{}\" is not sent, since strangers cause it at will; `grantor events` has it",
            not_sent.as_str()
        ))
    }
}

fn kind(word: &str) -> Option<EventKind> {
    EventKind::ALL.iter().copied().find(|kind| kind.as_str() == word)
}

impl Config {
    /// Who is told of what.
    pub fn subscriptions(&self) -> Subscriptions {
        Subscriptions {
            mail: self.mail.sunk || self.mail.server.is_some(),
            webhooks: self.webhooks.iter().map(|webhook| (webhook.name.clone(), webhook.kinds())).collect(),
        }
    }

    /// What is wrong with the settings of mail: the key, and why.
    pub(super) fn mail_fault(&self) -> Option<(&'static str, &'static str)> {
        let Mail { server, username, password, password_file, from, .. } = &self.mail;
        let has_password = password.is_some() || password_file.is_some();
        let rules = [
            ("mail.from", server.is_some() && from.is_none(), "is missing"),
            ("mail.server", server.is_none() && from.is_some(), "is missing"),
            ("mail.server", server.as_deref() == Some(""), "is empty"),
            ("mail.password", password.is_some() && password_file.is_some(), "is set beside password_file"),
            ("mail.username", username.is_none() && has_password, "is missing, and there is a password"),
            ("mail.password_file", username.is_some() && !has_password, "is missing, and there is a username"),
        ];
        rules.into_iter().find(|(_, broken, _)| *broken).map(|(key, _, why)| (key, why))
    }

    /// What is wrong with the webhooks.
    pub(super) fn webhooks_fault(&self) -> Option<String> {
        let names = || self.webhooks.iter().map(|webhook| &webhook.name);
        if let Some(twice) = names().find(|name| names().filter(|other| other == name).count() > 1) {
            return Some(format!("has the name \"{twice}\" twice"));
        }
        if self.webhooks.len() > MOST_WEBHOOKS {
            return Some(format!("names more than {MOST_WEBHOOKS}"));
        }
        if !self.webhooks.is_empty() && self.lifetimes.events_kept < TRIED_FOR {
            return Some("needs lifetimes.events_kept to be 3 days or more: so long a message is tried for".to_owned());
        }
        self.webhooks.iter().find_map(Webhook::fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook() -> Webhook {
        Webhook {
            name: "siem".into(),
            url: "https://siem.example/grantor".into(),
            secret: Some(Hidden::new("x")),
            secret_file: None,
            events: vec!["user_changed".into()],
        }
    }

    fn fault(change: impl FnOnce(&mut Webhook)) -> String {
        let mut changed = webhook();
        change(&mut changed);
        Config { webhooks: vec![changed], ..Config::default() }.webhooks_fault().unwrap_or_default()
    }

    #[test]
    fn each_wrong_webhook_says_what_is_wrong() {
        assert_eq!(fault(|_| ()), "");
        assert!(fault(|webhook| webhook.name = "The SIEM".into()).contains("no name"));
        assert!(fault(|webhook| webhook.url = "http://siem.example/".into()).contains("https"));
        assert!(fault(|webhook| webhook.url = "https://grantor:secret@siem.example/".into()).contains("user name"));
        assert!(fault(|webhook| webhook.url = "https://:secret@siem.example/".into()).contains("password"));
        assert!(fault(|webhook| webhook.secret = None).contains("secret_file"));
        assert!(fault(|webhook| webhook.events.clear()).contains("none"));
        assert!(fault(|webhook| webhook.events = vec!["all".into()]).contains("no kind of event"));
        assert!(fault(|webhook| webhook.events = vec!["refused".into()]).contains("strangers"));
        let mut short = Config { webhooks: vec![webhook()], ..Config::default() };
        short.lifetimes.events_kept = TRIED_FOR / 2;
        assert!(short.webhooks_fault().is_some_and(|fault| fault.contains("events_kept")));
        let twice = Config { webhooks: vec![webhook(), webhook()], ..Config::default() };
        assert!(twice.webhooks_fault().is_some_and(|fault| fault.contains("twice")));
    }

    #[test]
    fn mail_needs_what_belongs_together() {
        let fault = |mail: Mail| Config { mail, ..Config::default() }.mail_fault();
        let server = || Mail { server: Some("mail.example.com".into()), from: Some("a@b.c".into()), ..Mail::default() };
        assert_eq!((fault(Mail::default()), fault(server())), (None, None));
        assert_eq!(fault(Mail { from: None, ..server() }), Some(("mail.from", "is missing")));
        let named = Mail { username: Some("grantor".into()), ..server() };
        assert!(fault(named.clone()).is_some());
        assert_eq!(fault(Mail { password: Some(Hidden::new("x")), ..named }), None);
    }
}
