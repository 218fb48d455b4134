//! Delivery: what the outbox keeps is told to those whom it is for. Each target has a worker of its own in the background, so
//! that one that does not answer keeps nobody else waiting, and a few lanes, so that one message that takes long does not keep
//! the next from being tried.

use std::cell::RefCell;

use grantor_core::change::Change;
use grantor_core::outbox::{LEASE, Message, OutboxChange, Target, after_failure};
use grantor_core::store::{Store, StoreError};
use grantor_jose::id::Id;

use crate::app::App;
use crate::locale::Language;
use crate::mail::{Letter, MailError, Mailer, Sender};
use crate::outbound::OutboundError;
use crate::pages::notice::Notice;
use crate::webhooks::{self, Webhook};

/// So many messages are read at a time.
const AT_ONCE: u32 = 64;

/// Why a message could not be handed over.
struct Undelivered {
    reason: String,
    hope: Hope,
}

/// What trying again may be good for.
#[derive(Clone, Copy)]
enum Hope {
    /// It may work soon.
    Soon,
    /// It was refused: it may work when somebody has mended something.
    Later,
    /// What is to be told is not there any more.
    None,
}

impl Hope {
    const fn after(is_refused: bool) -> Self {
        if is_refused { Self::Later } else { Self::Soon }
    }
}

impl From<String> for Undelivered {
    fn from(reason: String) -> Self {
        Self { reason, hope: Hope::Soon }
    }
}

impl From<StoreError> for Undelivered {
    fn from(error: StoreError) -> Self {
        error.to_string().into()
    }
}

impl From<MailError> for Undelivered {
    fn from(error: MailError) -> Self {
        Self { reason: error.to_string(), hope: Hope::after(error.is_refused()) }
    }
}

impl From<OutboundError> for Undelivered {
    fn from(error: OutboundError) -> Self {
        Self { reason: error.to_string(), hope: Hope::after(matches!(error, OutboundError::Forbidden(_))) }
    }
}

impl App {
    /// Everybody who is told anything.
    pub fn targets(&self) -> Vec<Target> {
        let webhooks = self.settings.webhooks.iter().map(|webhook| Target::Webhook(webhook.name.clone()));
        webhooks.chain(self.settings.mailer.is_some().then_some(Target::Mail)).collect()
    }

    /// Delivers what is due to a target, each message once; says whether there may be more.
    ///
    /// # Errors
    /// Those of the store: what was claimed then is due again when its lease is over.
    pub async fn deliver(&self, target: &Target) -> Result<bool, StoreError> {
        let due = self.provider.store.outbox_due(target, self.clock.now(), AT_ONCE).await?;
        let is_full = u32::try_from(due.len()).is_ok_and(|found| found >= AT_ONCE);
        in_lanes(due, async |message| Box::pin(self.attempt(&message)).await).await?;
        Ok(is_full)
    }

    /// Claims a message, and tries to hand it over.
    async fn attempt(&self, message: &Message) -> Result<(), StoreError> {
        let Some(due_at) = message.due_at else { return Ok(()) };
        let (key, until) = (message.key.clone(), self.clock.now().plus(LEASE));
        let claim = OutboxChange::Claim { key: key.clone(), due_at, until };
        match self.provider.store.commit(vec![Change::Outbox(claim)]).await {
            // Another node has it.
            Err(StoreError::Conflict) => return Ok(()),
            claimed => claimed?,
        }
        let handed_over = match &key.target {
            Target::Mail => self.mail(key.id).await,
            Target::Webhook(name) => self.notify(name, key.id).await,
        };
        let became = match handed_over {
            Ok(()) => {
                self.metrics.delivered(&key.target);
                OutboxChange::Delivered(key)
            }
            Err(failure) => self.not_delivered(message, failure, until),
        };
        self.provider.store.commit(vec![Change::Outbox(became)]).await
    }

    fn not_delivered(&self, message: &Message, failure: Undelivered, until: grantor_core::time::Time) -> OutboxChange {
        let Undelivered { reason, hope } = failure;
        let key = message.key.clone();
        let spread = f64::from(u16::from_be_bytes(self.provider.mint.bytes())) / f64::from(u16::MAX);
        let again = |is_refused| after_failure(message, is_refused, spread, self.clock.now());
        let next = match hope {
            Hope::Soon => again(false),
            Hope::Later => again(true),
            Hope::None => None,
        };
        let error = grantor_core::audit::printable(&reason);
        let (id, target) = (key.id, &key.target);
        if next.is_none() {
            self.metrics.gave_up(target);
            tracing::error!(%id, %target, %error, "a message was given up");
        } else {
            tracing::warn!(%id, %target, %error, attempts = message.attempts + 1, "a message was not delivered; it is tried again");
        }
        OutboxChange::Failed { key, until, next, error }
    }

    /// Writes to the person of a notice. Who has no proved address, or is gone, is written nothing: the notice stands in the
    /// account, where there is one. So it does where another one of its kind was written of just before.
    async fn mail(&self, id: Id) -> Result<(), Undelivered> {
        let (Some(mailer), store) = (&self.settings.mailer, &self.provider.store) else { return Ok(()) };
        let Some(notice) = store.notice_find(id).await? else { return Ok(()) };
        let Some(user) = store.user_find(notice.user_id).await? else { return Ok(()) };
        let Some(to) = notice.written_to(&user) else { return Ok(()) };
        if let Some(span) = notice.mail_span()
            && store.notice_of_earlier_sign_in(&notice, span).await?.is_some()
        {
            return Ok(());
        }
        let locale = user.claim("locale").and_then(|locale| locale.as_str().and_then(Language::from_tag));
        let sender = Sender { name: &self.settings.name, issuer: self.provider.issuer.as_str() };
        let letter =
            Letter::of(&Notice::of(&notice, &self.directory()), to, locale.unwrap_or(self.settings.language), sender)?;
        Ok(Mailer::send(mailer, &letter).await?)
    }

    /// Tells a webhook of an event.
    async fn notify(&self, name: &str, id: Id) -> Result<(), Undelivered> {
        let webhook = self.settings.webhooks.iter().find(|webhook| webhook.name == name);
        let (Some(webhook), store) = (webhook, &self.provider.store) else { return Ok(()) };
        let Some(event) = store.event_find(id).await? else {
            return Err(Undelivered { reason: "the event is not kept any more".to_owned(), hope: Hope::None });
        };
        let user = match event.user_id {
            Some(user_id) => store.user_find(user_id).await?,
            None => None,
        };
        let body = webhooks::event_members(&event, user.as_ref().map(|user| user.username.as_str()));
        self.post(webhook, &webhooks::message_id(&event), &body).await
    }

    async fn post(&self, webhook: &Webhook, id: &str, body: &serde_json::Value) -> Result<(), Undelivered> {
        let request = webhook.request(id, self.clock.now(), body).map_err(|error| error.to_string())?;
        Ok(webhooks::taken(self.tell(request, &webhook.name).await?)?)
    }
}

/// Does `work` with each, some at a time; one that fails ends its lane, and cuts off none of the others in the middle.
pub(crate) async fn in_lanes<T, E>(all: Vec<T>, work: impl AsyncFn(T) -> Result<(), E>) -> Result<(), E> {
    let queue = RefCell::new(all.into_iter());
    let lane = async || -> Result<(), E> {
        loop {
            let next = queue.borrow_mut().next();
            let Some(one) = next else { return Ok(()) };
            work(one).await?;
        }
    };
    let (first, second, third, fourth) = tokio::join!(lane(), lane(), lane(), lane());
    first.and(second).and(third).and(fourth)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_that_fails_cuts_off_no_other() {
        let done = RefCell::new(Vec::new());
        let work = async |number: u8| {
            if number == 1 {
                return Err(number);
            }
            tokio::task::yield_now().await;
            done.borrow_mut().push(number);
            Ok(())
        };
        assert_eq!(in_lanes((1..=9).collect(), work).await, Err(1));
        let mut done = done.into_inner();
        done.sort_unstable();
        assert_eq!(done, [2, 3, 4, 5, 6, 7, 8, 9]);
    }
}
