//! What travels with a person through an upstream, sealed: nobody reads it, nobody makes one, and it opens for the browser, the
//! upstream and the short time that it was made for. Nothing is kept of a person who never comes back.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_jose::hash::sha256;
use grantor_jose::id::Id;
use grantor_jose::random::Random;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::forward_auth::Entry;
use crate::interaction::Interaction;
use crate::key::Secrets;
use crate::session::Session;
use crate::time::Time;
use crate::upstream::UpstreamSession;

/// How long a person may take at the upstream, and then on the page that links.
pub const LIVES: Duration = Duration::from_mins(10);

/// A sign-in that has gone to an upstream: the `state` of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// What names it: it counts once.
    #[serde(rename = "i")]
    pub id: Id,
    /// When it began.
    #[serde(rename = "t")]
    pub started_at: Time,
    /// How long ago the person may have signed in there, in seconds, where it must be told.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u64>,
    /// The browser's proof that the person chose to sign in beside whoever is signed in there, where they did.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
    /// The sessions that the page named as those that end where somebody else comes in: nobody else is signed out by it.
    #[serde(rename = "o", default, skip_serializing_if = "Vec::is_empty")]
    pub over: Vec<Id>,
    /// What the person goes on with.
    #[serde(rename = "a")]
    pub aim: Aim,
}

/// What a person goes on with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Aim {
    /// The account.
    #[serde(rename = "a")]
    Account,
    /// An authorization.
    #[serde(rename = "r")]
    Authorize(Interaction),
    /// The way into an app behind a proxy.
    #[serde(rename = "e")]
    Enter(Entry),
    /// A link for the account that is signed in.
    #[serde(rename = "l")]
    Link,
    /// A page of the account, by its name.
    #[serde(rename = "p")]
    Page(String),
    /// A second factor for the account, and then the authorization that asked for one, where one did.
    #[serde(rename = "f")]
    SecondFactor(Option<Interaction>),
    /// The page that asks whether to unlink an account.
    #[serde(rename = "u")]
    Unlink(Id),
}

/// Who came from an upstream and is linked with nobody here, until somebody proves an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// What names it: it becomes one link.
    #[serde(rename = "i")]
    pub id: Id,
    /// When they came: an account is proven from then on.
    #[serde(rename = "t")]
    pub at: Time,
    /// Which authority gave the subject.
    #[serde(rename = "h")]
    pub authority: String,
    /// Who it is there.
    #[serde(rename = "s")]
    pub subject: String,
    /// What people know the other account by.
    #[serde(rename = "n")]
    pub label: String,
    /// The browser's proof that the person chose to sign in beside whoever is signed in there, where they did.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<String>,
    /// What the person goes on with.
    #[serde(rename = "a")]
    pub aim: Aim,
}

impl Arrival {
    /// Whether a session proves the account of its person for this: it began after they came, or lately where it is they who began to
    /// link. By an upstream that tells no time nobody has proved it: whoever finds a browser open that is signed in there shall not
    /// link an account of their own. `origin` is where the session began, if at an upstream.
    pub fn is_proven_by(&self, session: &Session, origin: Option<&UpstreamSession>) -> bool {
        session.proved_at(origin).is_some_and(|at| match self.aim {
            Aim::Link => at.plus(LIVES) >= self.at,
            Aim::Account | Aim::Authorize(_) | Aim::Enter(_) | Aim::Page(_) | Aim::SecondFactor(_) | Aim::Unlink(_) => {
                at >= self.at
            }
        })
    }

    /// What notes that it was used.
    pub fn digest(&self) -> [u8; 32] {
        sha256(format!("upstream arrival\0{}", self.id).as_bytes())
    }
}

/// For whom something is sealed.
#[derive(Clone, Copy, Debug)]
pub struct Holder<'a> {
    /// The upstream.
    pub upstream_id: Id,
    /// The browser's mark.
    pub browser: &'a str,
}

/// What is sealed, by its kind and its beginning.
pub trait Sealed: Serialize + DeserializeOwned {
    /// So that one kind is not taken for another.
    const KIND: &'static str;

    /// When it was made.
    fn made_at(&self) -> Time;
}

impl Sealed for Flow {
    const KIND: &'static str = "upstream flow";

    fn made_at(&self) -> Time {
        self.started_at
    }
}

impl Sealed for Arrival {
    const KIND: &'static str = "upstream arrival";

    fn made_at(&self) -> Time {
        self.at
    }
}

impl Flow {
    /// What the ID token must say: "String value used to associate a Client session with an ID Token, and to mitigate replay
    /// attacks." (OIDC Core §3.1.2.1)
    pub fn nonce(&self, secrets: &Secrets, holder: Holder<'_>) -> String {
        self.derived(secrets, holder, b"nonce")
    }

    /// What the code is redeemed with: 43 characters that only this server can tell (RFC 7636 §4.1).
    pub fn verifier(&self, secrets: &Secrets, holder: Holder<'_>) -> String {
        self.derived(secrets, holder, b"verifier")
    }

    /// "code_challenge = BASE64URL-ENCODE(SHA256(ASCII(code_verifier)))" (RFC 7636 §4.2)
    pub fn challenge(&self, secrets: &Secrets, holder: Holder<'_>) -> String {
        URL_SAFE_NO_PAD.encode(sha256(self.verifier(secrets, holder).as_bytes()))
    }

    /// Since when the person must have signed in there, where it must be told.
    pub fn earliest(&self) -> Option<Time> {
        self.max_age.map(|max_age| self.started_at.minus(Duration::from_secs(max_age)))
    }

    /// When the person proved who they are, for the session here: as the upstream says, else now. Whoever proved it on the way, by
    /// clocks that may differ by `skew`, did so after the sign-in began.
    pub fn auth_time(&self, told: Option<Time>, skew: Duration, now: Time) -> Time {
        match told {
            Some(told) if told.plus(skew) >= self.started_at => told.max(self.started_at).min(now),
            Some(told) => told,
            None => now,
        }
    }

    /// What notes that it was used.
    pub fn digest(&self) -> [u8; 32] {
        sha256(format!("upstream flow\0{}", self.id).as_bytes())
    }

    fn derived(&self, secrets: &Secrets, Holder { upstream_id, browser }: Holder<'_>, what: &[u8]) -> String {
        let (id, upstream_id) = (self.id.to_string(), upstream_id.to_string());
        let parts = [what, id.as_bytes(), upstream_id.as_bytes(), browser.as_bytes()];
        URL_SAFE_NO_PAD.encode(secrets.upstream_values.tag(&parts))
    }
}

/// The text of something for one browser at one upstream.
pub fn seal<T: Sealed>(value: &T, secrets: &Secrets, holder: Holder<'_>, random: &Random) -> String {
    let plain = serde_json::to_vec(value).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(secrets.upstream.seal(&plain, place::<T>(holder).as_bytes(), random))
}

/// Reads it back; nothing when it is old, of another browser or upstream, or not one of ours.
pub fn open<T: Sealed>(text: &str, secrets: &Secrets, holder: Holder<'_>, now: Time) -> Option<T> {
    let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
    let plain = secrets.upstream.open(&sealed, place::<T>(holder).as_bytes()).ok()?;
    let value: T = serde_json::from_slice(&plain).ok()?;
    (now.since(value.made_at()) < LIVES).then_some(value)
}

fn place<T: Sealed>(Holder { upstream_id, browser }: Holder<'_>) -> String {
    format!("{}/{upstream_id}/{browser}", T::KIND)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const HOLDER: Holder<'static> = Holder { upstream_id: Id::from_i64(7), browser: "mark" };

    fn flow() -> Flow {
        let (id, started_at) = (Id::from_i64(9), Time::from_seconds(1000));
        Flow { id, started_at, max_age: None, beside: None, over: Vec::new(), aim: Aim::Account }
    }

    #[test]
    fn a_flow_opens_for_its_browser_and_its_upstream_while_it_is_young() {
        let secrets = Secrets::default();
        let text = seal(&flow(), &secrets, HOLDER, &Random::seeded(1));
        let at = |holder, seconds| open::<Flow>(&text, &secrets, holder, Time::from_seconds(seconds));
        assert_eq!(at(HOLDER, 1599).unwrap(), flow());
        assert_eq!(at(HOLDER, 1600), None);
        assert_eq!(at(Holder { browser: "other", ..HOLDER }, 1001), None);
        assert_eq!(at(Holder { upstream_id: Id::from_i64(8), ..HOLDER }, 1001), None);
        assert!(
            open::<Arrival>(&text, &secrets, HOLDER, Time::from_seconds(1001)).is_none(),
            "one kind is not another"
        );
        assert!(!text.contains(&URL_SAFE_NO_PAD.encode("Account")));
    }

    #[test]
    fn nonce_and_verifier_are_of_one_flow_one_browser_and_one_upstream() {
        let secrets = Secrets::default();
        let (one, other) = (flow(), Flow { id: Id::from_i64(10), ..flow() });
        let elsewhere = Holder { upstream_id: Id::from_i64(8), ..HOLDER };
        let values = [
            one.nonce(&secrets, HOLDER),
            one.verifier(&secrets, HOLDER),
            other.nonce(&secrets, HOLDER),
            one.nonce(&secrets, elsewhere),
            one.nonce(&secrets, Holder { browser: "other", ..HOLDER }),
        ];
        assert!(values.iter().all(|value| value.len() == 43));
        assert!(values.iter().enumerate().all(|(index, value)| !values[index + 1..].contains(value)));
    }
}
