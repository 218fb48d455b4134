//! What the doctor finds of what goes out by itself: mail, and messages to webhooks.

use super::{Finding, broken, doubtful, readable_by_others, sound};
use crate::config::Config;
use crate::outgoing;
use crate::settings::Opened;

/// Whether the mail server answers and takes the password, and whether the webhooks have their secrets.
pub async fn examined(config: &Config, offline: bool) -> Vec<Finding> {
    let secrets = config.webhooks.iter().filter_map(|webhook| webhook.secret_file.as_deref());
    let files = secrets.chain(config.mail.password_file.as_deref());
    let mut findings: Vec<Finding> = files.filter_map(readable_by_others).collect();
    for webhook in &config.webhooks {
        if let Err(error) = outgoing::webhook(webhook) {
            findings.push(broken("webhooks", error.to_string(), "name a file with the secret"));
        }
    }
    match outgoing::mailer(config) {
        Err(error) => findings.push(broken("mail", error.to_string(), "mend what is named in [mail]")),
        Ok(Some(mailer)) if !offline => findings.push(match mailer.try_out().await {
            Ok(()) => sound("mail", "the mail server answers"),
            Err(error) => doubtful(
                "mail",
                error.to_string(),
                "look at server, port, security and password in [mail]; what is to be sent waits for three days",
            ),
        }),
        Ok(_) => {}
    }
    findings
}

/// Whether messages were given up.
pub async fn given_up(opened: &Opened) -> Option<Finding> {
    let given_up = opened.database.outbox_count_given_up().await.ok().filter(|count| *count > 0)?;
    let message = format!("messages that were given up in the last 30 days: {given_up}");
    let fix = "mend what the log names; `grantor webhook list` says why, `grantor webhook replay` tells it again";
    Some(doubtful("outbox", message, fix))
}
