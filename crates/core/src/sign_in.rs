//! What a proved sign-in, and a sign-out, change.

use grantor_jose::id::Id;

use crate::accounts::Held;
use crate::audit::{Event, EventKind, printable};
use crate::change::{Change, GrantsOf};
use crate::error::Decision;
use crate::grant::GrantEnd;
use crate::level::Level;
use crate::notice::{News, Notice};
use crate::provider::{Call, Fresh};
use crate::second_factor::{HalfSignIn, SecondFactorChange, Used};
use crate::session::Session;
use crate::time::Time;
use crate::token;
use crate::upstream::{UpstreamChange, UpstreamSession};
use crate::user::User;

/// How a person has proved who they are.
#[derive(Clone, Debug)]
pub struct Proof {
    /// How surely: the authentication context class.
    pub level: Level,
    /// The methods (RFC 8176).
    pub amr: Vec<String>,
    /// When.
    pub auth_time: Time,
}

/// The browser of a sign-in.
#[derive(Clone, Copy, Debug)]
pub struct Browser<'a> {
    /// As it names itself.
    pub user_agent: &'a str,
    /// Whether the person signed in with it before, with the password that they have now.
    pub is_known: bool,
    /// The sessions that it had before: the identifier changes at each sign-in.
    pub held: Held<'a>,
}

/// What a sign-in gives the browser.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The value of the session's cookie.
    pub token: String,
    /// The sessions of others that stay beside it, the last in use first.
    pub others: Vec<Id>,
}

/// Begins the session of a person who has proved a password. The person is told where the browser is a new one.
pub fn begin(user: &User, fresh: &Fresh, browser: Browser<'_>, call: Call<'_>) -> Decision<Begun> {
    // "pwd: Password-based authentication" (RFC 8176 §2)
    let proof = Proof { level: Level::Password, amr: vec!["pwd".to_owned()], auth_time: call.now };
    let mut decision = begin_by(user, proof, fresh, browser, call);
    // A password that was changed, or an account that was switched off, while the password was compared begins nothing.
    decision.changes.extend(user.password.clone().map(|password| Change::UserExpect { id: user.id, password }));
    // Nor does one for whom the password is not enough any more. It comes first: whoever sets a factor up holds the person first, too.
    decision.changes.insert(0, SecondFactorChange::ExpectNone(user.id).into());
    decision
}

/// Begins the session of a person who has proved a password and a second factor; what proved the second factor is spent by `by`.
pub fn begin_with_factor(
    (user, half): (&User, &HalfSignIn),
    by: &Used,
    fresh: &Fresh,
    browser: Browser<'_>,
    call: Call<'_>,
) -> Decision<Begun> {
    let amr = std::iter::once("pwd").chain(by.amr().iter().copied()).map(str::to_owned).collect();
    let proof = Proof { level: Level::TwoFactors, amr, auth_time: call.now };
    let mut decision = begin_by(user, proof, fresh, browser, call);
    // It was proved for this password alone, and for one session.
    decision.changes.extend(user.password.clone().map(|password| Change::UserExpect { id: user.id, password }));
    decision.changes.push(half.spend());
    decision
}

/// Raises a session whose person has proved a second factor: it goes on as another one, in the same browser. Where it began at an
/// upstream, it still ends when that says so.
///
/// It is as old as before: a code alone is not a sign-in, and answers no request for a new one.
pub fn raise(
    (session, user): (&Session, &User),
    origin: Option<UpstreamSession>,
    by: &Used,
    fresh: &Fresh,
    (browser, call): (Browser<'_>, Call<'_>),
) -> Decision<Begun> {
    let methods = session.amr.iter().map(String::as_str).chain(by.amr().iter().copied());
    let mut amr: Vec<String> = Vec::new();
    for method in methods {
        if !amr.iter().any(|known| known == method) {
            amr.push(method.to_owned());
        }
    }
    let proof = Proof { level: session.level().max(Level::TwoFactors), amr, auth_time: session.auth_time };
    let mut decision = begin_by(user, proof, fresh, browser, call);
    let expected =
        [Change::SessionExpect { id: session.id }, Change::UserMayEnter { id: user.id, without_password: false }];
    decision.changes.splice(0..0, expected);
    let follows = |origin| UpstreamChange::SessionInsert(Box::new(UpstreamSession { session_id: fresh.id, ..origin }));
    decision.changes.extend(origin.map(follows).map(Change::from));
    decision
}

/// Begins the session of a person who has proved in any way who they are.
pub(crate) fn begin_by(
    user: &User,
    proof: Proof,
    fresh: &Fresh,
    browser: Browser<'_>,
    call: Call<'_>,
) -> Decision<Begun> {
    let session = Session {
        id: fresh.id,
        secret: fresh.secret.hash(),
        user_id: user.id,
        auth_time: proof.auth_time,
        last_seen_at: call.now,
        acr: proof.level.acr().to_owned(),
        amr: proof.amr,
        address: call.address.to_owned(),
        user_agent: printable(browser.user_agent),
        ended_at: None,
    };
    let event = Event::new(fresh.id, call.now, EventKind::SignInSucceeded).user(user.id).address(call.address);
    let mut changes = vec![Change::SessionInsert(Box::new(session)), Change::EventInsert(Box::new(event))];
    if !browser.is_known {
        let news = News::SignedIn { address: call.address.to_owned(), user_agent: printable(browser.user_agent) };
        let notice = Notice { id: fresh.id, user_id: user.id, at: call.now, news };
        changes.push(Change::NoticeInsert(Box::new(notice)));
    }
    // The same person signing in again goes on with the grants of the old session, which from now on end with the new one;
    // what hung on a session of somebody else that ends, ends with it.
    let settled = browser.held.settle(user.id);
    for old in settled.replaced {
        changes.push(Change::SessionEnd { id: old.id, at: call.now });
        changes.push(Change::GrantsMove { from: old.id, to: fresh.id });
    }
    for (old, why) in settled.ended {
        changes.extend(end(old.session, old.event_id, Some(why.detail()), call));
    }
    let others = settled.kept.iter().map(|session| session.id).collect();
    Decision { changes, reply: Begun { token: token::SESSION.format(fresh.id, &fresh.secret), others } }
}

/// Ends one session and what does not outlive it.
pub fn sign_out(session: &Session, event_id: Id, call: Call<'_>) -> Vec<Change> {
    end(session, event_id, None, call)
}

fn end(session: &Session, event_id: Id, detail: Option<&str>, call: Call<'_>) -> Vec<Change> {
    let mut event = Event::new(event_id, call.now, EventKind::SignedOut).user(session.user_id).address(call.address);
    if let Some(detail) = detail {
        event = event.detail(detail);
    }
    vec![
        Change::SessionEnd { id: session.id, at: call.now },
        Change::GrantsEnd { of: GrantsOf::Session(session.id), at: call.now, end: GrantEnd::SignedOut },
        Change::EventInsert(Box::new(event)),
    ]
}

/// Ends all sessions of a person but one.
pub fn sign_out_others(user_id: Id, except: Id, event_id: Id, call: Call<'_>) -> Vec<Change> {
    let event = Event::new(event_id, call.now, EventKind::SignedOut)
        .user(user_id)
        .address(call.address)
        .detail("all other sessions");
    vec![
        Change::SessionsEnd { user_id, except: Some(except), at: call.now },
        Change::GrantsEnd { of: GrantsOf::UserExceptSession(user_id, except), at: call.now, end: GrantEnd::SignedOut },
        Change::EventInsert(Box::new(event)),
    ]
}

/// Ends all sessions of a person.
pub fn sign_out_everywhere(user_id: Id, event_id: Id, call: Call<'_>) -> Vec<Change> {
    let event =
        Event::new(event_id, call.now, EventKind::SignedOut).user(user_id).address(call.address).detail("all sessions");
    // No session has this identifier.
    let none = Id::from_i64(0);
    vec![
        Change::SessionsEnd { user_id, except: None, at: call.now },
        Change::GrantsEnd { of: GrantsOf::UserExceptSession(user_id, none), at: call.now, end: GrantEnd::SignedOut },
        Change::EventInsert(Box::new(event)),
    ]
}

#[cfg(test)]
#[expect(clippy::panic, reason = "tests")]
mod tests {
    use grantor_jose::random::Mint;
    use proptest::prelude::*;

    use super::*;
    use crate::accounts::Kept;
    use crate::audit::MAX_DETAIL;
    use crate::user::tests::ada;

    fn kept(session: &Session) -> Kept<'_> {
        Kept { session, is_live: true, event_id: Id::from_i64(900) }
    }

    fn begun(user: &User, agent: &str, replaced: Option<&Session>) -> (Session, Vec<Change>, String) {
        let mint = Mint::seeded(5);
        let call = Call::new(Time::from_seconds(7), "::1");
        let fresh = Fresh { id: mint.id(7000), secret: mint.secret() };
        let held = Held { in_use: replaced.map(kept), ..Held::default() };
        let browser = Browser { user_agent: agent, is_known: false, held };
        let Decision { changes, reply: Begun { token, .. } } = begin(user, &fresh, browser, call);
        let session = changes.iter().find_map(|change| match change {
            Change::SessionInsert(session) => Some((**session).clone()),
            _ => None,
        });
        (session.unwrap_or_else(|| panic!("a session")), changes, token)
    }

    fn ends_grants(changes: &[Change]) -> bool {
        changes.iter().any(|change| matches!(change, Change::GrantsEnd { .. }))
    }

    #[test]
    fn the_cookie_opens_the_session_it_names() {
        let (session, _, cookie) = begun(&ada(), "", None);
        let opened =
            token::SESSION.parse(&cookie).filter(|(id, secret)| *id == session.id && session.secret.matches(secret));
        assert!(opened.is_some());
    }

    #[test]
    fn a_person_is_told_of_a_browser_that_is_new() {
        let told = |is_known| {
            let mint = Mint::seeded(5);
            let fresh = Fresh { id: mint.id(7000), secret: mint.secret() };
            let browser = Browser { user_agent: "Firefox", is_known, held: Held::default() };
            let changes = begin(&ada(), &fresh, browser, Call::new(Time::from_seconds(7), "::1")).changes;
            changes.iter().any(|change| matches!(change, Change::NoticeInsert(_)))
        };
        assert!(told(false) && !told(true));
    }

    #[test]
    fn a_session_that_is_raised_is_as_old_as_before() {
        let (session, _, _) = begun(&ada(), "", None);
        let (mint, call) = (Mint::seeded(6), Call::new(Time::from_seconds(700), "::1"));
        let fresh = Fresh { id: mint.id(700_000), secret: mint.secret() };
        let browser = Browser { user_agent: "", is_known: true, held: Held::default() };
        let raised = raise((&session, &ada()), None, &Used::Code(7), &fresh, (browser, call)).changes;
        let raised = raised.into_iter().find_map(|change| match change {
            Change::SessionInsert(session) => Some((session.auth_time, session.level())),
            _ => None,
        });
        assert_eq!(raised, Some((session.auth_time, Level::TwoFactors)));
    }

    #[test]
    fn who_signs_in_with_a_password_alone_has_no_second_factor() {
        let changes = begun(&ada(), "", None).1;
        assert!(
            matches!(changes.first(), Some(Change::SecondFactor(SecondFactorChange::ExpectNone(id))) if *id == ada().id)
        );
    }

    #[test]
    fn another_person_in_the_same_browser_ends_what_hung_on_the_session() {
        let (old, _, _) = begun(&ada(), "", None);
        assert!(!ends_grants(&begun(&ada(), "", Some(&old)).1));
        let other = User { id: Id::from_i64(8), ..ada() };
        let changes = begun(&other, "", Some(&old)).1;
        assert!(ends_grants(&changes));
        let told = changes.iter().filter_map(|change| match change {
            Change::EventInsert(event) if event.kind == EventKind::SignedOut => event.user_id,
            _ => None,
        });
        assert_eq!(told.collect::<Vec<_>>(), [ada().id]);
    }

    #[test]
    fn who_is_signed_in_beside_keeps_what_hangs_on_the_session() {
        let (old, _, _) = begun(&ada(), "", None);
        let (mint, other) = (Mint::seeded(5), User { id: Id::from_i64(8), ..ada() });
        let fresh = Fresh { id: mint.id(7000), secret: mint.secret() };
        let held = Held { in_use: Some(kept(&old)), others: &[], beside: true };
        let browser = Browser { user_agent: "", is_known: true, held };
        let Decision { changes, reply } = begin(&other, &fresh, browser, Call::new(Time::from_seconds(7), "::1"));
        assert!(!ends_grants(&changes) && !changes.iter().any(|change| matches!(change, Change::SessionEnd { .. })));
        assert_eq!(reply.others, [old.id]);
    }

    proptest! {
        #[test]
        fn what_a_browser_says_of_itself_stays_on_one_line(agent in any::<String>()) {
            let (session, _, _) = begun(&ada(), &agent, None);
            prop_assert!(session.user_agent.chars().count() <= MAX_DETAIL);
            prop_assert!(!session.user_agent.chars().any(char::is_control));
        }
    }
}
