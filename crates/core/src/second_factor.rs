//! Second factor: what a person proves themselves with beside their password. An authenticator app, and recovery codes for when it
//! is lost.
//!
//! # What is kept
//! The key of the app, sealed; the last step whose code was used; the hashes of the recovery codes that are left. Nothing is kept of
//! a factor before a code has shown that the person has it: until then it travels with their browser ([`Enrolment`]).
//!
//! # Signing in
//! Who has proved the password of a person with a second factor has no session, but a signed text that says so ([`HalfSignIn`]), for
//! one browser and a few minutes. It ends with the password that it is of, and becomes one session.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use grantor_jose::hash::{constant_time_eq, sha256};
use grantor_jose::id::Id;
use grantor_jose::mac::MacKey;
use grantor_jose::secret::{SecretHash, SecretText};
use serde::{Deserialize, Serialize};

use crate::audit::{Event, EventKind};
use crate::change::{Change, GrantsOf};
use crate::grant::GrantEnd;
use crate::notice::{News, Notice};
use crate::provider::Call;
use crate::session::Session;
use crate::signed;
use crate::time::Time;
use crate::upstream::UpstreamSession;
use crate::user::User;

/// How long a person may take for the code.
pub const HALF_LIVES: Duration = Duration::from_mins(5);
/// How long a person may take to set up their app.
pub const ENROLMENT_LIVES: Duration = Duration::from_mins(15);
/// How long ago a person may have signed in who sets up a second factor.
pub const RECENT: Duration = Duration::from_mins(10);

/// What texts are for.
const HALF: &str = "half sign-in";
const ENROLMENT: &str = "second factor";

/// The second factor of a person.
#[derive(Clone, Debug)]
pub struct SecondFactor {
    /// The identifier; another one for each time that one is set up.
    pub id: Id,
    /// Whose it is. A person has one.
    pub user_id: Id,
    /// The key of the app, as text. Sealed where it is kept.
    // "We also RECOMMEND storing the keys securely in the validation system" (RFC 6238 §5.1)
    pub key: SecretText,
    /// The last step of time whose code was used.
    pub last_step: i64,
    /// The hashes of the recovery codes that are left.
    pub recovery: Vec<SecretHash>,
    /// When it was set up.
    pub created_at: Time,
}

impl SecondFactor {
    /// What the hashes of its recovery codes are made with.
    pub fn salt(&self) -> String {
        self.id.to_string()
    }
}

/// What is written of second factors.
#[derive(Clone, Debug)]
pub enum SecondFactorChange {
    /// Notes that a code was used. Expects that neither it nor a later one was.
    CodeSpend {
        /// The factor.
        id: Id,
        /// The step of the code.
        step: i64,
    },
    /// Expects that a person has none, until the set is committed.
    ExpectNone(Id),
    /// Keeps a factor. Expects that the person has none.
    Insert(Box<SecondFactor>),
    /// Keeps other recovery codes in the place of those that were read. Expects that they still are what was read.
    RecoveryPut {
        /// The factor.
        id: Id,
        /// The hashes that were read.
        read: Vec<SecretHash>,
        /// Those that count from now on.
        kept: Vec<SecretHash>,
    },
    /// Removes a factor. Expects that it is there.
    Remove(Id),
}

/// What somebody typed, as a factor has it; right or wrong, used or not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Typed {
    /// A recovery code, by its hash.
    Recovery(SecretHash),
    /// The app's code of this step.
    Step(i64),
}

impl Typed {
    /// What it proves; nothing where it is wrong, or was used.
    pub fn proves(self, factor: &SecondFactor) -> Option<Used> {
        match self {
            Self::Recovery(hash) => {
                let left: Vec<_> = factor.recovery.iter().filter(|kept| **kept != hash).copied().collect();
                (left.len() < factor.recovery.len()).then_some(Used::Recovery(left))
            }
            Self::Step(step) => (step > factor.last_step).then_some(Used::Code(step)),
        }
    }

    /// What tells that it counted in one place, which is a half sign-in or a session. Where the very same comes there again, that is no
    /// guess: as with the second click of a double click.
    pub fn digest(self, factor: &SecondFactor, place: Id) -> [u8; 32] {
        let what = match self {
            Self::Recovery(hash) => URL_SAFE_NO_PAD.encode(hash.as_bytes()),
            Self::Step(step) => step.to_string(),
        };
        sha256(format!("second factor code\0{}\0{place}\0{what}", factor.id).as_bytes())
    }

    /// Notes that it counted there, for as long as a half sign-in lives.
    pub fn note(self, factor: &SecondFactor, place: Id, now: Time) -> Change {
        Change::AssertionSpend { digest: self.digest(factor, place), expires_at: now.plus(HALF_LIVES) }
    }
}

/// What a person has proved that they have the factor with. It is spent by the changes that it gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Used {
    /// The app's code of this step.
    Code(i64),
    /// A recovery code; the hashes of those that are left.
    Recovery(Vec<SecretHash>),
}

impl Used {
    /// The methods, beside that of the first factor.
    // "mfa: Multiple-factor authentication [NIST.800-63-2] [ISO29115]. When this is present, specific authentication methods used may
    // also be included." (RFC 8176 §2)
    // "otp: One-time password. One-time password specifications that this authentication method applies to include [RFC4226] and
    // [RFC6238]." (RFC 8176 §2)
    pub fn amr(&self) -> &'static [&'static str] {
        match self {
            Self::Code(_) => &["otp", "mfa"],
            Self::Recovery(_) => &["mfa"],
        }
    }

    /// Spends it. The person is told of a recovery code: it is used seldom, and by whoever has found it.
    pub fn spend(&self, factor: &SecondFactor, event_id: Id, call: Call<'_>) -> Vec<Change> {
        let left = match self {
            Self::Code(step) => return vec![SecondFactorChange::CodeSpend { id: factor.id, step: *step }.into()],
            Self::Recovery(left) => left,
        };
        let spent =
            SecondFactorChange::RecoveryPut { id: factor.id, read: factor.recovery.clone(), kept: left.clone() };
        let event = Event::new(event_id, call.now, EventKind::RecoveryCodeUsed)
            .user(factor.user_id)
            .address(call.address)
            .detail(&format!("{} are left", left.len()));
        let news = News::RecoveryCodeUsed { left: left.len(), address: call.address.to_owned() };
        vec![spent.into(), Change::EventInsert(Box::new(event)), told(factor.user_id, news, event_id, call)]
    }
}

fn told(user_id: Id, news: News, event_id: Id, call: Call<'_>) -> Change {
    Change::NoticeInsert(Box::new(Notice { id: event_id, user_id, at: call.now, news }))
}

/// Tells a person that all the free tries at their codes were used up; `event_id` is that of the event of the last one.
pub fn tell_of_guesses(user_id: Id, event_id: Id, call: Call<'_>) -> Change {
    told(user_id, News::CodesGuessed { address: call.address.to_owned() }, event_id, call)
}

/// Sets up a factor that its person has proved to have; its identifier is that of the event. The enrolment becomes no other one, also
/// where this one is removed again.
pub fn add(factor: SecondFactor, enrolment: &Enrolment, call: Call<'_>) -> Vec<Change> {
    let (id, user_id) = (factor.id, factor.user_id);
    let event = Event::new(id, call.now, EventKind::SecondFactorAdded).user(user_id).address(call.address);
    vec![
        SecondFactorChange::Insert(Box::new(factor)).into(),
        Change::EventInsert(Box::new(event)),
        told(user_id, News::SecondFactorAdded { address: call.address.to_owned() }, id, call),
        enrolment.spend(),
    ]
}

/// Takes a factor away, for its person.
pub fn remove(factor: &SecondFactor, event_id: Id, call: Call<'_>) -> Vec<Change> {
    let event =
        Event::new(event_id, call.now, EventKind::SecondFactorRemoved).user(factor.user_id).address(call.address);
    let news = News::SecondFactorRemoved { address: Some(call.address.to_owned()) };
    vec![
        SecondFactorChange::Remove(factor.id).into(),
        Change::EventInsert(Box::new(event)),
        told(factor.user_id, news, event_id, call),
    ]
}

/// Takes a factor away that its person has lost, as an operator may. Whoever is signed in to the account is so no more.
pub fn reset(factor: &SecondFactor, event_id: Id, now: Time) -> Vec<Change> {
    let (user_id, nobody) = (factor.user_id, Id::from_i64(0));
    let event = Event::new(event_id, now, EventKind::SecondFactorRemoved).user(user_id).detail("by a command");
    vec![
        SecondFactorChange::Remove(factor.id).into(),
        Change::SessionsEnd { user_id, except: None, at: now },
        // No session has this identifier.
        Change::GrantsEnd {
            of: GrantsOf::UserExceptSession(user_id, nobody),
            at: now,
            end: GrantEnd::RevokedByAdministrator,
        },
        Change::EventInsert(Box::new(event)),
        told(user_id, News::SecondFactorRemoved { address: None }, event_id, Call::new(now, "")),
    ]
}

/// Gives a person other recovery codes; those before count no more. `before` is the factor as it is once what the person proved
/// themselves with is spent.
pub fn renew_recovery(
    factor: &SecondFactor,
    used: &Used,
    codes: Vec<SecretHash>,
    event_id: Id,
    call: Call<'_>,
) -> Vec<Change> {
    let read = match used {
        Used::Code(_) => factor.recovery.clone(),
        Used::Recovery(left) => left.clone(),
    };
    let event = Event::new(event_id, call.now, EventKind::RecoveryCodesMade).user(factor.user_id).address(call.address);
    vec![
        SecondFactorChange::RecoveryPut { id: factor.id, read, kept: codes }.into(),
        Change::EventInsert(Box::new(event)),
        told(factor.user_id, News::RecoveryCodesMade { address: call.address.to_owned() }, event_id, call),
    ]
}

/// A factor that a person is setting up.
#[derive(Clone, Serialize, Deserialize)]
pub struct Enrolment {
    /// What names it: it becomes one factor.
    #[serde(rename = "i")]
    pub id: Id,
    /// When it began.
    #[serde(rename = "t")]
    pub started_at: Time,
    /// Who sets it up.
    #[serde(rename = "u")]
    pub user_id: Id,
    /// The key of the app, as text: the page shows it to the person.
    #[serde(rename = "k")]
    pub key: String,
}

impl Enrolment {
    /// The text for the page of one browser, by its mark.
    pub fn seal(&self, key: &MacKey, browser: &str) -> String {
        signed::seal(self, key, [ENROLMENT, browser])
    }

    /// Reads the text back, for this person.
    pub fn open(text: &str, (key, browser): (&MacKey, &str), user_id: Id, now: Time) -> Option<Self> {
        let enrolment: Self = signed::open(text, key, [ENROLMENT, browser])?;
        let counts = enrolment.user_id == user_id && now.since(enrolment.started_at) < ENROLMENT_LIVES;
        counts.then_some(enrolment)
    }

    fn spend(&self) -> Change {
        let digest = sha256(format!("second factor enrolment\0{}", self.id).as_bytes());
        Change::AssertionSpend { digest, expires_at: self.started_at.plus(ENROLMENT_LIVES) }
    }
}

/// A sign-in of which the password is proved and the second factor is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HalfSignIn {
    /// What names it: it becomes one session.
    #[serde(rename = "i")]
    pub id: Id,
    /// When the password was proved.
    #[serde(rename = "t")]
    pub started_at: Time,
    /// Whose it is.
    #[serde(rename = "u")]
    pub user_id: Id,
    /// Which password that was.
    #[serde(rename = "p")]
    password: String,
}

impl HalfSignIn {
    /// That somebody has proved the password of a person, whose hash is `password`.
    pub fn new(id: Id, user_id: Id, password: &str, key: &MacKey, now: Time) -> Self {
        Self { id, started_at: now, user_id, password: mark(password, key) }
    }

    /// The text for the page of one browser, by its mark.
    pub fn seal(&self, key: &MacKey, browser: &str) -> String {
        signed::seal(self, key, [HALF, browser])
    }

    /// Reads the text back; nothing when it is old, of another browser, or not one of ours.
    pub fn open(text: &str, (key, browser): (&MacKey, &str), now: Time) -> Option<Self> {
        let half: Self = signed::open(text, key, [HALF, browser])?;
        // A text of the future is of a clock that was set back since.
        (now.since(half.started_at) < HALF_LIVES).then_some(half)
    }

    /// Whether it is of this person as they are now: not switched off, and with the password that was proved.
    pub fn is_of(&self, user: &User, key: &MacKey) -> bool {
        let proved = user.password.as_deref().map(|password| mark(password, key));
        let is_same = proved.is_some_and(|proved| constant_time_eq(proved.as_bytes(), self.password.as_bytes()));
        self.user_id == user.id && !user.disabled && is_same
    }

    /// Spends it: it becomes one session.
    pub fn spend(&self) -> Change {
        let digest = sha256(format!("half sign-in\0{}", self.id).as_bytes());
        Change::AssertionSpend { digest, expires_at: self.started_at.plus(HALF_LIVES) }
    }
}

/// What tells a password from the next one and says nothing of it.
fn mark(password: &str, key: &MacKey) -> String {
    URL_SAFE_NO_PAD.encode(&key.tag(&[HALF.as_bytes(), password.as_bytes()])[..16])
}

/// Whether a session is of somebody who has proved lately who they are. `origin` is where it began, if at an upstream.
pub fn is_recent(session: &Session, origin: Option<&UpstreamSession>, now: Time) -> bool {
    session.proved_at(origin).is_some_and(|at| now.since(at) < RECENT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user::tests::ada;
    use proptest::prelude::*;

    const NOW: Time = Time::from_seconds(1000);

    fn half(key: &MacKey) -> (User, HalfSignIn) {
        let user = User { password: Some("$argon2id$a".into()), ..ada() };
        let half = HalfSignIn::new(Id::from_i64(9), user.id, "$argon2id$a", key, NOW);
        (user, half)
    }

    #[test]
    fn a_half_sign_in_is_of_one_browser_and_of_five_minutes() {
        let key = MacKey::new([1; 32]);
        let (_, half) = half(&key);
        let text = half.seal(&key, "mark");
        let at = |browser, seconds| HalfSignIn::open(&text, (&key, browser), Time::from_seconds(seconds));
        assert_eq!(at("mark", 1299), Some(half));
        assert_eq!((at("mark", 1300), at("other", 1001)), (None, None));
        assert!(HalfSignIn::open(&text, (&MacKey::new([2; 32]), "mark"), NOW).is_none());
    }

    #[test]
    fn a_half_sign_in_ends_with_the_password_and_with_the_account() {
        let key = MacKey::new([1; 32]);
        let (user, half) = half(&key);
        assert!(half.is_of(&user, &key));
        for other in [
            User { password: Some("$argon2id$b".into()), ..user.clone() },
            User { password: None, ..user.clone() },
            User { disabled: true, ..user.clone() },
            User { id: Id::from_i64(8), ..user },
        ] {
            assert!(!half.is_of(&other, &key));
        }
    }

    #[test]
    fn one_kind_of_text_is_not_another() {
        let key = MacKey::new([1; 32]);
        let (user, half) = half(&key);
        let enrolment = Enrolment { id: Id::from_i64(9), started_at: NOW, user_id: user.id, key: "K".into() };
        assert!(HalfSignIn::open(&enrolment.seal(&key, "mark"), (&key, "mark"), NOW).is_none());
        assert!(Enrolment::open(&half.seal(&key, "mark"), (&key, "mark"), user.id, NOW).is_none());
        let text = enrolment.seal(&key, "mark");
        let opened = |user_id, now| Enrolment::open(&text, (&key, "mark"), user_id, now).is_some();
        assert!(opened(user.id, NOW) && !opened(Id::from_i64(8), NOW) && !opened(user.id, NOW.plus(ENROLMENT_LIVES)));
    }

    #[test]
    fn a_code_that_counted_is_told_by_its_factor_its_place_and_itself() {
        let hash = |byte| SecretHash::new([byte; 32]);
        let factor = |id| SecondFactor {
            id: Id::from_i64(id),
            user_id: Id::from_i64(7),
            key: SecretText::new("K".into()),
            last_step: 100,
            recovery: vec![hash(1), hash(2)],
            created_at: NOW,
        };
        let (kept, place) = (factor(1), Id::from_i64(9));
        assert_eq!(Typed::Step(101).proves(&kept), Some(Used::Code(101)));
        assert_eq!(Typed::Recovery(hash(1)).proves(&kept), Some(Used::Recovery(vec![hash(2)])));
        assert_eq!((Typed::Step(100).proves(&kept), Typed::Recovery(hash(3)).proves(&kept)), (None, None));
        let all = [
            Typed::Step(100).digest(&kept, place),
            Typed::Step(101).digest(&kept, place),
            Typed::Step(100).digest(&factor(2), place),
            Typed::Step(100).digest(&kept, Id::from_i64(10)),
            Typed::Recovery(hash(1)).digest(&kept, place),
        ];
        assert!(all.iter().enumerate().all(|(index, digest)| !all[index + 1..].contains(digest)));
    }

    proptest! {
        #[test]
        fn no_other_text_is_a_half_sign_in(at in 0_usize..200, letter in "[A-Za-z0-9_.-]") {
            let key = MacKey::new([1; 32]);
            let mut text = half(&key).1.seal(&key, "mark");
            let before = text.clone();
            if let Some((place, c)) = text.char_indices().nth(at) {
                text.replace_range(place..place + c.len_utf8(), &letter);
            }
            let opened = HalfSignIn::open(&text, (&key, "mark"), NOW);
            prop_assert!(text == before || opened.is_none());
        }
    }
}
