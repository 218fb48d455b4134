//! What is read of the outbox and of notices: by those who deliver, by pages and by commands.

use grantor_core::api_token::ApiToken;
use grantor_core::api_token::watch::{Watch, Watched};
use grantor_core::audit::Event;
use grantor_core::notice::{self, Notice};
use grantor_core::outbox::{Message, Target};
use grantor_core::store::StoreError;
use grantor_core::time::Time;
use grantor_jose::id::Id;

use crate::column::Place;
use crate::sweep::first_id_at;
use crate::{Database, EventFilter, api_token_watches, api_tokens, notices, outbox, query};

/// What waits to be delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// How many messages.
    pub messages: i64,
    /// Since when the oldest does.
    pub since: Option<Time>,
}

/// What is kept for a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// For whom.
    pub target: Target,
    /// How many messages wait.
    pub waiting: i64,
    /// How many were given up.
    pub given_up: i64,
}

impl Database {
    /// At most `most` messages that a target is to be told at `now`, the longest due first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn outbox_due(&self, target: &Target, now: Time, most: u32) -> Result<Vec<Message>, StoreError> {
        let target = target.to_string();
        let rows: Vec<outbox::Row> = query!(self, load, outbox::due(&target, now.millis(), most.into()))?;
        rows.into_iter().map(Message::try_from).collect()
    }

    /// At most `most` messages to a target that were given up, the newest first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn outbox_given_up(&self, target: &Target, most: u32) -> Result<Vec<Message>, StoreError> {
        let target = target.to_string();
        let rows: Vec<outbox::Row> = query!(self, load, outbox::given_up(&target, most.into()))?;
        rows.into_iter().map(Message::try_from).collect()
    }

    /// What waits to be delivered: to one target, or to all.
    ///
    /// # Errors
    /// What the database says.
    pub async fn outbox_waiting(&self, target: Option<&Target>) -> Result<Waiting, StoreError> {
        let (messages, since): (Option<i64>, Option<i64>) = match target.map(ToString::to_string) {
            Some(target) => (
                query!(self, first?, outbox::count_waiting_for(&target))?,
                query!(self, first?, outbox::waiting_for_since(&target))?,
            ),
            None => (query!(self, first?, outbox::count_waiting())?, query!(self, first?, outbox::waiting_since())?),
        };
        Ok(Waiting { messages: messages.unwrap_or_default(), since: since.map(Time::from_millis) })
    }

    /// How many messages were given up, to whomever.
    ///
    /// # Errors
    /// What the database says.
    pub async fn outbox_count_given_up(&self) -> Result<i64, StoreError> {
        let count: Option<i64> = query!(self, first?, outbox::count_given_up())?;
        Ok(count.unwrap_or_default())
    }

    /// The event with an identifier.
    ///
    /// # Errors
    /// What the database says.
    pub async fn event_find(&self, id: Id) -> Result<Option<Event>, StoreError> {
        let found = self.events(&EventFilter { id: Some(id), limit: 1, ..EventFilter::default() }).await?;
        Ok(found.into_iter().next())
    }

    /// The notice with an identifier, dismissed or not.
    ///
    /// # Errors
    /// What the database says.
    pub async fn notice_find(&self, id: Id) -> Result<Option<Notice>, StoreError> {
        let row: Option<notices::Row> = query!(self, first?, notices::find(id.as_i64()))?;
        row.map(Notice::try_from).transpose()
    }

    /// The notices that a person has not dismissed, the newest first; of sign-ins some, and however many those are, none of the
    /// others the less.
    ///
    /// # Errors
    /// What the database says.
    pub async fn notices_of(&self, user_id: Id) -> Result<Vec<Notice>, StoreError> {
        let (user_id, kind) = (user_id.as_i64(), notice::SIGNED_IN);
        let mut rows: Vec<notices::Row> = query!(self, load, notices::of_kind(user_id, kind, notices::MOST_SIGN_INS))?;
        let others: Vec<notices::Row> =
            query!(self, load, notices::of_other_kinds(user_id, kind, notices::MOST_OTHERS))?;
        rows.extend(others);
        let mut all = rows.into_iter().map(Notice::try_from).collect::<Result<Vec<_>, _>>()?;
        all.sort_unstable_by_key(|notice| std::cmp::Reverse(notice.id));
        Ok(all)
    }

    /// The first notice of a sign-in that a person was given since a moment and before `notice`, dismissed or not.
    ///
    /// # Errors
    /// What the database says.
    pub async fn notice_of_earlier_sign_in(&self, notice: &Notice, since: Time) -> Result<Option<Notice>, StoreError> {
        let (user_id, from, before) = (notice.user_id.as_i64(), first_id_at(since), notice.id.as_i64());
        let row: Option<notices::Row> =
            query!(self, first?, notices::first_between(user_id, notice::SIGNED_IN, from, before))?;
        row.map(Notice::try_from).transpose()
    }

    /// How many messages there are for each target that has any.
    ///
    /// # Errors
    /// What the database says.
    pub async fn outbox_targets(&self) -> Result<Vec<Held>, StoreError> {
        let rows: Vec<(String, i64, i64)> = query!(self, load, outbox::targets())?;
        let held = |(target, waiting, all): (String, i64, i64)| {
            let target = target.parse().map_err(|()| Place::new("outbox", 0).corrupt("target"))?;
            Ok(Held { target, waiting, given_up: all - waiting })
        };
        rows.into_iter().map(held).collect()
    }

    /// Those of the tokens that are there, with what is known of them beside themselves.
    ///
    /// # Errors
    /// What the database says.
    pub async fn api_tokens_watched(&self, ids: &[Id]) -> Result<Vec<Watched>, StoreError> {
        let ids: Vec<i64> = ids.iter().map(|id| id.as_i64()).collect();
        let rows: Vec<(api_tokens::Row, Option<api_token_watches::Row>)> =
            query!(self, load, api_token_watches::of_tokens(ids.clone()))?;
        let watched = |(token, watch): (api_tokens::Row, Option<api_token_watches::Row>)| {
            let token = ApiToken::try_from(token)?;
            let watch = watch.map(Watch::try_from).transpose()?;
            Ok(Watched { token_id: token.id, owner: token.owner, name: token.name, watch })
        };
        rows.into_iter().map(watched).collect()
    }

    /// At most `most` tokens that expire after `after` and until `through`, and of which nobody was told, those
    /// that expire first.
    ///
    /// # Errors
    /// What the database says.
    pub async fn api_tokens_expiring(
        &self,
        after: Time,
        through: Time,
        most: u32,
    ) -> Result<Vec<(ApiToken, Option<Watch>)>, StoreError> {
        let rows: Vec<(api_tokens::Row, Option<api_token_watches::Row>)> =
            query!(self, load, api_token_watches::expiring(after.millis(), through.millis(), most.into()))?;
        let read = |(token, watch): (api_tokens::Row, Option<api_token_watches::Row>)| {
            Ok((token.try_into()?, watch.map(Watch::try_from).transpose()?))
        };
        rows.into_iter().map(read).collect()
    }
}
