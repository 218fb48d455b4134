//! Asking the issuer about a token (RFC 7662), once for however many calls come with it at a time.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use grantor_jose::hash::Sha256;
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

use answers::{Answers, Found, Turn};

/// So many questions are on their way at one time.
const MOST_ASKED: usize = 64;
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
    turns: Semaphore,
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
            turns: Semaphore::new(MOST_ASKED),
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
        let key = key(token, address);
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
        if self.rests(asked_at) {
            return Err(Reason::Unavailable { retry_after: REST });
        }
        let answer = self.fetch(token, address).await.map_err(|error| self.failed(&error))?;
        let verdict = judge(answer.body, rules, self.clock.now())?;
        if let Some(max_age) = answer.max_age {
            let until = asked_at.steady.saturating_add(self.lifetime(max_age, &verdict, asked_at));
            self.answers().keep(*key, verdict.clone(), until);
        }
        Ok(verdict)
    }

    async fn fetch(&self, token: &str, address: Option<IpAddr>) -> Result<Fetched<Answer>, FetchError> {
        let busy = || FetchError::Busy { retry_after: COME_AGAIN };
        let known = self.issuer.known().map_err(|_| busy())?;
        let Some(endpoint) = &known.endpoints.introspection else {
            return Err(FetchError::Unreachable("the issuer has no introspection endpoint".into()));
        };
        let Ok(Ok(_turn)) = timeout(TOTAL_TIMEOUT, self.turns.acquire()).await else { return Err(busy()) };
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

    fn rests(&self, now: Moment) -> bool {
        now.steady < Duration::from_millis(self.rests_until.load(Ordering::Relaxed))
    }

    /// A failure as it is told; where the issuer did not answer, nobody waits for it again for a moment.
    fn failed(&self, error: &FetchError) -> Reason {
        if let FetchError::Busy { retry_after } = error {
            return Reason::Unavailable { retry_after: *retry_after };
        }
        tracing::warn!(%error, "the issuer could not be asked about a token");
        // Only where nobody answers: what the issuer makes of one token says nothing about the others.
        if let FetchError::Unreachable(_) = error {
            let until = (self.clock.now().steady + REST).as_millis();
            self.rests_until.store(until.try_into().unwrap_or(0), Ordering::Relaxed);
        }
        Reason::Unavailable { retry_after: REST }
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

/// What an answer is kept under: never the token itself.
fn key(token: &str, address: Option<IpAddr>) -> answers::Key {
    let mut hash = Sha256::new();
    hash.update(token.as_bytes());
    // No token has this byte.
    hash.update(b"\0");
    if let Some(address) = address {
        hash.update(address.to_canonical().to_string().as_bytes());
    }
    hash.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_kept_for_a_token_and_an_address() {
        let address = |text: &str| text.parse().ok();
        let keys = [
            key("a", None),
            key("b", None),
            key("a", address("192.0.2.1")),
            key("a", address("192.0.2.2")),
            key("a192.0.2.1", None),
        ];
        for (number, one) in keys.iter().enumerate() {
            assert!(keys[..number].iter().all(|other| other != one));
        }
        assert_eq!(key("a", address("192.0.2.1")), key("a", address("::ffff:192.0.2.1")));
    }

    #[test]
    fn credentials_are_encoded_before_they_are_joined() {
        let secret = SecretText::new("p:w +%".into());
        let value = credentials("an:api", &secret).unwrap_or(HeaderValue::from_static(""));
        let expected = format!("Basic {}", STANDARD.encode("an%3Aapi:p%3Aw+%2B%25"));
        assert!(value.is_sensitive() && value.as_bytes() == expected.as_bytes());
    }
}
