//! An authorization that waits for a person: the request itself travels through the pages, signed and dated, so that a
//! browser which never signs in leaves nothing behind.

use grantor_jose::id::Id;
use grantor_jose::mac::MacKey;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::params::Params;
use crate::policy::Lifetimes;
use crate::signed;
use crate::time::Time;

/// A started authorization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interaction {
    /// When it started: what the person does after this moment answers this request.
    #[serde(rename = "t")]
    pub started_at: Time,
    /// The person whom somebody here has chosen to go on with, or has signed in or answered as on the way.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub selected: Option<Id>,
    /// Whether the person has chosen to go on without the level that the request wished for.
    #[serde(rename = "d", default, skip_serializing_if = "std::ops::Not::not")]
    pub declined: bool,
    /// The parameters of the request, form-encoded.
    #[serde(rename = "q")]
    pub query: String,
}

/// What texts are for.
const AUTHORIZATION: &str = "interaction";
const END_SESSION: &str = "end session";

impl Interaction {
    /// Starts one.
    pub fn start(params: &Params, now: Time) -> Self {
        Self { started_at: now, selected: None, declined: false, query: params.to_query() }
    }

    /// The same, gone on with as this person. What another one declined is offered to them.
    #[must_use]
    pub fn by(self, user_id: Id) -> Self {
        let declined = self.declined && self.selected == Some(user_id);
        Self { selected: Some(user_id), declined, ..self }
    }

    /// The text for the pages of one browser, by its mark. Without a mark it is for any browser, and proves no more than the
    /// request itself.
    pub fn seal(&self, key: &MacKey, browser: &str) -> String {
        signed::seal(self, key, [AUTHORIZATION, browser])
    }

    /// The same for a request to sign out. It was read by nobody yet, so that it must never go on as one for authorization.
    pub fn seal_end_session(&self, key: &MacKey, browser: &str) -> String {
        signed::seal(self, key, [END_SESSION, browser])
    }

    /// Reads the text back.
    ///
    /// # Errors
    /// `InteractionExpired` when it is old, of another browser, or not one of ours.
    pub fn open(text: &str, (key, browser): (&MacKey, &str), lifetimes: &Lifetimes, now: Time) -> Result<Self, Error> {
        Self::open_at(text, (key, [AUTHORIZATION, browser]), lifetimes, now)
    }

    /// The same for what [`seal_end_session`](Self::seal_end_session) made.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn open_end_session(
        text: &str,
        (key, browser): (&MacKey, &str),
        lifetimes: &Lifetimes,
        now: Time,
    ) -> Result<Self, Error> {
        Self::open_at(text, (key, [END_SESSION, browser]), lifetimes, now)
    }

    fn open_at(
        text: &str,
        (key, place): (&MacKey, [&str; 2]),
        lifetimes: &Lifetimes,
        now: Time,
    ) -> Result<Self, Error> {
        let interaction: Self = signed::open(text, key, place).ok_or(Error::InteractionExpired)?;
        let expired = now.since(interaction.started_at) >= lifetimes.authorization_request;
        if expired { Err(Error::InteractionExpired) } else { Ok(interaction) }
    }

    /// The parameters of the request.
    ///
    /// # Errors
    /// Those of [`Params::parse`]; none, for what [`Interaction::start`] made.
    pub fn params(&self) -> Result<Params, Error> {
        Params::parse(self.query.as_bytes())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sealed() -> (Interaction, String, MacKey) {
        let key = MacKey::new([7; 32]);
        let params = Params::from_pairs([("client_id", "wiki"), ("state", "a&b")]).unwrap();
        let interaction = Interaction::start(&params, Time::from_seconds(1000));
        let text = interaction.seal(&key, "mark");
        (interaction, text, key)
    }

    #[test]
    fn an_interaction_is_read_back_until_it_expires() {
        let (interaction, text, key) = sealed();
        let open =
            |seconds| Interaction::open(&text, (&key, "mark"), &Lifetimes::default(), Time::from_seconds(seconds));
        assert_eq!(open(1001).unwrap(), interaction);
        assert!(matches!(open(1000 + 3600), Err(Error::InteractionExpired)));
    }

    #[test]
    fn what_one_person_declined_is_offered_to_another_one() {
        let declined = Interaction { declined: true, selected: Some(Id::from_i64(7)), ..sealed().0 };
        assert!(declined.clone().by(Id::from_i64(7)).declined && !declined.by(Id::from_i64(8)).declined);
        assert!(!Interaction { declined: true, ..sealed().0 }.by(Id::from_i64(7)).declined);
    }

    #[test]
    fn the_text_of_one_browser_says_nothing_in_another() {
        let (_, text, key) = sealed();
        let open = |mark| Interaction::open(&text, (&key, mark), &Lifetimes::default(), Time::from_seconds(1001));
        assert!(open("mark").is_ok() && open("other").is_err() && open("").is_err());
    }

    #[test]
    fn a_request_to_sign_out_is_none_for_authorization() {
        let (interaction, text, key) = sealed();
        let (lifetimes, now) = (Lifetimes::default(), Time::from_seconds(1001));
        let sign_out = interaction.seal_end_session(&key, "mark");
        assert!(Interaction::open(&sign_out, (&key, "mark"), &lifetimes, now).is_err());
        assert!(Interaction::open_end_session(&text, (&key, "mark"), &lifetimes, now).is_err());
        assert_eq!(Interaction::open_end_session(&sign_out, (&key, "mark"), &lifetimes, now).unwrap(), interaction);
    }

    proptest! {
        #[test]
        fn an_altered_interaction_is_refused(at in 0usize..100, byte in any::<u8>()) {
            let (_, text, key) = sealed();
            let mut bytes = text.clone().into_bytes();
            let at = at % bytes.len();
            bytes[at] = byte;
            if let Ok(altered) = String::from_utf8(bytes) {
                let opened = Interaction::open(&altered, (&key, "mark"), &Lifetimes::default(), Time::from_seconds(1001));
                prop_assert_eq!(opened.is_ok(), altered == text);
            }
        }
    }
}
