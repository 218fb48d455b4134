//! Notices: what a person shall know of their account, in the same commit as what they speak of. They stand in the account, and
//! go by e-mail where the person has proved an address ([`crate::outbox`]).
//!
//! A notice keeps facts, not sentences: it is put in words when it is read, in the person's language then. It holds no secret.

use grantor_jose::id::Id;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::time::Time;
use crate::user::User;

/// A token as people tell it from others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenNamed {
    /// What its owner calls it.
    pub name: String,
    /// The beginning of its text.
    pub hint: String,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum News {
    /// A token that an app was given was found where it should not be; what the app was given has ended.
    AppTokenLeaked {
        /// The app.
        client_id: String,
        /// Where it was found; empty where that was not told.
        place: String,
    },
    /// The cookie of a sign-in was found where it should not be; the sign-in has ended.
    CookieLeaked {
        /// Where it was found; empty where that was not told.
        place: String,
    },
    /// The password was set by somebody who may.
    PasswordChanged,
    /// Somebody signed in with a browser that had not been used for the account before.
    SignedIn {
        /// Where from.
        address: String,
        /// The browser as it names itself.
        user_agent: String,
    },
    /// A personal access token expires soon.
    TokenExpires {
        /// The token.
        token: TokenNamed,
        /// When.
        expires_at: Time,
    },
    /// A personal access token was found where it should not be; it has ended.
    TokenLeaked {
        /// The token.
        token: TokenNamed,
        /// Where it was found; empty where that was not told.
        place: String,
    },
    /// A personal access token was made.
    TokenMade {
        /// The token.
        token: TokenNamed,
        /// Where from.
        address: String,
    },
    /// A personal access token was given a new secret, and the time that it had at first.
    TokenRotated {
        /// The token.
        token: TokenNamed,
        /// Where from.
        address: String,
    },
    /// A personal access token was used in a network that it had not been used in before.
    TokenUsedElsewhere {
        /// The token.
        token: TokenNamed,
        /// Where from.
        address: String,
    },
}

/// Something that a person shall know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The identifier: that of the event that tells of the same, where there is one.
    pub id: Id,
    /// Who shall know it.
    pub user_id: Id,
    /// When it happened.
    pub at: Time,
    /// What happened.
    pub news: News,
}

impl News {
    /// Whether somebody may have got hold of what is not theirs.
    pub const fn is_alarming(&self) -> bool {
        matches!(self, Self::AppTokenLeaked { .. } | Self::CookieLeaked { .. } | Self::TokenLeaked { .. })
    }
}

impl User {
    /// The e-mail address that the person has proved to be theirs; others are not written to.
    pub fn proved_email(&self) -> Option<&str> {
        let proved = self.claims.get("email_verified").and_then(Value::as_bool) == Some(true);
        self.claims.get("email").and_then(Value::as_str).filter(|_| proved)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::user::tests::ada;

    #[test]
    fn an_address_that_nobody_proved_is_not_written_to() {
        let mut user = ada();
        assert_eq!(user.proved_email(), None);
        for claimed in [Value::from("true"), Value::from(1), Value::Null, Value::from(false)] {
            user.claims.insert("email_verified".into(), claimed);
            assert_eq!(user.proved_email(), None);
        }
        user.claims.insert("email_verified".into(), true.into());
        assert_eq!(user.proved_email(), Some("ada@example.com"));
    }

    #[test]
    fn news_come_back_as_they_were_kept() {
        let token = TokenNamed { name: "Backup".into(), hint: "gtr_pat_0".into() };
        let news = News::TokenExpires { token, expires_at: Time::from_seconds(9) };
        let kept = serde_json::to_string(&news).unwrap();
        assert!(kept.contains(r#""kind":"token_expires""#), "{kept}");
        assert_eq!(serde_json::from_str::<News>(&kept).unwrap(), news);
    }
}
