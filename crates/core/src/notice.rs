//! Notices: what a person shall know of their account, in the same commit as what they speak of. They stand in the account, and
//! go by e-mail where the person has proved an address ([`crate::outbox`]).
//!
//! A notice keeps facts, not sentences: it is put in words when it is read, in the person's language then. It holds no secret.

use std::time::Duration;

use grantor_jose::id::Id;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::time::Time;
use crate::user::User;

/// The word for [`News::SignedIn`].
pub const SIGNED_IN: &str = "signed_in";

/// Of the sign-ins of a person in so long a time, the first one goes by e-mail: whoever knows the password can sign in as often
/// as they like, and shall not fill the letter box. The others stand in the account.
pub const ONE_MAIL_IN: Duration = Duration::from_mins(5);

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
    /// So many wrong codes were given in the place of those of the person's authenticator app that each has to wait from now on.
    CodesGuessed {
        /// Where the last one came from.
        address: String,
    },
    /// The cookie of a sign-in was found where it should not be; the sign-in has ended.
    CookieLeaked {
        /// Where it was found; empty where that was not told.
        place: String,
    },
    /// The e-mail address was changed by somebody who may. This goes to the one before.
    EmailChanged {
        /// The address before, which the person had proved.
        former: String,
    },
    /// The password was set by somebody who may.
    PasswordChanged,
    /// A recovery code was used.
    RecoveryCodeUsed {
        /// How many are left.
        left: usize,
        /// Where from.
        address: String,
    },
    /// New recovery codes were made; those before count no more.
    RecoveryCodesMade {
        /// Where from.
        address: String,
    },
    /// A second factor was set up.
    SecondFactorAdded {
        /// Where from.
        address: String,
    },
    /// The second factor was taken away.
    SecondFactorRemoved {
        /// Where from; none where somebody did it who may.
        address: Option<String>,
    },
    /// The account can be signed in to through an upstream that it could not be before.
    SignInWayAdded {
        /// What the upstream calls itself.
        upstream: String,
        /// Where from.
        address: String,
    },
    /// The account can no longer be signed in to through an upstream that it could be before.
    SignInWayRemoved {
        /// What the upstream calls itself.
        upstream: String,
        /// Where from.
        address: String,
    },
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

impl Notice {
    /// Since when a notice of the same kind stands for this one in the letter box; none where each one goes there. It is the
    /// beginning of a span of [`ONE_MAIL_IN`] by the clock, not one since the last mail: so a mail goes out in each span in
    /// which something happens, and nobody keeps the letter box silent by coming often.
    pub fn mail_span(&self) -> Option<Time> {
        let span = i64::try_from(ONE_MAIL_IN.as_millis()).unwrap_or(i64::MAX);
        matches!(self.news, News::SignedIn { .. })
            .then(|| Time::from_millis(self.at.millis() - self.at.millis().rem_euclid(span)))
    }
}

impl News {
    /// The word for the kind of news, by which rows are found.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::AppTokenLeaked { .. } => "app_token_leaked",
            Self::CodesGuessed { .. } => "codes_guessed",
            Self::CookieLeaked { .. } => "cookie_leaked",
            Self::EmailChanged { .. } => "email_changed",
            Self::PasswordChanged => "password_changed",
            Self::RecoveryCodeUsed { .. } => "recovery_code_used",
            Self::RecoveryCodesMade { .. } => "recovery_codes_made",
            Self::SecondFactorAdded { .. } => "second_factor_added",
            Self::SecondFactorRemoved { .. } => "second_factor_removed",
            Self::SignInWayAdded { .. } => "sign_in_way_added",
            Self::SignInWayRemoved { .. } => "sign_in_way_removed",
            Self::SignedIn { .. } => SIGNED_IN,
            Self::TokenExpires { .. } => "token_expires",
            Self::TokenLeaked { .. } => "token_leaked",
            Self::TokenMade { .. } => "token_made",
            Self::TokenRotated { .. } => "token_rotated",
            Self::TokenUsedElsewhere { .. } => "token_used_elsewhere",
        }
    }

    /// Whether somebody may have got hold of what is not theirs.
    pub const fn is_alarming(&self) -> bool {
        matches!(
            self,
            Self::AppTokenLeaked { .. }
                | Self::CodesGuessed { .. }
                | Self::CookieLeaked { .. }
                | Self::TokenLeaked { .. }
        )
    }
}

impl Notice {
    /// Which address of a person it is written to; none where they have proved none.
    pub fn written_to<'a>(&'a self, user: &'a User) -> Option<&'a str> {
        match &self.news {
            News::EmailChanged { former } => Some(former),
            _ => user.proved_email(),
        }
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
        assert!(kept.contains(&format!(r#""kind":"{}""#, news.kind())), "the word is the same in both places");
    }

    #[test]
    fn of_the_sign_ins_of_a_span_one_is_written_of_and_of_all_else_each() {
        let at = |seconds, news| Notice {
            id: Id::from_i64(1),
            user_id: Id::from_i64(1),
            at: Time::from_seconds(seconds),
            news,
        };
        let signed_in = |seconds| at(seconds, News::SignedIn { address: "::1".into(), user_agent: "Firefox".into() });
        assert_eq!(signed_in(300).mail_span(), Some(Time::from_seconds(300)));
        assert_eq!(signed_in(599).mail_span(), Some(Time::from_seconds(300)));
        assert_eq!(signed_in(600).mail_span(), Some(Time::from_seconds(600)));
        assert_eq!(at(599, News::PasswordChanged).mail_span(), None);
    }
}
