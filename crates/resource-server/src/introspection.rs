//! Asking the issuer about a token (RFC 7662), once for however many calls come with it at a time.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use grantor_jose::hash::{Sha256, sha256};
use grantor_jose::secret::SecretText;
use reqwest::header::HeaderValue;
use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::access::Access;
use crate::claims::{Rules, Told};
use crate::clock::{Clock, Moment};
use crate::denied::{Fault, Reason};
use crate::fetch::{FetchError, Fetched, Http, TOTAL_TIMEOUT};
use crate::issuer::{COME_AGAIN, Issuer};

mod answers;

use answers::{Answers, Found, PLACES, Turn};

/// So many questions of one place are on their way at one time; there are [`PLACES`].
const MOST_ASKED: usize = 8;
/// How long nobody asks after the issuer did not answer at all.
const REST: Duration = Duration::from_secs(1);

/// What is found out about a token: what it allows, or why it counts for nothing.
type Verdict = Result<Arc<Access>, Fault>;

/// Asks about tokens, and keeps the answers as long as they allow.
#[derive(Debug)]
pub(crate) struct Introspection {
    issuer: Arc<Issuer>,
    http: Http,
    clock: Clock,
    credentials: HeaderValue,
    /// The longest that an answer is kept.
    keep: Duration,
    answers: Mutex<Answers>,
    /// One for each place.
    turns: [Semaphore; PLACES],
    /// Which addresses share a place, nobody can tell from outside.
    places: RandomState,
    /// Until when nobody asks, in milliseconds of the steady clock.
    rests_until: AtomicU64,
}

/// How much is kept, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keeping {
    /// The longest that an answer is kept.
    pub(crate) longest: Duration,
    /// How many answers about tokens that count.
    pub(crate) capacity: usize,
}

/// An answer, whole.
#[derive(Debug, Deserialize)]
struct Answer {
    active: bool,
    #[serde(flatten)]
    told: serde_json::Map<String, serde_json::Value>,
}

/// `client_secret_basic` credentials.
pub(crate) fn credentials(client_id: &str, secret: &SecretText) -> Option<HeaderValue> {
    // "The client identifier is encoded using the "application/x-www-form-urlencoded" encoding algorithm per Appendix B, and the
    // encoded value is used as the username; the client password is encoded using the same algorithm and used as the
    // password." (RFC 6749 §2.3.1)
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encode(client_id), encode(secret.expose()));
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl Introspection {
    /// Asks the issuer with these credentials.
    pub(crate) fn new(
        issuer: Arc<Issuer>,
        http: Http,
        clock: Clock,
        credentials: HeaderValue,
        keeping: Keeping,
    ) -> Self {
        Self {
            issuer,
            http,
            clock,
            credentials,
            keep: keeping.longest,
            answers: Mutex::new(Answers::new(keeping.capacity)),
            turns: std::array::from_fn(|_| Semaphore::new(MOST_ASKED)),
            places: RandomState::new(),
            rests_until: AtomicU64::new(0),
        }
    }

    /// What the token allows now, by an answer that may still be kept, or one to a question that is asked after this call began.
    ///
    /// So a token that was revoked before the call is refused, unless the issuer itself has said for how long its last answer is good.
    pub(crate) async fn check(
        &self,
        token: &str,
        address: Option<IpAddr>,
        rules: &Rules,
    ) -> Result<Arc<Access>, Reason> {
        let key = self.key(token, address);
        let arrival = self.answers().arrival();
        loop {
            let found = self.answers().find(&key, arrival, self.clock.now())?;
            let (asking, is_recent) = match found {
                Found::Kept(verdict) => return Ok(verdict?),
                Found::Asking { asking, is_recent } => (asking, is_recent),
            };
            // When who asks goes away, the next one who waits asks in its place; and nothing is left when nobody waits.
            let turn = Turn::new(&self.answers, key, asking);
            let outcome = turn.outcome(self.ask(token, address, &key, rules)).await;
            // What was asked before this call began says nothing about now, unless nothing can be learned.
            if is_recent || outcome.is_err() {
                return Ok(outcome??);
            }
        }
    }

    /// Asks, and keeps the answer as it allows.
    async fn ask(
        &self,
        token: &str,
        address: Option<IpAddr>,
        key: &answers::Key,
        rules: &Rules,
    ) -> Result<Verdict, Reason> {
        let asked_at = self.clock.now();
        if let Some(left) = self.rest_left(asked_at) {
            return Err(Reason::Unavailable { retry_after: left });
        }
        let answer = self.fetch(token, address, key).await.map_err(|error| self.failed(&error))?;
        let verdict = judge(answer.body, rules, self.clock.now())?;
        if let Some(max_age) = answer.max_age {
            let until = asked_at.steady.saturating_add(self.lifetime(max_age, &verdict, asked_at));
            self.answers().keep(*key, verdict.clone(), until);
        }
        Ok(verdict)
    }

    async fn fetch(
        &self,
        token: &str,
        address: Option<IpAddr>,
        key: &answers::Key,
    ) -> Result<Fetched<Answer>, FetchError> {
        let busy = || FetchError::Crowded { retry_after: COME_AGAIN };
        let known = self.issuer.known().map_err(|_| busy())?;
        let Some(endpoint) = &known.endpoints.introspection else {
            return Err(FetchError::Unreachable("the issuer has no introspection endpoint".into()));
        };
        let Ok(Ok(_turn)) = timeout(TOTAL_TIMEOUT, self.turns[key.place].acquire()).await else { return Err(busy()) };
        let address = address.map(|address| address.to_string());
        let mut form = vec![("token", token)];
        form.extend(address.as_ref().map(|address| ("client_address", address.as_str())));
        self.http.post(endpoint, &self.credentials, &form).await
    }

    /// How long an answer may be kept.
    fn lifetime(&self, max_age: Duration, verdict: &Verdict, asked_at: Moment) -> Duration {
        let own = match verdict {
            // "If the response contains the "exp" parameter (expiration), the response MUST NOT be cached beyond the time
            // indicated therein." (RFC 7662 §4)
            Ok(access) => access.expires_at.map_or(Duration::MAX, |exp| {
                Duration::from_secs(exp.saturating_sub(asked_at.unix).try_into().unwrap_or(0))
            }),
            // What does not count now may count soon: a token whose issuing another node has not heard of yet.
            Err(_) => Duration::from_secs(1),
        };
        max_age.min(own).min(self.keep)
    }

    /// How long nobody asks yet.
    fn rest_left(&self, now: Moment) -> Option<Duration> {
        let until = Duration::from_millis(self.rests_until.load(Ordering::Relaxed));
        until.checked_sub(now.steady).filter(|left| !left.is_zero())
    }

    /// A failure as it is told. Where the issuer did not answer, nobody asks it again for a moment; where it asks for a rest, as
    /// long as it says.
    fn failed(&self, error: &FetchError) -> Reason {
        let rest = match error {
            FetchError::Crowded { retry_after } => return Reason::Unavailable { retry_after: *retry_after },
            FetchError::Busy { retry_after } => Some(*retry_after),
            FetchError::Unreachable(_) => Some(REST),
            // What the issuer makes of one token says nothing about the others.
            FetchError::Misshapen(_) | FetchError::Status(_) | FetchError::TooLarge => None,
        };
        tracing::warn!(%error, "the issuer could not be asked about a token");
        if let Some(rest) = rest {
            let until = (self.clock.now().steady + rest).as_millis();
            self.rests_until.fetch_max(until.try_into().unwrap_or(0), Ordering::Relaxed);
        }
        Reason::Unavailable { retry_after: rest.unwrap_or(REST) }
    }

    /// What an answer is kept under: never the token itself.
    fn key(&self, token: &str, address: Option<IpAddr>) -> answers::Key {
        let token = sha256(token.as_bytes());
        let mut hash = Sha256::new();
        hash.update(&token);
        if let Some(address) = address {
            hash.update(address.to_canonical().to_string().as_bytes());
        }
        let call = hash.finish();
        let number = match address {
            Some(address) => self.places.hash_one(counted(address)),
            None => u64::from(call[0]),
        };
        let place = usize::try_from(number % PLACES as u64).unwrap_or(0);
        answers::Key { token, call, place }
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an answer says of the token.
fn judge(answer: Answer, rules: &Rules, now: Moment) -> Result<Verdict, Reason> {
    // "Boolean indicator of whether or not the presented token is currently active." (RFC 7662 §2.2)
    if !answer.active {
        return Ok(Err(Fault::Inactive));
    }
    match serde_json::from_value::<Told>(answer.told.into()) {
        Ok(told) => Ok(told.admitted(rules, now.unix).map(Arc::new)),
        Err(error) => {
            tracing::error!(%error, "the answer of the issuer is not understood");
            Err(Reason::Unavailable { retry_after: REST })
        }
    }
}

/// The part of an address that a place is chosen by: who has one IPv6 address has a whole /64.
fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() & !u128::from(u64::MAX))),
        four @ IpAddr::V4(_) => four,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_a_network_counts_once() {
        let counted = |text: &str| text.parse().map(counted).map(|address| address.to_string()).unwrap_or_default();
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!((counted("::ffff:192.0.2.1"), counted("192.0.2.1")), ("192.0.2.1".into(), "192.0.2.1".into()));
    }

    #[test]
    fn credentials_are_encoded_before_they_are_joined() {
        let secret = SecretText::new("p:w +%".into());
        let value = credentials("an:api", &secret).unwrap_or(HeaderValue::from_static(""));
        let expected = format!("Basic {}", STANDARD.encode("an%3Aapi:p%3Aw+%2B%25"));
        assert!(value.is_sensitive() && value.as_bytes() == expected.as_bytes());
    }
}
