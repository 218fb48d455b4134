//! What the doctor finds of what goes out by itself: mail, and messages to webhooks.

use grantor_core::backchannel_logout::Standing;
use grantor_core::outbox::Target;
use grantor_storage::Held;

use super::{Finding, broken, doubtful, readable_by_others, sound};
use crate::commands::webhook;
use crate::config::Config;
use crate::outgoing;
use crate::output::printable;
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

/// Whether messages were given up, and whether there are some that nobody delivers.
pub async fn undelivered(opened: &Opened) -> Vec<Finding> {
    let (Ok(targets), Ok(unnamed)) = (opened.database.outbox_targets().await, webhook::unnamed(opened).await) else {
        // The database says so elsewhere.
        return Vec::new();
    };
    let given_up: i64 = targets.iter().map(|held| held.given_up).sum();
    let is_mail = |held: &Held| held.target == Target::Mail && held.given_up > 0;
    let is_webhook = |held: &Held| held.target != Target::Mail && held.given_up > 0;
    let mail = "`grantor mail list` says why, `grantor mail replay` sends them again";
    let webhooks = "`grantor webhook list` says why, `grantor webhook replay` tells them again";
    let fix: Vec<&str> = [(targets.iter().any(is_mail), mail), (targets.iter().any(is_webhook), webhooks)]
        .into_iter()
        .filter_map(|(is_so, fix)| is_so.then_some(fix))
        .collect();
    let gave_up = (given_up > 0).then(|| {
        let message = format!("messages that were given up in the last 30 days: {given_up}");
        doubtful("outbox", message, format!("mend what the log names; {}", fix.join("; ")))
    });
    let left = (!unnamed.is_empty()).then(|| {
        let message = format!("there are messages to webhooks that the settings do not name: {}", unnamed.join(", "));
        doubtful("outbox", printable(&message), "name them again, or `grantor webhook forget` them")
    });
    gave_up.into_iter().chain(left).chain(untold(opened).await).collect()
}

/// Whether apps could not be told of sessions that had ended.
async fn untold(opened: &Opened) -> Option<Finding> {
    let open = opened.database.logout_notices(None, false, 10_000).await.ok()?;
    let failed = open.iter().filter(|notice| matches!(notice.standing, Standing::Over(..))).count();
    let fix = "`grantor logout list` says why, `grantor logout replay` tells them again";
    let message = || format!("sign-outs of the last 30 days that apps were not told of, or refused: {failed}");
    (failed > 0).then(|| doubtful("logout", message(), fix))
}
