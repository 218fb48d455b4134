//! Session: one sign-in of one person in one browser.

use std::time::Duration;

use grantor_jose::id::Id;
use grantor_jose::secret::SecretHash;

use crate::grant::RefreshToken;
use crate::level::Level;
use crate::policy::Lifetimes;
use crate::time::Time;
use crate::upstream::UpstreamSession;

/// A sign-in. The cookie carries its id and its secret; the row keeps the secret's hash.
#[derive(Clone, Debug)]
pub struct Session {
    /// The identifier; its text is the `sid` of ID tokens.
    pub id: Id,
    /// The hash of the cookie's secret.
    pub secret: SecretHash,
    /// Whose sign-in it is.
    pub user_id: Id,
    /// When the person last proved who they are: `auth_time`.
    pub auth_time: Time,
    /// When the session was last used, to the minute.
    pub last_seen_at: Time,
    /// The authentication context class: `acr`.
    pub acr: String,
    /// The methods used (RFC 8176): `amr`.
    pub amr: Vec<String>,
    /// The address the sign-in came from.
    pub address: String,
    /// The browser as it named itself, cut to 200 characters.
    pub user_agent: String,
    /// When it was ended.
    pub ended_at: Option<Time>,
}

impl Session {
    /// How surely the person was known. A context that is not one of ours promises nothing.
    pub fn level(&self) -> Level {
        Level::of_acr(&self.acr).unwrap_or(Level::Upstream)
    }

    /// When the person last proved who they are, as far as that is known: an upstream that tells no time may have asked them nothing.
    /// `origin` is where the session began, if at an upstream.
    pub fn proved_at(&self, origin: Option<&UpstreamSession>) -> Option<Time> {
        origin.is_none_or(|origin| origin.tells_time).then_some(self.auth_time)
    }

    /// Whether the session counts at `now`: neither ended nor idle or old beyond its life.
    pub fn is_live(&self, lifetimes: &Lifetimes, now: Time) -> bool {
        self.ends_at(self.last_seen_at, lifetimes).is_some_and(|ends_at| now < ends_at)
    }

    /// When the session was last used, where an app without `offline_access` holds `token` in it. A refresh counts as a use for
    /// the app; it puts off no end in the browser.
    pub fn used_at(&self, token: &RefreshToken) -> Time {
        self.last_seen_at.max(token.rotated_at)
    }

    /// When the session ends by itself, where it was last used at `used_at`; none when it was ended.
    pub fn ends_at(&self, used_at: Time, lifetimes: &Lifetimes) -> Option<Time> {
        let ends_at = used_at.plus(lifetimes.session_idle).min(self.auth_time.plus(lifetimes.session_absolute));
        self.ended_at.is_none().then_some(ends_at)
    }

    /// Whether `last_seen_at` is old enough to be written again.
    pub fn is_stale(&self, now: Time) -> bool {
        now.since(self.last_seen_at) >= Duration::from_mins(1)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use grantor_jose::random::Mint;

    use super::*;
    use crate::user::tests::ada;

    /// A session of Ada's, begun at `auth_time`.
    pub(crate) fn session(auth_time: Time) -> Session {
        let mint = Mint::seeded(3);
        Session {
            id: mint.id(1),
            secret: mint.secret().hash(),
            user_id: ada().id,
            auth_time,
            last_seen_at: auth_time,
            acr: Level::Password.acr().into(),
            amr: vec!["pwd".into()],
            address: String::new(),
            user_agent: String::new(),
            ended_at: None,
        }
    }

    #[test]
    fn a_session_ends_when_it_is_idle_or_old() {
        let lifetimes = Lifetimes::default();
        let begun = Time::from_seconds(1000);
        let live = |session: &Session, after: Duration| session.is_live(&lifetimes, begun.plus(after));
        assert!(live(&session(begun), Duration::from_hours(11)));
        assert!(!live(&session(begun), Duration::from_hours(12)));
        let used = Session { last_seen_at: begun.plus(Duration::from_hours(167)), ..session(begun) };
        assert!(live(&used, Duration::from_hours(167)));
        assert!(!live(&used, Duration::from_hours(168)));
    }
}
